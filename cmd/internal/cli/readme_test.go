package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// firstSolve is the command whose output the README shows.
const firstSolve = "bin/partita solve examples/llama-3.1-70b-2x8-h100.yaml"

// TestReadmeShowsRealOutput runs the README's first solve and compares what it
// prints with the block below the command. UPDATE_DOCS=1 writes the block anew.
func TestReadmeShowsRealOutput(t *testing.T) {
	readme := filepath.Join(repository, "README.md")
	data, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	const open, close = "```text\n", "```\n"
	at := strings.Index(text, firstSolve)
	if at < 0 {
		t.Fatalf("README does not show %q", firstSolve)
	}
	start := strings.Index(text[at:], open)
	if start < 0 {
		t.Fatalf("README shows no output below %q", firstSolve)
	}
	start += at + len(open)
	end := start + strings.Index(text[start:], close)

	examples, err := filepath.Abs(filepath.Join(repository, "examples"))
	if err != nil {
		t.Fatal(err)
	}
	absolute, err := filepath.Abs(readme)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	t.Chdir(folder)
	if err := os.Symlink(examples, "examples"); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	code, stdout, stderr := run(t.Context(), strings.Fields(firstSolve)[1:]...)
	if code != exitFound {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	stdout = regexp.MustCompile(`results in .*/partita-out`).ReplaceAllString(stdout, "results in …/partita-out")
	if os.Getenv("UPDATE_DOCS") != "" {
		if err := os.WriteFile(absolute, []byte(text[:start]+stdout+text[end:]), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(settled(stdout), settled(text[start:end])); diff != "" {
		t.Errorf("README shows another output (-program +README); UPDATE_DOCS=1 go test -run %s ./cmd/internal/cli writes it:\n%s", t.Name(), diff)
	}
}

// settled leaves out who confirmed the proof, which depends on the backends built
// in and on the machine's speed, and which bound settled how many of the choices,
// which every better bound changes; it joins lines, which break elsewhere then.
func settled(output string) []string {
	words := strings.Join(strings.Fields(output), " ")
	words = regexp.MustCompile(`: \d+ solved, .*? balance `).ReplaceAllString(words, " balance ")
	return strings.Split(words, ". ")
}
