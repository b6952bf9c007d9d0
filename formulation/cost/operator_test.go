package cost

import (
	"math"
	"testing"

	"partita/inputs"
)

// plain is a device with round figures and a stated utilisation, so that times can
// be worked out by hand: 100 TFLOP/s and 1 TB/s at 50 % and 80 %, 100 GB/s links.
func plain(n int) inputs.Pool {
	return inputs.Pool{
		Name: "plain", Count: inputs.Count{Min: n, Max: n}, GPUsPerNode: 8, MemoryBytes: 64e9, Utilization: 0.9,
		Accelerator: inputs.Accelerator{
			Name: "plain", MemoryBandwidth: 1e12,
			FLOPS:      map[inputs.DType]float64{inputs.BF16: 100e12},
			Efficiency: &inputs.Efficiency{Compute: 0.5, Bandwidth: 0.8},
		},
		Intra: inputs.Link{Kind: inputs.LinkNVLink, BytesPerSecond: 100e9},
	}
}

// small is a dense model of one layer with round sizes: h 1024, 8 heads of 128, 2 KV
// heads, width 4096.
func small() inputs.Model { return denseModel("small", 1, 1024, 8, 2, 128, 4096, 0, inputs.BF16) }

func mustNew(t testing.TB, c *inputs.Condition) *Calculator {
	t.Helper()
	calc, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return calc
}

func near(t *testing.T, what string, got, want, relative float64) {
	t.Helper()
	if math.Abs(got-want) > relative*math.Abs(want) {
		t.Errorf("%s = %.6g, want %.6g within %g %%", what, got, want, 100*relative)
	}
}

func TestMatmulRoofline(t *testing.T) {
	r := roofline{floor: 5e-6, secondsPerFLOP: 1 / 50e12, secondsPerByte: 1 / 0.8e12}
	// m = 1: 2·1024·4096 = 8.39 MFLOP take 0.17 µs; 2·1024·4096 + 2·(1024 + 4096) bytes
	// = 8.399 MB take 10.5 µs: memory decides.
	near(t, "one row", r.matmul(1, 1024, 4096, 2, 2), 5e-6+8398848/0.8e12, 1e-12)
	// m = 8192: 2·8192·1024·4096 = 68.7 GFLOP take 1.374 ms: compute decides.
	near(t, "8192 rows", r.matmul(8192, 1024, 4096, 2, 2), 5e-6+68719476736/50e12, 1e-12)
}

func TestLayerDecodeByHand(t *testing.T) {
	calc := mustNew(t, conditionOf(small(), plain(1)))
	step := Step{Phase: inputs.Decode, Sequences: 1, New: 1, Cached: 999}
	// Everything is memory-bound; bytes of one token at context 1000, 2 bytes each:
	const (
		norms = 2 * 4 * 1024 * 2                              // read and write hidden and residual, twice
		qkv   = 2*1024*(8+2+2)*128 + 2*(1024+1536)            // weights, input, output
		rope  = 2*2*(8+2)*128 + 2*2*256                       // q and k read and written, k and v to the cache
		attn  = 2*8*256 + 1000*2*256*2                        // q and result, cache
		out   = 2*1024*1024 + 2*(1024+1024)                   // weights, input, output
		ffn   = 2*1024*8192 + 2*(1024+8192) + (8192+4096)*2 + // gate and up, activation
			2*4096*1024 + 2*(4096+1024) // down
	)
	near(t, "layer", calc.Layer(0, 0, tensor(1), step), (norms+qkv+rope+attn+out+ffn)/0.8e12, 1e-12)
}

func TestLayerPrefillByHand(t *testing.T) {
	calc := mustNew(t, conditionOf(small(), plain(2)))
	step := Step{Phase: inputs.Prefill, Sequences: 2, New: 4096}
	const tokens = 2 * 4096
	// Two GPUs: products are compute-bound and halved; norms, rotary embedding and
	// activation stream; two all-reduces of 16 MiB at 75 % of 100 GB/s (two-shot).
	// One-shot would take 16 MiB/(.65·100 GB/s) and is slower.
	const (
		products = 2 * tokens * 1024 * (6*128 + 512 + 4096 + 2048) // qkv 6 heads, o 4, gate and up, down
		scores   = 2 * 4 * 256 * 4096 * 4096                       // b n (d_qk+d_v) s²
		norms    = 2 * 4 * tokens * 1024 * 2
		rope     = tokens * (2*2*(4+1)*128 + 2*256)
		silu     = tokens * (4096 + 2048) * 2
		reduce   = 2 * (tokens * 1024 * 2) / (0.75 * 100e9)
	)
	want := (products+scores)/50e12 + (norms+rope+silu)/0.8e12 + reduce
	near(t, "layer", calc.Layer(0, 0, tensor(2), step), want, 1e-9)
}

func TestWindowLimitsAttention(t *testing.T) {
	m := small()
	windowed := m.Kinds[0]
	windowed.Attention.Window = 512
	m.Kinds = append(m.Kinds, windowed)
	calc := mustNew(t, conditionOf(m, plain(1)))
	for _, phase := range []inputs.Phase{inputs.Prefill, inputs.Decode} {
		short := Step{Phase: phase, Sequences: 1, New: 1, Cached: 100}
		if full, win := calc.Layer(0, 0, tensor(1), short), calc.Layer(0, 1, tensor(1), short); full != win {
			t.Errorf("%s within the window: %g with, %g without", phase, win, full)
		}
	}
	long := Step{Phase: inputs.Decode, Sequences: 1, New: 1, Cached: 1 << 20}
	edge := Step{Phase: inputs.Decode, Sequences: 1, New: 1, Cached: 511}
	if a, b := calc.Layer(0, 1, tensor(1), long), calc.Layer(0, 1, tensor(1), edge); a != b {
		t.Errorf("windowed decode at 1 Mi tokens %g, at the window %g", a, b)
	}
	// Prefill of s ≫ w: 2·s·w instead of s².
	w := splitStep(tensor(1), Step{Sequences: 1, New: 4096})
	k := &calc.kinds[1]
	near(t, "windowed flops", k.prefillFLOPs(8, &w, Step{Sequences: 1, New: 4096}), 8*256*2*4096*512, 1e-12)
}

func TestRankLoad(t *testing.T) {
	k := kindFigures{experts: 64, topK: 4}
	for _, c := range []struct {
		name       string
		tokens, ep float64
		imbalance  float64
		want       float64
	}{
		{"one rank holds all copies", 100, 1, 1, 400},
		{"stated utilisation is balanced", 100, 8, 0, 50},
		{"one token visits one rank at most four times", 1, 16, 1, 0.25 + math.Sqrt(2*math.Log(16)*0.25*15.0/16)},
		{"one token, one expert a rank", 1, 64, 1, 1.0 / 16 * (1 + math.Sqrt(2*math.Log(64)*16*63.0/64))},
		{"many tokens even out", 1e8, 8, 1, 5e7 * 1.0003},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := math.Min(c.want, c.tokens*math.Min(4, 64/c.ep))
			near(t, "load", k.rankLoad(c.tokens, c.ep, c.imbalance), want, 1e-3)
		})
	}
}
