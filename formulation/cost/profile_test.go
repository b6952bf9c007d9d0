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
	built := func(p *inputs.Profile, stated *inputs.Efficiency) *Calculator {
		pool := poolOf(h100(), 16)
		pool.Accelerator.Profile, pool.Accelerator.Efficiency = p, stated
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
	for _, x := range []struct {
		name   string
		prices func(*Calculator) []float64
		stated *inputs.Efficiency
	}{
		{"training", training, nil}, {"serving", serving, nil},
		{"training", training, &inputs.Efficiency{Compute: 0.5}}, {"serving", serving, &inputs.Efficiency{Compute: 0.5}},
		{"training", training, &inputs.Efficiency{Compute: 0.5, Bandwidth: 0.7}}, {"serving", serving, &inputs.Efficiency{Compute: 0.5, Bandwidth: 0.7}},
	} {
		name := x.name
		before := x.prices(built(base, x.stated))
		moved := 0
		for _, path := range profile.Paths() {
			v, _ := profile.Value(base, path)
			p, err := profile.With(base, map[string]float64{path: v / 2}, "moved")
			if err != nil {
				t.Fatal(err)
			}
			same := slices.Equal(before, x.prices(built(p, x.stated)))
			enters := profile.Enters(path, name == "training", x.stated)
			if !same && !enters {
				t.Errorf("%s moves %s with %+v stated, and is said to have no part in it", path, name, x.stated)
			}
			if share := strings.HasPrefix(path, "operators.gemm16") && name == "serving" || path == "training.gemm16" || path == "operators.stream.bandwidth"; same && enters && share {
				t.Errorf("%s does not move %s", path, name)
			}
			if !same {
				moved++
			}
		}
		if moved < 2 || x.stated == nil && moved < 5 {
			t.Errorf("%d constants move %s with %+v stated", moved, name, x.stated)
		}
	}
}
