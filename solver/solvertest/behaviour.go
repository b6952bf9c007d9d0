package solvertest

import (
	"context"
	"slices"
	"testing"
	"time"

	"partita/solver"
)

func unbounded(t *testing.T, b solver.Backend) {
	m := solver.New("unbounded")
	x := m.Int("x", 0, solver.NoUpper)
	y := m.Int("y", solver.NoLower, 5)
	m.AtMost("row", solver.Term(1, x).Add(2, y), 10)
	m.Maximize(solver.Sum(x))
	want := solver.Unsupported
	if b.Capabilities().Unbounded {
		want = solver.Unbounded
	}
	if r := solve(t, m, b, solver.Options{}); r.Status != want || r.HasBound {
		t.Errorf("status %v (%s), bound %v; want %v without a bound", r.Status, r.RawStatus, r.HasBound, want)
	}
}

// cutoffs: a cutoff one worse than the optimum leaves it, the optimum itself leaves
// nothing, in both senses.
func cutoffs(t *testing.T, b solver.Backend) {
	for _, build := range []func() *solver.Model{choices, bigKnapsack} {
		m := build()
		best := solve(t, m, b, solver.Options{}).Objective
		worse := best + 1
		if m.Objective().Sense == solver.Max {
			worse = best - 1
		}
		checkOptimal(t, m, solve(t, m, b, solver.Options{Cutoff: &worse}), best)
		r := solve(t, m, b, solver.Options{Cutoff: &best})
		if r.Status != solver.Infeasible || r.Point != solver.NoSolution {
			t.Errorf("%s: beating the optimum: %v, %v", m.Name(), r.Status, r.Point)
		}
		if !r.HasBound || r.BestBound != best {
			t.Errorf("%s: bound of a refuted cutoff: %d, %v; want %d", m.Name(), r.BestBound, r.HasBound, best)
		}
	}
}

// rawCutoff asks the backend itself: its points must beat the cutoff.
func rawCutoff(t *testing.T, b solver.Backend) {
	m := choices()
	for _, cutoff := range []int64{80, 60, 41, 40, 0, -5} {
		r, err := b.Solve(withPatience(t), m, solver.Options{Cutoff: &cutoff})
		if err != nil {
			t.Fatal(err)
		}
		if cutoff <= 40 {
			if r.Status != solver.Infeasible {
				t.Errorf("cutoff %d: %v, want infeasible", cutoff, r.Status)
			}
			continue
		}
		value, violations := m.Check(r.Incumbent)
		if r.Point != solver.Feasible || len(violations) > 0 || value >= cutoff {
			t.Errorf("cutoff %d: %v, value %d, %v", cutoff, r.Point, value, violations)
		}
	}
}

func hints(t *testing.T, b solver.Backend) {
	m := choices()
	best := solve(t, m, b, solver.Options{})
	for name, hint := range map[string][]int64{
		"optimum":    best.Incumbent,
		"infeasible": make([]int64, m.NumVariables()),
		"wrong size": {1},
	} {
		r := solve(t, m, b, solver.Options{Hint: hint})
		if r.Status != solver.Optimal || r.Objective != best.Objective {
			t.Errorf("hint %s: %v, %d; want %d", name, r.Status, r.Objective, best.Objective)
		}
	}
}

func decide(t *testing.T, b solver.Backend) {
	m := choices()
	r, err := solver.Decide(withPatience(t), m, b)
	if err != nil || r.Status != solver.Optimal {
		t.Fatalf("Decide: %v, %v", r.Status, err)
	}
	if value, violations := m.Check(r.Incumbent); len(violations) > 0 || value != r.Objective {
		t.Errorf("objective %d, of the point %d, %v", r.Objective, value, violations)
	}
	r, err = solver.Decide(withPatience(t), pigeons(4, 3), b)
	if err != nil || r.Status != solver.Infeasible {
		t.Errorf("Decide: %v, %v; want infeasible", r.Status, err)
	}
}

