package batch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partita/inputs"
	"partita/inputs/scenario"
)

// shardsOf runs a batch in so many shares and returns their folders.
func shardsOf(t *testing.T, b *scenario.Batch, count int) []string {
	t.Helper()
	dir := t.TempDir()
	var folders []string
	for i := range count {
		folder := filepath.Join(dir, Share{i, count}.Folder())
		job := jobOf(b, folder, 2)
		job.Share = Share{i, count}
		if _, err := Run(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		folders = append(folders, folder)
	}
	return folders
}

func merge(t *testing.T, folder string, folders ...string) (Merged, error) {
	t.Helper()
	return Merge(MergeOptions{Folders: folders, Folder: folder, Program: "test", Warn: func(line string) { t.Log(line) }})
}

// TestMergeWritesWhatOneMachineWrites: also with more shares than scenarios, from the
// folder above, in any order, twice.
func TestMergeWritesWhatOneMachineWrites(t *testing.T) {
	b := batchOf(t, 13)
	want := whole(t, b)
	for _, count := range []int{1, 3, 20} {
		folders := shardsOf(t, b, count)
		backwards := make([]string, 0, count)
		for _, f := range folders {
			backwards = append([]string{f}, backwards...)
		}
		for _, given := range [][]string{backwards, {filepath.Dir(folders[0])}} {
			out := t.TempDir()
			for range 2 {
				merged, err := merge(t, out, given...)
				if err != nil {
					t.Fatalf("%d shares: %v", count, err)
				}
				if merged.Tally.Scenarios != 13 || merged.Name != "sweep" {
					t.Errorf("%+v", merged)
				}
				if diff := cmp.Diff(want, tree(t, out)); diff != "" {
					t.Errorf("%d shares: %s", count, diff)
				}
			}
		}
		// The folder above the shares may take the result, as the jobs of engines do.
		above := filepath.Dir(folders[0])
		if _, err := merge(t, above, above); err != nil {
			t.Error(err)
		}
		for name, data := range want {
			if got := tree(t, above)[name]; got != data {
				t.Errorf("%s above the shares: %s", name, cmp.Diff(data, got))
			}
		}
	}
}

func TestMergeRefuses(t *testing.T) {
	b := batchOf(t, 9)
	folders := shardsOf(t, b, 3)
	other := shardsOf(t, batchOf(t, 10), 3)
	halves := shardsOf(t, b, 2)
	unfinished := filepath.Join(t.TempDir(), "unfinished")
	job := jobOf(b, unfinished, 1)
	job.Share = Share{2, 3}
	ctx, cancel := context.WithCancel(t.Context())
	job.NewSolver = func() Solver {
		return func(ctx context.Context, s *scenario.Scenario) (Outcome, error) {
			if s.Index > 2 {
				cancel()
			}
			return outcomeOf(s), nil
		}
	}
	if _, err := Run(ctx, job); err == nil {
		t.Fatal("it ran to its end")
	}
	for _, row := range []struct {
		folders []string
		want    []string
	}{
		{folders[:2], []string{"shard-0-of-3/journal.jsonl:1: missing: shard 2/3, want all 3 shares"}},
		{[]string{folders[0], folders[1], folders[2], copied(t, folders[1])}, []string{"journal.jsonl:1: shard 1/3 is here and in " + folders[1]}},
		{[]string{folders[0], folders[1], other[2]}, []string{"shard-2-of-3/journal.jsonl:1: the share is of another batch than " + folders[0], "it had 9 scenarios, now 10"}},
		{[]string{folders[0], halves[1]}, []string{"shard-1-of-2/journal.jsonl:1: the batch is cut into 2 here and into 3 in"}},
		{[]string{folders[0], folders[1], unfinished}, []string{"unfinished/journal.jsonl:1: shard 2/3 has 1 of its 3 results", "it continues"}},
		{[]string{t.TempDir(), other[0], folders[1]}, []string{"no results of a batch are here", "another batch"}},
	} {
		out := filepath.Join(t.TempDir(), "out")
		_, err := merge(t, out, row.folders...)
		var problems inputs.Diagnostics
		if !errors.As(err, &problems) {
			t.Errorf("%v: %v", row.want, err)
			continue
		}
		for _, want := range row.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%v: something was written", row.want)
		}
	}
	if _, err := Merge(MergeOptions{Folders: folders, Folder: t.TempDir(), Program: "next", Warn: func(string) {}}); err == nil || !strings.Contains(err.Error(), "version test of the program wrote the shares, this is next") {
		t.Errorf("%v", err)
	}
	if _, err := merge(t, folders[0], folders...); err == nil || !strings.Contains(err.Error(), "cannot take the joined results") {
		t.Errorf("%v", err)
	}
	lost := filepath.Join(folders[1], "scenarios", "batch-2", "plan.json")
	if err := os.Remove(lost); err != nil {
		t.Fatal(err)
	}
	if _, err := merge(t, t.TempDir(), folders...); err == nil || !strings.HasPrefix(err.Error(), lost+": the file is gone") {
		t.Errorf("%v", err)
	}
}

// copied is a copy of a folder.
func copied(t *testing.T, folder string) string {
	t.Helper()
	out := t.TempDir()
	if err := os.CopyFS(out, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestMergeContinues: a merge that was cut short continues.
func TestMergeContinues(t *testing.T) {
	b := batchOf(t, 13)
	want := whole(t, b)
	folders := shardsOf(t, b, 3)
	out := t.TempDir()
	if _, err := merge(t, out, folders...); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(out, JournalName)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := strings.IndexByte(string(data), '\n') + 1; cut < len(data); cut += 1201 {
		if err := errors.Join(os.WriteFile(path, data[:cut], 0o644), os.Remove(filepath.Join(out, CSVName))); err != nil {
			t.Fatal(err)
		}
		if _, err := merge(t, out, folders...); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, tree(t, out)); diff != "" {
			t.Errorf("cut at %d: %s", cut, diff)
		}
	}
}

func TestMergeOfAFolderThatLooksLikeAPattern(t *testing.T) {
	b := batchOf(t, 5)
	want := whole(t, b)
	odd := filepath.Join(t.TempDir(), "a[b]*?")
	for i, f := range shardsOf(t, b, 2) {
		if err := os.CopyFS(filepath.Join(odd, fmt.Sprintf("shard-%d-of-2", i)), os.DirFS(f)); err != nil {
			t.Fatal(err)
		}
	}
	out := t.TempDir()
	if _, err := merge(t, out, odd); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, tree(t, out)); diff != "" {
		t.Error(diff)
	}
}
