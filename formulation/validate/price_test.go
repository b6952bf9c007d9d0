package validate

import (
	"strings"
	"testing"

	"partita/formulation"
	"partita/inputs"
	"partita/inputs/measured"
	"partita/inputs/read"
)

// runOf is a run of Llama-3.1-8B on H100s.
func runOf(t *testing.T, l layout, work load) *run {
	t.Helper()
	reader, err := read.NewReader("")
	if err != nil {
		t.Fatal(err)
	}
	d := deployment{accelerator: "H100-SXM-80GB", model: "Llama-3.1-8B", gpus: l.gpus(), nodes: 1, layout: l}
	return &run{newPricer(reader, d), work}
}

func (r *run) must(t *testing.T, metric string) float64 {
	t.Helper()
	x, bad, err := r.value(measures()[metric])
	if err != nil || bad != nil {
		t.Fatalf("%s: %v %v", metric, bad, err)
	}
	return x
}

func at(n int) inputs.Range { return inputs.Range{Min: n, Max: n} }

// The figures of a row are those of the same deployment stated as a condition.
func TestValuesAreThoseOfACondition(t *testing.T) {
	r := runOf(t, tp(2), load{at(1024), at(256), closed, 32})
	condition := func(batch string) *formulation.Prediction {
		c, err := read.Load(read.Options{Texts: []read.Text{{Name: "c.yaml", Data: []byte(`
cluster: {accelerator: H100-SXM-80GB, count: 2}
model: {catalog: Llama-3.1-8B}
workload: {phase: mixed, batch: ` + batch + `, input: 1024, output: 256}
goal: {objective: throughput}`)}}})
		if err != nil {
			t.Fatal(err)
		}
		p, err := formulation.Predict(c, &inputs.Strategy{TP: inputs.Degrees{2}, PP: 1})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	all, one := condition("32"), condition("1")
	tpot, ttft := *all.Metrics.TPOTMS, *one.Metrics.TTFTMS
	for metric, want := range map[string]float64{
		"tpot_ms": tpot, "itl_ms_mean": tpot, "ttft_ms_median": ttft, "e2e_s_mean": (ttft + 255*tpot) / 1e3,
		"output_tok_s": *all.Metrics.OutputTokensPerS, "total_tok_s": *all.Metrics.TokensPerS, "total_tok_s_per_gpu": *all.Metrics.TokensPerSPerGPU,
		"total_tok_s_per_node": *all.Metrics.TokensPerS, "req_s": *all.Metrics.OutputTokensPerS / 256,
		"weights_gib_per_gpu": float64(one.Weights) / (1 << 30),
	} {
		if got := r.must(t, metric); !near(got, want) {
			t.Errorf("%s: %g, want %g", metric, got, want)
		}
	}
}

// In a static batch nothing follows: prompts and decode steps take their time one after
// the other, and the rate is what comes out of the whole.
func TestStaticBatch(t *testing.T) {
	r := runOf(t, tp(1), load{at(512), at(128), static, 16})
	whole := r.must(t, "e2e_batch_latency_s")
	if want := (r.must(t, "ttft_ms") + 127*r.must(t, "tpot_ms")) / 1e3; !near(whole, want) {
		t.Errorf("a request takes %g s, want %g", whole, want)
	}
	if got := r.must(t, "total_tok_s"); !near(got, 16*(512+128)/whole) {
		t.Errorf("%g tokens/s in %g s", got, whole)
	}
	served := runOf(t, tp(1), load{at(512), at(128), closed, 16})
	if a, b := r.must(t, "tpot_ms"), served.must(t, "tpot_ms"); a >= b {
		t.Errorf("a token takes %g ms, %g ms where prompts come in between", a, b)
	}
}

// As many requests as the engine takes: one more a replica would not fit.
func TestFullest(t *testing.T) {
	r := runOf(t, layout{2, 1, 1, 1, 1, 1, 1}, load{at(16384), at(2048), most, 0})
	p, n, bad, err := r.serve()
	if err != nil || bad != nil || !p.Fits || n%2 != 0 || n < 2 {
		t.Fatalf("%d requests, %v %v", n, bad, err)
	}
	if more, err := r.price(step{inputs.Mixed, n + 2, r.input, r.output}); err != nil || more.Fits {
		t.Errorf("%d requests fit too, %v", n+2, err)
	}
	if got := r.must(t, "output_tok_s"); !near(got, *p.Metrics.OutputTokensPerS) {
		t.Errorf("%g tokens/s", got)
	}
	short := runOf(t, tp(8), load{at(1), at(16), most, 0})
	if _, n, _, _ := short.serve(); n != mostSequences {
		t.Errorf("%d short requests, want the engine's %d", n, mostSequences)
	}
}

func TestWhatIsMissing(t *testing.T) {
	one := measured.Concurrency{Requests: 1}
	for _, c := range []struct {
		metric string
		row    measured.Row
		want   string
	}{
		{"tpot_ms", measured.Row{Output: 8, Concurrency: one}, noInput},
		{"tpot_ms", measured.Row{Input: 8, Concurrency: one}, noOutput},
		{"tpot_ms", measured.Row{Input: 8, Output: 8}, noRequests},
		{"ttft_ms", measured.Row{Input: 8, Output: 8, Concurrency: measured.Concurrency{Rate: true}}, atRate},
		{"ttft_ms", measured.Row{Input: 8, Output: 8, Concurrency: measured.Concurrency{Most: true}}, "waits in a queue"},
		{"prefill_ms", measured.Row{Input: 8}, noRequests},
		{"tpot_ms", measured.Row{Input: 8, Output: 8, Concurrency: measured.Concurrency{Requests: 1}, DP: 2}, "fewer requests than replicas"},
		{"tpot_ms", measured.Row{Input: 100000, Output: 8, Concurrency: measured.Concurrency{Requests: 900}}, notFitting},
		{"total_tok_s_per_node", measured.Row{Input: 8, Output: 8, Concurrency: one}, "the number of nodes is not stated"},
		{"ttft_ms", measured.Row{Input: 8, Concurrency: one}, ""},
		{"prefill_ms", measured.Row{Input: 8, Concurrency: one}, ""},
		{"decode_ms_per_token", measured.Row{Input: 8, Concurrency: one}, ""},
		{"tpot_ms", measured.Row{Input: 8, Output: 8, Concurrency: one, Unseen: true}, "from memory"},
		{"ttft_ms_p99", measured.Row{}, "a percentile"},
		{"peak_mem_gb_per_gpu", measured.Row{Kind: "memory"}, "memory of training"},
		{"tpot_ms", measured.Row{Kind: "training"}, "no training mode"},
		{"alltoall_time_us", measured.Row{Kind: "microbench"}, "of a kernel or a link is not predicted"},
		{"allreduce_time_us", measured.Row{Kind: "microbench"}, "the size of the collective"},
		{"allreduce_time_us", measured.Row{Kind: "microbench", Shape: "payload=1MiB", Nodes: 2}, "the network of a collective"},
		{"max_matmul_tflops", measured.Row{Kind: "microbench"}, "the shape of the product"},
		{"max_matmul_tflops", measured.Row{Kind: "microbench", Shape: "MxNxK 1024x2048x4096"}, ""},
		{"happiness", measured.Row{}, "metric happiness is not predicted"},
	} {
		r := c.row
		r.Metric, r.Model, r.Precision, r.GPU, r.Value, r.TP = c.metric, "Llama-3.1-8B", "BF16", "H100", 1, 1
		r.GPUs = max(1, r.DP)
		v, err := Run(t.Context(), []measured.Row{r}, Options{Each: true})
		if err != nil {
			t.Fatalf("%s %+v: %v", c.metric, c.row, err)
		}
		got := v.Each[0].Skipped
		if !strings.Contains(got, c.want) || c.want == "" && got != "" || v.Scored+len(v.Skipped) != 1 {
			t.Errorf("%s %+v: %q, want %q", c.metric, c.row, got, c.want)
		}
	}
}
