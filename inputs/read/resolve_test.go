package read

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partita/inputs"
)

// resolved loads a YAML text that must be a condition.
func resolved(t *testing.T, text string) *inputs.Condition {
	t.Helper()
	c, err := loadText(t, "c.yaml", text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return c
}

const oneGPU = "cluster: {gpu: H100, count: 1}\n"

// Published totals, counted by shape: the figure a reader compares with.
func TestCountParameters(t *testing.T) {
	lib := testLibrary(t)
	for name, want := range map[string]float64{
		"Llama-3-8B": 8030261248, "Llama-3.1-70B": 70553706496, "Mixtral-8x7B": 46702792704, "Qwen3-235B-A22B": 235.09e9, "DeepSeek-V3": 671.03e9, "Gemma-2-9B": 9.24e9,
	} {
		m, ok := lib.Model(name)
		if !ok {
			t.Errorf("%s is not in the catalogue", name)
			continue
		}
		if got := countParameters(m).total(); math.Abs(got/want-1) > 0.005 {
			t.Errorf("%s: %.4g parameters by its shapes, published %.4g", name, got, want)
		}
	}
}

// The declared count governs: after scaling the total is what was declared.
func TestDeclaredCountGoverns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newDraft()
		set := func(path string, v any) {
			d.set(d.say(inputs.Place{File: "c", Line: 1}, path), path, v, inputs.Place{}, fromFile)
		}
		set("model.layers", rapid.IntRange(1, 64).Draw(t, "layers"))
		heads := rapid.IntRange(1, 32).Draw(t, "heads")
		width := rapid.IntRange(1, 128).Draw(t, "width")
		set("model.hidden", heads*width)
		set("model.heads", heads)
		set("model.intermediate", rapid.IntRange(1, 8192).Draw(t, "intermediate"))
		if rapid.Bool().Draw(t, "moe") {
			set("model.experts", rapid.IntRange(2, 64).Draw(t, "experts"))
		}
		declared := rapid.Float64Range(1e6, 1e12).Draw(t, "declared")
		set("model.parameters", declared)
		m := d.resolveModel(nil)
		if len(d.problems) > 0 {
			if attention := countParameters(m).Other; declared > attention {
				t.Fatalf("%v declared, attention alone has %v: %v", declared, attention, d.problems)
			}
			return
		}
		p := countParameters(m)
		total := p.Other + m.FFNScale*p.FFN
		if m.FFNScale == 1 {
			if math.Abs(total/declared-1) > negligible*1.0001 {
				t.Fatalf("%v declared, %v derived, not scaled", declared, total)
			}
			return
		}
		if math.Abs(total/declared-1) > 1e-9 || len(d.warnings) == 0 {
			t.Fatalf("%v declared, %v after scaling by %v, warnings %q", declared, total, m.FFNScale, d.warnings)
		}
	})
}

func TestContradictionIsToldWithBothNumbers(t *testing.T) {
	c := resolved(t, oneGPU+"model: {layers: 16, hidden: 512, heads: 16, experts: 16, intermediate: 1024, parameters: 10B}\n")
	if len(c.Warnings) != 1 {
		t.Fatalf("warnings %q", c.Warnings)
	}
	for _, part := range []string{"10B parameters are declared", "c.yaml:2:", "add up to 0.42B", "the declared count governs", "24.79"} {
		if !strings.Contains(c.Warnings[0], part) {
			t.Errorf("%q does not say %q", c.Warnings[0], part)
		}
	}
	if c := resolved(t, oneGPU+"model: {catalog: Llama-3-8B, parameters: 8B}\n"); c.Model.FFNScale != 1 || len(c.Warnings) != 0 {
		t.Errorf("8B for 8.03B needs no scaling: %v %q", c.Model.FFNScale, c.Warnings)
	}
}

