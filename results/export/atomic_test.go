package export

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, n := range names(t, dir) {
		data, err := os.ReadFile(filepath.Join(dir, n))
		if err != nil {
			t.Fatal(err)
		}
		out[n] = string(data)
	}
	return out
}

var errDisk = errors.New("the disk says no")

// Whichever rename or removal fails, the folder is as it was before: nothing
// half-replaced, nothing left over.
func TestWriteSetIsWholeOrNotAtAll(t *testing.T) {
	files := []Stream{Whole("plan.json", []byte("new plan")), Whole("report.md", []byte("new report")), Whole("manifest.json", []byte("new manifest"))}
	stale := []string{"closest-plan.json"}
	for _, before := range []map[string]string{
		{},
		{"plan.json": "old plan", "report.md": "old report", "notes.txt": "mine"},
		{"closest-plan.json": "old closest", "manifest.json": "old manifest"},
	} {
		for failing := 0; ; failing++ {
			dir := t.TempDir()
			for n, data := range before {
				if err := os.WriteFile(filepath.Join(dir, n), []byte(data), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			step := -1
			d := disk{
				rename: func(from, to string) error {
					if step++; step == failing {
						return errDisk
					}
					return os.Rename(from, to)
				},
				remove: func(name string) error {
					if step++; step == failing {
						return errDisk
					}
					return os.Remove(name)
				},
			}
			err := d.writeStreams(dir, files, stale)
			got := contents(t, dir)
			if step < failing { // no step was left to fail
				if err != nil {
					t.Fatal(err)
				}
				want := maps.Clone(before)
				delete(want, "closest-plan.json")
				for _, f := range files {
					want[f.Name] = content(t, f)
				}
				if !maps.Equal(got, want) {
					t.Errorf("written over %v: got %v, want %v", before, got, want)
				}
				break
			}
			if !errors.Is(err, errDisk) {
				t.Errorf("step %d fails: error %v, want %v", failing, err, errDisk)
			}
			if !maps.Equal(got, before) {
				t.Errorf("step %d fails: folder holds %v, want %v", failing, got, before)
			}
		}
	}
}

func TestWriteSetWhereNoFolderCanBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(filepath.Join(file, "out"), sampleReport()); err == nil {
		t.Error("a folder inside a file: want an error")
	}
}

func TestWriteSetWhereAFolderHasTheName(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, reportName), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := Write(dir, sampleReport())
	if err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("error %v: want one that names the folder in the way", err)
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("left over: %q", got)
	}
}

func TestWrittenFilesCanBeReadByOthers(t *testing.T) {
	dir := t.TempDir()
	if err := onDisk.writeStreams(dir, []Stream{Whole("plan.json", []byte("{}"))}, nil); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "plan.json"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Mode().Perm(), fs.FileMode(0o644); got != want {
		t.Errorf("mode %v: want %v", got, want)
	}
}

// content is what a file of a set holds.
func content(t *testing.T, f Stream) string {
	t.Helper()
	var b strings.Builder
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Files below the folder of the set are as whole as the others, commands can be run, and
// what a failed set made is gone again.
func TestFilesBelowTheFolder(t *testing.T) {
	dir := t.TempDir()
	start := Whole("launch/start.sh", []byte("#!/bin/sh\n"))
	start.Executable = true
	broken := disk{rename: func(string, string) error { return errDisk }, remove: os.Remove}
	if err := broken.writeStreams(dir, []Stream{start}, nil); !errors.Is(err, errDisk) {
		t.Fatalf("error %v: want %v", err, errDisk)
	}
	if got := names(t, dir); len(got) > 0 {
		t.Errorf("a set that failed leaves %q", got)
	}
	if err := WriteSet(dir, []Stream{start, Whole("a", nil)}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "launch", "start.sh"))
	if err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("%v, %v: want a file of mode 755", info, err)
	}
	for _, name := range []string{"../a", "/a", "b/../../c"} {
		if err := WriteSet(dir, []Stream{Whole(name, nil)}); err == nil {
			t.Errorf("%q: want an error, the file lies outside", name)
		}
	}
}
