package cost

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"partita/inputs"
)

// pricesOf are the prices of a layer in the steps of a mix.
func pricesOf(calc *Calculator, m *Mix, s Shape) Prices {
	price := func(st Step) float64 { return calc.Layer(0, 0, s, st) }
	return Prices{price(m.Decode), price(m.Draft), price(m.Chunk), price(m.Next), price(m.DecodePlain), price(m.ChunkPlain), price(m.BothPlain)}
}

// served is the work of so many sequences in groups: prompts of so many tokens, and so many
// generated.
func served(n, groups, input, output int) Serving {
	at := func(n int) inputs.Range { return inputs.Range{Min: n, Max: n} }
	return Serving{n, groups, &inputs.Workload{Phase: inputs.Mixed, Batch: n, Input: at(input), Output: at(output)}}
}

// One request by itself decodes in plain steps and waits for nothing.
func TestServingOfOne(t *testing.T) {
	w := served(1, 1, 1000, 100)
	m := w.Mix(1)
	p := Prices{Decode: 3}
	if got := m.Token(&p); got != 3 {
		t.Errorf("a step takes %g, want 3", got)
	}
	if got := m.First(7, &p, w.PromptPasses()); got != 7 {
		t.Errorf("the first token takes %g, want the prompt's 7", got)
	}
}

// Chunks, shares and passes by hand.
func TestMix(t *testing.T) {
	for _, x := range []struct {
		w           Serving
		ranks       int
		share, part float64
		chunk       Step
		passes      float64
		plain, both int
	}{
		// 10 others of 100 tokens: a prompt in every tenth step, by itself.
		{served(11, 1, 1000, 100), 1, 0.1, 0, Step{inputs.Prefill, 1, 1000, 0}, 1, 1000, 1011},
		{served(11, 2, 1000, 100), 1, 0.05, 0, Step{inputs.Prefill, 1, 1000, 0}, 1, 1000, 1006},
		// 250 come in a hundred steps: chunks of 2.5, in every one.
		{served(251, 1, 1000, 100), 1, 1, 0.5, Step{inputs.Prefill, 2, 1000, 0}, 1, 2000, 2251},
		// 16 a step, of which the budget takes 8; of two ranks twice as many.
		{served(161, 1, 1000, 10), 1, 2, 0, Step{inputs.Prefill, 8, 1000, 0}, 1, 8000, 8161},
		{served(161, 1, 1000, 10), 2, 1, 0, Step{inputs.Prefill, 16, 1000, 0}, 1, 16000, 16161},
		// A prompt of two steps and a part of a third, the rest of which is another's.
		{served(11, 1, 20000, 100), 1, 0.1, 0, Step{inputs.Prefill, 1, 20000, 0}, 2.44140625, 8192, 8203},
	} {
		m := x.w.Mix(x.ranks)
		if math.Abs(m.Share-x.share) > 1e-12 || math.Abs(m.Part-x.part) > 1e-12 || m.Chunk != x.chunk || m.Passes != x.passes ||
			m.ChunkPlain.Sequences != x.plain || m.BothPlain.Sequences != x.both {
			t.Errorf("%+v of %+v on %d ranks: %+v", x.w, *x.w.Workload, x.ranks, m)
		}
	}
}

// Of a prompt in the cache only the rest is read, and a step verifies a draft.
func TestCachedAndSpeculative(t *testing.T) {
	w := served(11, 1, 1000, 100)
	w.Workload.PrefixCacheHit = 0.75
	w.Workload.Speculative = inputs.Speculative{DraftTokens: 2, Acceptance: 0.5, DraftCost: 0.1}
	m := w.Mix(1)
	if want := (Step{inputs.Prefill, 1, 250, 750}); m.Chunk != want || w.PromptStep() != want {
		t.Errorf("reads %+v and %+v, want %+v", m.Chunk, w.PromptStep(), want)
	}
	if want := (Step{inputs.Decode, 11, 3, 1050}); m.Decode != want || m.Draft.New != 1 || m.Yield != 1.75 || m.Drafts != 0.2 || math.Abs(m.Share-0.175) > 1e-12 {
		t.Errorf("%+v, want %+v, 1.75 tokens a step", m, want)
	}
	if m.DecodePlain.Sequences != 33 || m.BothPlain.Sequences != 283 {
		t.Errorf("%d and %d tokens", m.DecodePlain.Sequences, m.BothPlain.Sequences)
	}
	m.Share = 0
	if got := m.Token(&Prices{Decode: 3.3, Draft: 1}); math.Abs(got-2) > 1e-12 {
		t.Errorf("a token takes %g, want (3.3 + 0.2)/1.75", got)
	}
	w.Workload.PrefixCacheHit = 0.9999
	if st := w.PromptStep(); st.New != 1 {
		t.Errorf("reads %d tokens, want the last", st.New)
	}
}

