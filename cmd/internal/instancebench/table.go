package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"partita/results"
)

// table is what is printed: a line an instance, and one for all of a file whose
// instances were solved in one process.
type table struct {
	recorded    map[key]recorded
	calibration time.Duration
	group       string
	lines       [][]string
}

func (t *table) add(j job, m measured) {
	if j.group != t.group {
		t.group = j.group
		t.lines = append(t.lines, []string{j.group})
	}
	cost := []string{seconds(m.cpu.Seconds()), fmt.Sprintf("%.0f MB", float64(m.bytes)/1e6)}
	if len(m.answers) == 1 {
		a := m.answers[0]
		known, there := t.recorded[key{a.Name, a.Goal}]
		t.lines = append(t.lines, append(append([]string{a.Name, figure(a.Objective), bound(&a)}, cost...), theirs(known, there, &a, m.cpu.Seconds())...))
		return
	}
	proved, verified, equal, better, compared := 0, 0, 0, 0, 0
	for i := range m.answers {
		a := &m.answers[i]
		if a.Status == "optimal" {
			proved++
		}
		if a.Verified {
			verified++
		}
		if a.Recorded == nil || a.Objective == nil {
			continue
		}
		compared++
		ratio := advantage(a, a.Recorded.Value)
		switch {
		case math.Abs(ratio-1) <= 1e-4: // the recorded values are rounded
			equal++
		case ratio > 1:
			better++
		}
	}
	t.lines = append(t.lines, append(append([]string{fmt.Sprintf("%d × %s", len(m.answers), j.objective), fmt.Sprintf("%d verified", verified), fmt.Sprintf("%d proved", proved)}, cost...),
		"", "", "", fmt.Sprintf("of %d: %d equal, %d better", compared, equal, better), ""))
}

// advantage is how much better a value is than another: above 1 is better.
func advantage(a *results.Placed, than float64) float64 {
	if a.Sense == "maximize" {
		return *a.Objective / than
	}
	return than / *a.Objective
}

func figure(v *float64) string {
	if v == nil {
		return "none"
	}
	return fmt.Sprintf("%.6g", *v)
}

func bound(a *results.Placed) string {
	switch {
	case a.Status == "optimal":
		return "proved"
	case a.BestBound == nil:
		return "no bound"
	case a.Gap == nil:
		return figure(a.BestBound)
	default:
		return fmt.Sprintf("%.6g (%.2g %%)", *a.BestBound, 100**a.Gap)
	}
}

func seconds(s float64) string {
	switch {
	case s < 1:
		return fmt.Sprintf("%.0f ms", 1e3*s)
	case s < 100:
		return fmt.Sprintf("%.3g s", s)
	default:
		return fmt.Sprintf("%.0f s", s)
	}
}

// times is a ratio of times without an exponent.
func times(r float64) string {
	if r >= 100 {
		return fmt.Sprintf("%.0f", r)
	}
	return fmt.Sprintf("%.2g", r)
}

// theirs is the recorded part of a line: value, gap, time, ratios.
func theirs(known recorded, there bool, a *results.Placed, cpu float64) []string {
	if !there {
		return []string{"", "", "", "", ""}
	}
	out := []string{"none", "", "", "", known.note}
	if known.value >= 0 {
		out[0] = fmt.Sprintf("%.6g", known.value)
		if a.Objective != nil {
			out[3] = fmt.Sprintf("%.3f", advantage(a, known.value))
		}
	}
	switch {
	case known.gap == 0:
		out[1] = "proved"
	case known.gap > 0:
		out[1] = fmt.Sprintf("%.0f %%", known.gap)
	}
	if known.seconds >= 0 {
		out[2] = seconds(known.seconds)
		if cpu > 0 {
			out[3] = strings.TrimPrefix(fmt.Sprintf("%s · %s×", out[3], times(known.seconds/cpu)), " · ")
		}
	}
	if known.mib > 0 {
		out[2] += fmt.Sprintf(", %.0f MB", known.mib*1.048576)
	}
	return out
}

// print writes the table in Markdown, which a terminal shows as well as a page.
func (t *table) print(w io.Writer) {
	head := []string{"instance", "ours", "bound (gap)", "CPU", "memory", "recorded", "gap", "time, memory", "value · time", "note"}
	width := make([]int, len(head))
	for _, line := range append([][]string{head}, t.lines...) {
		if len(line) == 1 {
			line[0] = "**" + line[0] + "**"
		}
		for i, cell := range line {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	row := func(line []string) {
		cells := make([]string, len(head))
		for i := range cells {
			text := ""
			if i < len(line) {
				text = line[i]
			}
			cells[i] = text + strings.Repeat(" ", width[i]-len([]rune(text)))
		}
		fmt.Fprintln(w, "| "+strings.Join(cells, " | ")+" |")
	}
	row(head)
	rule := make([]string, len(head))
	for i := range rule {
		rule[i] = strings.Repeat("-", width[i])
	}
	row(rule)
	for _, line := range t.lines {
		row(line)
	}
	fmt.Fprintf(w, "\nvalue: how many times better than recorded; time: recorded seconds over ours, on unlike machines.\n10⁸ steps of xorshift took %.0f ms of one core in this run.\n", 1e3*t.calibration.Seconds())
}
