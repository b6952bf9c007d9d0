package dag_test

import (
	"fmt"

	"partita/results"
	"partita/results/dag"
)

// A plan of an earlier format does not say what it is for, and cannot be drawn.
func ExampleNodes() {
	plan := &results.Plan{Phases: make([]results.PhasePlan, 1)}
	_, err := dag.Nodes(plan, dag.Options{})
	fmt.Println(err)
	// Output: the plan has no deployment (format_version 1): it does not say which model it is for; solve the condition again with this version
}
