package solvertest

import (
	"context"
	"testing"
	"time"

	"partita/solver"
)

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

// splitRows of a market split; splitMost is more than any of them is off.
const (
	splitRows = 4
	splitMost = 4000
)

// marketSplit is Σ a_ij·x_j = d_i with d half of the row sum (Cornuéjols and Dawande
// 1999): branch and bound enumerates, and so does clause learning. Four rows of 40
// variables keep every backend busy for much longer than a test waits. With slack each
// row may be off by up to so much in either direction, which is what is minimised.
func marketSplit(slack int64) *solver.Model {
	const columns = 40
	m := solver.New("market split")
	x := make([]solver.Variable, columns)
	for j := range x {
		x[j] = m.Bool("")
	}
	state := uint32(1) // a linear congruential generator (Numerical Recipes): fixed data
	var off solver.Expr
	rows := make([]solver.Expr, splitRows)
	sides := make([]int64, splitRows)
	for i := range rows {
		var e solver.Expr
		total := int64(0)
		for _, v := range x {
			state = state*1664525 + 1013904223
			a := int64(state>>16) % 100
			e = e.Add(a, v)
			total += a
		}
		rows[i], sides[i] = e, total/2
	}
	for i, e := range rows {
		if slack > 0 {
			less, more := m.Int("", 0, slack), m.Int("", 0, slack)
			e = e.Add(1, less).Add(-1, more)
			off = off.Add(1, less).Add(1, more)
		}
		m.Equal("split", e, sides[i])
	}
	if slack == 0 {
		off = solver.Sum(x...)
	}
	m.Minimize(off)
	return m
}

// soon is when a running solve is interrupted: after it has begun, long before it can
// end.
const soon = 50 * time.Millisecond

func cancelledInTheMiddle(t *testing.T, b solver.Backend) {
	ctx, cancel := context.WithCancel(withPatience(t))
	defer cancel()
	time.AfterFunc(soon, cancel)
	r, err := solver.Solve(ctx, marketSplit(0), b, solver.Options{})
	if err != nil || r.Status != solver.Interrupted {
		t.Errorf("%v (%s), %v; want interrupted", r.Status, r.RawStatus, err)
	}
	if !r.HasBound || r.BestBound < 0 {
		t.Errorf("bound %d, %v: the domains alone say 0", r.BestBound, r.HasBound)
	}
}

// cancelledWithIncumbent: what was known before is known after, with a bound.
func cancelledWithIncumbent(t *testing.T, b solver.Backend) {
	m := marketSplit(splitMost)
	hint := make([]int64, m.NumVariables())
	for c, r := range m.Rows() {
		hint[m.NumVariables()-2*splitRows+2*c.Index()] = r.Hi
	}
	start, violations := m.Check(hint)
	if len(violations) > 0 {
		t.Fatalf("the hint is no solution: %v", violations)
	}
	for _, end := range []func() (context.Context, context.CancelFunc, solver.Status){
		func() (context.Context, context.CancelFunc, solver.Status) {
			ctx, cancel := context.WithCancel(withPatience(t))
			time.AfterFunc(soon, cancel)
			return ctx, cancel, solver.Interrupted
		},
		func() (context.Context, context.CancelFunc, solver.Status) {
			ctx, cancel := context.WithTimeout(t.Context(), soon)
			return ctx, cancel, solver.TimeLimit
		},
		func() (context.Context, context.CancelFunc, solver.Status) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			return ctx, cancel, solver.Interrupted
		},
	} {
		ctx, cancel, want := end()
		r, err := solver.Solve(ctx, m, b, solver.Options{Hint: hint})
		cancel()
		if err != nil || r.Status != want || r.Point != solver.Feasible {
			t.Errorf("%v (%s), %v, %v; want %v with a point", r.Status, r.RawStatus, r.Point, err, want)
			continue
		}
		value, violations := m.Check(r.Incumbent)
		if len(violations) > 0 || value != r.Objective || value > start {
			t.Errorf("incumbent of %d, said %d, after %d: %v", value, r.Objective, start, violations)
		}
		if !r.HasBound || r.BestBound < 0 || r.BestBound > value {
			t.Errorf("bound %d, %v of an incumbent of %d", r.BestBound, r.HasBound, value)
		}
	}
}

// cancelledWhileBuilding: a model of tens of thousands of variables is still being
// translated when the context ends.
func cancelledWhileBuilding(t *testing.T, b solver.Backend) {
	m := Family{Layers: 100, Pools: 4, Units: 6, Degrees: []int{1, 2, 4}}.Model()
	for _, after := range []time.Duration{0, soon / 50, soon / 5, soon} {
		ctx, cancel := context.WithCancel(withPatience(t))
		time.AfterFunc(after, cancel)
		r, err := solver.Solve(ctx, m, b, solver.Options{})
		if err != nil || r.Status != solver.Interrupted && r.Status != solver.Optimal {
			t.Errorf("after %v: %v (%s), %v; want interrupted", after, r.Status, r.RawStatus, err)
		}
		cancel()
	}
}

func deadlineInTheMiddle(t *testing.T, b solver.Backend) {
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	m := marketSplit(0)
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
		if _, err := solver.Solve(ctx, marketSplit(0), b, solver.Options{}); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
	checkOptimal(t, choices(), solve(t, choices(), b, solver.Options{}), 40)
}
