package cost

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"partita/inputs"
)

// TestMetersByHand: one layer of the small model over two GPUs, a decode step of 16
// sequences at context 1024. Heads 4 + 1, width 2048 and 16 tokens on each rank.
func TestMetersByHand(t *testing.T) {
	calc, err := New(conditionOf(small(), plain(8)))
	if err != nil {
		t.Fatal(err)
	}
	flops := 0.0
	for _, f := range []float64{
		2 * 16 * 1024 * 768,     // queries 512, keys and values 128 each
		2 * 16 * 4 * 256 * 1024, // attention of 4 heads over 1024 tokens
		2 * 16 * 512 * 1024,     // output projection
		2 * 16 * 1024 * 4096,    // gate and up
		2 * 16 * 2048 * 1024,    // down
	} {
		flops += f
	}
	bytes := 0.0
	for _, b := range []float64{
		2 * 4 * 16 * 1024 * 2,          // two norms
		2*1024*768 + 2*16*(1024+768),   // projections
		16 * (2*2*5*128 + 2*256),       // rotary, keys and values to the cache
		2*16*4*256 + 16*1024*256*2,     // attention: queries and results, the cache
		2*512*1024 + 2*16*(512+1024),   // output projection
		2*1024*4096 + 2*16*(1024+4096), // gate and up
		16 * (4096 + 2048) * 2,         // activation
		2*2048*1024 + 2*16*(2048+1024), // down
	} {
		bytes += b
	}
	step := Step{Phase: inputs.Decode, Sequences: 16, New: 1, Cached: 1023}
	for _, x := range []struct {
		name  string
		meter Meter
		want  float64
	}{
		{"compute", ComputeMeter, flops / 100e12},
		{"memory", MemoryMeter, bytes / 1e12},
		{"network", NetworkMeter, 2 * 16 * 1024 * 2 / (0.75 * 100e9)}, // two all-reduces over NVLink, two-shot
	} {
		if got := calc.Metered(x.meter).Layer(0, 0, tensor(2), step); math.Abs(got-x.want) > 1e-9*x.want {
			t.Errorf("%s: %g s, want %g s", x.name, got, x.want)
		}
	}
}

// TestMetersAddUp: no reading exceeds the time; at full efficiency and without
// latency the time lies between each of compute and memory with the network, and the
// sum of all.
func TestMetersAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSituation(t)
		ideal := rapid.Bool().Draw(t, "ideal")
		if ideal {
			s.pool.Accelerator.Efficiency = &inputs.Efficiency{Compute: 1, Bandwidth: 1}
		}
		calc, err := New(conditionOf(s.model, s.pool))
		if err != nil {
			t.Fatal(err)
		}
		price := func(c *Calculator) []float64 {
			return []float64{
				c.Layer(0, s.kind, s.shape, s.step), c.Embedding(0, s.shape, s.step), c.Head(0, s.shape, s.step),
				c.Send(0, 0, s.shape, s.step, true), c.Send(0, 0, s.shape, s.step, false),
			}
		}
		time := price(calc)
		compute, memory, network := price(calc.Metered(ComputeMeter)), price(calc.Metered(MemoryMeter)), price(calc.Metered(NetworkMeter))
		for i := range time {
			const rounding = 1 + 1e-9
			if max(compute[i], memory[i])+network[i] > time[i]*rounding {
				t.Fatalf("part %d: compute %g, memory %g, network %g of %g s", i, compute[i], memory[i], network[i], time[i])
			}
			if ideal && time[i] > (compute[i]+memory[i]+network[i])*rounding {
				t.Fatalf("part %d: %g s, but compute %g, memory %g, network %g", i, time[i], compute[i], memory[i], network[i])
			}
		}
		if again := price(calc); again[0] != time[0] {
			t.Fatal("reading a meter changed the calculator")
		}
	})
}
