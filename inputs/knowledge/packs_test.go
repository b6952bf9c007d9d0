package knowledge

import (
	"slices"
	"strings"
	"testing"

	"partita/inputs"
)

// plans are strategies of the fixture that between them keep and break every rule of the
// built-in packs.
func plans() map[string]Plan {
	stage := func(index, pool, first, last int, s Shape) Stage {
		return Stage{Index: index, Pool: pool, Shape: s, GPUs: s.GPUs(), Nodes: (s.GPUs() + 7) / 8, First: first, Last: last}
	}
	one := Shape{TP: 1, CP: 1, DP: 1, EP: 1, ETP: 1}
	two := Shape{TP: 2, CP: 1, DP: 1, EP: 1, ETP: 2}
	return map[string]Plan{
		"one GPU":           {MicroBatches: 1, DecodeGroups: 1, Stages: []Stage{stage(0, 0, 0, 3, one)}},
		"even":              {MicroBatches: 5, DecodeGroups: 2, Stages: []Stage{stage(0, 0, 0, 1, two), stage(1, 0, 2, 3, two)}},
		"uneven, unlike":    {MicroBatches: 1, DecodeGroups: 1, Stages: []Stage{stage(0, 0, 0, 0, two), stage(1, 1, 1, 3, one)}},
		"expert parallel":   {MicroBatches: 5, Stages: []Stage{stage(0, 0, 0, 3, Shape{TP: 2, CP: 1, DP: 2, EP: 4, ETP: 1})}},
		"unlike sharing":    {MicroBatches: 5, Stages: []Stage{stage(0, 0, 0, 1, Shape{TP: 1, CP: 1, DP: 2, EP: 2, ETP: 1}), stage(1, 0, 2, 3, one)}},
		"half of it":        {MicroBatches: 5, Stages: []Stage{stage(0, 0, 0, 3, Shape{TP: 2, CP: 1, DP: 2, EP: 2, ETP: 2})}},
		"an expert a GPU":   {MicroBatches: 5, Stages: []Stage{stage(0, 0, 0, 3, Shape{TP: 16, CP: 1, DP: 1, EP: 16, ETP: 1})}},
		"context parallel":  {MicroBatches: 5, Stages: []Stage{stage(0, 0, 0, 1, Shape{TP: 1, CP: 2, DP: 1, EP: 2, ETP: 1}), stage(1, 0, 2, 3, one)}},
		"odd degrees":       {MicroBatches: 5, Stages: []Stage{stage(0, 0, 0, 3, Shape{TP: 3, CP: 1, DP: 1, EP: 3, ETP: 1})}},
		"a node and a half": {MicroBatches: 5, Stages: []Stage{stage(0, 0, 0, 3, Shape{TP: 12, CP: 1, DP: 1, EP: 1, ETP: 12})}},
		"many GPUs":         {MicroBatches: 5, Stages: []Stage{stage(0, 0, 0, 3, Shape{TP: 32, CP: 1, DP: 1, EP: 1, ETP: 32})}},
		"no such shape":     {MicroBatches: 5, Stages: []Stage{stage(0, 0, 0, 3, Shape{TP: 4, CP: 1, DP: 1, EP: 3, ETP: 1})}},
		"odd sharing":       {MicroBatches: 5, Stages: []Stage{stage(0, 0, 0, 3, Shape{TP: 2, CP: 1, DP: 3, EP: 6, ETP: 1})}},
		"ranks over a node": {MicroBatches: 5, Stages: []Stage{stage(0, 0, 0, 3, Shape{TP: 2, CP: 1, DP: 6, EP: 12, ETP: 1})}},
		"ranks over a pipeline of nodes": {MicroBatches: 5, Stages: []Stage{
			stage(0, 0, 0, 1, Shape{TP: 1, CP: 1, DP: 8, EP: 8, ETP: 1}), stage(1, 0, 2, 3, Shape{TP: 1, CP: 1, DP: 8, EP: 8, ETP: 1})}},
		"uneven":      {MicroBatches: 5, DecodeGroups: 2, Stages: []Stage{stage(0, 0, 0, 0, two), stage(1, 0, 1, 3, two)}},
		"many stages": {MicroBatches: 5, Stages: stages(16, one, stage)},
		"slow GPU":    {MicroBatches: 5, Stages: []Stage{stage(0, 1, 0, 3, one)}},
		"layers over and over": {MicroBatches: 8, Stages: []Stage{
			stage(0, 0, 0, 0, one), stage(1, 0, 1, 1, one), stage(2, 0, 2, 2, one), stage(3, 0, 3, 3, one), stage(4, 0, 3, 3, one)}},
	}
}

// stages are some stages of one shape, all with the same layer.
func stages(n int, s Shape, stage func(index, pool, first, last int, s Shape) Stage) []Stage {
	var out []Stage
	for i := range n {
		out = append(out, stage(i, 0, 3, 3, s))
	}
	return out
}

// conditions are the fixture with latent attention and plain KV heads, with quantised and
// plain caches and weights, with many sequences, and with devices of another kind.
func conditions() []*inputs.Condition {
	gqa, mla, quantised := fixture(), fixture(), fixture()
	for i := range mla.Model.Kinds {
		mla.Model.Kinds[i].Attention.Kind = inputs.MLA
	}
	quantised.Model.KV = inputs.FP8
	plain, busy := fixture(), fixture()
	plain.Model.Weights = inputs.BF16
	busy.Model.Weights, busy.Model.KV, busy.Workload.Batch = inputs.INT8, inputs.INT8, 1000
	busy.Cluster.Pools[0].Accelerator.Vendor = "Google"
	return []*inputs.Condition{gqa, mla, quantised, plain, busy}
}

