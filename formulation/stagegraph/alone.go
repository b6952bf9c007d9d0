package stagegraph

import "math"

// AloneTTFT is a floor of TTFT for the i-th number of micro-batches over all plans of the
// layout, whatever their round and number of decode groups, under the counts of GPUs and
// with whole layers on every stage; false where it cannot be told (see counting).
func (r *Relaxation) AloneTTFT(i int) (float64, bool) { return r.alone(0, i) }

// AloneRound is the same of the round, for the j-th number of groups.
func (r *Relaxation) AloneRound(j int) (float64, bool) { return r.alone(1, j) }

func (r *Relaxation) alone(ph, n int) (float64, bool) {
	c := r.counting()
	if c == nil {
		return 0, false
	}
	kept := &r.counted[ph][n]
	if *kept < 0 {
		*kept = r.countAlone(c, ph, n)
		for w := range r.wholes {
			if ph == 0 {
				*kept = min(*kept, r.WholeTTFT(w, n))
			} else {
				*kept = min(*kept, r.WholeRound(w, n))
			}
		}
	}
	return *kept, true
}

// Counts reports whether stages of the layout can be counted: AloneTTFT, AloneRound and
// Pair then have an answer.
func (r *Relaxation) Counts() bool { return r.counting() != nil && !r.base.promptOnly }

// counting is the relaxation by counts of the layout, made at its first use.
func (r *Relaxation) counting() *counting {
	if !r.looked {
		r.looked = true
		r.counts = r.newCounting()
	}
	return r.counts
}

// floating forgives what is rounded in sums of doubles.
const floating = 1e-9

func (r *Relaxation) countAlone(c *counting, ph, n int) float64 {
	b := r.base
	if ph == 0 && b.first[n] == nil {
		return 0
	}
	i, j := len(b.micros)-1, len(b.groups)-1 // the other phase where it takes least memory
	var steps float64
	switch {
	case ph == 0:
		i, steps = n, b.turns(n)
	case b.promptOnly:
		i, steps = n, float64(b.micros[n])
	default:
		j, steps = n, float64(b.groups[n])
	}
	r.roomFor(c, i, j)
	r.timesOf(c, ph, n)
	for g := range c.groups {
		for w := range c.groups[g].ways {
			x := &c.groups[g].ways[w]
			x.cost = x.time[ph]
		}
	}
	low, ok := c.bottleneck(ph)
	switch {
	case !ok:
		return math.Inf(1)
	case ph == 1 && b.promptOnly:
		return steps * low * (1 - floating)
	case ph == 1:
		return c.roundAlone(low, steps) * (1 - floating)
	}
	return c.sumAndPeak(low, steps-1) * (1 - floating)
}

// timesOf fills in the times of stages in a phase.
func (r *Relaxation) timesOf(c *counting, ph, n int) {
	b := r.base
	parts := [2][][]float64{b.first, b.second}[ph][n]
	ways := len(b.ways)
	for g := range c.groups {
		for w := range c.groups[g].ways {
			x := &c.groups[g].ways[w]
			embed, head, send := parts[ways+x.index], parts[2*ways+x.index], parts[r.sendPart*ways+x.index]
			x.time[ph] = linear{parts[x.index] / float64(c.layers), [positions]float64{embed + send, send, head}}
		}
	}
}

// roomFor fills in how many layers memory holds, for the i-th number of micro-batches and
// the j-th of groups.
func (r *Relaxation) roomFor(c *counting, i, j int) {
	b := r.base
	memories := r.space.memories(r.replicas, b.micros[i], b.groups[j])
	for g := range c.groups {
		for w := range c.groups[g].ways {
			x := &c.groups[g].ways[w]
			at := b.ways[x.index]
			m, capacity := &memories[at.pool][at.shape], r.space.Costs.Capacity(at.pool)
			for pos := range positions {
				x.room[pos] = min(c.layers-1, m.MostLayers(pos == atFirst, pos == atLast, capacity))
			}
		}
	}
}

// within sets the caps to stages that take at most so long in a phase.
func (c *counting) within(ph int, most float64) {
	for g := range c.groups {
		for w := range c.groups[g].ways {
			x := &c.groups[g].ways[w]
			for at := range positions {
				x.low[at], x.cap[at] = 1, min(x.room[at], x.time[ph].layers(at, most))
			}
		}
	}
}

