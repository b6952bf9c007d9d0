package sat_test

import (
	"context"
	"fmt"

	"partita/solver"
	"partita/solver/sat"
)

// Which of the requirements clash? The memory row stands; the others are up for
// discussion.
func ExampleBackend_Conflict() {
	m := solver.New("placement")
	small, large := m.Bool("small"), m.Bool("large")
	m.AtMost("memory", solver.Sum(small).Add(3, large), 3)
	groups := []solver.Constraint{
		m.AtLeast("quality", solver.Sum(large), 1),
		m.AtMost("budget", solver.Sum(small).Add(2, large), 3),
		m.AddClause("fallback", small),
	}
	conflict, err := sat.New().Conflict(context.Background(), m, groups)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range conflict {
		fmt.Println(c.Name())
	}
	// Output:
	// quality
	// fallback
}
