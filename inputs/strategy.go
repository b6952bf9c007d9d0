package inputs

// Strategy is a parallelism strategy that an input proposes. 0, or an empty list, is
// what it does not state; a single degree holds for every stage.
//
// Degrees are a mapping and no product: inside a stage TP·CP·DPAttention = EP·ETP are
// its GPUs, and the deployment takes Replicas times the GPUs of its stages. DP is
// what people write where they do not say which of the two they mean.
type Strategy struct {
	GPUs int // the strategy's own word on how many it takes
	PP   int
	DP   int // data parallelism: replicas, attention DP inside a stage, or both
	SP   int // sequence parallelism
	// Replicas and DPAttention say what DP leaves open.
	Replicas                     int
	TP, EP, ETP, CP, DPAttention Degrees
	// Layers is the number of layers of each stage, Pools the pool that it is on.
	Layers []int
	Pools  []string
	// MicroBatches of a prefill, or MicroBatchSize sequences in each, and DecodeGroups of
	// a replica.
	MicroBatches, MicroBatchSize, DecodeGroups int

	// The rest is of training alone. Layers and Pools then count stages rank after rank and
	// round again: PP times VirtualStages of them. nil and empty: not stated.
	VirtualStages    int
	ZeRO             *int
	SequenceParallel *bool
	Recompute        []Recompute // one for all stages, or one a stage
}

// Listed is the number of stages that the lists of the strategy are for, 0 where nothing
// is listed stage by stage; false where they disagree with one another or with PP.
func (s *Strategy) Listed() (stages int, ok bool) {
	ok = true
	for i, n := range []int{len(s.TP), len(s.EP), len(s.ETP), len(s.CP), len(s.DPAttention), len(s.Pools), len(s.Layers)} {
		layers := i == 6
		if n == 0 || n == 1 && !layers {
			continue
		}
		if stages > 0 && n != stages || n != max(1, s.PP) {
			ok = false
		}
		stages = n
	}
	return stages, ok
}

// Degrees is a degree of parallelism: one for all stages, or one a stage.
type Degrees []int

// At is the degree of stage i, 1 where none is stated.
func (d Degrees) At(i int) int {
	switch len(d) {
	case 0:
		return 1
	case 1:
		return d[0]
	}
	return d[i]
}
