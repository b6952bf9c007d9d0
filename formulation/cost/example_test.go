package cost_test

import (
	"fmt"

	"partita/formulation/cost"
	"partita/inputs"
)

// A device whose utilisation is stated: 400 TFLOP/s at 60 %, 1.8 TB/s at 80 %.
func Example() {
	condition := &inputs.Condition{
		Model: inputs.Model{
			Hidden: 4096, Vocab: 128256, Layers: make([]int, 32),
			Kinds: []inputs.LayerKind{{
				Attention: inputs.Attention{Kind: inputs.GQA, Heads: 32, KVHeads: 8, HeadDim: 128},
				FFN:       inputs.FFN{Intermediate: 14336, Gated: true},
			}},
			Weights: inputs.FP16, Activation: inputs.FP16, KV: inputs.FP16,
		},
		Cluster: inputs.Cluster{Pools: []inputs.Pool{{
			Name: "cards", GPUsPerNode: 8, MemoryBytes: 64e9, Utilization: 0.9, Count: inputs.Count{Min: 1, Max: 1},
			Accelerator: inputs.Accelerator{
				Name: "card", MemoryBandwidth: 1.8e12, FLOPS: map[inputs.DType]float64{inputs.FP16: 400e12},
				Efficiency: &inputs.Efficiency{Compute: 0.6, Bandwidth: 0.8},
			},
			Intra: inputs.Link{Kind: inputs.LinkNVLink, BytesPerSecond: 200e9},
		}}, Network: inputs.Link{Kind: inputs.LinkInfiniBand, BytesPerSecond: 25e9}},
	}
	calculator, err := cost.New(condition)
	if err != nil {
		fmt.Println(err)
		return
	}
	shape := cost.Shape{TP: 1, CP: 1, DPAttention: 1, EP: 1, ETP: 1}
	step := cost.Step{Phase: inputs.Decode, Sequences: 1, New: 1, Cached: 1024}
	token := 32*calculator.Layer(0, 0, shape, step) + calculator.Embedding(0, shape, step) + calculator.Head(0, shape, step)
	memory := calculator.StageMemory(0, []int{32}, true, true, shape, cost.Load{Sequences: 16, Tokens: 2048, Steps: []cost.Step{step}})
	fmt.Printf("%.2f ms a token\n", 1e3*token)
	fmt.Printf("%.1f GB of weights, %.1f GB of KV cache\n", float64(memory.Weights)/1e9, float64(memory.KV)/1e9)
	// Output:
	// 10.52 ms a token
	// 16.1 GB of weights, 4.3 GB of KV cache
}
