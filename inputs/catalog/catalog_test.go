package catalog

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partita/inputs"
)

func load(t testing.TB) *Catalog {
	t.Helper()
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// parameters derives the parameters of a model from its shapes, matrix by matrix,
// without norms and biases (below 0.1 %).
func parameters(m inputs.Model) float64 {
	h := float64(m.Hidden)
	total := h * float64(m.Vocab)
	if !m.Tied {
		total *= 2
	}
	for _, kind := range m.Layers {
		a, f := m.Kinds[kind].Attention, m.Kinds[kind].FFN
		n, kv, d := float64(a.Heads), float64(a.KVHeads), float64(a.HeadDim)
		if a.Kind == inputs.MLA {
			q := h * n * d
			if a.QLoraRank > 0 {
				q = float64(a.QLoraRank) * (h + n*d)
			}
			down := h * float64(a.KVLoraRank+a.RopeDim)
			up := float64(a.KVLoraRank) * n * (d - float64(a.RopeDim) + float64(a.VHeadDim))
			total += q + down + up + n*float64(a.VHeadDim)*h
		} else {
			total += h*n*d + 2*h*kv*d + n*d*h
		}
		matrices := 2.0
		if f.Gated {
			matrices = 3
		}
		width := float64(f.Intermediate)
		if f.Experts > 0 {
			width = width*float64(f.Experts) + float64(f.Shared)
			total += h * float64(f.Experts) // router
		}
		total += matrices * h * width
	}
	return total
}

func TestParametersFollowFromShapes(t *testing.T) {
	for _, e := range load(t).models {
		got := parameters(e.Model)
		off := got/e.Published - 1
		if math.Abs(off) > 0.015 {
			t.Errorf("%s: shapes give %.3fB, published %.3fB (%+.2f %%)", e.Model.Name, got/1e9, e.Published/1e9, 100*off)
		}
		if e.DeclaredParams != e.Published || e.FFNScale != 1 {
			t.Errorf("%s: declared %v, scale %v", e.Model.Name, e.DeclaredParams, e.FFNScale)
		}
		t.Logf("%-22s %9.3fB %+.3f %%", e.Model.Name, got/1e9, 100*off)
	}
}

func TestSize(t *testing.T) {
	c := load(t)
	if n := len(c.Accelerators()); n < 49 {
		t.Errorf("%d accelerators", n)
	}
	if n := len(c.Models()); n < 50 {
		t.Errorf("%d models", n)
	}
}

func TestEveryNameFindsItsEntry(t *testing.T) {
	c := load(t)
	for _, e := range c.accelerators {
		for _, name := range append([]string{e.Name}, e.Aliases...) {
			for _, written := range []string{name, strings.ToLower(name), strings.ToUpper(name), strings.ReplaceAll(name, "-", " "), strings.ReplaceAll(name, " ", "_")} {
				if got, ok := c.Accelerator(written); !ok || got.Name != e.Name {
					t.Errorf("%q finds %q, want %s", written, got.Name, e.Name)
				}
			}
		}
	}
	for _, e := range c.models {
		for _, name := range append([]string{e.Model.Name, e.HuggingFace}, e.Aliases...) {
			if name == "" {
				continue // no checkpoint was published
			}
			for _, written := range []string{name, strings.ToLower(name), strings.ReplaceAll(name, "-", "_")} {
				if got, ok := c.Model(written); !ok || got.Name != e.Model.Name {
					t.Errorf("%q finds %q, want %s", written, got.Name, e.Model.Name)
				}
			}
		}
	}
}

func TestAcceleratorNames(t *testing.T) {
	c := load(t)
	for written, want := range map[string]string{
		"NVIDIA H100 80GB HBM3":          "H100-SXM-80GB",
		"NVIDIA_H100":                    "H100-SXM-80GB",
		"H100 80GB SXM5":                 "H100-SXM-80GB",
		"8xH100":                         "",
		"nvidia-h100-pcie":               "H100-PCIe-80GB",
		"A100":                           "A100-SXM-80GB",
		"A100-80":                        "A100-SXM-80GB",
		"H100 SXM5 80 GB (HBM3)":         "",
		"H100 SXM5 80 GB":                "H100-SXM-80GB",
		"A100 80G":                       "A100-SXM-80GB",
		"NVIDIA A100 80GB PCIe":          "A100-PCIe-80GB",
		"NVIDIA A100-SXM4-40GB":          "A100-SXM-40GB",
		"L40S":                           "L40S",
		"Tesla T4":                       "T4",
		"Tesla V100-SXM2-32GB":           "V100-SXM2-32GB",
		"RTX 4090":                       "RTX-4090",
		"NVIDIA GeForce RTX 4090":        "RTX-4090",
		"rtx4090":                        "RTX-4090",
		"MI300X":                         "MI300X",
		"AMD Instinct MI300X":            "MI300X",
		"910B":                           "Ascend-910B",
		"NVIDIA GH200 480GB":             "GH200-96GB",
		"TPU v5e":                        "TPU-v5e",
		"NVIDIA RTX 6000 Ada Generation": "RTX-6000-Ada",
		"NVIDIA":                         "",
		"GPU":                            "",
		"":                               "",
	} {
		got, ok := c.Accelerator(written)
		if got.Name != want || ok != (want != "") {
			t.Errorf("%q finds %q, want %q", written, got.Name, want)
		}
	}
}

func TestModelNames(t *testing.T) {
	c := load(t)
	for written, want := range map[string]string{
		"llama 3 70b":                                  "Llama-3-70B",
		"Meta-Llama-3-70B-Instruct":                    "Llama-3-70B",
		"someone/Llama-3.1-8B-Instruct":                "Llama-3.1-8B",
		"Llama-3.3-70B":                                "Llama-3.3-70B",
		"deepseek_v3":                                  "DeepSeek-V3",
		"openai/gpt-oss-120b":                          "gpt-oss-120b",
		"Qwen3 235B A22B":                              "Qwen3-235B-A22B",
		"nvidia/Llama-3.3-70B-Instruct-FP8":            "Llama-3.3-70B",
		"x/Meta-Llama-3.1-70B-Instruct-quantized.w8a8": "Llama-3.1-70B",
		"x/Llama-3.3-70B-Instruct-FP8-dynamic":         "Llama-3.3-70B",
		"Llama-9-70B":                                  "",
		"FP8":                                          "",
		"mistralai/Mixtral-8x7B-Instruct-v0.1-AWQ":     "Mixtral-8x7B",
	} {
		got, ok := c.Model(written)
		if got.Name != want || ok != (want != "") {
			t.Errorf("%q finds %q, want %q", written, got.Name, want)
		}
	}
}

func TestFormatInAName(t *testing.T) {
	c := load(t)
	for _, test := range []struct {
		name        string
		weights, kv inputs.DType
	}{
		{"Llama-3.1-405B", inputs.BF16, inputs.BF16},
		{"Llama-3.1-405B-FP8", inputs.FP8, inputs.FP8},
		{"nvidia/Llama-3.1-405B-Instruct-NVFP4", inputs.FP4, inputs.FP8},
		{"Llama-3.1-405B AWQ", inputs.INT4, inputs.FP8},
		{"DeepSeek-V3", inputs.FP8, inputs.FP8},
		{"DeepSeek-V3-BF16", inputs.BF16, inputs.BF16},
		{"gpt-oss-20b", inputs.FP4, inputs.FP8},
		{"Llama-2-7B", inputs.FP16, inputs.FP16},
	} {
		m, ok := c.Model(test.name)
		if !ok || m.Weights != test.weights || m.KV != test.kv {
			t.Errorf("%s: weights %s, KV %s; want %s, %s", test.name, m.Weights, m.KV, test.weights, test.kv)
		}
	}
}

func TestVariants(t *testing.T) {
	c := load(t)
	for name, want := range map[string]string{
		"A100":          "A100-PCIe-40GB A100-PCIe-80GB A100-SXM-40GB",
		"A100-80":       "A100-PCIe-80GB",
		"A100-SXM-80GB": "",
		"L4":            "",
		"unheard of":    "",
	} {
		if got := strings.Join(c.Variants(name), " "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestSuggest(t *testing.T) {
	c := load(t)
	for name, want := range map[string]string{
		"H10O":           "H100-SXM-80GB",
		"RTX 4080":       "RTX-4090",
		"Llama-3.1-70":   "Llama-3.1-70B",
		"lama-3-70b":     "Llama-3-70B",
		"DeepSeek-V":     "DeepSeek-V2",
		"Qwen3-235B-A22": "Qwen3-235B-A22B",
	} {
		got := c.Suggest(name)
		if len(got) == 0 || got[0] != want {
			t.Errorf("%q suggests %v, want %s first", name, got, want)
		}
	}
	for _, name := range []string{"", "----", "a word that resembles nothing at all", strings.Repeat("h100", 1000)} {
		if got := c.Suggest(name); len(got) > 0 {
			t.Errorf("%.20q suggests %v", name, got)
		}
	}
	if got := c.SuggestModel("H100"); len(got) > 0 {
		t.Errorf("a model is suggested for a device: %v", got)
	}
}

// Any text is a name that is known or not; a known one names an entry that finds itself.
func TestLookupOfAnyText(t *testing.T) {
	c := load(t)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.String(), rapid.StringMatching(`[HAVLB]?[0-9]{1,3}[ _-]?(SXM|PCIe)?[ -]?(40|80)?G?B?`)).Draw(t, "name")
		if a, ok := c.Accelerator(name); ok {
			if again, _ := c.Accelerator(a.Name); again.Name != a.Name {
				t.Fatalf("%q finds %s, which finds %s", name, a.Name, again.Name)
			}
			for _, v := range c.Variants(name) {
				if v == a.Name {
					t.Fatalf("%q is a variant of itself", v)
				}
			}
		}
		if len(c.Suggest(name)) > 3 {
			t.Fatal("more than three suggestions")
		}
	})
}

// A caller may change what it got.
func TestEntriesAreCopies(t *testing.T) {
	c := load(t)
	a, _ := c.Accelerator("H100")
	a.FLOPS[inputs.FP8] = 1
	a.Aliases[0] = "changed"
	m, _ := c.Model("DeepSeek-V3")
	m.Layers[0], m.Kinds[0].Name = 7, "changed"
	again, _ := c.Accelerator("H100")
	model, _ := c.Model("DeepSeek-V3")
	if again.FLOPS[inputs.FP8] != 1979e12 || again.Aliases[0] == "changed" || model.Layers[0] != 0 || model.Kinds[0].Name != "dense" {
		t.Error("the catalogue was changed through an entry")
	}
}

func TestAcceleratorsArePlausible(t *testing.T) {
	for _, a := range load(t).Accelerators() {
		if gib := float64(a.MemoryBytes) / (1 << 30); gib < 14 || gib > 300 {
			t.Errorf("%s: %.1f GiB", a.Name, gib)
		}
		if a.MemoryBandwidth < 200e9 || a.MemoryBandwidth > 10e12 {
			t.Errorf("%s: %v byte/s", a.Name, a.MemoryBandwidth)
		}
		half := max(a.FLOPS[inputs.BF16], a.FLOPS[inputs.FP16])
		if half < 60e12 || half > 3e15 {
			t.Errorf("%s: %v FLOP/s at 16 bits", a.Name, half)
		}
		for d, rate := range a.FLOPS {
			if d.Bytes() < 2 && d != inputs.INT8 && rate < half {
				t.Errorf("%s: %s is slower than 16 bits", a.Name, d)
			}
		}
		if a.Link.BytesPerSecond <= 0 || a.Link.Kind == inputs.LinkPair && a.Link.PairBytesPerSecond <= a.Link.BytesPerSecond ||
			a.Link.Kind == inputs.LinkMesh && a.Link.PairBytesPerSecond > a.Link.BytesPerSecond {
			t.Errorf("%s: link %+v", a.Name, a.Link)
		}
		if a.Provenance == "" || a.Generation == "" {
			t.Errorf("%s: provenance %q, generation %q", a.Name, a.Provenance, a.Generation)
		}
	}
}

func TestKnownFacts(t *testing.T) {
	c := load(t)
	h100, _ := c.Accelerator("H100")
	if h100.MemoryBytes != 81559<<20 || h100.MemoryBandwidth != 3350e9 || h100.Link.BytesPerSecond != 450e9 || h100.Link.Kind != inputs.LinkNVLink {
		t.Errorf("H100: %+v", h100)
	}
	if t4, _ := c.Accelerator("T4"); t4.FLOPS[inputs.BF16] != 0 || t4.FLOPS[inputs.FP16] != 65e12 {
		t.Errorf("T4: %v", t4.FLOPS)
	}
}

func TestFaultyCatalogue(t *testing.T) {
	const device = `{name: X1, vendor: V, generation: g, memory_gib: 1, memory_bandwidth_gb_s: 1, tflops: {fp16: 1}, link: {kind: pcie, gb_s: 1}, source: s, seen: "yes"}`
	const model = `{name: M, hf: o/M, family: f, params: 1, count: c, config: {architectures: [LlamaForCausalLM], hidden_size: 2, num_hidden_layers: 1, num_attention_heads: 1, intermediate_size: 2, vocab_size: 2}}`
	for _, test := range []struct{ name, devices, models, want string }{
		{"sound", device, model, ""},
		{"unknown field", `{name: X1, colour: red}`, model, "colour"},
		{"no memory", strings.Replace(device, "memory_gib: 1, ", "", 1), model, "memory"},
		{"unknown format", strings.Replace(device, "fp16", "fp12", 1), model, "fp12"},
		{"unknown link", strings.Replace(device, "pcie", "string", 1), model, `link kind "string"`},
		{"no source", strings.Replace(device, "source: s, ", "", 1), model, "source"},
		{"one name twice", device + "\n- " + strings.Replace(device, "X1", "x-1", 1), model, "means two entries"},
		{"bad shape", device, strings.Replace(model, "vocab_size: 2", "vocab_size: -2", 1), "vocab_size is -2"},
		{"useless field", device, strings.Replace(model, "vocab_size: 2", "vocab_size: 2, colour: red", 1), "colour: red is of no use"},
	} {
		_, err := parse([]byte("accelerators:\n- "+test.devices), []byte("models:\n- "+test.models))
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}
