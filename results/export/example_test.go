package export

import (
	"fmt"
	"os"

	"partita/results"
)

// A search that ends without a plan still has a summary.
func ExampleSummary() {
	r := &results.Report{Status: results.StatusInfeasible, Reasons: []string{"the weights need 141 GB, one card has 24 GB"}}
	if err := Summary(os.Stdout, r); err != nil {
		fmt.Println(err)
	}
	// Output:
	// Proved infeasible: no plan meets the condition, and none comes close enough to
	// show.
	// - the weights need 141 GB, one card has 24 GB
}
