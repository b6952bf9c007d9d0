package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// edited is a saved plan after a change, as a file.
func edited(t *testing.T, plan string, change func(p map[string]any)) string {
	t.Helper()
	p := readJSON(t, plan).(map[string]any)
	change(p)
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "edited.json")
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func stageOf(p map[string]any, i int) map[string]any {
	return p["phases"].([]any)[0].(map[string]any)["stages"].([]any)[i].(map[string]any)
}

// A plan that was edited into something else is never made into files.
func TestExportRefusesEditedPlans(t *testing.T) {
	dir := t.TempDir()
	example := filepath.Join(repository, "examples", "gpus-3.yaml")
	if code, _, stderr := run(t.Context(), "solve", example, "-o", dir); code != exitFound {
		t.Fatal(stderr)
	}
	plan := filepath.Join(dir, "plan.json")
	for _, row := range []struct {
		name, says string
		change     func(p map[string]any)
	}{
		{"a layer less", "every layer is placed", func(p map[string]any) { stageOf(p, 0)["first_layer"] = 1 }},
		{"a GPU that is not there", "GPU", func(p map[string]any) { stageOf(p, 0)["gpus"] = []string{"node-9/gpu-0"} }},
		{"a better figure", "ttft_ms", func(p map[string]any) {
			p["phases"].([]any)[0].(map[string]any)["metrics"].(map[string]any)["ttft_ms"] = 1
		}},
		{"a larger GPU", "memory", func(p map[string]any) {
			pool := p["deployment"].(map[string]any)["cluster"].(map[string]any)["pools"].([]any)[0].(map[string]any)
			pool["memory_bytes"] = 2 * pool["memory_bytes"].(float64)
		}},
		{"a proof that is none", "plan says of the whole search", func(p map[string]any) {
			p["phases"].([]any)[0].(map[string]any)["solve"].(map[string]any)["status"] = "feasible"
		}},
		{"an optimum without a bound", "optimal without a bound", func(p map[string]any) {
			delete(p["phases"].([]any)[0].(map[string]any)["solve"].(map[string]any), "best_bound")
		}},
		{"a smaller batch", "sequences", func(p map[string]any) {
			p["deployment"].(map[string]any)["workload"].(map[string]any)["batch"] = 1
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "report.md")
			code, _, stderr := run(t.Context(), "export", edited(t, plan, row.change), "--to", "report", "-o", out)
			if code != exitUnverified || !strings.Contains(stderr, row.says) {
				t.Errorf("exit code %d, want %d and %q of\n%s", code, exitUnverified, row.says, stderr)
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("the report was written all the same")
			}
		})
	}
}

// A plan of format 1 is verified against the condition that it does not repeat, and
// becomes one of the present format.
func TestExportOfFormat1(t *testing.T) {
	dir := t.TempDir()
	example := filepath.Join(repository, "examples", "gpus-3.yaml")
	if code, _, stderr := run(t.Context(), "solve", example, "-o", dir); code != exitFound {
		t.Fatal(stderr)
	}
	old := edited(t, filepath.Join(dir, "plan.json"), func(p map[string]any) {
		p["format_version"] = 1
		delete(p, "deployment")
		delete(p, "outcome")
	})
	if code, _, stderr := run(t.Context(), "export", old, "--to", "plan"); code != exitUsage || !strings.Contains(stderr, "--condition FILE") {
		t.Errorf("exit code %d, want %d and the way out:\n%s", code, exitUsage, stderr)
	}
	code, stdout, stderr := run(t.Context(), "export", old, "--to", "plan", "--condition", example)
	if code != exitFound || !strings.Contains(stdout, `"format_version": 2`) || !strings.Contains(stdout, `"deployment": {`) {
		t.Errorf("exit code %d: %s\n%.300s", code, stderr, stdout)
	}
	other := filepath.Join(repository, "examples", "gpus-5.yaml")
	if code, _, stderr := run(t.Context(), "export", old, "--to", "plan", "--condition", other); code != exitUnverified {
		t.Errorf("with the condition of another plan: exit code %d, want %d\n%s", code, exitUnverified, stderr)
	}
}
