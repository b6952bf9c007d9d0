package cli

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// resultNames are the names of a line of results.jsonl that other programs read, as
// contractNames are those of plan.json.
func resultNames(found bool) map[string]string {
	names := map[string]string{
		"name": "string", "values": "object", "status": "string", "exit": "integer", "metrics": "object", "comparison": "list",
	}
	if !found {
		names["reason"] = "string"
		return names
	}
	for name, kind := range map[string]string{
		"plan": "string", "objective": "number", "gap": "number", "agreed_by": "strings",
		"strategy.replicas": "integer", "strategy.pp": "integer", "strategy.tp": "integer|integers", "strategy.ep": "integer|integers", "strategy.cp": "integer|integers",
		"gpus.used": "integer", "gpus.parts": "integer", "gpus.match": "boolean",
		"metrics.ttft_ms": "number", "metrics.tpot_ms": "number", "metrics.tokens_per_s": "number", "metrics.tokens_per_s_per_gpu": "number", "metrics.e2e_ms": "number",
		"comparison[].heuristic": "string", "comparison[].feasible": "boolean", "comparison[].gap_percent": "number?", "comparison[].why_infeasible": "string?",
	} {
		names[name] = kind
	}
	return names
}

// TestNamesOfABatch reads what batch prints and writes as another program does.
func TestNamesOfABatch(t *testing.T) {
	dir := t.TempDir()
	code, stdout, stderr := run(t.Context(), "batch", filepath.Join(repository, "examples", "batch-clusters.toml"), "-o", dir, "--json", "--failed-ok")
	if code != exitFound {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if written := folderBytes(t, dir)["results.jsonl"]; written != strings.Join(lines[:len(lines)-1], "\n")+"\n" {
		t.Error("stdout does not begin with results.jsonl")
	}
	for i, line := range lines {
		var doc any
		if err := json.Unmarshal([]byte(line), &doc); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		names := map[string]string{"results": "string", "summary_csv": "string", "summary": "string", "scenarios": "integer", "by_status": "object", "exit": "integer",
			"heuristics[].heuristic": "string", "heuristics[].compared": "integer", "heuristics[].feasible": "integer", "heuristics[].optimal": "integer",
			"heuristics[].mean_gap_percent": "number?", "heuristics[].median_gap_percent": "number?", "heuristics[].max_gap_percent": "number?"}
		if i < len(lines)-1 {
			names = resultNames(doc.(map[string]any)["exit"] == 0.0)
		}
		for path, kind := range names {
			for _, problem := range missing(doc, path, kind) {
				t.Errorf("line %d: %s", i+1, problem)
			}
		}
		for _, name := range []string{"plan", "closest_plan"} {
			if path, ok := doc.(map[string]any)[name].(string); ok {
				readJSON(t, filepath.Join(dir, path))
			}
		}
	}
}
