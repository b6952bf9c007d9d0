package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestEveryCommandHasJSON: what a person reads a program can read as well.
func TestEveryCommandHasJSON(t *testing.T) {
	without := map[string]string{
		"partita": "an overview", "partita catalog": "its commands have it", "partita manual": "writes pages for people", "partita completion": "prints a script", "partita schema": "prints JSON",
	}
	eachCommand(func(cmd *cobra.Command) {
		if cmd.IsAdditionalHelpTopicCommand() {
			return
		}
		if has, why := cmd.Flags().Lookup("json") != nil, without[cmd.CommandPath()]; has == (why != "") {
			t.Errorf("%s has --json: %v, excused: %q", cmd.CommandPath(), has, why)
		}
	})
}

// TestFailuresAsJSON: with --json a failure is one JSON line, the last of stderr; stdout
// stays empty.
func TestFailuresAsJSON(t *testing.T) {
	example, err := filepath.Abs(filepath.Join(repository, "examples", "gpus-3.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("bad.yaml", []byte("cluster:\n  pools:\n    - nam: \"x\\e[31m\"\n      count: many\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		line     string
		exit     int
		message  string
		problems int
		file     string
		at       [2]int
		usage    string
	}{
		{line: "solve bad.yaml --json", exit: exitInvalidInput, message: "bad.yaml:3:7: ", problems: 2, file: "bad.yaml", at: [2]int{3, 7}},
		{line: "--json=true solve nowhere.yaml", exit: exitInvalidInput, message: "nowhere.yaml", problems: 1, file: "nowhere.yaml"},
		{line: "compare nowhere.yaml --json", exit: exitInvalidInput, message: "nowhere.yaml", problems: 1, file: "nowhere.yaml"},
		{line: "solve EXAMPLE --batch many --json", exit: exitUsage, message: "workload.batch", problems: 1, file: "--set workload.batch"},
		{line: "solve EXAMPLE --colour --json", exit: exitUsage, message: "unknown flag: --colour", usage: "partita solve"},
		{line: "solve --json", exit: exitUsage, message: "no condition file given", usage: "partita solve"},
		{line: "slove x.yaml --json", exit: exitUsage, message: `unknown command "slove"; did you mean solve?`, usage: "partita COMMAND"},
		{line: "catalog --json", exit: exitUsage, message: "want one of its commands: gpus, models", usage: "partita catalog"},
		{line: "catalog gpus H1000 --json", exit: exitUsage, message: "did you mean H100"},
		{line: "model EXAMPLE --decode x --json", exit: exitUsage, message: "--decode needs --map"},
		{line: "evaluate EXAMPLE --json", exit: -1},
	} {
		args := strings.Fields(strings.ReplaceAll(row.line, "EXAMPLE", example))
		code, stdout, stderr := run(t.Context(), args...)
		if row.exit < 0 { // whatever it is, it is JSON
			row.exit = code
		}
		if code != row.exit || stdout != "" {
			t.Errorf("%s: exit code %d, want %d; stdout %q", row.line, code, row.exit, stdout)
		}
		lines := strings.Split(strings.TrimRight(stderr, "\n"), "\n")
		var got failureLine
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &got); err != nil || len(lines) != 1 {
			t.Errorf("%s: %v\n%s", row.line, err, stderr)
			continue
		}
		if got.Exit != code || got.Error == "" || !strings.Contains(got.Message, row.message) || len(got.Problems) != row.problems ||
			row.usage != "" && !strings.HasPrefix(got.Usage, row.usage) || got.Problems == nil {
			t.Errorf("%s: %+v", row.line, got)
		}
		if row.problems > 0 {
			p := got.Problems[0]
			if p.File != row.file || p.Line != row.at[0] || p.Col != row.at[1] || p.Problem == "" || p.Want == "" {
				t.Errorf("%s: the first problem is %+v", row.line, p)
			}
		}
		if strings.Contains(stderr, "\x1b") {
			t.Errorf("%s: an escape sequence on stderr", row.line)
		}
	}
}

func TestWantsJSON(t *testing.T) {
	for line, want := range map[string]bool{
		"solve --json": true, "solve x --json=true": true, "solve --json=false": false, "solve -- --json": false, "solve --jsonx": false,
		"--json solve": true, "solve --json --json=0": false, "": false, "solve --json=maybe": false,
	} {
		if got := wantsJSON(strings.Fields(line)); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}
