package cost

import (
	"testing"

	"pgregory.net/rapid"

	"partita/inputs"
)

func trainTensor(tp int) TrainShape {
	return TrainShape{DP: 1, TP: tp, CP: 1, EP: 1, ETP: 1, SP: tp > 1}
}

// TestTrainLayersAddUpToTheModelFLOPs: what the layers and the head compute is what the
// formula of model FLOP says, but for masked pairs, which flash attention skips, and for its
// scores, which it computes again in the backward pass.
func TestTrainLayersAddUpToTheModelFLOPs(t *testing.T) {
	for _, m := range []inputs.Model{llama8B(inputs.BF16), llama70B(inputs.BF16), mixtral8x7B(inputs.BF16), deepSeekV3(inputs.BF16), qwen235B(inputs.BF16)} {
		t.Run(m.Name, func(t *testing.T) {
			calc := mustNew(t, conditionOf(m, poolOf(h100(), 8)))
			meter := calc.Metered(ComputeMeter)
			step := TrainStep{MicroBatch: 1, Sequence: 4096}
			total := 0.0
			for _, kind := range m.Layers {
				f, b := meter.TrainLayer(0, kind, trainTensor(1), step, inputs.NoRecompute)
				total += f + b
			}
			f, b := meter.TrainHead(0, trainTensor(1), step)
			total += f + b
			// All pairs forward and twice backward are 3; half of them, and 2.5 times, 1.75.
			want := calc.TrainFLOPs(step) - calc.TrainAttentionFLOPs(step)*(1-1.75/3)
			near(t, "FLOP", total*989.4e12, want, 1e-9)
		})
	}
}

// TestModelFLOPsOfLlama: 6 (N - embedding) + 12 L h s a token, as published for it: 4.81e11
// FLOP a token of the 70B model at 8192 tokens (NVIDIA dgxc-benchmarking: 54.32 % of 989.4
// TFLOP/s at 14.66 s for 128 sequences on 64 H100).
func TestModelFLOPsOfLlama(t *testing.T) {
	calc := mustNew(t, conditionOf(llama70B(inputs.BF16), poolOf(h100(), 8)))
	flops := calc.TrainFLOPs(TrainStep{MicroBatch: 1, Sequence: 8192})
	near(t, "utilisation", 128*flops/14.66/64/989.4e12, 0.5432, 0.005)
}

// TestTrainRecompute: full recompute repeats the forward pass; selective recompute costs
// nothing where attention keeps no scores, and the attention core where it does.
func TestTrainRecompute(t *testing.T) {
	calc := mustNew(t, conditionOf(llama8B(inputs.BF16), poolOf(a100(), 8)))
	shape := trainTensor(4)
	for _, unfused := range []bool{false, true} {
		step := TrainStep{MicroBatch: 2, Sequence: 2048, TrainEngine: TrainEngine{Unfused: unfused}}
		f, none := calc.TrainLayer(0, 0, shape, step, inputs.NoRecompute)
		_, selective := calc.TrainLayer(0, 0, shape, step, inputs.SelectiveRecompute)
		_, full := calc.TrainLayer(0, 0, shape, step, inputs.FullRecompute)
		near(t, "full", full, none+f, 1e-12)
		if unfused != (selective > none) || selective >= full {
			t.Errorf("unfused %v: none %g, selective %g, full %g s", unfused, none, selective, full)
		}
	}
}

// TestTrainWindow: a window skips pairs, and one as long as the sequence skips none.
func TestTrainWindow(t *testing.T) {
	time := func(window int) float64 {
		m := llama8B(inputs.BF16)
		m.Kinds[0].Attention.Window = window
		f, _ := mustNew(t, conditionOf(m, poolOf(h100(), 8))).TrainLayer(0, 0, trainTensor(1), TrainStep{MicroBatch: 1, Sequence: 32768}, "")
		return f
	}
	if short, long, all := time(1024), time(32768), time(0); short >= all || long != all {
		t.Errorf("window of 1024: %g s, of the whole sequence %g s, none %g s", short, long, all)
	}
}

