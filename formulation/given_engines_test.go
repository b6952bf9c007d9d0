package formulation

import (
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
