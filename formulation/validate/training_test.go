package validate

import (
	"math"
	"os"
	"strings"
	"testing"

	"partita/inputs/measured"
)

// llama is a published run: Llama 3.1 70B in 16 bits on 64 H100 (NVIDIA dgxc-benchmarking).
func llama(metric string, value float64) measured.Row {
	return measured.Row{
		Kind: "training", Model: "Llama-3.1-70B pretrain", HuggingFace: "meta-llama/Llama-3.1-70B", Shape: "L80", Precision: "BF16",
		GPU: "H100-SXM-80GB", GPUs: 64, Nodes: 8, TP: 4, PP: 4, DP: 2, CP: 2, Virtual: 5, MicroBatch: 1, GlobalBatch: 128, Input: 8192,
		Framework: "NeMo", Metric: metric, Value: value,
	}
}

func with(r measured.Row, change func(*measured.Row)) measured.Row {
	change(&r)
	return r
}

// predicted prices rows; it fails where one has no prediction.
func predicted(t *testing.T, rows ...measured.Row) []float64 {
	t.Helper()
	bench, err := NewBench(rows)
	if err != nil {
		t.Fatal(err)
	}
	cases, err := bench.Price(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float64, len(cases))
	for i := range cases {
		if out[i] = cases[i].Predicted; out[i] <= 0 {
			t.Fatalf("row %d has no prediction", i)
		}
	}
	return out
}

// TestPublishedSteps: a run of each era is priced near what was measured.
func TestPublishedSteps(t *testing.T) {
	gpt := measured.Row{
		Kind: "training", Model: "GPT-175B", Shape: "L96 h12288 a96 s2048 V51200", Precision: "FP16 mixed", GPU: "A100-SXM-80GB",
		GPUs: 64, Nodes: 8, TP: 8, PP: 8, DP: 1, Virtual: 3, MicroBatch: 1, GlobalBatch: 64, Input: 2048, Framework: "Megatron-LM",
		Recompute: "selective + sequence parallel", Metric: "iteration_time_s", Value: 13.75,
	}
	foundry := measured.Row{
		Kind: "training", Model: "MPT-7b", Shape: "L32 h4096 a32 V50368", Precision: "BF16", GPU: "H100-SXM-80GB", GPUs: 128, Nodes: 16,
		TP: 1, PP: 1, DP: 128, CP: 1, Virtual: 1, Sharding: "FSDP FULL_SHARD", Recompute: "none", MicroBatch: 6, GlobalBatch: 768, Input: 2048,
		Framework: "llm-foundry (Composer/FSDP)", Metric: "tokens_per_s_per_gpu", Value: 10475,
	}
	rows := []measured.Row{llama("iteration_time_s", 14.66), gpt, foundry}
	for i, x := range predicted(t, rows...) {
		if off := x/rows[i].Value - 1; math.Abs(off) > 0.2 {
			t.Errorf("%s: %g, measured %g", rows[i].Model, x, rows[i].Value)
		}
	}
}

// TestMetricsOfARunAgree: rates and utilisation follow from the time of the step.
func TestMetricsOfARunAgree(t *testing.T) {
	full := func(r *measured.Row) { r.Recompute = "full" }
	x := predicted(t,
		llama("iteration_time_s", 1), llama("tokens_per_s_per_gpu", 1), llama("model_tflops_per_gpu", 1), llama("mfu_pct", 1), llama("hw_tflops_per_gpu", 1),
		with(llama("model_tflops_per_gpu", 1), full), with(llama("hw_tflops_per_gpu", 1), full),
		with(llama("model_tflops_per_gpu", 1), func(r *measured.Row) { r.Framework = "Megatron-Bridge" }),
	)
	near := func(what string, got, want float64) {
		if math.Abs(got/want-1) > 2e-3 { // sources print four digits or fewer
			t.Errorf("%s: %g, want %g", what, got, want)
		}
	}
	near("tokens", x[1], 128*8192/64/x[0])
	near("utilisation", x[3], 100*x[2]/989.4)
	near("nothing recomputed", x[4], x[2])
	// The source prints 54.32 % at 14.66 s: 537.4 TFLOP/s.
	near("FLOP", x[2]*x[0], 0.5432*989.4*14.66)
	// All but the head is computed once more: of 6 FLOP a parameter 8, of 12 L h s 16.
	head, attention := 6*128256.0*8192, 12.0*80*8192*8192
	all := x[2] * x[0] * 1e12 / (128.0 * 8192 / 64)
	near("recomputed", x[6]/x[5], 1+(all-head)/3/all)
	near("masked pairs left out", x[7]/x[2], 1-attention/2/all)
}

