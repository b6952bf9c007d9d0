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
	split  *splitter // keeps its front a bound
	quick  *splitter // keeps a few labels that are what they say
	order  []int
	bundle *bundle

	prices  []float64
	whole   []int64 // prices of the run, rounded
	sum     int64   // of these
	byWorth []int
	side    []uint8
	share   []float64
	slope   []float64

	best    int64 // the bound in ticks: no assignment has a smaller largest load
	target  int64 // the load at which the prices are to show that there is none
	ceiling int64 // the load from which on prices are not expected to show anything
	runs    int64
	few     int  // labels a state where any good set will do
	most    int  // labels a state that the splitter may keep
	wait    int  // runs before the bound is refined again
	failed  int  // refinements one after the other
	useless bool // the graph is too wide for the splitter, or nothing is left to gain
}

const (
	priceBits   = 54      // sums of prices, times the accelerators, in bits
	dualLabels  = 4000    // kept for a state of the splitter at most
	frontLabels = 1 << 18 // of all states together
	quickLabels = 80      // and where any good set will do
	runLabels   = 1 << 24 // of one run: each takes 4 bytes until its end
)

func newDual(p *problem, order []int, best int64) *dual {
	n := len(p.clusters)
	d := &dual{
		p: p, order: order, best: best, ceiling: math.MaxInt64, few: quickLabels, most: dualLabels, prices: make([]float64, n),
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
	if d.split != nil {
		states := 1
		for v := range d.split.layers {
			states = max(states, len(d.split.layers[v].steps))
		}
		d.most = min(dualLabels, max(quickLabels, frontLabels/states))
		quick := *d.split // with the vertices and states of the other
		quick.limit, quick.loose = quickLabels, false
		d.quick = &quick
	}
	d.useless = p.boundAccelerators == 0 || d.bundle.scale == 0 || d.split == nil
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
	d.sum = 0
	for i, c := range d.order {
		d.whole[c] = int64(math.Round(d.prices[c] / unit))
		d.sum += d.whole[c]
		d.split.vertices[i].out[1] = -d.whole[c]
	}
	d.byWorth = d.p.byWorth(d.whole)
	return unit, true
}

// improve looks at the prices once and moves them; upper is a load that is known to be
// reachable. It returns the labels made; effort bounds them.
func (d *dual) improve(ctx context.Context, upper, effort int64) int64 {
	before := d.split.labels + d.quick.labels
	unit, ok := d.round()
	if !ok {
		d.useless = true
		return 0
	}
	d.runs++
	effort = min(effort, runLabels)
	for d.aim(upper); !d.useless; d.aim(upper) {
		s, front, done := d.decide(ctx, d.target, effort)
		if !done {
			break
		}
		if at := d.enough(front, d.target); at >= 0 {
			d.take(s, front, at)
			value := float64(d.worth(front, d.target)-d.sum) * unit
			d.refine(ctx, front, effort)
			if !d.bundle.step(d.prices, d.slope, value) {
				d.ceiling = d.target // prices show nothing at this load; aim lower
			}
			// Sets that are not the dearest mislead the more, the closer the end.
			if d.bundle.stuck > 0 && d.bundle.stuck%20 == 0 {
				d.few = min(2*d.few, dualLabels/4)
			}
			break
		}
		if d.best < d.ceiling { // perhaps the same prices show all that is hoped for
			d.decide(ctx, d.ceiling-1, effort)
		}
	}
	return d.split.labels + d.quick.labels - before
}

// decide finds whether an accelerator can hold enough at a load. Most prices show
// nothing: a set worth enough is there, and a few labels a state find it. Where prices
// do show something, a bound by few labels may do. Only what lies between takes many. It
// returns the splitter that knew, and its front.
func (d *dual) decide(ctx context.Context, load, effort int64) (*splitter, []splitLabel, bool) {
	for _, labels := range []int{d.few, 8 * d.few} {
		d.quick.limit = labels
		if front, done := d.fill(ctx, d.quick, load, effort); !done || d.enough(front, load) >= 0 {
			return d.quick, front, done
		}
		if d.split.limit = 4 * labels; d.split.limit >= d.most {
			break
		}
		if front, done := d.bound(ctx, load, effort); !done || d.enough(front, load) < 0 {
			return d.split, front, done
		}
	}
	d.split.limit = d.most
	front, done := d.bound(ctx, load, effort)
	if !done && ctx.Err() == nil { // too many labels: keep fewer from now on
		if d.most /= 4; d.most < quickLabels {
			d.useless = true
		}
	}
	return d.split, front, done
}

// bound asks the splitter whose front is a bound: wherever it has no set worth enough, at
// the load or below, the bound rises.
func (d *dual) bound(ctx context.Context, load, effort int64) ([]splitLabel, bool) {
	front, done := d.fill(ctx, d.split, load, effort)
	if done {
		d.best = smallest(d.best, max(d.best, load+1), func(u int64) bool { return d.worth(front, u) >= d.sum })
	}
	return front, done
}

// fill finds what an accelerator can hold at loads up to a limit, as far as it is worth
// a share of what the cores leave.
func (d *dual) fill(ctx context.Context, s *splitter, limit, effort int64) ([]splitLabel, bool) {
	s.capIn, s.capOut = limit+1, math.MaxInt64
	d.cut(s, limit, d.sum-d.p.coresWorth(d.whole, d.byWorth, limit, nil))
	return s.run(ctx, effort)
}

// refine proves the load below which a front of a few labels shows no set worth enough,
// where that is a good part of the way to the target. It waits the longer the more often
// that failed.
func (d *dual) refine(ctx context.Context, front []splitLabel, effort int64) {
	least := smallest(d.best, d.target, func(u int64) bool { return d.worth(front, u) >= d.sum })
	if d.wait--; d.wait >= 0 || least-d.best <= (d.target-d.best)/8 {
		return
	}
	if d.decide(ctx, least-1, effort); d.best >= least {
		d.failed = 0
	} else {
		d.failed++
	}
	d.wait = 1 << min(d.failed, 6)
}

// held is the last label of a front within a load, −1: none is worth anything.
func held(front []splitLabel, load int64) int {
	i, _ := slices.BinarySearchFunc(front, load+1, func(l splitLabel, u int64) int {
		if l.in < u {
			return -1
		}
		return 1
	})
	if i > 0 && front[i-1].out < 0 {
		return i - 1
	}
	return -1
}

// worth bounds what all devices can hold at a load.
func (d *dual) worth(front []splitLabel, load int64) int64 {
	w := d.p.coresWorth(d.whole, d.byWorth, load, nil)
	if i := held(front, load); i >= 0 {
		w -= int64(d.p.boundAccelerators) * front[i].out
	}
	return w
}

// enough is the label of the set that makes the devices hold all at a load; −1: they do
// not, and the load is out of reach.
func (d *dual) enough(front []splitLabel, load int64) int {
	if d.worth(front, load) < d.sum {
		return -1
	}
	if i := held(front, load); i >= 0 {
		return i
	}
	return len(front) // the cores alone hold all
}

// take notes the slope of the value by the prices for the set of a label.
func (d *dual) take(s *splitter, front []splitLabel, at int) {
	clear(d.side)
	if at < len(front) {
		s.trace(front[at], d.side)
	}
	d.p.coresWorth(d.whole, d.byWorth, d.target, d.share)
	for i, c := range d.order {
		d.slope[c] = float64(d.p.boundAccelerators)*float64(d.side[i]) + d.share[c] - 1
	}
}

// cut keeps the splitter to sets that can matter: those within a load that are worth their
// share of what is left for the accelerators. The weights of the load are those around
// the one that bounds the worth of a set best, which is found by golden section.
func (d *dual) cut(s *splitter, limit, left int64) {
	s.cuts = s.cuts[:0]
	share := float64(left) / float64(d.p.boundAccelerators)
	if share <= 0 {
		return // the empty set is worth that
	}
	bound := func(weight float64) float64 { return weight*float64(limit) - s.least(weight, 1)[0][0] }
	lo, hi := 0.0, 4*share/float64(limit+1)
	const golden = 0.381966
	x, y := lo+golden*(hi-lo), hi-golden*(hi-lo)
	fx, fy := bound(x), bound(y)
	for range 12 {
		if fx < fy {
			hi, y, fy = y, x, fx
			x = lo + golden*(hi-lo)
			fx = bound(x)
		} else {
			lo, x, fx = x, y, fy
			y = hi - golden*(hi-lo)
			fy = bound(y)
		}
	}
	for _, factor := range []float64{1, 0.9, 1.1, 0.75, 1.3, 0.5, 1.8} {
		weight := factor * (lo + hi) / 2
		s.cut(weight, 1, weight*float64(limit)-share)
	}
}

// aim sets the load that the next prices are for: half way between the bound and where
// prices were seen to fail. The work on one load serves the next, for a set that fits a
// load fits a larger one.
func (d *dual) aim(upper int64) {
	d.ceiling = min(d.ceiling, upper)
	if float64(d.ceiling-d.best) < 1e-5*float64(upper) && (d.ceiling < upper || d.best >= upper) {
		d.useless = true
		return
	}
	if d.target > d.best && d.target < d.ceiling {
		return
	}
	target := d.best + (d.ceiling-d.best)/2
	if float64(d.ceiling-d.best) < 1e-4*float64(upper) {
		target = d.ceiling - 1
	}
	if target < d.target {
		d.bundle.forget()
	}
	d.target = target
}
