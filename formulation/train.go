package formulation

import (
	"fmt"

	"partita/inputs"
)

// trains reports whether a condition is of a training step of a model of layers.
func trains(c *inputs.Condition) bool {
	return c != nil && c.Model.Graph == nil && c.Workload.Phase == inputs.Training
}

// noTraining is the refusal of what is about serving alone; nil for a condition of serving.
func noTraining(c *inputs.Condition, command, remedy string) error {
	if !trains(c) {
		return nil
	}
	return &AskedError{Place: c.Places["workload.phase"], What: "phase training", Why: fmt.Sprintf("partita %s is about serving", command), Remedy: remedy}
}
