package formulation

import (
	"context"
	"math"
	"slices"

	"partita/formulation/stagegraph"
	"partita/solver"
	"partita/solver/path"
)

// maxProbes ends the search for a first plan by growing cutoffs: 1.3^24 is beyond
// any ratio of a bound to a plan that fits.
const maxProbes = 24

// singleKey names what the best metric of one phase alone depends on: the layout,
// the parts of that phase, and for the round the balance floor.
type singleKey struct {
	layout   *stagegraph.Layout
	phase    int
	parts    int
	num, den int64
	proved   bool
}

// stubborn is after how many choices of a layout that only a solver could refute its
// phases are bounded alone: once for all choices that share them. TTFT, which prices
// bound well without a balance floor, is solved for after four times as many.
const stubborn = 8

// singles bounds the value of a choice by the best TTFT and the best round that any
// path of its layout reaches alone, under the resource counts. Where counts and balance
// bite, as they do with unlike pools, this is far better than prices; with one pool
// prices are as good, until requirements have many choices refuted one by one. +Inf:
// no path.
func (x *exploration) singles(ctx context.Context, ch stagegraph.Choice) (float64, error) {
	if !x.space.Decodes() || x.pass.anyPlan {
		return 0, nil
	}
	k := x.pass.value(ch.Layout)
	lim, _ := x.goal.limits(x.goal.hourly(ch.Layout), x.pass.slack, x.pass.without...)
	whole := !math.IsInf(lim.endToEnd, 1)
	var ttft, round float64
	var err error
	if k.round > 0 || whole || !math.IsInf(lim.roundOf(x.gpus(ch.Layout)), 1) {
		if round, err = x.bestAlone(ctx, 1, ch, x.worthless(ch, k)); err != nil || math.IsInf(round, 1) {
			return round, err
		}
	}
	if ch.Micro > 0 && (k.ttft > 0 || whole || !math.IsInf(lim.ttft, 1)) {
		if ttft, err = x.bestAlone(ctx, 0, ch, math.Inf(1)); err != nil || math.IsInf(ttft, 1) {
			return ttft, err
		}
	}
	if !lim.admit(x.goal, ttft, round, round*float64(x.gpus(ch.Layout))) {
		return math.Inf(1), nil
	}
	return k.of(ttft, round), nil
}

// worthless is the round from which on no plan of a choice beats the best one, in
// seconds: a bound alone need not be proved further. +Inf without a plan.
func (x *exploration) worthless(ch stagegraph.Choice, k coefficients) float64 {
	if x.best == nil || k.round <= 0 {
		return math.Inf(1)
	}
	ttft := 0.0
	if i := slices.Index(x.goal.micros(ch.Layout), ch.Micro); ch.Micro > 0 && i >= 0 {
		ttft = x.relax(ch.Layout).TTFT(i)
	}
	return (x.best.value - k.ttft*ttft) / k.round
}

// alone is a bound on the metric of one phase, in seconds; final: the metric
// itself, or all that prices say.
type alone struct {
	bound float64
	final bool
}

// bestAlone is a lower bound on the metric of one phase over all paths of a layout,
// in seconds, the best of all where that is below enough. The parts of the other
// phase are set to where they take the least memory, so the bound holds for all of
// them.
func (x *exploration) bestAlone(ctx context.Context, ph int, ch stagegraph.Choice, enough float64) (float64, error) {
	l := ch.Layout
	micros, groups := x.goal.micros(l), x.goal.groups(l)
	key := singleKey{layout: l, phase: ph, parts: ch.Micro}
	floor := 0.0
	if ph == 1 {
		key = singleKey{l, ph, ch.Groups, x.pass.num, x.pass.den, true}
		ch.Micro = micros[len(micros)-1]
		floor = x.relax(l).Round(slices.Index(groups, ch.Groups))
	} else {
		ch.Groups = groups[len(groups)-1]
		key.proved = x.refuted[l] >= 4*stubborn
		floor = x.relax(l).TTFT(slices.Index(micros, ch.Micro))
	}
	if math.IsInf(floor, 1) {
		return floor, nil
	}
	if v, ok := x.countedAlone(l, ph, ch); ok {
		return v, nil
	}
	known, ok := x.alone[key]
	if ok && (known.final || known.bound >= enough) {
		return known.bound, nil
	}
	tick := floor / timeTicks
	scale := stagegraph.Scale{1, 1}
	scale[ph] = tick
	// A shape that another beats for these micro-batches may be kept for others, and to be
	// needed for the balance.
	p := x.space.BuildAny(ch, scale, ph == 1 && x.pass.num > 0).Problem
	p.Phases = x.goal.phases(ch)
	p.Weight[ph] = 1
	if ph == 1 {
		p.BalanceNum, p.BalanceDen = x.pass.num, max(1, x.pass.den)
	}
	// Every stage is rounded up by less than a tick; bounds are in whole ticks.
	slack := int64(x.space.Layers() + max(ch.Micro, ch.Groups))
	bound, err := path.LowerBound(p, path.NoLimit)
	final := true
	if err == nil && key.proved {
		target := int64(path.NoLimit)
		if enough/tick < path.NoLimit/2 {
			target = int64(math.Ceil(enough/tick)) + slack + 1
		}
		bound, final, err = boundAlone(ctx, x.labels(), p, bound, target)
	}
	if err != nil {
		return 0, err
	}
	v := math.Inf(1)
	if bound < path.NoLimit {
		v = max(known.bound, float64(bound-slack)*tick)
	}
	if ctx.Err() != nil {
		if math.IsInf(v, 1) {
			v = 0
		}
		return v, nil
	}
	if x.alone == nil {
		x.alone = map[singleKey]alone{}
	}
	x.alone[key] = alone{v, final}
	return v, nil
}

// countedAlone is bestAlone by counts of stages, where they can tell it.
func (x *exploration) countedAlone(l *stagegraph.Layout, ph int, ch stagegraph.Choice) (float64, bool) {
	r := x.relax(l)
	i := slices.Index(x.goal.micros(l), ch.Micro)
	switch {
	case ph == 0:
		return r.AloneTTFT(i)
	case !x.space.Decodes():
		return r.AloneRound(i)
	}
	j := slices.Index(x.goal.groups(l), ch.Groups)
	return r.AloneRound(j)
}

// boundAlone proves a bound up to a target: at once where there is one, else by
// growing cutoffs. It returns the bound, NoLimit where there is no path, and whether
// it is the optimum.
func boundAlone(ctx context.Context, solve prover, p *path.Problem, bound, target int64) (int64, bool, error) {
	for probe := 0; bound < target && ctx.Err() == nil; probe++ {
		opts := path.Options{}
		cutoff := target
		if target == path.NoLimit && probe < maxProbes {
			cutoff = int64(float64(bound)*firstStep) + 1
		}
		if cutoff < path.NoLimit {
			opts.Cutoff = &cutoff
		}
		r, err := solve(ctx, p, opts)
		if err != nil {
			return 0, false, err
		}
		if r.HasBound {
			bound = max(bound, r.Bound)
		}
		switch {
		case r.Status != solver.Infeasible:
			return bound, r.Status == solver.Optimal, nil
		case opts.Cutoff == nil:
			return path.NoLimit, true, nil
		}
	}
	return bound, bound == path.NoLimit, nil
}
