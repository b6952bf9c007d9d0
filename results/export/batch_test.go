package export

import (
	"bytes"
	"encoding/csv"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partita/results"
)

// summaryOf is the summary of results, and its summary.csv.
func summaryOf(t *testing.T, name string, axes []string, list ...results.ScenarioResult) (*BatchSummary, *bytes.Buffer) {
	t.Helper()
	var b bytes.Buffer
	s, err := NewBatchSummary(name, axes, &b)
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		if err := s.Add(&list[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return s, &b
}

func mixed() []results.ScenarioResult {
	gap := func(name string, v float64) results.Comparison {
		return results.Comparison{Heuristic: name, Feasible: true, GapPercent: &v}
	}
	return []results.ScenarioResult{
		{
			Name: "a", Values: map[string]string{"name": "x,\"y\"", "use": "chat | <b>"}, Status: results.StatusOptimal, Plan: "scenarios/a/plan.json",
			Objective: ptr(2.5), Strategy: &results.Strategy{Replicas: 2, PP: 2, TP: results.PerStage{8, 4}, EP: results.PerStage{1}, CP: results.PerStage{1}, DPAttention: results.PerStage{1}, Layers: []int{48, 32}},
			GPUs: &results.GPUCount{Used: 24}, Metrics: results.Metrics{TTFTMS: ptr(1234.5), TokensPerS: ptr(98765.4)},
			Comparison: []results.Comparison{gap("even", 10), gap("greedy", 0), {Heuristic: "rule", WhyInfeasible: "too big"}},
		},
		{Name: "b", Status: results.StatusFeasible, Comparison: []results.Comparison{gap("even", 30), gap("greedy", 0), gap("rule", -1)}},
		{Name: "c", Status: results.StatusInvalid, Exit: 3, Reason: "c.yaml:1:1: first\nc.yaml:2:1: second"},
		{Name: "d", Status: results.StatusOptimal, Comparison: []results.Comparison{gap("even", 20), gap("greedy", 5), {Heuristic: "rule"}}},
	}
}

func TestTallyComparesHeuristics(t *testing.T) {
	s, _ := summaryOf(t, "n", nil, mixed()...)
	tally := s.Tally
	want := []results.HeuristicTally{
		{Heuristic: "even", Compared: 3, Feasible: 3, Optimal: 0, MeanGap: ptr(20.0), MedianGap: ptr(20.0), MaxGap: ptr(30.0)},
		{Heuristic: "greedy", Compared: 3, Feasible: 3, Optimal: 1, MeanGap: ptr(5.0 / 3), MedianGap: ptr(0.0), MaxGap: ptr(5.0)}, // b is not proved
		{Heuristic: "rule", Compared: 3, Feasible: 1, Optimal: 0, MeanGap: ptr(-1.0), MedianGap: ptr(-1.0), MaxGap: ptr(-1.0)},
	}
	if diff := cmp.Diff(want, tally.Heuristics()); diff != "" {
		t.Error(diff)
	}
	if tally.Scenarios != 4 || tally.ByStatus[results.StatusOptimal] != 2 || tally.ByExit[3] != 1 || tally.Share(1) != 25 {
		t.Errorf("%+v", tally)
	}
	if results.NewTally().Share(0) != 0 {
		t.Error("the share of nothing")
	}
}

// TestCSV reads summary.csv back by the names of its columns. An axis that is named as a
// column leaves the column alone.
func TestCSV(t *testing.T) {
	_, text := summaryOf(t, "n", []string{"name", "use"}, mixed()...)
	records, err := csv.NewReader(text).ReadAll()
	if err != nil || len(records) != 5 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	cell := func(row int, column string) string {
		for i, name := range records[0] {
			if name == column {
				return records[row][i]
			}
		}
		t.Fatalf("no column %s in %v", column, records[0])
		return ""
	}
	for column, want := range map[string]string{
		"name": "a", "name_axis": `x,"y"`, "use": "chat | <b>", "status": "optimal", "exit": "0", "objective": "2.5", "gpus_used": "24", "replicas": "2", "tp": "8/4",
		"layers": "48/32", "ttft_ms": "1234.5", "tpot_ms": "", "best_heuristic": "greedy", "best_heuristic_gap_percent": "0", "plan": "scenarios/a/plan.json", "reason": "",
	} {
		if got := cell(1, column); got != want {
			t.Errorf("%s: %q, want %q", column, got, want)
		}
	}
	if cell(3, "reason") != "c.yaml:1:1: first\nc.yaml:2:1: second" || cell(3, "tp") != "" {
		t.Errorf("%v", records[3])
	}
}

func TestMarkdown(t *testing.T) {
	s, _ := summaryOf(t, "a *b*", nil, mixed()...)
	var b bytes.Buffer
	if err := s.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# Batch a \\*b\\*\n", "4 scenarios.", "| optimal | 2 | 50 % | proved optimal, and verified |", "| invalid | 1 | 25 % |",
		"| even | 3 of 3 | 0 | 20 % | 20 % | 30 % |", "| rule | 1 of 3 | 0 |",
		"| a | optimal | 2 replicas × PP 2 × TP 8/4, layers 48/32 | 24 | 1.234 s | 98,770 | 0 % |  |",
		"| c | invalid |  |  |  |  |  | c.yaml:1:1: first … |",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("missing %s in\n%s", want, b.String())
		}
	}
}

// TestLongBatch: summary.md stays readable with any number of scenarios.
func TestLongBatch(t *testing.T) {
	s, _ := summaryOf(t, "n", nil, make([]results.ScenarioResult, mostRows+2)...)
	var b bytes.Buffer
	if err := s.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "2 scenarios more in summary.csv.") {
		t.Error("what is left out is not told")
	}
}

func TestBatchHandsOnFailures(t *testing.T) {
	broken := errors.New("broken")
	s, err := NewBatchSummary("n", nil, failing{broken})
	if err != nil {
		t.Fatal(err) // the header is buffered
	}
	if err := s.Close(); !errors.Is(err, broken) {
		t.Error(err)
	}
	if err := s.Markdown(failing{broken}); !errors.Is(err, broken) {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
