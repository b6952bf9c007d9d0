package path_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

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

func BenchmarkSolve(b *testing.B) {
	for _, f := range pathtest.Families() {
		b.Run(f.Name, func(b *testing.B) {
			p := f.Problem(1)
			for b.Loop() {
				r, err := path.Solve(context.Background(), p, path.Options{})
				if err != nil || r.Status != solver.Optimal {
					b.Fatal(fmt.Sprint(r.Status, r.Value.Objective, r.Bound, err))
				}
				b.ReportMetric(float64(r.Boxes), "boxes")
				b.ReportMetric(float64(r.Labels), "labels")
			}
		})
	}
}
