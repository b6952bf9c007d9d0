package calibrate

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"partita/inputs"
	"partita/inputs/kernels"
	"partita/inputs/profile"
)

// planted is a profile that differs from the built-in one in what is stated.
func planted(t testing.TB, values map[string]float64) *inputs.Profile {
	t.Helper()
	p, err := profile.With(profile.Of("hopper"), values, "planted")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// slow is a device whose products reach less than is built in.
func slow(t testing.TB) *inputs.Profile {
	return planted(t, map[string]float64{"operators.gemm16.floor": 8e-6, "operators.gemm16.compute": 0.5, "operators.gemm16.bandwidth": 0.6})
}

// What the data cannot tell is refused, with the reason, and the built-in value stays.
func TestRefusals(t *testing.T) {
	a := device100(t)
	all := timed(t, &a, slow(t), grid("operators.gemm16"), 0.02, 0, 5)
	keep := func(ok func(s *kernels.Sample) bool) []kernels.Sample {
		var out []kernels.Sample
		for i := range all {
			if ok(&all[i]) {
				out = append(out, all[i])
			}
		}
		return out
	}
	scale := func(factor float64) []kernels.Sample {
		out := append([]kernels.Sample(nil), all...)
		for i := range out {
			out[i].Seconds *= factor
		}
		return out
	}
	const floor, compute, bandwidth = "operators.gemm16.floor", "operators.gemm16.compute", "operators.gemm16.bandwidth"
	for _, c := range []struct {
		name    string
		samples []kernels.Sample
		whole   string            // why the law is refused
		single  map[string]string // why constants are
		fitted  []string
	}{
		{name: "few shapes", samples: all[:5], whole: "too few shapes: 5, where at least 8 are needed"},
		{name: "one shape many times", samples: repeated(all[0], 40), whole: "too few shapes: 1, where"},
		{name: "small batches", samples: keep(func(s *kernels.Sample) bool { return s.M <= 16 }),
			single: map[string]string{compute: "too few rows are bound by compute"}, fitted: []string{floor, bandwidth}},
		{name: "large products", samples: keep(func(s *kernels.Sample) bool { return s.M >= 1024 && s.N >= 4096 }),
			single: map[string]string{floor: "too few rows are short enough for it to count", bandwidth: "too few rows are bound by memory bandwidth"}, fitted: []string{compute}},
		{name: "one size of weights", samples: alike(t, &a),
			whole:  "the times tell none of the constants",
			single: map[string]string{floor: "too little to tell it from bandwidth", bandwidth: "too little to tell it from floor"}},
		{name: "milliseconds for microseconds", samples: scale(1e-3), whole: "times are impossible"},
		{name: "every fifth a third of the least", samples: fifth(t, &a, all), whole: "8 of 40 times are impossible: less than half of what the datasheet's peaks take, the middle one of them 1/3."},
		{name: "microseconds for milliseconds", samples: scale(1e3), whole: "times those of the built-in constants, in the middle. Are they in the unit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			law := oneLaw(t, run1(t, c.samples), "operators.gemm16")
			if c.whole == "" && law.Refused != "" || !strings.Contains(law.Refused, c.whole) {
				t.Errorf("refused %q, want %q", law.Refused, c.whole)
			}
			fitted := map[string]bool{}
			for _, k := range law.Constants {
				fitted[k.Path] = k.Fitted != nil
				if c.whole != "" && k.Fitted != nil {
					t.Errorf("%s is fitted", k.Path)
				}
				if want := c.single[k.Path]; want != "" && (k.Fitted != nil || !strings.Contains(k.Refused, want)) {
					t.Errorf("%s: %v %q, want %q", k.Path, k.Fitted, k.Refused, want)
				}
			}
			for _, path := range c.fitted {
				if !fitted[path] {
					t.Errorf("%s is not fitted: %+v", path, law.Constants)
				}
			}
		})
	}
}

// What predicts shapes that it did not see no better than the built-in constants is not
// taken: of a few noisy shapes that the built-in constants made, now and then.
func TestNoBetterThanBuiltIn(t *testing.T) {
	a := device100(t)
	refused := 0
	for seed := range uint64(20) {
		samples := timed(t, &a, profile.Of("hopper"), grid("operators.stream"), 0.1, 0, seed)
		law := oneLaw(t, run1(t, samples), "operators.stream")
		if worse := law.HeldOut.MedianPct >= law.BuiltIn.MedianPct; worse != (law.Refused != "") {
			t.Errorf("seed %d: refused %q at %+v, built in %+v", seed, law.Refused, *law.HeldOut, law.BuiltIn)
		}
		if law.Refused == "" {
			continue
		}
		refused++
		if !strings.Contains(law.Refused, "on held-out shapes the error is") || law.Constants[0].Fitted != nil {
			t.Errorf("seed %d: %+v", seed, law)
		}
	}
	if refused == 0 {
		t.Error("no fit was worse than what made the rows")
	}
}

