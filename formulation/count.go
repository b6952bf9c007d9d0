package formulation

import (
	"context"
	"math"
	"slices"

	"partita/formulation/stagegraph"
)

// counts reports whether choices of a layout are bounded by counting stages, which
// takes no graph.
func (x *exploration) counts(l *stagegraph.Layout) bool {
	return x.space.Decodes() && x.relax(l).Counts()
}

// count bounds a choice by the best of either phase alone, then by both together.
func (x *exploration) count(ctx context.Context, n *node) error {
	var bound float64
	if n.level == 1 {
		var err error
		if bound, err = x.singles(ctx, n.choice); err != nil {
			return err
		}
		n.level = 2
	} else {
		bound = x.pair(n.choice)
		n.level = 3
	}
	if math.IsInf(bound, 1) {
		x.record.infeasible(n.choice.Layout, 1, noPlan)
		return nil
	}
	n.bound = max(n.bound, bound)
	x.push(n)
	return nil
}

// pair is a floor of the value of a choice under everything the pass asks for; +Inf
// where no plan meets it.
func (x *exploration) pair(ch stagegraph.Choice) float64 {
	l := ch.Layout
	r := x.relax(l)
	i, j := slices.Index(x.goal.micros(l), ch.Micro), slices.Index(x.goal.groups(l), ch.Groups)
	k := x.rangeValue(l, l)
	u, _ := x.pass.scale(l, x.unit, x.spare)
	ask := stagegraph.Bounds{Value: [2]float64{k.ttft, k.round}, Enough: math.Inf(1), Scale: u}
	ask.Floor = float64(x.pass.num) / float64(max(1, x.pass.den))
	if x.best != nil && !x.pass.anyPlan {
		// A tick more than what is beaten.
		ask.Enough = x.best.value*(1-x.pass.tolerance) - x.unit*(1-1e-6)
	}
	lim, _ := x.goal.limits(x.goal.hourly(l), x.pass.slack, x.pass.without...)
	gate := func(weight coefficients, most float64) {
		if !math.IsInf(most, 1) {
			ask.Gates = append(ask.Gates, stagegraph.Gate{Weight: [2]float64{weight.ttft, weight.round}, Most: most})
		}
	}
	gate(coefficients{ttft: 1}, lim.ttft)
	gate(coefficients{round: 1}, lim.roundOf(x.gpus(l)))
	gate(x.goal.latency(), lim.endToEnd)
	if t := x.pass.tie; t != nil {
		gate(t.pass.value(l), float64(t.max)*t.unit)
	}
	v, ok := r.Pair(i, j, &ask)
	if !ok {
		return 0
	}
	return v
}
