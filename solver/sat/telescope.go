package sat

import (
	"slices"

	"partita/solver"
)

// part is a row to encode and the constraint that it comes from.
type part struct {
	from solver.Constraint
	row  solver.Row
}

// telescope replaces the conservation rows of a unit flow by its cuts. The sum of the
// rows of boundaries 0 … b says that exactly one arc crosses b, an EO group, which is
// a clause and an at-most-one constraint where the row itself is a counting argument:
//
//	Σ out(0) = 1,  Σ out(b) - Σ in(b) = 0   ⇔   Σ arcs over b = 1 for every b
//
// A row is replaced by its sum with rows that stand before it and are encoded, so the
// points stay the same. Guarded rows are left alone: they may be off.
func (e *encoding) telescope() []part {
	var parts []part
	sum := running{coef: make(map[int]int64)}
	for c, r := range e.m.Rows() {
		if e.f.stopped() {
			return nil // a cut has thousands of terms
		}
		r = r.Reduced()
		if e.guards[c] != 0 || !e.conservation(r) || !sum.add(r) {
			parts = append(parts, part{c, r})
			continue
		}
		switch {
		case len(sum.coef) == 0 && sum.side == 0:
			// The row follows from those before it.
		case sum.exactlyOne():
			parts = append(parts, part{c, sum.row(r.Name)})
		default:
			parts = append(parts, part{c, r})
		}
	}
	return parts
}

// conservation reports whether a row looks like one node of a unit flow.
func (e *encoding) conservation(r solver.Row) bool {
	if r.Lo != r.Hi || r.Hi < -1 || r.Hi > 1 {
		return false
	}
	return !slices.ContainsFunc(r.Terms, func(t solver.Coef) bool {
		return t.Value != 1 && t.Value != -1 || !e.m.Domain(t.Var).IsBool()
	})
}

// running is a sum of conservation rows: every coefficient is 1 or -1.
type running struct {
	coef      map[int]int64
	negatives int
	side      int64
}

// add takes a row in, unless a coefficient would leave -1 … 1.
func (s *running) add(r solver.Row) bool {
	for _, t := range r.Terms {
		if c := s.coef[t.Var] + t.Value; c < -1 || c > 1 {
			return false
		}
	}
	for _, t := range r.Terms {
		old := s.coef[t.Var]
		switch c := old + t.Value; {
		case c == 0:
			delete(s.coef, t.Var)
		default:
			s.coef[t.Var] = c
		}
		if old < 0 {
			s.negatives--
		} else if old == 0 && t.Value < 0 {
			s.negatives++
		}
	}
	s.side += r.Hi
	return true
}

func (s *running) exactlyOne() bool { return s.side == 1 && s.negatives == 0 && len(s.coef) > 0 }

func (s *running) row(name string) solver.Row {
	r := solver.Row{Name: name, Lo: s.side, Hi: s.side}
	for v, c := range s.coef {
		r.Terms = append(r.Terms, solver.Coef{Var: v, Value: c})
	}
	slices.SortFunc(r.Terms, func(a, b solver.Coef) int { return a.Var - b.Var })
	return r
}
