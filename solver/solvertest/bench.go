package solvertest

import (
	"testing"

	"partita/solver"
)

// Families are the benchmark instances, the smallest first.
func Families() []Family {
	return []Family{
		{Layers: 16, Pools: 1, Units: 4, Degrees: []int{1}},
		{Layers: 32, Pools: 2, Units: 8, Degrees: []int{1, 2}},
		{Layers: 48, Pools: 2, Units: 8, Degrees: []int{1, 2, 4}},
		{Layers: 80, Pools: 3, Units: 10, Degrees: []int{1, 2}},
	}
}

// Benchmark proves the optimum of every family up to the given number of layers.
func Benchmark(b *testing.B, backend solver.Backend, layers int) {
	for _, f := range Families() {
		if f.Layers > layers {
			continue
		}
		b.Run(f.Name(), func(b *testing.B) {
			m := f.Model()
			for b.Loop() {
				r, err := solver.Solve(b.Context(), m, backend, solver.Options{})
				if err != nil || r.Status != solver.Optimal {
					b.Fatalf("%v, %v", r.Status, err)
				}
				b.ReportMetric(float64(r.Calls), "calls")
				b.ReportMetric(float64(m.NumVariables()), "variables")
			}
		})
	}
}
