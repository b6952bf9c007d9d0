package verify

import (
	"fmt"
	"slices"
	"testing"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/results"
)

// llama8B is Llama-3.1-8B (its config.json: 32 layers, hidden 4096, 32 heads, 8 KV
// heads, width 14336, vocabulary 128256) on one node of eight H100-like GPUs.
func llama8B() *inputs.Condition {
	kind := inputs.LayerKind{Name: "dense",
		Attention: inputs.Attention{Kind: inputs.GQA, Heads: 32, KVHeads: 8, HeadDim: 128, VHeadDim: 128},
		FFN:       inputs.FFN{Intermediate: 14336, Gated: true}}
	node := inputs.Node{Host: "node-0"}
	for j := range 8 {
		node.GPUs = append(node.GPUs, fmt.Sprintf("node-0/gpu-%d", j))
	}
	return &inputs.Condition{
		Name: "llama-8b",
		Cluster: inputs.Cluster{
			Network: inputs.Link{Kind: inputs.LinkInfiniBand, BytesPerSecond: 50e9},
			Pools: []inputs.Pool{{Name: "H100", Count: inputs.Count{Min: 8, Max: 8}, Nodes: []inputs.Node{node}, GPUsPerNode: 8,
				MemoryBytes: 80e9, Utilization: 0.9, Intra: inputs.Link{Kind: inputs.LinkNVLink, BytesPerSecond: 450e9},
				Accelerator: inputs.Accelerator{Name: "H100", Generation: "hopper", MemoryBytes: 80e9, MemoryBandwidth: 3.35e12,
					FLOPS: map[inputs.DType]float64{inputs.BF16: 989e12, inputs.FP16: 989e12}}}}},
		Model: inputs.Model{Name: "Llama-3.1-8B", Hidden: 4096, Vocab: 128256, Kinds: []inputs.LayerKind{kind}, Layers: make([]int, 32),
			Weights: inputs.BF16, Activation: inputs.BF16, KV: inputs.BF16, FFNScale: 1},
		Workload: inputs.Workload{Phase: inputs.Mixed, Batch: 64, Input: inputs.Range{Min: 1000, Max: 2000}, Output: inputs.Range{Min: 200, Max: 400}},
	}
}

// llamaPlan is 2 replicas × PP 2 × TP 2 with uneven stages, priced here step by
// step from (C1) to (C8): B_r 32, m0 4, m1 2; b0 8, b1 16; I 1500, O 300.
func llamaPlan(t *testing.T, c *inputs.Condition) *results.Plan {
	t.Helper()
	calc, err := cost.New(c)
	if err != nil {
		t.Fatal(err)
	}
	s := cost.Shape{TP: 2, CP: 1, DPAttention: 1, EP: 1, ETP: 2}
	layers := [2]int{17, 15}
	// of sums what f makes of the price of each part of a stage.
	of := func(i int, f func(price func(cost.Step) float64) float64) float64 {
		seconds := float64(layers[i]) * f(func(st cost.Step) float64 { return calc.Layer(0, 0, s, st) })
		if i == 0 {
			return seconds + f(func(st cost.Step) float64 { return calc.Embedding(0, s, st) }) +
				f(func(st cost.Step) float64 { return calc.Send(0, 0, s, st, true) })
		}
		return seconds + f(func(st cost.Step) float64 { return calc.Head(0, s, st) })
	}
	latency := cost.Step{Phase: inputs.Prefill, Sequences: 8, New: 2000}
	decode := cost.Step{Phase: inputs.Decode, Sequences: 16, New: 1, Cached: 1650}
	all := decode
	all.Sequences = 32
	chunk := cost.Step{Phase: inputs.Prefill, Sequences: 1, New: 1500} // 31/300 a round
	prompt := cost.Step{Phase: inputs.Prefill, Sequences: 1, New: 2000}
	plain := func(n int) cost.Step { return cost.Step{Phase: inputs.Decode, Sequences: n, New: 1} }
	load := cost.Load{Sequences: 32, Tokens: 2400, Steps: []cost.Step{latency, decode}, Budget: 8192}
	var t0, t1 [2]float64
	var mem [2]cost.Memory
	kv := int64(1) << 62
	for i := range 2 {
		t0[i] = 2.5*calc.HostStep(0, 32) + of(i, func(price func(cost.Step) float64) float64 {
			along := price(all) - price(plain(32)) + price(plain(1532)) - price(plain(1500))
			long := price(chunk) + along
			step := (1-31.0/300)*price(all) + 31.0/300*long
			return price(prompt) + along + step + ((1-31.0/300)*price(all)*price(all)+31.0/300*long*long)/(2*step)
		})
		t1[i] = calc.HostStep(0, 16) + of(i, func(price func(cost.Step) float64) float64 {
			long := price(chunk) + price(decode) - price(plain(16)) + price(plain(1516)) - price(plain(1500))
			return (1-31.0/600)*price(decode) + 31.0/600*long
		})
		mem[i] = calc.StageMemory(0, []int{layers[i]}, i == 0, i == 1, s, load)
		kv = min(kv, calc.KVTokens(0, []int{layers[i]}, i == 0, i == 1, s, load))
	}
	t0[0] += calc.HostRequest(0, 2000)
	ttft := t0[0] + t0[1]
	tpot := max(t1[0]+t1[1], 2*max(t1[0], t1[1]))
	output := 64 / tpot
	ph := results.PhasePlan{
		Phase: inputs.Mixed,
		Strategy: results.Strategy{Replicas: 2, PP: 2, TP: results.PerStage{2}, EP: results.PerStage{1}, CP: results.PerStage{1}, DPAttention: results.PerStage{1}, ETP: results.PerStage{2},
			MicroBatches: 4, DecodeGroups: 2, SequencesPerReplica: 32, MicroBatchSequences: 8, GroupSequences: 16, Layers: []int{17, 15}},
		GPUs: results.GPUCount{Available: ptr(8), Used: 8, Parts: 8, Match: true},
		Metrics: results.Metrics{TTFTMS: ptr(ttft * 1e3), TPOTMS: ptr(tpot * 1e3), E2EMS: ptr((ttft + 299*tpot) * 1e3),
			OutputTokensPerS: ptr(output), TokensPerS: ptr(output * 6), TokensPerSPerGPU: ptr(output * 6 / 8), KVTokens: ptr(kv)},
		Solve: results.Solve{Status: "feasible", Objective: 1},
	}
	for r := range 2 {
		for i := range 2 {
			m := mem[i]
			ph.Stages = append(ph.Stages, results.Stage{Replica: r, Index: i, FirstLayer: 17 * i, LastLayer: 16 + 15*i, Pool: "H100",
				GPUs: []string{fmt.Sprintf("node-0/gpu-%d", 4*r+2*i), fmt.Sprintf("node-0/gpu-%d", 4*r+2*i+1)}, TP: 2, EP: 1, ETP: 2, CP: 1, DPAttention: 1,
				TimeMS: t1[i] * 1e3, PrefillMS: t0[i] * 1e3, MemoryGiB: float64(m.Total()) / gib, CapacityGiB: float64(calc.Capacity(0)) / gib,
				Memory: results.Memory{WeightsGiB: float64(m.Weights) / gib, KVGiB: float64(m.KV) / gib, ActivationsGiB: float64(m.Activations) / gib, ReserveGiB: float64(m.Reserve) / gib}})
		}
	}
	ph.Balance = results.BalanceOf(ph.Stages)
	ph.Balance.Floor = 0.75
	return &results.Plan{FormatVersion: results.FormatVersion, Condition: c.Name, Phases: []results.PhasePlan{ph}, Deployment: results.DeploymentOf(c)}
}