// A step of D = 4 that takes a chunk of 10 along, decoding adding A = 3 to it, in a quarter
// of the steps: 4 + (10 + 3 − 4)/4 = 6.25; of those 13 long ones and 4 short ones half of
// (3·16 + 169)/4/6.25 is left when a request comes.
func TestStepAndFirst(t *testing.T) {
	m := Mix{Share: 0.25, Passes: 1, Yield: 1}
	p := Prices{Decode: 4, Chunk: 10, Next: 10, DecodePlain: 2, ChunkPlain: 5, BothPlain: 6}
	if got := m.Token(&p); math.Abs(got-6.25) > 1e-12 {
		t.Errorf("a step takes %g, want 6.25", got)
	}
	left := (3*16.0 + 169) / 4 / 6.25 / 2
	if got := m.First(20, &p, 1); math.Abs(got-(20+3+6.25+left)) > 1e-12 {
		t.Errorf("first token after %g, want %g", got, 20+3+6.25+left)
	}
	// A prompt of two steps has decoding go along twice.
	if got := m.First(20, &p, 2); math.Abs(got-(20+6+6.25+left)) > 1e-12 {
		t.Errorf("first token of a long prompt after %g", got)
	}
}

// Weights are read once for both: the average step is at least a decode step and at most
// one with its chunks beside it; more sequences in flight never make it shorter, nor the
// first token earlier.
func TestServingIsBetween(t *testing.T) {
	calc, err := New(conditionOf(llama70B(inputs.BF16), poolOf(h100(), 8)))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		tp := rapid.SampledFrom([]int{1, 2, 4, 8}).Draw(t, "tp")
		s := Shape{TP: tp, CP: 1, DPAttention: 1, EP: 1, ETP: tp}
		w := served(rapid.IntRange(2, 600).Draw(t, "sequences"), 1, rapid.IntRange(1, 30000).Draw(t, "input"), rapid.IntRange(1, 4000).Draw(t, "output"))
		of := func(w Serving) (step, first, most, decode float64) {
			m := w.Mix(1)
			p := pricesOf(calc, &m, s)
			prompt := calc.Layer(0, 0, s, w.PromptStep())
			return m.Token(&p), m.First(prompt, &p, w.PromptPasses()), p.Decode + m.Share*m.chunk(&p), p.Decode
		}
		step, first, most, decode := of(w)
		if step < decode || step > most*(1+1e-12) {
			t.Fatalf("a step takes %g s, decoding %g, with prompts beside it %g", step, decode, most)
		}
		w.Sequences++
		if more, later, _, _ := of(w); more < step*(1-1e-9) || later < first*(1-1e-9) {
			t.Fatalf("with one more in flight a step takes %g s, not %g, the first token %g, not %g", more, step, later, first)
		}
	})
}

// A prompt that is a token longer than a whole number of steps is hardly slower, nor faster.
func TestLongerPromptsAreContinuous(t *testing.T) {
	calc := mustNew(t, conditionOf(llama70B(inputs.FP8), poolOf(h100(), 8)))
	s := tensor(4)
	at := func(input, output, n int) (step, first float64) {
		w := served(n, 1, input, output)
		m := w.Mix(1)
		p := pricesOf(calc, &m, s)
		return m.Token(&p), m.First(calc.Layer(0, 0, s, w.PromptStep()), &p, w.PromptPasses()) + w.FirstSteps()*calc.HostStep(0, n)
	}
	for _, input := range []int{8192, 16384, 24576} {
		for _, n := range []int{1, 8, 64} {
			for _, output := range []int{30, 1000} {
				step, first := at(input, output, n)
				more, later := at(input+1, output, n)
				if math.Abs(more-step) > step/100 || math.Abs(later-first) > first/100 {
					t.Errorf("%d in flight, %d tokens out: prompts of %d and a token more: a step takes %g s and %g, the first token %g s and %g", n, output, input, step, more, first, later)
				}
			}
		}
	}
}

