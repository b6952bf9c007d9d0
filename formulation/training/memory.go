package training

import (
	"partita/formulation/cost"
	"partita/inputs"
)

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
			if m := x.costs.TrainMemory(k, s.Shape(), x.step(s), held); m.Total() <= x.costs.Capacity(k) {
				return true
			}
		}
	}
	return false
}

// Memory is what one GPU of each pipeline rank of a layout holds, in bytes: the stages of
// the rank with the micro-batches that InFlight keeps.
func Memory(c *inputs.Condition, calc *cost.Calculator, l *Layout) []cost.TrainBytes {
	return memoryOf(c, calc, l)
}

func memoryOf(c *inputs.Condition, costs costs, l *Layout) []cost.TrainBytes {
	pp := l.PP()
	out := make([]cost.TrainBytes, pp)
	for i := range out {
		var held []cost.TrainHeld
		for k := i; k < len(l.Stages); k += pp {
			st := &l.Stages[k]
			h := cost.TrainHeld{
				Counts: make([]int, len(c.Model.Kinds)), First: k == 0, Last: k == len(l.Stages)-1,
				Recompute: st.Recompute, InFlight: InFlight(i, pp, l.Virtual, l.MicroBatches(c.Workload.Batch)),
			}
			for _, kind := range c.Model.Layers[st.First : st.Last+1] {
				h.Counts[kind]++
			}
			held = append(held, h)
		}
		out[i] = costs.TrainMemory(l.Stages[i].Pool, l.Shape(), l.Work(c), held)
	}
	return out
}

// overfull is the rank whose GPUs a layout overfills the most, with its bytes; -1 where it
// fits.
func (x *space) overfull(l *Layout) (rank int, bytes int64) {
	rank, over := -1, int64(0)
	for i, m := range memoryOf(x.c, x.costs, l) {
		if o := m.Total() - x.costs.Capacity(l.Stages[i].Pool); o > over {
			rank, bytes, over = i, m.Total(), o
		}
	}
	return rank, bytes
}
