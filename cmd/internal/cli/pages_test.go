package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

// The pages are README.md and docs/*.md. Every line of their code blocks that calls
// bin/partita is run as it stands, through bash, in the order of the page and in a
// folder of the page's own that holds a copy of examples/:
//
//	bin/partita solve examples/gpus-5.yaml -o out/five
//	bin/partita solve examples/llama-70b-one-24gb-infeasible.yaml   # exit 4
//	bin/partita pareto examples/huge.yaml                           # (long)
//
// A line must end with the code of its note, 0 without one. A line noted as long is
// run by `make docs-long` only, one that "needs NAME" where that program is there. A ```text block below a line shows what it prints,
// where "…" on a line stands for anything within it and a line "…" for any lines.

// step is one command line of a page.
type step struct {
	line  int
	text  string // as bash gets it
	exit  int
	long  bool
	shown *block // what the page says that it prints
}

// block is a ```text block: the lines [from, to) of the page, counted from 0.
type block struct{ from, to int }

var (
	callLine = regexp.MustCompile(`^(?:\$ )?((?:[A-Z_]+=\S+ )*(?:\S.*\| *)?bin/partita .*)$`)
	exitNote = regexp.MustCompile(`\s# .*\bexit (\d)`)
	longNote = regexp.MustCompile(`\s# .*\(long\)`)
	needNote = regexp.MustCompile(`\s# .*\bneeds (\S+)`)
)

