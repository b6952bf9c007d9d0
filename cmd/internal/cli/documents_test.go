package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// documented is one command line of a document's code block.
type documented struct {
	file string
	line int
	args []string
	exit int
}

// exitNote is how a document says that a command ends with another code than 0.
var exitNote = regexp.MustCompile(`# exit (\d)`)

// commandsOf collects the lines that call bin/partita in the code blocks of a document.
func commandsOf(t *testing.T, path string) []documented {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var found []documented
	for i, line := range strings.Split(string(data), "\n") {
		text := strings.TrimPrefix(strings.TrimSpace(line), "$ ")
		if !strings.HasPrefix(text, "bin/partita ") {
			continue
		}
		d := documented{file: filepath.Base(path), line: i + 1}
		if note := exitNote.FindStringSubmatch(text); note != nil {
			d.exit = int(note[1][0] - '0')
		}
		text, _, _ = strings.Cut(text, " #")
		d.args = strings.Fields(text)[1:]
		found = append(found, d)
	}
	return found
}

// TestDocumentedCommands runs every command line that README and the pages of docs/
// show, as shown, from a folder that holds the examples.
func TestDocumentedCommands(t *testing.T) {
	examples, err := filepath.Abs(filepath.Join(repository, "examples"))
	if err != nil {
		t.Fatal(err)
	}
	var all []documented
	pages, err := filepath.Glob(filepath.Join(repository, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, filepath.Join(repository, "README.md")) {
		found := commandsOf(t, page)
		if name := filepath.Base(page); len(found) == 0 && (name == "README.md" || name == "examples.md") {
			t.Errorf("%s shows no command", name)
		}
		all = append(all, found...)
	}
	t.Chdir(t.TempDir())
	if err := os.Symlink(examples, "examples"); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	done := map[string]bool{}
	for _, d := range all {
		line := strings.Join(d.args, " ")
		if done[line] {
			continue
		}
		done[line] = true
		if code, _, stderr := run(t.Context(), d.args...); code != d.exit {
			t.Errorf("%s:%d: partita %s: exit code %d, want %d\n%s", d.file, d.line, line, code, d.exit, stderr)
		}
	}
}

// TestLinks: every relative link of README and docs/ leads to a file.
func TestLinks(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(repository, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, page := range append(pages, filepath.Join(repository, "README.md")) {
		data, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range link.FindAllStringSubmatch(string(data), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), match[1])); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", filepath.Base(page), match[1])
			}
		}
	}
}

// TestCommandsAreDocumented holds docs/commands.md against the command tree: every
// command and every flag of it is there, and no other flag.
func TestCommandsAreDocumented(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(repository, "docs", "commands.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	known := map[string]bool{"help": true}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Hidden || cmd.Name() == "help" || cmd.Name() == "completion" {
			return
		}
		if !strings.Contains(page, "`"+cmd.CommandPath()) {
			t.Errorf("docs/commands.md does not name `%s`", cmd.CommandPath())
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			known[f.Name] = true
			if f.Name != "help" && !strings.Contains(page, "`--"+f.Name) {
				t.Errorf("docs/commands.md does not name --%s of %s", f.Name, cmd.CommandPath())
			}
		})
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRoot(Environment{}))
	for _, name := range regexp.MustCompile("`--([a-z0-9-]+)").FindAllStringSubmatch(page, -1) {
		if !known[name[1]] {
			t.Errorf("docs/commands.md names --%s, which no command has", name[1])
		}
	}
}

// TestReadmeTargets: the two commands of the README are targets of the Makefile.
func TestReadmeTargets(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(repository, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("make is not installed")
	}
	for _, match := range regexp.MustCompile(`(?m)^ *make ([a-z]+)`).FindAllStringSubmatch(string(readme), -1) {
		if out, err := exec.Command("make", "-C", repository, "-n", match[1]).CombinedOutput(); err != nil {
			t.Errorf("README names `make %s`: %v\n%s", match[1], err, out)
		}
	}
	for _, target := range []string{"make run", "make test"} {
		if !strings.Contains(string(readme), target) {
			t.Errorf("README does not name %q", target)
		}
	}
}
