package verify

import (
	"fmt"

	"partita/results"
)

// A plan that fails says which rule it breaks, what was wanted and what it has.
func ExampleCheck() {
	condition := llama8B()
	plan := &results.Plan{FormatVersion: results.FormatVersion, Condition: "llama-8b", Deployment: results.DeploymentOf(condition)}
	v, err := Check(plan, condition)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range Violations(v) {
		fmt.Printf("%s: want %s, got %s\n", c.Rule, c.Want, c.Got)
	}
	// Output: plan serves the phase of the workload: want mixed, got 0 phases
}
