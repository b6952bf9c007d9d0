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

// Batch is what the summaries of a batch are made from. Rows calls its argument for
// every result in the order of the scenarios; results are read as they are needed, so
// that a batch of any size fits in memory.
type Batch struct {
	Name  string
	Axes  []string // of the matrix, in order
	Tally *results.Tally
	Rows  func(visit func(*results.ScenarioResult) error) error
}

// column is a column of summary.csv.
type column struct {
	name string
	cell func(r *results.ScenarioResult) string
}

// CSV writes summary.csv: one row a scenario. What does not apply is empty.
func (b *Batch) CSV(w io.Writer) error {
	columns := b.columns()
	out := csv.NewWriter(w)
	header := make([]string, len(columns))
	for i, c := range columns {
		header[i] = c.name
	}
	if err := out.Write(header); err != nil {
		return err
	}
	err := b.Rows(func(r *results.ScenarioResult) error {
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = c.cell(r)
		}
		return out.Write(cells)
	})
	out.Flush()
	if err != nil {
		return err
	}
	return out.Error()
}

func (b *Batch) columns() []column {
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
		metric("samples_per_s", func(m *results.Metrics) *float64 { return m.SamplesPerS }),
		metric("sample_latency_ms", func(m *results.Metrics) *float64 { return m.SampleLatencyMS }),
		metric("step_ms", func(m *results.Metrics) *float64 { return m.StepMS }),
		metric("mfu", func(m *results.Metrics) *float64 { return m.MFU }),
		metric("usd_per_hour", func(m *results.Metrics) *float64 { return m.USDPerHour }),
		metric("usd_per_million_tokens", func(m *results.Metrics) *float64 { return m.USDPerMillion }),
		{"best_heuristic", func(r *results.ScenarioResult) string { name, _ := bestHeuristic(r); return name }},
		{"best_heuristic_gap_percent", func(r *results.ScenarioResult) string { _, gap := bestHeuristic(r); return number(gap) }},
		{"plan", func(r *results.ScenarioResult) string { return r.Plan + r.ClosestPlan }},
		{"reason", func(r *results.ScenarioResult) string { return r.Reason }},
	}
	all := []column{{"name", func(r *results.ScenarioResult) string { return r.Name }}}
	for _, axis := range b.Axes {
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
func (b *Batch) Markdown(w io.Writer) error {
	d := &document{}
	d.heading(1, "Batch "+b.Name)
	d.paragraph(plural(b.Tally.Scenarios, "scenario") + ".")
	d.table([]string{"Ended", "Scenarios#", "Share#", "Meaning"}, StatusRows(b.Tally))
	if rows := HeuristicRows(b.Tally); len(rows) > 0 {
		d.heading(2, "The optimum against heuristics")
		d.paragraph("Over the scenarios with a plan, each on the same costs. A gap is how much worse the heuristic is than the plan found; gaps are of the scenarios where it is feasible.")
		d.table([]string{"Heuristic", "Feasible#", "Optimal#", "Mean gap#", "Median gap#", "Largest gap#"}, rows)
	}
	d.heading(2, "Scenarios")
	var rows [][]string
	err := b.Rows(func(r *results.ScenarioResult) error {
		if len(rows) < mostRows {
			rows = append(rows, b.markdownRow(r))
		}
		return nil
	})
	if err != nil {
		return err
	}
	d.table([]string{"Scenario", "Ended", "Strategy", "GPUs#", "TTFT#", "TPOT#", "Tokens/s#", "Best heuristic#", "Reason"}, rows)
	if left := b.Tally.Scenarios - len(rows); left > 0 {
		d.paragraph(fmt.Sprintf("%s more in summary.csv.", plural(left, "scenario")))
	}
	_, err = w.Write(d.b.Bytes())
	return err
}

func (b *Batch) markdownRow(r *results.ScenarioResult) []string {
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
