package export

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"

	"partita/results"
)

// texts are all that is laid out for a terminal, of the samples.
func texts() map[string]func(w io.Writer, on Screen) error {
	hostileReport := sampleReport()
	hostileReport.Plan.Phases[0].Stages[0].Pool = hostile
	hostileReport.Plan.Comparison[0].Strategy = hostile
	wide := sampleReport()
	wide.Plan.Comparison[1].WhyInfeasible = strings.Repeat("八枚のGPUでは足りない ", 9)
	wide.Binding = []string{strings.Repeat("段階", 60)}
	frontier := tradeoff([3]float64{100, 1000, 0}, [3]float64{200, 2000, 0})
	out := map[string]func(w io.Writer, on Screen) error{
		"frontier": func(w io.Writer, on Screen) error { return FrontierText(w, frontier, on) },
		"explanation": func(w io.Writer, on Screen) error {
			return ExplanationText(w, sampleExplanation(), on)
		},
		"evaluation": func(w io.Writer, on Screen) error { return EvaluationText(w, sampleEvaluation(), on) },
	}
	for name, r := range map[string]*results.Report{
		"plan": sampleReport(), "closest": closestReport(), "hostile": hostileReport, "wide": wide,
		"nothing": {Status: results.StatusUnknown, Reasons: []string{"time"}},
	} {
		out["summary "+name] = func(w io.Writer, on Screen) error { return SummaryOn(w, r, on) }
		out["comparison "+name] = func(w io.Writer, on Screen) error { return ComparisonText(w, r, on) }
	}
	return out
}

var codes = regexp.MustCompile("\x1b\\[[0-9]*m")

// Colour adds codes to the text and nothing else; without it there is no code.
func TestColorSaysNothing(t *testing.T) {
	for name, print := range texts() {
		for _, width := range []int{60, 80, 120} {
			var colored, bare strings.Builder
			if err := print(&colored, Screen{Width: width, Color: true}); err != nil {
				t.Fatal(err)
			}
			if err := print(&bare, Screen{Width: width}); err != nil {
				t.Fatal(err)
			}
			if strings.ContainsRune(bare.String(), 0x1b) {
				t.Errorf("%s at %d: a code without colours", name, width)
			}
			if !strings.ContainsRune(colored.String(), 0x1b) {
				t.Errorf("%s at %d: no code with colours", name, width)
			}
			if diff := cmp.Diff(bare.String(), codes.ReplaceAllString(colored.String(), "")); diff != "" {
				t.Errorf("%s at %d (-without +with colours, codes taken out):\n%s", name, width, diff)
			}
			for l := range strings.SplitSeq(colored.String(), "\n") {
				if n := len(codes.FindAllString(l, -1)); n%2 != 0 {
					t.Errorf("%s at %d: a tone does not end on its line: %q", name, width, l)
				}
			}
		}
	}
}

// Every line fits the terminal by what it takes on it: a wide letter takes two columns.
func TestTextsFitTheTerminal(t *testing.T) {
	for name, print := range texts() {
		for _, width := range []int{60, 80, 120} {
			var b strings.Builder
			if err := print(&b, Screen{Width: width, Color: true}); err != nil {
				t.Fatal(err)
			}
			for l := range strings.SplitSeq(b.String(), "\n") {
				if n := text.StringWidthWithoutEscSequences(l); n > width {
					t.Errorf("%s at %d: a line takes %d columns: %q", name, width, n, l)
				}
				if strings.TrimRight(codes.ReplaceAllString(l, ""), " ") != codes.ReplaceAllString(l, "") {
					t.Errorf("%s at %d: blanks at the end of %q", name, width, l)
				}
			}
		}
	}
}

func TestGPUsOnHosts(t *testing.T) {
	var big []string
	for host := range 6 {
		for gpu := range 8 {
			big = append(big, fmt.Sprintf("node-%d/gpu-%d", host, gpu))
		}
	}
	for _, tc := range []struct {
		ids  []string
		want string
	}{
		{nil, ""},
		{[]string{"node-0/gpu-3"}, "node-0/gpu-3"},
		{big[:8], "node-0/gpu-0…7"},
		{big, "node-0…5/gpu-0…7"},
		{big[4:20], "node-0/gpu-4…7, node-1/gpu-0…7 and 4 more"},
		{append([]string{"node-7/gpu-0"}, big[8:24]...), "node-7/gpu-0, node-1…2/gpu-0…7"},
		{[]string{"a/b/gpu-0", "a/b/gpu-1", "GPU-8e12"}, "a/b/gpu-0…1, GPU-8e12"},
		{[]string{"node-0/gpu-0", "node-2/gpu-0", "node-3/gpu-0"}, "node-0/gpu-0, node-2…3/gpu-0"},
	} {
		if got := gpusOnHosts(tc.ids); got != tc.want {
			t.Errorf("%v: got %q, want %q", tc.ids, got, tc.want)
		}
	}
}

func TestBar(t *testing.T) {
	for share, want := range map[float64]string{0: "░░░░", 0.01: "█░░░", 0.5: "██░░", 0.99: "███░", 1: "████", 1.3: "████", -1: "░░░░"} {
		if got := bar(share, 4); got != want {
			t.Errorf("%v: got %s, want %s", share, got, want)
		}
	}
}

// Stages are counted where they are not shown, and replicas that differ are told apart.
func TestStagesOfTheSummary(t *testing.T) {
	r := sampleReport()
	ph := &r.Plan.Phases[0]
	ph.Stages[3].MemoryGiB++    // the second replica differs
	ph.Stages[5].MemoryGiB += 2 // the third, too
	var b strings.Builder
	if err := Summary(&b, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{" 0, 3     0 ", " 1        0 ", "… and 2 stages more in report.md"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}
