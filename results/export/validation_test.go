package export

import (
	"strings"
	"testing"

	"partita/results"
)

func TestValidationText(t *testing.T) {
	yes, x, off := true, 2.5, -0.04
	figures := results.ChoiceFigures{Top1: 0.5, MeanRegretPct: 4, P90RegretPct: 8.3}
	rule := results.RuleScore{Name: "large TP", ChoiceFigures: figures}
	choice := results.ChoiceScore{Family: "f", Metric: "tpot_ms", Groups: 2, NoAnswer: 1, ChoiceFigures: figures, Rule: rule, Rules: []results.RuleScore{rule}}
	all := choice
	all.Family, all.Metric = "", "all"
	v := &results.Validation{
		Rows: 1200, Scored: 1199,
		Prediction:   []results.PredictionScore{{Family: "f\x1b", Metric: "tpot_ms", N: 3, MedianAbsPct: 12.34, P90AbsPct: 50, BiasPct: 5}},
		Totals:       []results.PredictionScore{{Metric: "time per output token", N: 3, BiasPct: -0.01, ByRun: &results.RunFigures{N: 2, ErrorFigures: results.ErrorFigures{MedianAbsPct: 7, P90AbsPct: 34.47}}}},
		Choice:       []results.ChoiceScore{choice},
		ChoiceTotals: []results.ChoiceScore{all},
		Memory:       results.MemoryScore{Confusion: results.Confusion{RanFits: 7}, Families: []results.FamilyConfusion{{Family: "f", Confusion: results.Confusion{RanFits: 7}}}},
		Skipped:      []results.Skipped{{Reason: "no reason", Rows: 1}},
		Each: []results.ValidatedRow{{Line: 2, Metric: "tpot_ms", Measured: 2.6, Predicted: &x, ErrorPct: &off}, {Line: 3, Metric: "oom", Measured: 1, Fits: &yes},
			{Line: 4, Metric: "other", Measured: 1, Skipped: "no reason"}},
	}
	text := func(v *results.Validation) string {
		var b strings.Builder
		if err := ValidationText(&b, v, Screen{}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	got := text(v)
	for _, want := range []string{
		"1,200 rows: 1,199 scored, 1 skipped", "3    12.3  50.0  +5.0", "+0.0", " f       tpot_ms  2   50 %   4.0  8.3     1  large TP   4.0",
		" large TP                  50 %   4.0  8.3", " all             7          0          0          0", "    1  no reason",
		" time per output token  2     7.0  34.5", "2.5     +0.0", "fits", "other           1                      no reason",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "\x1b") || strings.Contains(got, "-0.0") {
		t.Errorf("a control character or a negative zero in\n%q", got)
	}
	if got := text(&results.Validation{Rows: 1, Scored: 1}); got != "1 row: 1 scored, 0 skipped\n" {
		t.Errorf("%q", got)
	}
}
