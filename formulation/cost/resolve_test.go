package cost

import (
	"strings"
	"testing"

	"partita/inputs"
	"partita/inputs/profile"
)

func TestComputeFormat(t *testing.T) {
	peaks := func(p ...any) map[inputs.DType]float64 {
		m := map[inputs.DType]float64{}
		for i := 0; i < len(p); i += 2 {
			m[p[i].(inputs.DType)] = p[i+1].(float64)
		}
		return m
	}
	stated := &inputs.Efficiency{Compute: 0.6}
	for _, c := range []struct {
		name         string
		flops        map[inputs.DType]float64
		efficiency   *inputs.Efficiency
		weights      inputs.DType
		matmul, wide float64 // TFLOP/s in use
		format       inputs.DType
		warning      string
	}{
		{"native FP8", peaks(inputs.BF16, 989e12, inputs.FP8, 1979e12), nil, inputs.FP8, 1979, 989, inputs.FP8, ""},
		{"FP8 on Ampere", peaks(inputs.BF16, 312e12, inputs.FP16, 312e12), nil, inputs.FP8, 312, 312, inputs.BF16, "no fp8 compute"},
		{"INT4 widened", peaks(inputs.BF16, 312e12, inputs.FP16, 312e12), nil, inputs.INT4, 312, 312, inputs.BF16, "no int4 compute"},
		{"BF16 on T4", peaks(inputs.FP16, 65e12), nil, inputs.BF16, 65, 65, inputs.FP16, "does not compute bf16; it runs at fp16"},
		{"FP16 on a BF16 device", peaks(inputs.BF16, 275e12), nil, inputs.FP16, 275, 275, inputs.BF16, "runs at bf16"},
		{"FP32 at half", peaks(inputs.FP16, 300e12), nil, inputs.FP32, 150, 150, inputs.FP32, "half of its fp16 peak"},
		{"FP32 at half of BF16", peaks(inputs.BF16, 300e12), nil, inputs.FP32, 150, 150, inputs.FP32, "half of its bf16 peak"},
		{"only FP32", peaks(inputs.FP32, 10e12), nil, inputs.BF16, 10, 10, inputs.FP32, "no 16-bit compute"},
		{"only FP8", peaks(inputs.FP8, 400e12), nil, inputs.FP8, 400, 200, inputs.FP8, "half of its fp8 peak"},
		{"one peak and utilisation stated", peaks(inputs.FP8, 400e12), stated, inputs.FP8, 400, 400, inputs.FP8, "used for every operator"},
	} {
		t.Run(c.name, func(t *testing.T) {
			pool := plain(1)
			pool.Accelerator.FLOPS, pool.Accelerator.Efficiency = c.flops, c.efficiency
			pool.Accelerator.Generation = "hopper"
			calc := mustNew(t, conditionOf(denseModel("m", 1, 64, 1, 1, 64, 128, 0, c.weights), pool))
			p := calc.devices[0].precision
			if p.matmulPeak != c.matmul*1e12 || p.widePeak != c.wide*1e12 || calc.ComputeFormat(0) != c.format {
				t.Errorf("computes in %+v, want %g and %g TFLOP/s in %s", p, c.matmul, c.wide, c.format)
			}
			got := strings.Join(calc.Warnings(), "\n")
			if (got == "") != (c.warning == "") || !strings.Contains(got, c.warning) {
				t.Errorf("warns %q, want %q", got, c.warning)
			}
		})
	}
}

// FP8 weights on a device without FP8 move half the bytes of 16-bit ones, by kernels with
// constants of their own.
func TestNarrowWeightsMoveNarrow(t *testing.T) {
	step := Step{Phase: inputs.Decode, Sequences: 1, New: 1, Cached: 10}
	a := a100()
	same := *profileOf(&a)
	same.Operators.GEMM8 = same.Operators.GEMM16
	a.Profile = &same
	wide := mustNew(t, conditionOf(llama8B(inputs.BF16), poolOf(a, 1))).Layer(0, 0, tensor(1), step)
	narrow := mustNew(t, conditionOf(llama8B(inputs.FP8), poolOf(a, 1))).Layer(0, 0, tensor(1), step)
	same.Operators.GEMM8.Floor += 1
	slow := mustNew(t, conditionOf(llama8B(inputs.FP8), poolOf(a, 1))).Layer(0, 0, tensor(1), step)
	near(t, "four launches", slow-narrow, 4, 1e-6)
	weights := 4096*(32+8+8)*128 + 4096*4096 + 3*4096*14336
	near(t, "saved", wide-narrow, float64(weights)/(same.Operators.GEMM16.Bandwidth*2039e9), 1e-6)
}