// TestTrainCollectivesStayWithinTheirMeaning draws shapes: times are positive and finite,
// backward passes take longer than forward ones, more sequences take longer, and sharded
// weights never make a layer faster.
func TestTrainCollectivesStayWithinTheirMeaning(t *testing.T) {
	models := []inputs.Model{llama8B(inputs.BF16), llama70B(inputs.FP8), mixtral8x7B(inputs.BF16), qwen235B(inputs.FP8), deepSeekV3(inputs.FP8), gptOSS120B()}
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom(models).Draw(t, "model")
		calc, err := New(conditionOf(m, poolOf(rapid.SampledFrom([]inputs.Accelerator{h100(), a100(), b200()}).Draw(t, "device"), 1024)))
		if err != nil {
			t.Fatal(err)
		}
		degree := func(name string, top int) int { return 1 << rapid.IntRange(0, top).Draw(t, name) }
		s := TrainShape{DP: degree("dp", 5), TP: degree("tp", 3), CP: degree("cp", 2), EP: degree("ep", 3), ETP: 1, ZeRO: rapid.IntRange(0, 2).Draw(t, "zero")}
		s.SP = s.TP > 1 && rapid.Bool().Draw(t, "sp")
		if ok, _ := ValidTrainShape(&m, s); !ok {
			t.Skip()
		}
		st := TrainStep{MicroBatch: 1, Sequence: 1024 * degree("sequence", 4)}
		kind := rapid.IntRange(0, len(m.Kinds)-1).Draw(t, "kind")
		f, b := calc.TrainLayer(0, kind, s, st, inputs.NoRecompute)
		if !(f > 0 && b > f && b < 1e6) {
			t.Fatalf("forward %g s, backward %g s", f, b)
		}
		more := st
		more.MicroBatch = 2
		if f2, b2 := calc.TrainLayer(0, kind, s, more, inputs.NoRecompute); f2 <= f || b2 <= b || f2 > 2*f || b2 > 2*b {
			t.Fatalf("two sequences %g and %g s, one %g and %g s", f2, b2, f, b)
		}
		sharded := s
		sharded.ZeRO = 3
		if f3, b3 := calc.TrainLayer(0, kind, sharded, st, inputs.NoRecompute); f3 < f || b3 < b {
			t.Fatalf("sharded %g and %g s, whole %g and %g s", f3, b3, f, b)
		}
		counts := make([]int, len(m.Kinds))
		counts[kind] = 4
		if sync := calc.TrainSync(0, counts, true, false, s, st, 8); sync < 0 || (sync == 0) != (s.DP*s.CP == 1 && (s.GPUs() == s.EP*s.ETP || m.Kinds[kind].FFN.Experts == 0)) {
			t.Fatalf("%v: exchanging gradients takes %g s", s, sync)
		}
		whole := s
		whole.ZeRO = 0
		if s.ZeRO > 0 && calc.TrainUpdate(0, counts, true, false, s) > calc.TrainUpdate(0, counts, true, false, whole) {
			t.Fatal("sharing the optimizer makes its update longer")
		}
	})
}

// TestNothingIsExchangedOfNoExperts: a model without experts waits for no exchange of them,
// whose latency alone grows with the ranks.
func TestNothingIsExchangedOfNoExperts(t *testing.T) {
	m := llama8B(inputs.BF16)
	calc := mustNew(t, conditionOf(m, poolOf(h100(), 1024)))
	step := TrainStep{MicroBatch: 1, Sequence: 64} // too short to hide anything
	one := TrainShape{DP: 1, TP: 8, CP: 1, EP: 1, ETP: 1}
	if sync := calc.TrainSync(0, []int{32}, true, true, one, step, 8); sync != 0 {
		t.Errorf("one replica exchanges for %g s", sync)
	}
	for _, zero := range []int{1, 3} {
		s := TrainShape{DP: 512, TP: 1, CP: 1, EP: 1, ETP: 1, ZeRO: zero}
		w := calc.trainWork(0, 0, s, step)
		dense, experts := calc.trainParameters(w.k, s)
		if got, want := w.overWeights(dense, experts, 2), w.d.trainGather(2*dense, w.d.groupOf(512, 1), false); got != want {
			t.Errorf("ZeRO %d: weights are gathered in %g s, those that there are in %g", zero, got, want)
		}
	}
}
