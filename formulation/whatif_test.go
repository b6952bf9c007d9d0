package formulation

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"partita/inputs"
	"partita/results"
	"partita/results/verify"
)

// Each answer is what a whole search of the changed condition finds, passes verification,
// and comes out alike every time.
func TestWhatIfIsTheOptimumOfTheChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := sometimesRuled(t)
		rep, err := Optimize(t.Context(), c, Options{Backend: backendLabels, WhatIf: true})
		if err != nil {
			t.Fatal(err)
		}
		if !rep.Feasible {
			if rep.Plan != nil && rep.Plan.WhatIf != nil {
				t.Fatal("a closest plan has answers")
			}
			return
		}
		now := &rep.Plan.Phases[0]
		list := changes(c, now)
		if len(list) != len(rep.Plan.WhatIf) {
			t.Fatalf("%d answers to %d changes", len(rep.Plan.WhatIf), len(list))
		}
		for i, w := range rep.Plan.WhatIf {
			whole, err := Optimize(t.Context(), list[i].c, Options{Backend: backendLabels})
			if err != nil {
				t.Fatal(err)
			}
			if w.Status != whole.Status || (w.Metrics != nil) != whole.Feasible {
				t.Fatalf("%s: %s %q, a search of it ends %s", w.Change, w.Status, w.Why, whole.Status)
			}
			if w.Metrics == nil {
				continue
			}
			if v, err := verify.Check(w.Plan, w.Condition); err != nil || !v.OK {
				t.Fatalf("%s: %v %+v", w.Change, err, verify.Violations(v))
			}
			then := &whole.Plan.Phases[0]
			a, _ := json.Marshal(w.Metrics)
			b, _ := json.Marshal(then.Metrics)
			if string(a) != string(b) {
				t.Fatalf("%s: %s, a search of it finds %s", w.Change, a, b)
			}
			want := 100 * (*then.Metrics.TokensPerS - *now.Metrics.TokensPerS) / *now.Metrics.TokensPerS
			if math.Abs(*w.ThroughputGainPercent-want) > 0.006 {
				t.Fatalf("%s: throughput %+v %%, want %+v %%", w.Change, *w.ThroughputGainPercent, want)
			}
		}
		again, err := Optimize(t.Context(), c, Options{Backend: backendLabels, WhatIf: true})
		if err != nil {
			t.Fatal(err)
		}
		a, _ := json.Marshal(rep.Plan.WhatIf)
		b, _ := json.Marshal(again.Plan.WhatIf)
		if string(a) != string(b) {
			t.Fatalf("two runs differ:\n%s\n%s", a, b)
		}
	})
}

// A change is one thing: the condition itself stays as it was, and no GPU has two names.
func TestChangesLeaveTheConditionAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCondition(t)
		before := fmt.Sprintf("%+v", c)
		list := changes(c, &results.PhasePlan{GPUs: results.GPUCount{Used: 2}})
		if got := fmt.Sprintf("%+v", c); got != before {
			t.Fatalf("the condition became\n%s\nfrom\n%s", got, before)
		}
		for _, x := range list {
			var ids []string
			stated := 0
			for k := range x.c.Cluster.Pools {
				if len(x.c.Cluster.Pools[k].Nodes) > 0 { // else made as needed
					stated += x.c.Cluster.Pools[k].Count.Max
				}
				for _, n := range x.c.Cluster.Pools[k].Nodes {
					ids = append(ids, n.GPUs...)
				}
			}
			slices.Sort(ids)
			if len(slices.Compact(slices.Clone(ids))) != len(ids) || len(ids) != stated {
				t.Fatalf("%s: %d GPUs stated, ids %q", x.words, stated, ids)
			}
		}
	})
}

// A search that runs out of its effort says so, and ends at the same point every time.
func TestEffortEnds(t *testing.T) {
	c := testCondition(testModel(7, 8, true), inputs.Mixed, 16, testPool("a", hosts(3), 4, 8, 4e14, 3e11), testPool("b", hosts(5)[3:], 4, 8, 2e14, 3e11))
	rep, err := Optimize(t.Context(), c, Options{Backend: backendLabels})
	if err != nil || !rep.Feasible {
		t.Fatalf("%v, %+v", err, rep)
	}
	x := changes(c, &rep.Plan.Phases[0])[0]
	full, err := tryChange(t.Context(), &x, &rep.Plan.Phases[0], Options{}, whatIfWork)
	if err != nil || full.Status != results.StatusOptimal {
		t.Fatalf("%v, %+v: want the optimum", err, full)
	}
	for _, work := range []int64{1, 1 << 12, 1 << 16} {
		w, err := tryChange(t.Context(), &x, &rep.Plan.Phases[0], Options{}, work)
		if err != nil {
			t.Fatal(err)
		}
		if w.Status == results.StatusOptimal && fmt.Sprint(*w.Metrics.E2EMS) != fmt.Sprint(*full.Metrics.E2EMS) || w.Status != results.StatusOptimal && w.Why == "" {
			t.Errorf("effort %d: %+v", work, w)
		}
		again, err := tryChange(t.Context(), &x, &rep.Plan.Phases[0], Options{}, work)
		a, _ := json.Marshal(w)
		b, _ := json.Marshal(again)
		if err != nil || string(a) != string(b) {
			t.Errorf("effort %d: two runs differ (%v):\n%s\n%s", work, err, a, b)
		}
	}
	if w, _ := tryChange(t.Context(), &x, &rep.Plan.Phases[0], Options{}, 1); w.Status == results.StatusOptimal {
		t.Error("an effort of 1 proves an optimum")
	}
}

// A search beside the plan that breaks down is an error, and no end of the program.
func TestWhatIfThatBreaks(t *testing.T) {
	w, err := guardedChange(t.Context(), &change{words: "nothing at all"}, &results.PhasePlan{}, Options{})
	if err == nil {
		t.Errorf("a change without a condition: %+v, want an error", w)
	}
}
