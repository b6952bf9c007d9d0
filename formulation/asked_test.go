package formulation_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"partita/formulation"
	"partita/inputs"
)

// What no plan can be judged by is an error with its place, before any search; what
// can is not.
func TestAsked(t *testing.T) {
	ask := func(k inputs.RequirementKind, v float64) func(*inputs.Condition) {
		return func(c *inputs.Condition) {
			c.Goal.Requirements = []inputs.Requirement{{Kind: k, Value: v, Place: inputs.Place{File: "c.md", Line: 7, Col: 3}}}
		}
	}
	phase := func(p inputs.Phase) func(*inputs.Condition) {
		return func(c *inputs.Condition) {
			c.Workload.Phase = p
			if p == inputs.Prefill {
				c.Workload.Output = inputs.Range{}
			}
		}
	}
	for _, x := range []struct {
		name   string
		change []func(*inputs.Condition)
		want   string // part of the error; "": none
	}{
		{"mixed, ttft", []func(*inputs.Condition){ask(inputs.TTFT, 9)}, ""},
		{"decode, tpot", []func(*inputs.Condition){phase(inputs.Decode), ask(inputs.TPOT, 9)}, ""},
		{"prefill, end to end", []func(*inputs.Condition){phase(inputs.Prefill), ask(inputs.EndToEnd, 9)}, ""},
		{"cost with prices", []func(*inputs.Condition){ask(inputs.CostUSDPerHour, 1e3)}, ""},
		{"decode, ttft", []func(*inputs.Condition){phase(inputs.Decode), ask(inputs.TTFT, 9)}, "c.md:7:3: requirement ttft: decode alone has no first token"},
		{"prefill, tpot", []func(*inputs.Condition){phase(inputs.Prefill), ask(inputs.TPOT, 9)}, "c.md:7:3: requirement tpot: prefill alone"},
		{"prefill, output", []func(*inputs.Condition){phase(inputs.Prefill), ask(inputs.OutputPerSGPU, 9)}, "output_throughput_per_gpu: prefill alone"},
		{"mixed, step time", []func(*inputs.Condition){ask(inputs.StepTime, 9)}, "requirement step_time: serving has no training step"},
		{"no value", []func(*inputs.Condition){ask(inputs.TTFT, 0)}, "state a value above 0"},
		{"cost without a price", []func(*inputs.Condition){ask(inputs.CostUSDPerHour, 5), func(c *inputs.Condition) { c.Cluster.Pools[1].USDPerHour = 0 }}, `the price of pool "pool-b" is not known`},
		{"objective cost without a price", []func(*inputs.Condition){func(c *inputs.Condition) { c.Goal.Objective, c.Cluster.Pools[0].USDPerHour = inputs.Cost, 0 }}, "objective cost"},
		{"no batch", []func(*inputs.Condition){func(c *inputs.Condition) { c.Workload.Batch = 0 }}, "batch is 0"},
		{"mixed without output", []func(*inputs.Condition){func(c *inputs.Condition) { c.Workload.Output = inputs.Range{} }}, "nothing is generated"},
		{"no input", []func(*inputs.Condition){func(c *inputs.Condition) { c.Workload.Input = inputs.Range{} }}, "an input length of 0"},
	} {
		c := small()
		for _, f := range x.change {
			f(c)
		}
		rep, err := formulation.Optimize(context.Background(), c, formulation.Options{Backend: "labels"})
		if x.want == "" {
			if err != nil {
				t.Errorf("%s: %v", x.name, err)
			} else if what := verified(rep, c); what != "" {
				t.Errorf("%s: %s", x.name, what)
			}
			continue
		}
		var asked *formulation.AskedError
		if !errors.As(err, &asked) || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: error %v, want %q", x.name, err, x.want)
		}
	}
	if _, err := formulation.Optimize(context.Background(), &inputs.Condition{Workload: inputs.Workload{Batch: 1}}, formulation.Options{}); err == nil {
		t.Error("an empty condition: no error")
	}
}
