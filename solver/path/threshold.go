package path

import "context"

// Where the objective is the bottleneck of one phase alone, a box asks whether any path
// keeps below its high end. Prices answer no where even the cheapest path costs more
// than all resources together; the direction of the prices is then all that counts (a
// ray), and that of the last refuted threshold is a good one for those above it.

// onlyPeak is the phase whose bottleneck alone is the objective, -1 where none is.
func (c *compiled) onlyPeak() int {
	ph := -1
	for q, w := range c.p.Weight {
		switch {
		case w == 0:
		case c.p.Phases[q].Sum > 0 || ph >= 0:
			return -1
		default:
			ph = q
		}
	}
	if ph < 0 || !c.bottleneck[ph] {
		return -1
	}
	for _, legs := range c.kinds {
		for i := range legs {
			if legs[i].fee != 0 {
				return -1
			}
		}
	}
	return ph
}

const (
	// rayLength is Σ |λ|·capacity of a ray, in units of 1/priceScale.
	rayLength = 1 << 30
	// rayTarget is the excess that the steps aim at, as 1/n of the length.
	rayTarget = 256
	raySteps  = 48
)

// refute looks for a ray that proves that no path over the legs has admissible counts,
// from the given one on. It returns the ray, nil where it found none.
func (c *compiled) refute(s *shortest, start []int64) []int64 {
	lambda := append([]int64(nil), start...)
	c.stretch(lambda)
	grad := make([]int64, len(lambda))
	factor, stale, most := 1.0, 0, int64(-infinite)
	for range raySteps {
		excess, source := s.run(&costForm{free: true}, lambda)
		if excess >= infinite {
			return lambda
		}
		for r := range lambda {
			excess -= lambda[r] * int64(c.p.Resources[r].Capacity)
			grad[r] = -int64(c.p.Resources[r].Capacity)
		}
		if excess > 0 {
			return lambda
		}
		if excess > most {
			most, stale = excess, 0
		} else if stale++; stale >= 3 {
			factor, stale = factor/2, 0
		}
		for _, x := range s.walk(source) {
			grad[x.resource] += int64(x.units)
		}
		if !c.step(lambda, grad, factor*float64(rayLength/rayTarget-excess)) {
			return nil
		}
		c.stretch(lambda)
	}
	return nil
}

// stretch gives prices the length of a ray; where all are 0 each resource has the same
// share.
func (c *compiled) stretch(lambda []int64) {
	var length float64
	for r, x := range lambda {
		length += float64(max(x, -x)) * float64(c.p.Resources[r].Capacity)
	}
	for r, k := range c.p.Resources {
		switch {
		case length > 0:
			lambda[r] = int64(float64(lambda[r]) * rayLength / length)
		case !c.slack[r]:
			lambda[r] = rayLength / int64(max(1, k.Capacity*len(lambda)))
		}
	}
}

// alongRay prices the legs by the ray; nil where that refutes all paths.
func (s *search) alongRay(kinds [][]leg, pr *priced) *priced {
	x := s.c.newShortest(kinds)
	excess, source := x.run(&pr.form, s.ray)
	if excess >= infinite {
		return nil
	}
	for r := range s.ray {
		excess -= s.ray[r] * int64(s.c.p.Resources[r].Capacity)
	}
	if excess > 0 {
		return nil
	}
	return &priced{form: pr.form, lambda: s.ray, bound: pr.bound, toSink: x.toSink, chain: x.walk(source)}
}

// threshold raises the low end of the box of all paths to the least one that prices do
// not refute, and keeps the ray that refutes those below.
func (s *search) threshold(ctx context.Context, b *box, ph int) {
	c := s.c
	s.ray = make([]int64, len(c.p.Resources))
	c.stretch(s.ray)
	low := b.lo[ph]
	for low < b.hi[ph] && !s.ended(ctx) {
		part := *b
		part.hi[ph] = (low + b.hi[ph]) / 2
		s.work += boxWork
		if ray := c.refute(c.newShortest(c.filter(&part)), s.ray); ray != nil {
			s.ray, low = ray, part.hi[ph]+1
		} else {
			b.hi[ph] = part.hi[ph]
		}
	}
	b.lo[ph], b.hi[ph] = low, len(c.values[ph])-1
	c.cut(b, s.cutoff())
	b.bound = max(b.bound, c.p.Weight[ph]*c.p.Phases[ph].Metric(0, c.low(b, ph)))
}
