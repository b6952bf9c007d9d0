package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partita/inputs/read"
)

// TestExitCodesAreDocumented holds docs/exit-codes.md against the table.
func TestExitCodesAreDocumented(t *testing.T) {
	data, err := os.ReadFile("../../../docs/exit-codes.md")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range strings.Split(string(data), "\n") {
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| code") {
			got = append(got, line)
		}
	}
	var want []string
	for i, c := range ExitCodes() {
		if c.Code != i {
			t.Errorf("row %d of the table is code %d", i, c.Code)
		}
		want = append(want, fmt.Sprintf("| %d | %s | %s | %s |", c.Code, c.Name, c.Meaning, c.Written))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/exit-codes.md (-table +document):\n%s", diff)
	}
}

func TestCodeOf(t *testing.T) {
	for _, row := range []struct {
		err  error
		want int
	}{
		{nil, exitFound},
		{errors.New("disk full"), exitInternal},
		{fmt.Errorf("reading: %w", read.Diagnostics{{Problem: "bad"}}), exitInvalidInput},
		{withCode(exitUsage, errors.New("no such backend")), exitUsage},
		{fmt.Errorf("outer: %w", withCode(exitUnverified, errors.New("memory"))), exitUnverified},
		{endWith(exitInfeasible), exitInfeasible},
		{endWith(exitFound), exitFound},
		// A code that was given wins over the kind of the error inside it.
		{withCode(exitUsage, read.Diagnostics{{Problem: "bad"}}), exitUsage},
	} {
		if got := codeOf(row.err); got != row.want {
			t.Errorf("codeOf(%v) = %d, want %d", row.err, got, row.want)
		}
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"a.md:3:1: unknown key „größe“":   "a.md:3:1: unknown key „größe“",
		"two\nlines":                      "two\nlines",
		"\x1b[2J\x1b]0;owned\x07 cleared": "�[2J�]0;owned� cleared",
		"a tab\tand \u202ereversed":       "a tab\tand �reversed",
	} {
		if got := printable(text); got != want {
			t.Errorf("printable(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestPanicIsAnInternalFailure(t *testing.T) {
	err := guarded(func() error { panic("index out of range") })
	if codeOf(err) != exitInternal || !strings.Contains(err.Error(), "index out of range") {
		t.Errorf("code %d, %v", codeOf(err), err)
	}
	want := errors.New("disk full")
	if err := guarded(func() error { return want }); !errors.Is(err, want) {
		t.Errorf("guarded lost the error: %v", err)
	}
}
