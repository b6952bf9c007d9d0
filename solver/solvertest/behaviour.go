package solvertest

import (
	"slices"
	"testing"

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
