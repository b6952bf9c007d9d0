package formulation

import (
	"context"
	"fmt"
	"math"

	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/results"
)

// closest finds the plan that misses the requirements by least: the smallest
// largest relative violation, in steps of 0.01 %, then the objective. The best that
// each requirement can have alone bounds the violation from below, the plans that
// reach it from above; between them it is halved.
func (r *run) closest(ctx context.Context, counts levels) (*solution, error) {
	layouts := counts.all()
	num, den, stated := r.balanceFloor()
	ok, err := r.feasible(ctx, layouts, enough, num, den)
	if err != nil {
		return nil, err
	}
	relaxed := !ok && !stated
	if relaxed {
		if num, ok, err = r.evenest(ctx, layouts, enough); err != nil {
			return nil, err
		}
	}
	late := ctx.Err() != nil
	if !ok && stated && !r.space.OneShapeASize() && !late {
		// As in everyShape: a slower shape may even the stages out.
		share, cancel := context.WithTimeout(ctx, wideLimit)
		r.explorer.wide = true
		defer func() { r.explorer.wide = false }()
		ok, err = r.feasible(share, layouts, enough, num, den)
		late = share.Err() != nil
		cancel()
		if err != nil {
			return nil, err
		}
	}
	if !ok {
		sol := &solution{stopped: late, counts: counts}
		if !sol.stopped {
			sol.reasons = []string{"no plan meets the stated balance and GPU count"}
		}
		return sol, nil
	}
	share, cancel := part(ctx, 2)
	slack, known, passes, err := r.leastSlack(share, &pass{layouts: layouts, num: num, den: den})
	least := share.Err() == nil
	cancel()
	if err != nil {
		return nil, err
	}
	sol, err := r.exactly(ctx, counts, slack, num, den)
	if sol != nil || err != nil {
		if sol != nil && relaxed {
			sol.relaxedTo(num)
		}
		return sol, err
	}
	// A step more: a plan on the very edge may be rounded off it by other ticks, those of
	// a TTFT that is a small part of the objective by several steps.
	for step := 1.0; step <= mostSteps; step *= 4 {
		sol, err = r.throughLevels(ctx, counts, slack+step*(1+slack)/slackParts, num, den)
		if err != nil {
			return nil, err
		}
		if sol != nil && sol.final.proved || ctx.Err() != nil {
			break
		}
	}
	if sol == nil {
		sol = &solution{stopped: ctx.Err() != nil, counts: counts}
	}
	if sol.final.best == nil && known != nil {
		// Out of time: the plan that missed by least on the way, as it stands.
		p := &pass{purpose: "latency alone", layouts: layouts, value: func(*stagegraph.Layout) coefficients { return r.goal.latency() }}
		sol.pass, sol.stopped, sol.num, sol.den = p, true, num, den
		sol.final = outcome{best: r.better(p, known), bound: math.Inf(-1)}
		slack = r.violation(known)
	}
	if !least { // optimal under this slack, but a smaller one was not refuted
		sol.final.proved, sol.final.bound, sol.stopped = false, math.Inf(-1), true
	}
	sol.passes = append(passes, sol.passes...)
	sol.slack = slack
	sol.wide = r.explorer.wide
	sol.balance = fmt.Sprintf("floor %d/%d of the slowest stage", num, den)
	if relaxed {
		sol.relaxedTo(num)
	}
	if sol.final.best != nil {
		base, spare := &pass{layouts: layouts, num: num, den: den}, 0.0
		if !stated {
			// A default balance would give way to what is asked, where whole ticks let it.
			base.num, spare = 0, roundedOff[len(roundedOff)-1]
		}
		sol.nearest, err = r.nearest(ctx, sol, base, spare)
	}
	return sol, err
}

// roundedOff are shares by which whole ticks may round a plan off the edge of a
// requirement: a few of a million ticks a stage, more of a bound on both phases, whose
// weights are whole numbers up to ten thousand.
var roundedOff = []float64{2e-6, 2e-5, 1e-4, 3e-4}

// exactly looks for a plan that meets every requirement though in whole ticks none does,
// where the least slack is so small: nil where the best of those that ticks then admit
// misses one. What is the best of more plans than meet the requirements is the best of
// those that do.
func (r *run) exactly(ctx context.Context, counts levels, least float64, num, den int64) (*solution, error) {
	most := roundedOff[len(roundedOff)-1]
	for _, slack := range roundedOff {
		if least > most || ctx.Err() != nil {
			break
		}
		sol, err := r.throughLevels(ctx, counts, slack, num, den)
		if err != nil {
			return nil, err
		}
		if sol == nil || sol.final.best == nil || !sol.final.proved {
			continue
		}
		sol.wide = r.explorer.wide
		p, err := r.phasePlan(sol, 0)
		if err != nil {
			return nil, err
		}
		if len(unmet(p.Requirements)) == 0 {
			sol.slack, sol.edge = 0, true
			sol.balance = fmt.Sprintf("floor %d/%d of the slowest stage", num, den)
			sol.reasons = append(sol.reasons, fmt.Sprintf("warning: requirements: met with nothing to spare; the plan is the best of those that miss them by at most %.2g %%, and misses none", 100*slack))
			return sol, nil
		}
	}
	return nil, nil
}

