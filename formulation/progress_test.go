package formulation

import (
	"testing"

	"partita/inputs/read"
)

// TestWatch: what a search tells of itself agrees with what it comes to: bounds rise,
// incumbents fall, the last of a part is the answer, and telling changes nothing.
func TestWatch(t *testing.T) {
	for _, example := range []string{"gpus-7.yaml", "three-pools-llama-70b-fp16.yaml", "slo-pair-infeasible.yaml"} {
		c, err := read.Load(read.Options{Paths: []string{"../examples/" + example}})
		if err != nil {
			t.Fatal(err)
		}
		quiet, err := Optimize(t.Context(), c, Options{Backend: "labels"})
		if err != nil {
			t.Fatal(err)
		}
		var seen []Progress
		r, err := Optimize(t.Context(), c, Options{Backend: "labels", Watch: func(p Progress) { seen = append(seen, p) }})
		if err != nil {
			t.Fatal(err)
		}
		a, b := &quiet.Plan.Phases[0].Solve, &r.Plan.Phases[0].Solve
		if a.Objective != b.Objective || a.Outer != b.Outer {
			t.Errorf("%s: watched it comes to %v %+v, else to %v %+v", example, b.Objective, b.Outer, a.Objective, a.Outer)
		}
		if len(seen) < 3 {
			t.Errorf("%s: told %d times", example, len(seen))
		}
		for i := 1; i < len(seen); i++ {
			p, q := seen[i-1], seen[i]
			if p.Part != q.Part || q.Settled < p.Settled { // a part may be searched more than once
				continue
			}
			if p.Incumbent != nil && q.Incumbent != nil && *q.Incumbent > *p.Incumbent {
				t.Errorf("%s: %s: the incumbent rises from %v to %v", example, q.Part, *p.Incumbent, *q.Incumbent)
			}
			if gap, ok := q.Gap(); ok && (gap < 0 || gap > 1) {
				t.Errorf("%s: a gap of %v", example, gap)
			}
		}
	}
}

// TestWatchFrontier: the search for a trade-off tells how many of its choices are settled
// and how many points are known.
func TestWatchFrontier(t *testing.T) {
	c, err := read.Load(read.Options{Paths: []string{"../examples/gpus-6.yaml"}, Overrides: []read.Override{{Key: "workload.batch", Value: "48"}}})
	if err != nil {
		t.Fatal(err)
	}
	var seen []Progress
	f, err := Pareto(t.Context(), c, Options{Backend: "labels", Watch: func(p Progress) { seen = append(seen, p) }})
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) == 0 || len(f.Points) == 0 {
		t.Fatalf("%d points, told %d times", len(f.Points), len(seen))
	}
	last := seen[len(seen)-1]
	o := &f.Certificate.Outer
	if last.Points == 0 || last.Settled > o.Solved+o.Infeasible+o.Pruned {
		t.Errorf("the last word is %+v, the search came to %+v with %d points", last, *o, len(f.Points))
	}
}
