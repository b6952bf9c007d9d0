package cost

import (
	"math"
	"testing"

	"partita/inputs"
)

func TestParametersAgainstPublished(t *testing.T) {
	for _, c := range []struct {
		model         inputs.Model
		total, active float64 // published, 1e9
		tolerance     float64 // rounding of the published figure
	}{
		{llama8B(inputs.BF16), 8.03, 8.03, 0.001},
		{llama70B(inputs.BF16), 70.6, 70.6, 0.001},
		{llama405B(inputs.BF16), 405.9, 405.9, 0.001},
		{mixtral8x7B(inputs.BF16), 46.7, 12.9, 0.003},
		{qwen235B(inputs.BF16), 235, 22, 0.012},
		{deepSeekV3(inputs.FP8), 671, 37, 0.02},
	} {
		t.Run(c.model.Name, func(t *testing.T) {
			near(t, "total", Parameters(&c.model)/1e9, c.total, c.tolerance)
			near(t, "active", ActiveParameters(&c.model)/1e9, c.active, c.tolerance)
		})
	}
}

func TestFFNScaleWidensExpertsOnly(t *testing.T) {
	m := mixtral8x7B(inputs.BF16)
	before, shapes := Parameters(&m), ScaledParameters(&m)
	m.FFNScale = 2
	if Parameters(&m) != before || shapes != before {
		t.Errorf("shapes alone: %g then %g, scaled by one %g", before, Parameters(&m), shapes)
	}
	// Experts are 32 layers · 8 · 3 · 4096 · 14336.
	near(t, "scaled", ScaledParameters(&m)-before, 32*8*3*4096*14336, 1e-12)
	m.FFNScale = 0
	if ScaledParameters(&m) != before {
		t.Error("an unset scale is not one")
	}
}

// The whole model over all its GPUs weighs its parameters, up to what is replicated.
func TestWeightsAddUpToParameters(t *testing.T) {
	for _, c := range []struct {
		model inputs.Model
		shape Shape
		bytes float64 // expected over all GPUs
		tol   float64
	}{
		{llama8B(inputs.BF16), tensor(1), 2 * 8.03e9, 0.001},
		{llama70B(inputs.BF16), tensor(8), 2 * 70.6e9, 0.001},
		{mixtral8x7B(inputs.BF16), Shape{TP: 8, CP: 1, DPAttention: 1, EP: 8, ETP: 1}, 2 * 46.7e9, 0.003},
		{mixtral8x7B(inputs.BF16), Shape{TP: 8, CP: 1, DPAttention: 1, EP: 2, ETP: 4}, 2 * 46.7e9, 0.003},
		// FP8 with 16-bit embedding, head, router and norms; down projections of the
		// latents are on every rank.
		{deepSeekV3(inputs.FP8), tensor(1), 671e9 + 2*129280*7168, 0.001},
	} {
		t.Run(c.model.Name, func(t *testing.T) {
			calc := mustNew(t, conditionOf(c.model, poolOf(h200(), 8)))
			counts := make([]int, len(c.model.Kinds))
			for _, k := range c.model.Layers {
				counts[k]++
			}
			mem := calc.StageMemory(0, counts, true, true, c.shape, Load{})
			near(t, "weights", float64(mem.Weights)*float64(c.shape.GPUs()), c.bytes, c.tol)
		})
	}
}

// Meta's FP8 checkpoint of 405B quantises the feed-forward blocks alone: 57.75 GiB on each of
// eight GPUs (vLLM issue 6746); two blocks that it leaves out too are not counted.
func TestWeightsOfPartlyQuantised(t *testing.T) {
	m := llama405B(inputs.FP8)
	m.Projections = inputs.BF16
	calc := mustNew(t, conditionOf(m, poolOf(h100(), 8)))
	mem := calc.StageMemory(0, []int{126}, true, true, tensor(8), Load{})
	near(t, "weights", float64(mem.Weights)/(1<<30), 57.752, 0.03)
	// Attention is read and multiplied in 16 bits.
	m.Projections = ""
	whole := mustNew(t, conditionOf(m, poolOf(h100(), 8)))
	st := Step{Phase: inputs.Decode, Sequences: 1, New: 1, Cached: 1}
	if a, b := calc.Layer(0, 0, tensor(8), st), whole.Layer(0, 0, tensor(8), st); a <= b {
		t.Errorf("a layer takes %g s with attention in 16 bits, %g s all in 8", a, b)
	}
}

