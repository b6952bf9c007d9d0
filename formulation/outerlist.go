package formulation

import (
	"context"
	"math"
	"slices"

	"partita/results"
)

// Every lists the outer choices of a condition: a model for each that floors do not
// settle, and an account of the others. Of the level that the optimum is on, floors
// settle what breaks a requirement, cannot hold the model or cannot beat the optimum; of
// the levels before it, and where there is no plan at all, only the first two: those
// models have no solution. Without a plan and without a proof the list is empty.
//
// So the optimum of the condition is the least optimum among the models of the first
// level that has a solution. A floor is the GPUs' work at its fastest, shared out
// evenly (docs/formulation.md, R1 and R2).
func (f *Formulated) Every(ctx context.Context) (models []*OuterModel, leftOut []results.OuterChoice, err error) {
	switch {
	case f.infeasible():
		return f.every(ctx, f.any(), nil, 0, "")
	case f.final == nil:
		return nil, nil, nil
	}
	for rank, lv := range f.sol.counts.list[:f.final.Rank] {
		m, left, err := f.every(ctx, f.explore(f.first(lv)), nil, rank, lv.what)
		if err != nil {
			return nil, nil, err
		}
		models, leftOut = append(models, m...), append(leftOut, left...)
	}
	m, left, err := f.every(ctx, f.decisive(), f.final, f.final.Rank, f.final.Level)
	return append(models, m...), append(leftOut, left...), err
}

// first is the pass by which the search refutes a level without a plan.
func (f *Formulated) first(lv level) *pass {
	latency, throughput := f.run.normPasses(lv, pass{layouts: lv.layouts, slack: f.sol.pass.slack, num: f.sol.num, den: f.sol.den})
	if f.sol.pass.purpose == forThroughput {
		return &throughput
	}
	return &latency
}

// every lists the outer choices of one exploration. best is the model that the others
// must be able to beat; nil: none.
func (f *Formulated) every(ctx context.Context, x *exploration, best *OuterModel, rank int, what string) (models []*OuterModel, leftOut []results.OuterChoice, err error) {
	if best != nil {
		x.best = &found{value: float64(*best.Optimum) * x.unit}
	}
	var walk func(n *node)
	walk = func(n *node) {
		if ctx.Err() != nil {
			return
		}
		switch bound, _, why := x.rangeFloors(n); {
		case math.IsInf(bound, 1):
			x.record.infeasible(x.pass.layouts[n.layout], x.choicesOf(n), why)
		case x.beaten(bound) && !x.holds(n, best):
			x.record.pruned(x.pass.layouts[n.layout], x.choicesOf(n), bound, floorsWhy)
		case n.layout < n.last:
			mid := (n.layout + n.last) / 2
			walk(&node{layout: n.layout, last: mid})
			walk(&node{layout: mid + 1, last: n.last})
		default:
			models = append(models, f.choicesAt(x, n, best, rank, what)...)
		}
	}
	for _, n := range x.ranges() {
		walk(n)
	}
	if best != nil && !slices.ContainsFunc(models, func(m *OuterModel) bool { return m.Final }) {
		models = append(models, best) // time ended: the best plan is of another pass
	}
	return models, x.record.lines, ctx.Err()
}

// choicesAt are the models of one layout.
func (f *Formulated) choicesAt(x *exploration, n *node, best *OuterModel, rank int, what string) (models []*OuterModel) {
	fl, ok := x.floorsOf(n)
	if !ok {
		return nil
	}
	l, seen := x.pass.layouts[n.layout], 0
	fl.each(func(i, j int, ttft, round float64) {
		seen++
		ch, value := fl.choice(i, j), fl.value(i, j, ttft, round)
		final := best != nil && best.choice == ch
		if x.beaten(value) && !final {
			x.record.pruned(l, 1, value, floorsWhy)
			return
		}
		m := f.model(x, ch)
		m.Rank, m.Level, m.Floor = rank, what, value
		m.Proved = best == nil && f.Status != results.StatusFeasible // refuted with its level
		if final {
			m.Optimum, m.Proved, m.Final = best.Optimum, best.Proved, true
		}
		models = append(models, m)
	})
	if fl.unfit > 0 {
		x.record.infeasible(l, fl.unfit, noPath)
	}
	ruled := 0
	for i, n := range fl.refused {
		if n > 0 {
			x.record.infeasible(l, n, named(x.space.Rules().Rule(i)))
			ruled += n
		}
	}
	if short := x.choices(l) - seen - fl.unfit - ruled; short > 0 {
		x.record.infeasible(l, short, tooSlow)
	}
	return models
}

// holds reports whether the choice of a model is in a range.
func (x *exploration) holds(n *node, best *OuterModel) bool {
	for i := n.layout; best != nil && i <= n.last; i++ {
		if x.pass.layouts[i] == best.choice.Layout {
			return true
		}
	}
	return false
}
