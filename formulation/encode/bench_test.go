package encode_test

import (
	"context"
	"testing"
	"time"

	"partita/formulation/encode"
	"partita/solver"
	"partita/solver/path/pathtest"
)

// patience is how long a benchmark waits for one proof.
const patience = 60 * time.Second

// BenchmarkSolve proves the instance families, seed 1, without an incumbent. SAT is
// left out: it cannot prove unlike times, where proofs are by counting. A family that
// takes longer than patience is skipped.
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
					ctx, cancel := context.WithTimeout(b.Context(), patience)
					r, err = encode.Solve(ctx, p, backend, encode.Options{})
					cancel()
					switch {
					case err != nil:
						b.Fatal(err)
					case r.Status != solver.Optimal:
						b.Skipf("%v after %v: value %d, bound %d", r.Status, patience, r.Value.Objective, r.Bound)
					}
				}
				b.ReportMetric(float64(r.Calls), "calls")
				b.ReportMetric(float64(r.Nodes), "boxes")
			})
		}
	}
}
