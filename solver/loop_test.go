package solver_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"partita/solver"
)

// scripted answers raw calls from a list and notes the cutoffs it was given.
type scripted struct {
	answers   []solver.Result
	optimises bool
	cutoffs   []int64 // -1 for none
	err       error
	onCall    func()
}

func (s *scripted) Name() string { return "scripted" }
func (s *scripted) Capabilities() solver.Capabilities {
	return solver.Capabilities{Integers: true, Optimises: s.optimises}
}
func (s *scripted) Solve(_ context.Context, _ *solver.Model, opts solver.Options) (solver.Result, error) {
	if s.onCall != nil {
		s.onCall()
	}
	cutoff := int64(-1)
	if opts.Cutoff != nil {
		cutoff = *opts.Cutoff
	}
	s.cutoffs = append(s.cutoffs, cutoff)
	if s.err != nil {
		return solver.Result{}, s.err
	}
	answer := s.answers[0]
	s.answers = s.answers[1:]
	return answer, nil
}

func at(x int64) solver.Result {
	return solver.Result{Status: solver.Optimal, Point: solver.Feasible, Incumbent: []int64{x}, RawStatus: "OPTIMAL"}
}

var none = solver.Result{Status: solver.Infeasible, RawStatus: "INFEASIBLE"}

// line is min x over 3 ≤ x ≤ 20, with the lower end as a row: the domain says 0.
func line() *solver.Model {
	m := solver.New("line")
	x := m.Int("x", 0, 20)
	m.AtLeast("at least three", solver.Sum(x), 3)
	m.Minimize(solver.Sum(x))
	return m
}

func TestLoop(t *testing.T) {
	number := func(v int64) *int64 { return &v }
	for _, c := range []struct {
		name      string
		backend   scripted
		opts      solver.Options
		status    solver.Status
		objective int64 // -1: no point
		bound     int64 // -1: none
		cutoffs   []int64
		raw       string
	}{
		{"optimum, then refuted", scripted{optimises: true, answers: []solver.Result{at(3), none}}, solver.Options{},
			solver.Optimal, 3, 3, []int64{-1, 3}, ""},
		{"wrong optimum is found out", scripted{optimises: true, answers: []solver.Result{at(8), at(3), none}}, solver.Options{},
			solver.Optimal, 3, 3, []int64{-1, 8, 3}, ""},
		{"infeasible point", scripted{optimises: true, answers: []solver.Result{at(2)}}, solver.Options{},
			solver.NumericalError, -1, 0, []int64{-1}, "at least three: 2, not ≥ 3"},
		{"point outside its domain after a good one", scripted{optimises: true, answers: []solver.Result{at(5), at(-4)}}, solver.Options{},
			solver.NumericalError, 5, 0, []int64{-1, 5}, "x: -4"},
		{"point that ignores the cutoff", scripted{optimises: true, answers: []solver.Result{at(5), at(5)}}, solver.Options{},
			solver.NumericalError, 5, 0, []int64{-1, 5}, "cutoff"},
		{"claim without a point", scripted{optimises: true, answers: []solver.Result{{Status: solver.Optimal}}}, solver.Options{},
			solver.NumericalError, -1, 0, []int64{-1}, ""},
		{"infeasible", scripted{optimises: true, answers: []solver.Result{none}}, solver.Options{},
			solver.Infeasible, -1, -1, []int64{-1}, ""},
		{"time limit with an incumbent", scripted{optimises: true, answers: []solver.Result{at(5), {Status: solver.TimeLimit}}}, solver.Options{},
			solver.TimeLimit, 5, 0, []int64{-1, 5}, ""},
		{"cutoff", scripted{optimises: true, answers: []solver.Result{none}}, solver.Options{Cutoff: number(3)},
			solver.Infeasible, -1, 3, []int64{3}, ""},
		{"cutoff below the domain needs no call", scripted{optimises: true}, solver.Options{Cutoff: number(0)},
			solver.Infeasible, -1, 0, nil, ""},
		{"wild cutoff", scripted{optimises: true, answers: []solver.Result{at(3), none}}, solver.Options{Cutoff: number(1<<63 - 1)},
			solver.Optimal, 3, 3, []int64{1 << 61, 3}, ""},
		{"hint becomes the incumbent", scripted{optimises: true, answers: []solver.Result{none}}, solver.Options{Hint: []int64{3}},
			solver.Optimal, 3, 3, []int64{3}, ""},
		{"useless hint", scripted{optimises: true, answers: []solver.Result{at(3), none}}, solver.Options{Hint: []int64{1}},
			solver.Optimal, 3, 3, []int64{-1, 3}, ""},
		// Any point will do: the step below the incumbent doubles with every point, down
		// to half of what is left, and a refutation raises the bound.
		{"driven down", scripted{answers: []solver.Result{at(20), at(17), at(12), at(5), none, at(3)}}, solver.Options{},
			solver.Optimal, 3, 3, []int64{-1, 19, 14, 6, 3, 4}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := solver.Solve(t.Context(), line(), &c.backend, c.opts)
			if err != nil {
				t.Fatal(err)
			}
			if r.Status != c.status || !strings.Contains(r.RawStatus, c.raw) {
				t.Errorf("status %v (%s), want %v (%s)", r.Status, r.RawStatus, c.status, c.raw)
			}
			if got := (r.Point == solver.Feasible); got != (c.objective >= 0) || got && r.Objective != c.objective {
				t.Errorf("%v %d, want %d", r.Point, r.Objective, c.objective)
			}
			if r.HasBound != (c.bound >= 0) || r.HasBound && r.BestBound != c.bound {
				t.Errorf("bound %d %v, want %d", r.BestBound, r.HasBound, c.bound)
			}
			if len(c.backend.cutoffs) != len(c.cutoffs) || r.Calls != len(c.cutoffs) {
				t.Fatalf("%d calls with cutoffs %v, want %v", r.Calls, c.backend.cutoffs, c.cutoffs)
			}
			for i, got := range c.backend.cutoffs {
				if got != c.cutoffs[i] {
					t.Fatalf("cutoffs %v, want %v", c.backend.cutoffs, c.cutoffs)
				}
			}
		})
	}
}

