package encode_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"partita/formulation/encode"
	"partita/solver"
	"partita/solver/path"
	"partita/solver/path/pathtest"
	"partita/solver/sat"
)

// fake is the SAT backend with its answers changed on the way.
type fake struct {
	solver.Backend
	calls  int
	change func(call int, r solver.Result, err error) (solver.Result, error)
	before func(call int)
}

func (f *fake) Solve(ctx context.Context, m *solver.Model, opts solver.Options) (solver.Result, error) {
	f.calls++
	if f.before != nil {
		f.before(f.calls)
	}
	r, err := f.Backend.Solve(ctx, m, opts)
	if f.change != nil {
		return f.change(f.calls, r, err)
	}
	return r, err
}

// small is a problem that the SAT backend takes a few calls for.
func small() (*path.Problem, path.Value) {
	f := pathtest.Family{Layers: 8, Pools: []int{3, 3}, MaxDegree: 2, Phase: path.Phase{Sum: 1, Rate: 3}, Send: true, Prefill: true, Balance: 60}
	p := f.Problem(5)
	_, v, ok := path.BruteForce(p)
	if !ok {
		panic("the family has no solution")
	}
	return p, v
}

func TestSolveSmall(t *testing.T) {
	p, want := small()
	r, err := encode.Solve(t.Context(), p, sat.New(), encode.Options{})
	if err != nil || r.Status != solver.Optimal || r.Value.Objective != want.Objective {
		t.Fatalf("%+v, %v; want %d", r, err, want.Objective)
	}
	again, err := encode.Solve(t.Context(), p, sat.New(), encode.Options{})
	if err != nil || !slices.Equal(again.Stages, r.Stages) || again.Calls != r.Calls || again.Nodes != r.Nodes {
		t.Errorf("a second run gave %+v, %v after %+v", again, err, r)
	}
}

// TestIncumbentIsReproduced: with the optimum handed in the backend still answers for
// it itself, and a backend that denies it is found out.
func TestIncumbentIsReproduced(t *testing.T) {
	p, want := small()
	best, _, _ := path.BruteForce(p)
	r, err := encode.Solve(t.Context(), p, sat.New(), encode.Options{Incumbent: best})
	if err != nil || r.Status != solver.Optimal || r.Calls == 0 || r.Value.Objective != want.Objective {
		t.Errorf("%+v, %v", r, err)
	}
	liar := &fake{Backend: sat.New(), change: func(_ int, _ solver.Result, err error) (solver.Result, error) {
		return solver.Result{Status: solver.Infeasible}, err
	}}
	for _, start := range [][]path.Stage{nil, best} {
		r, err = encode.Solve(t.Context(), p, liar, encode.Options{Incumbent: start})
		if err != nil || r.Status != solver.NumericalError || r.Stages == nil {
			t.Errorf("a backend that denies every path: %+v, %v", r, err)
		}
	}
}

func TestIncumbentMustBeASolution(t *testing.T) {
	p, _ := small()
	_, err := encode.Solve(t.Context(), p, sat.New(), encode.Options{Incumbent: []path.Stage{{From: 0, To: 1}}})
	var bad *path.Infraction
	if !errors.As(err, &bad) {
		t.Errorf("error %v does not name what is wrong with the incumbent", err)
	}
}

// TestWrongPoint: a point that breaks the model is no answer.
func TestWrongPoint(t *testing.T) {
	p, _ := small()
	wrong := &fake{Backend: sat.New(), change: func(_ int, r solver.Result, err error) (solver.Result, error) {
		for i := range r.Incumbent {
			r.Incumbent[i] = 1
		}
		return r, err
	}}
	r, err := encode.Solve(t.Context(), p, wrong, encode.Options{})
	if err != nil || r.Status != solver.NumericalError {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestBackendFails(t *testing.T) {
	p, _ := small()
	broken := errors.New("no licence")
	b := &fake{Backend: sat.New(), change: func(int, solver.Result, error) (solver.Result, error) { return solver.Result{}, broken }}
	if _, err := encode.Solve(t.Context(), p, b, encode.Options{}); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}

// TestImpatience: a backend that runs out of time on a box that can be split gets its
// parts, and the answer is the same.
func TestImpatience(t *testing.T) {
	p, want := small()
	late := 0
	b := &fake{Backend: sat.New(), change: func(call int, r solver.Result, err error) (solver.Result, error) {
		if call == 1 {
			late++
			return solver.Result{Status: solver.TimeLimit}, nil
		}
		return r, err
	}}
	r, err := encode.Solve(t.Context(), p, b, encode.Options{})
	if err != nil || r.Status != solver.Optimal || r.Value.Objective != want.Objective || late != 1 {
		t.Errorf("%+v, %v after %d late answers", r, err, late)
	}
}

// TestCancel: before the start nothing is called; in the middle the incumbent and a
// bound come back that do not contradict the optimum.
func TestCancel(t *testing.T) {
	p, want := small()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	b := &fake{Backend: sat.New()}
	r, err := encode.Solve(ended, p, b, encode.Options{})
	if err != nil || r.Status != solver.Interrupted || b.calls != 0 || r.HasBound {
		t.Errorf("cancelled before: %+v, %v, %d calls", r, err, b.calls)
	}
	for at := 1; at <= 3; at++ {
		ctx, cancel := context.WithCancel(t.Context())
		b := &fake{Backend: sat.New(), before: func(call int) {
			if call == at {
				cancel()
			}
		}}
		r, err := encode.Solve(ctx, p, b, encode.Options{})
		cancel()
		if err != nil || b.calls < at && r.Status != solver.Optimal || b.calls >= at && r.Status != solver.Interrupted && r.Status != solver.Optimal {
			t.Fatalf("cancelled at call %d: %+v, %v", at, r, err)
		}
		if r.Stages != nil && r.Value.Objective < want.Objective || r.HasBound && r.Bound > want.Objective {
			t.Errorf("cancelled at call %d: value %d, bound %d, optimum %d", at, r.Value.Objective, r.Bound, want.Objective)
		}
	}
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	if r, err := encode.Solve(late, p, b, encode.Options{}); err != nil || r.Status != solver.TimeLimit {
		t.Errorf("past the deadline: %+v, %v", r, err)
	}
}

// TestNothingRuns: an interval that no option covers is an answer, not an error.
func TestNothingRuns(t *testing.T) {
	p, _ := small()
	for i := range p.Class {
		p.Class[i] = -1
	}
	if r, err := encode.Solve(t.Context(), p, sat.New(), encode.Options{}); err != nil || r.Status != solver.Infeasible {
		t.Errorf("%+v, %v", r, err)
	}
}
