package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// paretoNames are the names of `pareto --json` that other programs read, with and without
// --vary, as contractNames has those of plan.json.
func paretoNames(vary bool) map[string]string {
	point := map[string]string{
		"points[].latency_ms": "number", "points[].tokens_per_s": "number", "points[].usd_per_hour": "number?",
		"points[].strategy.replicas": "integer", "points[].strategy.tp": "integer|integers", "points[].status": "string",
		"points[].ttft_ms": "number?", "points[].tpot_ms": "number?", "points[].deployment_tokens_per_s": "number",
		"points[].tokens_per_s_per_gpu": "number", "points[].gpus": "integer", "points[].summary": "string",
	}
	more := map[string]string{
		"status": "string", "axes": "strings", "throughput_of": "string", "requirements": "string", "points[].chosen_by": "list",
		"heuristics[].heuristic": "string", "heuristics[].feasible": "boolean", "heuristics[].strategy": "string?", "heuristics[].why_infeasible": "string?",
		"certificate.outer.solved": "integer", "certificate.choices[].replicas": "integer", "certificate.choices[].choices": "integer", "certificate.choices[].outcome": "string",
	}
	if vary {
		more = map[string]string{
			"path": "string", "objective": "string", "quantity": "boolean", "resolution": "number", "summary": "string",
			"points[].value": "string", "points[].number": "number", "points[].kind": "string",
			"changes[].last": "string", "changes[].first": "string", "changes[].at": "number", "changes[].from": "string", "changes[].to": "string",
		}
	}
	for name, kind := range more {
		point[name] = kind
	}
	return point
}

func TestParetoNamesThatOtherProgramsRelyOn(t *testing.T) {
	example := func(name string) string { return filepath.Join(repository, "examples", name) }
	for _, row := range []struct {
		name string
		vary bool
		args []string
	}{
		{"stated", false, []string{example("gpus-6.yaml"), "--phase", "prefill"}},
		{"priced", false, []string{example("gpus-5.yaml"), "--allow-idle", "--set", "cluster.usd_per_hour=2"}},
		{"open", false, []string{example("llama-3.1-70b-2x8-h100.yaml"), "--gpus", "4..8"}},
		{"vary", true, []string{example("gpus-6.yaml"), "--vary", "cluster.intra_link=100GB/s..400GB/s@3"}},
	} {
		code, stdout, stderr := run(t.Context(), append([]string{"pareto", "--json"}, row.args...)...)
		if code != exitFound {
			t.Errorf("%s: exit code %d\n%s", row.name, code, stderr)
			continue
		}
		var doc any
		if err := json.Unmarshal([]byte(stdout), &doc); err != nil || strings.Contains(stdout, "null") {
			t.Errorf("%s: %v\n%s", row.name, err, stdout)
			continue
		}
		for path, kind := range paretoNames(row.vary) {
			for _, problem := range missing(doc, path, kind) {
				t.Errorf("%s: %s", row.name, problem)
			}
		}
		last := 0.0
		for _, p := range doc.(map[string]any)["points"].([]any) {
			point := p.(map[string]any)
			checkIntervals(t, row.name, point)
			if l := point["latency_ms"].(float64); !row.vary && l < last {
				t.Errorf("%s: points do not come by latency: %g after %g", row.name, l, last)
			} else {
				last = l
			}
		}
	}
}

// checkIntervals: every interval belongs to a figure, which lies within it.
func checkIntervals(t *testing.T, name string, figures map[string]any) {
	t.Helper()
	seen := 0
	for key, value := range figures {
		base, ok := strings.CutSuffix(key, "_interval")
		if !ok {
			continue
		}
		seen++
		ends, _ := value.([]any)
		if x, ok := figures[base].(float64); !ok || len(ends) != 2 || ends[0].(float64) > x || x > ends[1].(float64) {
			t.Errorf("%s: %s = %v beside %v", name, key, value, figures[base])
		}
	}
	if seen < 2 {
		t.Errorf("%s: %d intervals, want those of latency and throughput: %v", name, seen, figures)
	}
}

// The names are documented.
func TestParetoNamesAreDocumented(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(repository, "docs", "commands.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(data), "pareto --json")
	for _, vary := range []bool{false, true} {
		for path := range paretoNames(vary) {
			parts := strings.Split(path, ".")
			if name := strings.TrimSuffix(parts[len(parts)-1], "[]"); !strings.Contains(list, name) {
				t.Errorf("docs/commands.md does not list %s of pareto --json", path)
			}
		}
	}
}

// The frontier of the three-pool example is complete.
func TestParetoOfThreePoolsIsComplete(t *testing.T) {
	code, stdout, stderr := run(t.Context(), "pareto", filepath.Join(repository, "examples", "three-pools-llama-70b-fp16.yaml"), "--json", "--require-optimal")
	if code != exitFound || !strings.Contains(stdout, `"status":"optimal"`) {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}