// layers is how many layers take at most so long.
func (l *linear) layers(at int, most float64) int {
	n := (most-l.fixed[at])/l.slope*(1+1e-12) + floating/10 // less than what ends a search
	if !(n > 0) {
		return 0
	}
	return int(min(n, math.MaxInt32))
}

// next and last are the times of stages next above most, and at or below it.
func (c *counting) next(ph int, most float64) float64 {
	out := math.Inf(1)
	c.stages(ph, most, func(l *linear, at, n, room int) {
		if n < room {
			out = min(out, l.fixed[at]+float64(n+1)*l.slope)
		}
	})
	return out
}

func (c *counting) last(ph int, most float64) float64 {
	out := 0.0
	c.stages(ph, most, func(l *linear, at, n, room int) {
		if n = min(n, room); n > 0 {
			out = max(out, l.fixed[at]+float64(n)*l.slope)
		}
	})
	return out
}

// stages calls f with every way and position, and the layers that take at most so long.
func (c *counting) stages(ph int, most float64, f func(l *linear, at, n, room int)) {
	for g := range c.groups {
		for w := range c.groups[g].ways {
			x := &c.groups[g].ways[w]
			for at := range positions {
				f(&x.time[ph], at, x.time[ph].layers(at, most), x.room[at])
			}
		}
	}
}

// bottleneck is the least time of the slowest stage, in seconds; false where no stages
// hold the model.
func (c *counting) bottleneck(ph int) (float64, bool) {
	low, high := c.next(ph, 0), c.last(ph, math.MaxFloat64)
	if c.within(ph, high); !c.reaches() {
		return 0, false
	}
	// No stages take less than low, some take at most high; both are times of stages.
	for low < high*(1-floating) {
		mid := (low + high) / 2
		if c.within(ph, mid); c.reaches() {
			high = c.last(ph, mid)
		} else {
			low = c.next(ph, mid)
		}
	}
	return low, true
}

// roundAlone is the least max(Λ, steps·T), given the least T.
func (c *counting) roundAlone(low, steps float64) float64 {
	sum := func(most float64) float64 {
		c.within(1, most)
		return c.sum()
	}
	above := sum(low) // Λ at low, above steps·low as long as the search goes on
	if above <= steps*low {
		return steps * low
	}
	high := c.last(1, math.MaxFloat64)
	if least := sum(high); least > steps*high {
		return least
	}
	for {
		next := c.next(1, low)
		if next >= high*(1-floating) {
			return min(above, steps*high)
		}
		mid := max(next, (low+high)/2)
		if s := sum(mid); s <= steps*mid {
			high = c.last(1, mid)
		} else {
			low, above = mid, s
		}
	}
}

// mostWindows bounds the search of sumAndPeak; what is left open then counts as it is.
const mostWindows = 48

// sumAndPeak is the least Λ + weight·T in the prefill phase, given the least T.
func (c *counting) sumAndPeak(low, weight float64) float64 {
	sum := func(most float64) float64 {
		c.within(0, most)
		return c.sum()
	}
	high := c.last(0, math.MaxFloat64)
	least := sum(high)
	if weight == 0 {
		return least
	}
	known := sum(low) + weight*low // of some stages, as far as counts tell
	// Windows of T: Λ at the upper end and T at the lower bound what is between.
	type window struct{ low, high, sum, bound float64 }
	open := []window{{low, high, least, least + weight*low}}
	for range mostWindows {
		at := 0
		for k := range open {
			if open[k].bound < open[at].bound {
				at = k
			}
		}
		w := open[at]
		if w.bound >= known*(1-floating) {
			return min(known, w.bound)
		}
		next := c.next(0, w.low)
		if next >= w.high*(1-floating) { // only its two ends are times of stages
			open[at].bound = min(w.sum+weight*w.high, sum(w.low)+weight*w.low)
			if w.low == w.high {
				open[at].bound = w.sum + weight*w.low
			}
			known = min(known, open[at].bound)
			open[at].low, open[at].high = w.high, w.high
			continue
		}
		mid := max(next, c.last(0, (w.low+w.high)/2))
		if mid >= w.high {
			mid = next
		}
		s := sum(mid)
		known = min(known, s+weight*mid)
		open[at] = window{w.low, mid, s, s + weight*w.low}
		after := c.next(0, mid)
		open = append(open, window{after, w.high, w.sum, w.sum + weight*after})
	}
	for _, w := range open {
		known = min(known, w.bound)
	}
	return known
}