// A constant that one operator of a model alone tells is not known to those that predict it:
// held-out errors begin at the built-in values, not at a fit that has seen what is held out.
func TestHeldOutHasNotSeen(t *testing.T) {
	a := device100(t)
	var all []kernels.Sample
	for _, nk := range [][2]int{{256, 512}, {512, 1024}, {1024, 1024}, {2048, 1024}, {4096, 4096}, {6144, 4096}, {4096, 14336}} {
		for _, m := range []int{1, 2, 4, 8} {
			all = append(all, kernels.Sample{Op: kernels.Matmul, Compute: inputs.BF16, Weight: inputs.BF16, M: m, N: nk[0], K: nk[1]})
		}
	}
	for m := 4096; m <= 65536; m *= 2 {
		all = append(all, kernels.Sample{Op: kernels.Matmul, Compute: inputs.BF16, Weight: inputs.BF16, M: m, N: 8192, K: 8192})
	}
	const share = 0.4
	made := planted(t, map[string]float64{"operators.gemm16.floor": 8e-6, "operators.gemm16.compute": share, "operators.gemm16.bandwidth": 0.6})
	law := oneLaw(t, run1(t, timed(t, &a, made, all, 0.02, 0, 5)), "operators.gemm16")
	c := law.Constants[1]
	if c.Fitted == nil || math.Abs(math.Log(*c.Fitted/share)) > 0.05 {
		t.Fatalf("%+v", c)
	}
	if unseen := 100 * (1 - share/c.BuiltIn); law.InSample.P90Pct > 5 || law.HeldOut.P90Pct < 0.9*unseen {
		t.Errorf("errors %+v in sample, %+v held out; of rows whose constant nothing else tells it is %.0f %%", *law.InSample, *law.HeldOut, unseen)
	}
}

func repeated(s kernels.Sample, n int) []kernels.Sample {
	out := make([]kernels.Sample, n)
	for i := range out {
		out[i] = s
		out[i].Place.Line += i
	}
	return out
}

// fifth are samples of which every fifth takes a third of what the datasheet allows.
func fifth(t testing.TB, a *inputs.Accelerator, all []kernels.Sample) []kernels.Sample {
	least, err := prices(a, ideal(profile.Of("hopper")))
	if err != nil {
		t.Fatal(err)
	}
	out := append([]kernels.Sample(nil), all...)
	for i := 0; i < len(out); i += 5 {
		out[i].Seconds = least(&out[i]) / 3
	}
	return out
}

// alike are products of nearly one size that are bound by memory.
func alike(t testing.TB, a *inputs.Accelerator) []kernels.Sample {
	var out []kernels.Sample
	for n := 4096; n < 4096+64*16; n += 64 {
		out = append(out, kernels.Sample{Op: kernels.Matmul, Compute: inputs.BF16, Weight: inputs.BF16, M: 1, N: n, K: 1024})
	}
	return timed(t, a, slow(t), out, 0.01, 0, 8)
}

// A few impossible rows are left out and counted; what is left is fitted as without them.
func TestImpossibleRowsAreLeftOut(t *testing.T) {
	a := device100(t)
	samples := timed(t, &a, slow(t), grid("operators.gemm16"), 0.02, 0, 5)
	clean := oneLaw(t, run1(t, samples), "operators.gemm16")
	wrong := samples[len(samples)-1]
	wrong.Seconds /= 1000
	law := oneLaw(t, run1(t, append(samples, wrong)), "operators.gemm16")
	if law.Impossible != 1 || law.Rows != len(samples)+1 || *law.Constants[1].Fitted != *clean.Constants[1].Fitted {
		t.Errorf("%+v", law)
	}
}

// Rows that no constant is for are counted under their reason.
func TestRowsOfNoLaw(t *testing.T) {
	ampere, _ := library(t).Accelerator("A100-SXM-80GB")
	h100 := device100(t)
	one := func(a inputs.Accelerator, s kernels.Sample) kernels.Sample {
		s.Device, s.Seconds = a.Name, 1
		return s
	}
	c := run1(t, []kernels.Sample{
		one(ampere, kernels.Sample{Op: kernels.Matmul, Compute: inputs.FP8, Weight: inputs.FP8, M: 1, N: 1, K: 1}),
		one(h100, kernels.Sample{Op: kernels.PrefillAttention, Compute: inputs.FP8, KV: inputs.FP8, Batch: 1, New: 8, Heads: 1, KVHeads: 1, HeadDim: 64}),
		one(h100, kernels.Sample{Op: kernels.DecodeLatent, Compute: inputs.FP8, KV: inputs.FP8, Batch: 1, New: 1, Context: 8192, Heads: 128, KVHeads: 1}), // products take longer than the cache
		one(h100, kernels.Sample{Op: kernels.Matmul, Compute: inputs.BF16, Weight: inputs.INT8, M: 1, N: 1, K: 1}),
		one(h100, kernels.Sample{Op: kernels.Experts, Compute: inputs.FP8, Weight: inputs.FP4, Tokens: 1, Hidden: 1, Width: 1, Experts: 1, TopK: 1, EP: 1, ETP: 1}),
		one(h100, kernels.Sample{Op: kernels.AllReduce, Compute: inputs.BF16, GPUs: 16, Nodes: 2, Bytes: 1}),
	})
	for i, want := range []string{
		"attention is priced at its 16-bit rate, not in fp8", "A100-SXM-80GB does not compute in fp8", "collectives across nodes: the rate of their network is not in the table",
		"fp4 weights multiplied in fp8: plans for H100-SXM-80GB multiply them in bf16", "int8 weights multiplied in bf16: plans for H100-SXM-80GB multiply them in int8",
	} {
		rows := 1
		if strings.Contains(want, "attention") {
			rows = 2
		}
		if len(c.Skipped) != 5 || c.Skipped[i].Reason != want || c.Skipped[i].Rows != rows {
			t.Errorf("%d: %+v, want %q", i, c.Skipped, want)
		}
	}
	if len(c.Devices) != 0 || c.Fitted() {
		t.Errorf("%+v", c.Devices)
	}
}

