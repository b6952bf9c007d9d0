package export

import (
	"strings"
	"testing"
	"unicode"

	"partita/results"
)

// sampleExplanation has two conflicts, of which one names a hostile file.
func sampleExplanation() *results.Explanation {
	return &results.Explanation{
		Minimal: true,
		Conflict: []results.Clash{
			{Requirement: "ttft", File: hostile, Line: 3, Sentence: "TTFT at most 1 s (" + hostile + ":3): with 8 GPUs the best is 2.4 s"},
			{Requirement: "gpus", Sentence: "at most 8 GPUs: 20 GPUs would do"},
		},
		Nearest: []results.Nearest{
			{Requirement: "ttft", Unit: "s", Want: ptr(1.0), Nearest: ptr(2.4), Strategy: "PP1 × TP8 on 8 GPUs", Proved: true, Sentence: "the best is 2.4 s"},
			{Requirement: "gpus", Unit: "GPUs", Want: ptr(8.0), Nearest: ptr(20.0), Strategy: "5 replicas × PP1 × TP4 on 20 GPUs", Proved: true, Sentence: "20 GPUs would do"},
			{Requirement: "rule " + hostile, Strategy: "PP1 × TP3 on 3 GPUs", Sentence: "without it a plan exists"},
			{Requirement: "precision", Instead: "weights in fp8", Strategy: "PP1 × TP4 on 4 GPUs", Sentence: "weights in fp8 would fit"},
		},
		Further: []results.Conflict{{Conflict: []results.Clash{{Requirement: "tpot", Sentence: "TPOT at most 2 µs: out of reach by itself"}},
			Nearest: []results.Nearest{{Requirement: "tpot", Unit: "s", Want: ptr(2e-6), Nearest: ptr(0.029645), Sentence: "the best is 29.645 ms"}}}},
		Scope: []string{"fewer sequences: down to 1 in flight"},
	}
}

// The text of a terminal: every sentence, the table of ways out, 80 columns, and nothing
// that a terminal would obey.
func TestExplanationText(t *testing.T) {
	var b strings.Builder
	if err := ExplanationText(&b, sampleExplanation(), Screen{}); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{
		"Proved infeasible", "These clash: no plan meets them all", "with 8 GPUs the best is 2.4 s", "5 replicas × PP1 × TP4", "left out",
		"weights in fp8", "2 µs", "29.645 ms", "Besides, no plan meets this, whatever else", "down to 1 in flight",
	} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
			t.Errorf("%q is not said:\n%s", want, text)
		}
	}
	for line := range strings.Lines(text) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > defaultWidth {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
		t.Errorf("control character %q in the text", text[i])
	}
}

// Feasible, undecided and unproved explanations say so.
func TestExplanationVerdicts(t *testing.T) {
	cut := sampleExplanation()
	cut.Minimal = false
	for _, x := range []struct {
		e    *results.Explanation
		want string
	}{
		{&results.Explanation{Feasible: true, Binding: []string{"requirement: ttft has the least margin, 3 %"}, Nearest: []results.Nearest{{Sentence: "TTFT at most 1 s: could be tightened to 970 ms"}}},
			"A plan meets everything that is asked. What binds it: - requirement: ttft has the least margin, 3 % How far it could be tightened, all else as asked: - TTFT at most 1 s: could be tightened to 970 ms"},
		{&results.Explanation{Unknown: true}, "Not decided within the limit"},
		{cut, "(not proved minimal: time ran out):"},
	} {
		var b strings.Builder
		if err := ExplanationText(&b, x.e, Screen{}); err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(strings.Fields(b.String()), " "); !strings.Contains(text, x.want) {
			t.Errorf("%q, want %q in it", text, x.want)
		}
	}
}

// A report of a condition without a plan carries the explanation, with and without a
// closest plan.
func TestReportExplains(t *testing.T) {
	for _, plan := range []bool{true, false} {
		r := closestReport()
		r.Explanation = sampleExplanation()
		if !plan {
			r.Plan = nil
		}
		report := string(Report(r))
		for _, want := range []string{"## Why no plan exists", "| gpus | 8 GPUs | 20 GPUs | 5 replicas × PP1 × TP4 on 20 GPUs |", "Besides, no plan"} {
			if !strings.Contains(report, want) {
				t.Errorf("with a plan %t: %q is not in report.md:\n%s", plan, want, report)
			}
		}
		var b strings.Builder
		if err := Summary(&b, r); err != nil || !strings.Contains(b.String(), "These clash") {
			t.Errorf("with a plan %t: the summary does not explain (%v)", plan, err)
		}
	}
	if strings.Contains(string(Report(closestReport())), "Why no plan exists") {
		t.Error("a report without an explanation has its title")
	}
}
