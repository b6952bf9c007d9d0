package path

import "sort"

// box restricts both bottlenecks to windows: lo_p ≤ T_p ≤ hi_p, given as indices
// into the distinct times. Every path lies in the box of its own T, so boxes that
// cover all values cover all paths.
type box struct {
	lo, hi [2]int
	bound  int64
	// lambda is the price vector that gave the bound: a start for the children.
	lambda []int64
	priced bool // has been bounded by prices of its own
	serial int  // ties in the queue are broken by age, for determinism
}

func (c *compiled) wholeBox() *box {
	b := &box{}
	for ph := range 2 {
		b.hi[ph] = len(c.values[ph]) - 1
	}
	return b
}

func (c *compiled) low(b *box, ph int) int64  { return c.values[ph][b.lo[ph]] }
func (c *compiled) high(b *box, ph int) int64 { return c.values[ph][b.hi[ph]] }

// floor is the smallest time on the rate phase that any stage of a balanced path
// with T in the box can have.
func (c *compiled) floor(b *box) int64 {
	if !c.balance {
		return 0
	}
	// low·Den ≥ Num·T, rounded up.
	return (c.p.BalanceNum*c.low(b, 1) + c.p.BalanceDen - 1) / c.p.BalanceDen
}

// sliceRatio is how much T may vary within one of the first windows: the balance
// floor and the counts say little about wider ones.
const sliceRatio = 1.25

// slice cuts a box into windows of the rate phase with hi ≤ sliceRatio·lo, where that
// phase has a bottleneck; else the box stays whole.
func (c *compiled) slice(b *box) []*box {
	if !c.bottleneck[1] {
		return []*box{b}
	}
	var out []*box
	v := c.values[1]
	for lo := b.lo[1]; lo <= b.hi[1]; {
		hi := lo
		for hi < b.hi[1] && float64(v[hi+1]) <= sliceRatio*float64(max(1, v[lo])) {
			hi++
		}
		part := *b
		part.lo[1], part.hi[1] = lo, hi
		out = append(out, &part)
		lo = hi + 1
	}
	return out
}

// cut lowers the high ends to what a path below the cutoff can have.
func (c *compiled) cut(b *box, cutoff int64) {
	var rest [2]int64 // what the other phase costs at least
	for ph, f := range c.p.Phases {
		rest[1-ph] = c.p.Weight[ph] * f.Metric(c.low(b, ph), c.low(b, ph))
	}
	for ph, f := range c.p.Phases {
		v := c.values[ph]
		for b.hi[ph] > b.lo[ph] && c.p.Weight[ph]*f.Metric(v[b.hi[ph]], v[b.hi[ph]])+rest[ph] >= cutoff {
			b.hi[ph]--
		}
	}
}

// steep is how much the bound of a form grows with each tick of T above the low end.
func (c *compiled) steep(f *costForm, ph int) int64 {
	w, p := c.p.Weight[ph], c.p.Phases[ph]
	switch {
	case p.Sum == 0: // the metric is the larger of both, whichever the form counts
		return w * max(p.Peak, p.Rate)
	case f.coef[ph] > 0:
		return w * p.Peak
	}
	return w * p.Rate
}

// trim lowers the high ends to what a path below the cutoff can have, given a bound on
// all paths of the box. It reports whether it did.
func (c *compiled) trim(b *box, pr *priced, cutoff int64) bool {
	trimmed := false
	for ph := range 2 {
		v, steep := c.values[ph], c.steep(&pr.form, ph)
		if !c.bottleneck[ph] || steep == 0 {
			continue
		}
		for b.hi[ph] > b.lo[ph] && pr.bound+steep*(v[b.hi[ph]]-v[b.lo[ph]]) >= cutoff {
			b.hi[ph]--
			trimmed = true
		}
	}
	return trimmed
}

// filter lists, by kind, the legs a path of the box may use.
func (c *compiled) filter(b *box) [][]leg {
	hi0, hi1, floor := c.high(b, 0), c.high(b, 1), c.floor(b)
	out := make([][]leg, len(c.kinds))
	for k, legs := range c.kinds {
		kept := 0
		for i := range legs {
			x := &legs[i]
			if x.time[0] <= hi0 && x.time[1] <= hi1 && x.time[1] >= floor {
				kept++
			}
		}
		switch kept {
		case 0:
		case len(legs):
			out[k] = legs
		default:
			out[k] = make([]leg, 0, kept)
			for i := range legs {
				x := &legs[i]
				if x.time[0] <= hi0 && x.time[1] <= hi1 && x.time[1] >= floor {
					out[k] = append(out[k], *x)
				}
			}
		}
	}
	return out
}

// tighten moves the ends of the box inwards to times that some leg of the selection
// has; false where no path is left.
func (c *compiled) tighten(b *box, kinds [][]leg) bool {
	for ph := range 2 {
		if !c.bottleneck[ph] {
			continue
		}
		var most int64
		for _, legs := range kinds {
			for i := range legs {
				most = max(most, legs[i].time[ph])
			}
		}
		v := c.values[ph]
		b.hi[ph] = min(b.hi[ph], sort.Search(len(v), func(i int) bool { return v[i] >= most }))
		if b.hi[ph] < b.lo[ph] {
			return false
		}
		if need := c.minimax(kinds, ph); need > c.low(b, ph) {
			b.lo[ph] = sort.Search(len(v), func(i int) bool { return v[i] >= need })
			if b.lo[ph] > b.hi[ph] {
				return false
			}
		}
	}
	return true
}

// minimax is the smallest bottleneck of any path over the legs, counts aside;
// infinite where there is no path.
func (c *compiled) minimax(kinds [][]leg, ph int) int64 {
	least := make([]int64, len(kinds)) // of each kind, groups aside: a bound is enough
	for k, legs := range kinds {
		least[k] = infinite
		for i := range legs {
			least[k] = min(least[k], legs[i].time[ph])
		}
	}
	n := c.p.Boundaries
	best := make([]int64, n)
	for a := n - 2; a >= 0; a-- {
		best[a] = infinite
		for b := a + 1; b < n; b++ {
			if k := c.kindOf[a*n+b]; k >= 0 {
				best[a] = min(best[a], max(least[k], best[b]))
			}
		}
	}
	return best[0]
}

// split halves the window that costs most; nil, nil where both hold one value.
func (c *compiled) split(b *box) (*box, *box) {
	ph, most := -1, int64(-1)
	for q := range 2 {
		if !c.bottleneck[q] || b.lo[q] == b.hi[q] {
			continue
		}
		f := c.p.Phases[q]
		width := (c.high(b, q) - c.low(b, q)) * max(1, c.p.Weight[q]*max(f.Peak, f.Rate))
		if q == 1 && c.balance && c.high(b, 1)*c.p.BalanceNum > c.low(b, 1)*c.p.BalanceDen {
			width = infinite // the floor says nothing yet: narrow this one first
		}
		if width > most {
			ph, most = q, width
		}
	}
	if ph < 0 {
		return nil, nil
	}
	left, right := *b, *b
	mid := (b.lo[ph] + b.hi[ph]) / 2
	left.hi[ph], right.lo[ph] = mid, mid+1
	return &left, &right
}
