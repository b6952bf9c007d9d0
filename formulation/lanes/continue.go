package lanes

import (
	"cmp"
	"slices"
)

// chooser lists the sets of machines that can be started at a layer.
type chooser struct {
	*sweep
	tariff  *tariff
	left    []int
	allowed int64 // to pay
	most    int   // sets wanted
	sets    []started
	pick    []int
	full    bool // there are more sets
}

type started struct {
	price   int64
	options []int
}

// continuations are the sets of machines left that pass need, none of them superfluous,
// for at most allowed together, cheapest first. Of more than width the cheapest are
// taken, and the sweep is cut.
func (s *sweep) continuations(tariff *tariff, left []int, need, allowed int64) [][]int {
	c := chooser{sweep: s, tariff: tariff, left: left, most: s.width}
	// Dear sets are not listed where cheap ones are enough: allow more step by step.
	for margin := s.least >> 9; ; margin *= 4 {
		c.allowed = min(allowed, tariff.atLeast(need)+margin)
		c.sets, c.full = c.sets[:0], false
		c.extend(0, need, 0, unpayable)
		if c.allowed == allowed || len(c.sets) >= c.most || s.ended {
			break
		}
	}
	if len(c.sets) > c.most {
		c.full = true
	}
	if c.full || len(c.sets) >= c.most && c.allowed < allowed {
		s.cut = true
	}
	c.sort()
	out := make([][]int, 0, len(c.sets))
	for _, set := range c.sets[:min(len(c.sets), c.most)] {
		out = append(out, set.options)
	}
	return out
}

func (c *chooser) sort() {
	slices.SortStableFunc(c.sets, func(a, b started) int { return cmp.Compare(a.price, b.price) })
}

func (c *chooser) extend(from int, need, paid, smallest int64) {
	if need <= 0 {
		if smallest > -need {
			c.sets = append(c.sets, started{paid, slices.Clone(c.pick)})
		}
		if len(c.sets) > 2*c.most {
			c.sort()
			c.sets, c.full = c.sets[:c.most], true
			c.allowed = c.sets[c.most-1].price
		}
		return
	}
	items := c.tariff.items
	for i := from; i < len(items); i++ {
		if paid+c.tariff.atLeast(need) > c.allowed || !c.alive() {
			return
		}
		it := &items[i]
		if c.left[it.kind] == 0 || paid+it.price+c.tariff.atLeast(need-it.ticks) > c.allowed {
			continue
		}
		c.left[it.kind]--
		c.pick = append(c.pick, it.index)
		c.extend(i, need-it.ticks, paid+it.price, min(smallest, it.ticks))
		c.pick = c.pick[:len(c.pick)-1]
		c.left[it.kind]++
	}
}

// alive looks at ctx from time to time.
func (s *sweep) alive() bool {
	if s.ticks++; s.ticks&4095 == 0 && s.ctx.Err() != nil {
		s.ended = true
	}
	return !s.ended
}
