package cost

import (
	"math"
	"testing"

	"partita/inputs"
)

// smallExperts: h 1024, 8 heads, 2 KV heads, 8 experts of width 512, two a token.
func smallExperts(shared int) inputs.Model {
	m := small()
	m.Kinds[0].FFN = inputs.FFN{Intermediate: 512, Gated: true, Experts: 8, TopK: 2, Shared: shared}
	return m
}

func TestRoutedExpertsByHand(t *testing.T) {
	calc := mustNew(t, conditionOf(smallExperts(0), plain(8)))
	d, k := &calc.devices[0], &calc.kinds[0]
	for _, c := range []struct {
		name    string
		shape   Shape
		tokens  int
		load    float64 // copies on a rank
		read    float64 // experts read on a rank
		width   float64 // of an expert on a rank
		compute bool    // products decided by FLOPs
	}{
		// One token, two copies: two experts of eight are read.
		{"one token", tensor(1), 1, 2, 2, 512, false},
		{"experts over four ranks", Shape{4, 1, 1, 4, 1}, 64, 32, 2, 512, false},
		{"expert width over four ranks", Shape{4, 1, 1, 1, 4}, 64, 128, 8, 128, false},
		{"compute bound", tensor(1), 4096, 8192, 8, 512, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := splitStep(c.shape, Step{Sequences: c.tokens, New: 1})
			up := 2 * c.load * 1024 * 2 * c.width / 50e12
			down := 2 * c.load * 1024 * c.width / 50e12
			if !c.compute {
				up = (2*c.read*1024*2*c.width + 2*c.load*(1024+2*c.width)) / 0.8e12
				down = (2*c.read*1024*c.width + 2*c.load*(1024+c.width)) / 0.8e12
			}
			gather := 2 * c.load * 1024 * 2
			activation := c.load * 3 * c.width * 2
			combine := (c.load + float64(c.tokens)) * 1024 * 2
			want := up + down + (gather+activation+combine)/0.8e12
			near(t, "experts", calc.routed(d, k, c.shape, &w), want, 1e-6)
		})
	}
}

// Pure tensor parallelism holds the tokens on every rank: one all-reduce combines.
// Attention data parallelism exchanges them instead.
func TestExpertCommunication(t *testing.T) {
	calc := mustNew(t, conditionOf(smallExperts(0), plain(8)))
	d, k := &calc.devices[0], &calc.kinds[0]
	st := Step{Phase: inputs.Prefill, Sequences: 8, New: 1000}
	const hidden = 1024 * 2
	rate := 0.75 * 100e9

	// EP 8, attention DP 8: a rank sends its 1000 tokens to two experts each and gets
	// them back: 2·7/8·2000 tokens. Gathering all 8000 on every rank moves more.
	s := Shape{TP: 1, CP: 1, DPAttention: 8, EP: 8, ETP: 1}
	w := splitStep(s, st)
	near(t, "all-to-all", calc.exchange(d, k, s, &w, d.groupOf(8, 1)), 2*0.875*2000*hidden/rate, 1e-12)

	// EP 1, expert TP 8: every rank needs every token: gather 8000 and scatter 8000.
	s = Shape{TP: 1, CP: 1, DPAttention: 8, EP: 1, ETP: 8}
	w = splitStep(s, st)
	near(t, "gather and scatter", calc.exchange(d, k, s, &w, d.groupOf(8, 1)), 2*0.875*8000*hidden/rate, 1e-12)

	// With TP 8 the layer pays two all-reduces of 8000 tokens and nothing else; a
	// device with links a thousand times as fast shows the difference.
	s = Shape{TP: 8, CP: 1, DPAttention: 1, EP: 8, ETP: 1}
	fast := plain(8)
	fast.Intra.BytesPerSecond *= 1000
	quick := mustNew(t, conditionOf(smallExperts(0), fast))
	got := calc.Layer(0, 0, s, st) - quick.Layer(0, 0, s, st)
	near(t, "two all-reduces", got, 2*1.75*8000*hidden/rate*0.999, 1e-9)
}