// TestOpenVirtualStages: what a row does not say is the best of what it may mean.
func TestOpenVirtualStages(t *testing.T) {
	open := func(v int) measured.Row {
		return with(llama("iteration_time_s", 1), func(r *measured.Row) { r.Virtual = v })
	}
	x := predicted(t, open(0), open(1), open(2), open(4), open(5), open(10), open(20))
	best := x[1]
	for _, y := range x[2:] {
		best = math.Min(best, y)
	}
	if x[0] > best*(1+1e-12) {
		t.Errorf("open %g s, stated %v", x[0], x[1:])
	}
	deep := predicted(t, with(open(0), func(r *measured.Row) { r.Framework = "Megatron-DeepSpeed" }), with(open(1), func(r *measured.Row) { r.Framework = "Megatron-DeepSpeed" }))
	if deep[0] != deep[1] {
		t.Errorf("DeepSpeed's pipelines have one stage a rank: %v", deep)
	}
}

// TestEnginesOfRuns: what an engine lacks makes steps longer, packing examples shorter, and
// half of the layers recomputed lies between none and all.
func TestEnginesOfRuns(t *testing.T) {
	titan := func(recompute, notes string) measured.Row {
		return measured.Row{
			Kind: "training", Model: "Llama-3.1-8B", HuggingFace: "meta-llama/Llama-3.1-8B", Precision: "BF16", GPU: "H100-SXM-80GB", GPUs: 8, Nodes: 1,
			TP: 1, PP: 1, DP: 8, CP: 1, Sharding: "FSDP", Recompute: recompute, MicroBatch: 2, GlobalBatch: 16, Input: 8192,
			Framework: "torchtitan", Metric: "iteration_time_s", Value: 1, Notes: notes,
		}
	}
	x := predicted(t, titan("none", "torch.compile"), titan("selective AC", "torch.compile"), titan("full", "torch.compile"), titan("none", "eager"))
	if math.Abs(x[1]-(x[0]+x[2])/2) > 1e-9 || x[2] <= x[0] {
		t.Errorf("none %g, half %g, all %g s", x[0], x[1], x[2])
	}
	if x[3] <= x[0] {
		t.Errorf("eager %g s, compiled %g s", x[3], x[0])
	}
	y := predicted(t, llama("iteration_time_s", 1), with(llama("iteration_time_s", 1), func(r *measured.Row) { r.Model = "Llama3-70B SFT" }))
	if y[1] >= y[0] {
		t.Errorf("packed examples %g s, whole sequences %g s", y[1], y[0])
	}
}

// TestAdapters: the word, not the letters.
func TestAdapters(t *testing.T) {
	for text, want := range map[string]bool{"LoRA": true, "Llama3-8B_lora": true, "qlora, rank 8": true, "LLAMA3_70B lora": true, "exploration": false, "Colorado": false, "": false} {
		if adapters.MatchString(text) != want {
			t.Errorf("%q: %t", text, !want)
		}
	}
}

// TestRunsThatAreLeftOut have a reason.
func TestRunsThatAreLeftOut(t *testing.T) {
	rows := []measured.Row{
		with(llama("iteration_time_s", 1), func(r *measured.Row) { r.Model = "Llama3-70B LoRA" }),
		llama("gpu_hours_total", 1),
		with(llama("mfu_pct", 1), func(r *measured.Row) { r.TP, r.PP, r.DP, r.CP = 0, 0, 0, 0 }),
		with(llama("mfu_pct", 1), func(r *measured.Row) { r.GlobalBatch = 127 }),
		with(llama("mfu_pct", 1), func(r *measured.Row) { r.Unseen = true }),
		with(llama("mfu_pct", 1), func(r *measured.Row) { r.GlobalBatch = 0 }),
		with(llama("mfu_pct", 1), func(r *measured.Row) { r.Input = 0 }),
		with(llama("mfu_pct", 1), func(r *measured.Row) { r.Nodes = 7 }),
		with(llama("mfu_pct", 1), func(r *measured.Row) { r.Notes = "rank 16 QLoRA" }),
	}
	bench, err := NewBench(rows)
	if err != nil {
		t.Fatal(err)
	}
	found, err := bench.price(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"adapters", "gpu_hours_total of training", "layout is not stated", "127 does not divide", "from memory", "global batch is not stated", "length of a sequence is not stated", "do not divide over the nodes", "adapters"} {
		if !strings.Contains(found[i].why, want) {
			t.Errorf("%s: %q, want %q", rows[i].Metric, found[i].why, want)
		}
	}
}

