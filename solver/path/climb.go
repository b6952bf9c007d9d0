package path

import (
	"math"

	"partita/solver/dual"
)

// mostPrice keeps Σ λ·units far from overflow.
const mostPrice = infinite >> 22

// climber is a price search for one form in one box.
type climber struct {
	c      *compiled
	s      *shortest
	form   costForm
	cutoff int64
	steps  int // paths that may still be priced
	lambda []int64
	best   *priced // nil: none is priced yet, or there is no path
}

// climb looks for prices that raise the bound of the form to the cutoff, from start on.
// It returns nil where there is no path over the legs.
func (c *compiled) climb(s *shortest, form costForm, start []int64, cutoff int64, steps int) *priced {
	n := len(c.p.Resources)
	x, scale := make([]float64, n), make([]float64, n)
	for r := range scale {
		scale[r] = 1
	}
	for r := range start {
		x[r] = float64(start[r])
	}
	const resolution = 0.5 // prices are integers
	k := &climber{c: c, s: s, form: form, cutoff: cutoff, steps: steps, lambda: make([]int64, n)}
	dual.Ascend(x, scale, resolution, k.price)
	return k.best
}

// price takes the cheapest path under the prices x; the subgradient is by how much it
// breaks the counts.
func (k *climber) price(x, gradient []float64) (hope float64) {
	resources := k.c.p.Resources
	for r := range x {
		if !resources[r].Exact {
			x[r] = max(0, x[r])
		}
		x[r] = min(max(x[r], -mostPrice), mostPrice)
		k.lambda[r] = int64(math.Round(x[r]))
		gradient[r] = -float64(resources[r].Capacity)
	}
	value, source := k.s.run(&k.form, k.lambda)
	if value >= infinite {
		return 0 // whatever the prices
	}
	chain := k.s.walk(source)
	for _, y := range chain {
		gradient[y.resource] += float64(y.units)
	}
	flat := true // no price would raise the bound
	for r := range gradient {
		value -= k.lambda[r] * int64(resources[r].Capacity)
		if gradient[r] < 0 && k.lambda[r] == 0 && !resources[r].Exact {
			gradient[r] = 0
		}
		flat = flat && gradient[r] == 0
	}
	k.keep(ceilDiv(value, priceScale)+k.form.constant, chain)
	k.steps--
	if flat || k.steps <= 0 || k.c.stop != nil && k.c.stop() {
		return 0
	}
	return float64(min(k.cutoff-k.best.bound, max(k.best.bound/nearPart, 1))) * priceScale
}

// keep notes what the prices prove, if it is the most so far.
func (k *climber) keep(bound int64, chain []arc) {
	if k.best == nil {
		k.best = &priced{form: k.form, lambda: make([]int64, len(k.lambda)), toSink: make([]int64, len(k.s.toSink)), bound: bound - 1}
	}
	if bound <= k.best.bound {
		return
	}
	k.best.bound = bound
	copy(k.best.lambda, k.lambda)
	copy(k.best.toSink, k.s.toSink)
	k.best.chain = append(k.best.chain[:0], chain...)
}
