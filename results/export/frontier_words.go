package export

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"partita/results"
)

// seconds prints a time on an axis, in seconds without the unit.
func seconds(v float64) string { return figure(v) }

// throughputName is the throughput axis with its unit.
func throughputName(f *results.Frontier) string {
	if f.ThroughputOf == "gpu" {
		return "throughput of each GPU used (tokens/s/GPU)"
	}
	return "throughput (tokens/s)"
}

// frontierSubtitle says how many points there are and what is proved.
func frontierSubtitle(f *results.Frontier) string {
	line := plural(len(f.Points), "point")
	switch f.Status {
	case results.StatusOptimal:
		line += ", proved complete: every other plan is beaten by one of them"
	case results.StatusFeasible:
		line += ", not complete: others may be missing or better"
	default:
		line += ", " + string(f.Status)
	}
	switch f.Requirements {
	case "hold":
		line += "; requirements hold"
	case "left out":
		line += "; requirements left out"
	}
	return line
}

// describeFrontier is the picture in words.
func describeFrontier(f *results.Frontier) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Latency of a request in seconds to the right, %s upwards. %s.", throughputName(f), frontierSubtitle(f))
	for i := range f.Points {
		fmt.Fprintf(&b, " Point %d: %s.", i+1, pointTip(&f.Points[i]))
	}
	for i := range f.Heuristics {
		if h := &f.Heuristics[i]; h.Figures != nil {
			fmt.Fprintf(&b, " Heuristic %s.", heuristicTip(h))
		}
	}
	return b.String()
}

// pointTip is a point in one line.
func pointTip(p *results.FrontierPoint) string {
	line := figuresLine(&p.FrontierFigures) + "; " + p.Summary
	if len(p.ChosenBy) > 0 {
		line += "; best by " + strings.Join(p.ChosenBy, ", ")
	}
	if p.Status != string(results.StatusOptimal) {
		line += "; not proved"
	}
	return line
}

// figuresLine is latency, throughput, price and GPUs.
func figuresLine(g *results.FrontierFigures) string {
	line := fmt.Sprintf("%s, %s tokens/s on %s", duration(g.LatencyMS), figure(g.DeploymentTokens), plural(g.GPUs, "GPU"))
	if g.USDPerHour != nil {
		line += fmt.Sprintf(", %s USD/h", figure(*g.USDPerHour))
	}
	return line
}

func heuristicTip(h *results.FrontierHeuristic) string {
	line := h.Heuristic
	if h.Figures != nil {
		line += ": " + figuresLine(h.Figures)
	}
	line += "; " + h.Strategy
	if !h.Feasible {
		line += "; not allowed: " + h.Why
	}
	return line
}

// clipped shortens a line that would run out of the picture.
func clipped(s string, letters int) string {
	if r := []rune(s); len(r) > letters {
		return string(r[:letters-1]) + "…"
	}
	return s
}

// frontierLegend explains the marks below the picture, and names what is not drawn.
func (c *chart) frontierLegend(f *results.Frontier, frame box, levels []float64, shown map[string]bool) {
	x, y := frame.x0, frame.y1+66
	entry := func(width float64, draw func(x, y float64), s string) {
		if x+width > frame.x1 {
			x, y = frame.x0, y+20
		}
		draw(x+7, y-4)
		c.text(x+20, y, "start", "soft", s)
		x += width
	}
	wide := func(s string) float64 { return textWidth(s) + 34 }
	feasible, broken := false, false
	for i := range f.Heuristics {
		h := &f.Heuristics[i]
		feasible = feasible || shown[h.Heuristic] && h.Feasible
		broken = broken || shown[h.Heuristic] && !h.Feasible
	}
	if slices.ContainsFunc(f.Points, func(p results.FrontierPoint) bool { return len(p.ChosenBy) == 0 }) {
		entry(wide("plan no other beats"), func(x, y float64) { c.mark(circle, "point", x, y, 4.5, "") }, "plan no other beats")
	}
	entry(wide("best by an objective"), func(x, y float64) { c.mark(diamond, "mark", x, y, 7, "") }, "best by an objective")
	if feasible {
		entry(wide("heuristic"), func(x, y float64) { c.mark(triangle, "rule", x, y, 6, "") }, "heuristic")
	}
	if broken {
		s := "heuristic that breaks a condition"
		entry(wide(s), func(x, y float64) { c.mark(triangle, "broken", x, y, 6, "") }, s)
	}
	if len(levels) > 1 {
		for k, level := range levels {
			s := fmt.Sprintf("up to %s USD/h", figure(level))
			class := fmt.Sprintf("step step%d", shadeOf(k, len(levels)))
			entry(wide(s), func(x, y float64) { c.path(class, [][2]float64{{x - 7, y}, {x + 8, y}}) }, s)
		}
	}
	var beyond []string
	for i := range f.Heuristics {
		if h := &f.Heuristics[i]; h.Figures != nil && !shown[h.Heuristic] {
			beyond = append(beyond, fmt.Sprintf("%s (%s, %s tokens/s)", h.Heuristic, duration(h.Figures.LatencyMS), figure(h.Figures.TokensPerS)))
		}
	}
	if len(beyond) > 0 {
		const letters, lines = 112, 2
		wrapped := strings.Split(text.WrapSoft("beyond the picture: "+strings.Join(beyond, ", "), letters), "\n")
		for i, line := range wrapped[:min(len(wrapped), lines)] {
			c.text(frame.x0, y+20*float64(i+1), "start", "soft", strings.TrimSpace(line))
		}
	}
}
