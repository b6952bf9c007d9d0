package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// contractNames are the names of plan.json that other programs read, each with the
// JSON it holds: a word of fits, several divided by "|". A list's elements follow "[]",
// and there must be at least one: a name below an empty list would be held by nothing.
// A trailing "?" of a kind says that the name may be absent.
func contractNames() map[string]string {
	return map[string]string{
		"format_version": "integer",
		"condition":      "string",
		"phases":         "list",

		"phases[].phase":                        "string",
		"phases[].strategy.replicas":            "integer",
		"phases[].strategy.pp":                  "integer",
		"phases[].strategy.tp":                  "integer|integers",
		"phases[].strategy.ep":                  "integer|integers",
		"phases[].strategy.cp":                  "integer|integers",
		"phases[].strategy.dp_attention":        "integer|integers",
		"phases[].strategy.micro_batches":       "integer",
		"phases[].gpus.available":               "integer|null",
		"phases[].gpus.used":                    "integer",
		"phases[].gpus.parts":                   "integer",
		"phases[].gpus.match":                   "boolean",
		"phases[].stages[].replica":             "integer",
		"phases[].stages[].index":               "integer",
		"phases[].stages[].first_layer":         "integer",
		"phases[].stages[].last_layer":          "integer",
		"phases[].stages[].pool":                "string",
		"phases[].stages[].gpus":                "strings",
		"phases[].stages[].time_ms":             "number",
		"phases[].stages[].memory_gib":          "number",
		"phases[].balance.time_max_over_mean":   "number",
		"phases[].balance.memory_max_over_mean": "number",
		"phases[].metrics":                      "object",
		"phases[].solve.status":                 "string",
		"phases[].solve.objective":              "number",
		"phases[].solve.best_bound":             "number",
		"phases[].solve.gap":                    "number",
		"phases[].solve.backend":                "string",
		"phases[].solve.time_ms":                "number",
		"phases[].solve.agreed_by":              "strings",
		"phases[].solve.outer.solved":           "integer",
		"phases[].solve.outer.infeasible":       "integer",
		"phases[].solve.outer.pruned":           "integer",

		"phases[].requirements[].name":           "string",
		"phases[].requirements[].want":           "number",
		"phases[].requirements[].got":            "number",
		"phases[].requirements[].met":            "boolean",
		"phases[].requirements[].margin_percent": "number",

		"comparison[].heuristic":   "string",
		"comparison[].feasible":    "boolean",
		"comparison[].objective":   "number?", // where the heuristic is feasible
		"comparison[].gap_percent": "number?",
		"comparison[].latency_ms":  "number?", "comparison[].tokens_per_s": "number?", "comparison[].gpus": "number?",
		"comparison[].why_infeasible": "string?", // where it is not

		"verification.ok":            "boolean",
		"verification.checks[].rule": "string",
		"verification.checks[].ok":   "boolean",
		"verification.checks[].want": "string",
		"verification.checks[].got":  "string",
		"verification.parts":         "integer",
		"verification.gpus":          "integer",

		"statements[].file":     "string",
		"statements[].line":     "integer",
		"statements[].text":     "string",
		"statements[].used_as":  "string",
		"assumptions[].what":    "string",
		"assumptions[].value":   "string",
		"assumptions[].because": "string",
		"warnings":              "list",
	}
}

