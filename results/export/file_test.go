package export

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestCreate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "condition.yaml")
	holds := func(want string) {
		t.Helper()
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want {
			t.Errorf("the file holds %q (%v), want %q", got, err, want)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
			t.Errorf("%d entries beside it (%v), want none", len(entries)-1, err)
		}
	}
	if err := Create(path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	holds("one")
	if err := Create(path, []byte("two")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file that is there: %v, want fs.ErrExist", err)
	}
	holds("one")
	if err := linkless(path, path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("without links: %v, want fs.ErrExist", err)
	}
	holds("one")
	if err := Create(dir, []byte("two")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a folder: %v, want fs.ErrExist", err)
	}
	if err := Create(filepath.Join(dir, "absent", "x"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	holds("one")
}
