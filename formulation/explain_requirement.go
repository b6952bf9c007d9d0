package formulation

import (
	"context"
	"math"
	"slices"

	"partita/inputs"
	"partita/results"
)

// nearestRequirement is the best value that a requirement's metric can have beside the
// rest, margin included. x is a plan that meets the rest.
func (e *explainer) nearestRequirement(ctx context.Context, rest asks, i int, x answer) ([]results.Nearest, error) {
	d := &e.demands[i]
	q := e.base.Goal.Requirements[d.index]
	var best float64
	var err error
	if q.Kind == inputs.CostUSDPerHour {
		best, err = e.cheapest(ctx, rest, i, x)
	} else {
		best, err = e.bestValue(ctx, rest, i, x)
	}
	if err != nil || !(best > 0) {
		return nil, err
	}
	// Values are whole numbers of steps, counted so that larger ones ask for less.
	s, sign := step(best), 1.0
	if !q.Kind.Upper() {
		sign = -1
	}
	value := func(n int) float64 { return tidy(sign * float64(n) * s) }
	guess := int(math.Round(sign * outward(best, q.Kind.Upper()) / s))
	const around = 100_000 // steps: ten times the value
	n, found, proved, err := edge(guess, guess-around, guess+around, e.asking(ctx, rest, i, value))
	if err != nil {
		return nil, err
	}
	if !found { // out of time before the rounded value was asked for: a plan has it all the same
		n, proved = guess, false
	}
	for {
		w, held, err := e.way(ctx, rest.with(i, value(n)), i, value(n), proved, x)
		if err != nil || held || n > guess+mostSteps {
			return []results.Nearest{w}, err
		}
		n++
	}
}

// bestValue is the best value of a requirement's metric beside the rest, as far as ticks
// tell: the optimum of a pass, or where that takes too long, by halving what lies between
// its bound and the best plan known.
func (e *explainer) bestValue(ctx context.Context, rest asks, i int, x answer) (float64, error) {
	q := e.base.Goal.Requirements[e.demands[i].index]
	r, err := e.runOn(rest.without(i), at(x.batch, x.input), x.variant)
	if err != nil {
		return 0, err
	}
	num, den, stated := r.balanceFloor()
	if !stated {
		num, den = 0, 1 // the default gives way
	}
	p, limit, ok := r.alone(q, &pass{layouts: x.counts.all(), num: num, den: den})
	if !ok {
		return 0, nil
	}
	p.tolerance = 0
	p.layouts = x.counts.all() // also where they are many: no plan may use more GPUs than are searched
	r.explorer.wide = stated
	share, cancel := part(ctx, questionShare)
	out, err := r.run(share, p)
	cancel()
	if err != nil {
		return 0, err
	}
	// Ratios of metric and limit: larger ones ask for less, whatever the metric.
	high := x.run.ratio(q, x.plan)
	if out.best != nil {
		high = min(high, out.best.value/limit)
	}
	asked := func(ratio float64) float64 {
		if q.Kind.Upper() {
			return q.Value * ratio
		}
		return q.Value / ratio
	}
	const close = 1 + 1e-5
	for low := max(out.bound/limit, high/1e6); !out.proved && high > low*close && ctx.Err() == nil; {
		mid := math.Sqrt(low * high)
		y, err := e.meets(ctx, rest.with(i, tidy(asked(mid))))
		switch {
		case err != nil:
			return 0, err
		case y.yes:
			high = min(mid, y.run.ratio(q, y.plan))
		default:
			low = mid
		}
	}
	return asked(high), nil
}

// cheapest is the least price of a plan that meets the rest, US dollars an hour.
func (e *explainer) cheapest(ctx context.Context, rest asks, i int, x answer) (float64, error) {
	var prices []float64
	for _, l := range x.counts.all() {
		prices = append(prices, x.run.goal.hourly(l))
	}
	slices.Sort(prices)
	prices = slices.Compact(prices)
	value := func(n int) float64 { return outward(prices[n], true) }
	n, found, _, err := edge(0, 0, len(prices)-1, e.asking(ctx, rest, i, value))
	if err != nil || !found {
		return 0, err
	}
	return prices[n], nil
}