// Every built-in pack parses, gives a reason and a source where it speaks of an engine,
// and each of its rules is kept by some plan and broken by another.
func TestBuiltInPacks(t *testing.T) {
	names := BuiltInNames()
	engines, err := Engines()
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < len(engines)+3 {
		t.Errorf("packs %v", names)
	}
	for _, e := range engines {
		if !slices.Contains(names, e.Name) || len(e.Rules) == 0 || e.Title == "" {
			t.Errorf("engine %q: %d rules", e.Name, len(e.Rules))
		}
		for _, r := range e.Rules {
			if r.Source == "" || !strings.HasPrefix(r.Name, e.Title+": ") {
				t.Errorf("%s: %q has source %q", e.Name, r.Name, r.Source)
			}
		}
	}
	for _, name := range names {
		p, err := BuiltIn(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Rules {
			if r.Because == "" || r.Place.Line == 0 || !strings.HasPrefix(r.Place.File, "built-in "+name) {
				t.Errorf("%s: %q: because %q, at %v", name, r.Name, r.Because, r.Place)
			}
			kept, broken := 0, 0
			for _, c := range conditions() {
				c.Rules = []inputs.Rule{r}
				rules := mustCompile(t, c)
				for what, plan := range plans() {
					v, err := rules.Check(plan)
					switch {
					case err != nil:
						t.Errorf("%s: %q, %s: %v", name, r.Name, what, err)
					case len(v) > 0:
						broken++
					default:
						kept++
					}
				}
			}
			if kept == 0 || broken == 0 {
				t.Errorf("%s: %q is kept by %d plans and broken by %d", name, r.Name, kept, broken)
			}
		}
	}
}

// What each engine is known to run, and what it is known not to.
func TestEngines(t *testing.T) {
	const fp8, gguf = "Megatron-LM: weights of 16 bits", "llama.cpp: weights that a GGUF file holds"
	for _, row := range []struct {
		engine, plan string
		broken       []string
	}{
		{"vllm", "even", nil},
		{"vLLM", "expert parallel", nil},
		{"vllm", "half of it", []string{"vLLM: experts over all GPUs of a stage or none"}},
		{"vllm", "uneven, unlike", []string{"vLLM: one tensor degree", "vLLM: GPUs of one maker"}},
		{"vllm", "ranks over a node", []string{"vLLM: data-parallel ranks fill the nodes of a stage"}},
		{"sglang", "half of it", nil},
		{"tensorrt-llm", "even", nil},
		{"trtllm", "expert parallel", []string{"TensorRT-LLM: attention data parallel or tensor parallel"}},
		{"TensorRT-LLM", "uneven, unlike", []string{"TensorRT-LLM: one tensor degree", "TensorRT-LLM: NVIDIA GPUs", "TensorRT-LLM: FP8 where the GPU computes in it"}},
		{"trtllm", "uneven", nil}, // pp_partition, since 1.2
		{"trtllm", "odd degrees", []string{"TensorRT-LLM: heads divide", "TensorRT-LLM: KV heads divide or are copied"}},
		{"trtllm", "context parallel", []string{"TensorRT-LLM: one expert-parallel degree", "TensorRT-LLM: no context parallelism"}},
		{"sglang", "uneven", nil},
		{"sglang", "odd sharing", []string{"SGLang: dense layers are split over the stage"}},
		{"sglang", "many GPUs", []string{"SGLang: blocks of FP8 weights are not cut"}}, // 2048/32 is half a block of 128
		{"megatron", "an expert a GPU", []string{"Megatron-LM: KV heads divide", fp8}},
		{"megatron", "context parallel", []string{"Megatron-LM: no context parallelism", "Megatron-LM: one expert-parallel degree", fp8}},
		{"llama.cpp", "one GPU", []string{gguf}},
		{"llamacpp", "layers over and over", []string{gguf}},
		{"llamacpp", "even", []string{"llama.cpp: layers or tensors are split, not both", gguf}},
		{"llamacpp", "many stages", []string{"llama.cpp: at most 15 GPUs a server, 16 that split tensors", gguf}},
		{"llamacpp", "many GPUs", []string{"llama.cpp: at most 15 GPUs a server, 16 that split tensors", "llama.cpp: tensors are split inside one host", gguf}},
	} {
		v, err := CheckEngine(row.engine, fixture("tp == 99"), plans()[row.plan])
		var got []string
		for _, x := range v {
			got = append(got, x.Rule.Name)
		}
		if err != nil || !slices.Equal(got, row.broken) {
			t.Errorf("%s on %s: %q, %v; want %q", row.plan, row.engine, got, err, row.broken)
		}
	}
	if _, err := FindEngine("vlm"); err == nil || !strings.Contains(err.Error(), `did you mean "vllm"?`) || !strings.Contains(err.Error(), "llamacpp") {
		t.Errorf("vlm: %v", err)
	}
	if _, err := CheckEngine("none", fixture(), Plan{}); err == nil {
		t.Error("an engine that is not known is checked")
	}
	if _, err := BuiltIn("none"); err == nil || !strings.Contains(err.Error(), "practice") {
		t.Errorf("a pack that is not there: %v", err)
	}
}
