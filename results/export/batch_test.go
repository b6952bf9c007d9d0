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

func rowsOf(list ...results.ScenarioResult) (*results.Tally, func(func(*results.ScenarioResult) error) error) {
	tally := results.NewTally()
	for i := range list {
		tally.Add(&list[i])
	}
	return tally, func(visit func(*results.ScenarioResult) error) error {
		for i := range list {
			if err := visit(&list[i]); err != nil {
				return err
			}
		}
		return nil
	}
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
	tally, _ := rowsOf(mixed()...)
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
	tally, rows := rowsOf(mixed()...)
	var b bytes.Buffer
	if err := (&Batch{Name: "n", Axes: []string{"name", "use"}, Tally: tally, Rows: rows}).CSV(&b); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(&b).ReadAll()
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
	tally, rows := rowsOf(mixed()...)
	var b bytes.Buffer
	if err := (&Batch{Name: "a *b*", Tally: tally, Rows: rows}).Markdown(&b); err != nil {
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
	tally, rows := rowsOf(make([]results.ScenarioResult, mostRows+2)...)
	var b bytes.Buffer
	if err := (&Batch{Name: "n", Tally: tally, Rows: rows}).Markdown(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "2 scenarios more in summary.csv.") {
		t.Error("what is left out is not told")
	}
}

func TestBatchHandsOnFailures(t *testing.T) {
	broken := errors.New("broken")
	tally, rows := rowsOf(mixed()...)
	b := &Batch{Tally: tally, Rows: func(func(*results.ScenarioResult) error) error { return broken }}
	if err := b.CSV(&bytes.Buffer{}); !errors.Is(err, broken) {
		t.Error(err)
	}
	if err := b.Markdown(&bytes.Buffer{}); !errors.Is(err, broken) {
		t.Error(err)
	}
	b.Rows = rows
	if err := b.CSV(failing{broken}); !errors.Is(err, broken) {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
