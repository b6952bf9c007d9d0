package calibrate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/inputs/catalog"
	"partita/inputs/kernels"
	"partita/inputs/profile"
	"partita/results"
)

func library(t testing.TB) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// grid are samples without times, of the operators below a path.
func grid(path string) []kernels.Sample {
	var out []kernels.Sample
	add := func(s kernels.Sample) { out = append(out, s) }
	sizes := []int{1, 16, 128, 1024, 8192}
	switch path {
	case "operators.gemm16", "operators.gemm8", "operators.gemm4":
		format, weight := inputs.BF16, inputs.BF16
		switch path {
		case "operators.gemm8":
			format, weight = inputs.FP8, inputs.FP8
		case "operators.gemm4": // unpacked inside a product of 16 bits
			weight = inputs.INT4
		}
		for _, m := range sizes {
			for _, nk := range [][2]int{{256, 512}, {512, 1024}, {1024, 1024}, {4096, 4096}, {6144, 4096}, {4096, 14336}, {28672, 8192}, {8192, 28672}} {
				add(kernels.Sample{Op: kernels.Matmul, Compute: format, Weight: weight, M: m, N: nk[0], K: nk[1]})
			}
		}
	case "operators.prefill":
		for _, heads := range []int{8, 16, 32, 64} {
			for _, b := range []int{1, 4, 16} {
				for _, n := range []int{16, 512, 2048, 8192} {
					add(kernels.Sample{Op: kernels.PrefillAttention, Compute: inputs.BF16, KV: inputs.BF16, Batch: b, New: n, Heads: heads, KVHeads: 8, HeadDim: 128})
				}
			}
			// Few new tokens behind many: their cache is what takes the time.
			for _, b := range []int{16, 64, 256} {
				add(kernels.Sample{Op: kernels.PrefillAttention, Compute: inputs.BF16, KV: inputs.BF16, Batch: b, New: 4, Context: 16384, Heads: 8, KVHeads: heads, HeadDim: 128})
			}
		}
	case "operators.decode":
		for _, heads := range []int{8, 16, 32, 64} {
			for _, b := range []int{1, 16, 128} {
				for _, context := range []int{128, 2048, 16384} {
					add(kernels.Sample{Op: kernels.DecodeAttention, Compute: inputs.BF16, KV: inputs.BF16, Batch: b, New: 1, Context: context, Heads: heads, KVHeads: 8, HeadDim: 128})
					add(kernels.Sample{Op: kernels.DecodeLatent, Compute: inputs.BF16, KV: inputs.FP8, Batch: b, New: 1, Context: context, Heads: 8 * heads, KVHeads: 1})
				}
			}
		}
	case "operators.stream":
		for b := 1e3; b < 1e10; b *= 3 {
			add(kernels.Sample{Op: kernels.Stream, Compute: inputs.BF16, Bytes: math.Round(b)})
		}
	case "operators.experts":
		for _, tokens := range []int{1, 8, 64, 1024, 16384} {
			for _, width := range []int{768, 2048, 4096, 14336} {
				add(kernels.Sample{Op: kernels.Experts, Compute: inputs.BF16, Weight: inputs.BF16, Tokens: tokens, Hidden: 4096, Width: width, Experts: 8, TopK: 2, EP: 1, ETP: 1})
			}
		}
	case "links.nvlink":
		for _, n := range []int{2, 4, 8} {
			for b := 1e3; b < 2e9; b *= 4 {
				add(kernels.Sample{Op: kernels.AllReduce, Compute: inputs.BF16, GPUs: n, Nodes: 1, Bytes: math.Round(b)})
				add(kernels.Sample{Op: kernels.AllGather, Compute: inputs.BF16, GPUs: n, Nodes: 1, Bytes: math.Round(b)})
				add(kernels.Sample{Op: kernels.Send, Compute: inputs.BF16, GPUs: 2, Nodes: 1, Bytes: math.Round(b)})
			}
		}
	}
	return out
}

