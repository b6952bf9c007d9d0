package training

import "math"

// passOf is one pass of one micro-batch through one stage of a rank.
type passOf struct {
	backward bool
	chunk    int // stage of the rank
	micro    int
}

// schedule is the order in which a rank works: 1F1B, and interleaved 1F1B where a rank has
// several stages (Narayanan et al. 2021; Megatron-LM's schedules.py): warm-up forward passes,
// then one forward and one backward in turn, then what backward passes are left.
func schedule(rank, ranks, virtual, micros int) []passOf {
	all := micros * virtual
	// The k-th pass of a kind: groups of as many micro-batches as ranks go through all stages
	// of a rank in turn.
	at := func(k int, backward bool) passOf {
		group := k / (ranks * virtual)
		inside := k % (ranks * virtual)
		chunk := inside / ranks
		if backward {
			chunk = virtual - 1 - chunk
		}
		return passOf{backward, chunk, group*ranks + inside%ranks}
	}
	if virtual == 1 {
		at = func(k int, backward bool) passOf { return passOf{backward, 0, k} }
	}
	warm := min(all, ranks-rank-1)
	if virtual > 1 {
		warm = min(all, 2*(ranks-rank-1)+(virtual-1)*ranks)
	}
	var out []passOf
	for k := range warm {
		out = append(out, at(k, false))
	}
	for k := warm; k < all; k++ {
		out = append(out, at(k, false), at(k-warm, true))
	}
	for k := all - warm; k < all; k++ {
		out = append(out, at(k, true))
	}
	return out
}

// simulate is the time of a pipeline whose stage k (on rank k mod ranks) takes forward[k] and
// backward[k] on each micro-batch, where sends take no time of their own.
func simulate(forward, backward []float64, virtual, micros int) float64 {
	stages := len(forward)
	ranks := stages / virtual
	order := make([][]passOf, ranks)
	next, free := make([]int, ranks), make([]float64, ranks)
	for r := range order {
		order[r] = schedule(r, ranks, virtual, micros)
	}
	done := [2][][]float64{} // forward and backward, of each stage and micro-batch
	for d := range done {
		done[d] = make([][]float64, stages)
		for k := range done[d] {
			done[d][k] = make([]float64, micros)
			for i := range done[d][k] {
				done[d][k][i] = math.NaN() // not done yet
			}
		}
	}
	for moved := true; moved; {
		moved = false
		for r := range order {
			for next[r] < len(order[r]) {
				o := order[r][next[r]]
				k := o.chunk*ranks + r
				ready, direction, takes := 0.0, 0, forward[k]
				switch {
				case o.backward && k == stages-1:
					ready = done[0][k][o.micro]
				case o.backward:
					ready = done[1][k+1][o.micro]
				case k > 0:
					ready = done[0][k-1][o.micro]
				}
				if o.backward {
					direction, takes = 1, backward[k]
				}
				if math.IsNaN(ready) {
					break
				}
				free[r] = math.Max(free[r], ready) + takes
				done[direction][k][o.micro] = free[r]
				next[r]++
				moved = true
			}
		}
	}
	latest := 0.0
	for r := range order {
		if next[r] < len(order[r]) {
			return math.Inf(1) // the orders of two ranks wait for each other
		}
		latest = math.Max(latest, free[r])
	}
	return latest
}
