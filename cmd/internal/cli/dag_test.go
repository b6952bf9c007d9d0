package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"partita/results"
	"partita/results/dagcheck"
)

// checkGraphs holds the graphs beside a plan, where there are any, against every rule and
// against the plan. TestPages does so for every example.
func checkGraphs(t *testing.T, dir string, plan *results.Plan) (checked int) {
	t.Helper()
	for _, name := range []string{"dag.dot", "dag-folded.dot"} {
		path := filepath.Join(dir, name)
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := dagcheck.Check(f, path, dagcheck.Options{Plan: plan})
		if err != nil {
			t.Error(err)
		} else if !got.OK {
			t.Errorf("%s\n%s", path, got.Text())
		}
		checked++
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	return checked
}

// TestGraphsByPhase: what the pages solve for both phases together has graphs for one
// alone, too.
func TestGraphsByPhase(t *testing.T) {
	for _, args := range [][]string{
		{"gpus-6.yaml", "--phase", "prefill"}, // context parallel
		{"gpus-7.yaml", "--phase", "decode"},
		{"three-pools-llama-70b-fp16.yaml", "--phase", "prefill"},
		{"deepseek-v3-fp8-4x8-h200.yaml", "--phase", "prefill"},
		{"deepseek-v3-fp8-4x8-h200.yaml", "--phase", "decode"},
	} {
		dir := t.TempDir()
		args[0] = filepath.Join(repository, "examples", args[0])
		code, stdout, stderr := run(t.Context(), append([]string{"solve", "-o", dir, "--json", "--backend", "labels"}, args...)...)
		if code != exitFound {
			t.Fatalf("%v: exit code %d\n%s", args, code, stderr)
		}
		if n := checkGraphs(t, dir, planOf(t, stdout)); n != 2 {
			t.Errorf("%v: %d graphs, want both", args, n)
		}
	}
}
