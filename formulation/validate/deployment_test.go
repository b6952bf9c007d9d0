package validate

import (
	"strings"
	"testing"

	"partita/inputs"
	"partita/inputs/catalog"
	"partita/inputs/measured"
)

func TestLayoutOf(t *testing.T) {
	for _, c := range []struct {
		name string
		row  measured.Row
		moe  bool
		want layout
		why  string
	}{
		{"one GPU, nothing stated", measured.Row{GPUs: 1}, false, layout{1, 1, 1, 1, 1, 1, 1}, ""},
		{"tp", measured.Row{GPUs: 4, TP: 4}, false, layout{1, 1, 4, 1, 1, 1, 4}, ""},
		{"the rest is replicas", measured.Row{GPUs: 16, TP: 2, PP: 2}, false, layout{4, 2, 2, 1, 1, 1, 2}, ""},
		{"dp", measured.Row{GPUs: 16, TP: 2, DP: 8}, false, layout{8, 1, 2, 1, 1, 1, 2}, ""},
		{"dp without the number of GPUs", measured.Row{TP: 2, DP: 8}, false, layout{8, 1, 2, 1, 1, 1, 2}, ""},
		{"experts inside tp", measured.Row{GPUs: 8, TP: 8, DP: 1, EP: 4}, true, layout{1, 1, 8, 1, 1, 4, 2}, ""},
		{"attention DP: ranks of the deployment, groups of experts", measured.Row{GPUs: 32, TP: 1, DP: 32, EP: 8}, true, layout{4, 1, 1, 1, 8, 8, 1}, ""},
		{"experts over half of the ranks, two in a group", measured.Row{GPUs: 8, TP: 2, DP: 4, EP: 4}, true, layout{2, 1, 2, 1, 2, 4, 1}, ""},
		{"attention DP by notes", measured.Row{GPUs: 4, TP: 4, DP: 4, EP: 2, Notes: "dp_attention=True (…)"}, true, layout{1, 1, 1, 1, 4, 2, 2}, ""},
		{"no layout", measured.Row{GPUs: 8}, false, layout{}, "the layout is not stated"},
		{"product", measured.Row{GPUs: 8, TP: 4, DP: 4}, false, layout{}, "do not make the number of GPUs"},
		{"remainder", measured.Row{GPUs: 6, TP: 4}, false, layout{}, "do not make the number of GPUs"},
		{"experts of a dense model", measured.Row{GPUs: 8, TP: 8, EP: 8}, false, layout{}, "the model has none"},
		{"experts that do not divide", measured.Row{GPUs: 8, TP: 8, EP: 3}, true, layout{}, "do not divide"},
		{"groups that do not divide", measured.Row{GPUs: 6, TP: 1, DP: 6, EP: 4}, true, layout{}, "do not divide"},
	} {
		got, why := layoutOf(&c.row, c.moe)
		if got != c.want && c.why == "" || c.why == "" != (why == "") || !strings.Contains(why, c.why) {
			t.Errorf("%s: %+v, %q, want %+v, %q", c.name, got, why, c.want, c.why)
		}
		if why == "" && c.row.GPUs > 0 && got.gpus() != c.row.GPUs {
			t.Errorf("%s: %d GPUs of %d", c.name, got.gpus(), c.row.GPUs)
		}
	}
}