func TestSharedExpertsAreDense(t *testing.T) {
	with := mustNew(t, conditionOf(smallExperts(512), plain(8)))
	without := mustNew(t, conditionOf(smallExperts(0), plain(8)))
	st := Step{Phase: inputs.Decode, Sequences: 4, New: 1, Cached: 99}
	d := &with.devices[0]
	near(t, "shared", with.Layer(0, 0, tensor(1), st)-without.Layer(0, 0, tensor(1), st),
		with.denseBlock(d, 4, 512, 3), 1e-9)
	if got := with.LayerWeights(0, 0, tensor(2)) - without.LayerWeights(0, 0, tensor(2)); got != 2*3*1024*512/2 {
		t.Errorf("shared weights %d bytes", got)
	}
}

// Dense layers that share a stage with attention ranks are split over TP alone.
func TestDenseLayerBesideAttentionRanks(t *testing.T) {
	m := deepSeekV3(inputs.FP8)
	calc := mustNew(t, conditionOf(m, poolOf(h200(), 8)))
	s := Shape{TP: 2, CP: 1, DPAttention: 4, EP: 8, ETP: 1}
	st := Step{Phase: inputs.Decode, Sequences: 64, New: 1, Cached: 1000}
	alone := Step{Phase: inputs.Decode, Sequences: 16, New: 1, Cached: 1000}
	if a, b := calc.Layer(0, 0, s, st), calc.Layer(0, 0, tensor(2), alone); math.Abs(a-b) > 1e-15 {
		t.Errorf("dense layer on 4 × TP 2 takes %g, 16 sequences on TP 2 %g", a, b)
	}
	if a, b := calc.LayerWeights(0, 0, s), calc.LayerWeights(0, 0, tensor(2)); a != b {
		t.Errorf("dense layer weighs %d, on TP 2 %d", a, b)
	}
}

// Of 8 experts one token visits its 2, two tokens 8(1 - (6/8)²) = 3.5 in the mean, and many
// all; never more than there are copies.
func TestExpertsThatAreTouched(t *testing.T) {
	k := kindFigures{experts: 8, topK: 2}
	for _, c := range []struct{ tokens, want float64 }{{1, 2}, {2, 3.5}, {1e6, 8}} {
		near(t, "touched", k.touched(c.tokens), c.want, 1e-12)
	}
	every := kindFigures{experts: 8, topK: 8}
	near(t, "all at once", every.touched(1), 8, 1e-12)
	for tokens := 1.0; tokens < 1000; tokens *= 2 {
		if n := k.touched(tokens); n > 2*tokens || n > 8 || n < k.touched(tokens/2) {
			t.Errorf("%g tokens touch %g experts", tokens, n)
		}
	}
}

// Where the experts alone are quantised, attention keeps the traffic, the rate and the
// memory of its own format.
func TestExpertsAloneQuantised(t *testing.T) {
	m := smallExperts(0)
	m.Weights = inputs.FP8
	pool := plain(8)
	pool.Accelerator.FLOPS[inputs.FP8] = 200e12
	all := mustNew(t, conditionOf(m, pool))
	m.Dense = inputs.BF16
	experts := mustNew(t, conditionOf(m, pool))
	st := Step{Phase: inputs.Decode, Sequences: 1, New: 1, Cached: 99}
	const matrices = 1024*(8+2+2)*128 + 1024*1024
	near(t, "traffic", experts.Layer(0, 0, tensor(1), st)-all.Layer(0, 0, tensor(1), st), matrices/0.8e12, 1e-9)
	if got := experts.LayerWeights(0, 0, tensor(1)) - all.LayerWeights(0, 0, tensor(1)); got != matrices {
		t.Errorf("%d more bytes of weights, want %d", got, matrices)
	}
	long := Step{Phase: inputs.Prefill, Sequences: 1, New: 8192}
	const flops = 2 * 8192 * matrices
	near(t, "rate", experts.Layer(0, 0, tensor(1), long)-all.Layer(0, 0, tensor(1), long), flops/50e12-flops/100e12, 0.02)
}
