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

// TestFlagsInDocuments: what a page calls, in a code block or in a sentence, is a
// command with these flags, also where the line is not run because it takes long.
func TestFlagsInDocuments(t *testing.T) {
	inline := regexp.MustCompile("`(?:bin/)?partita ([^`]*)`")
	for _, path := range pagePaths(t) {
		name, lines := filepath.Base(path), linesOf(t, path)
		check := func(line int, words []string) {
			if len(words) == 0 || words[0] == strings.ToUpper(words[0]) { // `partita COMMAND --help`
				return
			}
			// The flags may differ from command to command: the tree is asked.
			cmd, rest, err := newRoot(Environment{}).Find(words)
			if err != nil {
				t.Errorf("%s:%d: partita %s: %v", name, line, strings.Join(words, " "), err)
				return
			}
			for _, word := range rest {
				flag, _, _ := strings.Cut(word, "=")
				if long, ok := strings.CutPrefix(flag, "--"); ok && long != "" && long != "help" && cmd.Flag(long) == nil {
					t.Errorf("%s:%d: %s has no flag %s", name, line, cmd.CommandPath(), flag)
				}
			}
		}
		for _, s := range stepsOf(lines) {
			_, call, _ := strings.Cut(s.text, "bin/partita ")
			call, _, _ = strings.Cut(call, " | ")
			call, _, _ = strings.Cut(call, " #")
			if s.exit != exitUsage {
				check(s.line, strings.Fields(call))
			}
		}
		for i, line := range lines {
			for _, match := range inline.FindAllStringSubmatch(line, -1) {
				check(i+1, strings.FieldsFunc(match[1], func(r rune) bool { return strings.ContainsRune(" []…", r) }))
			}
		}
	}
}

// TestIndex: docs/README.md leads to every page of docs/.
func TestIndex(t *testing.T) {
	index := strings.Join(linesOf(t, filepath.Join(repository, "docs", "README.md")), "\n")
	for _, path := range pagePaths(t) {
		if name := filepath.Base(path); name != "README.md" && !strings.Contains(index, "]("+name+")") {
			t.Errorf("docs/README.md does not lead to %s", name)
		}
	}
}

// TestLinks: every relative link of README and docs/ leads to a file.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, page := range pagePaths(t) {
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
		if cmd.Hidden || cmd.Name() == "help" {
			return
		}
		if name := pageOf(cmd).name; !strings.Contains(page, "`"+name) {
			t.Errorf("docs/commands.md does not name `%s`", name)
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