// Decode attention in 8 bits tells what reading its cache reaches, where products would be
// behind it in 16 bits too.
func TestDecodeInEightBitsTellsBandwidth(t *testing.T) {
	a := device100(t)
	var narrow []kernels.Sample
	for _, s := range grid("operators.decode") {
		if s.Op == kernels.DecodeAttention {
			s.Compute, s.KV = inputs.FP8, inputs.FP8
			narrow = append(narrow, s)
		}
	}
	p := planted(t, map[string]float64{"operators.decode.floor": 9e-6, "operators.decode.bandwidth": 0.6})
	c := run1(t, timed(t, &a, p, narrow, 0.02, 0, 2))
	law := oneLaw(t, c, "operators.decode")
	for _, k := range law.Constants {
		if want, _ := profile.Value(p, k.Path); k.Path != "operators.decode.compute" && (k.Fitted == nil || math.Abs(math.Log(*k.Fitted/want)) > 0.04) {
			t.Errorf("%s: %+v, planted %g", k.Path, k, want)
		}
	}
	if law.Rows != len(narrow) {
		t.Errorf("%d of %d rows, skipped %+v", law.Rows, len(narrow), c.Skipped)
	}
}

// Engines whose kernels were timed are named, each once; a library's are of none.
func TestFrameworksAreNamed(t *testing.T) {
	a := device100(t)
	samples := timed(t, &a, slow(t), grid("operators.gemm16"), 0.02, 0, 5)
	for i := range samples {
		samples[i].Framework = []string{"vllm", "sglang", ""}[i%3]
	}
	if law := oneLaw(t, run1(t, samples), "operators.gemm16"); !slices.Equal(law.Frameworks, []string{"sglang", "vllm"}) {
		t.Errorf("%v", law.Frameworks)
	}
}

// Devices that are not known are told once each, at their first row.
func TestUnknownDevices(t *testing.T) {
	table := &kernels.Table{File: "t.csv", Samples: []kernels.Sample{
		{Op: kernels.Matmul, Device: "H1000", Place: inputs.Place{File: "t.csv", Line: 2}}, {Op: kernels.Matmul, Device: "H1000", Place: inputs.Place{File: "t.csv", Line: 3}},
		{Op: kernels.Matmul, Place: inputs.Place{File: "t.csv", Line: 4}},
	}}
	_, err := Run([]*kernels.Table{table}, Options{Catalog: library(t)})
	var problems inputs.Diagnostics
	if !errors.As(err, &problems) || len(problems) != 2 || problems[0].Place.Line != 2 || problems[1].Place.Line != 4 {
		t.Fatal(err)
	}
	if !strings.Contains(err.Error(), `t.csv:2: device "H1000" is not known`) || !strings.Contains(err.Error(), "t.csv:4: the table names no device") {
		t.Error(err)
	}
}

// All-reduces of an engine and of a library are fitted together: those of the library have
// no one-step form.
func TestLibraryHasNoOneStep(t *testing.T) {
	a := device100(t)
	var own []kernels.Sample
	for _, s := range grid("links.nvlink") {
		if s.Op == kernels.AllReduce {
			own = append(own, s)
			s.Library = true
			own = append(own, s)
		}
	}
	p := planted(t, map[string]float64{"links.nvlink.one_shot_latency_2": 5e-6, "links.nvlink.one_shot_latency_8": 8e-6, "links.nvlink.ring_latency_8": 40e-6})
	law := oneLaw(t, run1(t, timed(t, &a, p, own, 0.02, 0, 1)), "links.nvlink")
	for _, k := range law.Constants {
		if want, _ := profile.Value(p, k.Path); strings.Contains(k.Path, "latency_8") && (k.Fitted == nil || *k.Fitted < 0.93*want || *k.Fitted > 1.07*want) {
			t.Errorf("%s: %+v, planted %g", k.Path, k, want)
		}
	}
}
