package formulation_test

import (
	"fmt"
	"testing"

	"partita/formulation"
	"partita/inputs"
)

// tied is a condition whose prices are all stated: of its plans with two stages, 1 + 2 and
// 2 + 1 layers take the same time, which rounds to other ticks.
func tied(gpus [][]string, flops float64, heads, kvHeads, batch, input, output int, m inputs.Model) *inputs.Condition {
	attention := inputs.Attention{Kind: inputs.GQA, Heads: heads, KVHeads: kvHeads, HeadDim: 128, VHeadDim: 128}
	m.Name, m.Hidden, m.Activation, m.KV, m.FFNScale, m.Layers = "dense", 2048, inputs.BF16, inputs.BF16, 1, []int{0, 0, 0}
	m.Kinds = []inputs.LayerKind{{Name: "dense", Attention: attention, FFN: inputs.FFN{Intermediate: 6144, Gated: true}}}
	p := inputs.Pool{
		Name: "pool", Utilization: 1, USDPerHour: 1, MemoryBytes: 24 << 30,
		Accelerator: inputs.Accelerator{
			Name: "stated", MemoryBandwidth: 3.3e12, Efficiency: &inputs.Efficiency{Compute: 0.5, Bandwidth: 0.8},
			FLOPS: map[inputs.DType]float64{inputs.BF16: flops, inputs.FP8: 2 * flops},
		},
		Intra: inputs.Link{Kind: inputs.LinkNVLink, BytesPerSecond: 200e9},
	}
	for i, node := range gpus {
		p.Nodes = append(p.Nodes, inputs.Node{Host: fmt.Sprintf("node-%d", i), GPUs: node})
		p.Count.Min += len(node)
		p.GPUsPerNode = len(node)
	}
	p.Count.Max = p.Count.Min
	c := &inputs.Condition{Name: "tied", Model: m}
	c.Cluster = inputs.Cluster{Pools: []inputs.Pool{p}, Network: inputs.Link{Kind: inputs.LinkInfiniBand, BytesPerSecond: 3e9}}
	c.Workload = inputs.Workload{Phase: inputs.Mixed, Batch: batch, Input: inputs.Range{Min: input, Max: input}, Output: inputs.Range{Min: output, Max: output}}
	c.Goal = inputs.Goal{Objective: inputs.Balanced, Balance: ptr(1.0), Margin: ptr(0.0)}
	return ruled(c, "pp >= 2")
}

// TestNormsAreOptima: what scales the objective is the optimum of the metric alone, in the
// same ticks, whichever of the plans that take the same time a solver meets first. Else
// solvers that are all right differ in the objective.
func TestNormsAreOptima(t *testing.T) {
	for i, c := range []*inputs.Condition{
		tied([][]string{{"a", "b"}, {"c", "d"}}, 800e12, 12, 12, 1, 1854, 103, inputs.Model{Vocab: 32000, Tied: true, Weights: inputs.BF16}),
		tied([][]string{{"a", "b"}}, 50e12, 8, 2, 2, 3848, 303, inputs.Model{Vocab: 128256, Weights: inputs.FP8}),
	} {
		var alone [2]float64
		for j, objective := range []inputs.ObjectiveKind{inputs.Latency, inputs.Throughput} {
			only := *c
			only.Goal.Objective = objective
			alone[j] = *solved(t, &only).Plan.Phases[0].Solve.Certificate.Passes[0].Best
		}
		var first float64
		for _, o := range backends(t) {
			rep, err := formulation.Optimize(t.Context(), c, o)
			if err != nil {
				t.Fatal(err)
			}
			p := &rep.Plan.Phases[0]
			for j, pass := range p.Solve.Certificate.Passes[:2] {
				if *pass.Best != alone[j] {
					t.Errorf("case %d, %s: %s %.17g scales the objective, the optimum is %.17g", i, o.Backend, pass.Purpose, *pass.Best, alone[j])
				}
			}
			if first == 0 {
				first = p.Solve.Objective
			}
			// Each norm is rounded up: by a tick a stage in either phase, and one a micro-batch.
			ticks := 2*p.Strategy.PP + p.Strategy.MicroBatches + p.Strategy.DecodeGroups
			least := 2 * (1 - float64(ticks)/1.5e6)
			if p.Solve.Objective != first || p.Solve.Objective < least {
				t.Errorf("case %d, %s: objective %.17g, want that of labels, %.17g, and at least %.17g", i, o.Backend, p.Solve.Objective, first, least)
			}
		}
	}
}
