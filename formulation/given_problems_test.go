package formulation

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"partita/inputs"
	"partita/results"
)

// denseOn serves 8 sequences with a dense model of 8 heads on nodes of GPUs.
func denseOn(nodes, gpus int, gib float64, layers int) *inputs.Condition {
	return testCondition(testModel(layers, 8, false), inputs.Mixed, 8, testPool("pool", hosts(nodes), gpus, gib, 4e14, 3e11))
}

// TestProblemsOfStrategies: every way in which a strategy cannot be, with its amount.
func TestProblemsOfStrategies(t *testing.T) {
	tight, loose := 0.5, 0.9
	for _, x := range []struct {
		name string
		c    *inputs.Condition
		s    inputs.Strategy
		want []string // part of each problem's sentence
		by   float64  // of the first; NaN: none
		unit string
	}{
		{"heads", denseOn(1, 3, 8, 4), inputs.Strategy{TP: inputs.Degrees{3}}, []string{"8 attention heads do not divide over TP 3"}, math.NaN(), ""},
		{"more GPUs than given", denseOn(1, 4, 8, 4), inputs.Strategy{TP: inputs.Degrees{4}, PP: 2}, []string{"it takes 8 GPUs; 4 are given"}, 4, "GPUs"},
		{"idle", denseOn(1, 4, 8, 4), inputs.Strategy{TP: inputs.Degrees{2}, DP: 1}, []string{"it takes 2 GPUs; 4 are given and all are to be used"}, 2, "GPUs idle"},
		{"its own word on GPUs", denseOn(1, 4, 8, 4), inputs.Strategy{TP: inputs.Degrees{4}, GPUs: 6}, []string{"it takes 4 GPUs; the strategy states 6"}, 2, "GPUs"},
		{"more stages than layers", denseOn(1, 4, 8, 3), inputs.Strategy{PP: 4}, []string{"4 stages for 3 layers"}, 1, "layers missing"},
		{"layers too many", denseOn(1, 2, 8, 4), inputs.Strategy{PP: 2, Layers: []int{4, 2}}, []string{"4+2 are 6 layers, the model has 4"}, 2, "layers too many"},
		{"replicas without sequences", denseOn(4, 4, 8, 4), inputs.Strategy{DP: 16}, []string{"16 replicas for 8 sequences"}, 8, "sequences"},
		{"micro-batches without sequences", denseOn(1, 1, 8, 4), inputs.Strategy{MicroBatches: 9}, []string{"9 micro-batches for the 8 sequences of a replica"}, 1, "micro-batches"},
		{"context in decode", denseOn(1, 2, 8, 4), inputs.Strategy{CP: inputs.Degrees{2}}, []string{"CP 2 splits new tokens"}, math.NaN(), ""},
		{"attention DP of a dense model", denseOn(1, 2, 8, 4), inputs.Strategy{DPAttention: inputs.Degrees{2}}, []string{"attention DP 2 needs experts"}, math.NaN(), ""},
		{"experts of a dense model", denseOn(1, 2, 8, 4), inputs.Strategy{TP: inputs.Degrees{2}, EP: inputs.Degrees{2}}, []string{"EP 2 needs experts"}, math.NaN(), ""},
		{"groups that leave a part of a node", func() *inputs.Condition { c := denseOn(2, 3, 8, 6); c.Goal.Balance = &loose; return c }(), inputs.Strategy{TP: inputs.Degrees{2}, PP: 3}, []string{"3 groups of 2 GPUs into nodes of 3"}, math.NaN(), ""},
		{"a stage of a node and a bit", denseOn(2, 3, 8, 4), inputs.Strategy{TP: inputs.Degrees{4}}, []string{"4 GPUs; 6 are given", "1 group of 4 GPUs into nodes of 3"}, 2, "GPUs idle"},
		{"balance", denseOn(1, 2, 8, 8), inputs.Strategy{PP: 2, Layers: []int{7, 1}}, []string{"balance: stage 0 takes"}, math.NaN(), "of the slowest stage"},
		{"a stated balance", func() *inputs.Condition { c := denseOn(1, 2, 8, 8); c.Goal.Balance = &tight; return c }(), inputs.Strategy{PP: 2, Layers: []int{7, 1}}, []string{"as the condition asks"}, math.NaN(), "of the slowest stage"},
		{"too large by far", denseOn(1, 2, 8, 8), inputs.Strategy{TP: inputs.Degrees{1 << 13}, DP: 1 << 13}, []string{"the degrees make more than 16777216 GPUs"}, math.NaN(), ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			v := mustEvaluate(t, x.c, Given{Strategy: &x.s, Source: "here"})
			if v.Feasible || v.OptimumGapPercent != nil {
				t.Fatalf("feasible, gap %v", v.OptimumGapPercent)
			}
			if len(v.Problems) != len(x.want) {
				t.Fatalf("problems %+v", v.Problems)
			}
			for i, want := range x.want {
				if !strings.Contains(v.Problems[i].Sentence, want) || v.Problems[i].Where == "" {
					t.Errorf("problem %+v, want %q", v.Problems[i], want)
				}
			}
			p := v.Problems[0]
			if !math.IsNaN(x.by) && (p.ShortBy == nil || *p.ShortBy != x.by) || x.unit != p.Unit {
				t.Errorf("short by %v %s, want %g %s", deref(p.ShortBy), p.Unit, x.by, x.unit)
			}
			inShares(t, v)
		})
	}
}

