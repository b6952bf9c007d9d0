// Package bruteforce solves tiny integer models by trying every assignment. It is
// the oracle that the other backends are tested against: short enough to be read
// in one go, exact, and without any cleverness beyond leaving out values by which a
// row can no longer be met.
package bruteforce

import (
	"context"

	"partita/solver"
)

// Backend is the exhaustive solver. It has no state.
type Backend struct{}

// New is the exhaustive backend.
func New() Backend { return Backend{} }

// Name is "bruteforce".
func (Backend) Name() string { return "bruteforce" }

// Capabilities of the exhaustive search.
func (Backend) Capabilities() solver.Capabilities {
	return solver.Capabilities{
		Integers: true, Optimises: true, Exact: true,
		Needs: "nothing", GoodAt: "models of some twenty Booleans; the oracle of the tests",
	}
}

// Solve enumerates the assignments in lexicographic order, variables in model order,
// and returns the first of the best ones within the cutoff.
func (b Backend) Solve(ctx context.Context, m *solver.Model, opts solver.Options) (solver.Result, error) {
	if m.Err() != nil {
		return solver.Result{}, m.Err()
	}
	if _, clash := m.Contradiction(); clash {
		return solver.Result{Status: solver.Infeasible, RawStatus: "a row without variables cannot hold"}, nil
	}
	for i := range m.NumVariables() {
		if !m.Domain(i).Bounded() {
			return solver.Result{Status: solver.Unsupported, RawStatus: "variable " + m.Domain(i).Name + " has no bound"}, nil
		}
	}
	s := newSearch(ctx, m, opts)
	s.stopped = ctx.Err() != nil
	if !s.stopped {
		s.branch(0)
	}
	return s.answer(), nil
}

// ctxEvery is how many nodes pass between two looks at the context: some 50 µs.
const ctxEvery = 1024

type search struct {
	ctx     context.Context
	m       *solver.Model
	rows    []row
	uses    [][]use // by variable: where it occurs
	values  []int64
	best    []int64
	beat    int64 // sign · objective to stay below
	limited bool  // beat means something
	sign    int64
	nodes   int
	found   bool
	stopped bool // the context ended
}

// row keeps its activity: the sum of what is assigned, and the least and the most
// that the rest can add.
type row struct {
	lo, hi         int64
	sum, low, high int64
}

type use struct {
	row  int
	coef int64
}

// The objective is row 0; its upper end follows beat.
func newSearch(ctx context.Context, m *solver.Model, opts solver.Options) *search {
	s := &search{ctx: ctx, m: m, sign: 1, values: make([]int64, m.NumVariables()), uses: make([][]use, m.NumVariables())}
	obj := m.Objective()
	if obj.Sense == solver.Max {
		s.sign = -1
	}
	s.add(obj.Terms, s.sign, solver.NoLower, solver.NoUpper)
	s.rows[0].sum = s.sign * obj.Constant
	for _, r := range m.Rows() {
		s.add(r.Terms, 1, r.Lo, r.Hi)
	}
	if opts.Cutoff != nil && obj.Sense != solver.NoObjective {
		s.beat, s.limited = s.sign**opts.Cutoff, true
	}
	return s
}

func (s *search) add(terms []solver.Coef, sign, lo, hi int64) {
	r := row{lo: lo, hi: hi}
	for _, t := range terms {
		d, c := s.m.Domain(t.Var), sign*t.Value
		r.low += min(c*d.Lo, c*d.Hi)
		r.high += max(c*d.Lo, c*d.Hi)
		s.uses[t.Var] = append(s.uses[t.Var], use{len(s.rows), c})
	}
	s.rows = append(s.rows, r)
}

// branch assigns the variables from i on; false stops the whole search.
func (s *search) branch(i int) bool {
	if s.nodes++; s.nodes%ctxEvery == 0 && s.ctx.Err() != nil {
		s.stopped = true
		return false
	}
	if !s.open() {
		return true
	}
	if i == len(s.values) {
		s.best, s.found = append(s.best[:0], s.values...), true
		s.beat, s.limited = s.rows[0].sum, true
		return s.m.Objective().Sense != solver.NoObjective
	}
	d := s.m.Domain(i)
	s.free(i, d, -1)
	defer s.free(i, d, +1)
	lo, hi := s.narrow(i, d)
	for x := lo; x <= hi; x++ {
		s.assign(i, x)
		goOn := s.branch(i + 1)
		s.assign(i, -x)
		if !goOn {
			return false
		}
	}
	return true
}

// narrow is the part of a domain that no row excludes outright, given what has been
// assigned and at best for the rest.
func (s *search) narrow(i int, d solver.Domain) (lo, hi int64) {
	lo, hi = d.Lo, d.Hi
	for _, u := range s.uses[i] {
		r := s.rows[u.row]
		if r.hi != solver.NoUpper { // coef·x ≤ room
			room := r.hi - r.sum - r.low
			if u.coef > 0 {
				hi = min(hi, floorDiv(room, u.coef))
			} else {
				lo = max(lo, -floorDiv(room, -u.coef))
			}
		}
		if r.lo != solver.NoLower { // coef·x ≥ need
			need := r.lo - r.sum - r.high
			if u.coef > 0 {
				lo = max(lo, -floorDiv(-need, u.coef))
			} else {
				hi = min(hi, floorDiv(-need, -u.coef))
			}
		}
	}
	return lo, hi
}

// floorDiv is ⌊a/d⌋ for d > 0.
func floorDiv(a, d int64) int64 {
	q := a / d
	if a%d < 0 {
		q--
	}
	return q
}

// open reports whether every row, the objective among them, can still be met.
func (s *search) open() bool {
	if o := s.rows[0]; s.limited && s.m.Objective().Sense != solver.NoObjective && o.sum+o.low >= s.beat {
		return false
	}
	for _, r := range s.rows[1:] {
		if r.sum+r.low > r.hi || r.sum+r.high < r.lo {
			return false
		}
	}
	return true
}

// free takes variable i out of what the rest of its rows can add, or puts it back.
func (s *search) free(i int, d solver.Domain, direction int64) {
	for _, u := range s.uses[i] {
		r := &s.rows[u.row]
		r.low += direction * min(u.coef*d.Lo, u.coef*d.Hi)
		r.high += direction * max(u.coef*d.Lo, u.coef*d.Hi)
	}
}

func (s *search) assign(i int, x int64) {
	for _, u := range s.uses[i] {
		s.rows[u.row].sum += u.coef * x
	}
	s.values[i] += x
}

func (s *search) answer() solver.Result {
	r := solver.Result{Calls: 1}
	if s.found {
		r.Point, r.Incumbent = solver.Feasible, s.best
		r.Objective, _ = s.m.Check(s.best)
	}
	switch {
	case s.stopped:
		r.Status, r.RawStatus = solver.ContextStatus(s.ctx), "stopped"
	case r.Point == solver.Feasible:
		r.Status, r.RawStatus = solver.Optimal, "search complete"
	default:
		r.Status, r.RawStatus = solver.Infeasible, "search complete"
	}
	return r
}
