package verify

import (
	"fmt"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/results"
)

// handPrices are prices that can be worked out on paper, in microseconds and MiB.
type handPrices struct {
	send     float64 // µs over the network; a tenth inside a host
	capacity int64   // bytes
}

const us = 1e-6

func (handPrices) Layer(pool, kind int, s cost.Shape, st cost.Step) float64 {
	if st.Phase == inputs.Prefill {
		return float64((kind+1)*st.Sequences*st.New) * us / float64(s.GPUs())
	}
	return float64((kind+1)*(100*st.Sequences+st.Cached)) * us
}
func (handPrices) Embedding(pool int, s cost.Shape, st cost.Step) float64 { return 10 * us }
func (handPrices) Head(pool int, s cost.Shape, st cost.Step) float64      { return 20 * us }
func (h handPrices) Send(from, to int, s cost.Shape, st cost.Step, sameHost bool) float64 {
	if sameHost {
		return h.send / 10 * us
	}
	return h.send * us
}
func (handPrices) StageMemory(pool int, counts []int, first, last bool, s cost.Shape, l cost.Load) cost.Memory {
	m := cost.Memory{Reserve: gib}
	for kind, n := range counts {
		m.Weights += int64(n*(kind+1)) * gib / int64(s.GPUs())
		m.KV += int64(n*l.Sequences*l.Tokens) << 20 / int64(s.GPUs())
	}
	for _, st := range l.Steps {
		m.Activations += int64(st.Sequences*st.New) << 10
	}
	return m
}
func (h handPrices) Capacity(pool int) int64            { return h.capacity }
func (handPrices) HostStep(pool, sequences int) float64 { return float64(sequences) * us }
func (handPrices) HostRequest(pool, tokens int) float64 { return float64(tokens) / 10 * us }
func (handPrices) KVTokens(pool int, counts []int, first, last bool, s cost.Shape, l cost.Load) int64 {
	return int64(1000 * (pool + s.GPUs()))
}
func (handPrices) Invalid(kind int, s cost.Shape) string {
	if s.TP == 3 {
		return "4 heads do not divide by tp 3"
	}
	return ""
}

func ptr[T any](v T) *T { return &v }

// handCondition: four layers (two dense, two MoE of four experts), two hosts of
// four GPUs in two pools, six sequences in flight.
func handCondition(phase inputs.Phase) *inputs.Condition {
	node := func(host string) []inputs.Node {
		n := inputs.Node{Host: host}
		for j := range 4 {
			n.GPUs = append(n.GPUs, fmt.Sprintf("%s/gpu-%d", host, j))
		}
		return []inputs.Node{n}
	}
	pool := func(name, host string, usd float64) inputs.Pool {
		return inputs.Pool{Name: name, Count: inputs.Count{Min: 4, Max: 4}, Nodes: node(host), GPUsPerNode: 4,
			MemoryBytes: 8 * gib, Utilization: 1, USDPerHour: usd}
	}
	attention := inputs.Attention{Kind: inputs.GQA, Heads: 4, KVHeads: 4, HeadDim: 8, VHeadDim: 8}
	return &inputs.Condition{
		Name:    "hand",
		Cluster: inputs.Cluster{Pools: []inputs.Pool{pool("big", "node-0", 2), pool("small", "node-1", 1)}},
		Model: inputs.Model{Name: "four layers", Hidden: 32, Vocab: 100, Layers: []int{0, 0, 1, 1}, Kinds: []inputs.LayerKind{
			{Name: "dense", Attention: attention, FFN: inputs.FFN{Intermediate: 64}},
			{Name: "moe", Attention: attention, FFN: inputs.FFN{Intermediate: 64, Experts: 4, TopK: 2}},
		}},
		Workload: inputs.Workload{Phase: phase, Batch: 6, Input: inputs.Range{Min: 100, Max: 200}, Output: inputs.Range{Min: 10, Max: 20}},
		Goal: inputs.Goal{Balance: ptr(0.5), Margin: ptr(0.1), Requirements: []inputs.Requirement{
			{Kind: inputs.TPOT, Value: 4e-3}, {Kind: inputs.TokensPerSecond, Value: 500},
		}},
	}
}

// handPlan is two replicas of two stages: layers 0-1 with TP 2 on a pool, layers
// 2-3 with attention-DP 2 and EP 2 on the other. The figures are the caller's:
// [stage 0, stage 1] in ms, and KV and activations in MiB.
type handFigures struct {
	time, prefill [2]float64
	kv            [2]float64 // MiB
	activations   float64    // KiB
	metrics       results.Metrics
	requirements  []results.RequirementResult
}

