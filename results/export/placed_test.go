package export

import (
	"strings"
	"testing"
	"unicode/utf8"

	"partita/results"
)

func placedText(t *testing.T, on Screen, all ...results.Placed) string {
	t.Helper()
	var b strings.Builder
	if err := PlacedText(&b, all, on); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// wideAnswers are answers with long names and figures, proved and not.
func wideAnswers() []results.Placed {
	value, bound, gap, budget, optimum := 130.03812345678, 125.32412345678, 0.0362509, 393.22, 129.1
	return []results.Placed{
		{Name: "operator-bert_l-12_inference", Goal: "noncontiguous", Sense: "minimize", Unit: "ms", Status: "time limit", Objective: &value, BestBound: &bound, Gap: &gap, Backend: "labels", WallMS: 60012,
			Because: "prices of the nodes", KnownOptimum: &optimum, Recorded: &results.PlacedRecorded{Value: 135.629989782, Note: "best found in 600 s"},
			Solution: &results.PlacedSolution{Devices: []results.PlacedDevice{{Device: "accelerator-0", Nodes: []int{1, 2, 3, 5, 7, 8, 11}, LoadMS: value, Bytes: 17179869184}, {Device: "cpu-0", Nodes: []int{4}, LoadMS: 0.5}}}},
		{Name: "tandemn/jan24_decode_1024_32", Goal: "throughput", Sense: "maximize", Unit: "tokens/s", Status: "infeasible", BudgetUSDPerHour: &budget, Backend: "labels", AgreedBy: []string{"labels", "ilp"}, WallMS: 3},
		{Name: "x", Goal: "usd-per-million", Sense: "minimize", Unit: "USD per million tokens", Status: "optimal", Objective: &value, BestBound: &value, Backend: "sat", AgreedBy: []string{"sat"}, WallMS: 3,
			Solution: &results.PlacedSolution{Stages: []results.PlacedStage{{FirstLayer: 0, LastLayer: 79, Machine: "p4de.24xlarge", Index: 1, TP: 8, TokensPerS: 6741.456985427803}}, Rented: []results.PlacedRental{{Type: "p4de.24xlarge", Count: 2}}, USDPerHour: 81.92}},
	}
}

func TestPlacedTextFits(t *testing.T) {
	all := wideAnswers()
	for _, width := range []int{60, 80, 120} {
		texts := []string{placedText(t, Screen{Width: width}, all...)}
		for _, a := range all {
			texts = append(texts, placedText(t, Screen{Width: width}, a))
		}
		for _, text := range texts {
			for line := range strings.Lines(text) {
				if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > width {
					t.Errorf("%d columns of %d: %s", n, width, line)
				}
			}
		}
	}
}

// TestPlacedTextSays: what one answer says, and what is left out where there are several.
func TestPlacedTextSays(t *testing.T) {
	all := wideAnswers()
	for i, want := range [][]string{
		{"130.0381235", "125.3241235", "3.63 %", "time limit", "135.6299898", "60012", "values in ms, least is best", "Because prices of the nodes", "Recorded best found in 600 s", "the file gives the optimum 129.1", "1–3, 5, 7, 8, 11", "17179869184", "cpu-0"},
		{"throughput ≤ 393.22 USD/h", "–", "infeasible", "labels, ilp", "values in tokens/s, most is best"},
		{"130.0381235", "optimal", "sat", "0–79", "80", "p4de.24xlarge", "6741.456985", "Price 81.92 USD an hour"},
	} {
		text := placedText(t, Screen{Width: 120}, all[i])
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("answer %d does not say %q:\n%s", i, w, text)
			}
		}
	}
	text := placedText(t, Screen{Width: 120}, all...)
	if strings.Contains(text, "Because") || strings.Contains(text, "cpu-0") || !strings.Contains(text, "values in ms, least is best; tokens/s, most is best") {
		t.Errorf("several answers are a table alone:\n%s", text)
	}
}

// TestPlacedTextEscapes: a name of the file is no command to the terminal.
func TestPlacedTextEscapes(t *testing.T) {
	a := wideAnswers()[2]
	a.Name, a.Because = "a\x1b[31mb", "c\x1b[31m"
	a.Solution.Stages[0].Machine = "\x07"
	if text := placedText(t, Screen{}, a); strings.ContainsAny(text, "\x1b\x07") {
		t.Errorf("%q", text)
	}
}

func TestSpans(t *testing.T) {
	for want, numbers := range map[string][]int{"": nil, "4": {4}, "4, 5": {4, 5}, "0–2, 4, 6, 7": {0, 1, 2, 4, 6, 7}} {
		if got := spans(numbers); got != want {
			t.Errorf("%v: %q, want %q", numbers, got, want)
		}
	}
}
