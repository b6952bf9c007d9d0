package cost

import (
	"testing"

	"pgregory.net/rapid"

	"partita/inputs"
)

// gpt is a plain transformer as Korthikanti et al. 2022 (Table 3) train it: as many KV
// heads, four times the width, a vocabulary of 51200 that is shared with the head.
func gpt(layers, hidden, heads, vocab int) inputs.Model {
	m := denseModel("GPT", layers, hidden, heads, heads, hidden/heads, 4*hidden, vocab, inputs.BF16)
	m.Kinds[0].FFN.Gated, m.Tied = false, true
	return m
}

// keptBy is what a stage of n layers in the middle of a pipeline keeps of one micro-batch,
// without what it sends.
func keptBy(t *testing.T, m inputs.Model, s TrainShape, st TrainStep, r inputs.Recompute, n int) float64 {
	t.Helper()
	c := mustNew(t, conditionOf(m, poolOf(a100(), 8)))
	a := c.newTrainSplit(s, st)
	kept, _ := c.trainActivations(s, st, &TrainHeld{Counts: []int{n}, Recompute: r, InFlight: 1})
	return kept - a.hidden
}

// The models of Table 3 of Korthikanti et al., with the paper's equations written out.
func TestActivationsOfKorthikanti(t *testing.T) {
	for _, c := range []struct {
		name             string
		layers, h, a, mb float64
		scores           float64 // 5·a·s/h as the paper states it where it does
	}{
		{"22B", 48, 6144, 64, 4, 106.7}, {"175B", 96, 12288, 96, 1, 80}, {"530B", 105, 20480, 128, 1, 64}, {"1T", 128, 25600, 160, 1, 64},
	} {
		const s, tp = 2048, 8
		near(t, c.name+" 5as/h", 5*c.a*s/c.h, c.scores, 0.01)
		m := gpt(int(c.layers), int(c.h), int(c.a), 51200)
		st := TrainStep{MicroBatch: int(c.mb), Sequence: s, TrainEngine: TrainEngine{Unfused: true}}
		sbh := s * c.mb * c.h
		shape := TrainShape{DP: 1, TP: tp, CP: 1, EP: 1, ETP: 1}
		parallel := shape
		parallel.SP = true
		for _, x := range []struct {
			what  string
			shape TrainShape
			r     inputs.Recompute
			want  float64 // a layer
		}{
			{"tensor parallel", shape, inputs.NoRecompute, sbh * (10 + 24.0/tp + 5*c.a*s/c.h/tp)},
			{"with SP", parallel, inputs.NoRecompute, sbh / tp * (34 + 5*c.a*s/c.h)},
			{"selective", shape, inputs.SelectiveRecompute, sbh * (10 + 24.0/tp)},
			{"selective with SP", parallel, inputs.SelectiveRecompute, sbh * 34 / tp},
			{"full", shape, inputs.FullRecompute, 2 * sbh},
		} {
			near(t, c.name+" "+x.what, keptBy(t, m, x.shape, st, x.r, 3), 3*x.want, 1e-12)
		}
	}
	// The paper's summary: both techniques together leave a fifth.
	m := gpt(96, 12288, 96, 51200)
	st := TrainStep{MicroBatch: 1, Sequence: 2048, TrainEngine: TrainEngine{Unfused: true}}
	both := keptBy(t, m, TrainShape{DP: 1, TP: 8, CP: 1, EP: 1, ETP: 1, SP: true}, st, inputs.SelectiveRecompute, 1)
	none := keptBy(t, m, TrainShape{DP: 1, TP: 8, CP: 1, EP: 1, ETP: 1}, st, inputs.NoRecompute, 1)
	if r := none / both; r < 5 || r > 6 {
		t.Errorf("SP with selective recompute keeps 1/%.2f of tensor parallelism alone, want about 1/5", r)
	}
}

