package solver

import (
	"fmt"
	"iter"
	"math"
	"slices"
)

const (
	// NoLower and NoUpper are bounds that never bind, for variables and rows.
	NoLower int64 = math.MinInt64
	NoUpper int64 = math.MaxInt64
)

// Sense is the direction of an objective.
type Sense uint8

const (
	NoObjective Sense = iota // any feasible point will do
	Min
	Max
)

// Domain is what is known of a variable: Lo ≤ x ≤ Hi, x integer.
type Domain struct {
	Name   string
	Lo, Hi int64
	// Implied: x is integer wherever the others are, see Model.Imply.
	Implied bool
}

// IsBool reports whether the domain is 0…1.
func (d Domain) IsBool() bool { return d.Lo == 0 && d.Hi == 1 }

// Bounded reports whether both bounds are finite.
func (d Domain) Bounded() bool { return d.Lo != NoLower && d.Hi != NoUpper }

// Coef is one term of a normalised row: Value times the variable with index Var.
type Coef struct {
	Var   int
	Value int64
}

// Row is a normalised constraint Lo ≤ Σ Terms ≤ Hi: terms sorted by variable, each
// variable once, no zero coefficient, constants moved into the bounds.
type Row struct {
	Name   string
	Terms  []Coef
	Lo, Hi int64
}

// Objective is Σ Terms + Constant, to be minimised or maximised.
type Objective struct {
	Sense    Sense
	Terms    []Coef
	Constant int64
}

// Constraint is a handle on a row of one model. The zero Constraint is nobody's.
type Constraint struct {
	id   int // index + 1
	name string
}

// Name is the name the row was given.
func (c Constraint) Name() string { return c.name }

// Index is the position of the row in Model.Row; -1 for the zero Constraint.
func (c Constraint) Index() int { return c.id - 1 }

// Model is an integer linear model as plain data: variables, rows, one objective.
// Build errors are sticky: the first one is kept, later calls do nothing, and every
// solve refuses the model with it. A built model is read-only for solvers and may
// be solved by several goroutines at once.
type Model struct {
	name      string
	domains   []Domain
	rows      []Row
	objective Objective
	err       error
	notes     []string
	// contradiction is the first row without variables whose bounds exclude 0, + 1.
	contradiction int
}

// New is an empty model: no variables, no rows, nothing to optimise.
func New(name string) *Model { return &Model{name: name} }

// Note adds a line for people, which every text of the model has as a comment at its
// head. It is no part of the problem.
func (m *Model) Note(format string, args ...any) {
	m.notes = append(m.notes, fmt.Sprintf(format, args...))
}

// Bool adds a variable with domain 0…1.
func (m *Model) Bool(name string) Variable { return m.Int(name, 0, 1) }

// Int adds an integer variable with lo ≤ x ≤ hi; NoLower and NoUpper stand for no
// bound. An empty domain is a build error: state it as a row if it is meant.
func (m *Model) Int(name string, lo, hi int64) Variable {
	if lo > hi || lo == NoUpper || hi == NoLower {
		m.fail("variable %q: empty domain %d…%d", name, lo, hi)
	}
	m.domains = append(m.domains, Domain{Name: name, Lo: lo, Hi: hi})
	return Variable{id: len(m.domains)}
}

// Imply notes that the variable is an integer wherever all others are. It stays one for
// every solver here; texts for linear relaxations declare it continuous, so that no
// time goes into branching on it.
func (m *Model) Imply(v Variable) {
	if v.id < 1 || v.id > len(m.domains) {
		m.fail("a variable of another model is implied")
		return
	}
	m.domains[v.Index()].Implied = true
}

// AtMost adds e ≤ hi.
func (m *Model) AtMost(name string, e Expr, hi int64) Constraint {
	return m.Between(name, e, NoLower, hi)
}

// AtLeast adds e ≥ lo.
func (m *Model) AtLeast(name string, e Expr, lo int64) Constraint {
	return m.Between(name, e, lo, NoUpper)
}

// Equal adds e = v.
func (m *Model) Equal(name string, e Expr, v int64) Constraint {
	return m.Between(name, e, v, v)
}

