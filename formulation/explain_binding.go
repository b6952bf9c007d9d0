package formulation

import (
	"context"
	"fmt"
	"slices"

	"partita/inputs"
	"partita/results"
)

// feasible says of a condition that has a plan what binds it, and how far each of its
// demands could be tightened before no plan exists. x is a plan of it.
func (e *explainer) feasible(ctx context.Context, x answer) (*results.Explanation, error) {
	e.settling = e.usable > 0
	all := asStated(e.demands)
	out := &results.Explanation{Feasible: true, Minimal: true, Conflict: []results.Clash{}, Nearest: []results.Nearest{}}
	sol := &solution{final: outcome{best: x.plan}, pass: &pass{purpose: "any plan"}, counts: x.counts}
	share, cancel := part(ctx, 2)
	best, err := x.run.search(share, x.counts, 0)
	cancel()
	if err != nil {
		return nil, err
	}
	if best != nil && best.final.best != nil {
		sol = best
	}
	p, err := x.run.phasePlan(sol, 0)
	if err != nil {
		return nil, err
	}
	out.Binding = x.run.binding(p, sol)
	for i := range e.demands {
		d := &e.demands[i]
		w, ok, err := e.tightest(ctx, all, i, x)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		w.Sentence = e.tightened(d, &w)
		out.Nearest = append(out.Nearest, w)
	}
	return out, nil
}

// tightest is how far a demand can be tightened beside the rest: requirements, a stated
// balance and the number of GPUs.
func (e *explainer) tightest(ctx context.Context, all asks, i int, x answer) (results.Nearest, bool, error) {
	var ways []results.Nearest
	var err error
	switch d := &e.demands[i]; d.kind {
	case asksRequirement:
		e.opts.log("how far " + d.name + " can be tightened")
		ways, err = e.nearestRequirement(ctx, all, i, x)
	case asksBalance:
		e.opts.log("how far " + d.name + " can be tightened")
		ways, err = e.nearestBalance(ctx, all, i, x)
	case asksAllUsed:
		e.opts.log("the fewest GPUs")
		ways, err = e.fewest(ctx, all.without(i), i, x)
	}
	if err != nil || len(ways) == 0 {
		return results.Nearest{}, false, err
	}
	return ways[0], true, nil
}

// fewest is the smallest number of GPUs on which a plan meets the rest, the others idle.
func (e *explainer) fewest(ctx context.Context, free asks, i int, x answer) ([]results.Nearest, error) {
	r, err := e.runOn(free, at(x.batch, x.input), x.variant)
	if err != nil {
		return nil, err
	}
	list := slices.Clone(r.goal.idle().list)
	slices.Reverse(list) // fewest first
	plan, proved, err := r.firstOf(ctx, list)
	if err != nil || plan == nil {
		return nil, err
	}
	return e.using(i, answer{run: r, admission: admission{plan: plan}}, proved), nil
}

// tightened says how far a demand can be tightened, in a sentence with its place.
func (e *explainer) tightened(d *demand, w *results.Nearest) string {
	s := d.asked(e.base)
	if p := d.place.String(); p != "" {
		s += " (" + p + ")"
	}
	v := *w.Nearest
	switch d.kind {
	case asksRequirement:
		s += ": could be tightened to " + exactly(v, d.unit)
		if m := Margin(e.base); m > 0 && e.base.Goal.Requirements[d.index].Kind != inputs.CostUSDPerHour {
			s += fmt.Sprintf(", the margin of %s included", share(m))
		}
	case asksBalance:
		s += ": could be tightened to " + share(v)
	default:
		s += fmt.Sprintf(": %d would be enough, the others idle", int(v))
	}
	if !w.Proved {
		s += " (found, not proved to be the end)"
	}
	return s
}
