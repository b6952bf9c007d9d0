package read

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is no text is said in one line, at its first such byte.
func TestNotText(t *testing.T) {
	folder := t.TempDir()
	for _, c := range []struct{ name, data, at, part string }{
		{"binary.md", "## Input\n* Batch: \x00\x01", ":2:10: ", "the file is not text"},
		{"latin.md", "## Input\n* Batch: 4\n* Gr\xfc\xdfe\n", ":3:5: ", "UTF-8"},
		{"windows.csv", "\xff\xfen\x00a\x00m\x00e\x00", ":1:1: ", "PowerShell"},
	} {
		path := filepath.Join(folder, c.name)
		if err := os.WriteFile(path, []byte(c.data), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Load(Options{Paths: []string{path}})
		var ds Diagnostics
		if !errors.As(err, &ds) || len(ds) != 1 || !strings.HasPrefix(ds[0].Error(), path+c.at) || !strings.Contains(ds[0].Error(), c.part) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestLongTextsAreCutInProblems(t *testing.T) {
	d := facts(t, "## Input\n* "+strings.Repeat("Grüße ", 500)+": 4\n")
	if len(d.problems) != 1 || len([]rune(d.problems[0].Problem)) != longProblem+1 {
		t.Errorf("%v", d.problems)
	}
}

// A variable that is spelled almost right is a problem, another program's is none.
func TestEnvironmentWithOneUnderscore(t *testing.T) {
	for name, want := range map[string]string{
		"PARTITA_WORKLOAD_BATCH":                 "did you mean PARTITA_WORKLOAD__BATCH?",
		"PARTITA_GOAL_REQUIREMENTS__TTFT":        "did you mean PARTITA_GOAL__REQUIREMENTS__TTFT?",
		"PARTITA_MODEL_DIR_OF_SOMETHING_ELSE__X": "did you mean PARTITA_MODEL__DIR_OF_SOMETHING_ELSE__X?",
		"PARTITA_COLOR":                          "",
		"OTHER_WORKLOAD_BATCH":                   "",
	} {
		d := newDraft()
		readEnvironment(d, []string{name + "=64"})
		if got := d.problems.err(); (got == nil) != (want == "") || got != nil && !strings.Contains(got.Error(), want) {
			t.Errorf("%s: %v, want %q", name, got, want)
		}
	}
}

// The place of an override names its path: the problem does not repeat it, and no
// GPUs are not unlimited ones.
func TestProblemsOfOverrides(t *testing.T) {
	d := newDraft()
	readOverrides(d, []Override{{Key: "workload.batch", Value: "-3"}, {Key: "cluster.count", Value: "0"}, {Key: "goal.requirements.ttft", Value: "fast"}}, fromFlag)
	got := d.problems.err()
	if got == nil {
		t.Fatal("no problems")
	}
	for _, want := range []string{"--set workload.batch: -3 is out of bounds", "--set cluster.count: 0 is out of bounds", `--set goal.requirements.ttft: "fast" is not understood`} {
		if !strings.Contains(got.Error(), want) {
			t.Errorf("no %q in\n%v", want, got)
		}
	}
}
