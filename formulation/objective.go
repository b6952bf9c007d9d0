package formulation

import (
	"context"

	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/results"
)

// solveLevel finds the best plan of a level: the best latency and the best
// throughput alone give the scale of the objective, then the objective itself.
func (r *run) solveLevel(ctx context.Context, lv level, slack float64, num, den int64) (*solution, error) {
	latency, throughput := r.normPasses(lv, pass{layouts: lv.layouts, slack: slack, num: num, den: den})
	kind := r.goal.c.Goal.Objective
	switch kind {
	case inputs.Latency:
		return r.lexicographic(ctx, &latency)
	case inputs.Throughput:
		throughput.tolerance = 0
		return r.lexicographic(ctx, &throughput)
	}
	return r.combined(ctx, &latency, &throughput)
}

// normPasses are the passes for the best latency and the best throughput of a level.
func (r *run) normPasses(lv level, base pass) (latency, throughput pass) {
	latency, throughput = base, base
	latency.purpose, latency.value = forLatency, r.goal.valueOf(forLatency, [2]float64{})
	throughput.purpose, throughput.value = forThroughput, r.goal.valueOf(forThroughput, [2]float64{})
	if len(lv.layouts) > r.most() {
		// Latency does not count GPUs: every replica takes as many as it likes.
		latency.layouts = r.goal.freeLayouts(lv.layouts)
		throughput.tolerance = normTolerance
	}
	return latency, throughput
}

// normTolerance is how well c* is proved where tens of thousands of layouts are
// nearly as good as the best: it only scales the objective, and the value used is in
// the certificate.
const normTolerance = 0.005

// lexicographic minimises one value and breaks ties by the other phase.
func (r *run) lexicographic(ctx context.Context, first *pass) (*solution, error) {
	r.opts.log(first.purpose)
	a, err := r.run(ctx, first)
	if err != nil {
		return nil, err
	}
	sol := &solution{final: a, pass: first, passes: []results.CertificatePass{a.report}, stopped: ctx.Err() != nil}
	k := first.value(first.anyLayout())
	if a.best == nil || !a.proved || k.ttft > 0 && k.round > 0 && !r.space.Decodes() || !r.space.Prefills() {
		return sol, nil
	}
	second := *first
	second.purpose = first.purpose + ", ties broken by the other metric"
	second.tie = &tie{pass: first, unit: a.unit, max: a.best.ticks}
	second.known = []*found{a.best}
	second.value = func(*stagegraph.Layout) coefficients {
		if k.ttft > 0 {
			return coefficients{0, 1}
		}
		return coefficients{1, 0}
	}
	b, err := r.run(ctx, &second)
	if err != nil {
		return nil, err
	}
	sol.passes = append(sol.passes, b.report)
	if b.best != nil && b.proved {
		sol.final.best = b.best
		sol.final.best.value = a.best.value
	}
	return sol, nil
}

// anyLayout is a layout to ask for the form of the value: all have the same.
func (p *pass) anyLayout() *stagegraph.Layout {
	if len(p.layouts) == 0 {
		return &stagegraph.Layout{Replicas: 1, Total: -1}
	}
	return p.layouts[0]
}

// combined minimises w_ℓ·ℓ/ℓ* + w_c·c/c*. Where ℓ* and c* are not proved within their
// shares of the time, but the rest is, what is left of it goes to all three.
func (r *run) combined(ctx context.Context, latency, throughput *pass) (*solution, error) {
	sol, normed, err := r.weighed(ctx, latency, throughput, [2]int{4, 3})
	if err != nil || normed || ctx.Err() != nil {
		return sol, err
	}
	again, _, err := r.weighed(ctx, latency, throughput, [2]int{1, 1})
	if err != nil || again.final.proved {
		return again, err
	}
	sol.stopped = true
	return sol, nil
}

// weighed searches for ℓ* and for c* in a part of the time each, then for the best
// weighted sum; normed reports that both are proved.
func (r *run) weighed(ctx context.Context, latency, throughput *pass, parts [2]int) (sol *solution, normed bool, err error) {
	r.opts.log(latency.purpose)
	share, cancel := part(ctx, parts[0])
	a, err := r.run(share, latency)
	cancel()
	if err == nil && a.best == nil && !a.proved && ctx.Err() == nil {
		a, err = r.run(ctx, latency) // without a first plan there is nothing to share time for
	}
	if err != nil {
		return nil, false, err
	}
	sol = &solution{final: a, pass: latency, passes: []results.CertificatePass{a.report}}
	if a.best == nil {
		sol.stopped = ctx.Err() != nil
		return sol, a.proved, nil
	}
	r.opts.log(throughput.purpose)
	throughput.known = []*found{a.best}
	share, cancel = part(ctx, parts[1])
	b, err := r.run(share, throughput)
	cancel()
	if err != nil {
		return nil, false, err
	}
	normed = a.proved && b.proved
	sol.passes = append(sol.passes, b.report)
	if b.best == nil { // out of time: what the latency plan reaches is the yardstick
		own := *a.best
		ttft, round := r.goal.metrics(own.choice, r.secondsOf(&own))
		own.value = throughput.value(own.choice.Layout).of(ttft, round)
		b.best = &own
	}
	final := *throughput
	final.tolerance = 0
	final.known = []*found{a.best, b.best}
	sol.norms = [2]float64{a.best.value, b.best.value}
	final.purpose, final.value = forBoth, r.goal.valueOf(forBoth, sol.norms)
	r.opts.log(final.purpose)
	c, err := r.run(ctx, &final)
	if err != nil {
		return nil, false, err
	}
	if c.best == nil || !c.proved {
		// Time ran out: the best of the plans at hand, with the bound that is known.
		c.best = r.better(&final, c.best, a.best, b.best)
		c.bound = min(c.bound, c.best.value)
		c.proved = false
	}
	if !normed {
		c.proved = false
		sol.reasons = append(sol.reasons, "warning: objective: time ran out before the best latency and throughput alone were proved, so their weights are not exactly as asked")
	}
	sol.final, sol.pass = c, &final
	sol.passes = append(sol.passes, c.report)
	sol.stopped = ctx.Err() != nil
	return sol, normed, nil
}

func (r *run) secondsOf(f *found) [][2]float64 {
	return r.space.Seconds(f.choice, f.graph.Parts(f.stages))
}

// better values two plans of other passes in a pass and returns the better.
func (r *run) better(p *pass, plans ...*found) *found {
	var best *found
	for _, f := range plans {
		if f == nil {
			continue
		}
		x := *f
		ttft, round := r.goal.metrics(f.choice, r.secondsOf(f))
		x.value = p.worth(f.choice.Layout, ttft, round)
		if best == nil || x.value < best.value {
			best = &x
		}
	}
	return best
}