// TestSmallestChange: what makes a strategy feasible is found, the smallest first; of
// equally small ones the faster, which is a matter of constants.
func TestSmallestChange(t *testing.T) {
	for _, x := range []struct {
		name, want string
		c          *inputs.Condition
		s          inputs.Strategy
	}{
		{"heads", "TP 3 → 4", denseOn(1, 4, 8, 4), inputs.Strategy{TP: inputs.Degrees{3}}},
		{"count", "DP 2 → 1|TP 4 → 2", denseOn(1, 4, 8, 4), inputs.Strategy{TP: inputs.Degrees{4}, DP: 2}},
		{"layers", "layers of stage 1: 6 → 4", denseOn(1, 2, 8, 8), inputs.Strategy{PP: 2, Layers: []int{4, 6}}},
		{"balance", "layers cut evenly", denseOn(1, 2, 8, 8), inputs.Strategy{PP: 2, Layers: []int{7, 1}}},
	} {
		v := mustEvaluate(t, x.c, Given{Strategy: &x.s})
		if len(v.Changes) == 0 || !slices.Contains(strings.Split(x.want, "|"), v.Changes[0].Change) || !v.Changes[0].Feasible || v.Changes[0].GainPercent != nil {
			t.Errorf("%s: changes %+v, want %q first", x.name, v.Changes, x.want)
		}
	}
}

// TestMemoryBreaks: the fullest GPU is named with what fills it, and what the cache
// admits; fewer sequences, quantised KV or more GPUs are what helps.
func TestMemoryBreaks(t *testing.T) {
	c := denseOn(1, 2, 8, 8)
	c.Workload.Batch, c.Workload.Input.Max, c.Workload.Input.Min = 64, 8192, 8192
	v := mustEvaluate(t, c, Given{Strategy: &inputs.Strategy{PP: 2, Replicas: 1}})
	if len(v.Problems) == 0 || v.Problems[0].Unit != "GiB" {
		t.Fatalf("problems %+v", v.Problems)
	}
	p := v.Problems[0]
	s := &v.Phase.Stages[0]
	if s1 := &v.Phase.Stages[1]; s1.MemoryGiB > s.MemoryGiB {
		s = s1
	}
	if math.Abs(*p.ShortBy-(s.MemoryGiB-s.CapacityGiB)) > 1e-9 || !strings.Contains(p.Where, s.GPUs[0]) || !strings.Contains(p.Sentence, "KV cache for") {
		t.Errorf("problem %+v of a stage with %g of %g GiB", p, s.MemoryGiB, s.CapacityGiB)
	}
	kinds := map[string]results.Change{}
	for _, x := range v.Changes {
		kinds[x.Kind] = x
	}
	load, ok := kinds[changeLoad]
	if !ok || !strings.HasPrefix(load.Change, "batch 64 → ") {
		t.Fatalf("changes %+v", v.Changes)
	}
	// The batch found is the largest: one sequence more does not fit.
	n := 0
	for i := 1; i < 64; i++ {
		fewer := *c
		fewer.Workload.Batch = i
		if mustEvaluate(t, &fewer, Given{Strategy: &inputs.Strategy{PP: 2, Replicas: 1}}).Feasible {
			n = i
		}
	}
	if want := strings.TrimPrefix(load.Change, "batch 64 → "); want != strconv.Itoa(n) {
		t.Errorf("batch %s is said to be the largest, %d is", want, n)
	}
}

