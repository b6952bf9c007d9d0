package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"partita/inputs/read"
)

// eachCommand visits the command tree, what cobra adds itself left out.
func eachCommand(visit func(cmd *cobra.Command)) {
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Name() == "help" || strings.HasPrefix(cmd.Name(), "__") {
			return
		}
		visit(cmd)
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRoot(Environment{}))
}

// TestHelpIsComplete: the help of every command says what it does, shows an example,
// the exit codes and where to read on, in 80 columns.
func TestHelpIsComplete(t *testing.T) {
	paths := map[string]bool{}
	eachCommand(func(cmd *cobra.Command) { paths[cmd.CommandPath()] = true })
	eachCommand(func(cmd *cobra.Command) {
		path := cmd.CommandPath()
		if _, ok := docs()[path]; !ok {
			t.Errorf("%s is not in docs() of docs.go: give it its exit codes, see-also and an example there", path)
			return
		}
		p := pageOf(cmd)
		topic := cmd.IsAdditionalHelpTopicCommand()
		if p.short == "" || len(p.see) == 0 || cmd.Parent() == cmd.Root() && p.long == "" {
			t.Errorf("%s: a short text, a long one and a see-also are wanted, got %q, %q, %q", path, p.short, p.long, p.see)
		}
		if !topic && (p.examples == "" || cmd != cmd.Root() && len(p.exits) < 2) {
			t.Errorf("%s: an example and exit codes are wanted, got %q and %v", path, p.examples, p.exits)
		}
		for line := range strings.Lines(p.text()) {
			if utf8.RuneCountInString(strings.TrimRight(line, "\n")) > columnsOfText {
				t.Errorf("%s: longer than %d columns: %s", path, columnsOfText, line)
			}
		}
		for _, see := range p.see {
			name := strings.Replace(see, " help", "", 1)
			if _, err := os.Stat(filepath.Join(repository, see)); err != nil && !paths[name] && see != "partita help" {
				t.Errorf("%s refers to %q, which is neither a document nor a command", path, see)
			}
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s: --%s says nothing", path, f.Name)
			}
		})
	})
	for path := range docs() {
		if !paths[path] {
			t.Errorf("docs() speaks of %q, which is no command", path)
		}
	}
}

// TestHelpExamples runs the example of every command from a folder like the repository.
func TestHelpExamples(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("bash is not installed")
	}
	eachCommand(func(cmd *cobra.Command) {
		if cmd.Example == "" {
			return
		}
		lines := strings.Split(cmd.Example, "\n")
		for i, line := range lines {
			lines[i] = "    " + strings.Replace(strings.TrimSpace(line), "partita ", "bin/partita ", 1)
			if strings.HasPrefix(line, "    ") { // continues the line before
				lines[i] = line
			}
		}
		steps := stepsOf(lines)
		if len(steps) == 0 {
			t.Errorf("%s: no command line in its example", cmd.CommandPath())
		}
		t.Run(cmd.CommandPath(), func(t *testing.T) {
			t.Parallel()
			problems, _ := runSteps(t.Context(), scratch(t), lines, steps, false)
			for _, problem := range problems {
				t.Error(problem)
			}
		})
	})
}

// TestEnvironmentTopic: the variables that the topic shows state what it says.
func TestEnvironmentTopic(t *testing.T) {
	shown := regexp.MustCompile(`(?m)^  (PARTITA_\S+)\s+(\S+)$`).FindAllStringSubmatch(environmentTopic(), -1)
	if len(shown) < 4 {
		t.Fatalf("%d variables shown", len(shown))
	}
	reader, err := read.NewReader("")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range shown {
		stated, err := reader.Stated(read.Options{Paths: []string{filepath.Join(repository, "examples", "three-pools-llama-70b-fp16.yaml")}, Env: []string{row[1]}})
		if err != nil || !stated[row[2]] {
			t.Errorf("%s does not state %s (%v)", row[1], row[2], err)
		}
	}
}

// TestManual: a page for each command, which the man macros take without a warning.
func TestManual(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man")
	if code, _, stderr := run(t.Context(), "manual", "-o", dir); code != exitFound {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	for _, name := range []string{"partita.1", "partita-solve.1", "partita-catalog-gpus.1", "partita-condition.7"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("groff is not installed: the pages are not set")
	}
	for _, page := range pages {
		out, err := exec.CommandContext(t.Context(), groff, "-man", "-Tutf8", "-ww", "-z", page).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", filepath.Base(page), err, out)
		}
	}
}

func TestEscapeRoff(t *testing.T) {
	for text, want := range map[string]string{
		`a\b`:        `a\eb`,
		".PP":        `\&.PP`,
		"'x\n.y":     "\\&'x\n\\&.y",
		"--set":      `\-\-set`,
		"≤ …":        `\[u2264] \[u2026]`,
		"no\u00a0br": `no\ br`,
	} {
		if got := escapeRoff(text); got != want {
			t.Errorf("%q is escaped %q, want %q", text, got, want)
		}
	}
}
