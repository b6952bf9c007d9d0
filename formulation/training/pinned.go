package training

import "partita/inputs"

// degree names a degree of a strategy that is the same for all stages of a layout.
type degree int

const (
	tpDegree degree = iota
	cpDegree
	epDegree
	etpDegree
)

// pin reports whether a value is the one that is asked for; 0 asks for none.
func (x *space) pin(value, asked int) bool { return asked == 0 || value == asked }

func (x *space) pinnedDegree(d degree) int {
	if x.pinned == nil {
		return 0
	}
	list := [...]inputs.Degrees{tpDegree: x.pinned.TP, cpDegree: x.pinned.CP, epDegree: x.pinned.EP, etpDegree: x.pinned.ETP}[d]
	if len(list) == 0 {
		return 0
	}
	return list[0]
}

func (x *space) pinnedPP() int {
	if x.pinned == nil {
		return 0
	}
	return x.pinned.PP
}

// pinnedDP is data parallelism, by whichever name: a replica of a training layout is one
// of its data-parallel ranks.
func (x *space) pinnedDP() int {
	switch {
	case x.pinned == nil:
		return 0
	case x.pinned.DP > 0:
		return x.pinned.DP
	}
	return x.pinned.Replicas
}

func (x *space) pinnedMicro() int {
	if x.t.MicroBatch > 0 || x.pinned == nil {
		return x.t.MicroBatch
	}
	return x.pinned.MicroBatchSize
}

func (x *space) pinnedVirtual() int {
	if x.t.VirtualStages > 0 || x.pinned == nil {
		return x.t.VirtualStages
	}
	return x.pinned.VirtualStages
}

// pinnedZeRO is the stage that is asked for, -1 for none.
func (x *space) pinnedZeRO() int {
	switch {
	case x.t.ZeRO != nil:
		return *x.t.ZeRO
	case x.pinned != nil && x.pinned.ZeRO != nil:
		return *x.pinned.ZeRO
	}
	return -1
}

// pinnedRecompute is what is asked for, of all stages or of each; empty: nothing.
func (x *space) pinnedRecompute() []inputs.Recompute {
	if len(x.t.Recompute) > 0 || x.pinned == nil {
		return x.t.Recompute
	}
	return x.pinned.Recompute
}

// admitsSP: what is stated holds where there is something to split.
func (x *space) admitsSP(sp bool, tp int) bool {
	asked := x.t.SequenceParallel
	if asked == nil && x.pinned != nil {
		asked = x.pinned.SequenceParallel
	}
	return asked == nil || sp == (*asked && tp > 1)
}

// within reports whether a split that can be had is one of those that are searched.
func (x *space) within(s *Split) bool {
	zero := x.pinnedZeRO()
	switch {
	case s.TP%s.ETP != 0, !x.divides(s.CP), !x.admitsSP(s.SP, s.TP), s.SP && s.TP == 1:
		return false
	case zero >= 0 && s.ZeRO != zero, zero < 0 && s.ZeRO > 0 && s.DP*s.CP == 1:
		return false
	case s.Virtual > 1 && !x.interleaves(s):
		return false
	}
	return x.pin(s.PP(), x.pinnedPP()) && x.pin(s.DP, x.pinnedDP()) && x.pin(s.MicroBatch, x.pinnedMicro()) && x.pin(s.Virtual, x.pinnedVirtual()) &&
		x.pin(s.TP, x.pinnedDegree(tpDegree)) && x.pin(s.CP, x.pinnedDegree(cpDegree)) && x.pin(s.EP, x.pinnedDegree(epDegree)) && x.pin(s.ETP, x.pinnedDegree(etpDegree)) &&
		x.breaks(s) < 0
}

// cut are the layers of each stage of a split where a pinned strategy states them, nil where
// not.
func (x *space) cut(s *Split) []int {
	if x.pinned == nil || len(x.pinned.Layers) != s.PP()*s.Virtual {
		return nil
	}
	return x.pinned.Layers
}

// holds reports whether a pinned strategy has so many layers on rank i.
func (x *space) holds(s *Split, i, layers int) bool {
	if x.pinned == nil || len(x.pinned.Layers) == 0 {
		return true
	}
	cut := x.cut(s)
	return cut != nil && sum(sizes(i, s.PP(), cut)) == layers
}

// sizes are the layers of the stages of rank i.
func sizes(i, pp int, cut []int) []int {
	var out []int
	for k := i; k < len(cut); k += pp {
		out = append(out, cut[k])
	}
	return out
}

// onPool reports whether a pinned strategy has rank i on a pool.
func (x *space) onPool(i, pool int) bool {
	p := x.pinned
	if p == nil || len(p.Pools) == 0 {
		return true
	}
	name := x.c.Cluster.Pools[pool].Name
	if len(p.Pools) == 1 {
		return p.Pools[0] == name
	}
	return i < len(p.Pools) && p.Pools[i] == name
}