func TestLoopStopsBetweenCalls(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b := &scripted{optimises: true, answers: []solver.Result{at(5), at(4)}, onCall: cancel}
	r, err := solver.Solve(ctx, line(), b, solver.Options{})
	if err != nil || r.Status != solver.Interrupted || r.Objective != 5 || len(b.cutoffs) != 1 {
		t.Errorf("%v, %d after %d calls, %v; want the first point and Interrupted", r.Status, r.Objective, len(b.cutoffs), err)
	}
	if gap, ok := r.Gap(); !ok || gap != 1 {
		t.Errorf("gap %v, %v; 5 over the domain bound 0", gap, ok)
	}
}

func TestLoopPassesErrorsOn(t *testing.T) {
	broken := errors.New("no such program")
	_, err := solver.Solve(t.Context(), line(), &scripted{err: broken}, solver.Options{})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), `scripted on model "line"`) {
		t.Errorf("error %v", err)
	}
}

func TestWriteCapabilities(t *testing.T) {
	var b strings.Builder
	err := solver.WriteCapabilities(&b, []solver.Described{
		{Name: "z", Capabilities: solver.Capabilities{Integers: true, Needs: "cgo", GoodAt: "paths"}},
		{Name: "a", Capabilities: solver.Capabilities{Exact: true, Needs: "nothing", GoodAt: "all"}},
	})
	want := `| backend | integers | unbounded | optimises | exact refutation | keeps state | conflicts | needs | good at |
|---|---|---|---|---|---|---|---|---|
| a | – | – | – | yes | – | – | nothing | all |
| z | yes | – | – | – | – | – | cgo | paths |
`
	if err != nil || b.String() != want {
		t.Errorf("%v\n%s", err, b.String())
	}
}
