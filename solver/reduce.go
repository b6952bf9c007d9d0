package solver

// Reduced is the row divided by the greatest common divisor of its coefficients,
// with the bounds rounded inwards: the same integer points, a tighter relaxation and
// smaller numbers. A row that no integer satisfies keeps crossing bounds.
func (r Row) Reduced() Row {
	g := uint64(0)
	for _, t := range r.Terms {
		g = gcd(g, magnitude(t.Value))
	}
	if g <= 1 {
		return r
	}
	d := int64(g)
	terms := make([]Coef, len(r.Terms))
	for i, t := range r.Terms {
		terms[i] = Coef{t.Var, t.Value / d}
	}
	r.Terms = terms
	if r.Lo != NoLower {
		r.Lo = -floorDiv(-r.Lo, d)
	}
	if r.Hi != NoUpper {
		r.Hi = floorDiv(r.Hi, d)
	}
	return r
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// floorDiv is ⌊a/d⌋ for d > 0.
func floorDiv(a, d int64) int64 {
	q := a / d
	if a%d < 0 {
		q--
	}
	return q
}
