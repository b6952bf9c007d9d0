package export

import (
	"fmt"
	"math"
	"slices"

	"partita/results"
)

// scatter is a chart of plans by latency and throughput.
type scatter struct {
	Kind   string `json:"kind"`
	X      string `json:"x"`
	Y      string `json:"y"`
	Points []spot `json:"points"`
}

// spot is a plan in a scatter.
type spot struct {
	X    float64 `json:"x"`
	Y    float64 `json:"y"`
	Sort string  `json:"s"` // plan, rule (meets everything), broken (breaks a condition), if (with other hardware)
	Name string  `json:"t"`
	Tip  string  `json:"h"`
}

// htmlComparison holds the heuristics against the plan: in a picture where two or more are
// known by latency and throughput, and in a table.
func htmlComparison(w *webpage, p *results.Plan) {
	if len(p.Comparison) == 0 || len(p.Phases) == 0 {
		return
	}
	w.heading(2, "Compared with heuristics")
	w.paragraph(comparisonNote(p))
	table := func() {
		takes := "request takes#"
		if trainingPlan(p) {
			takes = "step takes#"
		}
		w.titled("Compared with heuristics", []string{"heuristic", "objective#", "gap#", takes, "tokens/s#", "GPUs#", "strategy"}, tradeoffRows(p))
	}
	chart, missing := comparisonChart(p)
	if len(chart.Points) < 2 || trainingPlan(p) { // of a step one figure follows from the other
		table()
		return
	}
	about := "To the left is faster, upwards makes more. Filled marks meet every condition; hollow ones break one, such as the balance or a requirement, and are placed by what they would come to."
	if len(missing) > 0 {
		about += fmt.Sprintf(" Not shown, for no plan of theirs fits: %s.", sentence(missing))
	}
	w.figure("Latency and throughput of this plan and of the heuristics", about, scatterKey(chart), chart, table)
}

// scatterKey names the marks that a chart has.
func scatterKey(c *scatter) []keyEntry {
	var key []keyEntry
	for _, e := range []struct{ sort, name string }{
		{"plan", "this plan"}, {"rule", "heuristic"}, {"broken", "heuristic that breaks a condition"}, {"if", "the best plan with other hardware"},
	} {
		if slices.ContainsFunc(c.Points, func(s spot) bool { return s.Sort == e.sort }) {
			key = append(key, keyEntry{"spot-" + e.sort, e.name})
		}
	}
	return key
}

// comparisonChart are the plans that have both figures, those that fall together as one, and the
// names of those that have none. Where the number of GPUs is open the throughput is that
// of each GPU, as the objective counts it.
func comparisonChart(p *results.Plan) (chart *scatter, missing []string) {
	ph := p.Whole()
	chart = &scatter{Kind: "scatter", X: "latency of a request (s)", Y: "tokens/s", Points: []spot{}}
	each := ph.GPUs.Available == nil
	if each {
		chart.Y = "tokens/s of each GPU"
	}
	add := func(sort, name, about string, ms, tokens *float64, gpus int) bool {
		if ms == nil || tokens == nil || gpus == 0 {
			return false
		}
		y := *tokens
		if each {
			y /= float64(gpus)
		}
		s := spot{X: *ms / 1e3, Y: y, Sort: sort, Name: plain(name), Tip: fmt.Sprintf("%s: %s, %s %s", plain(name), duration(*ms), figure(y), chart.Y)}
		if about != "" {
			s.Tip += "\n" + plain(about)
		}
		const near = 1e-6
		i := slices.IndexFunc(chart.Points, func(o spot) bool {
			return o.Sort == s.Sort && o.Sort != "plan" && max(o.X, s.X) <= min(o.X, s.X)*(1+near) && max(o.Y, s.Y) <= min(o.Y, s.Y)*(1+near)
		})
		if i < 0 {
			chart.Points = append(chart.Points, s)
			return true
		}
		chart.Points[i].Name += ", " + s.Name
		chart.Points[i].Tip += "\n" + s.Tip
		return true
	}
	for i := range p.WhatIf {
		f := &p.WhatIf[i]
		if f.Metrics != nil && !(unchanged(f.LatencyGainPercent) && unchanged(f.ThroughputGainPercent)) { // else it lies on the plan
			add("if", f.Change, f.Strategy, f.Metrics.E2EMS, f.Metrics.TokensPerS, f.GPUs)
		}
	}
	add("plan", "this plan", planLine(p, ph), ph.Metrics.E2EMS, ph.Metrics.TokensPerS, ph.GPUs.Used)
	for _, c := range p.Comparison {
		sort, about := "rule", c.Strategy
		if !c.Feasible {
			sort, about = "broken", c.WhyInfeasible
		}
		if !add(sort, c.Heuristic, about, c.LatencyMS, c.TokensPerS, c.GPUs) {
			missing = append(missing, c.Heuristic)
		}
	}
	return chart, missing
}

// unchanged reports that a gain is none.
func unchanged(percent *float64) bool { return percent == nil || math.Abs(*percent) < 0.05 }

// tradeoffRows are those of the comparison with what each comes to.
func tradeoffRows(p *results.Plan) [][]string {
	rows := comparisonRows(p)
	at := 0
	add := func(ms, tokens *float64, gpus int) {
		cells := []string{"", "", ""}
		if ms != nil {
			cells[0] = duration(*ms)
		}
		if tokens != nil {
			cells[1] = figure(*tokens)
		}
		if gpus > 0 {
			cells[2] = count(gpus)
		}
		name, strategy, figures := rows[at][0], rows[at][1], rows[at][2:]
		rows[at] = slices.Concat([]string{name}, figures, cells, []string{strategy}) // the figures beside the names, on a phone too
		at++
	}
	for _, ph := range judged(p) {
		takes := ph.Metrics.E2EMS
		if ofTraining(ph) {
			takes = ph.Metrics.StepMS
		}
		add(takes, ph.Metrics.TokensPerS, ph.GPUs.Used)
	}
	for _, c := range p.Comparison {
		add(c.LatencyMS, c.TokensPerS, c.GPUs)
	}
	return rows
}
