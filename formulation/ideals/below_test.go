package ideals

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"partita/solver"
)

// What is asked to be below the optimum is refuted, with what was asked as the bound; below
// more than the optimum, the optimum is found and proved.
func TestBelow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := FromGraph(drawGraph(t, 9))
		best, err := Solve(t.Context(), p, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if best.Status == solver.Infeasible || best.Value == 0 {
			below, err := Solve(t.Context(), p, Options{Below: 1})
			if err != nil || best.Status == solver.Infeasible && (below.Status != solver.Infeasible || below.Stages != nil) {
				t.Fatalf("infeasible, and below 1 %+v, %v", below, err)
			}
			return
		}
		none, err := Solve(t.Context(), p, Options{Below: best.Value})
		if err != nil || none.Status != solver.Infeasible || none.Stages != nil || !math.IsInf(none.Value, 1) || none.Bound != best.Value {
			t.Fatalf("below the optimum %g: %+v, %v", best.Value, none, err)
		}
		again, err := Solve(t.Context(), p, Options{Below: best.Value * rapid.Float64Range(1.001, 3).Draw(t, "times")})
		if err != nil || again.Status != solver.Optimal || math.Abs(again.Value-best.Value) > 1e-9*best.Value {
			t.Fatalf("below more than %g: %+v, %v", best.Value, again, err)
		}
	})
}