// A plan priced with the real cost model holds, and one of another shape does not.
func TestCheckWithTheCostModel(t *testing.T) {
	c := llama8B()
	v, err := Check(llamaPlan(t, c), c)
	if err != nil {
		t.Fatal(err)
	}
	if !v.OK {
		t.Errorf("want every check to hold:\n%s", describe(v))
	}

	p := llamaPlan(t, c)
	for i := range p.Phases[0].Stages {
		p.Phases[0].Stages[i].TP, p.Phases[0].Stages[i].DPAttention = 1, 2 // a dense model has none
	}
	p.Phases[0].Strategy.TP, p.Phases[0].Strategy.DPAttention = results.PerStage{1}, results.PerStage{2}
	if v, err = Check(p, c); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(failedRules(v), ruleDegrees) {
		t.Errorf("attention DP for a dense model: want rule %q to fail, got %q", ruleDegrees, failedRules(v))
	}

	small := llama8B()
	small.Cluster.Pools[0].MemoryBytes = 8e9
	if v, err = Check(llamaPlan(t, c), small); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(failedRules(v), ruleMemory) {
		t.Errorf("8 GB cards: want rule %q to fail, got %q", ruleMemory, failedRules(v))
	}
}

func TestCheckOfAConditionWithoutPrices(t *testing.T) {
	c := llama8B()
	p := llamaPlan(t, c)
	c.Cluster.Pools[0].Accelerator.MemoryBandwidth = 0
	if v, err := Check(p, c); err == nil {
		t.Errorf("a condition that cannot be priced: want an error, got %+v", v)
	}
}

// The closest plan to one card is priced as if its machine had eight: that is what
// the plan was made for.
func TestClosestPlanOnAWholeNode(t *testing.T) {
	c := llama8B()
	p := llamaPlan(t, c)
	one := llama8B()
	pool := &one.Cluster.Pools[0]
	pool.Count, pool.GPUsPerNode, pool.Nodes = inputs.Count{Min: 1, Max: 1}, 1, []inputs.Node{{Host: "node-0", GPUs: []string{"node-0/gpu-0"}}}
	p.Phases[0].GPUs.Available, p.Phases[0].GPUs.Match, p.Deployment = ptr(1), false, results.DeploymentOf(one)
	v, err := CheckWith(p, one, Options{Closest: true})
	if err != nil {
		t.Fatal(err)
	}
	if !v.OK {
		t.Errorf("want every check to hold or to be waived:\n%s", describe(v))
	}
	if v, err = Check(p, one); err != nil || !slices.Contains(failedRules(v), ruleIDs) {
		t.Errorf("as a plan on one card: want rule %q to fail, got %q (%v)", ruleIDs, failedRules(v), err)
	}
}
