package sat

// adder is Σ items as a binary number. An item contributes one literal a bit: the
// disjunction of its literals whose weight has the bit, so that a group of a thousand
// exclusive choices is one summand.
type adder struct {
	bits []lit // by power of two, lowest first; 0 for a bit that is never set
}

// newAdder adds up bit by bit with full and half adders (Eén and Sörensson,
// "Translating pseudo-Boolean constraints into SAT", 2006).
func (f *formula) newAdder(items []item) adder {
	var columns [][]lit
	put := func(bit int, l lit) {
		for len(columns) <= bit {
			columns = append(columns, nil)
		}
		columns[bit] = append(columns[bit], l)
	}
	for _, it := range items {
		it = f.exclusive(it)
		for bit := 0; it.max()>>bit > 0; bit++ {
			var set []lit
			for j, w := range it.weights {
				if w>>bit&1 == 1 {
					set = append(set, it.lits[j])
				}
			}
			if len(set) > 0 {
				put(bit, f.anyOf(set))
			}
		}
	}
	var a adder
	for bit := 0; bit < len(columns); bit++ {
		// First in, first out keeps the tree of adders balanced.
		queue := columns[bit]
		for len(queue) >= 3 {
			sum, carry := f.fullAdder(queue[0], queue[1], queue[2])
			queue = append(queue[3:], sum)
			put(bit+1, carry)
		}
		if len(queue) == 2 {
			sum, carry := f.halfAdder(queue[0], queue[1])
			queue = []lit{sum}
			put(bit+1, carry)
		}
		if len(queue) == 0 {
			a.bits = append(a.bits, 0)
			continue
		}
		a.bits = append(a.bits, queue[0])
	}
	return a
}

// adderClauses estimates what newAdder emits: each input bit is consumed by about one
// full adder of 14 clauses.
func adderClauses(items []item) int {
	const fullAdderClauses = 14
	n := 0
	for _, it := range items {
		for bit := 0; it.max()>>bit > 0; bit++ {
			for _, w := range it.weights {
				if w>>bit&1 == 1 {
					n += fullAdderClauses
					break
				}
			}
		}
	}
	return n
}

// exclusive turns a chain into the literals "exactly k".
func (f *formula) exclusive(it item) item {
	if !it.chain {
		return it
	}
	out := item{weights: it.weights}
	for k, l := range it.lits {
		if k+1 == len(it.lits) {
			out.lits = append(out.lits, l)
			break
		}
		next := it.lits[k+1]
		y := f.fresh()
		f.define(-y, l)
		f.define(-y, -next)
		f.define(y, -l, next)
		out.lits = append(out.lits, y)
	}
	return out
}

func (f *formula) halfAdder(a, b lit) (sum, carry lit) {
	sum, carry = f.fresh(), f.fresh()
	f.define(-a, -b, -sum)
	f.define(a, b, -sum)
	f.define(a, -b, sum)
	f.define(-a, b, sum)
	f.define(-a, -b, carry)
	f.define(a, -carry)
	f.define(b, -carry)
	return sum, carry
}

func (f *formula) fullAdder(a, b, c lit) (sum, carry lit) {
	sum, carry = f.fresh(), f.fresh()
	f.define(a, b, c, -sum)
	f.define(a, -b, -c, -sum)
	f.define(-a, b, -c, -sum)
	f.define(-a, -b, c, -sum)
	f.define(-a, -b, -c, sum)
	f.define(-a, b, c, sum)
	f.define(a, -b, c, sum)
	f.define(a, b, -c, sum)
	f.define(-a, -b, carry)
	f.define(-a, -c, carry)
	f.define(-b, -c, carry)
	f.define(a, b, -carry)
	f.define(a, c, -carry)
	f.define(b, c, -carry)
	return sum, carry
}

// atMostBinary requires that the binary number is at most k ≥ 0.
func (f *formula) atMostBinary(bits []lit, k int64) {
	for i, b := range bits {
		if b == 0 || k>>i&1 == 1 {
			continue
		}
		// Bit i may be set only where a higher bit of k is not.
		clause, satisfied := []lit{-b}, false
		for j := i + 1; j < len(bits); j++ {
			if k>>j&1 == 1 {
				if bits[j] == 0 {
					satisfied = true
					break
				}
				clause = append(clause, -bits[j])
			}
		}
		if !satisfied && k>>len(bits) == 0 {
			f.require(clause...)
		}
	}
}

// atLeastBinary requires that the binary number is at least k ≥ 0.
func (f *formula) atLeastBinary(bits []lit, k int64) {
	if k>>len(bits) > 0 {
		f.require()
		return
	}
	for i, b := range bits {
		if k>>i&1 == 0 {
			continue
		}
		clause := make([]lit, 0, len(bits)-i)
		if b != 0 {
			clause = append(clause, b)
		}
		for j := i + 1; j < len(bits); j++ {
			if k>>j&1 == 0 && bits[j] != 0 {
				clause = append(clause, bits[j])
			}
		}
		f.require(clause...)
	}
}
