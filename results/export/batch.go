package export

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"partita/results"
)

// BatchSummary makes the summaries of a batch from its results, which are added in the
// order of the scenarios. It keeps no results, so that a batch of any size fits in
// memory.
type BatchSummary struct {
	Tally *results.Tally

	name    string
	columns []column
	csv     *csv.Writer
	rows    [][]string // of the table of summary.md, the first mostRows
}

// NewBatchSummary begins the summaries of a batch with these axes; summary.csv goes to w
// as results are added.
func NewBatchSummary(name string, axes []string, w io.Writer) (*BatchSummary, error) {
	s := &BatchSummary{Tally: results.NewTally(), name: name, columns: columns(axes), csv: csv.NewWriter(w)}
	header := make([]string, len(s.columns))
	for i, c := range s.columns {
		header[i] = c.name
	}
	return s, s.csv.Write(header)
}

// Add adds a result: a row of summary.csv, in which what does not apply is empty.
func (s *BatchSummary) Add(r *results.ScenarioResult) error {
	s.Tally.Add(r)
	if len(s.rows) < mostRows {
		s.rows = append(s.rows, markdownRow(r))
	}
	cells := make([]string, len(s.columns))
	for i, c := range s.columns {
		cells[i] = c.cell(r)
	}
	return s.csv.Write(cells)
}

// Close ends summary.csv.
func (s *BatchSummary) Close() error {
	s.csv.Flush()
	return s.csv.Error()
}

// column is a column of summary.csv.
type column struct {
	name string
	cell func(r *results.ScenarioResult) string
}

func columns(axes []string) []column {
	metric := func(name string, of func(m *results.Metrics) *float64) column {
		return column{name, func(r *results.ScenarioResult) string { return number(of(&r.Metrics)) }}
	}
	strategy := func(name string, of func(s *results.Strategy) string) column {
		return column{name, func(r *results.ScenarioResult) string {
			if r.Strategy == nil {
				return ""
			}
			return of(r.Strategy)
		}}
	}
	fixed := []column{
		{"status", func(r *results.ScenarioResult) string { return string(r.Status) }},
		{"exit", func(r *results.ScenarioResult) string { return strconv.Itoa(r.Exit) }},
		{"objective", func(r *results.ScenarioResult) string { return number(r.Objective) }},
		{"gap", func(r *results.ScenarioResult) string { return number(r.Gap) }},
		{"gpus_used", func(r *results.ScenarioResult) string {
			if r.GPUs == nil {
				return ""
			}
			return strconv.Itoa(r.GPUs.Used)
		}},
		strategy("replicas", func(s *results.Strategy) string { return strconv.Itoa(s.Replicas) }),
		strategy("pp", func(s *results.Strategy) string { return strconv.Itoa(s.PP) }),
		strategy("tp", func(s *results.Strategy) string { return perStage(s.TP) }),
		strategy("ep", func(s *results.Strategy) string { return perStage(s.EP) }),
		strategy("cp", func(s *results.Strategy) string { return perStage(s.CP) }),
		strategy("layers", func(s *results.Strategy) string { return perStage(s.Layers) }),
		metric("ttft_ms", func(m *results.Metrics) *float64 { return m.TTFTMS }),
		metric("tpot_ms", func(m *results.Metrics) *float64 { return m.TPOTMS }),
		metric("tokens_per_s", func(m *results.Metrics) *float64 { return m.TokensPerS }),
		metric("tokens_per_s_per_gpu", func(m *results.Metrics) *float64 { return m.TokensPerSPerGPU }),
		metric("output_tokens_per_s", func(m *results.Metrics) *float64 { return m.OutputTokensPerS }),
		metric("e2e_ms", func(m *results.Metrics) *float64 { return m.E2EMS }),
		metric("usd_per_hour", func(m *results.Metrics) *float64 { return m.USDPerHour }),
		metric("usd_per_million_tokens", func(m *results.Metrics) *float64 { return m.USDPerMillion }),
		{"best_heuristic", func(r *results.ScenarioResult) string { name, _ := bestHeuristic(r); return name }},
		{"best_heuristic_gap_percent", func(r *results.ScenarioResult) string { _, gap := bestHeuristic(r); return number(gap) }},
		{"plan", func(r *results.ScenarioResult) string { return r.Plan + r.ClosestPlan }},
		{"reason", func(r *results.ScenarioResult) string { return r.Reason }},
	}
	all := []column{{"name", func(r *results.ScenarioResult) string { return r.Name }}}
	for _, axis := range axes {
		name := axis
		if name == "name" || slices.ContainsFunc(fixed, func(c column) bool { return c.name == name }) {
			name += "_axis" // a program that reads the columns by name gets what it expects
		}
		all = append(all, column{name, func(r *results.ScenarioResult) string { return r.Values[axis] }})
	}
	return append(all, fixed...)
}

