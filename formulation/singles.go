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
	if asked := len(x.goal.c.Goal.Requirements) > 0; x.space.Pools() == 1 && (!asked || x.refuted[ch.Layout] < stubborn) {
		return 0, nil
	}
	k := x.pass.value(ch.Layout)
	lim, _ := x.goal.limits(x.goal.hourly(ch.Layout), x.pass.slack, x.pass.without...)
	whole := !math.IsInf(lim.endToEnd, 1)
	var ttft, round float64
	var err error
	if k.round > 0 || whole || !math.IsInf(lim.roundOf(x.gpus(ch.Layout)), 1) {
		if round, err = x.bestAlone(ctx, 1, ch); err != nil || math.IsInf(round, 1) {
			return round, err
		}
	}
	if ch.Micro > 0 && (k.ttft > 0 || whole || !math.IsInf(lim.ttft, 1)) {
		if ttft, err = x.bestAlone(ctx, 0, ch); err != nil || math.IsInf(ttft, 1) {
			return ttft, err
		}
	}
	if !lim.admit(x.goal, ttft, round, round*float64(x.gpus(ch.Layout))) {
		return math.Inf(1), nil
	}
	return k.of(ttft, round), nil
}

// bestAlone is a lower bound on the metric of one phase over all paths of a layout,
// in seconds. The parts of the other phase are set to where
// they take the least memory, so the bound holds for all of them.
func (x *exploration) bestAlone(ctx context.Context, ph int, ch stagegraph.Choice) (float64, error) {
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
	if v, ok := x.alone[key]; ok {
		return v, nil
	}
	tick := floor / timeTicks
	scale := stagegraph.Scale{1, 1}
	scale[ph] = tick
	build := x.space.Build
	if ph == 1 && x.pass.num > 0 {
		// A shape that another beats for these micro-batches may be kept for others, and
		// to be needed for the balance.
		build = x.space.BuildWide
	}
	p := build(ch, scale).Problem
	p.Phases = x.goal.phases(ch)
	p.Weight[ph] = 1
	if ph == 1 {
		p.BalanceNum, p.BalanceDen = x.pass.num, max(1, x.pass.den)
	}
	bound, err := path.LowerBound(p, path.NoLimit)
	if err == nil && key.proved {
		bound, err = boundAlone(ctx, p, bound)
	}
	if err != nil {
		return 0, err
	}
	v := math.Inf(1)
	if bound < path.NoLimit {
		// Every stage was rounded up by less than a tick; the bound is in whole ticks.
		slack := int64(x.space.Layers() + max(ch.Micro, ch.Groups))
		v = max(0, float64(bound-slack)*tick)
	}
	if ctx.Err() != nil {
		if math.IsInf(v, 1) {
			v = 0
		}
		return v, nil
	}
	if x.alone == nil {
		x.alone = map[singleKey]float64{}
	}
	x.alone[key] = v
	return v, nil
}

// boundAlone solves a problem by growing cutoffs from a bound and returns the proved
// one, NoLimit where there is no path.
func boundAlone(ctx context.Context, p *path.Problem, bound int64) (int64, error) {
	var err error
	for probe := 0; err == nil && bound < path.NoLimit && ctx.Err() == nil; probe++ {
		opts := path.Options{}
		if probe < maxProbes {
			cutoff := int64(float64(bound)*firstStep) + 1
			opts.Cutoff = &cutoff
		}
		var r path.Result
		if r, err = path.Solve(ctx, p, opts); err != nil {
			break
		}
		if r.HasBound {
			bound = max(bound, r.Bound)
		}
		switch {
		case r.Status != solver.Infeasible:
			return bound, nil
		case opts.Cutoff == nil:
			return path.NoLimit, nil
		}
	}
	return bound, err
}
