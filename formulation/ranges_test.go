package formulation

import (
	"context"
	"math"
	"testing"

	"pgregory.net/rapid"

	"partita/formulation/stagegraph"
	"partita/inputs"
)

// Layouts bounded in ranges must give the same best value as layouts one by one, for
// values that count GPUs, do not, or both.
func TestRangesLoseNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		phase := rapid.SampledFrom([]inputs.Phase{inputs.Prefill, inputs.Decode, inputs.Mixed}).Draw(t, "phase")
		layers, experts := rapid.IntRange(2, 6).Draw(t, "layers"), rapid.Bool().Draw(t, "experts")
		p := testPool("a", hosts(1), 4, 40, 1e14, 1e11)
		p.Count, p.Nodes, p.GPUsPerNode = inputs.Count{Min: 1, Max: 20}, nil, 4
		c := testCondition(testModel(layers, 8, experts), phase, rapid.IntRange(1, 12).Draw(t, "batch"), p)
		byLatency := rapid.Float64Range(0, 2).Draw(t, "latency")
		byGPU := rapid.Float64Range(0, 2).Draw(t, "gpu")
		best := func(many int) float64 {
			r, err := newRun(c, Options{Backend: backendLabels})
			if err != nil {
				t.Fatal(err)
			}
			r.many = many
			counts := r.goal.layoutsOf()
			num, den, _ := r.balanceFloor()
			out, err := r.run(context.Background(), &pass{purpose: "test", layouts: counts.all(), num: num, den: den,
				value: func(l *stagegraph.Layout) coefficients {
					x, y := r.goal.latency(), r.goal.throughput(l.Used()*l.Replicas)
					return coefficients{byLatency*x.ttft + 1e-9, byLatency*x.round + byGPU*50*y.round + 1e-9}
				}})
			if err != nil {
				t.Fatal(err)
			}
			if !out.proved {
				t.Fatal("not proved")
			}
			if out.best == nil {
				return math.Inf(1)
			}
			return out.best.value
		}
		one, ranges := best(1<<30), best(1)
		if math.Abs(one-ranges) > 1e-4*one {
			t.Fatalf("best value %g with layouts one by one, %g in ranges", one, ranges)
		}
	})
}
