package formulation_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"partita/formulation"
	"partita/inputs"
	"partita/inputs/read"
	"partita/results"
	"partita/results/verify"
)

// apartExample is the example of two nodes, with values set.
func apartExample(t *testing.T, set ...string) *inputs.Condition {
	t.Helper()
	opts := read.Options{Paths: []string{"../examples/disaggregated/llama-3.1-70b-fp8-2x8-h100.yaml"}}
	for _, s := range set {
		path, value, _ := strings.Cut(s, "=")
		opts.Overrides = append(opts.Overrides, read.Override{Key: path, Value: value})
	}
	c, err := read.Load(opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestDisaggregatedBackendsAgree: each backend proves the same split and plans.
func TestDisaggregatedBackendsAgree(t *testing.T) {
	list := backends(t)
	compared := 0
	for seed := uint64(0); compared < 8; seed++ {
		c, ok := apartCondition(newDraw(seed + 1<<20))
		if !ok || len(c.Cluster.Pools) > 1 {
			continue
		}
		var first *results.Report
		for _, opts := range list {
			rep, err := formulation.Optimize(t.Context(), c, opts)
			if err != nil {
				t.Fatalf("seed %d, %s: %v", seed, opts.Backend, err)
			}
			if first == nil {
				first = rep
				continue
			}
			if rep.Status != first.Status || (rep.Plan == nil) != (first.Plan == nil) {
				t.Fatalf("seed %d, %s: %s instead of %s", seed, opts.Backend, rep.Status, first.Status)
			}
			if rep.Plan == nil {
				continue
			}
			a, b := first.Plan.Disaggregated.Solve.Objective, rep.Plan.Disaggregated.Solve.Objective
			if math.Abs(a-b) > 1e-5*a {
				t.Errorf("seed %d, %s: objective %g instead of %g", seed, opts.Backend, b, a)
			}
		}
		if first.Plan != nil {
			compared++
		}
	}
}

// TestDisaggregatedInTime: whatever time there is, what comes out verifies, says its bound,
// and calls nothing proved that is not.
func TestDisaggregatedInTime(t *testing.T) {
	c := apartExample(t, "cluster.pools.0.count=64", "cluster.pools.0.nodes=8", "workload.batch=512", "goal.objective=balanced")
	for _, limit := range []time.Duration{0, time.Millisecond, 300 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		rep, err := formulation.Optimize(ctx, c, formulation.Options{Backend: "labels"})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if rep.Plan == nil {
			if rep.Status != results.StatusUnknown {
				t.Errorf("after %v: %s without a plan", limit, rep.Status)
			}
			continue
		}
		s := &rep.Plan.Disaggregated.Solve
		if (rep.Status == results.StatusOptimal) != (s.Status == "optimal") || s.BestBound != nil && *s.BestBound > s.Objective*(1+1e-9) {
			t.Errorf("after %v: %s, %s, objective %g, bound %v", limit, rep.Status, s.Status, s.Objective, s.BestBound)
		}
		if v, err := verify.CheckWith(rep.Plan, c, verify.Options{Closest: !rep.Feasible}); err != nil || !v.OK {
			t.Errorf("after %v: %v %+v", limit, err, verify.Violations(v))
		}
	}
}

// TestDisaggregatedOnEngines: with an engine, both sides keep its rules and those of handing
// KV caches on.
func TestDisaggregatedOnEngines(t *testing.T) {
	for _, engine := range []string{"vllm", "sglang"} {
		rep, err := formulation.Optimize(t.Context(), apartExample(t, "engine="+engine, "goal.requirements.ttft=none", "goal.objective=balanced"), formulation.Options{Backend: "labels"})
		if err != nil || !rep.Feasible {
			t.Fatalf("%s: %v %v", engine, err, rep.Reasons)
		}
		for i := range rep.Plan.Phases {
			ph := &rep.Plan.Phases[i]
			if cp, same := ph.Strategy.CP.Uniform(); engine == "vllm" && (!same || cp != 1) {
				t.Errorf("vLLM with CP %v", ph.Strategy.CP)
			}
			if ph.Strategy.PP > 1 && (engine == "vllm" || ph.Phase == inputs.Decode) {
				t.Errorf("%s: the %s side is a pipeline of %d stages", engine, ph.Phase, ph.Strategy.PP)
			}
			if len(ph.Solve.Certificate.Rules) == 0 {
				t.Errorf("%s: the %s side tells no rule", engine, ph.Phase)
			}
		}
	}
}

// TestDisaggregatedRefuses: what two deployments cannot be judged by is an error with a
// remedy, and so is a command that takes one.
func TestDisaggregatedRefuses(t *testing.T) {
	for what, c := range map[string]*inputs.Condition{
		"prefill alone": apartExample(t, "workload.phase=decode", "goal.requirements.ttft=none"),
		"one GPU":       apartExample(t, "cluster.pools.0.count=1", "cluster.pools.0.nodes=1", "cluster.pools.0.gpus_per_node=1"),
	} {
		_, err := formulation.Optimize(t.Context(), c, formulation.Options{})
		var asked *formulation.AskedError
		if !errors.As(err, &asked) || asked.What != "placement disaggregated" || asked.Remedy == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
	c := apartExample(t)
	if _, err := formulation.Pareto(t.Context(), c, formulation.Options{}); err == nil || !strings.Contains(err.Error(), "pipelines alone") {
		t.Errorf("pareto: %v", err)
	}
	if _, err := formulation.Explain(t.Context(), c, formulation.Options{}); err == nil || !strings.Contains(err.Error(), "pipelines alone") {
		t.Errorf("explain: %v", err)
	}
}

// TestDisaggregatedGrows: one GPU more never makes the best throughput worse where GPUs may
// idle, and a faster network never makes the best latency worse.
func TestDisaggregatedGrows(t *testing.T) {
	best := func(set ...string) float64 {
		t.Helper()
		rep, err := formulation.Optimize(t.Context(), apartExample(t, append(set, "goal.requirements.ttft=none", "goal.requirements.tpot=none")...), formulation.Options{Backend: "labels"})
		if err != nil || rep.Status != results.StatusOptimal {
			t.Fatalf("%v: %v %v", set, err, rep.Status)
		}
		return rep.Plan.Disaggregated.Solve.Objective
	}
	last := math.Inf(1)
	for _, n := range []string{"6", "7", "8"} {
		v := best("cluster.pools.0.count="+n, "cluster.pools.0.nodes=1", "cluster.pools.0.gpus_per_node="+n, "goal.allow_idle=yes", "workload.batch=64")
		if v > last*(1+1e-6) {
			t.Errorf("%s GPUs: %g after %g", n, v, last)
		}
		last = v
	}
	last = math.Inf(1)
	for _, rate := range []string{"10Gb/s", "100Gb/s", "400Gb/s"} {
		v := best("cluster.network="+rate, "goal.objective=latency", "workload.batch=64")
		if v > last*(1+1e-6) {
			t.Errorf("%s: %g after %g", rate, v, last)
		}
		last = v
	}
}

// TestDisaggregatedUntried: nothing is called infeasible, or optimal, that a number of GPUs
// which is not tried may undo.
func TestDisaggregatedUntried(t *testing.T) {
	far := apartExample(t, "cluster.count=unlimited", "goal.requirements.throughput=1000000 tokens/s")
	rep, err := formulation.Optimize(t.Context(), far, formulation.Options{Backend: "labels"})
	if err != nil || rep.Plan == nil || rep.Feasible {
		t.Fatalf("%v %+v", err, rep)
	}
	all := strings.Join(rep.Warnings, "\n")
	if s := &rep.Plan.Disaggregated.Solve; rep.Status != results.StatusFeasible || s.Status != "feasible" || s.BestBound != nil || !strings.Contains(all, "splits: tried are every number of GPUs up to 35 ") {
		t.Errorf("%s, %s, bound %v: %s", rep.Status, s.Status, s.BestBound, all)
	}
	for i := range rep.Plan.Phases {
		for _, q := range rep.Plan.Phases[i].Requirements {
			if q.Nearest != nil {
				t.Errorf("%s: the nearest is %g, of which more GPUs are not asked", q.Name, *q.Nearest)
			}
		}
	}
	// What few GPUs do is no less proved for that.
	near := apartExample(t, "cluster.count=unlimited")
	if rep, err = formulation.Optimize(t.Context(), near, formulation.Options{Backend: "labels"}); err != nil || rep.Status != results.StatusOptimal || len(rep.Warnings) > 0 {
		t.Errorf("%v %s %v", err, rep.Status, rep.Warnings)
	}
}

// TestDisaggregatedEngines: an engine that hands no KV cache on is refused before the search.
func TestDisaggregatedEngines(t *testing.T) {
	for _, engine := range []string{"llamacpp", "megatron"} {
		_, err := formulation.Optimize(t.Context(), apartExample(t, "engine="+engine), formulation.Options{Backend: "labels"})
		var asked *formulation.AskedError
		if !errors.As(err, &asked) || asked.What != "engine "+engine || asked.Remedy == "" {
			t.Errorf("%s: %v", engine, err)
		}
	}
}

// TestDisaggregatedOverASlowLink: where the link sets the rate, nothing measured bounds it,
// and no side tells evidence of what it does not do.
func TestDisaggregatedOverASlowLink(t *testing.T) {
	c := apartExample(t, "cluster.network=1Gb/s", "goal.requirements.ttft=none", "goal.requirements.tpot=none")
	rep, err := formulation.Optimize(t.Context(), c, formulation.Options{Backend: "labels"})
	if err != nil || rep.Status != results.StatusOptimal {
		t.Fatalf("%v %+v", err, rep)
	}
	u := rep.Plan.Disaggregated
	if u.LimitedBy != "transfer" || math.Abs(u.RequestsPerS-u.TransferRequestsPerS) > 1e-9*u.RequestsPerS || u.Metrics.TokensPerSInterval != nil {
		t.Errorf("limited by %s, %g requests/s of %g, interval %v", u.LimitedBy, u.RequestsPerS, u.TransferRequestsPerS, u.Metrics.TokensPerSInterval)
	}
	for _, e := range u.Metrics.Evidence {
		if e.Metric == "tokens_per_s" {
			t.Errorf("the rate of a link rests on %s", e.Says)
		}
	}
	for _, e := range rep.Plan.Phases[0].Metrics.Evidence {
		if e.Metric == "tpot_ms" {
			t.Errorf("prefill decodes by %s", e.Says)
		}
	}
	if v, err := verify.Check(rep.WithOutcome(), c); err != nil || !v.OK {
		t.Errorf("%v %+v", err, verify.Violations(v))
	}
}

// TestDisaggregatedTogetherLate: prompts that end together wait for one another's transfer,
// which is said where the first token comes much later for it, or later than is asked.
func TestDisaggregatedTogetherLate(t *testing.T) {
	solved := func(network, ttft string) *results.Plan {
		t.Helper()
		c := apartExample(t, "workload.input=1024", "cluster.network="+network, "goal.requirements.ttft="+ttft)
		rep, err := formulation.Optimize(t.Context(), c, formulation.Options{Backend: "labels"})
		if err != nil || !rep.Feasible {
			t.Fatalf("%s, %s: %v %+v", network, ttft, err, rep)
		}
		return rep.Plan
	}
	warned := func(p *results.Plan, want string) {
		t.Helper()
		if got := strings.Join(p.Warnings, "\n"); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	fast := solved("400Gb/s", "none")
	n := float64(fast.Phases[0].Strategy.MicroBatchSequences)
	if n < 2 {
		t.Fatalf("%g prompts end together", n)
	}
	warned(fast, "")
	warned(solved("25Gb/s", "none"), "prompts of a replica end together")
	u := fast.Disaggregated
	between := (*u.Metrics.TTFTMS + (n-1)/4*u.Transfer.TimeMS) / 0.9
	warned(solved("400Gb/s", fmt.Sprintf("%g ms", between)), "past what is asked with its margin")
}