// Bytes a parameter: 18 without a distributed optimizer, 6 + 12/d with one, as Megatron-LM
// reports them: 20,029.5 MiB for 8 layers and the embedding of Llama-2-7B over two ranks,
// 26,699.5 MiB for GPT2-XL.
func TestTrainStatesOfMegatron(t *testing.T) {
	for _, c := range []struct {
		name  string
		model inputs.Model
		shape TrainShape
		held  TrainHeld
		mib   float64
	}{
		{"Llama-2-7B, first of four ranks", denseModel("Llama-2-7B", 32, 4096, 32, 32, 128, 11008, 32000, inputs.BF16),
			TrainShape{DP: 2, TP: 1, CP: 1, EP: 1, ETP: 1, ZeRO: 1}, TrainHeld{Counts: []int{8}, First: true}, 20029.5},
		{"GPT2-XL", gpt(48, 1600, 25, 50304), TrainShape{DP: 1, TP: 1, CP: 1, EP: 1, ETP: 1}, TrainHeld{Counts: []int{48}, First: true, Last: true}, 26699.5},
	} {
		calc := mustNew(t, conditionOf(c.model, poolOf(h100(), 8)))
		b := calc.TrainMemory(0, c.shape, TrainStep{MicroBatch: 1, Sequence: 1}, []TrainHeld{c.held})
		near(t, c.name, float64(b.Weights+b.Gradients+b.Optimizer)/(1<<20), c.mib, 0.003)
	}
}

// What a step does not state is held at the size that it is timed with.
func TestTrainStatesNotStated(t *testing.T) {
	c := conditionOf(llama405B(inputs.BF16), poolOf(h100(), 8))
	shape, held := TrainShape{DP: 1, TP: 8, CP: 1, EP: 1, ETP: 1}, []TrainHeld{{Counts: []int{4}, InFlight: 1}}
	of := func(step inputs.TrainingStep) TrainBytes {
		c.Workload.Training = &step
		return mustNew(t, c).TrainMemory(0, shape, TrainStep{MicroBatch: 1, Sequence: 4096}, held)
	}
	bare, stated := of(inputs.TrainingStep{}), of(inputs.TrainingStep{GradientBytes: 4, OptimizerBytes: 12})
	if bare != stated || bare.Gradients == 0 {
		t.Errorf("nothing stated holds %+v, 4 and 12 bytes stated %+v", bare, stated)
	}
	if less := of(inputs.TrainingStep{GradientBytes: 2, OptimizerBytes: 6}); 2*less.Gradients != bare.Gradients || 2*less.Optimizer != bare.Optimizer {
		t.Errorf("half the bytes hold %+v of %+v", less, bare)
	}
	if none := of(inputs.TrainingStep{GradientBytes: 4}); none.Optimizer != 0 || none.Gradients != bare.Gradients {
		t.Errorf("an optimizer without state holds %+v", none)
	}
}

// Weights, gradients and optimizer of a mixture of experts, counted by hand: 8 experts
// over 4 ranks; two ranks hold the same ones.
func TestTrainStatesOfExperts(t *testing.T) {
	m := mixtral8x7B(inputs.BF16)
	calc := mustNew(t, conditionOf(m, poolOf(h100(), 8)))
	s := TrainShape{DP: 8, TP: 1, CP: 1, EP: 4, ETP: 1}
	held := []TrainHeld{{Counts: []int{4}, InFlight: 1}}
	const expert = 4 * 2 * 3 * 4096 * 14336.0                                // of 4 layers on a rank
	const dense = 4 * (4096*(4096*2+1024*2) + 2*4096 + 4096*8.0)             // attention, norms, router
	const unit = 2*3*4096*14336.0 + 4096*(4096*2+1024*2) + 2*4096 + 4096*8.0 // one layer
	for _, c := range []struct {
		zero           int
		weights, grads float64
		optimizer      float64
	}{
		{0, 2 * (dense + expert), 4 * (dense + expert), 12 * (dense + expert)},
		{1, 2 * (dense + expert), 4 * (dense + expert), 12 * (dense/8 + expert/2)},
		{2, 2 * (dense + expert), 4 * (dense/8 + expert/2 + unit), 12 * (dense/8 + expert/2)},
		// Two units gathered are as much as sharding over two ranks saves of four layers.
		{3, 2 * min(dense+expert, dense/8+expert/2+2*unit), 4 * (dense/8 + expert/2 + unit), 12 * (dense/8 + expert/2)},
	} {
		s.ZeRO = c.zero
		b := calc.TrainMemory(0, s, TrainStep{MicroBatch: 1, Sequence: 4096}, held)
		near(t, "weights", float64(b.Weights), c.weights, 1e-9)
		near(t, "gradients", float64(b.Gradients), c.grads, 1e-9)
		near(t, "optimizer", float64(b.Optimizer), c.optimizer, 1e-9)
	}
}

