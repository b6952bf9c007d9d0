package cli

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"partita/results"
)

// explainNames are the names of `explain --json` that other programs read, as in
// contractNames.
func explainNames() map[string]string {
	return map[string]string{
		"feasible": "boolean",
		"minimal":  "boolean",
		"conflict": "list",
		"nearest":  "list",

		"nearest[].requirement": "string",
		"nearest[].want":        "number",
		"nearest[].nearest":     "number",
		"nearest[].unit":        "string",
		"nearest[].strategy":    "string",
		"nearest[].proved":      "boolean",
		"nearest[].sentence":    "string",
	}
}

// TestExplainNames reads what explain prints as another program does.
func TestExplainNames(t *testing.T) {
	clash := map[string]string{"conflict[].requirement": "string", "conflict[].file": "string", "conflict[].line": "integer", "conflict[].sentence": "string", "scope": "strings"}
	further := map[string]string{"further[].conflict[].requirement": "string", "further[].nearest[].nearest": "number", "nearest[].also_relaxed": "strings"}
	binding := map[string]string{"binding": "strings"}
	for _, row := range []struct {
		name string
		args []string
		exit int
		also []map[string]string
	}{
		{"infeasible", []string{"slo-pair-infeasible.yaml"}, exitInfeasible, []map[string]string{clash}},
		{"several conflicts", []string{"llama-3.1-8b-one-24gb.yaml", "--ttft", "1us", "--tpot", "1us"}, exitInfeasible, []map[string]string{further}},
		{"feasible", []string{"llama-3.1-8b-one-24gb.yaml", "--tpot", "50ms"}, exitFound, []map[string]string{binding}},
	} {
		t.Run(row.name, func(t *testing.T) {
			args := append([]string{"explain", filepath.Join(repository, "examples", row.args[0]), "--json"}, row.args[1:]...)
			code, stdout, stderr := run(t.Context(), args...)
			if code != row.exit || strings.Count(stdout, "\n") != 1 {
				t.Fatalf("exit code %d, want %d; want one line of JSON, got %q\n%s", code, row.exit, stdout, stderr)
			}
			var doc map[string]any
			if err := json.Unmarshal([]byte(stdout), &doc); err != nil {
				t.Fatal(err)
			}
			names := explainNames()
			for _, more := range row.also {
				for path, kind := range more {
					names[path] = kind
				}
			}
			for path, kind := range names {
				for _, problem := range missing(doc, path, kind) {
					t.Error(problem)
				}
			}
			if doc["feasible"] != (row.exit == exitFound) {
				t.Errorf("feasible is %v with exit code %d", doc["feasible"], row.exit)
			}
		})
	}
}

// TestExplanationIsTheSameEverywhere: explain, the closest plan of solve and what solve
// says with --json speak of the same conflict.
func TestExplanationIsTheSameEverywhere(t *testing.T) {
	file := filepath.Join(repository, "examples", "slo-pair-infeasible.yaml")
	_, stdout, _ := run(t.Context(), "explain", file, "--json")
	var x results.Explanation
	if err := json.Unmarshal([]byte(stdout), &x); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	code, _, stderr := run(t.Context(), "solve", file, "-o", dir, "--json")
	if code != exitInfeasible {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	plan := readPlan(t, filepath.Join(dir, "closest-plan.json"))
	if plan.Explanation == nil || !slices.Equal(plan.Explanation.Conflict, x.Conflict) {
		t.Errorf("closest-plan.json explains %+v, explain %+v", plan.Explanation, x.Conflict)
	}
	for _, c := range x.Conflict {
		words := strings.Fields(c.Sentence)
		if text := strings.Join(strings.Fields(stderr), " "); !strings.Contains(text, strings.Join(words, " ")) {
			t.Errorf("stderr of solve --json does not say %q\n%s", c.Sentence, stderr)
		}
	}
	for line := range strings.Lines(stderr) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}
