package sat

import (
	"math/bits"

	"partita/solver"
)

// orderRange is the largest hi - lo of a variable in order encoding. It propagates
// better than binary and costs a literal a value; 32 literals are what a 5-bit adder
// input and its comparisons cost.
const orderRange = 32

// integer is a bounded variable in literals. A Boolean is the order encoding with one.
type integer struct {
	lo, hi int64
	order  []lit // order[k-1] is x ≥ lo + k
	bits   []lit // x = lo + Σ 2^j·bits[j], where order is nil
}

func (f *formula) integer(d solver.Domain) integer {
	x := integer{lo: d.Lo, hi: d.Hi}
	n := d.Hi - d.Lo
	if n <= orderRange {
		x.order = make([]lit, n)
		for k := range x.order {
			x.order[k] = f.fresh()
			if k > 0 {
				f.define(-x.order[k], x.order[k-1])
			}
		}
		return x
	}
	x.bits = make([]lit, bits.Len64(uint64(n)))
	for j := range x.bits {
		x.bits[j] = f.fresh()
	}
	f.atMostBinary(x.bits, n)
	return x
}

// value decodes the variable.
func (x integer) value(holds func(lit) bool) int64 {
	v := x.lo
	for _, l := range x.order {
		if holds(l) {
			v++
		}
	}
	for j, l := range x.bits {
		if holds(l) {
			v += 1 << j
		}
	}
	return v
}

// items writes c·x as base + items with positive weights.
func (x integer) items(c int64) (base int64, out []item) {
	if c > 0 {
		base = c * x.lo
	} else {
		base = c * x.hi
	}
	size := c
	if c < 0 {
		size = -c
	}
	if n := len(x.order); n > 0 {
		it := item{chain: n > 1}
		for k := range n {
			l := x.order[k]
			if c < 0 {
				l = -x.order[n-1-k] // hi - x ≥ k + 1
			}
			it.lits = append(it.lits, l)
			it.weights = append(it.weights, size*int64(k+1))
		}
		return base, []item{it}
	}
	if c < 0 && len(x.bits) > 0 {
		base = c * (x.lo + 1<<len(x.bits) - 1) // Σ 2^j·(1 - bit) counts from the top
	}
	for j, l := range x.bits {
		if c < 0 {
			l = -l
		}
		out = append(out, item{lits: []lit{l}, weights: []int64{size << j}})
	}
	return base, out
}
