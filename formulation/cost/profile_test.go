package cost

import (
	"slices"
	"strings"
	"testing"

	"partita/inputs"
	"partita/inputs/profile"
)

// Constants that are said to have no part in training, or in serving, move no price of it;
// shares that are said to have one move some.
func TestConstantsEnterWhatTheyAreSaidTo(t *testing.T) {
	built := func(p *inputs.Profile) *Calculator {
		pool := poolOf(h100(), 16)
		pool.Accelerator.Profile = p
		return mustNew(t, conditionOf(mixtral8x7B(inputs.BF16), pool))
	}
	training := func(c *Calculator) []float64 {
		s := TrainShape{DP: 4, TP: 2, CP: 2, EP: 4, ETP: 1, SP: true, ZeRO: 1}
		st := TrainStep{MicroBatch: 1, Sequence: 4096}
		counts := []int{4}
		f, b := c.TrainLayer(0, 0, s, st, inputs.FullRecompute)
		ef, eb := c.TrainEmbedding(0, s, st)
		hf, hb := c.TrainHead(0, s, st)
		m := c.TrainMemory(0, s, st, []TrainHeld{{Counts: counts, First: true, Last: true, InFlight: 2}})
		return []float64{f, b, ef, eb, hf, hb, c.TrainSend(0, 0, true, s, st), c.TrainSync(0, counts, true, true, s, st, 8), c.TrainUpdate(0, counts, true, true, s), float64(m.Total())}
	}
	serving := func(c *Calculator) []float64 {
		s := Shape{TP: 2, CP: 1, DPAttention: 2, EP: 4, ETP: 1}
		return []float64{
			c.Layer(0, 0, s, Step{Phase: inputs.Prefill, Sequences: 2, New: 1000}), c.Layer(0, 0, s, Step{Phase: inputs.Decode, Sequences: 64, New: 1, Cached: 4000}),
			c.Layer(0, 0, s, Step{Phase: inputs.Decode, Sequences: 1, New: 1, Cached: 100}),
		}
	}
	base := profile.Of("hopper")
	for name, prices := range map[string]func(*Calculator) []float64{"training": training, "serving": serving} {
		before := prices(built(base))
		moved := 0
		for _, path := range profile.Paths() {
			v, _ := profile.Value(base, path)
			p, err := profile.With(base, map[string]float64{path: v / 2}, "moved")
			if err != nil {
				t.Fatal(err)
			}
			same := slices.Equal(before, prices(built(p)))
			enters := profile.Enters(path, name == "training")
			if !same && !enters {
				t.Errorf("%s moves %s, and is said to have no part in it", path, name)
			}
			if share := strings.HasPrefix(path, "operators.gemm16") || path == "training.gemm16" || path == "operators.stream.bandwidth"; same && enters && share {
				t.Errorf("%s does not move %s", path, name)
			}
			if !same {
				moved++
			}
		}
		if moved < 5 {
			t.Errorf("%d constants move %s", moved, name)
		}
	}
}
