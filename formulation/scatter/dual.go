package scatter

import (
	"context"
	"math"
	"slices"
)

// dual raises the bound by moving the prices: clusters that the dearest sets fight for
// get dearer, the others cheaper. What an accelerator can hold is found exactly,
// communication included, by a splitter; where to move is the choice of a bundle. In the
// limit the bound is that of covering every cluster, fractions allowed, by k sets that
// one accelerator can hold (the configuration LP), which is far above work and memory
// alone and often the optimum itself.
type dual struct {
	p      *problem
	split  *splitter
	order  []int
	bundle *bundle

	prices []float64
	whole  []int64 // prices of the run, rounded
	side   []uint8
	share  []float64
	slope  []float64

	best    int64 // the bound in ticks: no assignment has a smaller largest load
	target  int64 // the load at which the prices are to show that there is none
	ceiling int64 // the load from which on prices are not expected to show anything
	runs    int64
	useless bool // the graph is too wide for the splitter, or nothing is left to gain
}

const (
	priceBits     = 54      // sums of prices, times the accelerators, in bits
	dualLabels    = 4000    // kept for a state of the splitter at first
	fewDualLabels = 60      // the fewest that are of use
	runLabels     = 1 << 25 // of one run: each takes 4 bytes until its end
)

func newDual(p *problem, order []int, best int64) *dual {
	n := len(p.clusters)
	d := &dual{
		p: p, order: order, best: best, ceiling: math.MaxInt64, prices: make([]float64, n),
		whole: make([]int64, n), side: make([]uint8, n), share: make([]float64, n), slope: make([]float64, n),
	}
	for c := range d.prices {
		d.prices[c] = float64(p.clusters[c].work)
		if !p.clusters[c].onAccel {
			d.prices[c] = float64(p.clusters[c].cpu)
		}
	}
	d.split, _ = pricing(p, order, dualLabels)
	d.bundle = newBundle(d.prices)
	d.useless = p.boundAccelerators == 0 || d.bundle.scale == 0
	return d
}

// round takes the prices into whole numbers small enough for any sum of them, which
// changes no bound, and returns the unit that they are in; false: they are of no use.
func (d *dual) round() (unit float64, ok bool) {
	worth := 0.0
	for _, w := range d.prices {
		worth += math.Abs(w)
	}
	if unit = worth * float64(d.p.boundAccelerators+2) / math.Ldexp(1, priceBits); !(unit > 0) || math.IsInf(unit, 0) {
		return 0, false
	}
	for c, w := range d.prices {
		d.whole[c] = int64(math.Round(w / unit))
	}
	return unit, true
}

// improve makes one run and moves the prices; upper is a load that is known to be
// reachable. It returns the labels made; effort bounds them.
func (d *dual) improve(ctx context.Context, upper, effort int64) int64 {
	p, s := d.p, d.split
	before := s.labels
	unit, ok := d.round()
	if !ok {
		d.useless = true
		return 0
	}
	sum := int64(0)
	for i, c := range d.order {
		s.vertices[i].out[1] = -d.whole[c]
		sum += d.whole[c]
	}
	s.capIn, s.capOut = upper, math.MaxInt64
	front, done := s.run(ctx, min(effort, runLabels))
	if !done {
		if s.limit /= 4; ctx.Err() == nil && s.limit < fewDualLabels {
			d.useless = true
		}
		return s.labels - before
	}
	d.runs++
	byWorth := p.byWorth(d.whole)
	// held is the last label of the front within a load.
	held := func(u int64) int {
		i, _ := slices.BinarySearchFunc(front, u+1, func(l splitLabel, u int64) int {
			if l.in < u {
				return -1
			}
			return 1
		})
		return i - 1
	}
	worth := func(u int64) int64 {
		w := p.coresWorth(d.whole, byWorth, u, nil)
		if i := held(u); i >= 0 && front[i].out < 0 {
			w -= int64(p.boundAccelerators) * front[i].out
		}
		return w
	}
	d.best = max(d.best, smallest(d.best, upper, func(u int64) bool { return worth(u) >= sum }))
	if d.best >= upper {
		return s.labels - before
	}
	d.aim(upper)
	clear(d.side)
	if i := held(d.target); i >= 0 && front[i].out < 0 {
		s.trace(front[i], d.side)
	}
	p.coresWorth(d.whole, byWorth, d.target, d.share)
	for i, c := range d.order {
		d.slope[c] = float64(p.boundAccelerators)*float64(d.side[i]) + d.share[c] - 1
	}
	if !d.bundle.step(d.prices, d.slope, float64(worth(d.target)-sum)*unit) {
		d.ceiling = d.target // prices show nothing at this load; aim lower
	}
	return s.labels - before
}

// aim sets the load that the next prices are for: half way between the bound and where
// prices were seen to fail. The work on one load serves the next, for a set that fits a
// load fits a larger one.
func (d *dual) aim(upper int64) {
	d.ceiling = min(d.ceiling, upper)
	if d.target <= d.best || d.target >= d.ceiling {
		target := d.best + (d.ceiling-d.best)/2
		if target < d.target {
			d.bundle.forget()
		}
		d.target = target
	}
	if float64(d.ceiling-d.best) < 1e-5*float64(upper) {
		d.useless = true
	}
}
