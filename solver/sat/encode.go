package sat

import (
	"context"
	"fmt"

	"partita/solver"
)

// encoding is a model in clauses.
type encoding struct {
	m      *solver.Model
	f      *formula
	vars   []integer
	groups grouping
	guards map[solver.Constraint]lit
	// limit on the clauses of one diagram; 0 leaves it to diagramLimit.
	limit int
}

// diagramFactor is how many times larger than an adder network a decision diagram may
// be and still be preferred: it propagates every consequence, an adder hardly any.
// diagramFloor spares small rows the comparison; diagramCap bounds memory.
const (
	diagramFactor = 3
	diagramFloor  = 4_000
	diagramCap    = 400_000
)

func (e *encoding) diagramLimit(items []item) int {
	if e.limit != 0 {
		return e.limit
	}
	return min(diagramCap, max(diagramFloor, diagramFactor*adderClauses(items)))
}

// unsupported says which variable has no bound, if one has none.
func unsupported(m *solver.Model) string {
	for i := range m.NumVariables() {
		if d := m.Domain(i); !d.Bounded() || d.Hi-d.Lo < 0 {
			return fmt.Sprintf("variable %q has no bound; give Int a range", d.Name)
		}
	}
	return ""
}

// encode hands the rows of m to sink as clauses. Rows in guarded are switched on by
// a literal each. The caller has ruled out unsupported variables.
func (b Backend) encode(ctx context.Context, m *solver.Model, guarded []solver.Constraint, sink func([]lit)) *encoding {
	e := &encoding{m: m, limit: b.limit, f: &formula{ctx: ctx, sink: sink}, guards: make(map[solver.Constraint]lit)}
	for i := range m.NumVariables() {
		e.vars = append(e.vars, e.f.integer(m.Domain(i)))
	}
	for _, c := range guarded {
		if e.guards[c] == 0 {
			e.guards[c] = e.f.fresh()
		}
	}
	parts := e.telescope()
	e.findGroups(parts)
	for _, p := range parts {
		if e.f.stopped() {
			break
		}
		e.f.guard = e.guards[p.from]
		e.row(p.row)
	}
	e.f.guard = 0
	if c, clash := m.Contradiction(); clash {
		e.f.guard = e.guards[c]
		e.f.require()
		e.f.guard = 0
	}
	return e
}

// findGroups collects the rows that are at-most-one constraints. A guarded row does
// not count: what is built on a group must hold whether the row is on or off.
func (e *encoding) findGroups(parts []part) {
	for _, p := range parts {
		if e.f.stopped() {
			return
		}
		if e.guards[p.from] != 0 {
			continue
		}
		up, down, hasUp, hasDown := e.halves(p.row)
		var upKind, downKind kind
		var upLits, downLits []lit
		if hasUp {
			upKind, upLits, _ = up.shape()
		}
		if hasDown {
			downKind, downLits, _ = down.shape()
		}
		all := len(p.row.Terms)
		if hasUp && upKind == amo {
			e.groups.add(upLits, len(upLits) == all && downKind == clause && len(downLits) == all)
		}
		if hasDown && downKind == amo {
			e.groups.add(downLits, len(downLits) == all && upKind == clause && len(upLits) == all)
		}
	}
}

// halves are Σ ≤ hi and -Σ ≤ -lo of a row, term by term.
func (e *encoding) halves(r solver.Row) (up, down atMost, hasUp, hasDown bool) {
	if r.Hi != solver.NoUpper {
		up, hasUp = e.half(r.Terms, 1, r.Hi), true
	}
	if r.Lo != solver.NoLower {
		down, hasDown = e.half(r.Terms, -1, -r.Lo), true
	}
	return up, down, hasUp, hasDown
}

func (e *encoding) half(terms []solver.Coef, sign, bound int64) atMost {
	var s atMost
	for _, t := range terms {
		base, its := e.vars[t.Var].items(sign * t.Value)
		bound -= base
		s.items = append(s.items, its...)
	}
	s.bound = bound
	return s
}

// row encodes one row: what is a clause or an at-most-one constraint as such, the
// rest as a decision diagram, or as an adder network where that is much smaller. An
// adder serves both ends of the row.
func (e *encoding) row(r solver.Row) {
	up, down, hasUp, hasDown := e.halves(r)
	hasUp = hasUp && !e.simple(up)
	hasDown = hasDown && !e.simple(down)
	if hasUp {
		base, items := e.items(r.Terms, 1)
		if !e.diagram(items, r.Hi-base) {
			sum := e.f.newAdder(items)
			e.f.atMostBinary(sum.bits, r.Hi-base)
			if hasDown && r.Lo > base {
				e.f.atLeastBinary(sum.bits, r.Lo-base)
			}
			return
		}
	}
	if hasDown {
		base, items := e.items(r.Terms, -1)
		if !e.diagram(items, -r.Lo-base) {
			e.f.atMostBinary(e.f.newAdder(items).bits, -r.Lo-base)
		}
	}
}

// simple encodes a sum that has a direct form and reports whether it has.
func (e *encoding) simple(s atMost) bool {
	kind, ls, out := s.shape()
	switch kind {
	case always:
	case never:
		e.f.require()
	case clause:
		not := make([]lit, len(ls))
		for i, l := range ls {
			not[i] = -l
		}
		e.f.require(not...)
	case amo:
		for _, l := range out {
			e.f.require(-l)
		}
		e.f.atMostOne(ls)
	default:
		return false
	}
	return true
}

// diagram encodes Σ items ≤ bound as a decision diagram unless that is too large.
func (e *encoding) diagram(items []item, bound int64) bool {
	d := e.f.newDiagram(items, e.diagramLimit(items))
	root, ok := d.root(bound)
	if !ok {
		return false
	}
	switch root {
	case nodeTrue:
	case nodeFalse:
		e.f.require()
	default:
		e.f.require(d.emit(root))
	}
	return true
}

// point decodes an assignment.
func (e *encoding) point(holds func(lit) bool) []int64 {
	values := make([]int64, len(e.vars))
	for i, x := range e.vars {
		values[i] = x.value(holds)
	}
	return values
}
