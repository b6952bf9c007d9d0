package cost

import "partita/inputs"

// Shapes below are those of the models' published config.json files.

func layersOf(counts ...int) []int {
	var layers []int
	for kind, n := range counts {
		for range n {
			layers = append(layers, kind)
		}
	}
	return layers
}

func gqa(heads, kvHeads, dim int) inputs.Attention {
	return inputs.Attention{Kind: inputs.GQA, Heads: heads, KVHeads: kvHeads, HeadDim: dim, VHeadDim: dim}
}

func denseModel(name string, layers, hidden, heads, kvHeads, dim, intermediate, vocab int, weights inputs.DType) inputs.Model {
	return inputs.Model{
		Name: name, Hidden: hidden, Vocab: vocab, Layers: layersOf(layers),
		Kinds: []inputs.LayerKind{{
			Name:      "dense",
			Attention: gqa(heads, kvHeads, dim),
			FFN:       inputs.FFN{Intermediate: intermediate, Gated: true},
		}},
		Weights: weights, Activation: inputs.BF16, KV: inputs.BF16, FFNScale: 1,
	}
}

func llama8B(w inputs.DType) inputs.Model {
	return denseModel("Llama-3.1-8B", 32, 4096, 32, 8, 128, 14336, 128256, w)
}

func llama70B(w inputs.DType) inputs.Model {
	return denseModel("Llama-3.1-70B", 80, 8192, 64, 8, 128, 28672, 128256, w)
}

func llama405B(w inputs.DType) inputs.Model {
	return denseModel("Llama-3.1-405B", 126, 16384, 128, 8, 128, 53248, 128256, w)
}

func expertModel(name string, layers, hidden, heads, kvHeads, dim, width, experts, topK, vocab int, weights inputs.DType) inputs.Model {
	m := denseModel(name, layers, hidden, heads, kvHeads, dim, width, vocab, weights)
	m.Kinds[0].Name = "experts"
	m.Kinds[0].FFN.Experts, m.Kinds[0].FFN.TopK = experts, topK
	return m
}

func mixtral8x7B(w inputs.DType) inputs.Model {
	return expertModel("Mixtral-8x7B", 32, 4096, 32, 8, 128, 14336, 8, 2, 32000, w)
}

func qwen235B(w inputs.DType) inputs.Model {
	return expertModel("Qwen3-235B-A22B", 94, 4096, 64, 4, 128, 1536, 128, 8, 151936, w)
}

func deepSeekV3(w inputs.DType) inputs.Model {
	attention := inputs.Attention{
		Kind: inputs.MLA, Heads: 128, KVHeads: 128, HeadDim: 192, VHeadDim: 128,
		QLoraRank: 1536, KVLoraRank: 512, RopeDim: 64,
	}
	return inputs.Model{
		Name: "DeepSeek-V3", Hidden: 7168, Vocab: 129280, Layers: layersOf(3, 58),
		Kinds: []inputs.LayerKind{
			{Name: "dense", Attention: attention, FFN: inputs.FFN{Intermediate: 18432, Gated: true}},
			{Name: "experts", Attention: attention, FFN: inputs.FFN{Intermediate: 2048, Gated: true, Experts: 256, TopK: 8, Shared: 2048}},
		},
		Weights: w, Activation: inputs.BF16, KV: inputs.BF16, FFNScale: 1,
	}
}

// gptOSS120B alternates full attention with a window of 128 tokens.
func gptOSS120B() inputs.Model {
	m := expertModel("gpt-oss-120b", 36, 2880, 64, 8, 64, 2880, 128, 4, 201088, inputs.FP4)
	windowed := m.Kinds[0]
	windowed.Name, windowed.Attention.Window = "windowed", 128
	m.Kinds = append(m.Kinds, windowed)
	for i := range m.Layers {
		m.Layers[i] = (i + 1) % 2
	}
	return m
}

// Devices by their datasheets.

func h100() inputs.Accelerator {
	return inputs.Accelerator{
		Name: "H100-SXM", Generation: "hopper", MemoryBytes: 80e9, MemoryBandwidth: 3350e9, PCIe: 63e9,
		FLOPS: map[inputs.DType]float64{inputs.BF16: 989.4e12, inputs.FP16: 989.4e12, inputs.FP8: 1979e12, inputs.INT8: 1979e12},
		Link:  inputs.Link{Kind: inputs.LinkNVLink, BytesPerSecond: 450e9},
	}
}

func h200() inputs.Accelerator {
	a := h100()
	a.Name, a.MemoryBytes, a.MemoryBandwidth = "H200-SXM", 141e9, 4800e9
	return a
}

func a100() inputs.Accelerator {
	return inputs.Accelerator{
		Name: "A100-SXM", Generation: "ampere", MemoryBytes: 80e9, MemoryBandwidth: 2039e9, PCIe: 31.5e9,
		FLOPS: map[inputs.DType]float64{inputs.BF16: 312e12, inputs.FP16: 312e12, inputs.INT8: 624e12},
		Link:  inputs.Link{Kind: inputs.LinkNVLink, BytesPerSecond: 300e9},
	}
}

func t4() inputs.Accelerator {
	return inputs.Accelerator{
		Name: "T4", Generation: "turing", MemoryBytes: 16e9, MemoryBandwidth: 320e9, PCIe: 15.75e9,
		FLOPS: map[inputs.DType]float64{inputs.FP16: 65e12, inputs.INT8: 130e12},
	}
}

func poolOf(a inputs.Accelerator, n int) inputs.Pool {
	return inputs.Pool{
		Name: a.Name, Accelerator: a, Count: inputs.Count{Min: n, Max: n}, GPUsPerNode: 8,
		MemoryBytes: a.MemoryBytes, Utilization: 0.9, Intra: a.Link,
	}
}

func conditionOf(m inputs.Model, pools ...inputs.Pool) *inputs.Condition {
	return &inputs.Condition{
		Model:   m,
		Cluster: inputs.Cluster{Pools: pools, Network: inputs.Link{Kind: inputs.LinkInfiniBand, BytesPerSecond: 50e9}},
	}
}

func tensor(n int) Shape { return Shape{TP: n, CP: 1, DPAttention: 1, EP: 1, ETP: n} }

func b200() inputs.Accelerator {
	return inputs.Accelerator{
		Name: "B200", Generation: "blackwell", MemoryBytes: 180e9, MemoryBandwidth: 8000e9, PCIe: 63e9,
		FLOPS: map[inputs.DType]float64{inputs.BF16: 2250e12, inputs.FP16: 2250e12, inputs.FP8: 4500e12, inputs.FP4: 9000e12},
		Link:  inputs.Link{Kind: inputs.LinkNVLink, BytesPerSecond: 900e9},
	}
}
