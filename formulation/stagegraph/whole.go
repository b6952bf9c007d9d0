package stagegraph

import (
	"math"
	"slices"

	"partita/formulation/cost"
)

// Whole is a pipeline of one stage: it holds all layers on all GPUs of a replica, is
// balanced by nature and sends nothing, so that its metrics are known without a graph.
type Whole struct {
	Pool  int
	Shape cost.Shape
	way   int
	// ttft and round are the metrics in seconds by index of m0 and m1; +Inf where it
	// fits with no number of the other. nil: not computed.
	ttft, round []float64
	// least is, by index of m0, the first index of m1 with which it fits.
	least []int
}

// HoldsWhole reports whether the GPUs of a layout can all be in one stage, memory aside.
func (s *Space) HoldsWhole(l *Layout) bool {
	if !l.Exact {
		return true
	}
	pool, used := 0, 0
	for k, n := range l.GPUs {
		if n > 0 {
			pool = k
			used++
		}
	}
	return used == 1 && slices.Contains(s.pools[pool].sizes, l.GPUs[pool])
}

// Wholes lists the pipelines of one stage that a layout admits, whether or not they fit.
func (r *Relaxation) Wholes() []Whole { return r.wholes }

// Fits reports whether the w-th pipeline of one stage fits with the i-th number of
// micro-batches and the j-th of groups (prefill alone: j = i).
func (r *Relaxation) Fits(w, i, j int) bool {
	x := r.priced(w)
	if r.base.promptOnly {
		j = 0
	}
	return x.least[i] <= j
}

// WholeTTFT and WholeRound are its metrics; +Inf where it does not fit.
func (r *Relaxation) WholeTTFT(w, i int) float64 { return r.priced(w).ttft[i] }

// WholeRound is its round, in seconds.
func (r *Relaxation) WholeRound(w, j int) float64 { return r.priced(w).round[j] }

// priced is the w-th pipeline of one stage with its metrics.
func (r *Relaxation) priced(w int) *Whole {
	x := &r.wholes[w]
	if x.least == nil {
		r.price(x)
	}
	return x
}

func (r *Relaxation) price(x *Whole) {
	b := r.base
	x.least = r.space.leastGroups(r.replicas, x, b.micros, b.groups)
	x.ttft, x.round = make([]float64, len(b.first)), make([]float64, len(b.second))
	stage := func(parts []float64) float64 {
		t := 0.0
		for part, n := range b.counts {
			if n > 0 {
				t += parts[part*len(b.ways)+x.way]
			}
		}
		return t
	}
	fewest := x.least[len(x.least)-1] // groups, with the smallest micro-batches
	for i := range x.ttft {
		switch {
		case x.least[i] == len(b.groups):
			x.ttft[i] = math.Inf(1)
		case b.first[i] != nil:
			x.ttft[i] = b.turns(i) * stage(b.first[i])
		}
	}
	for j := range x.round {
		if b.promptOnly {
			fewest = x.least[j] + j
		}
		x.round[j] = float64(b.parts(j)) * stage(b.second[j])
		if j < fewest {
			x.round[j] = math.Inf(1)
		}
	}
}

// leastGroups finds, for each number of micro-batches, the first number of groups with
// which one stage fits: smaller steps never take more, so the border descends.
func (s *Space) leastGroups(replicas int, x *Whole, micros, groups []int) []int {
	all := &s.classes.list[s.classes.of[s.layers]]
	capacity := s.Costs.Capacity(x.Pool)
	out := make([]int, len(micros))
	least := len(groups)
	for i, m := range micros {
		for least > 0 {
			l := s.load(s.Sequences(replicas), m, groups[least-1], x.Shape.DPAttention)
			if s.Costs.StageMemory(x.Pool, all.counts, true, true, x.Shape, l).Total() > capacity {
				break
			}
			least--
		}
		out[i] = least
	}
	return out
}
