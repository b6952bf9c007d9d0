package cost

import (
	"testing"

	"pgregory.net/rapid"

	"partita/inputs"
)

// vLLM fills a share of the device with everything, TensorRT-LLM a share of what weights,
// activations and runtime leave with the cache: on one H100 a model of 70B in 8 bits has
// room for six times the tokens.
func TestEnginesShareMemory(t *testing.T) {
	load := Load{Steps: []Step{{Phase: inputs.Prefill, Sequences: 1, New: 2048}}}
	of := func(engine string) (tokens, memory, kv int64, c *Calculator) {
		cond := conditionOf(llama70B(inputs.FP8), poolOf(h100(), 1))
		cond.Cluster.Pools[0].MemoryBytes = 85e9
		cond.Engine = engine
		c = mustNew(t, cond)
		tokens = c.KVTokens(0, []int{80}, true, true, tensor(1), load)
		full := load
		full.Sequences, full.Tokens = 1, int(tokens)
		m := c.StageMemory(0, []int{80}, true, true, tensor(1), full)
		return tokens, m.Total(), m.KV, c
	}
	plain, used, _, c := of("vllm")
	if cap := c.Capacity(0); cap != 76.5e9 || used > cap || plain == 0 {
		t.Errorf("vLLM: %d tokens take %d of %d bytes", plain, used, cap)
	}
	if unnamed, _, _, _ := of(""); unnamed != plain {
		t.Errorf("without an engine %d tokens, with vLLM %d", unnamed, plain)
	}
	free, used, kv, c := of("trtllm")
	weights := c.StageMemory(0, []int{80}, true, true, tensor(1), load)
	near(t, "tokens of TensorRT-LLM", float64(kv), 0.9*float64(85e9-weights.Total()), 0.001)
	if used > c.Capacity(0) || free < 3*plain {
		t.Errorf("TensorRT-LLM: %d tokens take %d of %d bytes; vLLM has %d", free, used, c.Capacity(0), plain)
	}
}

// Under every engine the tokens that are said to fit do, and one more a layer does not.
func TestKVTokensOfEnginesAreTight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cond := conditionOf(llama8B(inputs.BF16), poolOf(h100(), 8))
		cond.Engine = rapid.SampledFrom([]string{"", "vllm", "sglang", "trtllm"}).Draw(t, "engine")
		cond.Cluster.Pools[0].Utilization = rapid.SampledFrom([]float64{0.5, 0.9, 1}).Draw(t, "utilization")
		c, err := New(cond)
		if err != nil {
			t.Fatal(err)
		}
		s := tensor(1 << rapid.IntRange(0, 3).Draw(t, "tp"))
		first, last := rapid.Bool().Draw(t, "first"), rapid.Bool().Draw(t, "last")
		load := Load{Sequences: 1, Steps: []Step{{Phase: inputs.Decode, Sequences: rapid.IntRange(1, 512).Draw(t, "sequences"), New: 1}}}
		n := c.KVTokens(0, []int{32}, first, last, s, load)
		for extra := int64(0); extra <= 1; extra++ {
			load.Tokens = int(n + extra)
			if fits := c.Fits(0, []int{32}, first, last, s, load); fits != (extra == 0) && n > 0 {
				t.Fatalf("%d of %d tokens fit: %t", load.Tokens, n, fits)
			}
		}
		m := c.Memories(0, s, load)
		most := m.MostLayers(first, last, c.Capacity(0))
		for _, layers := range []int{most, most + 1} {
			if fits := c.Fits(0, []int{layers}, first, last, s, load); layers > 0 && fits != (layers == most) {
				t.Fatalf("%d layers fit: %t, most %d", layers, fits, most)
			}
		}
	})
}

// Choosing tokens takes a vocabulary a sequence, whatever the tensor-parallel degree.
func TestSampler(t *testing.T) {
	const vocab = 128256
	for engine, each := range map[string]float64{"vllm": 41, "trtllm": 8} {
		cond := conditionOf(llama8B(inputs.BF16), poolOf(h100(), 8))
		cond.Engine = engine
		c := mustNew(t, cond)
		for _, tp := range []int{1, 8} {
			l := Load{Steps: []Step{{Phase: inputs.Decode, Sequences: 1000, New: 1}}}
			got := c.Activations(0, []bool{true}, true, tensor(tp), l)
			near(t, engine, float64(got), 1000*(vocab*each+4096*2), 1e-9)
		}
	}
}
