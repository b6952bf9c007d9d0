package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// evaluationNames are the names of `evaluate --json` that other programs read, as in
// contractNames; a list under them has an element in the rows of the test that say so.
func evaluationNames() map[string]string {
	return map[string]string{
		"feasible":                      "boolean",
		"problems":                      "list",
		"gpus_needed":                   "integer",
		"gpus_given":                    "integer|null",
		"metrics":                       "object",
		"utilisation":                   "object",
		"requirements":                  "list",
		"requirements[].name":           "string",
		"requirements[].want":           "number",
		"requirements[].got":            "number",
		"requirements[].met":            "boolean",
		"requirements[].margin_percent": "number",
		"optimum_gap_percent":           "number|null",
		"changes":                       "list",
		"changes[].change":              "string",
		"changes[].gain_percent":        "number|null",
		"changes[].kind":                "string",
		"changes[].feasible":            "boolean",
		"engines":                       "list",
	}
}

// TestEvaluationNames reads what evaluate prints as another program does.
func TestEvaluationNames(t *testing.T) {
	shares := map[string]string{"utilisation.compute": "number", "utilisation.memory": "number", "utilisation.memory_bandwidth": "number", "utilisation.network": "number"}
	problems := map[string]string{"problems[].where": "string", "problems[].sentence": "string", "problems[].short_by": "number|null"}
	for _, row := range []struct {
		name    string
		args    []string
		exit    int
		metrics []string
		also    []map[string]string
		gap     string
	}{
		{"feasible", []string{"llama-3.1-70b-2x8-h100.yaml", "--strategy", "tp=8,pp=2", "--ttft", "60s"}, exitFound,
			[]string{"ttft_ms", "tpot_ms", "tokens_per_s", "tokens_per_s_per_gpu", "e2e_ms"}, []map[string]string{shares}, "number"},
		{"prefill", []string{"llama-3.1-70b-2x8-h100.yaml", "--strategy", "tp=8", "--phase", "prefill"}, exitFound,
			[]string{"ttft_ms", "tokens_per_s", "tokens_per_s_per_gpu"}, []map[string]string{shares}, "number"},
		{"memory", []string{"llama-3.1-70b-2x8-h100.yaml", "--strategy", "tp=1"}, exitInfeasible,
			[]string{"ttft_ms", "tpot_ms", "tokens_per_s"}, []map[string]string{shares, problems}, "null"},
		{"no figures", []string{"llama-3.1-70b-2x8-h100.yaml", "--strategy", "tp=3"}, exitInfeasible, nil, []map[string]string{problems}, "null"},
		{"unlimited", []string{"qwen3-235b-given-strategy.md", "--gpus", "unlimited", "--strategy", "tp=8,ep=8,replicas=16", "--time-limit", "1s"}, exitFound,
			[]string{"ttft_ms", "tpot_ms"}, []map[string]string{shares}, "number|null"},
	} {
		t.Run(row.name, func(t *testing.T) {
			args := append([]string{"evaluate", filepath.Join(repository, "examples", row.args[0]), "--json", "--backend", "labels"}, row.args[1:]...)
			code, stdout, stderr := run(t.Context(), args...)
			if code != row.exit {
				t.Fatalf("exit code %d, want %d\n%s", code, row.exit, stderr)
			}
			if strings.Count(stdout, "\n") != 1 {
				t.Errorf("want one line of JSON, got %q", stdout)
			}
			var doc map[string]any
			if err := json.Unmarshal([]byte(stdout), &doc); err != nil {
				t.Fatal(err)
			}
			names := evaluationNames()
			for _, more := range row.also {
				for path, kind := range more {
					names[path] = kind
				}
			}
			names["optimum_gap_percent"] = row.gap
			if len(doc["changes"].([]any)) == 0 {
				for path := range names {
					if strings.HasPrefix(path, "changes[]") {
						delete(names, path)
					}
				}
			}
			for path, kind := range names {
				for _, problem := range missing(doc, path, kind) {
					t.Error(problem)
				}
			}
			checkMetrics(t, doc["metrics"].(map[string]any), row.metrics, nil)
		})
	}
}

// TestEvaluationIsTheSameTwice: the same input gives the same bytes.
func TestEvaluationIsTheSameTwice(t *testing.T) {
	first := ""
	for range 2 {
		_, stdout, _ := run(t.Context(), "evaluate", filepath.Join(repository, "examples", "deepseek-v3-fp8-4x8-h200.yaml"), "--strategy", "tp=8,pp=2,dp=2,ep=16", "--json", "--backend", "labels")
		if first == "" {
			first = stdout
		}
		if stdout != first || stdout == "" {
			t.Fatalf("%q\n%q", first, stdout)
		}
	}
}

// TestGivenConditionOfAnAuthor: a published condition with a strategy that no reading
// maps onto its 128 cards.
func TestGivenConditionOfAnAuthor(t *testing.T) {
	path := filepath.Join(repository, "..", "shared", "conditions", "qwen3-235b-given-strategy.md")
	if _, err := os.Stat(path); err != nil {
		t.Skip("the published conditions are not here: ", err)
	}
	code, stdout, stderr := run(t.Context(), "evaluate", path, "--json", "--backend", "labels")
	var doc struct {
		Feasible   bool
		GPUsNeeded int `json:"gpus_needed"`
		GPUsGiven  int `json:"gpus_given"`
		Readings   []struct {
			GPUs     int
			Possible bool
		}
		Problems []struct {
			Where   string
			ShortBy float64 `json:"short_by"`
		}
		Changes []struct {
			Change   string
			Feasible bool
			GPUs     int
		}
	}
	if err := json.Unmarshal([]byte(stdout), &doc); err != nil || code != exitInfeasible {
		t.Fatalf("exit code %d, %v\n%s", code, err, stderr)
	}
	if doc.Feasible || doc.GPUsNeeded != 256 || doc.GPUsGiven != 128 || len(doc.Problems) != 1 || doc.Problems[0].ShortBy != 128 || !strings.HasSuffix(doc.Problems[0].Where, ":38:3") {
		t.Errorf("%+v", doc)
	}
	for i, r := range doc.Readings {
		if r.GPUs != 256 || r.Possible != (i < 2) {
			t.Errorf("reading %d: %+v", i, r)
		}
	}
	right := map[string]bool{}
	for _, x := range doc.Changes {
		if x.Feasible && x.GPUs == 128 {
			right[x.Change] = true
		}
	}
	for _, want := range []string{"DP 4 → 2", "TP 16 → 8", "PP 4 → 2"} {
		if !right[want] {
			t.Errorf("%s makes it one for 128 GPUs and is not among %v", want, right)
		}
	}
}

// TestEvaluationNamesAreDocumented: docs/commands.md lists them.
func TestEvaluationNamesAreDocumented(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(repository, "docs", "commands.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(data), "    evaluate --json")
	words := map[string]bool{"requirements": true, "name": true, "want": true, "got": true, "met": true, "margin_percent": true} // as in plan.json
	for _, word := range strings.FieldsFunc(list, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		words[word] = true
	}
	for path := range evaluationNames() {
		for name := range strings.SplitSeq(path, ".") {
			if name = strings.TrimSuffix(name, "[]"); !words[name] {
				t.Errorf("docs/commands.md does not list %s of evaluate --json", name)
			}
		}
	}
}
