package export

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"partita/results"
)

// Summary prints a report for a terminal of 80 columns.
func Summary(w io.Writer, r *results.Report) error { return SummaryOn(w, r, Screen{}) }

// SummaryOn prints a report for a terminal, the verdict first and all of an ordinary plan
// on one screen; report.md has the rest. Nothing of the condition's texts reaches the
// terminal as a control sequence.
func SummaryOn(w io.Writer, r *results.Report, on Screen) error {
	if r == nil {
		return ErrNoReport
	}
	s := newScreen(on)
	s.styled(verdictTone(r), "", verdict(r))
	if !r.Feasible {
		for _, reason := range r.Reasons {
			s.line("- ", reason)
		}
		if r.Explanation != nil {
			s.explanation(r.Explanation)
		}
	}
	if r.Plan != nil {
		if r.Plan.Disaggregated != nil {
			s.apart(r.Plan)
		} else {
			for i := range r.Plan.Phases {
				s.phase(&r.Plan.Phases[i])
			}
		}
		s.comparison(r)
		s.gap()
		for i, ph := range judged(r.Plan) {
			s.styled(soft, tag("proof", i), proofLine(&ph.Solve, r.Feasible))
			if rules := rulesLine(ph.Solve.Certificate.Rules); rules != "" {
				s.styled(soft, "rules     ", rules)
			}
		}
		for i, b := range r.Binding {
			s.line(tag("binds", i), b)
		}
		for i, h := range helps(r.Plan) {
			s.line(tag("helps", i), h)
		}
		if line := leftOutLine(r); line != "" {
			s.line("graph     ", line)
		}
	}
	_, err := io.WriteString(w, s.b.String())
	return err
}

// verdictTone is green for what is proved, yellow for what is found, red for neither.
func verdictTone(r *results.Report) tone {
	switch {
	case r.Plan == nil, !r.Feasible:
		return bad
	case r.Status != results.StatusOptimal, slices.ContainsFunc(r.Plan.Phases, func(ph results.PhasePlan) bool { return loneILP(&ph.Solve) }):
		return doubt
	}
	return good
}

func (s *screen) phase(ph *results.PhasePlan) {
	s.gap()
	s.styled(strong, "strategy  ", fmt.Sprintf("%s (%s)", strategyLine(ph), ph.Phase))
	s.line("          ", loadLine(ph))
	s.line("GPUs      ", gpuCounts(&ph.GPUs))
	if ph.GPUs.Available == nil && ph.GPUs.Why != "" {
		s.line("          ", ph.GPUs.Why)
	}
	if ofTraining(ph) {
		s.rankTable(ph)
	} else {
		s.stageTable(ph)
	}
	s.requirementTable(ph)
	s.table([]string{"metric", "predicted#", "interval#~"}, metricRows(ph))
}

// requirementTable holds the plan against what is asked.
func (s *screen) requirementTable(ph *results.PhasePlan) {
	rows := requirementRows(ph)
	for i := range rows {
		rows[i] = rows[i][:7]
	}
	s.table([]string{"requirement", "want#", "got#", "!", "margin#", "nearest#", "kept#~"}, rows)
	if note := metNote(ph.Requirements); note != "" {
		s.styled(soft, " ", note)
	}
}

// comparison is a line or two for each heuristic. Beside a plan that misses requirements
// they are only counted: those that meet everything would be the plan.
func (s *screen) comparison(r *results.Report) {
	list := r.Plan.Comparison
	if len(list) == 0 {
		return
	}
	if !r.Feasible {
		feasible := 0
		for _, c := range list {
			if c.Feasible {
				feasible++
			}
		}
		s.gap()
		s.line("compared  ", fmt.Sprintf("of %s in use %s every requirement", plural(len(list), "heuristic"), counted(feasible, "meets", "meet")))
		return
	}
	var rows [][]string
	for _, c := range list {
		row := []string{c.Heuristic, "infeasible", c.WhyInfeasible}
		if c.Feasible {
			row[1], row[2] = "", c.Strategy
			if c.GapPercent != nil {
				row[1] = percent(*c.GapPercent) + " worse"
				if *c.GapPercent == 0 {
					row[1] = "as good"
				}
			}
		}
		if row[2] == "" {
			row[2] = c.Strategy
		}
		row[2] = clipped(plain(row[2]), s.width)
		rows = append(rows, row)
	}
	s.table([]string{"compared with", "is#", "strategy, or why not~"}, rows)
}

// counted is "none meets", "1 meets", "3 meet".
func counted(n int, one, several string) string {
	switch n {
	case 0:
		return "none " + one
	case 1:
		return "1 " + one
	}
	return count(n) + " " + several
}

// tag is a name before the first of several lines, blank before the rest.
func tag(name string, i int) string {
	if i > 0 {
		name = ""
	}
	return fmt.Sprintf("%-10s", name)
}

// gpuCounts says how many GPUs are used of those given, and that the parts are as many.
func gpuCounts(g *results.GPUCount) string {
	line, _, _ := strings.Cut(gpuLine(g), ": ")
	line, counted, _ := strings.Cut(line, ";")
	if g.Parts != g.Used {
		return line + ";" + counted + ": not as many as GPUs are used"
	}
	return line + ";" + counted
}
