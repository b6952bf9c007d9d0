package export

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"partita/results"
)

// FrontierSVG draws a frontier: latency to the right, throughput upwards. The steps are
// what plans reach; where cost is an axis there are steps for several prices. Points,
// what objectives choose and the heuristics are marked and labelled.
func FrontierSVG(f *results.Frontier) []byte {
	const width, height = 900, 650
	c := newChart(width, height, "Trade-off of "+f.Condition, describeFrontier(f))
	frame := box{86, 84, width - 26, height - 148}
	c.text(frame.x0, 30, "start", "title", clipped("Trade-off of "+plain(f.Condition), 90))
	c.text(frame.x0, 52, "start", "soft", clipped(frontierSubtitle(f), 112))
	if len(f.Points) == 0 {
		c.text(width/2, height/2, "middle", "soft", "no plan meets the condition")
		return c.end()
	}
	x, y, shown := frontierScales(f, frame)
	c.axes(frame, x, y, "latency of a request (s) – less is better", throughputName(f)+" – more is better", seconds, figure)
	levels := priceLevels(f)
	c.steps(f, x, y, frame, levels)
	for i := range f.Heuristics {
		if h := &f.Heuristics[i]; shown[h.Heuristic] {
			class := map[bool]string{true: "rule", false: "broken"}[h.Feasible]
			c.mark(triangle, class, x.at(h.Figures.LatencyMS/1e3), y.at(h.Figures.TokensPerS), 6, heuristicTip(h))
		}
	}
	for i := range f.Points {
		p := &f.Points[i]
		px, py := x.at(p.LatencyMS/1e3), y.at(p.TokensPerS)
		class := "point"
		if len(levels) > 1 {
			class += fmt.Sprintf(" point%d", shadeOf(levelOf(levels, *p.USDPerHour), len(levels)))
		}
		if len(p.ChosenBy) > 0 {
			c.mark(diamond, "mark", px, py, 7, pointTip(p))
		} else {
			c.mark(circle, class, px, py, 4.5, pointTip(p))
		}
	}
	c.frontierLabels(f, x, y, frame, shown)
	c.frontierLegend(f, frame, levels, shown)
	return c.end()
}

// frontierLabels names what is marked, the chosen points first, with their strategy where
// it is short. Heuristics that come to the same share a label.
func (c *chart) frontierLabels(f *results.Frontier, x, y scale, frame box, shown map[string]bool) {
	for i := range f.Points {
		p := &f.Points[i]
		if len(p.ChosenBy) == 0 {
			continue
		}
		name := strings.Join(p.ChosenBy, ", ")
		if with := name + ": " + p.Summary; textWidth(with) < 0.45*(frame.x1-frame.x0) {
			name = with
		}
		c.label(x.at(p.LatencyMS/1e3), y.at(p.TokensPerS), "marked", name, frame)
	}
	type spot struct {
		x, y  float64
		names []string
	}
	var spots []spot
	for i := range f.Heuristics {
		h := &f.Heuristics[i]
		if !shown[h.Heuristic] {
			continue
		}
		s := spot{x.at(h.Figures.LatencyMS / 1e3), y.at(h.Figures.TokensPerS), []string{h.Heuristic}}
		at := slices.IndexFunc(spots, func(o spot) bool { return math.Hypot(o.x-s.x, o.y-s.y) < 3 })
		if at < 0 {
			spots = append(spots, s)
			continue
		}
		spots[at].names = append(spots[at].names, h.Heuristic)
	}
	const named = 2 // of those that share a label
	for _, s := range spots {
		if more := len(s.names) - named; more > 1 {
			s.names = append(s.names[:named], fmt.Sprintf("%d more", more))
		}
		c.label(s.x, s.y, "ruled", strings.Join(s.names, ", "), frame)
	}
}

// steps draws what plans reach at each price, the largest with the room below shaded.
func (c *chart) steps(f *results.Frontier, x, y scale, frame box, levels []float64) {
	for k, level := range levels {
		corners := stepsOf(f, level)
		var line [][2]float64
		for i, p := range corners {
			if i > 0 {
				line = append(line, [2]float64{x.at(p[0]), y.at(corners[i-1][1])})
			} else {
				line = append(line, [2]float64{x.at(p[0]), frame.y1})
			}
			line = append(line, [2]float64{x.at(p[0]), y.at(p[1])})
		}
		if len(line) == 0 {
			continue
		}
		end := line[len(line)-1][1]
		line = append(line, [2]float64{frame.x1, end})
		class := "step"
		if len(levels) > 1 {
			class += fmt.Sprintf(" step%d", shadeOf(k, len(levels)))
		}
		if k == len(levels)-1 {
			c.area("shade", append(slices.Clone(line), [2]float64{frame.x1, frame.y1}))
		}
		c.path(class, line)
	}
}

// stepsOf are the points in latency (s) and throughput that no plan of at most a price
// beats, by latency.
func stepsOf(f *results.Frontier, price float64) [][2]float64 {
	var out [][2]float64
	best := math.Inf(-1)
	for i := range f.Points { // by latency
		p := &f.Points[i]
		if p.USDPerHour != nil && *p.USDPerHour > price || p.TokensPerS <= best {
			continue
		}
		best = p.TokensPerS
		out = append(out, [2]float64{p.LatencyMS / 1e3, p.TokensPerS})
	}
	return out
}

// mostLevels is how many prices have steps of their own.
const mostLevels = 5

// priceLevels are the prices that have steps: all where they are few, else a selection
// with the least and the largest. One, without a bound, where cost is no axis.
func priceLevels(f *results.Frontier) []float64 {
	if !slices.Contains(f.Axes, "usd_per_hour") {
		return []float64{math.Inf(1)}
	}
	var all []float64
	for i := range f.Points {
		all = append(all, *f.Points[i].USDPerHour)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) <= mostLevels {
		return all
	}
	var out []float64
	for k := range mostLevels {
		out = append(out, all[k*(len(all)-1)/(mostLevels-1)])
	}
	return out
}

// levelOf is the first level that a price is within.
func levelOf(levels []float64, price float64) int {
	for k, level := range levels {
		if price <= level {
			return k
		}
	}
	return len(levels) - 1
}

// shadeOf is the colour of a level, the dearest having the strongest.
func shadeOf(level, levels int) int { return level + mostLevels - levels }

// far is how far beyond the frontier, as a factor, a heuristic is still drawn; the
// others are named below the picture.
const far = 3

// frontierScales span the frontier and the heuristics that are near, which shown names.
func frontierScales(f *results.Frontier, frame box) (x, y scale, shown map[string]bool) {
	low, high := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{}
	take := func(g *results.FrontierFigures) {
		for axis, v := range [2]float64{g.LatencyMS / 1e3, g.TokensPerS} {
			low[axis], high[axis] = min(low[axis], v), max(high[axis], v)
		}
	}
	for i := range f.Points {
		take(&f.Points[i].FrontierFigures)
	}
	first, last := low, high
	shown = map[string]bool{}
	for i := range f.Heuristics {
		h := &f.Heuristics[i]
		if h.Figures == nil {
			continue
		}
		v := [2]float64{h.Figures.LatencyMS / 1e3, h.Figures.TokensPerS}
		if v[0] <= far*last[0] && v[0] >= first[0]/far && v[1] >= first[1]/far && v[1] <= far*last[1] {
			take(h.Figures)
			shown[h.Heuristic] = true
		}
	}
	return scaleOf(low[0], high[0], frame.x0, frame.x1), scaleOf(low[1], high[1], frame.y1, frame.y0), shown
}
