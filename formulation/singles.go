package formulation

import (
	"context"
	"math"

	"partita/formulation/stagegraph"
	"partita/solver"
	"partita/solver/path"
)

// maxProbes ends the search for a first plan by growing cutoffs: 1.3^24 is beyond
// any ratio of a bound to a plan that fits.
const maxProbes = 24

// singleKey names what the best round alone depends on. Micro-batches only matter
// through their memory; the most of them take the least.
type singleKey struct {
	layout   *stagegraph.Layout
	groups   int
	num, den int64
}

// singles bounds the value of a choice by the best round that any path of its layout
// reaches under counts and balance, beside the floor of TTFT. Where counts and
// balance bite, as with unlike pools, this is far better than prices. +Inf: no path.
func (x *exploration) singles(ctx context.Context, ch stagegraph.Choice) (float64, error) {
	if !x.space.Decodes() || x.pass.anyPlan {
		return 0, nil
	}
	k := x.pass.value(ch.Layout)
	if k.round == 0 {
		return 0, nil
	}
	round, err := x.bestRound(ctx, ch)
	if err != nil || math.IsInf(round, 1) {
		return round, err
	}
	ttft := 0.0
	if ch.Micro > 0 {
		micros := x.goal.micros(ch.Layout)
		for i, m := range micros {
			if m == ch.Micro {
				ttft = x.relax(ch.Layout).TTFT(i)
			}
		}
	}
	return k.of(ttft, round), nil
}

// bestRound is a lower bound on the round of a layout and number of groups, seconds.
func (x *exploration) bestRound(ctx context.Context, ch stagegraph.Choice) (float64, error) {
	key := singleKey{ch.Layout, ch.Groups, x.pass.num, x.pass.den}
	if v, ok := x.rounds[key]; ok {
		return v, nil
	}
	micros := x.goal.micros(ch.Layout)
	ch.Micro = micros[len(micros)-1]
	floor := 0.0
	for j, m := range x.goal.groups(ch.Layout) {
		if m == ch.Groups {
			floor = x.relax(ch.Layout).Round(j)
		}
	}
	tick := floor / timeTicks
	g := x.space.Build(ch, stagegraph.Scale{1, tick})
	p := g.Problem
	p.Phases, p.Weight = x.goal.phases(ch), [2]int64{0, 1}
	p.BalanceNum, p.BalanceDen = x.pass.num, max(1, x.pass.den)
	bound, err := path.LowerBound(p, path.NoLimit)
	if err != nil {
		return 0, err
	}
	for probe := 0; bound < path.NoLimit && ctx.Err() == nil; probe++ {
		opts := path.Options{}
		if probe < maxProbes {
			cutoff := int64(float64(bound)*firstStep) + 1
			opts.Cutoff = &cutoff
		}
		r, err := path.Solve(ctx, p, opts)
		if err != nil {
			return 0, err
		}
		if r.HasBound {
			bound = max(bound, r.Bound)
		}
		if r.Status != solver.Infeasible {
			break
		}
		if opts.Cutoff == nil {
			bound = path.NoLimit
		}
	}
	v := math.Inf(1)
	if bound < path.NoLimit {
		// Every stage was rounded up by less than a tick; the bound is on whole ticks.
		v = max(0, float64(bound-int64(x.space.Layers()+ch.Groups))*tick)
	}
	if ctx.Err() == nil {
		if x.rounds == nil {
			x.rounds = map[singleKey]float64{}
		}
		x.rounds[key] = v
	} else if math.IsInf(v, 1) {
		v = 0
	}
	return v, nil
}
