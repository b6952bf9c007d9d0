package formulation_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"partita/formulation"
	"partita/results"
)

// edge finds the least number for which a question that stays yes is answered yes, from
// any guess, and says whether the one below was refuted.
func TestEdge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		least := rapid.IntRange(-20, 20).Draw(t, "least")
		most := least + rapid.IntRange(0, 60).Draw(t, "range")
		from := rapid.IntRange(least-5, most+5).Draw(t, "yes from")
		asked := map[int]bool{}
		n, found, proved, err := formulation.Edge(rapid.IntRange(least-9, most+9).Draw(t, "guess"), least, most, func(n int) (bool, bool, error) {
			if n < least || n > most {
				t.Fatalf("asked for %d of %d to %d", n, least, most)
			}
			asked[n] = true
			return n >= from, true, nil
		})
		if err != nil || found != (from <= most) || found && (n != max(from, least) || !proved) {
			t.Fatalf("%d, found %t, proved %t, %v", n, found, proved, err)
		}
		if limit := 4 + 3*int(math.Log2(float64(most-least+2))); len(asked) > limit {
			t.Errorf("%d questions, at most %d are enough", len(asked), limit)
		}
	})
	broken := errors.New("broken")
	if _, _, _, err := formulation.Edge(3, 0, 9, func(int) (bool, bool, error) { return false, false, broken }); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if _, found, proved, _ := formulation.Edge(3, 0, 9, func(n int) (bool, bool, error) { return n > 5, n > 5, nil }); !found || proved {
		t.Errorf("found %t, proved %t where the one below is not known", found, proved)
	}
}

// Values are rounded away from what is asked, to digits that a person can copy.
func TestOutward(t *testing.T) {
	for _, x := range []struct {
		v    float64
		up   bool
		want float64
	}{
		{12.34561, true, 12.346}, {12.34561, false, 12.345}, {29.645, true, 29.645}, {0.0296449999, true, 0.029645},
		{68827.6, false, 68827}, {123456, true, 123460}, {40, true, 40}, {9.99999, true, 10},
	} {
		if got := formulation.Outward(x.v, x.up); got != x.want {
			t.Errorf("%v, up %t: %v, want %v", x.v, x.up, got, x.want)
		}
	}
}

// Floors and SAT cores leave demands out before the first of the questions that they
// save, and what is left cannot be met either (TestExplainEveryPlan holds the rest).
func TestExplainStartsFromCores(t *testing.T) {
	fewer := 0
	for seed := range uint64(40) {
		d := newDraw(seed)
		c := d.condition()
		o, err := newOracle(c, 0)
		if err != nil {
			t.Fatal(err)
		}
		plans := o.enumerate()
		if len(plans) == 0 {
			continue
		}
		d.require(c, plans)
		d.require(c, plans)
		if newJudge(c, plans, -edge).decide().feasible {
			continue
		}
		kept, all, err := formulation.Started(context.Background(), c, formulation.Options{SAT: openSAT})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if kept < all {
			fewer++
		}
		if plain, _, err := formulation.Started(context.Background(), c, formulation.Options{}); err != nil || plain != all {
			t.Errorf("seed %d: without SAT the search begins with %d of %d demands (%v)", seed, plain, all, err)
		}
	}
	if fewer < 5 {
		t.Errorf("cores left something out of %d conditions: too few to say that they do", fewer)
	}
}

// The time of a question ends: what is not known is not called a conflict.
func TestExplainOutOfTime(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	x, err := formulation.Explain(ctx, hard(), formulation.Options{SAT: openSAT})
	if err != nil || !x.Unknown || x.Feasible || len(x.Conflict) > 0 || len(x.Nearest) > 0 {
		t.Errorf("%+v, %v: want unknown and nothing else", x, err)
	}
	c := loaded(t, "examples/slo-pair-infeasible.yaml", "")
	ctx, cancel = context.WithCancel(context.Background())
	defer cancel()
	opts := formulation.Options{Log: func(part string) {
		if part == "a minimal conflict" {
			cancel()
		}
	}}
	if x, err = formulation.Explain(ctx, c, opts); err != nil || x.Minimal || x.Feasible || x.Unknown {
		t.Errorf("cancelled in the middle: %+v, %v: want an infeasible condition, its conflict not proved minimal", x, err)
	}
}

// A report carries the explanation where it was asked for and the condition is proved
// infeasible, and its requirements the nearest values of it.
func TestReportIsExplained(t *testing.T) {
	c := loaded(t, "examples/slo-pair-infeasible.yaml", "")
	plain, err := formulation.Optimize(context.Background(), c, formulation.Options{Backend: "labels"})
	if err != nil || plain.Explanation != nil || plain.Plan.Explanation != nil {
		t.Fatalf("explained without being asked (%v)", err)
	}
	rep, err := formulation.Optimize(context.Background(), c, formulation.Options{Backend: "labels", Explain: true})
	if err != nil || rep.Status != results.StatusInfeasible || rep.Explanation == nil || rep.Plan.Explanation != rep.Explanation {
		t.Fatalf("no explanation in the report and its plan (%v)", err)
	}
	for _, q := range rep.Plan.Phases[0].Requirements {
		for _, n := range rep.Explanation.Nearest {
			if n.Requirement == q.Name && !q.Met && (q.Nearest == nil || *q.Nearest != *n.Nearest) {
				t.Errorf("%s: nearest %v in the plan, %v in the explanation", q.Name, q.Nearest, *n.Nearest)
			}
		}
	}
	met, err := formulation.Optimize(context.Background(), loaded(t, "examples/gpus-5.yaml", ""), formulation.Options{Backend: "labels", Explain: true})
	if err != nil || met.Explanation != nil {
		t.Errorf("a feasible condition is explained (%v)", err)
	}
}