func TestKVPerToken(t *testing.T) {
	// Llama-3-70B: 2·8·128·2 bytes · 80 layers = 320 KiB; DeepSeek-V3: (512+64)·2 · 61 = 70,272.
	for _, c := range []struct {
		model inputs.Model
		shape Shape
		want  int64
	}{
		{llama70B(inputs.BF16), tensor(1), 320 << 10},
		{llama70B(inputs.BF16), tensor(8), 40 << 10},
		{llama70B(inputs.BF16), tensor(16), 40 << 10}, // heads replicated
		{llama70B(inputs.BF16), tensor(3), 120 << 10}, // ⌈8/3⌉ = 3 of 8 heads
		{deepSeekV3(inputs.FP8), tensor(1), 70272},
		{deepSeekV3(inputs.FP8), tensor(8), 70272}, // the latent is on every rank
	} {
		calc := mustNew(t, conditionOf(c.model, poolOf(h200(), 8)))
		var got int64
		for _, kind := range c.model.Layers {
			got += calc.LayerKV(0, kind, c.shape, Load{Sequences: 1, Tokens: 1})
		}
		if got != c.want {
			t.Errorf("%s TP %d: %d bytes a token, want %d", c.model.Name, c.shape.TP, got, c.want)
		}
	}
}

func TestKVSharding(t *testing.T) {
	m := gptOSS120B()
	calc := mustNew(t, conditionOf(m, poolOf(h100(), 8)))
	const perToken = 8 * 128 * 2 // 8 KV heads, keys and values of 64, 2 bytes
	for _, c := range []struct {
		name  string
		kind  int
		shape Shape
		load  Load
		want  int64
	}{
		{"all", 0, tensor(1), Load{Sequences: 3, Tokens: 1000}, 3 * 1000 * perToken},
		{"window", 1, tensor(1), Load{Sequences: 3, Tokens: 1000}, 3 * 128 * perToken},
		{"below the window", 1, tensor(1), Load{Sequences: 3, Tokens: 100}, 3 * 100 * perToken},
		{"sequences over attention ranks", 0, Shape{1, 1, 2, 2, 1}, Load{Sequences: 3, Tokens: 1000}, 2 * 1000 * perToken},
		{"tokens over context ranks", 0, Shape{1, 3, 1, 1, 3}, Load{Sequences: 3, Tokens: 1000}, 3 * 334 * perToken},
	} {
		if got := calc.LayerKV(0, c.kind, c.shape, c.load); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestTiedWeightsOnce(t *testing.T) {
	m := llama8B(inputs.BF16)
	const table, norm = 128256 * 4096 * 2, 4096 * 2
	untied := mustNew(t, conditionOf(m, poolOf(h100(), 1)))
	m.Tied = true
	tied := mustNew(t, conditionOf(m, poolOf(h100(), 1)))
	for _, c := range []struct {
		name      string
		got, want int64
	}{
		{"embedding", tied.EmbeddingWeights(tensor(1)), table},
		{"untied head", untied.HeadWeights(tensor(1), true), table + norm},
		{"tied head elsewhere", tied.HeadWeights(tensor(1), false), table + norm},
		{"tied head with the embedding", tied.HeadWeights(tensor(1), true), norm},
		{"odd split rounds up", tied.EmbeddingWeights(tensor(5)), 25652 * 4096 * 2},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d bytes, want %d", c.name, c.got, c.want)
		}
	}
}

// vLLM 0.6 on H100 profiled Llama-3-8B with 8192 tokens and 256 sequences at a peak
// of 1.26 GiB of activations (vLLM pull request 10511), 14.96 GiB of weights.
func TestMemoryAgainstPublished(t *testing.T) {
	calc := mustNew(t, conditionOf(llama8B(inputs.BF16), poolOf(h100(), 1)))
	load := Load{Steps: []Step{{Phase: inputs.Prefill, Sequences: 256, New: 32}}}
	mem := calc.StageMemory(0, []int{32}, true, true, tensor(1), load)
	const gib = 1 << 30
	near(t, "weights", float64(mem.Weights)/gib, 14.96, 0.005)
	near(t, "activations", float64(mem.Activations)/gib, 1.26, 0.30)
}

func TestStageMemoryIsTheSumOfItsParts(t *testing.T) {
	m := deepSeekV3(inputs.FP8)
	calc := mustNew(t, conditionOf(m, poolOf(h200(), 32)))
	s := Shape{TP: 2, CP: 1, DPAttention: 4, EP: 8, ETP: 1}
	load := Load{Sequences: 100, Tokens: 5000, Steps: []Step{
		{Phase: inputs.Decode, Sequences: 100, New: 1, Cached: 4999},
		{Phase: inputs.Prefill, Sequences: 4, New: 4000},
	}}
	mem := calc.StageMemory(0, []int{3, 10}, false, true, s, load)
	want := Memory{
		Weights:     3*calc.LayerWeights(0, 0, s) + 10*calc.LayerWeights(0, 1, s) + calc.HeadWeights(s, false),
		KV:          3*calc.LayerKV(0, 0, s, load) + 10*calc.LayerKV(0, 1, s, load),
		Activations: calc.Activations(0, []bool{true, true}, true, s, load),
		// Runtime, what the driver hides, a group of the stage's GPUs and one of the pipeline.
		Reserve: 1.92e9 + 0.0054*141e9 + 2*1.92e9,
	}
	if mem != want {
		t.Errorf("got %+v, want %+v", mem, want)
	}
	one := load
	one.Steps = load.Steps[:1]
	if calc.Activations(0, []bool{true, true}, true, s, one) >= want.Activations {
		t.Error("the prefill step is the larger and does not decide")
	}
}

func TestCapacityAndFits(t *testing.T) {
	calc := mustNew(t, conditionOf(llama70B(inputs.BF16), poolOf(h100(), 8)))
	if got := calc.Capacity(0); got != 72e9 {
		t.Errorf("capacity %d, want 72e9", got)
	}
	load := Load{Sequences: 1, Tokens: 100, Steps: []Step{{Phase: inputs.Decode, Sequences: 1, New: 1}}}
	if calc.Fits(0, []int{80}, true, true, tensor(1), load) {
		t.Error("141 GB of weights fit a GPU of 80 GB")
	}
	if !calc.Fits(0, []int{80}, true, true, tensor(8), load) {
		t.Error("141 GB of weights do not fit eight GPUs of 80 GB")
	}
}

// KVTokens is exactly where the stage stops to fit.
func TestKVTokensIsTight(t *testing.T) {
	calc := mustNew(t, conditionOf(llama70B(inputs.BF16), poolOf(h100(), 8)))
	s := tensor(8)
	load := Load{Sequences: 1, Tokens: 100, Steps: []Step{{Phase: inputs.Decode, Sequences: 8, New: 1}}}
	tokens := calc.KVTokens(0, []int{80}, true, true, s, load)
	for _, c := range []struct {
		tokens int64
		fits   bool
	}{{tokens, true}, {tokens + 1, false}} {
		load.Tokens = int(c.tokens)
		if got := calc.Fits(0, []int{80}, true, true, s, load); got != c.fits {
			t.Errorf("%d tokens fit: %v", c.tokens, got)
		}
	}
	if got := calc.KVTokens(0, []int{80}, true, true, tensor(1), load); got != 0 {
		t.Errorf("no room is %d tokens", got)
	}
	if got := calc.KVTokens(0, []int{0}, true, true, s, load); got != 0 {
		t.Errorf("a stage without layers holds %d tokens", got)
	}
}

// Windowed layers keep a bounded part, so the rest holds more of the full ones.
func TestKVTokensWithWindows(t *testing.T) {
	calc := mustNew(t, conditionOf(gptOSS120B(), poolOf(h100(), 8)))
	load := Load{Sequences: 4, Tokens: 10000}
	both := calc.KVTokens(0, []int{18, 18}, false, false, tensor(8), load)
	mem := calc.StageMemory(0, []int{18, 18}, false, false, tensor(8), load)
	const perToken = 18 * 128 * 2 // one KV head a rank
	free := float64(calc.Capacity(0) - mem.Weights - mem.Activations - mem.Reserve)
	near(t, "tokens", float64(both), math.Floor((free-18*4*128*128*2)/perToken), 1e-9)
	windowed := calc.KVTokens(0, []int{0, 18}, false, false, tensor(8), load)
	if windowed <= both {
		t.Errorf("18 windowed layers hold %d tokens, 36 layers %d", windowed, both)
	}
	split := calc.KVTokens(0, []int{18, 0}, false, false, Shape{TP: 1, CP: 1, DPAttention: 8, EP: 8, ETP: 1}, load)
	if split%8 != 0 {
		t.Errorf("eight equal ranks hold %d tokens together", split)
	}
}

func TestDemandSaturates(t *testing.T) {
	calc := mustNew(t, conditionOf(llama405B(inputs.BF16), poolOf(h100(), 8)))
	load := Load{Sequences: math.MaxInt32, Tokens: math.MaxInt32, Steps: []Step{{Phase: inputs.Prefill, Sequences: math.MaxInt32, New: math.MaxInt32}}}
	mem := calc.StageMemory(0, []int{126}, true, true, tensor(1), load)
	if mem.Total() <= 0 || mem.Total() <= calc.Capacity(0) {
		t.Errorf("an absurd load needs %d bytes", mem.Total())
	}
}

// A prompt that is longer than a step's budget is read in chunks: each rank works on the
// budget, with the cache of all of it.
func TestLongPromptsTakeTheMemoryOfAChunk(t *testing.T) {
	m := mustNew(t, conditionOf(llama8B(inputs.BF16), poolOf(h100(), 8)))
	of := func(s Shape, budget int, steps ...Step) Memory {
		return m.StageMemory(0, []int{16}, true, false, s, Load{Sequences: 1, Tokens: 100, Steps: steps, Budget: budget})
	}
	long := Step{Phase: inputs.Prefill, Sequences: 1, New: 120000}
	// Two hidden states, one to send and gate, up and their product.
	if got := of(tensor(1), ChunkTokens, long).Activations; got != 8192*(3*4096+3*14336)*2 {
		t.Errorf("a chunk works in %d bytes", got)
	}
	if got := of(tensor(1), 0, long).Activations; got != 120000*(3*4096+3*14336)*2 {
		t.Errorf("a prompt at once works in %d bytes", got)
	}
	whole := Step{Phase: inputs.Prefill, Sequences: 4, New: 2000}
	if a, b := of(tensor(1), ChunkTokens, whole), of(tensor(1), 0, whole); a != b {
		t.Errorf("what fits the budget takes %+v, without one %+v", a, b)
	}
	// Five prompts of 3000 on two ranks: three on one, 9000 tokens.
	e := mustNew(t, conditionOf(mixtral8x7B(inputs.BF16), poolOf(h100(), 8)))
	s := Shape{TP: 1, CP: 1, DPAttention: 2, EP: 2, ETP: 1}
	load := Load{Steps: []Step{{Phase: inputs.Prefill, Sequences: 5, New: 3000}}, Budget: 8192}
	cut := e.Activations(0, []bool{true}, false, s, load)
	load.Steps[0] = Step{Phase: inputs.Prefill, Sequences: 2, New: 8192}
	if most := e.Activations(0, []bool{true}, false, s, load); cut > most || cut < most*7/8 {
		t.Errorf("uneven chunks work in %d bytes, full ones in %d", cut, most)
	}
	// A step of decoding is not cut.
	decode := Step{Phase: inputs.Decode, Sequences: 9000, New: 1, Cached: 10}
	if a, b := of(tensor(1), ChunkTokens, decode), of(tensor(1), 0, decode); a != b {
		t.Errorf("decoding takes %+v, without a budget %+v", a, b)
	}
}

// Verifying a draft of four takes the logits of five tokens a sequence.
func TestLogitsOfDrafts(t *testing.T) {
	calc := mustNew(t, conditionOf(llama8B(inputs.BF16), poolOf(h100(), 1)))
	load := Load{Steps: []Step{{Phase: inputs.Decode, Sequences: 256, New: 5, Cached: 1000}}}
	want := int64(256 * 5 * (4096*2 + 128256*41))
	if got := calc.Activations(0, []bool{true}, true, tensor(1), load); got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
}

// Weights of four bits have scales beside them: published in MXFP4, gpt-oss-120b holds 65.2 GB,
// of which its 114.7e9 elements of experts make 57.3 GB without.
func TestScalesOfFourBits(t *testing.T) {
	m := gptOSS120B()
	m.Dense = inputs.BF16
	bytes := func(m inputs.Model, counts ...int) float64 {
		calc := mustNew(t, conditionOf(m, poolOf(b200(), 8)))
		return float64(calc.StageMemory(0, counts, true, true, tensor(1), Load{}).Weights)
	}
	near(t, "MXFP4", bytes(m, 18, 18)/1e9, 65.2, 0.002)
	// All matrices, with 16 bits for embedding, head and norms.
	const matrices = 80 * (2*8192*64*128 + 2*8192*8*128 + 3*8192*28672)
	const wide = 2 * (2*128256*8192 + 161*8192)
	near(t, "NVFP4", bytes(llama70B(inputs.FP4), 80), matrices*9.0/16+wide, 1e-9)
	near(t, "integers", bytes(llama70B(inputs.INT4), 80), matrices*(0.5+2.5/128)+wide, 1e-9)
	near(t, "FP8", bytes(llama70B(inputs.FP8), 80), matrices+wide, 1e-9)
	// They are read along.
	step := Step{Phase: inputs.Decode, Sequences: 1, New: 1, Cached: 1}
	pool := poolOf(b200(), 8)
	pool.Accelerator.Efficiency = &inputs.Efficiency{Compute: 1, Bandwidth: 1}
	fp4 := mustNew(t, conditionOf(llama70B(inputs.FP4), pool)).Layer(0, 0, tensor(1), step)
	fp8 := mustNew(t, conditionOf(llama70B(inputs.FP8), pool)).Layer(0, 0, tensor(1), step)
	near(t, "traffic", fp8-fp4, matrices/80*7.0/16/8000e9, 0.001)
}
