package batch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partita/inputs"
	"partita/inputs/read"
	"partita/inputs/scenario"
	"partita/results"
)

// batchOf is a batch of so many scenarios.
func batchOf(t testing.TB, n int) *scenario.Batch {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sweep.yaml")
	var text strings.Builder
	text.WriteString("base: base.yaml\nmatrix:\n  - {field: workload.batch, values: [1")
	for i := 2; i <= n; i++ {
		fmt.Fprintf(&text, ", %d", i)
	}
	text.WriteString("]}\n")
	if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	b, err := scenario.Read(scenario.Options{File: file})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// outcomeOf is the outcome of a scenario by its number: plans, closest plans, reasons.
func outcomeOf(s *scenario.Scenario) Outcome {
	objective, gap := 1.5+float64(s.Index)/3, float64(s.Index%4)
	out := Outcome{Result: results.ScenarioResult{Name: s.Name, Values: map[string]string{"batch": s.Values[0].Label}, Status: results.StatusOptimal}}
	switch s.Index % 5 {
	case 3:
		out.Result.Status, out.Result.Exit, out.Result.Reason = results.StatusInvalid, 3, "<no> \"reason\"\nat all"
	case 4:
		out.Result.Status, out.Result.Exit, out.Result.ClosestPlan = results.StatusInfeasible, 4, PathOf(s.Name, "closest-plan.json")
		out.Files = []Content{{"closest-plan.json", []byte(s.Name)}}
	default:
		out.Result.Objective, out.Result.Plan = &objective, PathOf(s.Name, "plan.json")
		out.Result.Comparison = []results.Comparison{{Heuristic: "even", Feasible: true, Objective: &objective, GapPercent: &gap}}
		out.Files = []Content{{"plan.json", []byte("plan of " + s.Name)}, {"report.md", []byte("# " + s.Name)}}
	}
	return out
}

func solver(_ context.Context, s *scenario.Scenario) (Outcome, error) { return outcomeOf(s), nil }

func jobOf(b *scenario.Batch, folder string, workers int) Job {
	return Job{
		Batch: b, Fingerprint: scenario.Fingerprint{Name: b.Name, Count: b.Len(), Scenarios: "x"}, Program: "test",
		Folder: folder, Workers: workers,
		NewSolver: func() Solver { return solver }, Observe: func(Progress) {}, Warn: func(string) {},
	}
}

// tree is all files of a folder by their paths.
func tree(t testing.TB, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(folder, path)
		files[filepath.ToSlash(name)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func whole(t testing.TB, b *scenario.Batch) map[string]string {
	t.Helper()
	folder := t.TempDir()
	if _, err := Run(t.Context(), jobOf(b, folder, 1)); err != nil {
		t.Fatal(err)
	}
	return tree(t, folder)
}

func TestRunWritesTheSameWhateverTheWorkers(t *testing.T) {
	b := batchOf(t, 43)
	want := whole(t, b)
	for _, name := range []string{ResultsName, CSVName, MarkdownName, JournalName, "scenarios/batch-1/plan.json", "scenarios/batch-5/closest-plan.json", "scenarios/batch-7/report.md"} {
		if want[name] == "" {
			t.Errorf("%s is missing", name)
		}
	}
	if lines := strings.Count(want[ResultsName], "\n"); lines != 43 || !strings.Contains(want[ResultsName], `"reason":"<no> \"reason\"\nat all"`) {
		t.Errorf("%d lines: %s", lines, want[ResultsName])
	}
	for _, workers := range []int{2, 7} {
		folder := t.TempDir()
		job := jobOf(b, folder, workers)
		var told bytes.Buffer
		job.Line = func(line []byte) error { told.Write(line); return nil }
		tally, err := Run(t.Context(), job)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, tree(t, folder)); diff != "" {
			t.Errorf("%d workers: %s", workers, diff)
		}
		if told.String() != want[ResultsName] {
			t.Errorf("%d workers: lines were told out of order", workers)
		}
		if tally.Scenarios != 43 || tally.ByExit[3] != 8 || tally.ByExit[4] != 8 {
			t.Errorf("%+v", tally)
		}
	}
}

// TestRunContinues stops a run again and again, after any number of results, with any
// number of workers, and breaks what a loss of power could.
func TestRunContinues(t *testing.T) {
	b := batchOf(t, 60)
	want := whole(t, b)
	for seed := range uint64(3) {
		random := rand.New(rand.NewPCG(seed, 1))
		folder := t.TempDir()
		var made sync.Map
		for stops := 0; ; stops++ {
			ctx, cancel := context.WithCancel(t.Context())
			left := atomic.Int64{}
			left.Store(int64(random.IntN(12)))
			job := jobOf(b, folder, 1+random.IntN(4))
			job.NewSolver = func() Solver {
				return func(ctx context.Context, s *scenario.Scenario) (Outcome, error) {
					if left.Add(-1) < 0 {
						cancel()
						return Outcome{Result: results.ScenarioResult{Name: "cut short"}}, nil
					}
					out := outcomeOf(s)
					made.Store(s.Index, true)
					return out, nil
				}
			}
			_, err := Run(ctx, job)
			cancel()
			if err == nil {
				break
			}
			var stopped *Interrupted
			if !errors.As(err, &stopped) || stopped.Total != 60 || stops > 200 {
				t.Fatal(err)
			}
			damage(t, folder, random)
		}
		if diff := cmp.Diff(want, tree(t, folder)); diff != "" {
			t.Errorf("seed %d: %s", seed, diff)
		}
	}
}

// damage does to a folder what a kill in the middle of a write or a loss of power does.
func damage(t *testing.T, folder string, random *rand.Rand) {
	t.Helper()
	path := filepath.Join(folder, JournalName)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	header := bytes.IndexByte(data, '\n') + 1
	switch random.IntN(4) {
	case 0: // the end of the journal did not reach the disk
		data = data[:header+random.IntN(len(data)-header+1)]
	case 1: // it did, but not what it holds
		data = append(data, make([]byte, random.IntN(300))...)
	case 2: // a file of a scenario is torn
		files, err := filepath.Glob(filepath.Join(folder, scenariosFolder, "*", "plan.json"))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) > 0 {
			if err := os.Truncate(files[random.IntN(len(files))], int64(random.IntN(5))); err != nil {
				t.Fatal(err)
			}
		}
	case 3: // passing files, and those of a scenario that was not recorded
		dir := filepath.Join(folder, scenariosFolder, "batch-60")
		if _, err := os.Stat(dir); err == nil {
			return // its result may be recorded already
		}
		err := errors.Join(os.WriteFile(filepath.Join(folder, ".partita-1.tmp"), nil, 0o600), os.MkdirAll(dir, 0o755),
			os.WriteFile(filepath.Join(dir, ".plan.json.tmp"), []byte("x"), 0o644))
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestRunRepeatsNothing: what has a result is not solved again.
func TestRunRepeatsNothing(t *testing.T) {
	b := batchOf(t, 20)
	folder := t.TempDir()
	var solved []int
	job := jobOf(b, folder, 1)
	ctx, cancel := context.WithCancel(t.Context())
	count := func(ctx context.Context, s *scenario.Scenario) (Outcome, error) {
		if len(solved) == 9 {
			cancel()
			return Outcome{}, nil
		}
		solved = append(solved, s.Index)
		return outcomeOf(s), nil
	}
	job.NewSolver = func() Solver { return count }
	if _, err := Run(ctx, job); err == nil || err.Error() != "stopped with 9 of 20 scenarios done; the same command continues" {
		t.Fatal(err)
	}
	// results.jsonl grows as they end.
	if lines := strings.Count(tree(t, folder)[ResultsName], "\n"); lines != 9 {
		t.Errorf("%d lines while it runs", lines)
	}
	job.NewSolver = func() Solver {
		return func(ctx context.Context, s *scenario.Scenario) (Outcome, error) {
			solved = append(solved, s.Index)
			return outcomeOf(s), nil
		}
	}
	var first Progress
	job.Observe = func(p Progress) {
		if first.Total == 0 {
			first = p
		}
	}
	for range 2 { // the second time nothing is left
		if _, err := Run(t.Context(), job); err != nil {
			t.Fatal(err)
		}
	}
	if first != (Progress{Total: 20, Done: 9, Earlier: 9, Failed: 3}) {
		t.Errorf("%+v", first)
	}
	slices.Sort(solved)
	for i, s := range solved {
		if i != s {
			t.Fatalf("solved %v", solved)
		}
	}
}

func TestRunStopsOnAFailure(t *testing.T) {
	b := batchOf(t, 30)
	broken := errors.New("no space left")
	job := jobOf(b, t.TempDir(), 3)
	job.NewSolver = func() Solver {
		return func(ctx context.Context, s *scenario.Scenario) (Outcome, error) {
			if s.Index == 7 {
				return Outcome{}, broken
			}
			return outcomeOf(s), nil
		}
	}
	if _, err := Run(t.Context(), job); !errors.Is(err, broken) || !strings.Contains(err.Error(), "scenario batch-8") {
		t.Errorf("%v", err)
	}
	job.Line = func([]byte) error { return broken }
	job.NewSolver = func() Solver { return solver }
	if _, err := Run(t.Context(), job); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

func TestRunRefusesAnotherBatch(t *testing.T) {
	b := batchOf(t, 3)
	folder := t.TempDir()
	if _, err := Run(t.Context(), jobOf(b, folder, 1)); err != nil {
		t.Fatal(err)
	}
	before := tree(t, folder)
	for _, row := range []struct {
		change func(*Job)
		want   string
	}{
		{func(j *Job) { j.Fingerprint.Scenarios = "y" }, "scenarios, their overrides"},
		{func(j *Job) { j.Fingerprint.Files = []read.FileSum{{Path: "a.yaml"}} }, "a.yaml is new"},
		{func(j *Job) { j.Program = "next" }, "version test of the program wrote it, this is next"},
		{func(j *Job) { j.Share = Share{1, 2} }, "it holds the whole batch, this is shard 1/2"},
	} {
		job := jobOf(b, folder, 1)
		row.change(&job)
		_, err := Run(t.Context(), job)
		var problems inputs.Diagnostics
		if !errors.As(err, &problems) || !strings.Contains(err.Error(), row.want) || problems[0].Place.Line != 1 {
			t.Errorf("%v, want %s", err, row.want)
		}
		if diff := cmp.Diff(before, tree(t, folder)); diff != "" {
			t.Error(diff)
		}
	}
	job := jobOf(b, folder, 1)
	job.Program, job.Fresh = "next", true
	if _, err := Run(t.Context(), job); err != nil {
		t.Error(err)
	}
}

func TestRunRefusesAForeignJournal(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, JournalName), []byte("my diary\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Run(t.Context(), jobOf(batchOf(t, 3), folder, 1))
	if err == nil || !strings.Contains(err.Error(), "journal.jsonl:1: not the journal of a batch") {
		t.Errorf("%v", err)
	}
}

// TestOneProcessAFolder: the second is refused while the first runs.
func TestOneProcessAFolder(t *testing.T) {
	b := batchOf(t, 3)
	folder := t.TempDir()
	job := jobOf(b, folder, 1)
	var second error
	job.NewSolver = func() Solver {
		return func(ctx context.Context, s *scenario.Scenario) (Outcome, error) {
			if s.Index == 1 {
				_, second = Run(ctx, jobOf(b, folder, 1))
			}
			return outcomeOf(s), nil
		}
	}
	if _, err := Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if second == nil || !strings.Contains(second.Error(), "another process is writing there") {
		t.Errorf("%v", second)
	}
}
