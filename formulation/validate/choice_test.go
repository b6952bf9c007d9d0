package validate

import (
	"math"
	"testing"

	"partita/inputs/catalog"
	"partita/inputs/measured"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(1, math.Abs(b)) }

func TestErrorsOf(t *testing.T) {
	all := []float64{-0.5, 0.1, 0.2}
	median, p90, bias := ErrorsOf(all)
	if !near(median, 20) || !near(p90, 44) || !near(bias, 10) {
		t.Errorf("%g %g %g", median, p90, bias)
	}
	if all[0] != -0.5 {
		t.Error("the errors were moved")
	}
}

// table is a table of rows with what became of them, made by hand.
type table struct {
	rows  []measured.Row
	found []outcome
}

func (x *table) add(group, metric string, l layout, value, predicted float64) *outcome {
	x.rows = append(x.rows, measured.Row{Family: "f", Group: group, Metric: metric, Value: value, Run: group})
	x.found = append(x.found, outcome{deployment: deployment{layout: l}, measure: measures()[metric], mapped: true, predicted: predicted})
	return &x.found[len(x.found)-1]
}

func tp(n int) layout { return layout{1, 1, n, 1, 1, 1, n} }

// A group that mixes workloads, numbers of requests and metrics is several questions; a
// question needs two layouts.
func TestChoicesSplitGroups(t *testing.T) {
	var x table
	x.add("g", "tpot_ms", tp(1), 10, 9)
	x.add("g", "tpot_ms", tp(2), 7, 8)
	x.add("g", "output_tok_s", tp(1), 10, 9)
	x.add("g", "output_tok_s", tp(2), 18, 19)
	x.add("g", "tpot_ms", tp(1), 20, 21).requests = 8 // alone with its number of requests
	x.add("g", "tpot_ms", tp(4), 6, 0).why = "unmapped for some reason"
	x.add("g", "weights_gib_per_gpu", tp(1), 6, 6)
	x.add("g", "weights_gib_per_gpu", tp(2), 3, 3)
	x.add("", "tpot_ms", tp(8), 3, 3)
	x.add("g", "tpot_ms", tp(2), 9, 8) // measured twice
	all := choices(x.rows, x.found)
	if len(all) != 2 || all[0].metric != "tpot_ms" || len(all[0].options) != 2 || all[1].metric != "output_tok_s" {
		t.Fatalf("%+v", all)
	}
	if c := all[0]; !near(c.cost(1), 8) || !near(c.regret(0), 0.25) || c.regret(1) != 0 || c.answer() != 1 {
		t.Errorf("%+v: %g %g %d", c, c.cost(1), c.regret(0), c.answer())
	}
	// By GPU one of two makes 9 tokens/s, one of one 10: the larger loses a ninth.
	if c := all[1]; c.regret(0) != 0 || !near(c.regret(1), 10.0/9-1) || c.answer() != 1 {
		t.Errorf("%+v: %g %d", c, c.regret(1), c.answer())
	}
}

func TestScoreChoices(t *testing.T) {
	var x table
	for _, g := range []struct {
		name string
		a, b float64 // predicted ms of TP 1, 2; measured are 10 and 8
	}{{"right", 9, 7}, {"wrong", 7, 9}, {"only one fits", 9, 0}, {"none fits", 0, 0}} {
		for i, p := range []float64{g.a, g.b} {
			o := x.add(g.name, "tpot_ms", tp(1+i), []float64{10, 8}[i], p)
			if p == 0 {
				o.failed = failed{why: notFitting, unfit: true}
			}
		}
	}
	s := scoreChoices(choices(x.rows, x.found))
	if s.Groups != 4 || s.NoAnswer != 1 || !near(s.Top1, 1.0/3) || !near(s.MeanRegretPct, 50.0/3) || !near(s.P90RegretPct, 25) {
		t.Errorf("%+v", s)
	}
	if s.Rule.Name != "large TP" || s.Rule.Top1 != 1 || s.Rule.MeanRegretPct != 0 || len(s.Rules) != len(rules()) {
		t.Errorf("%+v", s.Rule)
	}
	scores, totals := scoreQuestions(choices(x.rows, x.found))
	if len(scores) != 1 || len(totals) != 2 || totals[0].Metric != "all" || totals[1].Metric != "time per output token" {
		t.Errorf("%+v", totals)
	}
	if scores, totals := scoreQuestions(nil); len(scores) != 0 || len(totals) != 0 {
		t.Errorf("%+v %+v", scores, totals)
	}
}

func TestRules(t *testing.T) {
	var x table
	spread := layout{1, 1, 1, 1, 4, 4, 1} // four GPUs
	for i, l := range []layout{tp(8), {1, 1, 8, 1, 1, 8, 1}, tp(1), spread} {
		x.add("g", "output_tok_s", l, float64(1+i), 1)
		x.add("h", "tpot_ms", l, float64(1+i), 1)
	}
	all := choices(x.rows, x.found)
	want := map[string][2]layout{ // for a rate, for a time
		"large TP": {tp(8), tp(8)}, "small TP": {tp(1), tp(1)}, "TP by metric": {tp(1), tp(8)}, "most GPUs": {tp(8), tp(8)}, "spread": {spread, spread},
	}
	for _, r := range rules() {
		for i := range all {
			if got := all[i].options[r.choose(&all[i])].layout; got != want[r.name][i] {
				t.Errorf("%s, %s: %+v, want %+v", r.name, all[i].metric, got, want[r.name][i])
			}
		}
	}
}

// Runs are counted once, by what happened and what is predicted.
func TestConfusion(t *testing.T) {
	var x table
	yes, no := true, false
	for _, c := range []struct {
		run, metric string
		fits        *bool
	}{{"a", "tpot_ms", &yes}, {"a", "output_tok_s", &yes}, {"b", "tpot_ms", &no}, {"c", "oom", &yes}, {"d", "does_not_fit", &no}, {"e", "does_not_fit", &no}, {"f", "tpot_ms", nil}} {
		x.add(c.run, c.metric, tp(1), 1, 1).runs = c.fits
	}
	got := confusion(x.rows, x.found)
	if got.RanFits != 1 || got.RanOOM != 1 || got.OOMFits != 1 || got.OOMPredicted != 2 || len(got.Families) != 1 || got.Families[0].Confusion != got.Confusion {
		t.Errorf("%+v", got)
	}
}

// A run that tells its rate as output tokens and as all tokens counts twice among the rows
// and once among the runs; the weights and the cache of a run are two figures.
func TestARunOfSeveralUnitsCountsOnce(t *testing.T) {
	var x table
	for i, run := range []string{"a", "a", "b"} {
		x.add("", []string{"output_tok_s", "total_tok_s", "output_tok_s"}[i], tp(1), 10, []float64{11, 11, 14}[i])
		x.rows[i].Run = run
		x.found[i].heldOut = []float64{12, 12, 15}[i]
	}
	x.add("", "weights_gib_per_gpu", tp(1), 10, 10)
	x.add("", "kv_cache_tokens", tp(1), 10, 12)
	x.rows[3].Run, x.rows[4].Run = "c", "c"
	lib, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	got := score(lib, x.rows, x.found)
	if len(got.Totals) != 2 || got.Totals[0].N != 2 || got.Totals[0].ByRun != nil {
		t.Fatalf("%+v", got.Totals)
	}
	r := got.Totals[1]
	if r.N != 3 || !near(r.HeldOut.MedianAbsPct, 20) || r.ByRun == nil || r.ByRun.N != 2 || !near(r.ByRun.MedianAbsPct, 35) {
		t.Errorf("%+v, %+v", r, r.ByRun)
	}
}
