package encode_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"partita/formulation/encode"
	"partita/solver"
	"partita/solver/lpsolve"
	"partita/solver/path"
	"partita/solver/path/pathtest"
	"partita/solver/solvertest"
)

// many is a problem that lp_solve takes some thirty calls for, and its optimum.
func many(t *testing.T) (*path.Problem, int64) {
	t.Helper()
	f := pathtest.Family{Layers: 16, Pools: []int{4, 4, 8}, MaxDegree: 4, Phase: path.Phase{Sum: 1, Peak: 1}, Send: true}
	p := f.Problem(2)
	r, err := path.Solve(t.Context(), p, path.Options{})
	if err != nil || r.Status != solver.Optimal {
		t.Fatalf("labels: %v, %v", r.Status, err)
	}
	return p, r.Value.Objective
}

// inWorkers is lp_solve with workers that start from now on.
func inWorkers(t *testing.T) solver.Backend {
	t.Helper()
	b, err := lpsolve.New()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// TestSearchSurvivesWorkers: however workers break down in the middle of a search, it
// goes on with others to the same optimum.
func TestSearchSurvivesWorkers(t *testing.T) {
	p, want := many(t)
	for _, c := range []struct {
		fault     solvertest.Fault
		nth, most int
	}{
		{solvertest.Kill, 2, 2}, {solvertest.Kill, 9, 1},
		{solvertest.Kill, 3, 0}, // each worker answers once
		{solvertest.Exit, 4, 0}, {solvertest.Garbage, 4, 0}, {solvertest.Twice, 4, 0},
		{solvertest.Hang, 5, 1}, // until patience with its box is over
	} {
		t.Run(fmt.Sprintf("%s/%d/%d", c.fault, c.nth, c.most), func(t *testing.T) {
			solvertest.Break(t, c.fault, c.nth, c.most)
			r, err := encode.Solve(t.Context(), p, inWorkers(t), encode.Options{})
			if err != nil || r.Status != solver.Optimal || r.Value.Objective != want || r.Bound != want {
				t.Errorf("%+v, %v; want %d", r, err, want)
			}
			if n := solvertest.Faults(t); n == 0 || c.most > 0 && n != c.most {
				t.Errorf("%d faults, want %d", n, c.most)
			}
		})
	}
}

// TestSearchWithoutWorkers: where no worker survives a program the search ends with
// what it knows, and says why.
func TestSearchWithoutWorkers(t *testing.T) {
	p, want := many(t)
	for _, fault := range []solvertest.Fault{solvertest.Kill, solvertest.Garbage} {
		solvertest.Break(t, fault, 2, 0)
		r, err := encode.Solve(t.Context(), p, inWorkers(t), encode.Options{})
		if err != nil || r.Status != solver.Crashed || r.Why == "" {
			t.Fatalf("%s: %+v, %v; want crashed", fault, r, err)
		}
		if !r.HasBound || r.Bound > want || r.Stages == nil || r.Value.Objective < want {
			t.Errorf("%s: value %d, bound %d of an optimum of %d", fault, r.Value.Objective, r.Bound, want)
		}
	}
}

// TestSearchOverHangingWorkers: every call hangs, and the context ends the search with
// incumbent and bound.
func TestSearchOverHangingWorkers(t *testing.T) {
	p, want := many(t)
	for _, c := range []struct {
		end    func() (context.Context, context.CancelFunc)
		status solver.Status
	}{
		{func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(t.Context(), 2*time.Second) // the first plan needs a moment
		}, solver.TimeLimit},
		{func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(t.Context())
			solvertest.AtFault(t, cancel)
			return ctx, cancel
		}, solver.Interrupted},
	} {
		solvertest.Break(t, solvertest.Hang, 2, 0)
		b := inWorkers(t)
		ctx, cancel := c.end()
		r, err := encode.Solve(ctx, p, b, encode.Options{})
		cancel()
		if err != nil || r.Status != c.status || !r.HasBound || r.Bound > want || r.Stages == nil || r.Value.Objective < want {
			t.Errorf("%+v, %v; want %v and bounds around %d", r, err, c.status, want)
		}
	}
}
