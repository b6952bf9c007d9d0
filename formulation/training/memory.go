package training

import "partita/formulation/cost"

// mayFit is a quick look at the memory of a split: some rank holds at least an even share
// of the layers, so at least the share less all layers of other kinds of the commonest
// kind, and keeps the activations of a micro-batch where it has any. False where no
// recompute makes room for that.
func (x *space) mayFit(s *Split) bool {
	pp := s.PP()
	share := (x.layers() + pp - 1) / pp
	common := 0
	for kind, n := range x.kinds {
		if n > x.kinds[common] {
			common = kind
		}
	}
	counts := make([]int, len(x.kinds))
	if counts[common] = share - (x.layers() - x.kinds[common]); counts[common] <= 0 {
		return true
	}
	whole := pp == 1
	held := []cost.TrainHeld{{Counts: counts, First: whole, Last: whole, InFlight: InFlight(pp-1, pp, s.Virtual, s.MicroBatches(x.global))}}
	for k, n := range s.Ranks {
		if n == 0 {
			continue
		}
		for r := range recomputes {
			if held[0].Recompute = recomputes[r]; !x.allowed[r] {
				continue
			}
			if m := x.costs.TrainMemory(k, s.Shape(), x.step(s), *x.t, held); m.Total() <= x.costs.Capacity(k) {
				return true
			}
		}
	}
	return false
}