// A rank that holds both ends of the model has tied weights once, others twice.
func TestTrainTiedOnce(t *testing.T) {
	calc := mustNew(t, conditionOf(gpt(4, 1024, 16, 32000), poolOf(h100(), 8)))
	s := TrainShape{DP: 1, TP: 1, CP: 1, EP: 1, ETP: 1}
	weights := func(held ...TrainHeld) float64 {
		return float64(calc.TrainMemory(0, s, TrainStep{MicroBatch: 1, Sequence: 128}, held).Weights)
	}
	both := weights(TrainHeld{Counts: []int{4}, First: true, Last: true})
	ends := weights(TrainHeld{Counts: []int{2}, First: true}) + weights(TrainHeld{Counts: []int{2}, Last: true})
	near(t, "second copy", ends-both, 2*1024*32000, 1e-9)
	// Two stages on one rank are their layers together.
	near(t, "interleaved", weights(TrainHeld{Counts: []int{2}, First: true}, TrainHeld{Counts: []int{2}, Last: true}), both, 1e-9)
}

// Nothing that is more work takes less memory, and sharding never takes more.
func TestTrainMemoryIsMonotone(t *testing.T) {
	models := []inputs.Model{llama8B(inputs.BF16), llama70B(inputs.BF16), mixtral8x7B(inputs.BF16), deepSeekV3(inputs.FP8), gpt(40, 5120, 40, 50304)}
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom(models).Draw(t, "model")
		calc, err := New(conditionOf(m, poolOf(h100(), 8)))
		if err != nil {
			t.Fatal(err)
		}
		power := func(name string, top int) int { return 1 << rapid.IntRange(0, top).Draw(t, name) }
		s := TrainShape{DP: power("dp", 4), TP: power("tp", 3), CP: power("cp", 2), EP: 1, ETP: 1, SP: rapid.Bool().Draw(t, "sp")}
		if m.HasExperts() {
			s.EP, s.ETP = power("ep", 3), power("etp", 1)
		}
		if ok, _ := ValidTrainShape(&m, s); !ok {
			t.Skip("no such shape")
		}
		st := TrainStep{MicroBatch: rapid.IntRange(1, 8).Draw(t, "micro"), Sequence: rapid.IntRange(1, 1<<17).Draw(t, "sequence"), TrainEngine: TrainEngine{Unfused: rapid.Bool().Draw(t, "unfused")}}
		held := TrainHeld{
			Counts: make([]int, len(m.Kinds)), First: rapid.Bool().Draw(t, "first"), Last: rapid.Bool().Draw(t, "last"),
			Recompute: rapid.SampledFrom([]inputs.Recompute{inputs.NoRecompute, inputs.SelectiveRecompute, inputs.FullRecompute}).Draw(t, "recompute"),
			InFlight:  float64(rapid.IntRange(1, 32).Draw(t, "in flight")),
		}
		for i := range held.Counts {
			held.Counts[i] = rapid.IntRange(0, 40).Draw(t, "layers")
		}
		of := func(s TrainShape, st TrainStep, h TrainHeld) TrainBytes {
			return calc.TrainMemory(0, s, st, []TrainHeld{h})
		}
		s.ZeRO = 0
		last := of(s, st, held)
		for zero := 1; zero <= 3; zero++ {
			s.ZeRO = zero
			b := of(s, st, held)
			if b.Weights > last.Weights || b.Gradients > last.Gradients || b.Optimizer > last.Optimizer || b.Activations != last.Activations || b.Reserve != last.Reserve {
				t.Fatalf("ZeRO %d: %+v, after %+v", zero, b, last)
			}
			last = b
		}
		wider, longer := st, st
		wider.MicroBatch++
		longer.Sequence++
		more := held
		more.InFlight++
		deeper := held
		deeper.Counts = append([]int{held.Counts[0] + 1}, held.Counts[1:]...)
		for name, b := range map[string]TrainBytes{
			"micro-batch": of(s, wider, held), "sequence": of(s, longer, held),
			"in flight": of(s, st, more), "layers": of(s, st, deeper),
		} {
			if b.Total() < last.Total() {
				t.Fatalf("more %s: %+v, before %+v", name, b, last)
			}
		}
		a := calc.newTrainSplit(s, st)
		for i := range calc.kinds {
			k := &calc.kinds[i]
			none, some, all := a.layer(k, inputs.NoRecompute), a.layer(k, inputs.SelectiveRecompute), a.layer(k, inputs.FullRecompute)
			if !(none >= some && (none > some) == st.Unfused && some > all && all > 0) {
				t.Fatalf("kept with no, selective and full recompute: %g, %g, %g", none, some, all)
			}
		}
	})
}