func TestDeploymentOf(t *testing.T) {
	lib, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	base := measured.Row{GPU: "H100-SXM-80GB", HuggingFace: "meta-llama/Llama-3.1-8B", Precision: "BF16", GPUs: 8, TP: 8, Nodes: 1}
	with := func(f func(*measured.Row)) measured.Row {
		r := base
		f(&r)
		return r
	}
	want := func(change func(*deployment)) deployment {
		d := deployment{accelerator: "H100-SXM-80GB", model: "Llama-3.1-8B", gpus: 8, nodes: 1, layout: layout{1, 1, 8, 1, 1, 1, 8}}
		change(&d)
		return d
	}
	for _, c := range []struct {
		name string
		row  measured.Row
		want deployment
		why  string
	}{
		{"identifier", base, want(func(*deployment) {}), ""},
		{"name, and a format of its own", with(func(r *measured.Row) { r.HuggingFace, r.Model, r.Precision = "", "Llama-3.1-8B", "FP8 rowwise" }),
			want(func(d *deployment) { d.precision = inputs.FP8 }), ""},
		{"format in the identifier", with(func(r *measured.Row) { r.HuggingFace, r.Precision = "nvidia/Llama-3.1-8B-Instruct-FP8", "FP8" }),
			want(func(d *deployment) { d.precision = inputs.FP8 }), ""},
		{"utilisation, no nodes", with(func(r *measured.Row) { r.Notes, r.Nodes = "total 79 GiB gmu 0.95; x", 0 }),
			want(func(d *deployment) { d.nodes, d.utilization = 0, "0.95" }), ""},
		{"no format", with(func(r *measured.Row) { r.Precision = "" }), want(func(*deployment) {}), ""},
		{"vLLM keeps 16 bits of cache", with(func(r *measured.Row) { r.Framework, r.Precision, r.Notes = "vLLM 0.5", "FP8", "max_model_len 2048" }),
			want(func(d *deployment) { d.engine, d.precision, d.cache, d.longest = "vllm", inputs.FP8, inputs.BF16, 2048 }), ""},
		{"TensorRT-LLM does not", with(func(r *measured.Row) { r.Framework, r.Precision = "NIM 1.8.0 (TensorRT-LLM)", "FP8" }),
			want(func(d *deployment) { d.engine, d.precision = "trtllm", inputs.FP8 }), ""},
		{"GPU", with(func(r *measured.Row) { r.GPU = "abacus" }), deployment{}, `GPU "abacus" is not in the catalogue`},
		{"model", with(func(r *measured.Row) { r.HuggingFace = "no/such" }), deployment{}, `model "no/such" is not in the catalogue`},
		{"nodes", with(func(r *measured.Row) { r.Nodes = 3 }), deployment{}, "do not divide over the nodes"},
		{"more nodes than GPUs", with(func(r *measured.Row) { r.Nodes = 16 }), deployment{}, "do not divide over the nodes"},
		{"format", with(func(r *measured.Row) { r.Precision = "ternary" }), deployment{}, `number format "ternary"`},
	} {
		got, why := known{lib}.deploymentOf(&c.row)
		if c.why == "" && got != c.want || !strings.Contains(why, c.why) || c.why == "" && why != "" {
			t.Errorf("%s: %+v, %q, want %+v, %q", c.name, got, why, c.want, c.why)
		}
	}
}

// A batch of one dummy prompt says nothing of experts that tokens visit at random; of a
// dense model it does, and so does a single prompt.
func TestAlikePrompts(t *testing.T) {
	lib, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		model, framework string
		requests         int
		left             bool
	}{{"Mixtral-8x7B", "TensorRT-LLM", 16, true}, {"Mixtral-8x7B", "TensorRT-LLM", 1, false}, {"Mixtral-8x7B", "vLLM", 16, false}, {"Llama-3-70B", "TensorRT-LLM", 16, false}} {
		_, why := known{lib}.deploymentOf(&measured.Row{Model: x.model, GPU: "H100", GPUs: 4, TP: 4, Precision: "BF16", Framework: x.framework,
			Source: "github.com/argonne-lcf/LLM-Inference-Bench@x", Concurrency: measured.Concurrency{Requests: x.requests}, Notes: "static batch"})
		if (why != "") != x.left {
			t.Errorf("%+v: %q", x, why)
		}
	}
}

func TestLoadOf(t *testing.T) {
	at := func(n int) inputs.Range { return inputs.Range{Min: n, Max: n} }
	for _, c := range []struct {
		row  measured.Row
		want load
	}{
		{measured.Row{Input: 1024, Output: 294.3, Concurrency: measured.Concurrency{Requests: 64}}, load{input: at(1024), output: at(294), mode: closed, requests: 64}},
		{measured.Row{Input: 1024, Output: 100, Notes: "random lengths 0.8-1.0x of ISL/OSL", Concurrency: measured.Concurrency{Requests: 4}},
			load{input: inputs.Range{Min: 819, Max: 1024}, output: inputs.Range{Min: 80, Max: 100}, mode: closed, requests: 4}},
		{measured.Row{Input: 8, Concurrency: measured.Concurrency{Requests: 4}, Framework: "TensorRT-LLM 0.9 static batching"}, load{input: at(8), mode: static, requests: 4}},
		{measured.Row{Input: 8, Concurrency: measured.Concurrency{Requests: 1}, Notes: "batch-1 first token latency"}, load{input: at(8), mode: static, requests: 1}},
		{measured.Row{Concurrency: measured.Concurrency{Rate: true}, Notes: "infinite rate"}, load{mode: byRate}},
		{measured.Row{Concurrency: measured.Concurrency{Rate: true, PerSecond: 2}, Notes: "500 requests BF16"}, load{mode: byRate, rate: 2, total: 500}},
		{measured.Row{Notes: "requests at infinite rate"}, load{mode: most}},
		{measured.Row{Concurrency: measured.Concurrency{Most: true}}, load{mode: most}},
		{measured.Row{}, load{}},
	} {
		if got := loadOf(&c.row); got != c.want {
			t.Errorf("%+v: %+v, want %+v", c.row, got, c.want)
		}
	}
}
