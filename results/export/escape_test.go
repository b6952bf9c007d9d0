package export

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"partita/results"
)

func TestEscape(t *testing.T) {
	for _, tc := range []struct{ text, inline, paragraph string }{
		{"dp_attention", "dp_attention", "dp_attention"},
		{"_x_", `\_x\_`, `\_x\_`},
		{"a|b", `a\|b`, `a\|b`},
		{"<b>&amp;", "&lt;b&gt;&amp;amp;", "&lt;b&gt;&amp;amp;"},
		{"[x](javascript:y)", `\[x\](javascript:y)`, `\[x\](javascript:y)`},
		{`\|`, `\\\|`, `\\\|`},
		{"two\r\n\nlines\t", "two lines", "two lines"},
		{"# title", "# title", `\# title`},
		{"- item", "- item", `\- item`},
		{"12. item", "12. item", `12\. item`},
		{"12.5 ms", "12.5 ms", "12.5 ms"},
		{"esc \x1b[2J", "esc �\\[2J", "esc �\\[2J"},
		{"turned \u202e round", "turned � round", "turned � round"},
	} {
		if got := inline(tc.text); got != tc.inline {
			t.Errorf("inline(%q) = %q, want %q", tc.text, got, tc.inline)
		}
		if got := paragraph(tc.text); got != tc.paragraph {
			t.Errorf("paragraph(%q) = %q, want %q", tc.text, got, tc.paragraph)
		}
	}
}

// No text can end its table cell, open a tag or leave its line.
func TestEscapeProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching("[-|\\\\`<>&_*#$~ \n\\[\\]a1.]*")).Draw(t, "text")
		slashes := 0
		for _, r := range paragraph(s) {
			if strings.ContainsRune("|`*[]~$", r) && slashes%2 == 0 {
				t.Fatalf("%q: %q is bare in %q", s, r, paragraph(s))
			}
			if r == '<' || r == '>' || unicode.IsControl(r) {
				t.Fatalf("%q: %q is left in %q", s, r, paragraph(s))
			}
			if r == '\\' {
				slashes++
			} else {
				slashes = 0
			}
		}
	})
}

// A hostile name everywhere a name can be harms neither report nor terminal.
func TestHostileNames(t *testing.T) {
	r := sampleReport()
	p := r.Plan
	ph := &p.Phases[0]
	p.Condition, p.Warnings, r.Binding, r.Reasons = hostile, []string{hostile}, []string{hostile}, []string{hostile}
	p.Comparison[0].Heuristic, p.Comparison[1].WhyInfeasible = hostile, hostile
	ph.Requirements[0].Place, ph.Solve.ObjectiveUnit, ph.GPUs.Why = hostile, hostile, hostile
	for i := range ph.Stages {
		ph.Stages[i].Pool, ph.Stages[i].GPUs[0] = hostile, hostile
	}
	cells := 0
	for l := range strings.SplitSeq(string(Report(r)), "\n") {
		if strings.Contains(l, "<script>") || strings.ContainsRune(l, 0x1b) {
			t.Errorf("report: %s", l)
		}
		bare := strings.Count(strings.ReplaceAll(strings.ReplaceAll(l, `\\`, ""), `\|`, ""), "|")
		if strings.HasPrefix(l, "|") {
			if cells > 0 && bare != cells {
				t.Errorf("report: a row of %d borders in a table of %d: %s", bare, cells, l)
			}
			cells = bare
		} else {
			cells = 0
		}
	}
	r.Feasible = false
	var b strings.Builder
	if err := Summary(&b, r); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsRune(b.String(), 0x1b) {
		t.Error("summary: an escape sequence reaches the terminal")
	}
}

// The summary stays inside the terminal, whatever the names are.
func TestSummaryWidth(t *testing.T) {
	for _, width := range []int{40, 80, 132} {
		for _, name := range []string{"short", strings.Repeat("long name ", 40), strings.Repeat("x", 300)} {
			r := closestReport()
			r.Reasons = []string{name}
			r.Plan.Comparison[0].Strategy, r.Plan.Comparison[1].WhyInfeasible = name, name
			var b strings.Builder
			if err := SummaryOn(&b, r, Screen{Width: width}); err != nil {
				t.Fatal(err)
			}
			for l := range strings.SplitSeq(b.String(), "\n") {
				if n := len([]rune(l)); n > width {
					t.Errorf("width %d, name of %d: a line of %d: %q", width, len(name), n, l)
				}
			}
		}
	}
	if err := Summary(&strings.Builder{}, &results.Report{Status: results.StatusUnknown}); err != nil {
		t.Error(err)
	}
}
