package sat_test

import (
	"context"
	"testing"
	"time"

	"partita/solver"
	"partita/solver/sat"
	"partita/solver/solvertest"
)

func TestScratch(t *testing.T) {
	for _, f := range solvertest.Families() {
		ctx, c := context.WithTimeout(t.Context(), 10*time.Second)
		s := time.Now()
		r, err := solver.Solve(ctx, f.Model(), sat.New(), solver.Options{})
		t.Log(f.Name(), "solve", r.Status, r.Objective, r.BestBound, r.Calls, err, time.Since(s))
		c()
	}
}