func handPlan(phase inputs.Phase, f handFigures) *results.Plan {
	ph := results.PhasePlan{
		Phase: phase,
		Strategy: results.Strategy{Replicas: 2, PP: 2,
			TP: results.PerStage{2, 1}, EP: results.PerStage{1, 2}, ETP: results.PerStage{2, 1}, CP: results.PerStage{1}, DPAttention: results.PerStage{1, 2},
			MicroBatches: 2, DecodeGroups: 2, SequencesPerReplica: 3, MicroBatchSequences: 2, GroupSequences: 2, Layers: []int{2, 2}},
		GPUs:    results.GPUCount{Available: ptr(8), Used: 8, Parts: 8, Match: true},
		Metrics: f.metrics, Requirements: f.requirements,
		Solve: results.Solve{Status: "optimal", Objective: 10, BestBound: ptr(10.0), Gap: ptr(0.0)},
	}
	for r := range 2 {
		for i := range 2 {
			s := results.Stage{Replica: r, Index: i, FirstLayer: 2 * i, LastLayer: 2*i + 1, Pool: []string{"big", "small"}[i],
				GPUs: []string{fmt.Sprintf("node-%d/gpu-%d", i, 2*r), fmt.Sprintf("node-%d/gpu-%d", i, 2*r+1)},
				TP:   2 - i, EP: 1 + i, ETP: 2 - i, CP: 1, DPAttention: 1 + i,
				TimeMS: f.time[i], PrefillMS: f.prefill[i], CapacityGiB: 8,
				Memory: results.Memory{WeightsGiB: float64(i + 1), KVGiB: f.kv[i] / 1024, ActivationsGiB: f.activations / (1 << 20), ReserveGiB: 1}}
			m := s.Memory
			s.MemoryGiB = m.WeightsGiB + m.KVGiB + m.ActivationsGiB + m.ReserveGiB
			ph.Stages = append(ph.Stages, s)
		}
	}
	t, m := f.time, [2]float64{ph.Stages[0].MemoryGiB, ph.Stages[1].MemoryGiB}
	ph.Balance = results.Balance{TimeMaxOverMean: max(t[0], t[1]) * 2 / (t[0] + t[1]), MemoryMaxOverMean: max(m[0], m[1]) * 2 / (m[0] + m[1]),
		TimeMinOverMax: min(t[0], t[1]) / max(t[0], t[1]), Floor: 0.5}
	return &results.Plan{FormatVersion: results.FormatVersion, Condition: "hand", Phases: []results.PhasePlan{ph}}
}

// mixedPlan, worked on paper with I↑ 200, I 150, O↑ 20, O 15, B_r 3, b0 2, b1 2. A dense
// layer, twice as much for one of experts:
//
//	D{2} = 2·100 + 158 = 358 µs;  plain 2: 200, 150: 15000, 152: 15200;  C{150} = 75;  A = 358 − 200 + 200 = 358
//	σ = (3 − 1)/15/2 = 1/15;  τ1 = 358 + 75/15 = 363
//	D{3} = 458 = A;  σ = 2/15;  τ = 458 + 2/15·75 = 468;  ω = (13·458² + 2·533²)/15/(2·468) = 234.694
//	P{200} = 100;  τ0 = 100 + 458 + 468 + 234.694 = 1260.694
//
// What costs the same at any size (10 embedding, 20 head, 50 send) has τ1 = D, A = 0 and
// τ0 = P + D + D/2: 25, 50, 125 µs. The host takes 2 µs of a step of a group, 3 of one of
// all, of which a request meets its own, the one before and half another, and 20 of a request:
//
//	τ1 = 2·363 + 60 + 2 = 788, 2·726 + 20 + 2 = 1474 µs;  round = 2·1474 µs
//	τ0 = 2·1260.694 + 150 + 7.5 + 20, 4·1260.694 + 50 + 7.5 µs, of which alone 2·100 + 60, 2·200 + 20
//	KV 3·220 tokens · 2 layers · 1 MiB / 2 GPUs = 660 MiB;  activations 400 + 2 KiB
func mixedPlan() (*results.Plan, *inputs.Condition, handPrices) {
	const tpot = 2.948 // ms
	layer := 100 + 458 + 468 + (13*458.0*458+2*533*533)/15/(2*468)
	first := [2]float64{(2*layer + 177.5) / 1000, (4*layer + 57.5) / 1000}
	ttft := first[0] + first[1]
	tokens := 6 / tpot * 1000 * 165 / 15
	p := handPlan(inputs.Mixed, handFigures{
		time:    [2]float64{0.788, 1.474},
		prefill: first,
		kv:      [2]float64{660, 660}, activations: 402,
		metrics: results.Metrics{
			TTFTMS: &ttft, TTFTInterval: &[2]float64{5, 9}, TTFTKernelMS: ptr(0.680), TTFTQueueMS: ptr(ttft - 0.680),
			TPOTMS: ptr(tpot), E2EMS: ptr(ttft + 14*tpot), StepMS: ptr(tpot),
			OutputTokensPerS: ptr(6 / tpot * 1000), TokensPerS: ptr(tokens), TokensPerSPerGPU: ptr(tokens / 8),
			USDPerHour: ptr(12.0), USDPerMillion: ptr(12 / (tokens * 3600) * 1e6), KVTokens: ptr(int64(2000)),
		},
		requirements: []results.RequirementResult{
			{Name: "tpot", Unit: "ms", Want: 4, Got: tpot, Met: true, MarginPercent: 100 * (1 - tpot/4)},
			{Name: "throughput", Unit: "tokens/s", Want: 500, Got: tokens, Met: true, MarginPercent: 100 * (1 - 500/tokens)},
		},
	})
	return p, handCondition(inputs.Mixed), handPrices{send: 50, capacity: 8 * gib}
}