// Between adds lo ≤ e ≤ hi. lo > hi is a row that nothing satisfies, not an error.
func (m *Model) Between(name string, e Expr, lo, hi int64) Constraint {
	terms, constant, err := m.normalise(e)
	if err != nil {
		m.fail("row %q: %w", name, err)
	}
	lo, okLo := shift(lo, constant, NoLower)
	hi, okHi := shift(hi, constant, NoUpper)
	if !okLo || !okHi {
		m.fail("row %q: a bound minus the constant %d overflows int64", name, constant)
	}
	return m.addRow(Row{Name: name, Terms: terms, Lo: lo, Hi: hi})
}

// AddClause adds "at least one literal is true". A literal written twice counts
// once; x ∨ x̄ is always true; the clause without literals is never true.
func (m *Model) AddClause(name string, literals ...Variable) Constraint {
	distinct := make([]Variable, 0, len(literals))
	seen := make(map[Variable]bool, len(literals))
	for _, v := range literals {
		if seen[v.Not()] {
			return m.addRow(Row{Name: name, Lo: NoLower, Hi: NoUpper})
		}
		if !seen[v] {
			seen[v] = true
			distinct = append(distinct, v)
		}
		if v.id >= 1 && v.id <= len(m.domains) && !m.domains[v.Index()].IsBool() {
			m.fail("clause %q: %q is not Boolean", name, m.domains[v.Index()].Name)
		}
	}
	return m.AtLeast(name, Sum(distinct...), 1)
}

// Minimize sets the objective. A second objective replaces the first.
func (m *Model) Minimize(e Expr) { m.optimise(Min, e) }

// Maximize sets the objective. A second objective replaces the first.
func (m *Model) Maximize(e Expr) { m.optimise(Max, e) }

func (m *Model) optimise(sense Sense, e Expr) {
	terms, constant, err := m.normalise(e)
	if err != nil {
		m.fail("objective: %w", err)
	}
	m.objective = Objective{Sense: sense, Terms: terms, Constant: constant}
}

// Err is the first build error, or nil.
func (m *Model) Err() error { return m.err }

// Name is the name of the model.
func (m *Model) Name() string { return m.name }

// Notes are the lines added by Note.
func (m *Model) Notes() []string { return slices.Clone(m.notes) }

// NumTerms is the number of coefficients in all rows.
func (m *Model) NumTerms() int {
	n := 0
	for _, r := range m.rows {
		n += len(r.Terms)
	}
	return n
}

// NumVariables is the number of variables and the length of every assignment.
func (m *Model) NumVariables() int { return len(m.domains) }

// NumConstraints is the number of rows added, those without variables included.
func (m *Model) NumConstraints() int { return len(m.rows) }

// Domain of the variable with index i.
func (m *Model) Domain(i int) Domain { return m.domains[i] }

// Variable is the handle on the variable with index i.
func (m *Model) Variable(i int) Variable { return Variable{id: i + 1} }

// Objective is the normalised objective; its terms must not be changed.
func (m *Model) Objective() Objective { return m.objective }

// Row is the row behind a handle; its terms must not be changed.
func (m *Model) Row(c Constraint) Row { return m.rows[c.Index()] }

// Rows yields every row that has variables and can bind, in the order added: what a
// backend has to encode. Rows without variables are settled at build time, see
// Contradiction.
func (m *Model) Rows() iter.Seq2[Constraint, Row] {
	return func(yield func(Constraint, Row) bool) {
		for i, r := range m.rows {
			if len(r.Terms) == 0 || r.Lo == NoLower && r.Hi == NoUpper {
				continue
			}
			if !yield(m.handle(i), r) {
				return
			}
		}
	}
}

// Contradiction is the first row without variables that cannot hold ("0 ≥ 1"), if
// there is one. A backend that meets one answers Infeasible without a search.
func (m *Model) Contradiction() (Constraint, bool) {
	if m.contradiction == 0 {
		return Constraint{}, false
	}
	return m.handle(m.contradiction - 1), true
}

func (m *Model) handle(i int) Constraint {
	return Constraint{id: i + 1, name: m.rows[i].Name}
}

func (m *Model) addRow(r Row) Constraint {
	m.rows = append(m.rows, r)
	if len(r.Terms) == 0 && (r.Lo > 0 || r.Hi < 0) && m.contradiction == 0 {
		m.contradiction = len(m.rows)
	}
	return m.handle(len(m.rows) - 1)
}

func (m *Model) fail(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf("model %q: %w", m.name, fmt.Errorf(format, args...))
	}
}
