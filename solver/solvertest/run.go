package solvertest

import (
	"context"
	"testing"
	"time"

	"partita/solver"
)

// Run puts a backend through the suite. fresh is called once a subtest.
func Run(t *testing.T, fresh func() solver.Backend) {
	t.Helper()
	for _, c := range instances() {
		t.Run("Instance/"+c.name, func(t *testing.T) { runInstance(t, fresh(), c) })
	}
	t.Run("Unbounded", func(t *testing.T) { unbounded(t, fresh()) })
	t.Run("Cutoff", func(t *testing.T) { cutoffs(t, fresh()) })
	t.Run("RawCutoff", func(t *testing.T) { rawCutoff(t, fresh()) })
	t.Run("Hint", func(t *testing.T) { hints(t, fresh()) })
	t.Run("Decide", func(t *testing.T) { decide(t, fresh()) })
	t.Run("BuildError", func(t *testing.T) { buildError(t, fresh()) })
	t.Run("CancelledBefore", func(t *testing.T) { cancelledBefore(t, fresh()) })
	t.Run("CancelledInTheMiddle", func(t *testing.T) { cancelledInTheMiddle(t, fresh()) })
	t.Run("CancelledWithIncumbent", func(t *testing.T) { cancelledWithIncumbent(t, fresh()) })
	t.Run("CancelledWhileBuilding", func(t *testing.T) { cancelledWhileBuilding(t, fresh()) })
	t.Run("DeadlineInTheMiddle", func(t *testing.T) { deadlineInTheMiddle(t, fresh()) })
	t.Run("UsableAfterCancel", func(t *testing.T) { usableAfterCancel(t, fresh()) })
	t.Run("Repeatable", func(t *testing.T) { repeatable(t, fresh) })
	t.Run("Random", func(t *testing.T) { random(t, fresh(), RandomModel) })
	t.Run("RandomPath", func(t *testing.T) { random(t, fresh(), RandomPath) })
	if _, ok := fresh().(solver.Conflicter); ok {
		t.Run("Conflict", func(t *testing.T) { conflicts(t, fresh().(solver.Conflicter)) })
	}
}

// patience bounds a subtest whose backend hangs. No test depends on its size.
const patience = 60 * time.Second

func withPatience(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func solve(t *testing.T, m *solver.Model, b solver.Backend, opts solver.Options) solver.Result {
	t.Helper()
	r, err := solver.Solve(withPatience(t), m, b, opts)
	if err != nil {
		t.Fatalf("Solve: %v", err)
	}
	return r
}

func runInstance(t *testing.T, b solver.Backend, c instance) {
	m := c.build()
	r := solve(t, m, b, solver.Options{})
	if r.Status != c.status {
		t.Fatalf("status %v (%s), want %v", r.Status, r.RawStatus, c.status)
	}
	if c.status != solver.Optimal {
		if r.Point != solver.NoSolution || r.HasBound {
			t.Errorf("a %v model has point %v, bound %v", r.Status, r.Point, r.HasBound)
		}
		return
	}
	checkOptimal(t, m, r, c.objective)
}

func checkOptimal(t *testing.T, m *solver.Model, r solver.Result, objective int64) {
	t.Helper()
	if r.Status != solver.Optimal || r.Point != solver.Feasible {
		t.Fatalf("got %v, %v (%s), want an optimum of %d", r.Status, r.Point, r.RawStatus, objective)
	}
	value, violations := m.Check(r.Incumbent)
	if len(violations) > 0 {
		t.Fatalf("the incumbent is infeasible: %v", violations)
	}
	if r.Objective != value || value != objective {
		t.Fatalf("objective %d, of the incumbent %d, want %d", r.Objective, value, objective)
	}
	if m.Objective().Sense == solver.NoObjective {
		return
	}
	if gap, ok := r.Gap(); !ok || gap != 0 {
		t.Errorf("an optimal result has gap %v, %v", gap, ok)
	}
}
