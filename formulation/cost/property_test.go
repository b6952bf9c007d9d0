package cost

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"partita/inputs"
)

// situation is a random condition, shape and step that fit together.
type situation struct {
	model inputs.Model
	kind  int
	shape Shape
	step  Step
	pool  inputs.Pool
}

func drawSituation(t *rapid.T) situation {
	models := []inputs.Model{
		llama8B(inputs.BF16), llama70B(inputs.FP8), mixtral8x7B(inputs.FP16), qwen235B(inputs.FP8),
		deepSeekV3(inputs.FP8), gptOSS120B(),
	}
	pools := []inputs.Pool{poolOf(h100(), 64), poolOf(a100(), 64), poolOf(t4(), 64), plain(64)}
	s := situation{
		model: rapid.SampledFrom(models).Draw(t, "model"),
		pool:  rapid.SampledFrom(pools).Draw(t, "pool"),
	}
	s.kind = rapid.IntRange(0, len(s.model.Kinds)-1).Draw(t, "kind")
	degree := func(name string, top int) int { return 1 << rapid.IntRange(0, top).Draw(t, name) }
	for {
		s.shape = Shape{TP: degree("tp", 4), CP: degree("cp", 1), DPAttention: degree("dp", 3), EP: degree("ep", 5)}
		s.shape.ETP = max(1, s.shape.GPUs()/s.shape.EP)
		if ok, _ := ValidShape(&s.model, s.kind, s.shape); ok {
			break
		}
	}
	s.step = Step{
		Phase:     inputs.Prefill,
		Sequences: rapid.IntRange(1, 512).Draw(t, "sequences"),
		New:       rapid.IntRange(1, 16384).Draw(t, "new"),
		Cached:    rapid.IntRange(0, 1<<17).Draw(t, "cached"),
	}
	if rapid.Bool().Draw(t, "decode") {
		s.step.Phase, s.step.New, s.shape.CP = inputs.Decode, 1, 1
		s.shape.EP, s.shape.ETP = 1, s.shape.GPUs()
		if ok, _ := ValidShape(&s.model, s.kind, s.shape); !ok {
			s.shape = tensor(s.shape.TP)
		}
	}
	return s
}

func (s situation) layer(t *rapid.T) float64 {
	calc, err := New(conditionOf(s.model, s.pool))
	if err != nil {
		t.Fatal(err)
	}
	v := calc.Layer(0, s.kind, s.shape, s.step)
	if !(v > 0) {
		t.Fatalf("layer takes %g s", v)
	}
	return v
}

// slack forgives rounding of sums in another order.
const slack = 1 + 1e-12

func TestMoreWorkIsNeverFaster(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSituation(t)
		base := s.layer(t)
		more := s
		more.step.Sequences += rapid.IntRange(0, 512).Draw(t, "more sequences")
		more.step.Cached += rapid.IntRange(0, 1<<16).Draw(t, "more cached")
		if s.step.Phase == inputs.Prefill {
			more.step.New += rapid.IntRange(0, 8192).Draw(t, "more new")
		}
		if v := more.layer(t); v*slack < base {
			t.Fatalf("%+v takes %g s, %+v %g s", s.step, base, more.step, v)
		}
	})
}

func TestBetterHardwareIsNeverSlower(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSituation(t)
		base := s.layer(t)
		factor := rapid.Float64Range(1, 8).Draw(t, "factor")
		better := s
		switch rapid.SampledFrom([]string{"memory", "compute", "link"}).Draw(t, "part") {
		case "memory":
			better.pool.Accelerator.MemoryBandwidth *= factor
		case "compute":
			better.pool.Accelerator.FLOPS = map[inputs.DType]float64{}
			for d, f := range s.pool.Accelerator.FLOPS {
				better.pool.Accelerator.FLOPS[d] = f * factor
			}
		case "link":
			better.pool.Intra.BytesPerSecond *= factor
			better.pool.Accelerator.PCIe *= factor
		}
		if v := better.layer(t); v > base*slack {
			t.Fatalf("better hardware takes %g s, before %g s", v, base)
		}
	})
}

