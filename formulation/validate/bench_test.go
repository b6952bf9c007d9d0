package validate

import (
	"math"
	"testing"

	"partita/inputs"
	"partita/inputs/measured"
	"partita/inputs/profile"
)

// Two rows of one deployment in two families, one of a link, and one that has no price.
func benchRows() []measured.Row {
	served := measured.Row{
		Model: "Llama-3.1-8B", Precision: "BF16", GPU: "H100", GPUs: 1, TP: 1, Input: 512, Output: 128,
		Concurrency: measured.Concurrency{Requests: 8}, Metric: "tpot_ms", Value: 10, Family: "first",
	}
	other, most := served, served
	other.Family = "second"
	most.Concurrency, most.Metric = measured.Concurrency{Most: true}, "output_tok_s"
	link := measured.Row{Kind: "microbench", GPU: "H100", GPUs: 8, Nodes: 1, Shape: "payload=16MiB", Metric: "allreduce_time_us", Value: 124, Family: "first"}
	lost := served
	lost.Model = "no such model"
	return []measured.Row{served, other, most, link, lost}
}

func priceWith(t *testing.T, b *Bench, c Constants) []Case {
	t.Helper()
	cases, err := b.Price(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// A bench that was priced with other constants before gives what a new one does, and what
// Run gives.
func TestBenchForgetsOtherConstants(t *testing.T) {
	rows := benchRows()
	v, err := Run(t.Context(), rows, Options{Each: true})
	if err != nil {
		t.Fatal(err)
	}
	slow, err := profile.With(profile.Of("hopper"), map[string]float64{"operators.gemm16.bandwidth": 0.43, "operators.decode.bandwidth": 0.44, "links.nvlink.ring_share_8": 0.3}, "a test")
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewBench(rows)
	if err != nil {
		t.Fatal(err)
	}
	slowed := priceWith(t, b, func(_, family string) *inputs.Profile {
		if family == "second" {
			return nil
		}
		return slow
	})
	again := priceWith(t, b, nil)
	for i, c := range again {
		want := 0.0
		if p := v.Each[i].Predicted; p != nil {
			want = *p
		}
		if c.Predicted != want {
			t.Errorf("row %d: %g, Run gives %g", i, c.Predicted, want)
		}
	}
	// Half the bandwidth: the time of a step that reads weights nearly doubles; rates fall.
	for i, want := range []func(x float64) bool{
		func(x float64) bool { return x > 1.4 && x < 2 },
		func(x float64) bool { return x == 1 },
		func(x float64) bool { return x < 0.95 },
		func(x float64) bool { return x > 1.2 },
		math.IsNaN,
	} {
		if ratio := slowed[i].Predicted / again[i].Predicted; !want(ratio) {
			t.Errorf("row %d is %g times what it was", i, ratio)
		}
	}
}

// A rate that the constants in use serve and those fitted without the family do not: what
// the first predict has seen the measurement, and is no evidence.
func TestNoPriceWithoutTheFamilyIsNoEvidence(t *testing.T) {
	served := benchRows()[2]
	served.Metric, served.Run = "req_s", "r"
	for _, served.Family = range []string{"trtllm-online", "trtllm-0.20", "nim"} {
		b, err := NewBench([]measured.Row{served})
		if err != nil {
			t.Fatal(err)
		}
		with, without := priceWith(t, b, nil)[0].Predicted, priceWith(t, b, Unseen)[0].Predicted
		if without >= with {
			continue
		}
		r := served
		r.Metric, r.Value, r.Concurrency, r.Group = "ttft_ms", 1000, measured.Concurrency{Rate: true, PerSecond: math.Sqrt(with * without)}, "g"
		rows := []measured.Row{r}
		if b, err = NewBench(rows); err != nil {
			t.Fatal(err)
		}
		if x := priceWith(t, b, nil)[0].Predicted; x <= 0 {
			t.Fatalf("%s: no price by the constants in use", r.Family)
		}
		found, err := b.both(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if all := evidentRows(b.lib.Catalog, rows, found); len(all) != 0 {
			t.Errorf("%s is evidence: %+v", r.Family, all)
		}
		v, err := Run(t.Context(), rows, Options{Each: true})
		if err != nil {
			t.Fatal(err)
		}
		if v.Scored != 0 || v.Each[0].Predicted != nil || v.Each[0].Skipped != withoutFamily+overloaded {
			t.Errorf("%s: %d scored, %+v", r.Family, v.Scored, v.Each[0])
		}
		return
	}
	t.Error("no family whose left-out constants serve less")
}

// Where the constants without the family let nothing run, their question has no answer.
func TestNoPriceWithoutTheFamilyIsNoAnswer(t *testing.T) {
	seen := outcome{predicted: 10}
	seen.hold(&outcome{predicted: 9})
	if seen.heldOut != 9 || seen.why != "" {
		t.Errorf("%+v", seen)
	}
	lost := outcome{predicted: 10}
	lost.hold(&outcome{failed: failed{why: notFitting, unfit: true}})
	if lost.unseen() != 0 || !lost.unfit || lost.why != withoutFamily+notFitting {
		t.Errorf("%+v", lost)
	}
	own := outcome{failed: failed{why: noInput}}
	own.hold(&outcome{failed: failed{why: noInput}})
	if own.why != noInput || own.unseen() != 0 {
		t.Errorf("%+v", own)
	}
}

func TestBenchPricesWhatIsAsked(t *testing.T) {
	b, err := NewBench(benchRows())
	if err != nil {
		t.Fatal(err)
	}
	cases, err := b.Price(t.Context(), nil, func(r *measured.Row) bool { return r.Family == "second" })
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		if (c.Predicted > 0) != (i == 1) {
			t.Errorf("row %d: %g", i, c.Predicted)
		}
	}
	for i, want := range []string{"hopper", "hopper", "hopper", "hopper", ""} {
		if cases[i].Generation != want {
			t.Errorf("row %d is of %q, want %q", i, cases[i].Generation, want)
		}
	}
}

// An all-reduce of NCCL and a product, by hand.
func TestKernelsAndLinksByHand(t *testing.T) {
	rows := []measured.Row{
		{Kind: "microbench", GPU: "H100", GPUs: 8, Shape: "payload=1KiB", Metric: "allreduce_time_us", Value: 17},
		{Kind: "microbench", GPU: "H100", GPUs: 8, Shape: "payload=1GiB", Metric: "allreduce_busbw_gbs", Value: 466},
		{Kind: "microbench", GPU: "H100", GPUs: 1, Precision: "BF16", Shape: "MxNxK 8192x8192x8192", Metric: "max_matmul_tflops", Value: 700},
	}
	links, gemm := &profile.Of("hopper").Links.NVLink, &profile.Of("hopper").Operators.GEMM16
	const gib = 1 << 30
	flops := 2.0 * 8192 * 8192 * 8192
	want := []float64{
		1e6 * (links.RingLatency8 + 1.75*1024/(links.RingShare8*450e9)),
		1e-9 * 1.75 * gib / (links.SwitchLatency + gib/(links.SwitchShare*450e9)),
		1e-12 * flops / (gemm.Floor + flops/(gemm.Compute*989.4e12)),
	}
	v, err := Run(t.Context(), rows, Options{Each: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range v.Each {
		if r.Predicted == nil || math.Abs(*r.Predicted/want[i]-1) > 1e-9 {
			t.Errorf("%s: %v (%s), want %g", r.Metric, r.Predicted, r.Skipped, want[i])
		}
	}
}