// TestChoicesOfTraining: micro-batches and sharding are options of one question, whatever
// the framework; another global batch is another question.
func TestChoicesOfTraining(t *testing.T) {
	option := func(value float64, change func(*measured.Row)) measured.Row {
		r := llama("iteration_time_s", value)
		r.Group, r.Family = "g", "f"
		change(&r)
		return r
	}
	rows := []measured.Row{
		option(14.7, func(*measured.Row) {}),
		option(14.6, func(*measured.Row) {}), // the same layout once more
		option(30, func(r *measured.Row) { r.Virtual = 1 }),
		option(60, func(r *measured.Row) {
			r.TP, r.PP, r.CP, r.DP, r.Virtual, r.Sharding, r.Recompute, r.Framework = 1, 1, 1, 64, 1, "FSDP", "full", "torchtitan"
		}),
		option(28, func(r *measured.Row) { r.GlobalBatch = 256 }),
	}
	v, err := Run(t.Context(), rows, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Choice) != 1 || v.Choice[0].Groups != 1 || v.Choice[0].NoAnswer != 0 || v.Choice[0].Top1 != 1 {
		t.Errorf("%+v", v.Choice)
	}
}

// TestNotesReachEverySite: what a published table is known for can be said of any other, and
// the name of a family changes nothing.
func TestNotesReachEverySite(t *testing.T) {
	bloom := measured.Row{
		Kind: "training", Model: "BLOOM-sweep 182B", Shape: "L72 h14336 a64 s2048 V250k", Precision: "BF16", GPU: "A100-SXM-80GB", GPUs: 384, Nodes: 48,
		TP: 8, PP: 12, DP: 4, CP: 1, Sharding: "ZeRO-1", Recompute: "full", MicroBatch: 1, GlobalBatch: 2048, Input: 2048,
		Framework: "Megatron-DeepSpeed", Metric: "iteration_time_s", Value: 100,
	}
	layer := measured.Row{
		Kind: "training", Model: "GPT-22B (one layer)", Shape: "L1 h6144 a64 s2048 V51200", Precision: "FP16 mixed", GPU: "A100-SXM-80GB", GPUs: 8, Nodes: 1,
		TP: 8, PP: 1, DP: 1, CP: 1, MicroBatch: 4, Input: 2048, Framework: "Megatron-LM", Metric: "layer_bwd_ms", Value: 10,
	}
	for _, c := range []struct {
		row            measured.Row
		family, source string
		notes          string
		longer         bool
	}{
		{bloom, "bloom", "github.com/bigscience-workshop/bigscience@9e64edec:chronicles-prequel.md", "NVLink joins four GPUs", true},
		{layer, "korthikanti-layer", "arXiv 2205.05198 Table 4", "Backward overlap", false},
	} {
		x := predicted(t, c.row,
			with(c.row, func(r *measured.Row) { r.Family = c.family }),
			with(c.row, func(r *measured.Row) { r.Source = c.source }),
			with(c.row, func(r *measured.Row) { r.Notes = c.notes }))
		if x[1] != x[0] {
			t.Errorf("%s: the family's name makes %g of %g", c.family, x[1], x[0])
		}
		if x[2] != x[3] || x[2] == x[0] || x[2] > x[0] != c.longer {
			t.Errorf("%s: %g plain, %g by its source, %g by its notes", c.family, x[0], x[2], x[3])
		}
	}
}

// TestWordsAreDocumented: every word in notes that changes a prediction is on the page for
// users, and every source that stands for one on the page of figures.
func TestWordsAreDocumented(t *testing.T) {
	page := func(name string) string {
		text, err := os.ReadFile("../../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return strings.ToLower(string(text))
	}
	words, sources := page("validate.md"), page("validation.md")
	for _, w := range []string{attentionDP, staticBatch, byItself, noEnd, mostTokens, shorter, halfGradient, asyncTP, "lora", boardsOfFour, hidesBackward, "eager", "1f1b", "sft"} {
		if !strings.Contains(words, "`"+w) {
			t.Errorf("docs/validate.md does not tell of %q", w)
		}
	}
	for _, source := range []string{"bigscience-workshop/bigscience", "arXiv 2205.05198"} {
		w := sourceWords(&measured.Row{Source: source})
		if row := "| " + strings.ToLower(source); w == "" || !strings.Contains(sources, row) || !strings.Contains(sources, "`"+w+"`") {
			t.Errorf("docs/validation.md does not tell that %s stands for %q", source, w)
		}
	}
}
