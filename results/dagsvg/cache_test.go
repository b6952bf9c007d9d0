package dagsvg

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

const twoNodes = `digraph g { subgraph "cluster_gpu" { gpu="node-0/gpu-0"; a [shape=box,label="a"] b [shape=ellipse,label="b"] } a -> b }`

// Machine code is kept in a folder that is the user's alone, and in no other.
func TestMachineCodeIsKeptForTheUserAlone(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the cache folder is set by XDG_CACHE_HOME on Linux")
	}
	base := filepath.Join(t.TempDir(), "cache")
	t.Setenv("XDG_CACHE_HOME", base)
	if err := os.Mkdir(base, 0o700); err != nil {
		t.Fatal(err)
	}
	if machineCode() == nil {
		t.Fatal("a folder of one's own is not used")
	}
	dir := filepath.Join(base, "partita")
	for _, open := range []string{base, dir} {
		if err := os.Chmod(open, 0o777); err != nil {
			t.Fatal(err)
		}
		if machineCode() != nil {
			t.Errorf("%s is open to everybody and is used", open)
		}
		if err := os.Chmod(open, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	elsewhere := t.TempDir()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, dir); err != nil {
		t.Fatal(err)
	}
	if machineCode() != nil {
		t.Error("a link is followed")
	}
	if os.Geteuid() == 0 {
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(dir, 1000, 1000); err != nil {
			t.Fatal(err)
		}
		if machineCode() != nil {
			t.Error("the folder of another user is used")
		}
	}
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	if machineCode() != nil {
		t.Error("without a home there is no folder")
	}
}

// What is kept draws the same picture as what was just compiled, and damage to it is noticed.
func TestKeptMachineCodeDrawsTheSame(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", filepath.Join(t.TempDir(), "cache"))
	if err := os.Mkdir(os.Getenv("XDG_CACHE_HOME"), 0o700); err != nil {
		t.Fatal(err)
	}
	var first string
	for i, what := range []string{"nothing is kept", "kept", "damaged"} {
		if what == "damaged" {
			files, err := filepath.Glob(filepath.Join(os.Getenv("XDG_CACHE_HOME"), "partita", "*", "*"))
			if err != nil || len(files) != 1 {
				t.Fatalf("%v, %q: want one file", err, files)
			}
			if err := os.Truncate(files[0], 1000); err != nil {
				t.Fatal(err)
			}
		}
		e, err := makeEngine()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		svg, err := e.layout(twoNodes)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if i == 0 {
			first = string(svg)
		} else if string(svg) != first {
			t.Errorf("%s: another picture", what)
		}
	}
}
