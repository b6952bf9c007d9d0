package lpsolve

import (
	"fmt"
	"math"

	"partita/solver"
)

// program is a model as lp_solve takes it, flat so that it goes through a pipe.
type program struct {
	ID           uint64    // which the answer repeats
	Lower, Upper []float64 // by column; ±infinite for no bound
	Rows         []programRow
	Cost         []float64 // to be minimised, one a column, not all zero
	Decision     bool      // the cost is made up: any point will do
	// TimeoutSeconds is lp_solve's own limit, whole seconds, 0 for none.
	TimeoutSeconds int
}

// programRow is Lo ≤ Σ Val[i]·column[Col[i]] ≤ Hi, never empty, no column twice.
type programRow struct {
	Col    []int32
	Val    []float64
	Lo, Hi float64
}

// answer is what lp_solve said of a program.
type answer struct {
	ID     uint64 // of the program
	Code   int    // the return code of solve(), lp_solve reference guide
	Name   string
	Values []float64
	Fault  string // the worker could not run it
}

// exactly is where sums have to end: up to 2⁵³ every integer is a float64.
const exactly = 1 << 53

// newProgram translates a model; unsupported says what is out of its reach.
func newProgram(m *solver.Model, opts solver.Options) (p program, unsupported string) {
	n := m.NumVariables()
	p.Lower, p.Upper = make([]float64, n), make([]float64, n)
	for i := range n {
		d := m.Domain(i)
		p.Lower[i], p.Upper[i] = bound(d.Lo), bound(d.Hi)
	}
	obj := m.Objective()
	rows := make([]solver.Row, 0, m.NumConstraints()+1)
	for _, r := range m.Rows() {
		rows = append(rows, r)
	}
	if opts.Cutoff != nil && obj.Sense != solver.NoObjective {
		rows = append(rows, cutoffRow(obj, *opts.Cutoff))
	}
	for _, r := range rows {
		if reach(m, r.Terms) >= exactly {
			return p, fmt.Sprintf("row %q can reach 2^53, where float64 stops being exact; scale the data down", r.Name)
		}
		p.Rows = append(p.Rows, newRow(r.Reduced()))
	}
	if reach(m, obj.Terms) >= exactly {
		return p, "the objective can reach 2^53, where float64 stops being exact; scale the data down"
	}
	p.Cost = make([]float64, n)
	for _, t := range obj.Terms {
		p.Cost[t.Var] = float64(t.Value)
		if obj.Sense == solver.Max {
			p.Cost[t.Var] = -p.Cost[t.Var]
		}
	}
	if len(obj.Terms) == 0 {
		p.Decision = true
		p.pushToBounds()
	}
	return p, ""
}

// pushToBounds makes up a cost for a model that has none: lp_solve can run for ever
// on a zero objective. Every column is drawn towards a bound that it has.
func (p *program) pushToBounds() {
	for i := range p.Cost {
		switch {
		case !math.IsInf(p.Lower[i], -1):
			p.Cost[i] = 1
		case !math.IsInf(p.Upper[i], 1):
			p.Cost[i] = -1
		}
	}
}

// cutoffRow is "better than cutoff". The caller sees to it that a constant objective
// does not get here, since the row would be empty.
func cutoffRow(obj solver.Objective, cutoff int64) solver.Row {
	// Objectives stay within int64/4, so beyond half of that the row never binds.
	const far = math.MaxInt64 / 2
	cutoff = min(max(cutoff, -far), far)
	r := solver.Row{Name: "cutoff", Terms: obj.Terms, Lo: solver.NoLower, Hi: solver.NoUpper}
	if obj.Sense == solver.Max {
		r.Lo = cutoff + 1 - obj.Constant
	} else {
		r.Hi = cutoff - 1 - obj.Constant
	}
	return r
}

func newRow(r solver.Row) programRow {
	row := programRow{Col: make([]int32, len(r.Terms)), Val: make([]float64, len(r.Terms)), Lo: bound(r.Lo), Hi: bound(r.Hi)}
	for i, t := range r.Terms {
		row.Col[i], row.Val[i] = int32(t.Var), float64(t.Value)
	}
	return row
}

// reach is the largest magnitude that a row's left-hand side or a coefficient takes.
func reach(m *solver.Model, terms []solver.Coef) float64 {
	sum := 0.0
	for _, t := range terms {
		d := m.Domain(t.Var)
		far := 1.0
		if d.Bounded() {
			far = max(1, math.Abs(float64(d.Lo)), math.Abs(float64(d.Hi)))
		}
		sum += far * math.Abs(float64(t.Value))
	}
	return sum
}

func bound(b int64) float64 {
	switch b {
	case solver.NoLower:
		return math.Inf(-1)
	case solver.NoUpper:
		return math.Inf(1)
	}
	return float64(b)
}

// forbid adds the row that excludes one point: some Boolean differs from it. Exact
// arithmetic has found the point wrong, so no right one is lost. It reports false
// where a variable is not Boolean and such a row cannot be written.
func (p *program) forbid(point []int64) bool {
	row := programRow{Lo: 1, Hi: math.Inf(1)}
	for i, x := range point {
		switch {
		case p.Lower[i] == p.Upper[i]:
			continue
		case p.Lower[i] != 0 || p.Upper[i] != 1 || x < 0 || x > 1:
			return false
		}
		row.Col = append(row.Col, int32(i))
		row.Val = append(row.Val, float64(1-2*x))
		row.Lo -= float64(x)
	}
	if len(row.Col) == 0 {
		return false
	}
	p.Rows = append(p.Rows, row)
	return true
}