// prefillPlan: latency step {2 × 200} stage 0: 2·400/2 + 60 + 2 = 462 µs, stage 1:
// 2·2·400/2 + 20 + 2 = 822 µs; rate step {2 × 150} stage 0: 2·300/2 + 62 = 362 µs, stage
// 1: 2·2·300/2 + 22 = 622 µs; round 2·622 µs; decode for information {3, 150}:
// 2·450 + 63 = 963, 2·2·450 + 23 = 1823 µs; KV 3·200·2/2 = 600 MiB.
func prefillPlan() (*results.Plan, *inputs.Condition, handPrices) {
	tokens := 6 * 150 / 1244e-6
	p := handPlan(inputs.Prefill, handFigures{
		time: [2]float64{0.362, 0.622}, prefill: [2]float64{0.462, 0.822}, kv: [2]float64{600, 600}, activations: 400,
		metrics: results.Metrics{TTFTMS: ptr(2.106), TPOTMS: ptr(2.786), TokensPerS: ptr(tokens), TokensPerSPerGPU: ptr(tokens / 8)},
		requirements: []results.RequirementResult{
			{Name: "tpot", Unit: "s", Want: 4e-3, Got: 2.786e-3, Met: true, MarginPercent: 30.35},
			{Name: "throughput", Unit: "tokens/ms", Want: 0.5, Got: tokens / 1000, Met: true, MarginPercent: 100 * (1 - 500/tokens)},
		},
	})
	return p, handCondition(inputs.Prefill), handPrices{send: 50, capacity: 8 * gib}
}

// decodePlan: decode step {2, 158} 2·358 + 62 = 778, 4·358 + 22 = 1454 µs, no latency
// phase; round = max(778 + 1454, 2·1454) = 2908 µs; KV as mixed; activations of the decode step alone, 2 KiB.
func decodePlan() (*results.Plan, *inputs.Condition, handPrices) {
	tokens := 6 / 2908e-6
	p := handPlan(inputs.Decode, handFigures{
		time: [2]float64{0.778, 1.454}, kv: [2]float64{660, 660}, activations: 2,
		metrics: results.Metrics{TPOTMS: ptr(2.908), E2EMS: ptr(15 * 2.908), OutputTokensPerS: &tokens, TokensPerS: &tokens, TokensPerSPerGPU: ptr(tokens / 8)},
		requirements: []results.RequirementResult{
			{Name: "tpot", Unit: "ms", Want: 4, Got: 2.908, Met: true, MarginPercent: 27.3},
			{Name: "throughput", Unit: "tokens/s", Want: 500, Got: tokens, Met: true, MarginPercent: 100 * (1 - 500/tokens)},
		},
	})
	return p, handCondition(inputs.Decode), handPrices{send: 50, capacity: 8 * gib}
}
