package export

import (
	"fmt"
	"io"

	"partita/results"
)

// ComparisonText prints the plan of a report beside the heuristics, for a terminal.
func ComparisonText(w io.Writer, r *results.Report, on Screen) error {
	s := newScreen(on)
	s.styled(verdictTone(r), "", verdict(r))
	var rows [][]string
	unit := ""
	if r.Plan != nil && r.Feasible {
		for _, ph := range judged(r.Plan) {
			rows = append(rows, []string{"this plan (" + string(r.Status) + ")", figure(ph.Solve.Objective), "", "", planLine(r.Plan, ph)})
			unit = ph.Solve.ObjectiveUnit
		}
	}
	if r.Plan != nil {
		for _, h := range r.Plan.Comparison {
			row := []string{h.Heuristic, "–", "–", duration(h.TimeMS), h.Strategy}
			if h.Objective != nil {
				row[1] = figure(*h.Objective)
			}
			if h.GapPercent != nil {
				row[2] = fmt.Sprintf("%+.1f %%", *h.GapPercent)
			}
			if !h.Feasible {
				row[4] = h.WhyInfeasible
			}
			rows = append(rows, row)
		}
	}
	s.table([]string{"", "objective#", "gap#", "time#~", "strategy, or why not"}, rows)
	if unit != "" {
		s.gap()
		s.styled(soft, "", "objective in "+unit+"; a gap is how much worse the heuristic is")
	}
	_, err := io.WriteString(w, s.b.String())
	return err
}
