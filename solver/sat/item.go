package sat

import (
	"cmp"
	"slices"
)

// item is one summand of a row: the weight of whichever literal is true, 0 if none.
// At most one is (an AMO group), or the literals imply one another downwards and the
// last true one counts (a chain, from the order encoding). Weights are positive and
// do not decrease.
type item struct {
	lits    []lit
	weights []int64
	chain   bool
}

func (it item) max() int64 {
	if len(it.weights) == 0 {
		return 0
	}
	return it.weights[len(it.weights)-1]
}

// atMost is the constraint Σ items ≤ bound, every item ≥ 0.
type atMost struct {
	items []item
	bound int64
}

func (s atMost) max() int64 {
	total := int64(0)
	for _, it := range s.items {
		total += it.max()
	}
	return total
}

// kind is what a sum amounts to.
type kind uint8

const (
	always  kind = iota // every assignment satisfies it
	never               // none does
	clause              // not all literals together
	amo                 // at most one literal; others are ruled out for themselves
	general             // none of these
)

// shape classifies a sum of single literals. For clause and amo it returns the
// literals concerned, and for amo also those that exceed the bound alone.
func (s atMost) shape() (k kind, ls, out []lit) {
	switch {
	case s.bound < 0:
		return never, nil, nil
	case s.max() <= s.bound:
		return always, nil, nil
	}
	least, second := int64(-1), int64(-1) // the two smallest weights within the bound
	total, smallest := int64(0), int64(-1)
	for _, it := range s.items {
		if len(it.lits) != 1 {
			return general, nil, nil
		}
		w := it.weights[0]
		total += w
		if smallest < 0 || w < smallest {
			smallest = w
		}
		if w > s.bound {
			out = append(out, it.lits[0])
			continue
		}
		ls = append(ls, it.lits[0])
		if least < 0 || w < least {
			least, second = w, least
		} else if second < 0 || w < second {
			second = w
		}
	}
	switch {
	case len(ls) < 2 || least+second > s.bound:
		return amo, ls, out
	case len(out) == 0 && total-smallest <= s.bound:
		return clause, ls, nil
	}
	return general, nil, nil
}

// tidy sorts the literals of an item by weight and puts one literal in the place of
// several with the same weight, so that what is built on it grows with the number
// of different weights.
func (f *formula) tidy(it item) item {
	if it.chain || len(it.lits) < 2 {
		return it
	}
	at := make([]int, len(it.lits))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(it.weights[a], it.weights[b]) })
	var out item
	for i := 0; i < len(at); {
		w := it.weights[at[i]]
		var same []lit
		for ; i < len(at) && it.weights[at[i]] == w; i++ {
			same = append(same, it.lits[at[i]])
		}
		if w == 0 {
			continue
		}
		out.lits = append(out.lits, f.anyOf(same))
		out.weights = append(out.weights, w)
	}
	return out
}

// atMostOne requires that at most one literal is true: pairwise for a handful, else
// the sequential counter (Sinz 2005), 3n clauses on n variables.
func (f *formula) atMostOne(ls []lit) {
	const pairwise = 5 // up to here pairs are no more clauses than the counter
	if len(ls) <= pairwise {
		for i, a := range ls {
			for _, b := range ls[:i] {
				f.require(-a, -b)
			}
		}
		return
	}
	before := ls[0] // some literal up to here is true
	for i, l := range ls[1:] {
		f.require(-before, -l)
		if i == len(ls)-2 {
			break
		}
		next := f.fresh()
		f.define(-before, next)
		f.define(-l, next)
		before = next
	}
}
