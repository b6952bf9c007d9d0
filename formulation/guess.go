package formulation

import (
	"cmp"
	"slices"

	"partita/formulation/stagegraph"
)

// guesses is how many single-stage plans are tried before the search. The best of
// them usually fits; the others are for models that need a little more memory.
const guesses = 12

// guess looks for a first plan among those of one stage a replica, which are balanced
// by nature: with a plan in hand most outer choices are never opened. It is a start,
// the search proves or beats it.
func (x *exploration) guess() {
	if x.space.Pools() != 1 || x.pass.anyPlan || x.pass.first || x.pass.tie != nil {
		return
	}
	type candidate struct {
		choice stagegraph.Choice
		shape  int
		value  float64
	}
	var all []candidate
	sizes := map[int]bool{}
	for _, sh := range x.space.Shapes(0) {
		sizes[sh.GPUs()] = true
	}
	for _, l := range x.pass.layouts {
		_, affordable := x.goal.limits(x.goal.hourly(l), x.pass.slack, x.pass.without...)
		if !l.Exact || !sizes[l.GPUs[0]] || !affordable {
			continue
		}
		r, k, groups := x.relax(l), x.pass.value(l), x.goal.groups(l)
		for i, m := range x.goal.micros(l) {
			if v, shape, ok := r.Whole(i, k.ttft, k.round, l.GPUs[0]); ok {
				all = append(all, candidate{stagegraph.Choice{Layout: l, Micro: m, Groups: groups[0]}, shape, v})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(a.value, b.value) })
	for _, c := range all[:min(len(all), guesses)] {
		g := x.build(c.choice)
		part := stagegraph.Part{First: 0, Last: x.space.Layers() - 1, Shape: x.space.Shapes(0)[c.shape]}
		stages, ok := g.Path([]stagegraph.Part{part})
		if !ok {
			continue
		}
		if v, err := g.Problem.Evaluate(stages); err == nil && (x.best == nil || v.Objective < x.best.ticks) {
			x.best = &found{choice: c.choice, graph: g, stages: stages, ticks: v.Objective, value: float64(v.Objective) * x.unit}
		}
	}
}
