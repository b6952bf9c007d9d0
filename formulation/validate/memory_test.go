package validate

import (
	"math"
	"strings"
	"testing"

	"partita/inputs"
	"partita/inputs/measured"
)

func TestServingEngine(t *testing.T) {
	for framework, want := range map[string]string{
		"vLLM 0.5.4": "vllm", "vllm": "vllm", "TensorRT-LLM 0.20 PyTorch": "trtllm", "trt": "trtllm", "NIM 1.8.0 (TensorRT-LLM)": "trtllm",
		"SGLang 0.4": "sglang", "DeepSpeed-FastGen": "", "": "",
	} {
		if got := servingEngine(framework); got != want {
			t.Errorf("%q is %q, want %q", framework, got, want)
		}
	}
	for _, c := range []struct {
		engine        string
		weights, want inputs.DType
	}{{"vllm", inputs.INT8, inputs.BF16}, {"vllm", inputs.BF16, ""}, {"vllm", inputs.FP4, ""}, {"trtllm", inputs.FP8, ""}, {"", inputs.FP8, ""}} {
		if got := cacheOf(c.engine, c.weights); got != c.want {
			t.Errorf("cache of %s beside %s: %q, want %q", c.engine, c.weights, got, c.want)
		}
	}
}

// vLLM's memory on one device: what it logs of its cache follows from weights, the step it
// is profiled with and the runtime.
func TestCacheOfVLLM(t *testing.T) {
	rows := []measured.Row{
		{Kind: "memory", Model: "Llama-3.1-8B", Precision: "BF16", GPU: "L40S", Notes: "max_model_len 32768 gmu default 0.9", Metric: "kv_cache_tokens", Value: 158656},
		{Kind: "memory", Model: "Llama-3.1-70B", Precision: "INT8", GPU: "H100-SXM-80GB", Notes: "gmu 0.98 max_model_len 2048", Metric: "kv_blocks_16", Value: 1381},
		{Kind: "memory", Model: "Mixtral-8x7B", Precision: "BF16", GPU: "A100-SXM-80GB", Notes: "gmu 0.95", TP: 2, Metric: "max_context_k_tokens", Value: 32},
	}
	for i := range rows {
		rows[i].Framework, rows[i].TP = "vLLM", max(1, rows[i].TP)
		rows[i].GPUs = rows[i].TP
	}
	for i, x := range predicted(t, rows...) {
		if off := x/rows[i].Value - 1; math.Abs(off) > 0.06 {
			t.Errorf("%s on %s: %s %g, measured %g", rows[i].Model, rows[i].GPU, rows[i].Metric, x, rows[i].Value)
		}
	}
}

// bloom is a row of BLOOM's sweep: 181 billion parameters on 384 A100 of 80 GB.
func bloom(micro, pp int, value float64) measured.Row {
	return measured.Row{
		Kind: "memory", Family: "bloom", Model: "BLOOM-sweep 181B", Shape: "L72 h14336 a64 s2048 V250k", Precision: "BF16", GPU: "A100-SXM-80GB", GPUs: 384, Nodes: 48,
		TP: 8, PP: pp, DP: 48 / pp, Sharding: "ZeRO-1", Recompute: "full", MicroBatch: micro, GlobalBatch: 2048, Input: 2048, Framework: "Megatron-DeepSpeed",
		Notes: "FP16-style grad accumulation (before BF16 optimizer)", Metric: "peak_mem_gb_per_gpu", Value: value,
	}
}

// Nothing was fitted to these: a pipeline with full recompute, ZeRO-3 with contexts split
// over GPUs, a distributed optimizer, one GPU.
func TestMemoryOfTraining(t *testing.T) {
	titan := measured.Row{
		Kind: "memory", Model: "Llama-3.1-8B", Precision: "FP8", GPU: "H100-96GB-HBM2e-500W", GPUs: 8, Nodes: 1, TP: 1, PP: 1, DP: 2, CP: 4,
		Sharding: "FSDP", Recompute: "full", MicroBatch: 1, GlobalBatch: 2, Input: 131072, Framework: "torchtitan", Metric: "peak_mem_gib_per_gpu", Value: 84,
	}
	nemo := measured.Row{
		Kind: "memory", Model: "Llama-3.1-8B", Precision: "BF16", GPU: "H100-SXM-80GB", GPUs: 8, Nodes: 1, TP: 1, PP: 1, DP: 4, CP: 2,
		MicroBatch: 1, GlobalBatch: 128, Input: 8192, Framework: "NeMo", Metric: "peak_mem_gb_per_gpu", Value: 70.83,
	}
	single := measured.Row{
		Kind: "memory", Model: "GPT2-XL 1.56B", Shape: "L48 h1600 a25 s1024", Precision: "BF16", GPU: "H100-SXM-80GB", GPUs: 1, TP: 1, PP: 1, DP: 1,
		MicroBatch: 1, GlobalBatch: 1, Input: 1024, Framework: "Megatron-LM", Metric: "nvidia_smi_mb", Value: 33321,
	}
	rows := []measured.Row{bloom(2, 12, 37), bloom(4, 12, 49), bloom(2, 6, 44), bloom(4, 6, 56), titan, nemo, single}
	for i, x := range predicted(t, rows...) {
		if off := x/rows[i].Value - 1; math.Abs(off) > 0.05 {
			t.Errorf("%s, PP %d, micro-batch %d: %g, measured %g", rows[i].Model, rows[i].PP, rows[i].MicroBatch, x, rows[i].Value)
		}
	}
	// How many micro-batches there are beyond those that fill the pipeline changes nothing.
	unsaid := bloom(2, 12, 37)
	unsaid.GlobalBatch = 0
	if x := predicted(t, bloom(2, 12, 37), unsaid); x[0] != x[1] {
		t.Errorf("%g with a global batch, %g without", x[0], x[1])
	}
}

// A run that ran counts in the confusion where its row says what memory hangs on.
func TestTrainingRunsInTheConfusion(t *testing.T) {
	time := bloom(8, 12, 100)
	time.Kind, time.Metric, time.Run = "training", "iteration_time_s", "time"
	much := bloom(64, 6, 75)
	much.Run = "much"
	silent := bloom(2, 6, 44)
	silent.Run, silent.Recompute, silent.MicroBatch = "silent", "", 0
	unsaid := bloom(2, 6, 44)
	unsaid.Run, unsaid.Recompute = "unsaid", ""
	v, err := Run(t.Context(), []measured.Row{time, much, silent, unsaid}, Options{Each: true})
	if err != nil {
		t.Fatal(err)
	}
	if m := v.Memory.Confusion; m.RanFits != 1 || m.RanOOM != 1 || m.OOMFits+m.OOMPredicted != 0 {
		t.Errorf("%+v", m)
	}
	if why := v.Each[2].Skipped; !strings.Contains(why, "micro-batch is not stated") {
		t.Errorf("%q", why)
	}
}
