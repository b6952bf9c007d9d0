package path_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"partita/solver"
	"partita/solver/path"
	"partita/solver/path/pathtest"
)

func TestSolveAgreesWithBruteForce(t *testing.T) {
	feasible := 0
	for seed := range uint64(3000) {
		p := pathtest.Random(rand.New(rand.NewPCG(seed, 1)))
		_, want, ok := path.BruteForce(p)
		got, err := path.Solve(context.Background(), p, path.Options{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if !ok {
			if got.Status != solver.Infeasible {
				t.Fatalf("seed %d: status %v value %d: want infeasible", seed, got.Status, got.Value.Objective)
			}
			continue
		}
		feasible++
		if got.Status != solver.Optimal || got.Value.Objective != want.Objective || got.Bound != want.Objective {
			t.Fatalf("seed %d: status %v value %d bound %d: want optimal %d", seed, got.Status, got.Value.Objective, got.Bound, want.Objective)
		}
		cut, err := path.Solve(context.Background(), p, path.Options{Cutoff: &want.Objective})
		if err != nil || cut.Status != solver.Infeasible || cut.Stages != nil {
			t.Fatalf("seed %d: cutoff at the optimum gives %v, %v: want infeasible", seed, cut.Status, err)
		}
		again, err := path.Solve(context.Background(), p, path.Options{Incumbent: got.Stages})
		if err != nil || again.Value.Objective != want.Objective || again.Status != solver.Optimal {
			t.Fatalf("seed %d: from its own optimum: %v %v", seed, again, err)
		}
	}
	if feasible < 500 {
		t.Fatalf("only %d feasible problems: the generator says too little", feasible)
	}
}

// patience is how long a benchmark waits for one proof; a family that takes longer is
// skipped, so that a bound that got better shows as a figure where there was none.
const patience = 30 * time.Second

func BenchmarkSolve(b *testing.B) {
	for _, f := range append(pathtest.Families(), pathtest.Large()...) {
		b.Run(f.Name, func(b *testing.B) {
			p := f.Problem(1)
			for b.Loop() {
				ctx, cancel := context.WithTimeout(b.Context(), patience)
				r, err := path.Solve(ctx, p, path.Options{})
				cancel()
				switch {
				case err != nil:
					b.Fatal(err)
				case r.Status != solver.Optimal:
					b.Skipf("%v after %v: value %d, bound %d", r.Status, patience, r.Value.Objective, r.Bound)
				}
				b.ReportMetric(float64(r.Boxes), "boxes")
				b.ReportMetric(float64(r.Labels), "labels")
			}
		})
	}
}
