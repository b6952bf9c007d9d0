package solver

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// normalise turns complements into 1 - x, merges duplicates, drops zeros and sorts
// by variable. It refuses sums that could leave int64 for a point within bounds, so
// that a solver may add up a row of bounded variables without looking.
func (m *Model) normalise(e Expr) ([]Coef, int64, error) {
	if e.overflow {
		return nil, 0, errors.New("the constant overflows int64")
	}
	constant, ok := e.constant, true
	terms := make([]Coef, 0, e.n)
	for _, t := range e.raw() {
		if t.v.id < 1 || t.v.id > len(m.domains) {
			return nil, 0, errors.New("a variable of another model; make it with Bool or Int of this one")
		}
		if t.v.negated {
			if d := m.domains[t.v.Index()]; !d.IsBool() {
				return nil, 0, fmt.Errorf("the complement of %q, whose domain is %d…%d and not 0…1", d.Name, d.Lo, d.Hi)
			}
			if constant, ok = addInt(constant, t.coef); !ok || t.coef == math.MinInt64 {
				return nil, 0, errors.New("the constant overflows int64")
			}
			t.coef = -t.coef
		}
		terms = append(terms, Coef{t.v.Index(), t.coef})
	}
	slices.SortStableFunc(terms, func(a, b Coef) int { return a.Var - b.Var })
	merged := terms[:0]
	for _, t := range terms {
		if n := len(merged); n > 0 && merged[n-1].Var == t.Var {
			if merged[n-1].Value, ok = addInt(merged[n-1].Value, t.Value); !ok {
				return nil, 0, fmt.Errorf("the coefficient of %q overflows int64", m.domains[t.Var].Name)
			}
			continue
		}
		merged = append(merged, t)
	}
	merged = slices.DeleteFunc(merged, func(t Coef) bool { return t.Value == 0 })
	return merged, constant, m.fits(merged, constant)
}

// headroom keeps sums of a row two bits below int64, so that a bound may still be
// subtracted from an activity.
const headroom = math.MaxInt64 / 4

func (m *Model) fits(terms []Coef, constant int64) error {
	total, ok := magnitude(constant), true
	for _, t := range terms {
		d := m.domains[t.Var]
		reach := magnitude(t.Value)
		if d.Bounded() {
			var p int64
			if p, ok = mulInt(t.Value, int64(max(1, min(magnitude(d.Lo), math.MaxInt64), min(magnitude(d.Hi), math.MaxInt64)))); !ok {
				return fmt.Errorf("%d · %q overflows int64; scale the data down", t.Value, d.Name)
			}
			reach = magnitude(p)
		}
		if total += reach; total > headroom {
			return fmt.Errorf("the sum can exceed %d; scale the data down", int64(headroom))
		}
	}
	return nil
}

// shift is bound - constant, leaving an absent bound absent.
func shift(bound, constant, absent int64) (int64, bool) {
	if bound == absent {
		return bound, true
	}
	if constant == math.MinInt64 {
		return 0, false
	}
	s, ok := addInt(bound, -constant)
	return s, ok && s != NoLower && s != NoUpper
}