// An absurd step does not overflow into something that fits.
func TestTrainDemandSaturates(t *testing.T) {
	calc := mustNew(t, conditionOf(llama405B(inputs.BF16), poolOf(h100(), 8)))
	b := calc.TrainMemory(0, TrainShape{DP: 1, TP: 1, CP: 1, EP: 1, ETP: 1}, TrainStep{MicroBatch: 1 << 30, Sequence: 1 << 30},
		[]TrainHeld{{Counts: []int{126}, First: true, Last: true, Recompute: inputs.NoRecompute, InFlight: 1e6}})
	if b.Total() <= 0 || b.Activations != beyond {
		t.Errorf("%+v", b)
	}
}

// The last rank holds the loss of one micro-batch: 14 bytes a logit, 4 where it is fused.
func TestLossOfTheLastRank(t *testing.T) {
	m := gpt(2, 64, 4, 51200)
	calc := mustNew(t, conditionOf(m, poolOf(h100(), 8)))
	s := TrainShape{DP: 1, TP: 4, CP: 2, EP: 1, ETP: 1}
	st := TrainStep{MicroBatch: 3, Sequence: 1000}
	working := func(fused bool) float64 {
		st.FusedLoss = fused
		_, w := calc.trainActivations(s, st, &TrainHeld{Counts: []int{2}, Last: true, InFlight: 1})
		return w
	}
	const logits = 3 * 500 * 51200 / 4
	near(t, "in 32 bits", working(false), 14*logits+2*2*1500*64, 1e-12)
	near(t, "fused", working(true), 4*logits+2*2*1500*64, 1e-12)
}

// A communicator for each group that a rank is in, and buckets where gradients are reduced.
func TestTrainReserve(t *testing.T) {
	calc := mustNew(t, conditionOf(llama70B(inputs.BF16), poolOf(h200(), 8)))
	const runtime, group, buckets = 1.92e9 + 0.0054*141e9, 1.92e9, 2e9
	for _, c := range []struct {
		name  string
		shape TrainShape
		whole bool
		want  float64
	}{
		{"alone", TrainShape{DP: 1, TP: 1, CP: 1, EP: 1, ETP: 1}, true, runtime},
		{"tensor parallel", TrainShape{DP: 1, TP: 8, CP: 1, EP: 1, ETP: 1}, true, runtime + group},
		{"data parallel", TrainShape{DP: 8, TP: 1, CP: 1, EP: 1, ETP: 1}, true, runtime + group + buckets},
		{"all", TrainShape{DP: 2, TP: 2, CP: 2, EP: 1, ETP: 1}, false, runtime + 4*group + buckets},
	} {
		held := []TrainHeld{{Counts: []int{80}, First: true, Last: c.whole, InFlight: 1}}
		got := calc.TrainMemory(0, c.shape, TrainStep{MicroBatch: 1, Sequence: 128}, held).Reserve
		near(t, c.name, float64(got), c.want, 1e-9)
	}
}
