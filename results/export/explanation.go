package export

import (
	"fmt"
	"io"
	"strings"

	"partita/results"
)

// ExplanationText prints an explanation for a terminal.
func ExplanationText(w io.Writer, x *results.Explanation, on Screen) error {
	s := newScreen(on)
	switch {
	case x.Unknown:
		s.styled(doubt, "", "Not decided within the limit: neither a plan nor a proof that there is none.")
	case x.Feasible:
		s.styled(good, "", "A plan meets everything that is asked.")
		s.list("What binds it:", x.Binding)
		s.list("How far it could be tightened, all else as asked:", sentences(nil, x.Nearest))
	default:
		s.styled(bad, "", "Proved infeasible: no plan meets everything that is asked.")
		s.explanation(x)
	}
	_, err := io.WriteString(w, s.b.String())
	return err
}

// explanation is why no plan exists, and the ways out.
func (s *screen) explanation(x *results.Explanation) {
	for i, c := range conflictsOf(x) {
		s.list(conflictTitle(x, i), sentences(c.Conflict, nil))
		s.ways(c.Nearest)
	}
	s.list("How far demands were relaxed to find this:", x.Scope)
}

// list is a title with items under it; nothing where there are none.
func (s *screen) list(title string, items []string) {
	if len(items) == 0 {
		return
	}
	s.b.WriteByte('\n')
	s.styled(strong, "", title)
	for _, item := range items {
		s.line("- ", item)
	}
}

// ways is the table of nearest values with the plans that have them.
func (s *screen) ways(nearest []results.Nearest) {
	s.table(wayHeader, wayRows(nearest))
}

// wayHeader are the columns of wayRows.
var wayHeader = []string{"instead of", "asked#", "nearest#", "with this plan"}

// wayRows are the nearest values with the plans that have them.
func wayRows(nearest []results.Nearest) [][]string {
	var rows [][]string
	for _, n := range nearest {
		row := []string{n.Requirement, "", n.Instead, n.Strategy}
		if n.Want != nil {
			row[1] = ofDemand(*n.Want, n.Unit)
		}
		if n.Nearest != nil {
			row[2] = ofDemand(*n.Nearest, n.Unit)
		} else if n.Instead == "" {
			row[2] = "left out"
		}
		rows = append(rows, row)
	}
	return rows
}

// ofDemand prints an amount of a demand: all digits that an explanation gives, for it is
// rounded to what can be had.
func ofDemand(v float64, unit string) string {
	switch {
	case unit == "s" && v < 1e-4:
		v, unit = v*1e6, "µs"
	case unit == "s" && v < 1:
		v, unit = v*1e3, "ms"
	case unit == "ε":
		v, unit = 100*v, "%"
	case unit == "GiB":
		return fmt.Sprintf("%.4g GiB", v)
	case v == 1:
		unit = strings.TrimSuffix(unit, "s")
	}
	return fmt.Sprintf("%.9g %s", v, unit)
}

// conflictsOf are the conflicts of an explanation, the first one first.
func conflictsOf(x *results.Explanation) []results.Conflict {
	if len(x.Conflict) == 0 {
		return nil
	}
	return append([]results.Conflict{{Conflict: x.Conflict, Nearest: x.Nearest}}, x.Further...)
}

// conflictTitle introduces the i-th conflict.
func conflictTitle(x *results.Explanation, i int) string {
	what := "These clash: no plan meets them all, and one of them has to give way"
	if len(conflictsOf(x)[i].Conflict) == 1 {
		what = "No plan meets this, whatever else gives way"
	}
	if i > 0 {
		what = "Besides, " + lower(what)
	}
	if !x.Minimal {
		what += " (not proved minimal: time ran out)"
	}
	return what + ":"
}

func lower(s string) string { return string(s[0]|0x20) + s[1:] }

// sentences are those of clashes and of nearest values.
func sentences(clashes []results.Clash, nearest []results.Nearest) []string {
	var out []string
	for _, c := range clashes {
		out = append(out, c.Sentence)
	}
	for _, n := range nearest {
		out = append(out, n.Sentence)
	}
	return out
}

// reportExplanation is the same in report.md.
func reportExplanation(d form, x *results.Explanation) {
	if x == nil {
		return
	}
	for i, c := range conflictsOf(x) {
		d.heading(2, "Why no plan exists")
		d.paragraph(conflictTitle(x, i))
		d.bullets(sentences(c.Conflict, nil))
		d.table(wayHeader, wayRows(c.Nearest))
	}
	if len(x.Conflict) > 0 && len(x.Scope) > 0 {
		d.paragraph("How far demands were relaxed to find this:")
		d.bullets(x.Scope)
	}
}
