package cli

import (
	"os"
	"path/filepath"
	"testing"
)

// sharedConditions is a folder of conditions as people wrote them, beside the
// repository where it is developed.
const sharedConditions = repository + "/../shared/conditions"

// TestConditionsAsPeopleWriteThem solves every condition of the collection: each
// ends with a plan or with a proof that there is none, every statement accounted for.
func TestConditionsAsPeopleWriteThem(t *testing.T) {
	if testing.Short() {
		t.Skip("an unlimited number of GPUs takes long: not in short mode")
	}
	entries, err := os.ReadDir(sharedConditions)
	if err != nil {
		t.Skip("the collection of conditions is not beside the repository")
	}
	for _, entry := range entries {
		t.Run(entry.Name(), func(t *testing.T) {
			args := []string{"solve", filepath.Join(sharedConditions, entry.Name()), "-o", t.TempDir(), "--json"}
			if filepath.Ext(entry.Name()) == ".json" { // hardware alone: a model and a load belong to it
				args = append(args, "--model", "Llama-3-70B", "--batch", "64", "--input", "2048", "--output", "512")
			}
			code, stdout, stderr := run(t.Context(), args...)
			if code != exitFound && code != exitInfeasible {
				t.Fatalf("exit code %d\n%s", code, stderr)
			}
			checkPlan(t, planOf(t, stdout), code == exitFound)
		})
	}
}
