package verify_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"partita/formulation"
	"partita/inputs"
	"partita/inputs/read"
	"partita/results"
	"partita/results/verify"
)

// apartPlan is the example with prefill and decode apart, and its plan.
func apartPlan(t *testing.T) (*inputs.Condition, *results.Plan) {
	t.Helper()
	c, err := read.Load(read.Options{Paths: []string{"../../examples/disaggregated/llama-3.1-70b-fp8-2x8-h100.yaml"}})
	if err != nil {
		t.Fatal(err)
	}
	rep, err := formulation.Optimize(context.Background(), c, formulation.Options{Backend: "labels"})
	if err != nil || !rep.Feasible {
		t.Fatalf("%v, %v", rep.Reasons, err)
	}
	return c, rep.WithOutcome()
}

func copied(t *testing.T, p *results.Plan) *results.Plan {
	t.Helper()
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var out results.Plan
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return &out
}

// TestApartAltered: the plan verifies, and each thing that is changed in it fails the rule
// that it breaks.
func TestApartAltered(t *testing.T) {
	c, p := apartPlan(t)
	if v, err := verify.Check(copied(t, p), c); err != nil || !v.OK {
		t.Fatalf("%v %+v", err, verify.Violations(v))
	}
	u := func(p *results.Plan) *results.Disaggregated { return p.Disaggregated }
	for name, x := range map[string]struct {
		alter func(p *results.Plan)
		rule  string
	}{
		"a GPU on both sides":      {func(p *results.Plan) { p.Phases[1].Stages[0].GPUs[0] = p.Phases[0].Stages[0].GPUs[0] }, "no GPU is in two places"},
		"the phases swapped":       {func(p *results.Plan) { p.Phases[0], p.Phases[1] = p.Phases[1], p.Phases[0] }, "plan serves the phase of the workload"},
		"one phase":                {func(p *results.Plan) { p.Phases = p.Phases[:1] }, "plan serves the phase of the workload"},
		"nothing of the whole":     {func(p *results.Plan) { p.Disaggregated = nil }, "plan serves the phase of the workload"},
		"more prompts in flight":   {func(p *results.Plan) { u(p).PrefillBatch *= 2 }, "prefill: sequences are split evenly"},
		"the rate":                 {func(p *results.Plan) { u(p).RequestsPerS *= 1.01 }, "rates of both sides match (D1)"},
		"the rate of prefill":      {func(p *results.Plan) { u(p).PrefillRequestsPerS *= 1.01 }, "rates of both sides match (D1)"},
		"the rate of decode":       {func(p *results.Plan) { u(p).DecodeRequestsPerS *= 1.01 }, "rates of both sides match (D1)"},
		"the rate of the link":     {func(p *results.Plan) { u(p).TransferRequestsPerS *= 1.01 }, "rates of both sides match (D1)"},
		"what limits it":           {func(p *results.Plan) { u(p).LimitedBy = "transfer" }, "rates of both sides match (D1)"},
		"the link":                 {func(p *results.Plan) { u(p).Transfer.Link = "node" }, "KV cache of prompts moves in time (D2)"},
		"the transfer":             {func(p *results.Plan) { u(p).Transfer.TimeMS *= 0.9 }, "KV cache of prompts moves in time (D2)"},
		"the prompt's cache":       {func(p *results.Plan) { u(p).Transfer.PromptGiB *= 2 }, "KV cache of prompts moves in time (D2)"},
		"a GPU's part of it":       {func(p *results.Plan) { u(p).Transfer.GPUGiB /= 2 }, "KV cache of prompts moves in time (D2)"},
		"how busy the link is":     {func(p *results.Plan) { u(p).Transfer.Utilisation *= 2 }, "KV cache of prompts moves in time (D2)"},
		"TTFT of the whole":        {func(p *results.Plan) { *u(p).Metrics.TTFTMS *= 0.99 }, "metric ttft_ms"},
		"TPOT of the whole":        {func(p *results.Plan) { *u(p).Metrics.TPOTMS *= 0.99 }, "metric tpot_ms"},
		"e2e of the whole":         {func(p *results.Plan) { *u(p).Metrics.E2EMS *= 0.99 }, "metric e2e_ms"},
		"tokens of the whole":      {func(p *results.Plan) { *u(p).Metrics.TokensPerS *= 1.01 }, "metric tokens_per_s"},
		"TTFT of prefill":          {func(p *results.Plan) { *p.Phases[0].Metrics.TTFTMS *= 0.99 }, "prefill: metric ttft_ms"},
		"TPOT of decode":           {func(p *results.Plan) { *p.Phases[1].Metrics.TPOTMS *= 0.99 }, "decode: metric tpot_ms"},
		"a stage time":             {func(p *results.Plan) { p.Phases[1].Stages[0].TimeMS *= 0.99 }, "decode: stage times (C1)-(C3)"},
		"a memory":                 {func(p *results.Plan) { p.Phases[0].Stages[0].Memory.KVGiB *= 2 }, "prefill: memory figures (C8)"},
		"a requirement of prefill": {func(p *results.Plan) { p.Phases[0].Requirements[0].Got *= 0.9 }, "requirement ttft"},
		"a requirement left out":   {func(p *results.Plan) { p.Phases[1].Requirements = nil }, "requirement tpot"},
		"the GPUs used":            {func(p *results.Plan) { u(p).GPUs.Used-- }, "GPU figures are stated right"},
		"a replica less": {func(p *results.Plan) {
			p.Phases[1].Stages = p.Phases[1].Stages[:len(p.Phases[1].Stages)/2]
			p.Phases[1].Strategy.Replicas /= 2
		}, "GPUs used equal the GPUs given"},
		"a layer less":        {func(p *results.Plan) { p.Phases[0].Stages[0].LastLayer-- }, "prefill: every layer is placed exactly once per replica, in order"},
		"a bound that is not": {func(p *results.Plan) { *u(p).Solve.BestBound /= 2 }, "solve facts agree with each other"},
		"an open choice":      {func(p *results.Plan) { u(p).Solve.Outer.Open = 1 }, "solve facts agree with each other"},
		"optimal unproved":    {func(p *results.Plan) { u(p).Solve.Status = "feasible" }, "plan says of the whole search what its solve says"},
	} {
		q := copied(t, p)
		x.alter(q)
		v, err := verify.Check(q, c)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		found := false
		for _, f := range verify.Violations(v) {
			found = found || f.Rule == x.rule
		}
		if !found || v.OK {
			t.Errorf("%s: %q does not fail; those that do: %+v", name, x.rule, verify.Violations(v))
		}
	}
}

// TestApartOfAMixedCondition: a plan of two deployments is none of a condition that asks for one.
func TestApartOfAMixedCondition(t *testing.T) {
	c, p := apartPlan(t)
	mixed := *c
	mixed.Goal.Placement = ""
	v, err := verify.Check(p, &mixed)
	if err != nil {
		t.Fatal(err)
	}
	failed := ""
	for _, f := range verify.Violations(v) {
		failed += f.Rule + "; "
	}
	if !strings.Contains(failed, "plan serves the phase of the workload") {
		t.Errorf("it fails for %q", failed)
	}
}
