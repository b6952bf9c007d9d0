package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// validateNames are the names of validate --json that other programs read, with their
// kinds as in contractNames.
func validateNames() map[string]string {
	names := map[string]string{
		"rows": "integer", "scored": "integer", "skipped[].reason": "string", "skipped[].rows": "integer",
		"each[].line": "integer", "each[].family": "string", "each[].metric": "string", "each[].measured": "number",
		"each[].predicted": "number?", "each[].error_pct": "number?", "each[].held_out": "number?", "each[].skipped": "string?", "each[].predicted_fit": "boolean?",
	}
	for _, list := range []string{"prediction[].", "totals[]."} {
		for name, kind := range map[string]string{"family": "string", "metric": "string", "n": "integer", "median_abs_pct": "number", "p90_abs_pct": "number", "bias_pct": "number"} {
			names[list+name] = kind
		}
	}
	for _, list := range []string{"choice[].", "choice_totals[]."} {
		for name, kind := range map[string]string{"family": "string", "metric": "string", "groups": "integer", "no_answer": "integer"} {
			names[list+name] = kind
		}
		for _, of := range []string{list, list + "rule.", list + "rules[]."} {
			for _, name := range []string{"top1", "mean_regret_pct", "p90_regret_pct"} {
				names[of+name] = "number"
			}
		}
		names[list+"rule.name"], names[list+"rules[].name"] = "string", "string"
	}
	for _, of := range []string{"memory.", "memory.families[]."} {
		for _, name := range []string{"ran_predicted_fit", "ran_predicted_oom", "oom_predicted_fit", "oom_predicted_oom"} {
			names[of+name] = "integer"
		}
	}
	names["memory.families[].family"] = "string"
	return names
}

func TestValidateNames(t *testing.T) {
	code, stdout, stderr := run(t.Context(), "validate", "--json", "--each", filepath.Join(repository, "examples", "measured/sample.csv"))
	if code != exitFound || stderr != "" {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	var line any
	if err := json.Unmarshal([]byte(stdout), &line); err != nil {
		t.Fatal(err)
	}
	for path, kind := range validateNames() {
		for _, problem := range missing(line, path, kind) {
			t.Error(problem)
		}
	}
}

// TestValidationPage: docs/validation.md shows what validate prints of the table of
// published measurements.
func TestValidationPage(t *testing.T) {
	table := filepath.Join(repository, "..", "shared", "measured", "measured.csv")
	if _, err := os.Stat(table); err != nil {
		t.Skip("the table of published measurements is not here: ", err)
	}
	page, err := os.ReadFile(filepath.Join(repository, "docs", "validation.md"))
	if err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := run(t.Context(), "validate", table)
	if code != exitFound {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	_, shown, _ := strings.Cut(string(page), "```text\n")
	shown, _, _ = strings.Cut(shown, "```")
	if shown != stdout {
		t.Errorf("docs/validation.md shows other figures; the output is now\n%s", stdout)
	}
}