// The host has its part in each step that a request meets.
func TestStepsOfAFirstToken(t *testing.T) {
	for _, x := range []struct {
		n, input int
		want     float64
	}{{1, 1000, 1}, {1, 16384, 2}, {8, 1000, 2.5}, {8, 12288, 3}} {
		w := served(x.n, 1, x.input, 100)
		if got := w.FirstSteps(); got != x.want {
			t.Errorf("%d in flight, prompts of %d: %g steps, want %g", x.n, x.input, got, x.want)
		}
	}
}

// The host's part is that of the profile, and nothing where the input states the
// utilisation.
func TestHost(t *testing.T) {
	c := conditionOf(llama70B(inputs.BF16), poolOf(h100(), 8))
	calc, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	h := calc.devices[0].constants.Host
	if got, want := calc.HostStep(0, 100), h.Step+100*h.Sequence; got != want || got <= 0 {
		t.Errorf("a step of 100 takes %g s of the host, want %g", got, want)
	}
	if got, want := calc.HostRequest(0, 1000), h.Request+1000*h.Token; got != want || got <= 0 {
		t.Errorf("a request takes %g s of the host, want %g", got, want)
	}
	c.Cluster.Pools[0].Accelerator.Efficiency = &inputs.Efficiency{Compute: 0.5, Bandwidth: 0.5}
	if calc, err = New(c); err != nil || calc.HostStep(0, 100) != 0 || calc.HostRequest(0, 1000) != 0 {
		t.Errorf("a host beside a stated utilisation: %v", err)
	}
}

// Memory is kept for every prompt that a step is priced with, whatever the micro-batches,
// the groups and the attention ranks, and for no more where a micro-batch has none.
func TestHeldStep(t *testing.T) {
	w := served(9, 1, 1000, 2) // 4 come in a round: in 3 micro-batches of 3
	if got := w.HeldStep(3, 1).Sequences; got != 4 {
		t.Errorf("%d prompts are held, want 4", got)
	}
	w = served(9, 1, 5000, 2) // a step's budget is one
	if got := w.HeldStep(9, 1).Sequences; got != 1 {
		t.Errorf("%d long prompts are held, want 1", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(t, "sequences")
		w := served(n, rapid.IntRange(1, n).Draw(t, "groups"), rapid.IntRange(1, 20_000).Draw(t, "input"), rapid.IntRange(1, 300).Draw(t, "output"))
		w.Workload.PrefixCacheHit = rapid.Float64Range(0, 0.99).Draw(t, "hit")
		w.Workload.Speculative = inputs.Speculative{DraftTokens: rapid.IntRange(0, 8).Draw(t, "draft"), Acceptance: rapid.Float64Range(0, 1).Draw(t, "acceptance")}
		ranks, micro := rapid.IntRange(1, 16).Draw(t, "ranks"), rapid.IntRange(1, n).Draw(t, "micro")
		m, held := w.Mix(ranks), w.HeldStep(micro, ranks).Sequences
		priced := 0
		if m.Share > 0 {
			priced = m.Chunk.Sequences
			if m.Part > 0 {
				priced = m.Next.Sequences
			}
		}
		if held < priced {
			t.Fatalf("%d prompts are held, %d are priced in a step", held, priced)
		}
		w.Groups = 1
		if all := w.Mix(ranks); n > 1 && held > max(ceilDiv(n, micro), all.Chunk.Sequences, all.Next.Sequences) {
			t.Fatalf("%d prompts are held, at most %d are priced", held, all.Next.Sequences)
		}
	})
}