// TestNamesThatOtherProgramsRelyOn reads what the program writes as another program
// does, by name alone. Fields may be added; none of these may move.
func TestNamesThatOtherProgramsRelyOn(t *testing.T) {
	usd := []string{"--set", "cluster.usd_per_hour=1"}
	for _, row := range []struct {
		name, example, key string
		args               []string
		exit               int
		metrics, absent    []string // of phases[].metrics
		stated             bool     // utilisations are stated: figures follow from them, without intervals
		either             bool     // intervals hang on what was measured
		names              map[string]string
	}{
		{
			name: "mixed", example: "llama-3.1-8b-one-24gb.yaml", key: "plan", exit: exitFound,
			args:    append([]string{"--ttft", "20s", "--tpot", "1s"}, usd...),
			metrics: []string{"ttft_ms", "tpot_ms", "tokens_per_s", "tokens_per_s_per_gpu", "e2e_ms", "usd_per_million_tokens"},
		},
		{
			name: "prefill", example: "llama-3.1-8b-one-24gb.yaml", key: "plan", exit: exitFound,
			args:    []string{"--phase", "prefill", "--ttft", "20s"},
			metrics: []string{"ttft_ms", "tokens_per_s", "tokens_per_s_per_gpu"},
			absent:  []string{"output_tokens_per_s", "usd_per_million_tokens"},
		},
		{
			name: "an unlimited number", example: "qwen3-235b-unlimited-64gb.md", key: "plan", exit: exitFound, stated: true,
			metrics: []string{"ttft_ms", "tokens_per_s", "tokens_per_s_per_gpu"},
		},
		{
			name: "infeasible", example: "llama-3.1-8b-one-24gb.yaml", key: "closest_plan", exit: exitInfeasible,
			args:    []string{"--tpot", "1ms"},
			metrics: []string{"ttft_ms", "tpot_ms", "tokens_per_s", "tokens_per_s_per_gpu", "e2e_ms"},
			absent:  []string{"usd_per_million_tokens"},
		},
		{
			name: "an operator graph", example: "graphs/t5-11b.yaml", key: "plan", exit: exitFound, stated: true,
			metrics: []string{"samples_per_s", "sample_latency_ms"},
			absent:  []string{"tokens_per_s", "ttft_ms"},
			names:   map[string]string{"phases[].stages[].nodes": "integers", "phases[].stages[].work_ms": "number", "phases[].stages[].transfer_ms": "number"},
		},
		{
			name: "training", example: "training-llama-3.1-8b-8-h100.yaml", key: "plan", exit: exitFound, args: usd, either: true,
			metrics: []string{"step_ms", "tokens_per_s", "tokens_per_s_per_gpu", "mfu", "bubble_share", "sync_ms", "update_ms", "usd_per_million_tokens"},
			absent:  []string{"ttft_ms", "tpot_ms", "e2e_ms", "kv_capacity_tokens"},
			names: map[string]string{"phases[].strategy.virtual_stages": "integer", "phases[].strategy.zero": "integer", "phases[].stages[].rank": "integer", "phases[].stages[].chunk": "integer",
				"phases[].stages[].forward_ms": "number", "phases[].stages[].backward_ms": "number", "phases[].stages[].in_flight": "number",
				"phases[].stages[].memory.gradients_gib": "number", "phases[].stages[].memory.optimizer_gib": "number", "phases[].stages[].recompute": "string"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			args := append([]string{"solve", filepath.Join(repository, "examples", row.example), "-o", dir, "--json"}, row.args...)
			code, stdout, stderr := run(t.Context(), args...)
			if code != row.exit {
				t.Fatalf("exit code %d, want %d\n%s", code, row.exit, stderr)
			}
			paths := manifestPaths(t, filepath.Join(dir, "manifest.json"), stdout)
			for _, key := range []string{row.key, "report", "report_html"} {
				if paths[key] == "" {
					t.Fatalf("the manifest has no %q: %v", key, paths)
				}
			}
			doc := readJSON(t, paths[row.key])
			for path, kind := range contractNames() {
				for _, problem := range missing(doc, path, kind) {
					t.Error(problem)
				}
			}
			for path, kind := range row.names {
				for _, problem := range missing(doc, path, kind) {
					t.Error(problem)
				}
			}
			for _, phase := range doc.(map[string]any)["phases"].([]any) {
				metrics := phase.(map[string]any)["metrics"].(map[string]any)
				checkMetrics(t, metrics, row.metrics, row.absent)
				for _, name := range []string{"ttft_ms", "tpot_ms", "tokens_per_s"} {
					if _, ok := metrics[name+"_interval"]; ok == row.stated && !row.either {
						t.Errorf("metrics.%s_interval is there: %v, utilisation stated: %v", name, ok, row.stated)
					}
				}
			}
		})
	}
}

// checkMetrics: the figures that apply are there, those that do not are absent, and
// every interval belongs to a figure, which lies within it.
func checkMetrics(t *testing.T, metrics map[string]any, want, absent []string) {
	t.Helper()
	for _, name := range want {
		if !fits(metrics[name], "number") {
			t.Errorf("metrics.%s = %v, want a number", name, metrics[name])
		}
	}
	for _, name := range absent {
		if v, ok := metrics[name]; ok {
			t.Errorf("metrics.%s = %v, want it absent", name, v)
		}
	}
	for name, value := range metrics {
		base, ok := strings.CutSuffix(name, "_interval")
		if !ok {
			continue
		}
		ends, _ := value.([]any)
		if len(ends) != 2 || !fits(metrics[base], "number") || !fits(ends[0], "number") || !fits(ends[1], "number") {
			t.Errorf("metrics.%s = %v beside %s = %v, want [low, high] of a figure", name, value, base, metrics[base])
			continue
		}
		if x := metrics[base].(float64); ends[0].(float64) > x || x > ends[1].(float64) {
			t.Errorf("metrics.%s = %v, %s = %v lies outside", name, value, base, x)
		}
	}
}

