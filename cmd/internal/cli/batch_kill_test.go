package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// killed is a batch that small GPUs solve in milliseconds, with every kind of end.
func killed(t *testing.T, scenarios int) string {
	t.Helper()
	dir := t.TempDir()
	var batches strings.Builder
	for i := range scenarios/4 - 1 {
		fmt.Fprintf(&batches, "%d, ", i+1)
	}
	for name, text := range map[string]string{
		"base.yaml": "cluster: {gpu: L4, gpus: 2}\nmodel: Llama-3.1-8B\nworkload: {input: 512, output: 64}\n",
		"sweep.yaml": "base: base.yaml\nmatrix:\n  - {field: workload.batch, values: [" + batches.String() + "none]}\n" +
			"  - {axis: goal, values: [{label: a}, {label: b, set: {goal.objective: latency}}, {label: c, set: {goal.requirements.tpot: 1ms}}, {label: d, set: {goal.requirements.ttft: 9s}}]}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "sweep.yaml")
}

// process starts the program as a process of its own.
func process(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Args = append([]string{"partita"}, args...) // TestMain runs the command of this name
	return cmd
}

// folderBytes are the files of a folder by their paths.
func folderBytes(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// countOf is a number of the environment: how often a make target repeats a test.
func countOf(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestBatchKilled kills a batch at random moments (SIGKILL) and starts it again, until
// it has been killed so many times; then it is left to end. The folder is that of a
// batch that nobody disturbed, byte for byte. `make kill` does it 100 times with 200
// scenarios.
func TestBatchKilled(t *testing.T) {
	kills := countOf(t, "PARTITA_KILLS", 5)
	config := killed(t, countOf(t, "PARTITA_KILL_SCENARIOS", 40))
	undisturbed := filepath.Join(t.TempDir(), "undisturbed")
	began := time.Now()
	if out, err := process(t.Context(), "batch", config, "-o", undisturbed, "--jobs", "2", "--failed-ok").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	whole := time.Since(began)
	want := folderBytes(t, undisturbed)

	random := rand.New(rand.NewPCG(uint64(kills), 7))
	landed, folders, ends := 0, 0, 0
	for landed < kills {
		folders++
		dir := filepath.Join(t.TempDir(), strconv.Itoa(folders))
		for {
			cmd := process(t.Context(), "batch", config, "-o", dir, "--failed-ok", "--jobs", strconv.Itoa(1+random.IntN(4)))
			var stderr strings.Builder
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			// Any moment of a whole run: while it starts, works, writes the final files.
			timer := time.AfterFunc(time.Duration(random.Float64()*1.2*float64(whole)), func() {
				if landed < kills {
					_ = cmd.Process.Kill() // it may have ended by itself
				}
			})
			err := cmd.Wait()
			timer.Stop()
			var exit *exec.ExitError
			if err == nil {
				ends++
				break
			}
			if !errors.As(err, &exit) || exit.ExitCode() != -1 {
				t.Fatalf("%v\n%s", err, stderr.String())
			}
			landed++
		}
		if diff := cmp.Diff(want, folderBytes(t, dir)); diff != "" {
			t.Fatalf("after %d kills: %s", landed, diff)
		}
	}
	t.Logf("%d kills in %d batches, each then the same as the undisturbed one", landed, ends)
}

// TestShardsKilledAndRetried runs the shards of a batch as engines do: a process each, all
// started with one command, killed at random moments and started again, some evicted
// (SIGTERM) and not killed. The joined results are those of one machine.
func TestShardsKilledAndRetried(t *testing.T) {
	config := killed(t, 40)
	whole := filepath.Join(t.TempDir(), "whole")
	began := time.Now()
	if out, err := process(t.Context(), "batch", config, "-o", whole, "--failed-ok").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	took := time.Since(began)
	for _, engine := range []struct{ name, index string }{{"pods", "JOB_COMPLETION_INDEX"}, {"array", "SLURM_ARRAY_TASK_ID"}} {
		t.Run(engine.name, func(t *testing.T) {
			const shards = 3
			out := filepath.Join(t.TempDir(), "out")
			var pods sync.WaitGroup
			for i := range shards {
				pods.Go(func() {
					random := rand.New(rand.NewPCG(uint64(i), 3))
					for try := 0; ; try++ {
						cmd := process(t.Context(), "batch", config, "--shards", strconv.Itoa(shards), "-o", out, "--failed-ok", "--jobs", "1")
						cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", engine.index, i))
						var stderr strings.Builder
						cmd.Stderr = &stderr
						if err := cmd.Start(); err != nil {
							t.Error(err)
							return
						}
						if try < 3 {
							signal := []os.Signal{os.Kill, syscall.SIGTERM}[random.IntN(2)]
							timer := time.AfterFunc(time.Duration(random.Float64()*float64(took)), func() { _ = cmd.Process.Signal(signal) }) // it may have ended
							defer timer.Stop()
						}
						err := cmd.Wait()
						var exit *exec.ExitError
						if err == nil {
							return
						}
						// Killed, terminated before it listens, or stopped in order: all are tried again.
						if !errors.As(err, &exit) || exit.ExitCode() != -1 && exit.ExitCode() != exitNothingFound || try > 5 {
							t.Errorf("shard %d: %v\n%s", i, err, stderr.String())
							return
						}
					}
				})
			}
			pods.Wait()
			if t.Failed() {
				return
			}
			joined := filepath.Join(t.TempDir(), "joined")
			if merged, err := process(t.Context(), "batch", "--merge", out, "-o", joined, "--failed-ok").CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, merged)
			}
			if diff := cmp.Diff(folderBytes(t, whole), folderBytes(t, joined)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestBatchInterrupted: the first signal ends it in order, exit code 5, and says how to
// go on; the same command does.
func TestBatchInterrupted(t *testing.T) {
	config := killed(t, 100)
	dir := filepath.Join(t.TempDir(), "out")
	var out, errs strings.Builder
	ctx, cancel := context.WithCancel(t.Context())
	env := Environment{In: strings.NewReader(""), Out: &out, Err: &errs, Now: time.Now, Version: "test"}
	// The context ends once the first results are there.
	go func() {
		for ctx.Err() == nil {
			if info, err := os.Stat(filepath.Join(dir, "results.jsonl")); err == nil && info.Size() > 2000 {
				cancel()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	code := Main(ctx, []string{"batch", config, "-o", dir, "--failed-ok"}, env)
	cancel()
	if code == exitFound {
		t.Skip("it was done before it could be interrupted")
	}
	if code != exitNothingFound || !strings.Contains(errs.String(), "of 100 scenarios done; the same command continues") {
		t.Fatalf("exit code %d\n%s", code, errs.String())
	}
	if _, err := os.Stat(filepath.Join(dir, "summary.csv")); err == nil {
		t.Error("a summary of a part")
	}
	if code, _, stderr := run(t.Context(), "batch", config, "-o", dir, "--failed-ok"); code != exitFound || !strings.Contains(stderr, "done by an earlier run") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}

// TestBatchOnAFullDisk: where the disk is full the batch ends with 1 and says so; with
// room again the same command continues to the same bytes.
func TestBatchOnAFullDisk(t *testing.T) {
	config := killed(t, 40)
	full := filepath.Join(t.TempDir(), "full")
	if err := os.Mkdir(full, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", full).CombinedOutput(); err != nil {
		t.Skipf("no small file system here: %s", out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", full).CombinedOutput(); err != nil {
			t.Errorf("umount: %s", out)
		}
	})
	dir := filepath.Join(full, "out")
	code, _, stderr := run(t.Context(), "batch", config, "-o", dir, "--failed-ok")
	if code != exitInternal || !strings.Contains(stderr, "no space left on device") {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	if out, err := exec.Command("mount", "-o", "remount,size=64m", full).CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	if code, _, stderr = run(t.Context(), "batch", config, "-o", dir, "--failed-ok"); code != exitFound || !strings.Contains(stderr, "done by an earlier run") {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	whole := filepath.Join(t.TempDir(), "whole")
	if code, _, stderr = run(t.Context(), "batch", config, "-o", whole, "--failed-ok"); code != exitFound {
		t.Fatal(stderr)
	}
	if diff := cmp.Diff(folderBytes(t, whole), folderBytes(t, dir)); diff != "" {
		t.Error(diff)
	}
}