// stepsOf finds the command lines of a page's code blocks: fenced, or indented by four.
func stepsOf(lines []string) []step {
	var steps []step
	fence := ""
	lastCall := -1
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if mark := strings.TrimSpace(line); strings.HasPrefix(mark, "```") {
			if fence != "" {
				fence = ""
				continue
			}
			fence = mark
			if next := min(i+1, len(lines)-1); mark == "```text" && !callLine.MatchString(strings.TrimSpace(lines[next])) {
				end := next
				for end < len(lines) && !strings.HasPrefix(strings.TrimSpace(lines[end]), "```") {
					end++
				}
				if between := strings.Join(lines[lastCall+1:i], ""); lastCall >= 0 && strings.Trim(between, " `") == "" {
					steps[len(steps)-1].shown = &block{from: next, to: end}
				}
			}
			continue
		}
		if fence == "" && !strings.HasPrefix(line, "    ") {
			continue
		}
		call := callLine.FindStringSubmatch(strings.TrimSpace(line))
		if call == nil {
			continue
		}
		s := step{line: i + 1, text: call[1]}
		for strings.HasSuffix(s.text, `\`) && i+1 < len(lines) {
			i++
			s.text = strings.TrimSuffix(s.text, `\`) + strings.TrimSpace(lines[i])
		}
		if note := exitNote.FindStringSubmatch(s.text); note != nil {
			s.exit = int(note[1][0] - '0')
		}
		s.long = longNote.MatchString(s.text)
		steps = append(steps, s)
		lastCall = i
	}
	return steps
}

// pagePaths are README.md and the pages of docs/.
func pagePaths(t testing.TB) []string {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join(repository, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	return append(pages, filepath.Join(repository, "README.md"))
}

func linesOf(t testing.TB, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(data), "\n")
}

// scratch is a folder in which command lines run as from the repository: it has
// bin/partita, which is this test binary, and a copy of examples/.
func scratch(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(binary, filepath.Join(dir, "bin", "partita")); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	if err := os.CopyFS(filepath.Join(dir, "examples"), os.DirFS(filepath.Join(repository, "examples"))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// runSteps runs the steps in a folder and returns what is wrong with each, if
// anything, and what each printed ("" where it did not run).
func runSteps(ctx context.Context, dir string, lines []string, steps []step, long bool) (problems, printed []string) {
	printed = make([]string, len(steps))
	for i, s := range steps {
		if s.long && !long {
			continue
		}
		if need := needNote.FindStringSubmatch(s.text); need != nil {
			if _, err := exec.LookPath(need[1]); err != nil && os.Getenv("PARTITA_TOOLS") == "" {
				continue
			}
		}
		cmd := exec.CommandContext(ctx, "bash", "-o", "pipefail", "-c", s.text)
		cmd.Dir = dir
		var errs strings.Builder
		cmd.Stderr = &errs
		out, err := cmd.Output()
		code := 0
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			code = exit.ExitCode()
		} else if err != nil {
			return append(problems, err.Error()), printed
		}
		if code != s.exit {
			problems = append(problems, fmt.Sprintf("line %d: %s\nexit code %d, want %d\n%s", s.line, s.text, code, s.exit, errs.String()))
			continue
		}
		printed[i] = string(out)
		if s.shown != nil {
			shown := strings.Join(lines[s.shown.from:s.shown.to], "\n")
			if !shows(settled(shown), settled(printed[i])) {
				problems = append(problems, fmt.Sprintf("line %d: %s\nthe page shows another output (-program +page):\n%s",
					s.line, s.text, cmp.Diff(settled(printed[i]), settled(shown))))
			}
		}
	}
	return problems, printed
}

// settled leaves out who confirmed the proof, which depends on the backends built
// in and on the machine's speed, and which bound settled how many of the choices,
// which every better bound changes. The paragraph is joined then, since it breaks
// elsewhere.
func settled(output string) []string {
	output = provedHow.ReplaceAllStringFunc(output, func(proof string) string {
		return strings.Join(strings.Fields(counted.ReplaceAllString(proof, "")), " ") + "\n"
	})
	lines := strings.Split(strings.TrimRight(output, "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return lines
}

var (
	provedHow = regexp.MustCompile(`(?m)^proof  .*\n(          .*\n)*`)
	counted   = regexp.MustCompile(`(?s): \d+ solved, .*`)
)

// shows tells whether the lines of a page show what was printed.
func shows(shown, printed []string) bool {
	if len(shown) == 0 {
		return len(printed) == 0
	}
	if strings.TrimSpace(shown[0]) == "…" {
		for skip := 0; skip <= len(printed); skip++ {
			if shows(shown[1:], printed[skip:]) {
				return true
			}
		}
		return false
	}
	if len(printed) == 0 {
		return false
	}
	parts := strings.Split(shown[0], "…")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	same := regexp.MustCompile("^" + strings.Join(parts, ".*") + "$").MatchString(printed[0])
	return same && shows(shown[1:], printed[1:])
}

// TestPages runs every command line of README and docs/ and checks every plan that
// was written. UPDATE_DOCS=1 writes the shown outputs anew; of those with "…" on a line
// of its own the lines that are found again, to be read.
func TestPages(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("bash is not installed")
	}
	for _, path := range pagePaths(t) {
		name, err := filepath.Rel(repository, path)
		if err != nil {
			t.Fatal(err)
		}
		lines := linesOf(t, path)
		steps := stepsOf(lines)
		if len(steps) == 0 {
			if name == "README.md" || filepath.Base(name) == "examples.md" {
				t.Errorf("%s shows no command", name)
			}
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := scratch(t)
			problems, printed := runSteps(t.Context(), dir, lines, steps, os.Getenv("PARTITA_DOCS_LONG") != "")
			if os.Getenv("UPDATE_DOCS") != "" {
				updatePage(t, path, lines, steps, printed)
			}
			for _, problem := range problems {
				t.Errorf("%s, %s", name, problem)
			}
			checkPlansBelow(t, dir, steps)
		})
	}
}

// refilled is a shown output with "…" on lines of its own, each other line replaced by the
// printed one that has most of its words, after those before it; kept where none has half.
func refilled(shown, printed []string) []string {
	words := func(line string) []string {
		return strings.FieldsFunc(line, func(r rune) bool { return unicode.IsDigit(r) || unicode.IsSpace(r) || strings.ContainsRune(".,…", r) })
	}
	var out []string
	from := 0
	for _, line := range shown {
		if strings.TrimSpace(line) == "…" {
			out = append(out, line)
			continue
		}
		if i := slices.IndexFunc(printed[from:], func(p string) bool { return shows([]string{line}, []string{p}) }); i >= 0 {
			out, from = append(out, line), from+i+1
			continue
		}
		mine, best, most := words(line), -1, 0.5
		for i := from; i < len(printed); i++ {
			theirs, same := words(printed[i]), 0
			for _, w := range mine {
				if slices.Contains(theirs, w) {
					same++
				}
			}
			share := 2 * float64(same) / float64(max(1, len(mine)+len(theirs)))
			if len(mine) == 0 && len(theirs) == 0 {
				share = 1
			}
			if share > most {
				best, most = i, share
			}
		}
		if best >= 0 {
			line, from = printed[best], best+1
		}
		out = append(out, line)
	}
	return out
}

// updatePage writes what was printed into the blocks that show it.
func updatePage(t *testing.T, path string, lines []string, steps []step, printed []string) {
	t.Helper()
	here := regexp.MustCompile(regexp.QuoteMeta(os.TempDir()) + `/\S*?/(partita-out|out)/`)
	for i, s := range slices.Backward(steps) {
		if s.shown == nil || printed[i] == "" {
			continue
		}
		old := lines[s.shown.from:s.shown.to]
		text := strings.Split(here.ReplaceAllString(strings.TrimRight(printed[i], "\n"), "…/$1/"), "\n")
		if slices.ContainsFunc(old, func(line string) bool { return strings.TrimSpace(line) == "…" }) {
			text = refilled(old, text)
		}
		lines = slices.Replace(slices.Clone(lines), s.shown.from, s.shown.to, text...)
	}
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}

// checkPlansBelow holds every plan that the commands of a page wrote against what a
// plan owes its reader; a proof is owed unless the page limits the time.
func checkPlansBelow(t *testing.T, dir string, steps []step) {
	t.Helper()
	limited := slices.ContainsFunc(steps, func(s step) bool { return strings.Contains(s.text, "--time-limit") })
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() != "plan.json" && entry.Name() != "closest-plan.json" {
			return err
		}
		plan := readPlan(t, path)
		checkPlan(t, plan, entry.Name() == "plan.json" && !limited)
		checkGraphs(t, filepath.Dir(path), plan)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestPagesNoticeWhatIsWrong: a documented command that fails, ends with another
// code, has no such flag or prints something else is found.
func TestPagesNoticeWhatIsWrong(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("bash is not installed")
	}
	for _, row := range []struct {
		page     string
		problems int
	}{
		{"    bin/partita catalog gpus H100", 0},
		{"    bin/partita catalog gpus | grep -q H100", 0},
		{"    bin/partita catalog gpus | grep -q H999", 1},
		{"    PARTITA_X=1 bin/partita catalog gpus H100 > h100.txt\n    cat h100.txt | bin/partita catalog models Llama-3.1-8B", 0},
		{"    bin/partita catalog gpus \\\n      H100", 0},
		{"    bin/partita catalog gpus no-such-gpu", 1},
		{"    bin/partita catalog gpus no-such-gpu   # exit 2", 0},
		{"    bin/partita catalog gpus H100   # exit 2", 1},
		{"    bin/partita catalog gpus no-such-gpu   # (long) not run here", 0},
		{"```sh\n$ bin/partita catalog gpus --colour\n```", 1},
		{"```text\nbin/partita nothing\n```", 1},
		{"bin/partita nothing, in prose", 0},
		{"    bin/partita catalog   # exit 2\n\n```text\nsomething\n```", 1},
		{"    bin/partita version\n\n```text\n…\nbackends:\n  labels …built in\n…\n```", 0},
		{"    bin/partita version\n\n```text\nbackends:\n…\n```", 1},
		{"    bin/partita version\n\n```text\n…\nbackends:\n  labels … made in\n…\n```", 1},
		{"```sh\nbin/partita version\n```\n\n```text\nno\n```", 1},
		{"    bin/partita version\n\nSome words.\n\n```text\nno output of it\n```", 0},
	} {
		lines := strings.Split(row.page, "\n")
		problems, _ := runSteps(t.Context(), scratch(t), lines, stepsOf(lines), false)
		if len(problems) != row.problems {
			t.Errorf("%s\n%d problems, want %d: %s", row.page, len(problems), row.problems, problems)
		}
	}
}