// TestRequirementsOfStrategies: each with its margin, what is missed as a problem.
func TestRequirementsOfStrategies(t *testing.T) {
	c := denseOn(1, 2, 8, 8)
	s := inputs.Strategy{TP: inputs.Degrees{2}}
	plain := mustEvaluate(t, c, Given{Strategy: &s})
	ttft, tokens := *plain.Metrics.TTFTMS/1e3, *plain.Metrics.TokensPerS
	at := inputs.Place{File: "c.md", Line: 7, Col: 3}
	c.Goal.Requirements = []inputs.Requirement{
		{Kind: inputs.TTFT, Value: ttft * 2}, {Kind: inputs.TokensPerSecond, Value: tokens * 2, Place: at}, {Kind: inputs.TPOT, Value: *plain.Metrics.TPOTMS / 1e3 * 1.05},
	}
	v := mustEvaluate(t, c, Given{Strategy: &s})
	if v.Feasible || len(v.Requirements) != 3 || !v.Requirements[0].Met || v.Requirements[1].Met || v.Requirements[2].Met || math.Abs(v.Requirements[0].MarginPercent-50) > 1e-6 {
		t.Fatalf("requirements %+v", v.Requirements)
	}
	if len(v.Problems) != 2 || v.Problems[0].Where != "c.md:7:3" || v.Problems[0].Unit != "tokens/s" || !strings.Contains(v.Problems[1].Sentence, "with the margin of 10 % it is to reach") {
		t.Fatalf("problems %+v", v.Problems)
	}
	if want := tokens*2/0.9 - tokens; math.Abs(*v.Problems[0].ShortBy-want) > 1e-6*want {
		t.Errorf("short by %g tokens/s, want %g", *v.Problems[0].ShortBy, want)
	}
}

// TestRulesOfStrategies: a rule that is broken is a problem with its place and values,
// and no advice breaks it.
func TestRulesOfStrategies(t *testing.T) {
	c := denseOn(1, 4, 8, 4)
	c.Rules = []inputs.Rule{{Name: "narrow", Expr: "tp <= 2", Because: "the cards are bridged in pairs", Place: inputs.Place{File: "rules.yaml", Line: 3, Col: 5}}}
	v := mustEvaluate(t, c, Given{Strategy: &inputs.Strategy{TP: inputs.Degrees{4}}})
	if v.Feasible || len(v.Problems) != 1 || v.Problems[0].Where != "rules.yaml:3:5" || v.Phase == nil {
		t.Fatalf("problems %+v", v.Problems)
	}
	for _, want := range []string{`"narrow" (tp <= 2)`, "tp = 4", "bridged in pairs"} {
		if !strings.Contains(v.Problems[0].Sentence, want) {
			t.Errorf("%q does not say %q", v.Problems[0].Sentence, want)
		}
	}
	if len(v.Changes) == 0 || v.Changes[0].Change != "TP 4 → 2" {
		t.Errorf("changes %+v", v.Changes)
	}
	for _, x := range v.Changes {
		if strings.Contains(x.Strategy, "TP4") || strings.Contains(x.Strategy, "TP8") {
			t.Errorf("%s breaks the rule", x.Strategy)
		}
	}
	if v = mustEvaluate(t, c, Given{Strategy: &inputs.Strategy{TP: inputs.Degrees{2}}}); !v.Feasible {
		t.Errorf("TP 2: %+v", v.Problems)
	}
}

// TestEvaluateStops: a cancelled context and a missing strategy are told apart.
func TestEvaluateStops(t *testing.T) {
	c := denseOn(1, 2, 8, 8)
	if _, err := Evaluate(t.Context(), c, Given{}, Options{}); !errors.Is(err, ErrNothingGiven) {
		t.Errorf("nothing given: %v", err)
	}
	if _, err := Evaluate(t.Context(), c, Given{Strategy: &inputs.Strategy{PP: 2, TP: inputs.Degrees{1, 1, 1}}}, Options{}); err == nil {
		t.Error("lists of unlike lengths were taken")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	v, err := Evaluate(ctx, c, Given{Strategy: &inputs.Strategy{TP: inputs.Degrees{2}}}, Options{Backend: "labels"})
	if err != nil || !v.Feasible || v.OptimumGapPercent != nil || v.Metrics.TTFTMS == nil {
		t.Errorf("stopped before the start: feasible %v, gap %v, %v; want the strategy's own figures and no gap", v.Feasible, v.OptimumGapPercent, err)
	}
}
