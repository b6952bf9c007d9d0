package validate

import (
	"math"
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
	r := runOf(t, tp(2), load{input: at(1024), output: at(256), mode: closed, requests: 32})
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
	tpot, ttft := *all.Metrics.TPOTMS, *all.Metrics.TTFTMS
	rate := 32 / (ttft + 255*tpot) * 1e3 // requests a second, by Little's law
	for metric, want := range map[string]float64{
		"tpot_ms": tpot, "itl_ms_mean": tpot, "ttft_ms_median": ttft, "e2e_s_mean": (ttft + 255*tpot) / 1e3,
		"output_tok_s": 256 * rate, "total_tok_s": 1280 * rate, "total_tok_s_per_gpu": 640 * rate,
		"total_tok_s_per_node": 1280 * rate, "req_s": rate,
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
	r := runOf(t, tp(1), load{input: at(512), output: at(128), mode: static, requests: 16})
	whole := r.must(t, "e2e_batch_latency_s")
	if want := (r.must(t, "ttft_ms") + 127*r.must(t, "tpot_ms")) / 1e3; !near(whole, want) {
		t.Errorf("a request takes %g s, want %g", whole, want)
	}
	if got := r.must(t, "total_tok_s"); !near(got, 16*(512+128)/whole) {
		t.Errorf("%g tokens/s in %g s", got, whole)
	}
	served := runOf(t, tp(1), load{input: at(512), output: at(128), mode: closed, requests: 16})
	if a, b := r.must(t, "tpot_ms"), served.must(t, "tpot_ms"); a >= b {
		t.Errorf("a token takes %g ms, %g ms where prompts come in between", a, b)
	}
}

// As many requests as the engine takes: one more a replica would not fit.
func TestFullest(t *testing.T) {
	r := runOf(t, layout{2, 1, 1, 1, 1, 1, 1}, load{input: at(16384), output: at(2048), mode: most})
	n, bad, err := r.admitted(mostSequences * r.replicas)
	if err != nil || bad != nil || n%2 != 0 || n < 2 {
		t.Fatalf("%d requests, %v %v", n, bad, err)
	}
	for more, want := range map[int]bool{n: true, n + 2: false} {
		if p, err := r.price(step{inputs.Mixed, more, r.input, r.output}); err != nil || p.Fits != want {
			t.Errorf("%d requests fit: %t, %v", more, p.Fits, err)
		}
	}
	x, _, err := r.steady(n)
	if got := r.must(t, "output_tok_s"); err != nil || !near(got, 2048*x.rate) {
		t.Errorf("%g tokens/s, %v", got, err)
	}
	short := runOf(t, tp(8), load{input: at(1), output: at(16), mode: most})
	if n, _, _ := short.admitted(mostSequences); n != mostSequences {
		t.Errorf("%d short requests, want the engine's %d", n, mostSequences)
	}
}

// A client that keeps more requests in flight than memory holds has the others wait: the
// rate stays, and the first token comes later by what those before take.
func TestQueue(t *testing.T) {
	r := runOf(t, tp(1), load{input: at(16384), output: at(2048), mode: closed, requests: 1})
	n, _, err := r.admitted(1000)
	if err != nil || n < 2 || n > 500 {
		t.Fatal(n, err)
	}
	r.requests = n
	full := map[string]float64{"output_tok_s": r.must(t, "output_tok_s"), "tpot_ms": r.must(t, "tpot_ms"), "ttft_ms": r.must(t, "ttft_ms")}
	r.requests = n + 10
	for _, metric := range []string{"output_tok_s", "tpot_ms"} {
		if got := r.must(t, metric); !near(got, full[metric]) {
			t.Errorf("%s %g with ten more, %g", metric, got, full[metric])
		}
	}
	if got, want := r.must(t, "ttft_ms"), full["ttft_ms"]+10*2048/full["output_tok_s"]*1e3; !near(got, want) {
		t.Errorf("first token after %g ms, want %g", got, want)
	}
}

// Requests at a rate find as many in flight as come while they are there; more than are
// served have the first token wait without end.
func TestOpenLoop(t *testing.T) {
	r := runOf(t, tp(1), load{input: at(512), output: at(128), mode: byRate, rate: 4})
	e2e := r.must(t, "e2e_s_mean")
	found := int(math.Ceil(1 + 4*e2e)) // with itself
	x, _, err := r.steady(found)
	if err != nil || math.Abs(x.ttft+127*x.tpot-e2e) > 0.02*e2e {
		t.Errorf("%g s with %d in flight, %g s at the rate (%v)", x.ttft+127*x.tpot, found, e2e, err)
	}
	if got := r.must(t, "req_s"); got != 4 {
		t.Errorf("%g requests a second", got)
	}
	r.total = 100
	if got := r.must(t, "req_s"); !near(got, 100/(25+e2e)) {
		t.Errorf("%g requests a second of a hundred", got)
	}
	slow := r.must(t, "tpot_ms")
	if r.rate = 1e6; r.must(t, "tpot_ms") <= slow {
		t.Error("no slower under more load")
	}
	if _, bad, err := r.value(measures()["ttft_ms"]); err != nil || bad == nil || bad.why != overloaded {
		t.Errorf("%v %v", bad, err)
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
		{"ttft_ms", measured.Row{Input: 8, Output: 8, Concurrency: measured.Concurrency{Rate: true, PerSecond: 1}}, ""},
		{"ttft_ms", measured.Row{Input: 8, Output: 8, Concurrency: measured.Concurrency{Most: true}}, "waits in a queue"},
		{"prefill_ms", measured.Row{Input: 8}, noRequests},
		{"tpot_ms", measured.Row{Input: 8, Output: 8, Concurrency: measured.Concurrency{Requests: 1}, DP: 2}, "fewer requests than replicas"},
		{"tpot_ms", measured.Row{Input: 100000, Output: 8, Concurrency: measured.Concurrency{Requests: 900}, Notes: "static batch"}, notFitting},
		{"tpot_ms", measured.Row{Input: 100000, Output: 8, Concurrency: measured.Concurrency{Requests: 900}}, ""},
		{"total_tok_s_per_node", measured.Row{Input: 8, Output: 8, Concurrency: one}, "the number of nodes is not stated"},
		{"ttft_ms", measured.Row{Input: 8, Concurrency: one}, ""},
		{"prefill_ms", measured.Row{Input: 8, Concurrency: one}, ""},
		{"decode_ms_per_token", measured.Row{Input: 8, Concurrency: one}, ""},
		{"tpot_ms", measured.Row{Input: 8, Output: 8, Concurrency: one, Unseen: true}, "from memory"},
		{"ttft_ms_p99", measured.Row{}, "a percentile"},
		{"peak_mem_gb_per_gpu", measured.Row{Kind: "memory"}, "length of a sequence"},
		{"peak_mem_gb_per_gpu", measured.Row{Kind: "memory", Input: 8}, "micro-batch is not stated"},
		{"max_allocated_mb_rank2", measured.Row{Kind: "memory"}, "memory of one rank"},
		{"theoretical_activation_mb", measured.Row{Kind: "memory"}, "a formula"},
		{"non_torch_gib", measured.Row{Kind: "memory"}, "taken from this run"},
		{"tpot_ms", measured.Row{Kind: "training"}, "of training is not predicted"},
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
