package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"partita/inputs"
	"partita/inputs/read"
	"partita/results"
)

func TestFolderNameStaysInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		got := folderName(name)
		if got == "" || got == "." || got == ".." || strings.ContainsAny(got, `/\`) || filepath.Base(got) != got {
			t.Fatalf("folderName(%q) = %q is not one folder", name, got)
		}
		if strings.HasPrefix(got, "-") {
			t.Fatalf("folderName(%q) = %q reads as a flag", name, got)
		}
		if again := folderName(got); again != got {
			t.Fatalf("folderName(%q) = %q, a second time %q", name, got, again)
		}
	})
}

func TestFolderName(t *testing.T) {
	for name, want := range map[string]string{
		"llama-3.1-70b-2x8-h100":      "llama-3.1-70b-2x8-h100",
		"../../etc/passwd":            "etc-passwd",
		`"; rm -rf ~; <script>|`:      "rm-rf-script",
		"":                            "condition",
		"..":                          "condition",
		"Qwen3 235B (64 GB cards) 日本": "Qwen3-235B-64-GB-cards",
	} {
		if got := folderName(name); got != want {
			t.Errorf("folderName(%q) = %q, want %q", name, got, want)
		}
	}
}

// TestNothingFound: without a plan and without a proof nothing is written.
func TestNothingFound(t *testing.T) {
	for name, r := range map[string]*results.Report{
		"no report": nil,
		"unknown":   {Status: results.StatusUnknown, Reasons: []string{"3 of 8 outer choices are open"}},
		"no plan":   {Status: results.StatusFeasible},
	} {
		var out bytes.Buffer
		dir := filepath.Join(t.TempDir(), "out")
		o := outputFlags{dir: dir}
		err := o.finish(Environment{Out: &out}, &inputs.Condition{}, r)
		if codeOf(err) != exitNothingFound {
			t.Errorf("%s: exit code %d, want %d", name, codeOf(err), exitNothingFound)
		}
		if r != nil && len(r.Reasons) > 0 && !strings.Contains(err.Error(), r.Reasons[0]) {
			t.Errorf("%s: %q does not say why", name, err)
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) || out.Len() > 0 {
			t.Errorf("%s: something was written", name)
		}
	}
}

// TestUnverifiedPlanIsNotWritten tampers with a plan that was found and verified.
func TestUnverifiedPlanIsNotWritten(t *testing.T) {
	file := filepath.Join(repository, "examples", "llama-3.1-8b-one-24gb.yaml")
	c, err := read.Load(read.Options{Paths: []string{file}})
	if err != nil {
		t.Fatal(err)
	}
	_, stdout, _ := run(t.Context(), "solve", file, "-o", t.TempDir(), "--json")
	for name, tamper := range map[string]func(*results.Plan){
		"untouched":      func(*results.Plan) {},
		"a layer less":   func(p *results.Plan) { p.Phases[0].Stages[0].LastLayer-- },
		"no such GPU":    func(p *results.Plan) { p.Phases[0].Stages[0].GPUs[0] = "node-9/gpu-9" },
		"a faster stage": func(p *results.Plan) { p.Phases[0].Stages[0].TimeMS /= 2 },
	} {
		plan := planOf(t, stdout)
		tamper(plan)
		dir := filepath.Join(t.TempDir(), "out")
		var out bytes.Buffer
		o := outputFlags{dir: dir}
		err := o.finish(Environment{Out: &out}, c, &results.Report{Plan: plan, Feasible: true, Status: results.StatusOptimal})
		if name == "untouched" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if codeOf(err) != exitUnverified {
			t.Errorf("%s: exit code %d, want %d", name, codeOf(err), exitUnverified)
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) || out.Len() > 0 {
			t.Errorf("%s: something was written", name)
		}
	}
}

func TestCodeOfAReport(t *testing.T) {
	for _, row := range []struct {
		status         results.Status
		feasible       bool
		requireOptimal bool
		want           int
	}{
		{results.StatusOptimal, true, true, exitFound},
		{results.StatusFeasible, true, false, exitFound},
		{results.StatusFeasible, true, true, exitNotOptimal},
		{results.StatusInfeasible, false, true, exitInfeasible},
	} {
		o := outputFlags{requireOptimal: row.requireOptimal}
		if got := o.code(&results.Report{Status: row.status, Feasible: row.feasible}); got != row.want {
			t.Errorf("%+v: code %d", row, got)
		}
	}
}

// TestCancelledBeforeTheStart: a run that is interrupted at once ends by itself,
// with a verified plan or with nothing, never with half of one.
func TestCancelledBeforeTheStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := filepath.Join(t.TempDir(), "out")
	code, stdout, stderr := run(ctx, "solve", filepath.Join(repository, "examples", "three-pools-llama-70b-fp16.yaml"), "-o", dir, "--json")
	switch code {
	case exitNothingFound:
		if _, err := os.Stat(dir); !os.IsNotExist(err) || stdout != "" {
			t.Error("nothing was found and something was written")
		}
	case exitFound:
		plan := planOf(t, stdout)
		if plan.Phases[0].Solve.Status == "optimal" {
			t.Error("cancelled before the start and yet optimal")
		}
	default:
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}

// TestOutOfTime: the plan in hand at the time limit carries its bound and gap.
func TestOutOfTime(t *testing.T) {
	dir := t.TempDir()
	code, stdout, stderr := run(t.Context(), "solve", filepath.Join(repository, "examples", "three-pools-llama-70b-fp16.yaml"),
		"-o", dir, "--json", "--require-optimal", "--time-limit", time.Millisecond.String())
	switch code {
	case exitFound, exitNothingFound: // proved within it, or nothing yet: the machine decides
	case exitNotOptimal:
		solve := planOf(t, stdout).Phases[0].Solve
		if solve.Status == "optimal" || solve.BestBound == nil || solve.Gap == nil {
			t.Errorf("status %q, bound %v, gap %v: want an incumbent with both", solve.Status, solve.BestBound, solve.Gap)
		}
	default:
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}
