package formulation

import (
	"cmp"
	"math"
	"slices"

	"partita/formulation/stagegraph"
	"partita/solver/path"
)

// guesses is how many single-stage plans are tried before the search. The best of
// them usually holds; the others are for requirements that whole ticks put on an edge.
const guesses = 12

// start looks for a first plan: with one in hand most outer choices are never opened.
// Those of one stage a replica are balanced by nature and priced without a graph; the
// plans of earlier passes are often as good in this one. It is a start, the search
// proves or beats it.
func (x *exploration) start() {
	for _, f := range x.pass.known {
		x.carry(f)
	}
	type candidate struct {
		choice stagegraph.Choice
		value  float64
	}
	var all []candidate
	for i := range x.pass.layouts {
		if ch, v := x.bestWhole(i); !math.IsInf(v, 1) {
			all = append(all, candidate{ch, v})
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(a.value, b.value) })
	for _, c := range all[:min(len(all), guesses)] {
		if x.best != nil && (x.pass.anyPlan || c.value >= x.best.value) {
			return
		}
		x.tryWhole(c.choice)
	}
}

// carry takes over a plan of another pass where it is better here.
func (x *exploration) carry(f *found) {
	if f == nil || !slices.Contains(x.pass.layouts, f.choice.Layout) {
		return
	}
	g := x.build(f.choice)
	if stages, ok := g.Path(f.graph.Parts(f.stages)); ok {
		x.offer(f.choice, g, stages)
	}
}

// offer takes a path for the best plan where it keeps every condition and is better.
func (x *exploration) offer(ch stagegraph.Choice, g *stagegraph.Graph, stages []path.Stage) {
	if v, err := g.Problem.Evaluate(stages); err == nil && (x.best == nil || v.Objective < x.best.ticks) {
		x.take(ch, g, stages, v.Objective)
	}
}

// bestWhole is the choice of a layout with the best plan of one stage, and its value;
// +Inf where none fits and is admitted.
func (x *exploration) bestWhole(layout int) (stagegraph.Choice, float64) {
	best, at := math.Inf(1), stagegraph.Choice{}
	if !x.space.HoldsWhole(x.pass.layouts[layout]) {
		return at, best
	}
	f, ok := x.floorsOf(&node{layout: layout, last: layout})
	if !ok {
		return at, best
	}
	r, gpus := f.relaxed, float64(x.gpus(f.first))
	for w := range r.Wholes() {
		f.each(func(i, j int, _, _ float64) {
			if !r.Fits(w, i, j) {
				return
			}
			ttft, round := r.WholeTTFT(w, i), r.WholeRound(w, j)
			if v := f.worth.of(ttft, round); v < best && f.limits.admit(x.goal, ttft, round, round*gpus) && x.ties(f.first, ttft, round) {
				best, at = v, f.choice(i, j)
			}
		})
	}
	return at, best
}

// ties reports whether metrics keep an earlier value at its optimum, where the pass
// asks for that.
func (x *exploration) ties(l *stagegraph.Layout, ttft, round float64) bool {
	t := x.pass.tie
	return t == nil || t.pass.value(l).of(ttft, round) <= float64(t.max+1)*t.unit
}

// tryWhole offers the best plan of one stage of a choice.
func (x *exploration) tryWhole(ch stagegraph.Choice) {
	g := x.build(ch)
	class := g.Problem.ClassOf(0, x.space.Layers())
	if class < 0 {
		return
	}
	for o := range g.Problem.Options[class] {
		x.offer(ch, g, []path.Stage{{From: 0, To: x.space.Layers(), Class: class, Option: int32(o)}})
	}
}