// mostSteps is by how many steps of slack a plan may be rounded off.
const mostSteps = 64

// leastSlack is the smallest share by which all requirements must give way for a
// plan to exist, to a hundredth of a percent, with the plan that missed by least on
// the way and the passes that prove it.
func (r *run) leastSlack(ctx context.Context, base *pass) (float64, *found, []results.CertificatePass, error) {
	var known *found
	var passes []results.CertificatePass
	low, high := 0.0, math.Inf(1)
	guide := *base // the search for a feasible plan follows the hardest requirement
	guide.purpose, guide.anyPlan = "any plan", true
	for _, q := range r.goal.c.Goal.Requirements {
		p, limit, ok := r.alone(q, base)
		if !ok {
			continue
		}
		p.slack = enough
		out, err := r.run(ctx, p)
		if err != nil {
			return 0, nil, nil, err
		}
		passes = append(passes, out.report)
		if out.best == nil {
			continue
		}
		if v := out.bound/limit - 1; v > low {
			low = v
			guide = *p
			guide.tolerance = 0
		}
		if v := r.violation(out.best); v < high || known == nil {
			high, known = v, out.best
		}
	}
	guide.layouts = base.layouts
	guide.first = true
	// Invariant: no plan exists at lo (or at less than low), one exists at hi.
	lo, hi := int64(math.Floor(low*slackParts)), int64(math.Ceil(min(high, enough)*slackParts))
	for step := int64(1); hi-lo > 1 && ctx.Err() == nil; {
		// Often the hardest requirement alone decides, so the first tries are close to it.
		mid := min(lo+step, (lo+hi)/2)
		try := guide
		try.slack = float64(mid) / slackParts
		out, err := r.run(ctx, &try)
		switch {
		case err != nil:
			return 0, nil, nil, err
		case out.best != nil:
			hi, known = mid, out.best
		case ctx.Err() == nil:
			lo, step = mid, 4*step
		}
	}
	return float64(hi) / slackParts, known, passes, nil
}

// alone is the pass that finds the best a requirement can have, others aside, and
// the bound that it asks for.
func (r *run) alone(q inputs.Requirement, base *pass) (*pass, float64, bool) {
	value, limit, ok := r.goal.measure(q)
	if !ok {
		return nil, 0, false
	}
	p := *base
	p.purpose = fmt.Sprintf("the best %s alone", q.Kind)
	p.value = value
	p.tolerance = 1.0 / slackParts
	if len(p.layouts) > r.most() && value(p.layouts[0]) == value(p.layouts[len(p.layouts)-1]) {
		p.layouts = r.goal.freeLayouts(p.layouts)
	}
	return &p, limit, true
}

// violation is the largest share by which a plan misses a requirement.
func (r *run) violation(f *found) float64 {
	worst := 0.0
	for _, q := range r.goal.c.Goal.Requirements {
		worst = max(worst, r.ratio(q, f)-1)
	}
	return worst
}

// ratio is the metric that a requirement bounds over its bound: above 1 where a plan
// misses it. +Inf for what no path decides.
func (r *run) ratio(q inputs.Requirement, f *found) float64 {
	value, limit, ok := r.goal.measure(q)
	if !ok {
		return math.Inf(1)
	}
	ttft, round := r.goal.metrics(f.choice, r.secondsOf(f))
	used := &stagegraph.Layout{Replicas: f.choice.Layout.Replicas, Total: total(f.used(r.space.Pools())) / f.choice.Layout.Replicas}
	return value(used).of(ttft, round) / limit
}

// nearest finds, for each requirement that the closest plan misses, the value it
// could ask for with the others as they are; where those clash among themselves,
// with the other missed ones left out. spare is a share by which less may be asked.
func (r *run) nearest(ctx context.Context, sol *solution, base *pass, spare float64) (map[inputs.RequirementKind]float64, error) {
	out := map[inputs.RequirementKind]float64{}
	var missed []inputs.RequirementKind
	for _, q := range r.goal.c.Goal.Requirements {
		if ratio := r.ratio(q, sol.final.best); ratio > 1 && !math.IsInf(ratio, 1) {
			missed = append(missed, q.Kind)
		}
	}
	for _, q := range r.goal.c.Goal.Requirements {
		p, limit, ok := r.alone(q, base)
		if !ok || ctx.Err() != nil {
			continue
		}
		for _, without := range [][]inputs.RequirementKind{{q.Kind}, missed} {
			p.without = without
			if len(missed) > 0 && !contains(missed, q.Kind) {
				break
			}
			res, err := r.run(ctx, p)
			if err != nil {
				return nil, err
			}
			if res.best == nil {
				continue
			}
			// measure/limit is the ratio by which the value must give way.
			ratio := res.best.value / limit * (1 + spare)
			if q.Kind.Upper() {
				out[q.Kind] = q.Value * ratio
			} else {
				out[q.Kind] = q.Value / ratio
			}
			break
		}
	}
	return out, nil
}

func contains(list []inputs.RequirementKind, k inputs.RequirementKind) bool {
	for _, x := range list {
		if x == k {
			return true
		}
	}
	return false
}
