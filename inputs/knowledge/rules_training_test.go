package knowledge

import (
	"testing"

	"partita/inputs"
)

// TestRulesOfTraining: a rule for training binds that phase alone, and what binds serving
// does not bind it; a rule for none binds all.
func TestRulesOfTraining(t *testing.T) {
	for _, x := range []struct {
		of, workload inputs.Phase
		want         bool
	}{
		{inputs.Training, inputs.Training, true}, {"", inputs.Training, true},
		{inputs.Decode, inputs.Training, false}, {inputs.Mixed, inputs.Training, false},
		{inputs.Training, inputs.Mixed, false}, {inputs.Training, inputs.Prefill, false},
		{inputs.Decode, inputs.Mixed, true},
	} {
		if got := binds(x.of, x.workload); got != x.want {
			t.Errorf("a rule of %q binds %q: %t", x.of, x.workload, got)
		}
	}
}
