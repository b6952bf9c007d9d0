package stagegraph

import (
	"partita/formulation/cost"
	"partita/inputs"
)

// memoryKey is what the memory of a stage depends on beside the stage.
type memoryKey struct{ sequences, micro, group int }

func (s *Space) memoryKey(replicas, micro, groups int) memoryKey {
	n := s.Sequences(replicas)
	key := memoryKey{n, 0, 0}
	if micro > 0 {
		key.micro = ceilDiv(n, micro)
	}
	if groups > 0 {
		key.group = ceilDiv(n, groups)
	}
	return key
}

// memories tells, by pool and shape, what stages take under an outer choice.
func (s *Space) memories(replicas, micro, groups int) [][]cost.StageMemories {
	key := s.memoryKey(replicas, micro, groups)
	if m, ok := s.work.memories[key]; ok {
		return m
	}
	loads := map[int]cost.Load{} // by attention ranks
	out := make([][]cost.StageMemories, len(s.pools))
	for k := range s.pools {
		out[k] = make([]cost.StageMemories, len(s.pools[k].shapes))
		for i, sh := range s.pools[k].shapes {
			l, ok := loads[sh.DPAttention]
			if !ok {
				l = s.load(key.sequences, micro, groups, sh.DPAttention)
				loads[sh.DPAttention] = l
			}
			out[k][i] = s.Costs.Memories(k, sh, l)
		}
	}
	s.work.memories[key] = out
	return out
}

// load is (C8) on stages with so many attention ranks.
func (s *Space) load(sequences, micro, groups, ranks int) cost.Load {
	w := &s.Condition.Workload
	l := cost.Load{Sequences: sequences, Tokens: w.Input.Max}
	if w.Phase != inputs.Prefill {
		l.Tokens += w.Output.Max
	}
	if w.Phase == inputs.Mixed {
		l.Budget = cost.ChunkTokens
	}
	if micro > 0 {
		l.Steps = append(l.Steps, s.serving(sequences, 1).HeldStep(micro, ranks))
	}
	if groups > 0 {
		l.Steps = append(l.Steps, s.decodeStep(ceilDiv(sequences, groups)))
	}
	return l
}

// fitting tells, by pool, shape and class, whether the stage fits its GPUs and keeps
// the rules that speak of a stage alone.
func (s *Space) fitting(replicas, micro, groups int) [][][]bool {
	key := s.memoryKey(replicas, micro, groups)
	if f, ok := s.work.fits[key]; ok {
		return f
	}
	memories := s.memories(replicas, micro, groups)
	out := make([][][]bool, len(s.pools))
	for k := range s.pools {
		capacity := s.Costs.Capacity(k)
		out[k] = make([][]bool, len(s.pools[k].shapes))
		all := make([]bool, len(out[k])*len(s.classes.list))
		for i := range out[k] {
			var fit []bool
			fit, all = all[:len(s.classes.list)], all[len(s.classes.list):]
			for j := range s.classes.list {
				c := &s.classes.list[j]
				m := memories[k][i].Of(c.counts, c.first, c.last)
				fit[j] = s.ruled.allows(k, i, j) && m.Total() <= capacity
			}
			out[k][i] = fit
		}
	}
	s.work.fits[key] = out
	return out
}

// Homeless is the first layer that fits no group of GPUs of any pool with a single
// sequence, alone or beside others: no number of GPUs places the model then. False where
// there is none. Beside others a layer may take less: a stage with all of them has none
// to communicate with.
func (s *Space) Homeless() (layer int, found bool) {
	micro, groups := 0, 0
	if s.Prefills() {
		micro = 1
	}
	if s.Decodes() {
		groups = 1
	}
	// By memory alone: rules may ask for more layers on a stage.
	memories := s.memories(s.Condition.Workload.Batch, micro, groups)
	known := map[int32]bool{}
	fits := func(from, to int) bool {
		class := s.classes.of[from*(s.layers+1)+to]
		home, ok := known[class]
		if ok {
			return home
		}
		c := &s.classes.list[class]
		for k := range memories {
			for i := range memories[k] {
				m := memories[k][i].Of(c.counts, c.first, c.last)
				home = home || m.Total() <= s.Costs.Capacity(k)
			}
		}
		known[class] = home
		return home
	}
	for l := range s.layers {
		home := fits(l, l+1)
		for from := 0; from <= l && !home; from++ {
			for to := s.layers; to > l && !home; to-- {
				home = fits(from, to)
			}
		}
		if !home {
			return l, true
		}
	}
	return 0, false
}

// Overfull reports whether an option of a graph does not fit the memory that this space
// gives the pool it takes its GPUs from. The graph is of a space that differs in memory
// alone.
func (s *Space) Overfull(g *Graph, class, option int32) (pool int, over bool) {
	o := g.Problem.Options[class][option]
	pool = g.poolOf(o)
	return pool, !s.fitting(g.Choice.Layout.Replicas, g.Choice.Micro, g.Choice.Groups)[pool][o.Ref][class]
}
