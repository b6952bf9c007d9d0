package verify

import (
	"fmt"
	"math"

	"partita/results"
)

// checkSolve holds the facts of the solve against each other: no bound above the
// objective, the gap that follows from both, and "optimal" only where no outer
// choice is left open and the bound closes the gap. The proof itself is the
// solvers' word; the certificate says which of them agree.
func (a *audit) checkSolve() {
	s := &a.phase.Solve
	t := tally{rule: ruleSolve, want: "best_bound ≤ objective, gap = (objective − best_bound)/objective, optimal only without open choices"}
	if math.IsNaN(s.Objective) || math.IsInf(s.Objective, 0) {
		t.fail(0, "objective %s", number(s.Objective))
	}
	if b := s.BestBound; b != nil && !(*b <= s.Objective+tolerance*math.Abs(s.Objective)) {
		t.fail(0, "best bound %s above the objective %s", number(*b), number(s.Objective))
	}
	if s.Gap != nil {
		gap := 0.0
		if s.BestBound != nil && s.Objective != 0 {
			gap = (s.Objective - *s.BestBound) / s.Objective
		}
		if !(math.Abs(*s.Gap-gap) <= tolerance) {
			t.fail(0, "gap %s: want %s", number(*s.Gap), number(gap))
		}
	}
	for _, n := range []int{s.Outer.Solved, s.Outer.Infeasible, s.Outer.Pruned, s.Outer.Open} {
		if n < 0 {
			t.fail(0, "a count of outer choices below 0: %d", n)
		}
	}
	if s.Status == string(results.StatusOptimal) {
		if s.Outer.Open > 0 {
			t.fail(0, "optimal with %d outer choices open", s.Outer.Open)
		}
		if s.BestBound == nil {
			t.fail(0, "optimal without a bound")
		} else if !equal(*s.BestBound, s.Objective) {
			t.fail(0, "optimal with bound %s below the objective %s", number(*s.BestBound), number(s.Objective))
		}
	}
	t.report(a.list, fmt.Sprintf("status %s, objective %s", s.Status, number(s.Objective)))
}
