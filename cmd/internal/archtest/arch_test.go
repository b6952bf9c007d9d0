// Package archtest holds the tests that pin the shape of the project: which
// package may import which, and how long a file may be.
package archtest

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../../.."

// longestFile is the largest number of lines of a file written by hand; a longer
// one holds more than one concern.
const longestFile = 700

// arrow says what the packages under one folder may import of this project. The
// folder itself is always allowed.
type arrow struct {
	from   string   // folder, "partita/inputs" and below
	only   []string // the whole list of what they may import of ours
	except []string // folders below from that have an arrow of their own
}

func arrows() []arrow {
	return []arrow{
		{from: "partita/inputs"},
		{from: "partita/solver"},
		{from: "partita/formulation/cost", only: []string{"partita/inputs"}},
		{from: "partita/results", only: []string{"partita/inputs"}, except: []string{"partita/results/verify"}},
		{from: "partita/results/verify", only: []string{"partita/inputs", "partita/results", "partita/formulation/cost"}},
		{from: "partita/formulation", only: []string{"partita/inputs", "partita/results", "partita/solver"},
			except: []string{"partita/formulation/cost"}},
	}
}

// within reports whether a package is a folder or below it.
func within(pkg, folder string) bool {
	return pkg == folder || strings.HasPrefix(pkg, folder+"/")
}

func withinAny(pkg string, folders []string) bool {
	for _, folder := range folders {
		if within(pkg, folder) {
			return true
		}
	}
	return false
}

// forbidden lists the dependencies of ours that an arrow does not allow.
func (a arrow) forbidden(pkg string, deps []string) []string {
	if !within(pkg, a.from) || withinAny(pkg, a.except) {
		return nil
	}
	var bad []string
	for _, dep := range deps {
		if within(dep, "partita") && !within(dep, a.from) && !withinAny(dep, a.only) {
			bad = append(bad, dep)
		}
	}
	return bad
}

// dependencies maps each package of the module to all it needs, tests aside.
func dependencies(t *testing.T, tags string) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-tags", tags, "-f", "{{.ImportPath}} {{join .Deps \" \"}}", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	deps := map[string][]string{}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20) // one line holds all dependencies of a package
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		deps[words[0]] = words[1:]
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return deps
}

func TestArrows(t *testing.T) {
	for _, tags := range []string{"", "lpsolve"} {
		deps := dependencies(t, tags)
		for _, a := range arrows() {
			seen := false
			for pkg, needs := range deps {
				seen = seen || within(pkg, a.from)
				for _, bad := range a.forbidden(pkg, needs) {
					t.Errorf("tags %q: %s depends on %s; packages under %s may use %v only", tags, pkg, bad, a.from, a.only)
				}
			}
			if !seen {
				t.Errorf("no package under %s: the arrow guards nothing", a.from)
			}
		}
	}
}

// TestVerifierIsIndependent names what the verifier must never reach, by however
// long a way: a plan checked by the code that made it proves nothing.
func TestVerifierIsIndependent(t *testing.T) {
	for pkg, needs := range dependencies(t, "lpsolve") {
		if !within(pkg, "partita/results/verify") {
			continue
		}
		for _, dep := range needs {
			if withinAny(dep, []string{"partita/solver", "partita/formulation/stagegraph", "partita/formulation/encode", "partita/formulation/heuristic"}) {
				t.Errorf("%s reaches %s", pkg, dep)
			}
		}
	}
}

// TestCheckerOfDAGsIsIndependent: a graph checked by the code that draws it proves nothing.
func TestCheckerOfDAGsIsIndependent(t *testing.T) {
	seen := false
	for pkg, needs := range dependencies(t, "lpsolve") {
		if !within(pkg, "partita/results/dagcheck") {
			continue
		}
		seen = true
		for _, dep := range needs {
			if withinAny(dep, []string{"partita/results/dag", "partita/results/export", "partita/results/launch"}) {
				t.Errorf("%s reaches %s", pkg, dep)
			}
		}
	}
	if !seen {
		t.Error("no package under partita/results/dagcheck: the test guards nothing")
	}
}

func TestForbiddenSeesAnArrowAcross(t *testing.T) {
	for _, row := range []struct {
		pkg, dep string
		want     bool
	}{
		{"partita/inputs/read", "partita/inputs/catalog", false},
		{"partita/inputs/read", "partita/results", true},
		{"partita/solver/sat", "partita/inputs", true},
		{"partita/results/export", "partita/results/verify", false},
		{"partita/results/export", "partita/formulation/cost", true},
		{"partita/results/verify", "partita/formulation/cost", false},
		{"partita/results/verify", "partita/formulation", true},
		{"partita/formulation/cost", "partita/results", true},
		{"partita/formulation", "partita/cmd/internal/cli", true},
		{"partita/inputsx", "partita/solver", false},
	} {
		got := false
		for _, a := range arrows() {
			got = got || len(a.forbidden(row.pkg, []string{row.dep})) > 0
		}
		if got != row.want {
			t.Errorf("%s → %s: forbidden = %v, want %v", row.pkg, row.dep, got, row.want)
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	files := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && path != root {
			return filepath.SkipDir
		}
		if entry.IsDir() || filepath.Ext(path) != ".go" {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		if bytes.Contains(data, []byte("\n// Code generated ")) || bytes.HasPrefix(data, []byte("// Code generated ")) {
			return nil
		}
		if lines := bytes.Count(data, []byte("\n")); lines > longestFile {
			t.Errorf("%s has %d lines, at most %d", path, lines, longestFile)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 10 {
		t.Fatalf("found %d Go files: the walk misses the tree", files)
	}
}
