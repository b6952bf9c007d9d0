package launch

import (
	"strings"
	"testing"

	"partita/inputs"
)

// TestCountsOn: what the figures rest on and no script starts is said where the plan is
// started, on the side that it is of.
func TestCountsOn(t *testing.T) {
	const draft, cache = "draft that proposes 3 tokens a step, each taken by a chance of 70 %", "counts on 30 % of the prompt tokens in the prefix cache"
	text := func(engine string, stated bool, phase inputs.Phase) string {
		p := plain()
		if stated {
			p.Deployment.Workload.Speculative = inputs.Speculative{DraftTokens: 3, Acceptance: 0.7, DraftCost: 0.05}
			p.Deployment.Workload.PrefixCacheHit = 0.3
		}
		p.Phases[0].Phase = phase
		files, err := Files(engine, p)
		if err != nil {
			t.Fatal(err)
		}
		var words []string
		for _, f := range files {
			words = append(words, strings.Fields(strings.ReplaceAll(string(f.Data), "#", " "))...)
		}
		return strings.Join(words, " ")
	}
	for _, engine := range []string{"vllm", "sglang", "k8s", "ray"} {
		if got := text(engine, true, inputs.Mixed); strings.Count(got, draft) != 1 || strings.Count(got, cache) != 1 {
			t.Errorf("%s says nothing of the draft or the cache: %s", engine, got)
		}
		if got := text(engine, false, inputs.Mixed); strings.Contains(got, "counts on a draft") || strings.Contains(got, "prefix cache") {
			t.Errorf("%s counts on what nobody stated", engine)
		}
	}
	if got := text("vllm", true, inputs.Prefill); strings.Contains(got, draft) || !strings.Contains(got, cache) {
		t.Error("a draft of servers that read prompts alone")
	}
	if got := text("vllm", true, inputs.Decode); !strings.Contains(got, draft) || strings.Contains(got, cache) {
		t.Error("a cache of prompts of servers that decode alone")
	}
}
