package lanes

import (
	"cmp"
	"slices"
)

// tariff is what the machines of a layer pay at a throughput of f ticks: a covering
// knapsack over the options.
type tariff struct {
	f     int64
	count []int
	items []item  // cheapest a tick first
	step  int64   // ticks of a bucket
	rest  []int64 // by full buckets still wanted: no set of items that fills them is cheaper
}

type item struct {
	option
	index int // into the options
	price int64
}

// buckets is how finely the knapsack's lower bound is tabled.
const buckets = 1 << 10

func newTariff(options []option, price []int64, count []int, f int64) *tariff {
	t := &tariff{f: f, count: count, step: max(1, f/buckets)}
	for i, o := range options {
		t.items = append(t.items, item{option: o, index: i, price: price[i]})
	}
	slices.SortStableFunc(t.items, func(a, b item) int {
		return cmp.Compare(float64(a.price)/float64(a.ticks), float64(b.price)/float64(b.ticks))
	})
	t.rest = make([]int64, f/t.step+1)
	fills := make([]int, len(t.items))
	for i := range t.items {
		fills[i] = int((t.items[i].ticks + t.step - 1) / t.step)
	}
	for n := 1; n < len(t.rest); n++ {
		least := unpayable
		for i := range t.items {
			least = min(least, t.items[i].price+t.rest[max(0, n-fills[i])])
		}
		t.rest[n] = least
	}
	return t
}

// atLeast is a lower bound on the price of a set that passes need ticks.
func (t *tariff) atLeast(need int64) int64 { return t.rest[max(0, need)/t.step] }

// unpayable is above every price; prices are far enough below the end of int64 for sums.
const unpayable = int64(1) << 60

// cheapest is the least price of a set of machines that passes f, and one such set as
// counts by option; nil where none is below limit. It looks at no more than steps sets:
// exact says that none is cheaper, else only atLeast is known.
func (t *tariff) cheapest(options int, limit int64, steps int) (price int64, set []int, exact bool) {
	s := knapsack{tariff: t, left: slices.Clone(t.count), pick: make([]int, options), best: limit, steps: steps}
	s.extend(0, t.f, 0)
	return s.best, s.set, s.steps > 0
}

type knapsack struct {
	*tariff
	left  []int // machines of the types
	pick  []int // of the options
	best  int64
	set   []int
	steps int
}

func (s *knapsack) extend(from int, need, paid int64) {
	if need <= 0 {
		if paid < s.best {
			s.best, s.set = paid, slices.Clone(s.pick)
		}
		return
	}
	for i := from; i < len(s.items) && s.steps > 0; i++ {
		it := &s.items[i]
		s.steps--
		if paid+s.atLeast(need) >= s.best {
			return
		}
		// What is from here on costs at least this much a tick.
		if float64(paid)+float64(need)*float64(it.price)/float64(it.ticks)*(1-1e-12) >= float64(s.best) {
			return
		}
		if s.left[it.kind] == 0 || paid+it.price+s.atLeast(need-it.ticks) >= s.best {
			continue
		}
		s.left[it.kind]--
		s.pick[it.index]++
		s.extend(i, need-it.ticks, paid+it.price)
		s.pick[it.index]--
		s.left[it.kind]++
	}
}