func TestNewRefusesWhatCannotBePriced(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*inputs.Condition)
		want   string
	}{
		{"no pool", func(c *inputs.Condition) { c.Cluster.Pools = nil }, "no pool of GPUs"},
		{"no bandwidth", func(c *inputs.Condition) { c.Cluster.Pools[0].Accelerator.MemoryBandwidth = 0 }, "memory bandwidth"},
		{"no compute", func(c *inputs.Condition) { c.Cluster.Pools[0].Accelerator.FLOPS = nil }, "no peak FLOP/s is known"},
		{"no memory", func(c *inputs.Condition) { c.Cluster.Pools[0].MemoryBytes = 0 }, "memory of each GPU"},
		{"utilization", func(c *inputs.Condition) { c.Cluster.Pools[0].Utilization = 1.5 }, "above 0 and at most 1"},
		{"efficiency", func(c *inputs.Condition) { c.Cluster.Pools[0].Accelerator.Efficiency = &inputs.Efficiency{Compute: 60} }, "between 0 and 1"},
		{"no hidden", func(c *inputs.Condition) { c.Model.Hidden = 0 }, "hidden width is 0"},
		{"no layers", func(c *inputs.Condition) { c.Model.Layers = nil }, "no layers"},
		{"unknown kind", func(c *inputs.Condition) { c.Model.Layers = []int{7} }, "layer 0 is of kind 7"},
		{"no heads", func(c *inputs.Condition) { c.Model.Kinds[0].Attention.Heads = 0 }, "0 heads"},
		{"no KV heads", func(c *inputs.Condition) { c.Model.Kinds[0].Attention.KVHeads = 0 }, "0 KV heads"},
		{"latent without rank", func(c *inputs.Condition) { c.Model.Kinds[0].Attention.Kind = inputs.MLA }, "latent attention needs a KV rank"},
		{"top k", func(c *inputs.Condition) { c.Model.Kinds[0].FFN.Experts = 4 }, "routes each token to 0 of 4 experts"},
		{"negative", func(c *inputs.Condition) { c.Model.Kinds[0].FFN.Intermediate = -1 }, "negative size"},
		{"vocabulary", func(c *inputs.Condition) { c.Model.Vocab = -1 }, "vocabulary is -1"},
		{"scale", func(c *inputs.Condition) { c.Model.FFNScale = -1 }, "must be positive"},
	} {
		t.Run(c.name, func(t *testing.T) {
			condition := conditionOf(small(), plain(8))
			c.change(condition)
			_, err := New(condition)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	if _, err := New(nil); err == nil {
		t.Error("nil is priced")
	}
}

func TestLinksThatNobodyStated(t *testing.T) {
	pool := plain(16)
	pool.Intra = inputs.Link{}
	c := conditionOf(small(), pool)
	c.Cluster.Network = inputs.Link{}
	got := strings.Join(mustNew(t, c).Warnings(), "\n")
	for _, want := range []string{"200 GB/s per GPU and direction assumed", "25 GB/s per GPU and direction assumed"} {
		if !strings.Contains(got, want) {
			t.Errorf("warnings %q lack %q", got, want)
		}
	}
	c.Cluster.Pools[0].Accelerator.PCIe = 64e9
	c.Cluster.Pools[0].Count = inputs.Count{Min: 8, Max: 8}
	calc := mustNew(t, c)
	if w := calc.Warnings(); len(w) != 0 {
		t.Errorf("PCIe inside one node warns: %q", w)
	}
	near(t, "PCIe pair", calc.devices[0].node.secondsPerByte[2], 1/(20/31.5*64e9), 1e-12)
}

// Constants of another generation are used with a warning, unless the utilisation
// leaves none of them in use.
func TestUnknownGenerationWarns(t *testing.T) {
	pool := plain(1)
	pool.Accelerator.Generation = "abacus"
	if w := mustNew(t, conditionOf(small(), pool)).Warnings(); len(w) != 0 {
		t.Errorf("stated utilisation warns %q", w)
	}
	for _, e := range []*inputs.Efficiency{nil, {Compute: 0.5}, {Bandwidth: 0.5}} {
		pool.Accelerator.Efficiency = e
		w := strings.Join(mustNew(t, conditionOf(small(), pool)).Warnings(), "\n")
		if !strings.Contains(w, `no efficiencies are known for generation "abacus"`) {
			t.Errorf("efficiency %+v warns %q", e, w)
		}
	}
}

func TestNodeSize(t *testing.T) {
	pool := plain(6)
	pool.GPUsPerNode = 0
	if got := gpusPerNode(&pool); got != 8 {
		t.Errorf("unstated: %d, want 8", got)
	}
	pool.Nodes = []inputs.Node{{Host: "a", GPUs: []string{"0", "1"}}, {Host: "b", GPUs: []string{"0", "1", "2", "3"}}}
	if got := gpusPerNode(&pool); got != 4 {
		t.Errorf("from the nodes: %d, want 4", got)
	}
}

func TestGenerationsSayWhatTheyInherit(t *testing.T) {
	for _, c := range []struct {
		name   string
		format inputs.DType
		note   string // of the products of the weights
	}{
		{"hopper", inputs.BF16, ""},
		{"ampere", inputs.BF16, "fitted on published measurements: trtllm"},
		{"ampere", inputs.FP8, "ampere inherits floor, compute, bandwidth from hopper"},
		{"ada", inputs.BF16, "ada inherits floor, compute, bandwidth from ampere"},
		{"blackwell ultra", inputs.FP8, "blackwell inherits floor, bandwidth from hopper"},
		{"tpu-v5e", inputs.BF16, "tpu inherits floor, compute, bandwidth from hopper"},
		{"abacus", inputs.BF16, `no efficiencies are known for generation "abacus"`},
		{"", inputs.BF16, "generation (unnamed)"},
	} {
		pool := plain(1)
		pool.Accelerator.Efficiency, pool.Accelerator.Generation = nil, c.name
		pool.Accelerator.FLOPS[inputs.FP8] = 200e12
		m := small()
		m.Weights = c.format
		source := mustNew(t, conditionOf(m, pool)).Efficiencies(0)[0].Source
		if !strings.Contains(source, c.note) || (c.note == "" && strings.Contains(source, "inherits")) {
			t.Errorf("%s: source %q, want %q", c.name, source, c.note)
		}
	}
}

// A profile of the device itself stands before that of its generation, and before
// neither a stated utilisation.
func TestOwnProfile(t *testing.T) {
	own, err := profile.With(profile.Of("hopper"), map[string]float64{"operators.gemm16.floor": 1e-3, "operators.gemm16.compute": 0.25}, "measured here")
	if err != nil {
		t.Fatal(err)
	}
	pool := plain(1)
	pool.Accelerator.Profile, pool.Accelerator.Generation = own, "hopper"
	e := mustNew(t, conditionOf(small(), pool)).Efficiencies(0)[0]
	if e.FloorSeconds != 0 || e.Compute != 0.5 {
		t.Errorf("stated utilisation gives %+v", e)
	}
	pool.Accelerator.Efficiency = nil
	e = mustNew(t, conditionOf(small(), pool)).Efficiencies(0)[0]
	if says := mustNew(t, conditionOf(small(), pool)).Evidence(MetricTPOT); !strings.Contains(says, "those of a profile were not held against these runs") {
		t.Errorf("the interval of an own profile rests on %q", says)
	}
	if e.FloorSeconds != 1e-3 || e.Compute != 0.25 || !strings.Contains(e.Source, "measured here") {
		t.Errorf("own profile gives %+v", e)
	}
}

func TestEfficienciesNameTheirSource(t *testing.T) {
	for _, c := range []struct {
		efficiency *inputs.Efficiency
		want       string
		floor      bool
	}{
		{nil, "no efficiencies are known", true},
		{&inputs.Efficiency{Compute: 0.5, Bandwidth: 0.8}, "stated by the input", false},
		{&inputs.Efficiency{Compute: 0.5}, "compute stated by the input; bandwidth: ", false},
		{&inputs.Efficiency{Bandwidth: 0.8}, "bandwidth stated by the input; compute: ", false},
	} {
		pool := plain(1)
		pool.Accelerator.Efficiency = c.efficiency
		notes := mustNew(t, conditionOf(small(), pool)).Efficiencies(0)
		if len(notes) != 5 {
			t.Fatalf("%d operators described, want 5", len(notes))
		}
		for _, n := range notes {
			if !strings.Contains(n.Source, c.want) || (n.FloorSeconds > 0) != c.floor || n.Compute <= 0 || n.Bandwidth <= 0 {
				t.Errorf("%+v: want source %q, floor %v", n, c.want, c.floor)
			}
		}
	}
}