// number is a figure in full, "" where there is none.
func number(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'g', -1, 64)
}

// bestHeuristic is the heuristic of a result that comes closest to the optimum, the
// first of equal ones; "" where none is feasible.
func bestHeuristic(r *results.ScenarioResult) (name string, gap *float64) {
	for _, c := range r.Comparison {
		if c.Feasible && c.GapPercent != nil && (gap == nil || *c.GapPercent < *gap) {
			name, gap = c.Heuristic, c.GapPercent
		}
	}
	return name, gap
}

// mostRows bounds the table of summary.md, which is for people: summary.csv has them all.
const mostRows = 5000

// Markdown writes summary.md: how the scenarios ended, the optimum against each
// heuristic over all of them, and a table of the scenarios.
func (s *BatchSummary) Markdown(w io.Writer) error {
	d := &document{}
	d.heading(1, "Batch "+s.name)
	d.paragraph(plural(s.Tally.Scenarios, "scenario") + ".")
	d.table([]string{"Ended", "Scenarios#", "Share#", "Meaning"}, StatusRows(s.Tally))
	if rows := HeuristicRows(s.Tally); len(rows) > 0 {
		d.heading(2, "The optimum against heuristics")
		d.paragraph("Over the scenarios with a plan, each on the same costs. A gap is how much worse the heuristic is than the plan found; gaps are of the scenarios where it is feasible.")
		d.table([]string{"Heuristic", "Feasible#", "Optimal#", "Mean gap#", "Median gap#", "Largest gap#"}, rows)
	}
	d.heading(2, "Scenarios")
	d.table([]string{"Scenario", "Ended", "Strategy", "GPUs#", "TTFT#", "TPOT#", "Tokens/s#", "Best heuristic#", "Reason"}, s.rows)
	if left := s.Tally.Scenarios - len(s.rows); left > 0 {
		d.paragraph(fmt.Sprintf("%s more in summary.csv.", plural(left, "scenario")))
	}
	_, err := w.Write(d.b.Bytes())
	return err
}

func markdownRow(r *results.ScenarioResult) []string {
	cells := []string{r.Name, string(r.Status), "", "", "", "", "", "", ""}
	if r.Strategy != nil {
		cells[2] = strategyLine(&results.PhasePlan{Strategy: *r.Strategy})
	}
	if r.GPUs != nil {
		cells[3] = count(r.GPUs.Used)
	}
	show := func(i int, v *float64, as func(float64) string) {
		if v != nil {
			cells[i] = as(*v)
		}
	}
	show(4, r.Metrics.TTFTMS, duration)
	show(5, r.Metrics.TPOTMS, duration)
	show(6, r.Metrics.TokensPerS, figure)
	_, gap := bestHeuristic(r)
	show(7, gap, percent)
	first, _, more := strings.Cut(r.Reason, "\n")
	if cells[8] = first; more {
		cells[8] += " …"
	}
	return cells
}

// StatusRows counts the results by how they ended: status, number, share, meaning.
func StatusRows(t *results.Tally) [][]string {
	var rows [][]string
	for _, s := range []struct {
		status  results.Status
		meaning string
	}{
		{results.StatusOptimal, "proved optimal, and verified"},
		{results.StatusFeasible, "a verified plan, not proved optimal within the limit"},
		{results.StatusInfeasible, "proved: no plan meets the condition"},
		{results.StatusUnknown, "neither a plan nor a proof within the limit"},
		{results.StatusInvalid, "the condition is wrong"},
		{results.StatusUnverified, "the plan failed verification"},
		{results.StatusFailed, "the program failed"},
	} {
		if n := t.ByStatus[s.status]; n > 0 {
			rows = append(rows, []string{string(s.status), count(n), percent(t.Share(n)), s.meaning})
		}
	}
	return rows
}

// HeuristicRows compares the heuristics: name, how often feasible and optimal, and the
// mean, the median and the largest gap.
func HeuristicRows(t *results.Tally) [][]string {
	var rows [][]string
	for _, h := range t.Heuristics() {
		row := []string{h.Heuristic, count(h.Feasible) + " of " + count(h.Compared), count(h.Optimal), "", "", ""}
		for i, v := range []*float64{h.MeanGap, h.MedianGap, h.MaxGap} {
			if v != nil {
				row[3+i] = percent(*v)
			}
		}
		rows = append(rows, row)
	}
	return rows
}
