package path_test

import (
	"context"
	"errors"
	"testing"

	"partita/solver"
	"partita/solver/path"
	"partita/solver/path/pathtest"
)

// TestLargeIsProved: instances of up to 1,024 GPUs within an amount of work that does
// not depend on the machine. Values are held by their own evaluation and by a second
// search that is only asked for something better.
func TestLargeIsProved(t *testing.T) {
	proved := map[string]bool{
		"alike126x16/sum+peak": true, "alike4pools126x1024/peak": true, "alike4pools126x1024/sum+peak": true,
		"alike4pools126x1024/odd": true, "alike4pools126x1024/idle": true, "4pools126x1024/idle/peak": true,
	}
	for _, f := range pathtest.Large() {
		if !proved[f.Name] {
			continue
		}
		delete(proved, f.Name)
		p := f.Problem(1)
		r, err := path.Solve(t.Context(), p, path.Options{Work: 1 << 21})
		if err != nil {
			t.Fatal(err)
		}
		if v, err := p.Evaluate(r.Stages); r.Status != solver.Optimal || err != nil || v != r.Value || r.Bound != v.Objective {
			t.Errorf("%s: %v, value %d, bound %d, work %d: %v, want a proof", f.Name, r.Status, r.Value.Objective, r.Bound, r.Work, err)
			continue
		}
		better, err := path.Solve(t.Context(), p, path.Options{Cutoff: &r.Value.Objective, Work: 1 << 21})
		if err != nil || better.Status != solver.Infeasible {
			t.Errorf("%s: below the optimum %d: %v %d, %v", f.Name, r.Value.Objective, better.Status, better.Value.Objective, err)
		}
	}
	if len(proved) > 0 {
		t.Errorf("no such families: %v", proved)
	}
}

// TestSameTwice: the same problem gives the same path, whatever was solved before.
func TestSameTwice(t *testing.T) {
	p := pathtest.Large()[7].Problem(3)
	a, errA := path.Solve(t.Context(), p, path.Options{})
	b, errB := path.Solve(t.Context(), p, path.Options{})
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	if a.Work != b.Work || a.Labels != b.Labels || len(a.Stages) != len(b.Stages) {
		t.Fatalf("work %d and %d, labels %d and %d", a.Work, b.Work, a.Labels, b.Labels)
	}
	for i := range a.Stages {
		if a.Stages[i] != b.Stages[i] {
			t.Fatalf("stage %d: %+v and %+v", i, a.Stages[i], b.Stages[i])
		}
	}
}

// countdown is a context that is cancelled at its n-th look at Err: a search is ended in
// its middle at the same point on every machine.
type countdown struct {
	context.Context
	left *int
}

func (c countdown) Err() error {
	if *c.left--; *c.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestCancelled: a search that is ended before it starts, or in its middle, says so and
// has a bound that no path is below; once it has a path, it hands that out.
func TestCancelled(t *testing.T) {
	p := pathtest.Family{Layers: 32, Pools: []int{8, 6, 8}, MaxDegree: 4, Phase: path.Phase{Sum: 1, Rate: 4}, Send: true, Prefill: true}.Problem(1)
	whole, err := path.Solve(t.Context(), p, path.Options{})
	if err != nil || whole.Status != solver.Optimal {
		t.Fatalf("%v, %v", whole.Status, err)
	}
	best := whole.Value.Objective
	count := 1 << 40
	if _, err := path.Solve(countdown{t.Context(), &count}, p, path.Options{}); err != nil {
		t.Fatal(err)
	}
	total := 1<<40 - count
	if total < 50 {
		t.Fatalf("the context is looked at %d times only", total)
	}
	bounds, paths := 0, 0
	for _, part := range []int{0, 1, 5, 20, 50, 80, 95, 99} {
		looks := total * part / 100
		left := looks
		r, err := path.Solve(countdown{t.Context(), &left}, p, path.Options{Incumbent: incumbentAt(part, whole)})
		if err != nil {
			t.Fatal(err)
		}
		// An incumbent shortens the search: it may be done before.
		if r.Status != solver.Interrupted && r.Status != solver.Optimal {
			t.Fatalf("ended after %d of %d looks: %v, want interrupted", looks, total, r.Status)
		}
		if r.HasBound {
			bounds++
			if r.Bound > best {
				t.Errorf("ended after %d of %d looks: bound %d, the optimum is %d", looks, total, r.Bound, best)
			}
		}
		if r.Stages != nil {
			paths++
			if v, err := p.Evaluate(r.Stages); err != nil || v.Objective < best || v != r.Value {
				t.Errorf("ended after %d of %d looks: path of %+v, %v", looks, total, v, err)
			}
		}
	}
	if bounds < 7 || paths < 4 {
		t.Errorf("%d bounds and %d paths of 8 searches that were ended", bounds, paths)
	}
}

// incumbentAt gives every other search a path to start from.
func incumbentAt(part int, r path.Result) []path.Stage {
	if part%2 == 0 {
		return r.Stages
	}
	return nil
}

// TestEndedByWork: a search that may not do much says time limit, with a valid bound.
func TestEndedByWork(t *testing.T) {
	for _, f := range pathtest.Families() {
		p := f.Problem(2)
		r, err := path.Solve(t.Context(), p, path.Options{Work: 1 << 12})
		if err != nil {
			t.Fatal(err)
		}
		if r.Status != solver.Optimal && r.Status != solver.TimeLimit || !r.HasBound {
			t.Errorf("%s: %v, bound %v", f.Name, r.Status, r.HasBound)
		}
		if r.Stages != nil && r.Bound > r.Value.Objective {
			t.Errorf("%s: value %d below the bound %d", f.Name, r.Value.Objective, r.Bound)
		}
	}
}

// TestOrderIsFree: stages of alike layers counted part by part give the value of the
// same problem with its layers told apart.
func TestOrderIsFree(t *testing.T) {
	for seed := range uint64(30) {
		f := pathtest.Family{
			Layers: 9, Pools: []int{3, 2, 3}, MaxDegree: 2, Phase: path.Phase{Sum: 1, Peak: int64(seed % 3)},
			Alike: true, Idle: seed%2 == 0, Prefill: seed%3 == 0, Balance: int64(seed % 4 * 15),
		}
		p := f.Problem(seed)
		q := *p
		apart(&q)
		a, errA := path.Solve(t.Context(), p, path.Options{})
		b, errB := path.Solve(t.Context(), &q, path.Options{})
		if err := errors.Join(errA, errB); err != nil {
			t.Fatal(err)
		}
		if a.Status != b.Status || a.Value.Objective != b.Value.Objective {
			t.Errorf("seed %d: %v %d by length, %v %d by position", seed, a.Status, a.Value.Objective, b.Status, b.Value.Objective)
		}
	}
}

// apart gives the interval from the second layer to the third a class of its own, with
// the same options: the order then counts.
func apart(p *path.Problem) {
	n := p.Boundaries
	p.Class = append([]int32(nil), p.Class...)
	p.Options = append(append([][]path.Option(nil), p.Options...), p.Options[p.Class[n+2]])
	p.Class[n+2] = int32(len(p.Options) - 1)
}
