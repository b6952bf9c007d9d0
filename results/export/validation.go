package export

import (
	"fmt"
	"io"
	"math"

	"partita/results"
)

// ValidationText prints how predictions and choices compare with measurements, for a
// terminal.
func ValidationText(w io.Writer, v *results.Validation, on Screen) error {
	s := newScreen(on)
	s.line("", fmt.Sprintf("%s: %s scored, %s skipped", counted(v.Rows, "row", "rows"), count(v.Scored), count(v.Rows-v.Scored)))
	s.predictions(v)
	s.choices(v)
	s.claims(v.Claims)
	s.memories(&v.Memory)
	s.skipped(v)
	s.each(v.Each)
	_, err := io.WriteString(w, s.b.String())
	return err
}

func (s *screen) predictions(v *results.Validation) {
	rows := func(scores []results.PredictionScore) [][]string {
		var out [][]string
		for i := range scores {
			p := &scores[i]
			// A family stands on a line of its own: beside its metrics it took a line more.
			if p.Family != "" {
				if i == 0 || scores[i-1].Family != p.Family {
					out = append(out, append([]string{p.Family + ":"}, make([]string, 7)...))
				}
			}
			row := []string{p.Metric, fmt.Sprint(p.N), tenths(p.MedianAbsPct), tenths(p.P90AbsPct), signed(p.BiasPct), "", "", ""}
			if h := p.HeldOut; h != nil {
				row[5], row[6] = tenths(h.MedianAbsPct), tenths(h.P90AbsPct)
			}
			if p.Inside != nil {
				row[7] = wholePercent(*p.Inside)
			}
			out = append(out, row)
		}
		return out
	}
	if len(v.Prediction) == 0 {
		return
	}
	s.gap()
	s.line("Prediction ", "error in % of the measured value: median and 90th percentile of its size; bias is the median with its sign. Left out: the same where constants are fitted without the family; empty where it had no part in any. In: share of runs inside the interval that the other families make. Every run once: where rows tell one figure in several units, by constants fitted without the family")
	figures := []string{"n#", "median#", "p90#", "bias#", "left out#", "p90#", "in#"}
	s.table(append([]string{"family, metric!"}, figures...), rows(v.Prediction))
	s.table(append([]string{"over all families"}, figures...), rows(v.Totals))
	var runs [][]string
	for i := range v.Totals {
		if r := v.Totals[i].ByRun; r != nil {
			runs = append(runs, []string{v.Totals[i].Metric, fmt.Sprint(r.N), tenths(r.MedianAbsPct), tenths(r.P90AbsPct)})
		}
	}
	if len(runs) > 0 {
		s.table([]string{"every run once", "n#", "median#", "p90#"}, runs)
	}
}

func (s *screen) choices(v *results.Validation) {
	if len(v.Choice) == 0 {
		return
	}
	s.gap()
	s.line("Choice ", "of n groups, the measured layout with the best prediction against the best measured: share within 3 % of it (top-1), regret in %; none: no layout is predicted to fit. Beside it the rule of thumb that does best on the same groups, known afterwards")
	rows := func(scores []results.ChoiceScore) [][]string { // without the rule's top-1 they fit 80 columns
		var out [][]string
		for i := range scores {
			c := &scores[i]
			none := ""
			if c.NoAnswer > 0 {
				none = fmt.Sprint(c.NoAnswer)
			}
			out = append(out, []string{c.Family, c.Metric, fmt.Sprint(c.Groups), wholePercent(c.Top1), tenths(c.MeanRegretPct), tenths(c.P90RegretPct), none,
				c.Rule.Name, tenths(c.Rule.MeanRegretPct)})
		}
		return out
	}
	s.table([]string{"family!", "metric!", "n#", "top-1#", "mean#", "p90#", "none#", "rule!~", "mean#~"}, rows(v.Choice))
	s.table([]string{"family", "over all families", "n#", "top-1#", "mean#", "p90#", "none#", "rule!~", "mean#~"}, rows(v.ChoiceTotals))
	var rules [][]string
	for i := range v.ChoiceTotals {
		if c := &v.ChoiceTotals[i]; c.Metric == "all" {
			for _, r := range c.Rules {
				rules = append(rules, []string{r.Name, wholePercent(r.Top1), tenths(r.MeanRegretPct), tenths(r.P90RegretPct)})
			}
		}
	}
	s.table([]string{"rule of thumb, over all", "top-1#", "mean#", "p90#"}, rules)
}

// claims prints a row a metric and a column a margin.
func (s *screen) claims(all []results.ClaimScore) {
	if len(all) == 0 {
		return
	}
	header, rows := []string{"over all families", "n#"}, [][]string{}
	for i := range all {
		c := &all[i]
		if i == 0 || all[i-1].Metric != c.Metric {
			rows = append(rows, []string{c.Metric, fmt.Sprint(c.N)})
		}
		if len(rows) == 1 {
			header = append(header, fmt.Sprintf("%g %%#", c.MarginPercent))
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], wholePercent(float64(c.Held)/float64(c.N)))
	}
	s.gap()
	s.line("Margin ", "share of runs that keep a requirement which the prediction, by constants fitted without the family, meets by just so much")
	s.table(header, rows)
}

func (s *screen) memories(m *results.MemoryScore) {
	if len(m.Families) == 0 {
		return
	}
	s.gap()
	s.line("Memory ", "runs by what happened and by what is predicted: that ran, or did not fit (OOM), and that the prediction fits, or puts over the memory")
	row := func(name string, c *results.Confusion) []string {
		return []string{name, fmt.Sprint(c.RanFits), fmt.Sprint(c.RanOOM), fmt.Sprint(c.OOMFits), fmt.Sprint(c.OOMPredicted)}
	}
	var rows [][]string
	for i := range m.Families {
		rows = append(rows, row(m.Families[i].Family, &m.Families[i].Confusion))
	}
	s.table([]string{"family!", "ran: fits#", "ran: over#", "OOM: fits#", "OOM: over#"}, append(rows, row("all", &m.Confusion)))
}

func (s *screen) skipped(v *results.Validation) {
	if len(v.Skipped) == 0 {
		return
	}
	var rows [][]string
	for _, x := range v.Skipped {
		rows = append(rows, []string{fmt.Sprint(x.Rows), x.Reason})
	}
	s.gap()
	s.line("Skipped ", "rows that no prediction was held against")
	s.table([]string{"rows#", "because"}, rows)
}

func (s *screen) each(all []results.ValidatedRow) {
	var rows [][]string
	for i := range all {
		x := &all[i]
		row := []string{fmt.Sprint(x.Line), x.Metric, figure(x.Measured), "", "", x.Skipped}
		switch {
		case x.Predicted != nil:
			row[3], row[4] = figure(*x.Predicted), signed(*x.ErrorPct)
		case x.Fits != nil:
			row[3] = map[bool]string{true: "fits", false: "does not"}[*x.Fits]
		}
		rows = append(rows, row)
	}
	if len(rows) > 0 {
		s.gap()
		s.line("Rows ", "every row of the table, by its line")
		s.table([]string{"line#", "metric!", "measured#", "predicted#", "error %#", "skipped because"}, rows)
	}
}

func tenths(x float64) string       { return fmt.Sprintf("%.1f", x) }
func signed(x float64) string       { return fmt.Sprintf("%+.1f", math.Round(10*x)/10+0) } // no −0
func wholePercent(x float64) string { return fmt.Sprintf("%.0f %%", 100*x) }