// timed gives samples the times of a profile, with log-normal noise and some gross outliers.
func timed(t testing.TB, a *inputs.Accelerator, p *inputs.Profile, samples []kernels.Sample, noise, wrong float64, seed uint64) []kernels.Sample {
	t.Helper()
	price, err := prices(a, p)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(seed, 1))
	out := append([]kernels.Sample(nil), samples...)
	for i := range out {
		s := &out[i]
		s.Device, s.Place = a.Name, inputs.Place{File: "folder/table.csv", Line: i + 2}
		s.Seconds = price(s) * math.Exp(noise*random.NormFloat64())
		if random.Float64() < wrong {
			s.Seconds *= 4
		}
	}
	return out
}

func device100(t testing.TB) inputs.Accelerator {
	a, ok := library(t).Accelerator("H100-SXM-80GB")
	if !ok {
		t.Fatal("no H100")
	}
	return a
}

func oneLaw(t testing.TB, c *results.Calibration, path string) results.CalibratedLaw {
	t.Helper()
	for _, d := range c.Devices {
		for _, l := range d.Laws {
			if l.Path == path {
				return l
			}
		}
	}
	t.Fatalf("nothing about %s: %+v", path, c)
	return results.CalibratedLaw{}
}

func run1(t testing.TB, samples []kernels.Sample) *results.Calibration {
	t.Helper()
	c, err := Run([]*kernels.Table{{File: "folder/table.csv", Kind: "test", Rows: len(samples), Samples: samples}}, Options{Catalog: library(t)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Constants that tables were made with are found again, under noise and with some rows that
// are wrong by a factor of four.
func TestPlantedConstantsAreFound(t *testing.T) {
	a := device100(t)
	base := profile.Of("hopper")
	for path, constants := range map[string][]string{
		"operators.gemm16":  {"floor", "compute", "bandwidth"},
		"operators.gemm8":   {"floor", "compute", "bandwidth"},
		"operators.gemm4":   {"floor", "compute", "bandwidth"},
		"operators.prefill": {"floor", "compute", "bandwidth"},
		"operators.decode":  {"floor", "bandwidth"},
		"operators.stream":  {"floor", "bandwidth"},
		"operators.experts": {"compute", "bandwidth"},
		"links.nvlink":      {"one_shot_latency_2", "one_shot_latency_8", "ring_latency_2", "ring_latency_8", "ring_share_2", "ring_share_8", "send_latency", "send_share"},
	} {
		t.Run(path, func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				planted := map[string]float64{}
				for _, name := range constants {
					at := path + "." + name
					v, _ := profile.Value(base, at)
					factor := rapid.Float64Range(0.6, 1.1).Draw(r, name)
					if kindOf(at) == isTime {
						factor = rapid.Float64Range(0.4, 2.5).Draw(r, name+" again")
					}
					planted[at] = math.Min(0.97, v*factor)
				}
				if path == "operators.experts" {
					planted[path+".imbalance"] = 0
				}
				p, err := profile.With(base, planted, "planted")
				if err != nil {
					r.Fatal(err)
				}
				samples := timed(t, &a, p, grid(path), 0.03, 0.04, rapid.Uint64().Draw(r, "seed"))
				law := oneLaw(t, run1(t, samples), path)
				if law.Refused != "" && strings.Contains(law.Refused, "held-out") && law.BuiltIn.MedianPct < 5 {
					return // what was planted is next to what is built in
				}
				if law.Refused != "" {
					r.Fatalf("refused: %s", law.Refused)
				}
				for _, c := range law.Constants {
					want, isPlanted := planted[c.Path]
					if !isPlanted || want == 0 {
						continue
					}
					if c.Fitted == nil {
						if strings.Contains(c.Path, "one_shot") { // where the ring is as short, nothing tells it
							continue
						}
						r.Fatalf("%s stays: %s", c.Path, c.Refused)
					}
					off := math.Abs(math.Log(*c.Fitted / want))
					if off > 0.1 && off > 4*c.UncertaintyPct/100 {
						r.Fatalf("%s is %g ± %.1f %%, planted %g", c.Path, *c.Fitted, c.UncertaintyPct, want)
					}
				}
				if law.HeldOut.MedianPct > 6 || law.InSample.MedianPct > law.HeldOut.MedianPct+1 {
					r.Fatalf("errors %+v in sample, %+v held out", *law.InSample, *law.HeldOut)
				}
			})
		})
	}
}