// What is not stated is assumed, and what is assumed is listed.
func TestAssumptions(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
		not  []string
	}{
		{"cluster: {gpu: H100}\nmodel: Llama-3-8B\n",
			[]string{"number of GPUs", "network between nodes", "batch", "input length", "phase", "objective", "share of the memory", "GPUs of a node", "accelerator H100"}, []string{"link inside", "output length"}},
		{"cluster: {flops: 1TFLOPS, memory: 1GB, memory_bandwidth: 1GB/s, count: 2}\nmodel: Llama-3-8B\n", []string{"link inside a node"}, []string{"network"}},
		{oneGPU + "model: Llama-3-8B\nworkload: {phase: decode}\n", []string{"output length"}, []string{"phase ="}},
		{oneGPU + "model: Llama-3-8B\ngoal: {requirements: {tpot: 50ms}}\n", []string{"output length", "phase"}, nil},
		{oneGPU + "model: Llama-3-8B\nworkload: {output: 5}\n", nil, []string{"output length"}},
		{oneGPU + "model: {layers: 4, hidden: 256, heads: 4, attention: gqa}\n", []string{"KV heads = 4", "width of a head = 64", "number format = bf16", "feed-forward width", "feed-forward block", "vocabulary"}, nil},
		{oneGPU + "model: {layers: 4, hidden: 256, heads: 4, attention: mla}\n", []string{"KV projection rank = 512", "rotary width = 64"}, nil},
		{oneGPU + "model: {layers: 4, hidden: 256, heads: 4, experts: 4, intermediate: 64}\n", []string{"experts a token is sent to = 2"}, nil},
		{oneGPU + "model: {layers: 4, hidden: 256, heads: 4, experts: 1, intermediate: 64}\n", []string{"experts a token is sent to = 1"}, nil},
		{oneGPU + "model: {layers: 4, heads: 4, head_dim: 64, intermediate: 64}\n", []string{"hidden size = 256"}, nil},
	} {
		listed := strings.Join(assumed(resolved(t, c.text)), "\n")
		for _, w := range c.want {
			if !strings.Contains(listed, w) {
				t.Errorf("%s: %q is not listed in\n%s", c.text, w, listed)
			}
		}
		for _, n := range c.not {
			if strings.Contains(listed, n) {
				t.Errorf("%s: %q is stated, but listed in\n%s", c.text, n, listed)
			}
		}
	}
}

func TestPhase(t *testing.T) {
	for _, c := range []struct {
		workload, goal string
		phase          inputs.Phase
		output         int
	}{
		{"", "", inputs.Prefill, 0},
		{"output: 7", "", inputs.Mixed, 7},
		{"phase: decode", "", inputs.Decode, defaultOutput},
		{"phase: mixed", "", inputs.Mixed, defaultOutput},
		{"phase: prefill, output: 7", "", inputs.Prefill, 0},
		{"", "ttft: 1s", inputs.Prefill, 0},
		{"", "throughput: 100 tokens/s", inputs.Prefill, 0},
		{"", "tpot: none", inputs.Prefill, 0},
		{"", "tpot: 50ms", inputs.Mixed, defaultOutput},
		{"", "output_throughput: 100 tokens/s", inputs.Mixed, defaultOutput},
	} {
		got := resolved(t, fmt.Sprintf("%smodel: Llama-3-8B\nworkload: {%s}\ngoal: {requirements: {%s}}\n", oneGPU, c.workload, c.goal)).Workload
		if got.Phase != c.phase || got.Output.Max != c.output {
			t.Errorf("%q %q: %s with output %v, want %s with %d", c.workload, c.goal, got.Phase, got.Output, c.phase, c.output)
		}
	}
}

