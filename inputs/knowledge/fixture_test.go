package knowledge

import (
	"testing"

	"partita/inputs"
)

// fixture is a condition with everything that rules can ask for: two pools, a dense
// layer before three with experts.
func fixture(rules ...string) *inputs.Condition {
	attention := inputs.Attention{Kind: inputs.GQA, Heads: 32, KVHeads: 8, HeadDim: 128, VHeadDim: 128}
	c := &inputs.Condition{
		Name: "fixture",
		Model: inputs.Model{
			Name: "mini", Hidden: 4096, Vocab: 128000, Weights: inputs.FP8, Activation: inputs.BF16, KV: inputs.FP16,
			Kinds: []inputs.LayerKind{
				{Name: "dense", Attention: attention, FFN: inputs.FFN{Intermediate: 14336, Gated: true}},
				{Name: "moe", Attention: attention, FFN: inputs.FFN{Intermediate: 2048, Gated: true, Experts: 16, TopK: 4, Shared: 4096}},
			},
			Layers: []int{0, 1, 1, 1},
		},
		Workload: inputs.Workload{Phase: inputs.Mixed, Batch: 10, Input: inputs.Range{Min: 100, Max: 2000}, Output: inputs.Range{Min: 10, Max: 300}},
		Cluster: inputs.Cluster{Pools: []inputs.Pool{
			{
				Name: "fast", GPUsPerNode: 8, MemoryBytes: 80 << 30, USDPerHour: 2.5, Count: inputs.Count{Min: 16, Max: 16},
				Accelerator: inputs.Accelerator{Name: "H100", Vendor: "NVIDIA", Generation: "hopper", MemoryBandwidth: 3.35e12,
					FLOPS: map[inputs.DType]float64{inputs.BF16: 1e15, inputs.FP8: 2e15}},
			},
			{
				Name: "slow", MemoryBytes: 24 << 30, Count: inputs.Count{Min: 3, Max: 3},
				Nodes:       []inputs.Node{{Host: "a", GPUs: []string{"a/0", "a/1"}}, {Host: "b", GPUs: []string{"b/0"}}},
				Accelerator: inputs.Accelerator{Name: "MI210", Vendor: "AMD", Generation: "cdna2", MemoryBandwidth: 1.6e12, FLOPS: map[inputs.DType]float64{inputs.BF16: 1e14}},
			},
		}},
	}
	for i, e := range rules {
		c.Rules = append(c.Rules, inputs.Rule{Name: string(rune('a' + i)), Expr: e, Place: inputs.Place{File: "r.yaml", Line: 10 + i, Col: 5}})
	}
	return c
}

func mustCompile(t *testing.T, c *inputs.Condition) *Rules {
	t.Helper()
	r, err := Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// twoStages is a plan of two alike replicas: a dense and an MoE layer over four fast GPUs,
// the other two on the slow ones.
func twoStages() Plan {
	return Plan{
		MicroBatches: 5, DecodeGroups: 2, Alike: 2,
		Stages: []Stage{
			{Index: 0, Pool: 0, Shape: Shape{TP: 2, CP: 1, DP: 2, EP: 4, ETP: 1}, GPUs: 4, Nodes: 1, First: 0, Last: 1},
			{Index: 1, Pool: 1, Shape: Shape{TP: 1, CP: 1, DP: 1, EP: 1, ETP: 1}, GPUs: 1, Nodes: 1, First: 2, Last: 3},
		},
	}
}