// The constants that a product's time is fitted to are those that plans price it with: they
// move its price, and those of products in other formats do not.
func TestProductsAreFittedAsPlansPriceThem(t *testing.T) {
	formats := []inputs.DType{inputs.FP32, inputs.BF16, inputs.FP16, inputs.FP8, inputs.INT8, inputs.FP4, inputs.INT4}
	fitted := map[string]int{}
	for _, name := range []string{"H100-SXM-80GB", "A100-SXM-80GB", "B200-180GB", "T4", "MI300X"} {
		a, ok := library(t).Accelerator(name)
		if !ok {
			t.Fatal(name)
		}
		d := device{accelerator: a, priced: map[inputs.DType]*cost.Single{}}
		base := profile.Of(a.Generation)
		for _, weight := range formats {
			for _, compute := range formats {
				s := &kernels.Sample{Op: kernels.Matmul, Compute: compute, Weight: weight, M: 64, N: 4096, K: 4096}
				path, reason := d.pathOf(s)
				if (path == "") == (reason == "") {
					t.Fatalf("%s, %s in %s: path %q, reason %q", name, weight, compute, path, reason)
				}
				if path == "" {
					continue
				}
				fitted[path]++
				before, err := prices(&a, base)
				if err != nil {
					t.Fatal(err)
				}
				for _, other := range []string{"operators.gemm16", "operators.gemm8", "operators.gemm4"} {
					v, _ := profile.Value(base, other+".floor")
					moved, err := profile.With(base, map[string]float64{other + ".floor": 2 * v}, "moved")
					if err != nil {
						t.Fatal(err)
					}
					after, err := prices(&a, moved)
					if err != nil {
						t.Fatal(err)
					}
					if moves := after(s) > before(s); moves != (other == path) {
						t.Errorf("%s, %s in %s is fitted to %s: that %s moves its price is %v", name, weight, compute, path, other, moves)
					}
				}
			}
		}
	}
	if len(fitted) != 3 {
		t.Errorf("products were fitted to %v", fitted)
	}
}

// Neither the order of rows nor how they lie in files changes anything.
func TestOrderDoesNotMatter(t *testing.T) {
	a := device100(t)
	p, err := profile.With(profile.Of("hopper"), map[string]float64{"operators.gemm16.floor": 7e-6, "operators.gemm16.compute": 0.6, "links.nvlink.ring_share_8": 0.5}, "")
	if err != nil {
		t.Fatal(err)
	}
	all := grid("operators.gemm16")
	for i, s := range grid("links.nvlink") {
		if i%4 == 0 {
			all = append(all, s)
		}
	}
	samples := timed(t, &a, p, all, 0.05, 0.05, 3)
	samples = append(samples, timed(t, &a, p, grid("operators.gemm16")[:12], 0.05, 0.2, 4)...) // repetitions
	want := fmt.Sprintf("%+v", flat(run1(t, samples)))
	rapid.Check(t, func(r *rapid.T) {
		moved := rapid.Permutation(samples).Draw(r, "order")
		if got := fmt.Sprintf("%+v", flat(run1(t, moved))); got != want {
			r.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	})
}

// flat writes out what pointers point to.
func flat(c *results.Calibration) []string {
	var out []string
	for _, d := range c.Devices {
		for _, l := range d.Laws {
			text := fmt.Sprint(l.Path, l.Rows, l.Shapes, l.Outliers, l.BuiltIn, l.Refused)
			if l.HeldOut != nil {
				text += fmt.Sprint(*l.InSample, *l.HeldOut)
			}
			for _, k := range l.Constants {
				if k.Fitted != nil {
					text += fmt.Sprint(" ", k.Path, *k.Fitted)
				}
				text += k.Refused
			}
			out = append(out, text)
		}
	}
	return out
}
