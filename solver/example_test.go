package solver_test

import (
	"context"
	"fmt"
	"os"

	"partita/solver"
	"partita/solver/bruteforce"
	"partita/solver/lpsolve"
	"partita/solver/sat"
)

// A knapsack: the loop asks the backend for points until none is better.
func Example() {
	m := solver.New("knapsack")
	a, b, c := m.Bool("a"), m.Bool("b"), m.Bool("c")
	m.AtMost("weight", solver.Term(3, a).Add(4, b).Add(2, c), 6)
	m.Maximize(solver.Term(5, a).Add(6, b).Add(4, c))

	r, err := solver.Solve(context.Background(), m, sat.New(), solver.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Status, r.Objective, "bound", r.BestBound)
	fmt.Println("a", a.In(r.Incumbent), "b", b.In(r.Incumbent), "c", c.In(r.Incumbent))
	// Output:
	// optimal 10 bound 10
	// a 0 b 1 c 1
}

// The model as text, for another solver.
func ExampleModel_WriteLP() {
	m := solver.New("one of three")
	x := []solver.Variable{m.Bool("x"), m.Bool("y"), m.Bool("z")}
	m.Equal("choice", solver.Sum(x...), 1)
	m.Minimize(solver.Term(3, x[0]).Add(2, x[1]).Add(4, x[2]))
	if err := m.WriteLP(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// /* one of three */
	// min: 3 x +2 y +4 z;
	// choice: 1 x +1 y +1 z = 1;
	// bin x, y, z;
}

// The capability table of the documents.
func ExampleWriteCapabilities() {
	err := solver.WriteCapabilities(os.Stdout, []solver.Described{
		{Name: "bruteforce", Capabilities: bruteforce.New().Capabilities()},
		{Name: "lpsolve", Capabilities: lpsolve.Capabilities()},
		{Name: "sat", Capabilities: sat.New().Capabilities()},
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// | backend | integers | unbounded | optimises | exact refutation | keeps state | conflicts | needs | good at |
	// |---|---|---|---|---|---|---|---|---|
	// | bruteforce | yes | – | yes | yes | – | – | nothing | models of some twenty Booleans; the oracle of the tests |
	// | lpsolve | yes | yes | yes | – | – | – | cgo, liblpsolve55, build tag lpsolve | side constraints over path models |
	// | sat | yes | – | – | yes | yes | yes | nothing (pure Go) | feasibility, side constraints, minimal conflicts |
}
