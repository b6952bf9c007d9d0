package encode_test

import (
	"testing"

	"partita/formulation/encode"
	"partita/solver"
	"partita/solver/path/pathtest"
)

// BenchmarkSolve proves the instance families, seed 1, without an incumbent. SAT is
// left out: it cannot prove unlike times, where proofs are by counting.
func BenchmarkSolve(b *testing.B) {
	for _, f := range pathtest.Families() {
		p := f.Problem(1)
		for _, backend := range backends(b) {
			if backend.Name() == "sat" {
				continue
			}
			b.Run(f.Name+"/"+backend.Name(), func(b *testing.B) {
				var r encode.Result
				var err error
				for b.Loop() {
					if r, err = encode.Solve(b.Context(), p, backend, encode.Options{}); err != nil || r.Status != solver.Optimal {
						b.Fatalf("%+v, %v", r, err)
					}
				}
				b.ReportMetric(float64(r.Calls), "calls")
				b.ReportMetric(float64(r.Nodes), "boxes")
			})
		}
	}
}
