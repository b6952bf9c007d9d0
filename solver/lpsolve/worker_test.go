package lpsolve

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partita/solver"
	"partita/solver/solvertest"
)

// knapsack is max 5a + 6b + 4c under 3a + 4b + 2c ≤ 6; the optimum is 10.
func knapsack() *solver.Model {
	m := solver.New("knapsack")
	a, b, c := m.Bool("a"), m.Bool("b"), m.Bool("c")
	m.AtMost("weight", solver.Term(3, a).Add(4, b).Add(2, c), 6)
	m.Maximize(solver.Term(5, a).Add(6, b).Add(4, c))
	return m
}

func linked(t *testing.T) {
	t.Helper()
	if !Available() {
		t.Skip("lp_solve is not linked in; -tags lpsolve")
	}
}

func TestProgram(t *testing.T) {
	m := solver.New("m")
	x, y := m.Int("x", -3, solver.NoUpper), m.Bool("y")
	m.Between("row", solver.Term(2, x).Add(4, y), -3, 9)
	m.Maximize(solver.Term(3, x).Add(-1, y).Plus(7))
	cutoff := int64(20)
	got, unsupported := newProgram(m, solver.Options{Cutoff: &cutoff})
	if unsupported != "" {
		t.Fatal(unsupported)
	}
	want := program{
		Lower: []float64{-3, 0}, Upper: []float64{math.Inf(1), 1},
		Rows: []programRow{
			{Col: []int32{0, 1}, Val: []float64{1, 2}, Lo: -1, Hi: 4},
			{Col: []int32{0, 1}, Val: []float64{3, -1}, Lo: 14, Hi: math.Inf(1)},
		},
		Cost: []float64{-3, 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestProgramRefusesLargeSums: past 2⁵³ float64 would round the data.
func TestProgramRefusesLargeSums(t *testing.T) {
	m := solver.New("m")
	m.AtMost("row", solver.Term(1<<52, m.Bool("x")).Add(1<<52+1, m.Bool("y")), 5)
	if _, unsupported := newProgram(m, solver.Options{}); !strings.Contains(unsupported, `"row"`) {
		t.Errorf("unsupported: %q", unsupported)
	}
}

// TestDecisionHasACost: lp_solve may not return from a zero objective.
func TestDecisionHasACost(t *testing.T) {
	m := solver.New("m")
	m.Bool("a")
	m.Int("b", solver.NoLower, 4)
	m.Int("c", solver.NoLower, solver.NoUpper)
	p, _ := newProgram(m, solver.Options{})
	if !p.Decision || !cmp.Equal(p.Cost, []float64{1, -1, 0}) {
		t.Errorf("decision %v, cost %v", p.Decision, p.Cost)
	}
}

func TestForbid(t *testing.T) {
	p := program{Lower: []float64{0, 0, 5}, Upper: []float64{1, 1, 5}}
	if !p.forbid([]int64{1, 0, 5}) {
		t.Fatal("a Boolean point cannot be forbidden")
	}
	// (1 - x0) + x1 ≥ 1
	want := []programRow{{Col: []int32{0, 1}, Val: []float64{-1, 1}, Lo: 0, Hi: math.Inf(1)}}
	if diff := cmp.Diff(want, p.Rows); diff != "" {
		t.Error(diff)
	}
	integer := program{Lower: []float64{0}, Upper: []float64{2}}
	if integer.forbid([]int64{1}) {
		t.Error("a row cannot exclude one value of an integer")
	}
}

func TestInterpret(t *testing.T) {
	m := knapsack()
	decision := solver.New("decision")
	decision.AtLeast("row", solver.Sum(decision.Bool("a"), decision.Bool("b")), 1)
	nine := int64(9)
	for _, c := range []struct {
		name     string
		m        *solver.Model
		opts     solver.Options
		a        answer
		status   solver.Status
		point    solver.Point
		rejected bool
	}{
		{"optimal, off by the tolerance", m, solver.Options{}, answer{Code: 0, Values: []float64{1e-9, 0.99999999, 1}}, solver.Optimal, solver.Feasible, false},
		{"optimal, infeasible point", m, solver.Options{}, answer{Code: 0, Values: []float64{1, 1, 1}}, solver.NumericalError, solver.NoSolution, true},
		{"optimal, cutoff missed", m, solver.Options{Cutoff: &nine}, answer{Code: 0, Values: []float64{1, 0, 1}}, solver.NumericalError, solver.NoSolution, true},
		{"optimal, beyond the cutoff", m, solver.Options{Cutoff: &nine}, answer{Code: 0, Values: []float64{0, 1, 1}}, solver.Optimal, solver.Feasible, false},
		{"suboptimal", m, solver.Options{}, answer{Code: 1, Values: []float64{1, 0, 1}}, solver.TimeLimit, solver.Feasible, false},
		{"suboptimal decision", decision, solver.Options{}, answer{Code: 1, Values: []float64{1, 0}}, solver.Optimal, solver.Feasible, false},
		{"timeout without a point", m, solver.Options{}, answer{Code: 7, Values: []float64{1e30, 1e30, 1e30}}, solver.TimeLimit, solver.NoSolution, false},
		{"infeasible", m, solver.Options{}, answer{Code: 2}, solver.Infeasible, solver.NoSolution, false},
		{"unbounded decision", decision, solver.Options{}, answer{Code: 3}, solver.NumericalError, solver.NoSolution, false},
		{"numerical failure", m, solver.Options{}, answer{Code: 5}, solver.NumericalError, solver.NoSolution, false},
	} {
		p, _ := newProgram(c.m, c.opts)
		r, wrong := interpret(t.Context(), c.m, c.opts, p, c.a)
		if r.Status != c.status || r.Point != c.point || (wrong != nil) != c.rejected {
			t.Errorf("%s: %v, %v, rejected %v; want %v, %v, %v", c.name, r.Status, r.Point, wrong, c.status, c.point, c.rejected)
		}
	}
}

// TestRunWorker speaks the protocol over a pipe inside the process.
func TestRunWorker(t *testing.T) {
	linked(t)
	in, toWorker := io.Pipe()
	fromWorker, out := io.Pipe()
	exit := make(chan int, 1)
	go func() { exit <- RunWorker(in, out) }()
	enc := gob.NewEncoder(toWorker)
	var word string
	if err := readFrame(fromWorker, &word); err != nil || word != protocol {
		t.Fatalf("greeting %q, %v", word, err)
	}
	p, _ := newProgram(knapsack(), solver.Options{})
	for range 3 {
		if err := enc.Encode(p); err != nil {
			t.Fatal(err)
		}
		var a answer
		if err := readFrame(fromWorker, &a); err != nil {
			t.Fatal(err)
		}
		if point, ok := round(a.Values); !ok || !cmp.Equal(point, []int64{0, 1, 1}) {
			t.Errorf("answer %+v", a)
		}
	}
	toWorker.Close()
	if code := <-exit; code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestRunWorkerRefusesNoise(t *testing.T) {
	if code := RunWorker(strings.NewReader("not gob at all"), &bytes.Buffer{}); code != 3 {
		t.Errorf("exit code %d, want 3", code)
	}
}

// inWorkers is a backend with workers of its own, all of them started from now on.
func inWorkers(t *testing.T) *Backend {
	t.Helper()
	linked(t)
	b, err := New()
	if err != nil {
		t.Fatal(err)
	}
	if b.local {
		t.Fatal("TestMain asks IsWorker, yet there are no workers")
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// TestIdleWorkerKilled: a worker that has died while it waited costs nothing.
func TestIdleWorkerKilled(t *testing.T) {
	b := inWorkers(t)
	if _, err := b.Solve(t.Context(), knapsack(), solver.Options{}); err != nil {
		t.Fatal(err)
	}
	w := b.workers.idle[0]
	w.cmd.Process.Kill()
	w.cmd.Wait()
	r, err := b.Solve(t.Context(), knapsack(), solver.Options{})
	if err != nil || r.Status != solver.Optimal || r.Objective != 10 {
		t.Errorf("after the crash: %v, %d, %v", r.Status, r.Objective, err)
	}
}

// TestWorkerBreaks: whatever a worker does instead of answering, another one answers;
// where none survives the program, that is the answer.
func TestWorkerBreaks(t *testing.T) {
	for _, fault := range []solvertest.Fault{solvertest.Kill, solvertest.Exit, solvertest.Garbage, solvertest.Twice} {
		for _, nth := range []int{1, 2, 3} { // the greeting, the first answer, a later one
			t.Run(fmt.Sprintf("%s/%d", fault, nth), func(t *testing.T) {
				solvertest.Break(t, fault, nth, 2)
				b := inWorkers(t)
				for call := range 6 {
					r, err := solver.Solve(t.Context(), knapsack(), b, solver.Options{})
					if err != nil || r.Status != solver.Optimal || r.Objective != 10 {
						t.Errorf("call %d: %v (%s), %d, %v", call, r.Status, r.RawStatus, r.Objective, err)
					}
				}
				if solvertest.Faults(t) != 2 {
					t.Errorf("%d faults, want 2", solvertest.Faults(t))
				}
			})
		}
	}
}

// TestEveryWorkerBreaks: a status, not an error, and it says what happened.
func TestEveryWorkerBreaks(t *testing.T) {
	for fault, says := range map[solvertest.Fault]string{solvertest.Kill: "killed", solvertest.Exit: "exit status 1", solvertest.Garbage: "no answer"} {
		t.Run(string(fault), func(t *testing.T) {
			solvertest.Break(t, fault, 2, 0)
			b := inWorkers(t)
			r, err := solver.Solve(t.Context(), knapsack(), b, solver.Options{})
			if err != nil || r.Status != solver.Crashed || !strings.Contains(r.RawStatus, says) {
				t.Errorf("%v (%s), %v; want %q", r.Status, r.RawStatus, err, says)
			}
			if n := solvertest.Faults(t); n != attempts {
				t.Errorf("%d workers, want %d", n, attempts)
			}
		})
	}
}

// TestWorkerHangs: only the context ends it, and then at once.
func TestWorkerHangs(t *testing.T) {
	solvertest.Break(t, solvertest.Hang, 2, 1)
	b := inWorkers(t)
	ctx, cancel := context.WithCancel(t.Context())
	solvertest.AtFault(t, cancel)
	r, err := b.Solve(ctx, knapsack(), solver.Options{})
	if err != nil || r.Status != solver.Interrupted {
		t.Errorf("%v, %v; want interrupted", r.Status, err)
	}
	r, err = b.Solve(t.Context(), knapsack(), solver.Options{})
	if err != nil || r.Status != solver.Optimal {
		t.Errorf("after that: %v, %v", r.Status, err)
	}
}

// TestNoMoreWorkers: where the program has vanished from the disk meanwhile, a solve
// ends like one whose worker has crashed.
func TestNoMoreWorkers(t *testing.T) {
	b := inWorkers(t)
	b.workers.started = true
	b.workers.start = func() (*worker, error) { return nil, errors.New("no such file") }
	r, err := b.Solve(t.Context(), knapsack(), solver.Options{})
	if err != nil || r.Status != solver.Crashed || !strings.Contains(r.RawStatus, "no such file") {
		t.Errorf("%v (%s), %v", r.Status, r.RawStatus, err)
	}
	b.workers.started = false
	if _, err := b.Solve(t.Context(), knapsack(), solver.Options{}); err == nil {
		t.Error("a backend that never had a worker did run")
	}
}

// TestInProcess is the way of a program that never asks IsWorker.
func TestInProcess(t *testing.T) {
	linked(t)
	b := &Backend{local: true}
	r, err := solver.Solve(t.Context(), knapsack(), b, solver.Options{})
	if err != nil || r.Status != solver.Optimal || r.Objective != 10 {
		t.Errorf("%v, %d, %v", r.Status, r.Objective, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := b.Solve(ctx, knapsack(), solver.Options{}); err != nil || r.Status != solver.Interrupted {
		t.Errorf("cancelled: %v, %v", r.Status, err)
	}
}

// TestFrames: what is written is read; one wrong bit, or too few of them, are found.
func TestFrames(t *testing.T) {
	var b bytes.Buffer
	want := answer{ID: 7, Code: 2, Name: "INFEASIBLE", Values: []float64{0, 1.5}}
	if err := writeFrame(&b, want); err != nil {
		t.Fatal(err)
	}
	frame := b.Bytes()
	var got answer
	if err := readFrame(bytes.NewReader(frame), &got); err != nil || !cmp.Equal(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	for i := range frame {
		wrong := bytes.Clone(frame)
		wrong[i] ^= 1
		if err := readFrame(bytes.NewReader(wrong), &got); err == nil {
			t.Errorf("a wrong bit in byte %d of %d goes unnoticed", i, len(frame))
		}
		if err := readFrame(bytes.NewReader(frame[:i]), &got); err == nil {
			t.Errorf("%d bytes of %d are taken for all", i, len(frame))
		}
	}
}
