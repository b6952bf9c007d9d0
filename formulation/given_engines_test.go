package formulation

import (
	"slices"
	"strings"
	"testing"

	"partita/inputs"
	"partita/results"
)

// TestEnginesOfStrategies: each known engine is asked, by the rules of its pack.
func TestEnginesOfStrategies(t *testing.T) {
	engine := func(v *results.Evaluation, name string) results.Engine {
		for _, x := range v.Engines {
			if x.Engine == name {
				return x
			}
		}
		t.Fatalf("%s is not among %+v", name, v.Engines)
		return results.Engine{}
	}
	c := denseOn(1, 8, 8, 7)
	loose := 0.9
	c.Goal.Balance = &loose
	for _, x := range []struct {
		s          inputs.Strategy
		name, says string
		can        bool
	}{
		{inputs.Strategy{TP: inputs.Degrees{4}, PP: 2}, "vllm", "keeps the", true},
		{inputs.Strategy{TP: inputs.Degrees{4}, PP: 2}, "megatron", "", true},
		{inputs.Strategy{TP: inputs.Degrees{4, 2, 2}, PP: 3}, "vllm", "tensor-parallel-size", false},
		{inputs.Strategy{TP: inputs.Degrees{2}, PP: 4}, "trtllm", "", true},
		{inputs.Strategy{TP: inputs.Degrees{2}, PP: 4, Layers: []int{1, 2, 2, 2}}, "trtllm", "", true}, // pp_partition, since 1.2
		{inputs.Strategy{TP: inputs.Degrees{4}, PP: 2}, "llamacpp", "one --split-mode", false},
		{inputs.Strategy{TP: inputs.Degrees{3}}, "vllm", "does not map", false},
	} {
		v := mustEvaluate(t, c, Given{Strategy: &x.s})
		if got := engine(v, x.name); got.Launchable != x.can || !strings.Contains(got.Why, x.says) {
			t.Errorf("%s on %s: %+v, want launchable %v because %q", inWords(&x.s), x.name, got, x.can, x.says)
		}
		if len(v.Engines) < 5 {
			t.Errorf("%d engines", len(v.Engines))
		}
	}
}

// What writes an engine's commands has the last word on a strategy that keeps its rules.
func TestLaunchHasTheLastWord(t *testing.T) {
	c := testCondition(testModel(8, 8, false), inputs.Mixed, 8, testPool("gpu", hosts(1), 2, 8, 4e14, 3e11))
	var asked []string
	v, err := Evaluate(t.Context(), c, Given{Strategy: &inputs.Strategy{PP: 2}}, Options{Launch: func(engine string, p *results.Plan) ([]string, error) {
		asked = append(asked, engine)
		if p.Deployment == nil || len(p.Phases) != 1 || len(p.Phases[0].Stages) != 2 {
			t.Errorf("%s is asked of %+v", engine, p)
		}
		if engine == "vllm" {
			return []string{"one thing", "another"}, nil
		}
		return nil, nil
	}})
	if err != nil || !v.Feasible {
		t.Fatalf("%v %+v", err, v)
	}
	for _, e := range v.Engines {
		want := e.Engine != "vllm" && slices.Contains(asked, e.Engine)
		if e.Launchable != want || e.Engine == "vllm" && e.Why != "one thing; another" {
			t.Errorf("%+v, asked %q", e, asked)
		}
	}
	if !slices.Contains(asked, "vllm") || !slices.Contains(asked, "llamacpp") {
		t.Errorf("asked %q", asked)
	}
}
