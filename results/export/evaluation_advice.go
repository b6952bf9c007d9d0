package export

import (
	"fmt"
	"strings"

	"partita/results"
)

// changeGroups are the sorts of change as a text groups them.
func changeGroups() []struct{ title, kinds string } {
	return []struct{ title, kinds string }{
		{"on the same GPUs", "steps layers split balance"},
		{"with other GPUs", "gpus"},
		{"with other number formats", "format"},
		{"for another load", "load"},
	}
}

// changes lists what helps, grouped by what it changes.
func (s *screen) changes(v *results.Evaluation) {
	s.b.WriteByte('\n')
	tried := "one single change was tried"
	if v.ChangesTried != 1 {
		tried = count(v.ChangesTried) + " single changes were tried"
	}
	switch {
	case v.ChangesTried == 0:
		s.line("changes   ", "none to try: there is nothing that can be priced")
		return
	case len(v.Changes) == 0 && v.Feasible:
		s.line("changes   ", tried+", none helps")
		return
	case len(v.Changes) == 0:
		s.line("changes   ", tried+", none makes it feasible")
		return
	case v.Feasible:
		s.line("changes   ", "that help; "+tried+". Gain: how much the objective falls")
	case !v.Changes[0].Feasible:
		s.line("changes   ", tried+", none makes it feasible; the nearest:")
	default:
		s.line("changes   ", "that make it feasible, the smallest first; "+tried)
	}
	for _, g := range changeGroups() {
		var rows [][]string
		left := 0
		for i := range v.Changes {
			c := &v.Changes[i]
			if !hasWord(g.kinds, c.Kind) {
				continue
			}
			if len(rows) == listedChanges {
				left++
				continue
			}
			row := []string{c.Change, "", "", "", ""}
			if c.GainPercent != nil {
				row[1] = fmt.Sprintf("%+.1f %%", *c.GainPercent)
			}
			if c.Metrics.TTFTMS != nil {
				row[2] = duration(*c.Metrics.TTFTMS)
			}
			if c.Metrics.TPOTMS != nil {
				row[3] = duration(*c.Metrics.TPOTMS)
			}
			if c.Metrics.TokensPerS != nil {
				row[4] = figure(*c.Metrics.TokensPerS)
			}
			rows = append(rows, row)
		}
		s.table([]string{g.title, "gain#", "TTFT#", "TPOT#", "tokens/s#"}, rows)
		if left > 0 {
			s.line("", fmt.Sprintf(" … and %d more (--json has them all)", left))
		}
	}
}

func hasWord(words, word string) bool {
	for _, w := range strings.Fields(words) {
		if w == word {
			return true
		}
	}
	return false
}

// engines says which engine could start the strategy.
func (s *screen) engines(v *results.Evaluation) {
	var rows [][]string
	for _, e := range v.Engines {
		can := "no"
		if e.Launchable {
			can = "yes"
		}
		rows = append(rows, []string{e.Engine, can, e.Why})
	}
	s.table([]string{"engine", "launches it", "why"}, rows)
}

// notes lists assumptions and warnings.
func (s *screen) notes(v *results.Evaluation) {
	if len(v.Assumptions)+len(v.Warnings) > 0 {
		s.b.WriteByte('\n')
	}
	for i, a := range v.Assumptions {
		s.line(tag("assumed", i), fmt.Sprintf("%s: %s – %s", a.What, a.Value, a.Because))
	}
	for i, w := range v.Warnings {
		s.line(tag("warning", i), w)
	}
}
