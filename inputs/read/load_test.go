package read

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"partita/inputs"
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
		if got := d.problems.Err(); (got == nil) != (want == "") || got != nil && !strings.Contains(got.Error(), want) {
			t.Errorf("%s: %v, want %q", name, got, want)
		}
	}
}

// The place of an override names its path: the problem does not repeat it, and no
// GPUs are not unlimited ones.
func TestProblemsOfOverrides(t *testing.T) {
	d := newDraft()
	readOverrides(d, []Override{{Key: "workload.batch", Value: "-3"}, {Key: "cluster.count", Value: "0"}, {Key: "goal.requirements.ttft", Value: "fast"}}, fromFlag)
	got := d.problems.Err()
	if got == nil {
		t.Fatal("no problems")
	}
	for _, want := range []string{"--set workload.batch: -3 is out of bounds", "--set cluster.count: 0 is out of bounds", `--set goal.requirements.ttft: "fast" is not understood`} {
		if !strings.Contains(got.Error(), want) {
			t.Errorf("no %q in\n%v", want, got)
		}
	}
}

// A number of GPUs that replaces the file's brings its own number of nodes.
func TestReplacedNumberOfGPUs(t *testing.T) {
	const text = "## Environment\n* GPUs: 2 nodes of 8×H100\n## Model\n* Model: Llama-3.1-8B\n"
	for count, want := range map[string]inputs.Count{"32": {Min: 32, Max: 32}, "4..16": {Min: 4, Max: 16}, "unlimited": {Min: 1}, "16": {Min: 16, Max: 16}} {
		c, err := Load(Options{Paths: []string{"-"}, Stdin: strings.NewReader(text), Overrides: []Override{{Key: "cluster.count", Value: count}}})
		if err != nil {
			t.Errorf("%s: %v", count, err)
			continue
		}
		if p := c.Cluster.Pools[0]; p.Count != want || p.GPUsPerNode != 8 {
			t.Errorf("%s: %+v, %d a node", count, p.Count, p.GPUsPerNode)
		}
	}
}

func TestCostNeedsAPrice(t *testing.T) {
	const text = "## Environment\n* GPUs: 8×H100\n## Model\n* Model: Llama-3.1-8B\n## Goal\n* Budget: $10/h\n"
	load := func(text string, set ...Override) error {
		_, err := Load(Options{Paths: []string{"-"}, Stdin: strings.NewReader(text), Overrides: set})
		return err
	}
	if err := load(text); err == nil || !strings.HasPrefix(err.Error(), "-:6:3: a cost is required") || !strings.Contains(err.Error(), "usd_per_hour") {
		t.Errorf("got %v", err)
	}
	if err := load(text, Override{Key: "cluster.usd_per_hour", Value: "2.5"}); err != nil {
		t.Error(err)
	}
	if err := load(strings.ReplaceAll(text, "Budget: $10/h", "Optimise for cost")); err == nil || !strings.Contains(err.Error(), "the objective is the cost") {
		t.Errorf("got %v", err)
	}
}

func TestPrefillGeneratesNothing(t *testing.T) {
	for _, asked := range []string{"TPOT: 30ms", "Output throughput: 500 tokens/s"} {
		_, err := Load(Options{Paths: []string{"-"}, Stdin: strings.NewReader("## Environment\n* GPUs: 8×H100\n## Model\n* Model: Llama-3.1-8B\n## Input\n* Phase: prefill\n## Goal\n* " + asked + "\n")})
		if err == nil || !strings.HasPrefix(err.Error(), "-:8:3: prefill alone generates no tokens") {
			t.Errorf("%s: got %v", asked, err)
		}
	}
}

func TestDecodeHasNoFirstToken(t *testing.T) {
	_, err := Load(Options{Paths: []string{"-"}, Stdin: strings.NewReader("## Environment\n* GPUs: 8×H100\n## Model\n* Model: Llama-3.1-8B\n## Input\n* Phase: decode\n## Goal\n* TTFT: 1s\n")})
	if err == nil || !strings.HasPrefix(err.Error(), "-:8:3: decode alone has no first token") {
		t.Errorf("got %v", err)
	}
}
