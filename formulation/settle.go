package formulation

import (
	"context"
	"math"

	"partita/formulation/stagegraph"
	"partita/solver"
	"partita/solver/path"
)

// cutoff is the J that the next plan must stay below, in ticks.
func (x *exploration) cutoff() int64 {
	if x.best == nil {
		return path.NoLimit
	}
	return x.best.ticks
}

// firstStep is by how much a first plan may exceed the bound of its choice before
// the search asks other choices: proofs below a cutoff are cheap, and a search
// without one wanders.
const firstStep = 1.3

// solve settles a choice by the prover.
func (x *exploration) solve(ctx context.Context, n *node, g *stagegraph.Graph, cutoff int64) error {
	opts := path.Options{Cutoff: &cutoff}
	probe := cutoff == path.NoLimit && !x.pass.anyPlan && n.bound > 0 && n.probes < maxProbes
	if probe {
		cutoff = int64(math.Ceil(n.bound*firstStep/x.unit)) + 1
	}
	if cutoff == path.NoLimit {
		opts.Cutoff = nil
	}
	r, err := x.prove(ctx, g.Problem, opts)
	if err != nil {
		return err
	}
	if r.Status == solver.Infeasible {
		if x.refuted == nil {
			x.refuted = map[*stagegraph.Layout]int{}
		}
		x.refuted[n.choice.Layout]++
	}
	if probe && r.Status == solver.Infeasible {
		n.bound = max(n.bound, float64(cutoff)*x.unit)
		n.probes++
		return x.afterProbe(ctx, n, g)
	}
	if r.Stages != nil && r.Value.Objective < cutoff {
		x.take(n.choice, g, r.Stages, r.Value.Objective)
	}
	switch {
	case r.Status == solver.Optimal:
		x.settled = true
		x.record.solved(n.choice, x.best.value)
	case r.Status == solver.Infeasible && cutoff == path.NoLimit:
		x.record.infeasible(n.choice.Layout, 1, noPlan)
	case r.Status == solver.Infeasible && x.reaches(n):
		x.record.solved(x.best.choice, x.best.value)
	case r.Status == solver.Infeasible:
		x.record.pruned(n.choice.Layout, 1, float64(cutoff)*x.unit, "solved: no path below the best plan")
	default:
		if r.HasBound {
			n.bound = max(n.bound, float64(r.Bound)*x.unit)
		}
		x.unproved = min(x.unproved, n.bound)
		x.record.open(n.choice, n.bound)
	}
	return nil
}

// afterProbe keeps a choice that was refuted below a cutoff for later; one that was so
// several times is first asked whether it has any plan.
func (x *exploration) afterProbe(ctx context.Context, n *node, g *stagegraph.Graph) error {
	if n.probes == emptyProbes {
		p := *g.Problem
		p.Weight = [2]int64{}
		r, err := x.prove(ctx, &p, path.Options{})
		if err != nil {
			return err
		}
		if r.Status == solver.Infeasible {
			x.record.infeasible(n.choice.Layout, 1, noPlan)
			return nil
		}
		if r.Stages != nil {
			x.offer(n.choice, g, r.Stages)
		}
	}
	x.push(n)
	return nil
}

// emptyProbes is after how many refuted cutoffs a choice may have no plan at all.
const emptyProbes = 2

// take makes a path the best plan.
func (x *exploration) take(ch stagegraph.Choice, g *stagegraph.Graph, stages []path.Stage, ticks int64) {
	x.best = &found{choice: ch, graph: g, stages: stages, ticks: ticks, value: float64(ticks) * x.unit}
}

// reaches reports whether the best plan is one of the node's and came from elsewhere
// than solving its choice: then the node's bound shows that none is better there.
func (x *exploration) reaches(n *node) bool {
	if x.best == nil || x.settled || !x.beaten(n.bound) && n.level == 0 {
		return false
	}
	b := x.best.choice
	for i := n.layout; i <= n.last; i++ {
		if x.pass.layouts[i] == b.Layout && (n.level == 0 || n.choice.Micro == b.Micro && n.choice.Groups == b.Groups) {
			x.settled = true
			return true
		}
	}
	return false
}

// build makes the path problem of a choice under the pass.
func (x *exploration) build(ch stagegraph.Choice) *stagegraph.Graph {
	return x.buildFor(ch, ch.Layout)
}

// buildFor builds a choice with the requirements as they are for the layout counted.
func (x *exploration) buildFor(ch stagegraph.Choice, counted *stagegraph.Layout) *stagegraph.Graph {
	l := ch.Layout
	u, w := x.pass.scale(l, x.unit, x.spare)
	build := x.space.Build
	if x.wide {
		build = x.space.BuildWide
	}
	g := build(ch, u)
	p := g.Problem
	p.Phases = x.goal.phases(ch)
	p.Weight = w
	p.BalanceNum, p.BalanceDen = x.pass.num, max(1, x.pass.den)
	lim, _ := x.goal.limits(x.goal.hourly(counted), x.pass.slack, x.pass.without...)
	p.Limit = [2]int64{tickLimit(lim.ttft, u[0]), tickLimit(lim.roundOf(x.gpus(counted)), u[1])}
	x.limitEndToEnd(p, u, lim.endToEnd)
	if t := x.pass.tie; t != nil {
		k := t.pass.value(l)
		switch {
		case k.ttft > 0 && k.round > 0:
			p.Cap = &path.Cap{Weight: [2]int64{1, 1}, Max: t.max}
		case k.ttft > 0:
			p.Limit[0] = min(p.Limit[0], t.max)
		default:
			p.Limit[1] = min(p.Limit[1], t.max)
		}
	}
	return g
}

// limitEndToEnd adds a bound on ℓ: a cap over both phases in whole weights, rounded
// against the plan.
func (x *exploration) limitEndToEnd(p *path.Problem, u stagegraph.Scale, seconds float64) {
	if math.IsInf(seconds, 1) {
		return
	}
	k := x.goal.latency()
	a, b := k.ttft*u[0], k.round*u[1]
	// Weights of at most 10⁴: the bound is tight to 10⁻⁴ and its row exact in doubles.
	const resolution = 1e4
	f := resolution / max(a, b)
	p.Cap = &path.Cap{Weight: [2]int64{int64(math.Ceil(a * f)), int64(math.Ceil(b * f))}, Max: tickLimit(seconds*f, 1)}
}
