package export

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"partita/results"
)

// PlacedText prints answers to published instances as a table, for a terminal. Where
// there is one answer alone, its placement follows.
func PlacedText(w io.Writer, all []results.Placed, on Screen) error {
	s := newScreen(on)
	var rows [][]string
	for i := range all {
		p := &all[i]
		goal := p.Goal
		if p.BudgetUSDPerHour != nil {
			goal += " ≤ " + exactly(*p.BudgetUSDPerHour) + " USD/h"
		}
		row := []string{p.Name, goal, optionally(p.Objective), "", "", p.Status, "", placedBackend(p), fmt.Sprint(p.WallMS)}
		if p.Status != "optimal" && p.BestBound != nil { // an optimum is its own bound
			row[3] = exactly(*p.BestBound)
		}
		if p.Status != "optimal" && p.Gap != nil {
			row[4] = fmt.Sprintf("%.3g %%", 100**p.Gap)
		}
		if p.Recorded != nil {
			row[6] = exactly(p.Recorded.Value)
		}
		rows = append(rows, row)
	}
	s.table([]string{"instance!", "objective", "value#", "bound#", "gap#", "status", "recorded#~", "by~", "ms#~"}, rows)
	s.gap()
	s.styled(soft, "", "values in "+unitsOf(all))
	if len(all) == 1 {
		s.placement(&all[0])
	}
	_, err := io.WriteString(w, strings.TrimPrefix(s.b.String(), "\n"))
	return err
}

// unitsOf names the units of the answers, and which way is better.
func unitsOf(all []results.Placed) string {
	var units []string
	for i := range all {
		u := all[i].Unit + ", least is best"
		if all[i].Sense == "maximize" {
			u = all[i].Unit + ", most is best"
		}
		if !slices.Contains(units, u) {
			units = append(units, u)
		}
	}
	return strings.Join(units, "; ")
}

// placedBackend names who solved it, and who agreed.
func placedBackend(p *results.Placed) string {
	if len(p.AgreedBy) > 1 {
		return strings.Join(p.AgreedBy, ", ")
	}
	return p.Backend
}

func (s *screen) placement(p *results.Placed) {
	if p.Because != "" {
		s.gap()
		s.line("Because ", p.Because)
	}
	if p.Recorded != nil && p.Recorded.Note != "" {
		s.line("Recorded ", p.Recorded.Note)
	}
	if p.KnownOptimum != nil {
		s.line("Known ", "the file gives the optimum "+exactly(*p.KnownOptimum))
	}
	if p.Solution == nil {
		return
	}
	var rows [][]string
	for _, st := range p.Solution.Stages {
		tp := ""
		if st.TP > 0 {
			tp = fmt.Sprint(st.TP)
		}
		rows = append(rows, []string{fmt.Sprintf("%d–%d", st.FirstLayer, st.LastLayer), fmt.Sprint(st.LastLayer - st.FirstLayer + 1), st.Machine, fmt.Sprint(st.Index), tp, exactly(st.TokensPerS)})
	}
	s.table([]string{"layers!", "number#", "machine", "of its type#", "tp#", "tokens/s#"}, rows)
	rows = nil
	for _, r := range p.Solution.Routes {
		rows = append(rows, []string{routeEnd(p.Solution, r.From, "input"), routeEnd(p.Solution, r.To, "output"), exactly(r.TokensPerS)})
	}
	s.table([]string{"from!", "to!", "tokens/s#"}, rows)
	rows = nil
	for _, d := range p.Solution.Devices {
		rows = append(rows, []string{d.Device, fmt.Sprint(len(d.Nodes)), exactly(d.LoadMS), fmt.Sprint(d.Bytes), spans(d.Nodes)})
	}
	s.table([]string{"device!", "nodes#", "load ms#", "bytes#", "ids"}, rows)
	rows = nil
	for _, r := range p.Solution.Rented {
		rows = append(rows, []string{fmt.Sprint(r.Count), r.Type})
	}
	s.table([]string{"rented#", "instance"}, rows)
	if p.Solution.USDPerHour > 0 {
		s.gap()
		s.line("Price ", exactly(p.Solution.USDPerHour)+" USD an hour")
	}
}

// routeEnd names the machine at an end of a route.
func routeEnd(s *results.PlacedSolution, stage int, outside string) string {
	if stage < 0 || stage >= len(s.Stages) {
		return outside
	}
	return fmt.Sprintf("%s %d", s.Stages[stage].Machine, s.Stages[stage].Index)
}

// spans writes ascending numbers with runs joined: 1–4, 7, 9–10.
func spans(numbers []int) string {
	var parts []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		switch {
		case j == i:
			parts = append(parts, fmt.Sprint(numbers[i]))
		case j == i+1:
			parts = append(parts, fmt.Sprint(numbers[i]), fmt.Sprint(numbers[j]))
		default:
			parts = append(parts, fmt.Sprintf("%d–%d", numbers[i], numbers[j]))
		}
		i = j + 1
	}
	return strings.Join(parts, ", ")
}

// exactly writes a figure with ten digits: published values differ in their last ones.
func exactly(x float64) string { return strconv.FormatFloat(x, 'g', 10, 64) }

func optionally(x *float64) string {
	if x == nil {
		return "–"
	}
	return exactly(*x)
}