func buildError(t *testing.T, b solver.Backend) {
	m := solver.New("wrong")
	m.AtMost("row", solver.Sum(m.Int("x", 0, 5).Not()), 1)
	if _, err := solver.Solve(t.Context(), m, b, solver.Options{}); err == nil {
		t.Error("Solve takes a model with a build error")
	}
	if _, err := b.Solve(t.Context(), m, solver.Options{}); err == nil {
		t.Error("a raw call takes a model with a build error")
	}
}

func cancelledBefore(t *testing.T, b solver.Backend) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := solver.Solve(ctx, choices(), b, solver.Options{})
	if err != nil || r.Status != solver.Interrupted || r.Point != solver.NoSolution || r.Calls != 0 {
		t.Errorf("Solve: %v, %v, %d calls, %v", r.Status, r.Point, r.Calls, err)
	}
	r, err = b.Solve(ctx, choices(), solver.Options{})
	if err != nil || r.Status != solver.Interrupted {
		t.Errorf("raw call: %v, %v", r.Status, err)
	}
}

// marketSplit is Σ a_ij·x_j = d_i with d half of the row sum (Cornuéjols and Dawande
// 1999): branch and bound enumerates, and so does clause learning. Four rows of 40
// variables keep every backend busy for much longer than a test waits.
func marketSplit() *solver.Model {
	const rows, columns = 4, 40
	m := solver.New("market split")
	x := make([]solver.Variable, columns)
	for j := range x {
		x[j] = m.Bool("")
	}
	state := uint32(1) // a linear congruential generator (Numerical Recipes): fixed data
	for range rows {
		var e solver.Expr
		total := int64(0)
		for _, v := range x {
			state = state*1664525 + 1013904223
			a := int64(state>>16) % 100
			e = e.Add(a, v)
			total += a
		}
		m.Equal("split", e, total/2)
	}
	m.Minimize(solver.Sum(x...))
	return m
}

// soon is when a running solve is interrupted: after it has begun, long before it can
// end.
const soon = 50 * time.Millisecond

func cancelledInTheMiddle(t *testing.T, b solver.Backend) {
	ctx, cancel := context.WithCancel(withPatience(t))
	defer cancel()
	time.AfterFunc(soon, cancel)
	r, err := solver.Solve(ctx, marketSplit(), b, solver.Options{})
	if err != nil || r.Status != solver.Interrupted {
		t.Errorf("%v (%s), %v; want interrupted", r.Status, r.RawStatus, err)
	}
}

func deadlineInTheMiddle(t *testing.T, b solver.Backend) {
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	m := marketSplit()
	r, err := solver.Solve(ctx, m, b, solver.Options{})
	if err != nil || r.Status != solver.TimeLimit {
		t.Errorf("%v (%s), %v; want time limit", r.Status, r.RawStatus, err)
	}
	if !r.HasBound || r.BestBound < 0 {
		t.Errorf("bound %d, %v: the domains alone say 0", r.BestBound, r.HasBound)
	}
}

func usableAfterCancel(t *testing.T, b solver.Backend) {
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), soon/5)
		if _, err := solver.Solve(ctx, marketSplit(), b, solver.Options{}); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
	checkOptimal(t, choices(), solve(t, choices(), b, solver.Options{}), 40)
}

// repeatable: the same model gives the same point, call for call.
func repeatable(t *testing.T, fresh func() solver.Backend) {
	var first solver.Result
	for i := range 3 {
		r := solve(t, choices(), fresh(), solver.Options{})
		if i == 0 {
			first = r
			continue
		}
		if r.Calls != first.Calls || !slices.Equal(r.Incumbent, first.Incumbent) {
			t.Errorf("run %d: %v in %d calls, first %v in %d", i, r.Incumbent, r.Calls, first.Incumbent, first.Calls)
		}
	}
}