func TestMemoryShrinksWithTensorParallelism(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSituation(t)
		narrow := s.shape
		narrow.TP, narrow.EP, narrow.ETP = 1, 1, s.shape.CP*s.shape.DPAttention
		wide := narrow
		wide.TP, wide.ETP = s.shape.TP, narrow.ETP*s.shape.TP
		calc, err := New(conditionOf(s.model, s.pool))
		if err != nil {
			t.Fatal(err)
		}
		counts := make([]int, len(s.model.Kinds))
		for i := range counts {
			counts[i] = rapid.IntRange(0, 20).Draw(t, "layers")
		}
		load := Load{Sequences: s.step.Sequences, Tokens: s.step.New + s.step.Cached, Steps: []Step{s.step}}
		a := calc.StageMemory(0, counts, true, false, narrow, load)
		b := calc.StageMemory(0, counts, true, false, wide, load)
		if b.Weights > a.Weights || b.KV > a.KV {
			t.Fatalf("TP %d needs %+v, TP 1 %+v", wide.TP, b, a)
		}
		// Working memory may grow by the buffer to communicate from, no more.
		buffer := int64(s.step.Sequences) * int64(s.step.New) * int64(s.model.Hidden) * 2
		if b.Activations > a.Activations+buffer {
			t.Fatalf("TP %d works in %d bytes, TP 1 in %d", wide.TP, b.Activations, a.Activations)
		}
	})
}

// Smaller steps never take more memory, nor do fewer layers with the same ends: searches
// find the numbers of micro-batches, decode groups and layers that fit by it.
func TestMoreLoadNeedsMoreMemory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSituation(t)
		cond := conditionOf(s.model, s.pool)
		cond.Engine = rapid.SampledFrom([]string{"", "vllm", "sglang", "trtllm"}).Draw(t, "engine")
		calc, err := New(cond)
		if err != nil {
			t.Fatal(err)
		}
		counts := make([]int, len(s.model.Kinds))
		counts[s.kind] = 3
		if s.step.Phase == inputs.Decode {
			s.step.New += rapid.IntRange(0, 7).Draw(t, "draft")
		}
		first, last := rapid.Bool().Draw(t, "first"), rapid.Bool().Draw(t, "last")
		load := Load{Sequences: s.step.Sequences, Tokens: s.step.Cached + 1, Steps: []Step{s.step}, Budget: rapid.SampledFrom([]int{0, ChunkTokens}).Draw(t, "budget")}
		more := load
		more.Sequences += rapid.IntRange(0, 100).Draw(t, "sequences")
		more.Tokens += rapid.IntRange(0, 1000).Draw(t, "tokens")
		larger := s.step
		larger.Sequences += rapid.IntRange(0, 100).Draw(t, "larger step")
		more.Steps = []Step{larger}
		wider := slices.Clone(counts)
		wider[rapid.IntRange(0, len(counts)-1).Draw(t, "kind of more layers")] += rapid.IntRange(0, 3).Draw(t, "more layers")
		a := calc.StageMemory(0, counts, first, last, s.shape, load)
		b := calc.StageMemory(0, wider, first, last, s.shape, more)
		if b.Total() < a.Total() {
			t.Fatalf("%+v needs %d bytes, %+v with %v layers %d", load, a.Total(), more, wider, b.Total())
		}
		if fewer := calc.KVTokens(0, counts, false, true, s.shape, load); fewer < 0 {
			t.Fatalf("%d tokens fit", fewer)
		}
	})
}

// A search calls these millions of times.
func TestNothingIsAllocated(t *testing.T) {
	calc := mustNew(t, conditionOf(deepSeekV3(inputs.FP8), poolOf(h200(), 32)))
	s := Shape{TP: 2, CP: 1, DPAttention: 4, EP: 8, ETP: 1}
	st := Step{Phase: inputs.Decode, Sequences: 64, New: 1, Cached: 4000}
	load := Load{Sequences: 64, Tokens: 4096, Steps: []Step{st}}
	counts := []int{3, 20}
	if n := testing.AllocsPerRun(100, func() {
		calc.Layer(0, 1, s, st)
		calc.Embedding(0, s, st)
		calc.Head(0, s, st)
		calc.Send(0, 0, s, st, false)
		calc.StageMemory(0, counts, true, true, s, load)
		calc.KVTokens(0, counts, true, true, s, load)
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
}
