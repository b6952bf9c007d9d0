package export

import (
	"math"

	"partita/results"
)

// pass is one micro-batch forward or backward through one stage of a training step, in ms
// from its begin, with the way to the next stage.
type pass struct {
	Backward           bool
	Stage, Rank, Micro int
	From, To           float64
}

// passOrder is the order in which a pipeline rank works: 1F1B, interleaved where ranks have
// several stages (Narayanan et al. 2021): forward passes until the rank has its share in
// flight, one of each in turn, the backward passes that are left. Interleaved, groups of as
// many micro-batches as ranks take the stages of a rank in turn.
func passOrder(rank, ranks, virtual, micros int) []pass {
	of := func(k int, backward bool) pass {
		chunk, micro := 0, k
		if virtual > 1 {
			inGroup := k % (ranks * virtual)
			chunk, micro = inGroup/ranks, k/(ranks*virtual)*ranks+inGroup%ranks
			if backward {
				chunk = virtual - 1 - chunk
			}
		}
		return pass{Backward: backward, Stage: chunk*ranks + rank, Rank: rank, Micro: micro}
	}
	all := micros * virtual
	ahead := ranks - rank - 1
	if virtual > 1 {
		ahead = 2*ahead + (virtual-1)*ranks
	}
	ahead = min(ahead, all)
	out := make([]pass, 0, 2*all)
	for k := range all + ahead {
		if k < all {
			out = append(out, of(k, false))
		}
		if k >= ahead {
			out = append(out, of(k-ahead, true))
		}
	}
	return out
}

// schedule is a training step by the stage times of a replica; nil where its micro-batches
// do not divide over interleaved ranks. A pass begins when its rank is free and the micro-batch
// has come from the stage before, or back from the one behind.
func schedule(stages []*results.Stage, ranks, virtual, micros int) []pass {
	if ranks < 1 || micros < 1 || len(stages) != ranks*virtual || virtual > 1 && micros%ranks != 0 {
		return nil
	}
	done := [2][]float64{make([]float64, len(stages)*micros), make([]float64, len(stages)*micros)}
	for _, d := range done {
		for i := range d {
			d[i] = math.NaN() // not yet
		}
	}
	order, free := make([][]pass, ranks), make([]float64, ranks)
	for r := range order {
		order[r] = passOrder(r, ranks, virtual, micros)
	}
	out := make([]pass, 0, 2*len(stages)*micros)
	for moved := true; moved; {
		moved = false
		for r := range order {
			for len(order[r]) > 0 {
				p := order[r][0]
				s := stages[p.Stage]
				ready, way, takes := 0.0, 0, s.ForwardMS+s.SendMS/2
				switch {
				case p.Backward && p.Stage == len(stages)-1:
					ready = done[0][p.Stage*micros+p.Micro]
				case p.Backward:
					ready = done[1][(p.Stage+1)*micros+p.Micro]
				case p.Stage > 0:
					ready = done[0][(p.Stage-1)*micros+p.Micro]
				}
				if math.IsNaN(ready) {
					break
				}
				if p.Backward {
					way, takes = 1, s.BackwardMS+s.SendMS/2
				}
				p.From = max(free[r], ready)
				p.To = p.From + takes
				free[r], done[way][p.Stage*micros+p.Micro] = p.To, p.To
				out, order[r], moved = append(out, p), order[r][1:], true
			}
		}
	}
	if len(out) < cap(out) {
		return nil // two ranks wait for each other
	}
	return out
}

// scheduleEnd is when the last pass ends.
func scheduleEnd(passes []pass) float64 {
	end := 0.0
	for _, p := range passes {
		end = max(end, p.To)
	}
	return end
}
