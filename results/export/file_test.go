package export

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestFile(t *testing.T) {
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
	if err := File(path, []byte("one"), false); err != nil {
		t.Fatal(err)
	}
	holds("one")
	if err := File(path, []byte("two"), false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file that is there: %v, want fs.ErrExist", err)
	}
	holds("one")
	if err := File(path, []byte("three"), true); err != nil {
		t.Fatal(err)
	}
	holds("three")
	if err := linkless(path, path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("without links: %v, want fs.ErrExist", err)
	}
	holds("three")
	if err := File(dir, []byte("four"), true); err == nil {
		t.Error("a folder was replaced")
	}
	if err := File(filepath.Join(dir, "absent", "x"), nil, true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	holds("three")
}