func TestCachedAndSpeculative(t *testing.T) {
	const head = oneGPU + "model: Llama-3-8B\nworkload: {input: 1000, output: 100, "
	w := resolved(t, head+"prefix_cache_hit: 30 %, speculative: {draft_tokens: 3, acceptance: 0.5}}\n").Workload
	if w.PrefixCacheHit != 0.3 || w.Speculative != (inputs.Speculative{DraftTokens: 3, Acceptance: 0.5, DraftCost: defaultDraftCost}) {
		t.Errorf("%+v", w)
	}
	if got := w.Speculative.TokensPerStep(); got != 1.875 {
		t.Errorf("%g tokens a step, want 1 + 1/2 + 1/4 + 1/8", got)
	}
	if w.Cached(1000) != 300 || w.Cached(1) != 0 {
		t.Errorf("%d of 1000 tokens cached, %d of 1", w.Cached(1000), w.Cached(1))
	}
	md, err := loadText(t, "c.md", "# Environment\n- GPU: H100\n- Number of GPUs: 1\n# Model Configuration\n- Model: Llama-3-8B\n# Input Data\n- Sequence In: 1000\n- Sequence Out: 100\n"+
		"- Prefix cache hit rate: 30%\n- Draft tokens: 3\n- Acceptance rate: 50%\n- Draft cost: 10%\n")
	if err != nil || md.Workload.PrefixCacheHit != 0.3 || md.Workload.Speculative != w.Speculative {
		t.Errorf("in Markdown %+v, %v", md, err)
	}
	if c := resolved(t, head+"phase: prefill, speculative: {draft_tokens: 3, acceptance: 0.5}}\n"); c.Workload.Speculative.DraftTokens != 0 || len(c.Warnings) == 0 {
		t.Errorf("a draft of prompts alone: %+v", c.Workload)
	}
	if c := resolved(t, head+"phase: decode, prefix_cache_hit: 30 %}\n"); c.Workload.PrefixCacheHit != 0 || len(c.Warnings) == 0 {
		t.Errorf("a cache of prompts that nobody reads: %+v", c.Workload)
	}
	for _, wrong := range []string{"draft_tokens: 0, acceptance: 0.5", "draft_tokens: {a: 1}, acceptance: 0.5", "draft_tokens: 3, acceptance: 2", "draft_tokens: 3, acceptance: [0.5, 1]"} {
		if _, err := loadText(t, "c.yaml", head+"speculative: {"+wrong+"}}\n"); err == nil || strings.Count(err.Error(), "c.yaml:3:") != 1 {
			t.Errorf("%s: what is wrong is told once, not as missing too: %v", wrong, err)
		}
	}
	for text, want := range map[string]string{
		"speculative: {draft_tokens: 3}":                   "without an acceptance",
		"speculative: {acceptance: 0.5}":                   "without its number of proposed tokens",
		"speculative: {draft_tokens: 65, acceptance: 0.5}": "65 is out of bounds, want a whole number from 1 to 64",
		"speculative: {draft_tokens: 3, acceptance: 2}":    "acceptance",
		"prefix_cache_hit: 100%":                           "below 100 %",
	} {
		if _, err := loadText(t, "c.yaml", head+text+"}\n"); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "c.yaml:3:") {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestNumberFormats(t *testing.T) {
	for _, c := range []struct {
		model                  string
		weights, activation, k inputs.DType
	}{
		{"catalog: Llama-3-8B", inputs.BF16, inputs.BF16, inputs.BF16},
		{"catalog: Llama-3-8B, precision: fp16", inputs.FP16, inputs.FP16, inputs.FP16},
		{"catalog: Llama-3-8B, precision: fp8", inputs.FP8, inputs.BF16, inputs.FP8},
		{"catalog: Llama-3-8B, precision: int4", inputs.INT4, inputs.BF16, inputs.FP8},
		{"catalog: Llama-3-8B, precision: fp8, kv_precision: bf16, activation_precision: fp16", inputs.FP8, inputs.FP16, inputs.BF16},
	} {
		m := resolved(t, oneGPU+"model: {"+c.model+"}\n").Model
		if m.Weights != c.weights || m.Activation != c.activation || m.KV != c.k {
			t.Errorf("%s: %s %s %s", c.model, m.Weights, m.Activation, m.KV)
		}
	}
}

func TestLinks(t *testing.T) {
	for _, c := range []struct {
		cluster        string
		intra, network float64 // GB/s
	}{
		{"gpu: H100, count: 16", 450, 25},
		{"gpu: H100, count: 16, intra_link: NVLink", 450, 25},
		{"gpu: H100, count: 16, intra_link: NVLink 900GB/s", 450, 25},
		{"gpu: H100, count: 16, intra_link: 300GB/s", 300, 25},
		{"gpu: T4, count: 16, pcie: 8GB/s", 8, 25},
		{"gpu: H100, count: 16, network: 100Gb/s", 450, 12.5},
		{"gpu: H100, count: 16, network: 100Gb/s per node", 450, 12.5 / 8},
		{"gpu: H100, count: 16, gpus_per_node: 4, network: 100Gb/s per node", 450, 12.5 / 4},
		{"flops: 1TFLOPS, memory: 1GB, memory_bandwidth: 1GB/s", 200, 25},
	} {
		cl := resolved(t, "cluster: {"+c.cluster+"}\nmodel: Llama-3-8B\n").Cluster
		if got := cl.Pools[0].Intra.BytesPerSecond; got != c.intra*1e9 {
			t.Errorf("%s: inside %v", c.cluster, got)
		}
		if got := cl.Network.BytesPerSecond; got != c.network*1e9 {
			t.Errorf("%s: network %v", c.cluster, got)
		}
	}
}

func TestMemory(t *testing.T) {
	h100 := resolved(t, oneGPU+"model: Llama-3-8B\n").Cluster.Pools[0].MemoryBytes
	for _, c := range []struct {
		cluster  string
		want     int64
		warnings int
	}{
		{"gpu: H100, count: 1, memory: 80GB", h100, 0},
		{"gpu: H100, count: 1, memory: 80GiB", h100, 0},
		{"gpu: H100, count: 1, memory: 75GB", 75e9, 1},
		{"gpu: H100, count: 1, memory: 64GB", 64e9, 1},
		{"gpu: H100, count: 1, free_memory: 30GB", 30e9, 0},
	} {
		got := resolved(t, "cluster: {"+c.cluster+"}\nmodel: Llama-3-8B\n")
		if got.Cluster.Pools[0].MemoryBytes != c.want || len(got.Warnings) != c.warnings {
			t.Errorf("%s: %d, want %d; %q", c.cluster, got.Cluster.Pools[0].MemoryBytes, c.want, got.Warnings)
		}
	}
}

func TestSequenceBesideInputAndOutput(t *testing.T) {
	c := resolved(t, oneGPU+"model: Llama-3.1-8B\nworkload: {sequence: 128-10240, input: 2048, output: 2048}\n")
	if c.Workload.Input.Max != 2048 || len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "10240") {
		t.Errorf("%+v %q", c.Workload, c.Warnings)
	}
	if c := resolved(t, oneGPU+"model: Llama-3.1-8B\nworkload: {sequence: 128-10240}\n"); c.Workload.Input != (inputs.Range{Min: 128, Max: 10240}) {
		t.Errorf("%+v", c.Workload)
	}
}

// However pools are stated, every GPU has one name on one host, and the numbers add up.
func TestPlacement(t *testing.T) {
	lib := testLibrary(t)
	rapid.Check(t, func(t *rapid.T) {
		d := newDraft()
		n := rapid.IntRange(1, 4).Draw(t, "pools")
		d.listPools(n, "c", false, inputs.Place{})
		stated := d.say(inputs.Place{File: "c", Line: 1}, "pools")
		want := 0
		for i := range n {
			count := rapid.IntRange(1, 40).Draw(t, "count")
			want += count
			d.set(stated, poolPath(i, "accelerator"), rapid.SampledFrom([]string{"H100", "T4", "L40S"}).Draw(t, "gpu"), inputs.Place{}, fromFile)
			d.set(stated, poolPath(i, "count"), inputs.Count{Min: count, Max: count}, inputs.Place{}, fromFile)
			if count <= 8 && rapid.Bool().Draw(t, "shared host") {
				d.set(stated, poolPath(i, "host"), "shared", inputs.Place{}, fromFile)
			} else if count <= 8 && rapid.Bool().Draw(t, "free") {
				var free []int64
				for range count {
					free = append(free, int64(rapid.IntRange(1, 14).Draw(t, "GB"))*1e9)
				}
				d.set(stated, poolPath(i, "free_memory"), free, inputs.Place{}, fromFile)
			}
		}
		c := d.resolveCluster(lib, inputs.Model{Weights: inputs.FP16, Activation: inputs.FP16}, inputs.Places{})
		if len(d.problems) > 0 {
			t.Fatal(d.problems)
		}
		names, ids := map[string]bool{}, map[string]bool{}
		for _, p := range c.Pools {
			if names[p.Name] {
				t.Fatalf("two pools are named %s", p.Name)
			}
			names[p.Name] = true
			total := 0
			for _, node := range p.Nodes {
				if len(node.GPUs) > p.GPUsPerNode {
					t.Fatalf("%d GPUs on a node of %d", len(node.GPUs), p.GPUsPerNode)
				}
				total += len(node.GPUs)
				for _, id := range node.GPUs {
					if ids[id] || !strings.HasPrefix(id, node.Host+"/gpu-") {
						t.Fatalf("GPU %s of %s", id, node.Host)
					}
					ids[id] = true
				}
			}
			if total != p.Count.Max {
				t.Fatalf("%d GPUs named of %d", total, p.Count.Max)
			}
		}
		if len(ids) != want {
			t.Fatalf("%d GPUs named, %d stated", len(ids), want)
		}
	})
}

// The same input gives the same condition, statement by statement.
func TestDeterministic(t *testing.T) {
	first := fmt.Sprintf("%+v", *resolved(t, inYAML))
	for range 5 {
		// The folder of the file differs from run to run, nothing else may.
		again := fmt.Sprintf("%+v", *resolved(t, inYAML))
		if strip(first) != strip(again) {
			t.Fatalf("%s\n%s", first, again)
		}
	}
}

func strip(s string) string {
	var out []string
	for _, w := range strings.Fields(s) {
		if !strings.Contains(w, "c.yaml") && !strings.Contains(w, "0x") {
			out = append(out, w)
		}
	}
	return strings.Join(out, " ")
}
