package cli

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/jedib0t/go-pretty/v6/text"
)

// TestColored: --color decides, then NO_COLOR, then what forces colours, then whether it
// is a terminal that can.
func TestColored(t *testing.T) {
	for _, tc := range []struct {
		mode     string
		environ  string
		terminal bool
		want     bool
	}{
		{"auto", "", true, true},
		{"auto", "", false, false},
		{"auto", "NO_COLOR=1", true, false},
		{"auto", "NO_COLOR=", true, true}, // empty: as if not set, no-color.org says
		{"auto", "TERM=dumb", true, false},
		{"auto", "CLICOLOR=0", true, false},
		{"auto", "CLICOLOR_FORCE=1", false, true},
		{"auto", "CLICOLOR_FORCE=0", false, false},
		{"auto", "FORCE_COLOR=3", false, true},
		{"auto", "FORCE_COLOR=0", true, false},
		{"auto", "CLICOLOR_FORCE=1 NO_COLOR=1", false, false},
		{"always", "NO_COLOR=1 TERM=dumb", false, true},
		{"never", "CLICOLOR_FORCE=1", true, false},
	} {
		env := Environment{Environ: strings.Fields(tc.environ), color: &colorFlag{tc.mode}}
		if got := env.colored(tc.terminal); got != tc.want {
			t.Errorf("--color %s, %q, terminal %t: colours %t, want %t", tc.mode, tc.environ, tc.terminal, got, tc.want)
		}
	}
}

func TestColumns(t *testing.T) {
	for columns, want := range map[int]int{0: 80, 40: 60, 60: 60, 97: 97, 300: 120} {
		if got := columnsOf(columns); got != want {
			t.Errorf("a terminal of %d columns: laid out for %d, want %d", columns, got, want)
		}
	}
}

// onTerminal runs the built program with stdout and stderr on a terminal of some columns
// and returns what reached it.
func onTerminal(t *testing.T, columns uint16, environ []string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "partita", args...)
	cmd.Env = append(cmd.Environ(), environ...)
	cmd.Dir = repository
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: columns})
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	defer terminal.Close()
	var seen strings.Builder
	buffer := make([]byte, 4096)
	for {
		n, err := terminal.Read(buffer)
		seen.Write(buffer[:n])
		if err != nil { // the program has ended
			break
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, seen.String())
	}
	return strings.ReplaceAll(seen.String(), "\r\n", "\n")
}

// TestOnATerminal: the summary keeps to the width of a real terminal, has colours there,
// and reads the same without.
func TestOnATerminal(t *testing.T) {
	codes := regexp.MustCompile("\x1b\\[[0-9]*m")
	// Labels alone: whether a second solver has the time is not the same twice.
	example := []string{"solve", "examples/three-pools-llama-70b-fp16.yaml", "--backend", "labels", "-o", t.TempDir()}
	for _, columns := range []uint16{60, 80, 200} {
		colored := onTerminal(t, columns, []string{"TERM=xterm", "NO_COLOR=", "CLICOLOR=", "FORCE_COLOR="}, example...)
		bare := onTerminal(t, columns, []string{"TERM=xterm", "NO_COLOR=1"}, example...)
		if !codes.MatchString(colored) || codes.MatchString(bare) {
			t.Errorf("%d columns: colours %t, with NO_COLOR %t", columns, codes.MatchString(colored), codes.MatchString(bare))
		}
		colored, bare = onScreen(colored), onScreen(bare)
		if got := codes.ReplaceAllString(colored, ""); got != bare || !strings.HasPrefix(bare, "Proved optimal") {
			t.Errorf("%d columns: with colours\n%s\nwithout\n%s", columns, got, bare)
		}
		for line := range strings.Lines(bare) {
			if n := text.StringWidthWithoutEscSequences(strings.TrimRight(line, "\n")); n > int(columns) && !strings.HasPrefix(line, "results in") {
				t.Errorf("%d columns: a line of %d: %s", columns, n, line)
			}
		}
	}
}

// onScreen is what is left on a terminal: a carriage return with the code that clears the
// line takes away what stands on it.
func onScreen(seen string) string {
	var lines []string
	for line := range strings.SplitSeq(seen, "\n") {
		if at := strings.LastIndex(line, "\r\x1b[K"); at >= 0 {
			line = line[at+len("\r\x1b[K"):]
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
