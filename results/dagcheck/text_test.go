package dagcheck

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestReportText(t *testing.T) {
	d := valid("prefill")
	d.node("r0_soft_0").shape = "ellipse"
	r := checked(t, d.String(), Options{})
	text := r.Text()
	for _, want := range []string{
		`: shape: "r0_soft_0" (softmax) is drawn as ellipse; expected box`,
		"prefill (line 1): 98 nodes", "8 GPUs", "BROKEN  shape", "at 1 place", "not checked: no plan was given",
		"rules are broken at 1 place: 1 graph",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	for line := range strings.Lines(text) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 && !strings.HasPrefix(line, "x.dot:") {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(data, &back); err != nil || back.OK || len(back.Findings) != 1 || back.Findings[0].Rule != "shape" {
		t.Errorf("%v\n%s", err, data)
	}
}

// A file with a thousand faults is told of in a few lines, with the number of the rest.
func TestFindingsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("digraph prefill {\n")
	for i := range 1000 {
		fmt.Fprintf(&b, "n%d\n", i)
	}
	r := checked(t, b.String()+"}", Options{Most: 3})
	byRule := map[string]int{}
	for _, f := range r.Findings {
		byRule[f.Rule]++
	}
	for rule, n := range byRule {
		if n > 3 {
			t.Errorf("%d findings of %s are listed", n, rule)
		}
	}
	if r.Broken < 3000 || r.More != r.Broken-len(r.Findings) || !strings.Contains(r.Text(), "more of these rules, not listed") {
		t.Errorf("%d broken, %d listed, %d more", r.Broken, len(r.Findings), r.More)
	}
}

func TestWhatIsNoDOT(t *testing.T) {
	for text, want := range map[string]string{
		"":                     "f.dot:1:1: the file holds no graph; expected a digraph for each phase",
		"digraph {\n a -> ":    "f.dot:2:7: the end of the file is no end of an edge; expected a node or a subgraph",
		`{"plan": 1}`:          `f.dot:1:1: "{" starts no graph; expected "digraph"`,
		"digraph x { a -- b }": `f.dot:1:15: "--" is no edge of a directed graph; expected "->"`,
	} {
		_, err := Check(strings.NewReader(text), "f.dot", Options{})
		var not *NotDOTError
		if !errors.As(err, &not) || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	broken := errors.New("the disk fell out")
	if _, err := Check(io.MultiReader(strings.NewReader("digraph {"), &failing{broken}), "f.dot", Options{}); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

// Control characters of a file never reach a terminal.
func TestForeignTextIsPrintable(t *testing.T) {
	r := checked(t, "digraph prefill { \"\x1b[31mred\" [label=\"\x07bell\\nGPU: \x1b[0m\\nInput: [\x1b=3]\\nOutput: [x=\x1b]\", op=\"\x1b]0;x\"] }", Options{})
	if text := r.Text(); r.OK || bytes.ContainsAny([]byte(text), "\x1b\x07") {
		t.Errorf("%q", text)
	}
}

// The page has the rules of the code, in their order.
func TestRulesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/dag-check.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for line := range strings.Lines(string(page)) {
		if rest, ok := strings.CutPrefix(line, "| `"); ok {
			name, _, _ := strings.Cut(rest, "`")
			rows = append(rows, name)
		}
	}
	var names []string
	for _, r := range rules() {
		names = append(names, r.name)
		if n := len([]rune(r.about)); n > 40 {
			t.Errorf("%s: %d columns", r.name, n)
		}
	}
	for _, of := range opNames {
		for _, name := range of {
			if !strings.Contains(string(page), "`"+name+"`") {
				t.Errorf("the page does not list the operator %s", name)
			}
		}
	}
	if !slices.Equal(rows, names) {
		t.Errorf("the page lists %v, the code has %v", rows, names)
	}
}
