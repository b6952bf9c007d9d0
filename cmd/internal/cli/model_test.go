package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"partita/solver/solvertest"
)

// writtenJSON is what a test reads of `model --json`.
type writtenJSON struct {
	Optimum int64 `json:"optimum"`
	Files   []struct {
		File   string `json:"file"`
		AtMost *int64 `json:"at_most"`
	} `json:"files"`
	Map string `json:"map"`
}

// restoredJSON is what a test reads of `model --decode --json`.
type restoredJSON struct {
	Ticks    int64   `json:"ticks"`
	Gap      float64 `json:"gap_percent"`
	Verified bool    `json:"verified"`
	Plan     struct {
		Condition string           `json:"condition"`
		Phases    []map[string]any `json:"phases"`
	} `json:"plan"`
}

// TestRealConditionsInOtherSolvers: the model of a real condition, written by the
// command, has for each solver the optimum that the search proved. Its solution comes back as a verified
// plan of exactly that value; below the optimum solvers find nothing.
func TestRealConditionsInOtherSolvers(t *testing.T) {
	examples, err := filepath.Abs(filepath.Join(repository, "examples"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name  string
		files []string
		tools []string // tool.format, with "+" for --sparse
		heavy bool
	}{
		// Not lp_solve: after a minute it says that its arithmetic fails ("Accuracy error").
		{"two unlike cards", []string{"13b-two-gpus-30-50gb-free.csv", "13b-workload.yaml"}, []string{"cbc.mps", "glpsol.mps+", "cadical.cnf", "clasp.opb"}, false},
		{"experts", []string{"deepseek-v3-fp8-4x8-h200.yaml"}, []string{"lp_solve.lp", "cbc.mps+", "clasp.opb"}, true},
		{"requirements", []string{"two-hosts-of-four-a100.json", "qwen2.5-72b-workload.yaml"}, []string{"lp_solve.lp", "minisat.cnf"}, true},
		{"two hosts", []string{"llama-3.1-70b-2x8-h100.yaml"}, []string{"lp_solve.mps", "cbc.mps+", "cadical.cnf"}, true},
		{"latency", []string{"llama-3.1-70b-2x8-h100.yaml", "--objective", "latency"}, []string{"glpsol.mps+"}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.heavy && testing.Short() {
				t.Skip("seconds of other solvers' time: not in short mode")
			}
			var condition []string
			for _, f := range row.files {
				if strings.Contains(f, ".") {
					f = filepath.Join(examples, f)
				}
				condition = append(condition, f)
			}
			for _, tool := range row.tools {
				t.Run(tool, func(t *testing.T) {
					command, format, _ := strings.Cut(strings.TrimSuffix(tool, "+"), ".")
					solvertest.Tool(t, command)
					roundTrip(t, condition, command, format, strings.HasSuffix(tool, "+"))
				})
			}
		})
	}
}

func roundTrip(t *testing.T, condition []string, tool, format string, sparse bool) {
	t.Helper()
	dir := t.TempDir()
	args := append([]string{"model"}, condition...)
	args = append(args, "-o", filepath.Join(dir, "model."+format), "--json")
	if sparse {
		args = append(args, "--sparse")
	}
	code, stdout, stderr := run(t.Context(), args...)
	if code != exitFound {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	var written writtenJSON
	if err := json.Unmarshal([]byte(stdout), &written); err != nil {
		t.Fatal(err)
	}
	for _, f := range written.Files {
		p := solvertest.RunTool(t, tool, f.File, func(name string) bool { return strings.HasPrefix(name, "stage_") })
		solution := filepath.Join(dir, "solution")
		if err := os.WriteFile(solution, []byte(p.Text), 0o600); err != nil {
			t.Fatal(err)
		}
		code, stdout, stderr := run(t.Context(), append(append([]string{"model"}, condition...), "--decode", solution, "--map", written.Map, "--json")...)
		if below := f.AtMost != nil && *f.AtMost < written.Optimum; below || p.Infeasible {
			if !below || !p.Infeasible || code != exitInfeasible || !strings.Contains(stderr, "no solution") {
				t.Errorf("%s below the optimum: %v, without a solution: %v, exit code %d\n%s", f.File, below, p.Infeasible, code, stderr)
			}
			continue
		}
		if code != exitFound {
			t.Fatalf("exit code %d\n%s", code, stderr)
		}
		var back restoredJSON
		if err := json.Unmarshal([]byte(stdout), &back); err != nil {
			t.Fatal(err)
		}
		if back.Ticks != written.Optimum || back.Gap != 0 || !back.Verified || len(back.Plan.Phases) != 1 {
			t.Errorf("%s: the optimum is %d, %s found %+v", f.File, written.Optimum, tool, back)
		}
	}
}

// TestModelNames: the names of the JSON of model that other programs read.
func TestModelNames(t *testing.T) {
	example := filepath.Join(repository, "examples", "gpus-3.yaml")
	dir := t.TempDir()
	file := filepath.Join(dir, "m.cnf")
	head := []string{"format_version", "condition", "format", "status", "optimum", "optimum_value", "objective", "objective_unit"}
	entry := []string{"files", "map", "outer_choice", "replicas", "gpus_per_replica", "micro_batches", "decode_groups", "model_optimum", "proved", "final", "rank", "floor", "size", "purpose", "tick_value", "balance_floor"}
	has := func(what string, text []byte, names ...string) map[string]any {
		t.Helper()
		var object map[string]any
		if err := json.Unmarshal(text, &object); err != nil {
			t.Fatalf("%s: %v\n%.500s", what, err, text)
		}
		for _, name := range names {
			if v, ok := object[name]; !ok || v == nil {
				t.Errorf("%s has no %q", what, name)
			}
		}
		return object
	}
	first := func(what string, list any, names ...string) {
		t.Helper()
		items, _ := list.([]any)
		if len(items) == 0 {
			t.Fatalf("%s is no list with an element", what)
		}
		text, err := json.Marshal(items[0])
		if err != nil {
			t.Fatal(err)
		}
		has(what, text, names...)
	}
	code, stdout, stderr := run(t.Context(), "model", example, "-o", file, "--json")
	if code != exitFound {
		t.Fatal(stderr)
	}
	first("files", has("model --json", []byte(stdout), append(head, entry...)...)["files"], "file", "at_most")
	data, err := os.ReadFile(file + ".json")
	if err != nil {
		t.Fatal(err)
	}
	about := has("the map", data, append(head, "files", "outer_choice", "model_optimum", "proved", "spec", "candidates")...)
	first("candidates", about["candidates"], "name", "number", "first_layer", "last_layer", "pool", "gpus", "tp", "ep", "etp", "cp", "dp_attention", "ticks")

	code, stdout, stderr = run(t.Context(), "model", example, "--all", dir, "--json")
	if code != exitFound {
		t.Fatal(stderr)
	}
	has("model --all --json", []byte(stdout), append(head, "index", "models")...)
	if data, err = os.ReadFile(filepath.Join(dir, "index.json")); err != nil {
		t.Fatal(err)
	}
	index := has("the index", data, append(head, "gpu_count", "models", "left_out")...)
	first("models", index["models"], "files", "map", "outer_choice", "replicas", "gpus_per_replica", "micro_batches", "decode_groups", "rank", "floor", "size", "tick_value")
	first("left_out", index["left_out"], "replicas", "choices", "outcome", "why", "bound")
}
