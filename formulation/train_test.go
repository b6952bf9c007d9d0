package formulation_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partita/formulation"
	"partita/inputs"
	"partita/inputs/read"
	"partita/results"
	"partita/results/verify"
)

// trainingOf reads a condition of training in YAML.
func trainingOf(t rapid.TB, text string) *inputs.Condition {
	t.Helper()
	c, err := read.Load(read.Options{Paths: []string{"-"}, Stdin: strings.NewReader(text)})
	if err != nil {
		t.Fatal(text, err)
	}
	return c
}

func trainedPlan(t rapid.TB, c *inputs.Condition, closest bool) *results.Report {
	t.Helper()
	rep, err := formulation.Optimize(context.Background(), c, formulation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if rep.Plan == nil {
		return rep
	}
	v, err := verify.CheckWith(rep.Plan, c, verify.Options{Closest: closest || !rep.Feasible})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range verify.Violations(v) {
		t.Errorf("%s: want %s, got %s", x.Rule, x.Want, x.Got)
	}
	return rep
}

// TestTrainingExamples: the examples are solved to the proof, verified, and no rule of
// thumb beats them.
func TestTrainingExamples(t *testing.T) {
	for _, file := range []string{"training-llama-3.1-8b-8-h100.yaml", "training-llama-3.1-405b-1024-h100.yaml", "training-mixtral-8x22b-256-h100.md"} {
		c, err := read.Load(read.Options{Paths: []string{"../examples/" + file}})
		if err != nil {
			t.Fatal(err)
		}
		rep := trainedPlan(t, c, false)
		if rep.Status != results.StatusOptimal || !rep.Feasible {
			t.Fatalf("%s: %s, feasible %t: %v", file, rep.Status, rep.Feasible, rep.Reasons)
		}
		ph := &rep.Plan.Phases[0]
		m := &ph.Metrics
		if m.MFU == nil || *m.MFU < 0.2 || *m.MFU > 0.75 {
			t.Errorf("%s: MFU %v is none that anyone reaches", file, m.MFU)
		}
		for _, h := range rep.Plan.Comparison {
			if h.Feasible && *h.GapPercent < -1e-6 {
				t.Errorf("%s: %s beats the optimum by %g %%", file, h.Heuristic, -*h.GapPercent)
			}
		}
		s := &ph.Strategy
		if n := s.Replicas * s.MicroBatches * s.MicroBatchSequences; n != c.Workload.Batch {
			t.Errorf("%s: %d sequences, want %d", file, n, c.Workload.Batch)
		}
	}
}

// TestTrainingAnswers: what binds, what is short and what cannot be asked.
func TestTrainingAnswers(t *testing.T) {
	const base = "cluster: {accelerator: H100, count: 8, usd_per_hour: 2}\nmodel: Llama-3.1-8B\nworkload: {phase: training, global_batch: 32, sequence: 4096}\n"
	for name, x := range map[string]struct {
		text     string
		feasible bool
		status   results.Status
		reason   string
	}{
		"fits":             {base, true, results.StatusOptimal, ""},
		"in time":          {base + "goal: {requirements: {step_time: 60s, cost_per_hour: 16}}\n", true, results.StatusOptimal, ""},
		"too slow":         {base + "goal: {requirements: {step_time: 10ms}}\n", false, results.StatusInfeasible, "step_time: 10 ms is asked"},
		"too dear":         {base + "goal: {requirements: {cost_per_hour: 10}}\n", false, results.StatusInfeasible, "cost_per_hour"},
		"too large":        {strings.Replace(base, "count: 8", "count: 1", 1), false, results.StatusInfeasible, "memory"},
		"too long":         {strings.Replace(base, "sequence: 4096", "sequence: 1048576", 1), false, results.StatusInfeasible, "memory: no layout fits: undivided, weights"},
		"one rank alone":   {strings.Replace(strings.Replace(base, "count: 8", "count: 1", 1), "sequence: 4096", "sequence: 4096, training: {virtual_stages: 2, optimizer: 0 bytes}", 1), false, results.StatusInfeasible, "as is stated: virtual_stages 2"},
		"fixed by hand":    {strings.Replace(base, "sequence: 4096", "sequence: 4096, training: {zero: 3, micro_batch: 2, recompute: full, virtual_stages: 1, sequence_parallel: no}", 1), true, results.StatusOptimal, ""},
		"a rule":           {strings.Replace(base, "model:", "engine: megatron\nmodel:", 1), true, results.StatusOptimal, ""},
		"ours to choose":   {strings.Replace(base, "count: 8", "count: 8..32", 1) + "goal: {requirements: {step_time: 10s}}\n", true, results.StatusOptimal, ""},
		"nothing is asked": {strings.Replace(base, "count: 8", "count: 8..32", 1), true, results.StatusOptimal, ""},
	} {
		t.Run(name, func(t *testing.T) {
			rep := trainedPlan(t, trainingOf(t, x.text), false)
			if rep.Feasible != x.feasible || rep.Status != x.status || rep.Plan == nil {
				t.Fatalf("feasible %t, %s: %v", rep.Feasible, rep.Status, rep.Reasons)
			}
			if !strings.Contains(strings.Join(rep.Reasons, "\n"), x.reason) {
				t.Errorf("reasons %v, want %q", rep.Reasons, x.reason)
			}
		})
	}
}

// TestTrainingUnevenNodes: ranks share a node where their GPUs do, on nodes of unlike size
// and with tensor groups that leave some of a node over.
func TestTrainingUnevenNodes(t *testing.T) {
	const text = "cluster: {accelerator: H100, nodes: 2, gpus_per_node: 8}\nmodel: Llama-3.1-8B\nworkload: {phase: training, global_batch: 32, sequence: 4096}\n"
	c := trainingOf(t, text)
	c.Rules = []inputs.Rule{{Name: "tensor", Expr: "tp == 4"}, {Name: "pipeline", Expr: "pp == 4"}}
	p := &c.Cluster.Pools[0]
	p.Nodes = nil
	for i, n := range []int{4, 8, 4} {
		node := inputs.Node{Host: fmt.Sprintf("node-%d", i)}
		for g := range n {
			node.GPUs = append(node.GPUs, fmt.Sprintf("%s/gpu-%d", node.Host, g))
		}
		p.Nodes = append(p.Nodes, node)
	}
	rep := trainedPlan(t, c, false)
	if rep.Status != results.StatusOptimal || rep.Plan == nil {
		t.Fatalf("%s: %v", rep.Status, rep.Reasons)
	}
	for i, s := range rep.Plan.Phases[0].Stages[:4] {
		if got := s.SendMS; i > 0 && i < 3 && (got < rep.Plan.Phases[0].Stages[0].SendMS) != (i == 1) {
			t.Errorf("stage %d sends for %g ms, the first, to another node, for %g", i, got, rep.Plan.Phases[0].Stages[0].SendMS)
		}
	}
	c = trainingOf(t, strings.Replace(text, "nodes: 2, gpus_per_node: 8", "count: 4..12, gpus_per_node: 8", 1))
	c.Rules = []inputs.Rule{{Name: "tensor", Expr: "tp == 3"}, {Name: "pipeline", Expr: "pp == 4"}}
	c.Model.Kinds[0].Attention.Heads, c.Model.Kinds[0].Attention.KVHeads, c.Model.Kinds[0].FFN.Intermediate = 24, 6, 12288
	if rep = trainedPlan(t, c, false); rep.Status != results.StatusOptimal || rep.Plan == nil {
		t.Fatalf("%s: %v", rep.Status, rep.Reasons)
	}
}

// TestRuleOfNodes: a rule about the nodes that a stage spans sees those that its rank lies on,
// here three ranks of two GPUs each.
func TestRuleOfNodes(t *testing.T) {
	c := trainingOf(t, "cluster: {accelerator: H100, count: 6}\nmodel: Llama-3.1-8B\nworkload: {phase: training, global_batch: 32, sequence: 4096}\n")
	rules := []inputs.Rule{{Name: "pipeline", Expr: "pp == 3"}, {Name: "inside", Expr: "stage_nodes == 1"}}
	lie := func(sizes ...int) {
		p := &c.Cluster.Pools[0]
		p.Nodes, p.GPUsPerNode = nil, 4
		for i, n := range sizes {
			node := inputs.Node{Host: fmt.Sprintf("host-%d", i)}
			for g := range n {
				node.GPUs = append(node.GPUs, fmt.Sprintf("%s/gpu-%d", node.Host, g))
			}
			p.Nodes = append(p.Nodes, node)
		}
	}
	c.Rules = rules
	lie(2, 4)
	if rep := trainedPlan(t, c, false); rep.Status != results.StatusOptimal {
		t.Fatalf("on nodes of 2 and 4: %s %v", rep.Status, rep.Reasons)
	}
	lie(3, 3)
	c.Rules = rules[:1]
	rep := trainedPlan(t, c, false)
	if rep.Status != results.StatusOptimal {
		t.Fatalf("without the rule: %s %v", rep.Status, rep.Reasons)
	}
	c.Rules = rules
	v, err := verify.Check(rep.Plan, c)
	if err != nil || v.OK {
		t.Errorf("the second rank spans two nodes, and no rule sees it: %v", err)
	}
	e, err := formulation.Evaluate(t.Context(), c, formulation.Given{Plan: rep.Plan}, formulation.Options{})
	if err != nil || e.Feasible {
		t.Errorf("judged feasible, %v", err)
	}
	if rep := trainedPlan(t, c, false); rep.Feasible && rep.Plan.Phases[0].GPUs.Match {
		t.Errorf("a plan of all GPUs keeps the rule: %+v", rep.Plan.Phases[0].Strategy)
	}
}

// TestTrainingRefusals: what is about serving says so, and a balance cannot be asked for.
func TestTrainingRefusals(t *testing.T) {
	c := trainingOf(t, "cluster: {accelerator: H100, count: 8}\nmodel: Llama-3.1-8B\nworkload: {phase: training, global_batch: 32, sequence: 4096}\n")
	for name, call := range map[string]func() error{
		"explain": func() error {
			_, err := formulation.Explain(t.Context(), c, formulation.Options{})
			return err
		},
		"balance": func() error {
			even := *c
			e := 0.1
			even.Goal.Balance = &e
			_, err := formulation.Optimize(t.Context(), &even, formulation.Options{})
			return err
		},
		"ttft": func() error {
			fast := *c
			fast.Goal.Requirements = []inputs.Requirement{{Kind: inputs.TTFT, Value: 1}}
			_, err := formulation.Optimize(t.Context(), &fast, formulation.Options{})
			return err
		},
		"nothing to train": func() error {
			none := *c
			none.Workload.Training = nil
			_, err := formulation.Optimize(t.Context(), &none, formulation.Options{})
			return err
		},
	} {
		var asked *formulation.AskedError
		if err := call(); !errors.As(err, &asked) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAnyTrainingVerifies: whatever the condition, what the search gives is what the
// verifier recomputes.
func TestAnyTrainingVerifies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.SampledFrom([]int{1, 2, 4, 8, 12, 16, 32}).Draw(t, "gpus")
		node := rapid.SampledFrom([]int{1, 2, 4, 6, 8}).Draw(t, "node")
		model := rapid.SampledFrom([]string{"Llama-3.1-8B", "Mixtral-8x7B", "Qwen2.5-7B"}).Draw(t, "model")
		batch := rapid.SampledFrom([]int{1, 6, 16, 64}).Draw(t, "batch")
		sequence := rapid.SampledFrom([]int{512, 4096, 32768}).Draw(t, "sequence")
		text := fmt.Sprintf("cluster: {accelerator: %s, count: %d, gpus_per_node: %d}\nmodel: %s\nworkload: {phase: training, global_batch: %d, sequence: %d}\n",
			rapid.SampledFrom([]string{"H100", "A100-SXM-80GB", "B200"}).Draw(t, "device"), count, min(node, count), model, batch, sequence)
		c, err := read.Load(read.Options{Paths: []string{"-"}, Stdin: strings.NewReader(text)})
		if err != nil {
			t.Skip(err)
		}
		rep := trainedPlan(t, c, false)
		if rep.Status != results.StatusOptimal && rep.Status != results.StatusInfeasible {
			t.Errorf("%s: %s", text, rep.Status)
		}
	})
}