// manifestPaths reads manifest.json, which is also what --json printed: every string of
// it, at any depth, is the absolute path of a file that is there.
func manifestPaths(t *testing.T, path, stdout string) map[string]string {
	t.Helper()
	doc := readJSON(t, path)
	var printed any
	if err := json.Unmarshal([]byte(stdout), &printed); err != nil {
		t.Fatalf("stdout is not one JSON value: %v\n%s", err, stdout)
	}
	if a, b := fmt.Sprint(doc), fmt.Sprint(printed); a != b {
		t.Errorf("manifest.json holds %s, stdout %s", a, b)
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			if info, err := os.Stat(v); err != nil || !filepath.IsAbs(v) || !info.Mode().IsRegular() {
				t.Errorf("manifest: %q, want the absolute path of a file (%v)", v, err)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			for _, x := range v {
				walk(x)
			}
		default:
			t.Errorf("manifest: %v is no path", v)
		}
	}
	walk(doc)
	paths := map[string]string{}
	for name, value := range doc.(map[string]any) {
		if s, ok := value.(string); ok {
			paths[name] = s
		}
	}
	return paths
}

func readJSON(t *testing.T, path string) any {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return doc
}

// missing follows a path through a document and says where it does not hold a kind.
// A list of requirements may be empty: a condition need not have any.
func missing(doc any, path, kind string) []string {
	head, rest, more := strings.Cut(path, ".")
	name, elements := strings.CutSuffix(head, "[]")
	object, ok := doc.(map[string]any)
	if !ok {
		return []string{fmt.Sprintf("%s: no object to hold it", path)}
	}
	value, present := object[name]
	if !more {
		kind, optional := strings.CutSuffix(kind, "?")
		if !present && optional || present && fits(value, kind) {
			return nil
		}
		return []string{fmt.Sprintf("%s = %v (present: %v), want %s", path, value, present, kind)}
	}
	if !elements {
		return missing(value, rest, kind)
	}
	list, ok := value.([]any)
	if !ok || len(list) == 0 && name != "requirements" {
		return []string{fmt.Sprintf("%s: %q is no list with elements", path, name)}
	}
	var problems []string
	for _, x := range list {
		problems = append(problems, missing(x, rest, kind)...)
	}
	return problems
}

// fits tells whether a value is of one of the kinds.
func fits(value any, kinds string) bool {
	for kind := range strings.SplitSeq(kinds, "|") {
		ok := false
		switch kind {
		case "null":
			ok = value == nil
		case "string":
			_, ok = value.(string)
		case "boolean":
			_, ok = value.(bool)
		case "object":
			_, ok = value.(map[string]any)
		case "list":
			_, ok = value.([]any)
		case "number":
			_, ok = value.(float64)
		case "integer":
			x, number := value.(float64)
			ok = number && x == float64(int64(x))
		case "integers", "strings":
			list, isList := value.([]any)
			ok = isList && len(list) > 0
			for _, x := range list {
				ok = ok && fits(x, strings.TrimSuffix(kind, "s"))
			}
		}
		if ok {
			return true
		}
	}
	return false
}

// TestContractNoticesWhatIsMissing: a name that is absent or of another kind is found.
func TestContractNoticesWhatIsMissing(t *testing.T) {
	doc := map[string]any{
		"a": map[string]any{"n": 1.5, "list": []any{map[string]any{"s": "x"}, map[string]any{}}, "empty": []any{}},
	}
	for _, row := range []struct {
		path, kind string
		problems   int
	}{
		{"a.n", "number", 0},
		{"a.n", "integer", 1},
		{"a.n", "integer|number", 0},
		{"a.m", "number", 1},
		{"a.m", "number?", 0},
		{"a.n", "string?", 1},
		{"a.list[].s", "string", 1},
		{"a.list[].s", "string?", 0},
		{"a.empty[].s", "string", 1},
		{"a.empty", "strings", 1},
		{"b.n", "number", 1},
	} {
		if got := missing(doc, row.path, row.kind); len(got) != row.problems {
			t.Errorf("%s as %s: %d problems %v, want %d", row.path, row.kind, len(got), got, row.problems)
		}
	}
}

// TestNamesAreDocumented: docs/commands.md lists every name that programs may rely on.
func TestNamesAreDocumented(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(repository, "docs", "commands.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, list, found := strings.Cut(string(data), "## Names that programs may rely on")
	if !found {
		t.Fatal("docs/commands.md has no list of names")
	}
	words := map[string]bool{}
	for _, word := range strings.FieldsFunc(list, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		words[word] = true
	}
	for path := range contractNames() {
		for name := range strings.SplitSeq(path, ".") {
			if name = strings.TrimSuffix(name, "[]"); !words[name] {
				t.Errorf("docs/commands.md does not list %s of %s", name, path)
			}
		}
	}
}
