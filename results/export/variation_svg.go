package export

import (
	"fmt"
	"math"
	"strings"

	"partita/results"
)

// VariationSVG draws a variation: the value to the right, and above one another the
// latency and the throughput of the best plan. Bands with letters show where one strategy
// is the best; the letters are explained below.
func VariationSVG(v *results.Variation) []byte {
	kinds := kindsOf(v)
	const width, panel = 900, 210
	height := 130 + 2*panel + 50 + 20*float64(len(kinds)) + 30
	c := newChart(width, height, fmt.Sprintf("%s: best plan by %s", v.Condition, v.Path), describeVariation(v))
	c.text(86, 30, "start", "title", clipped(fmt.Sprintf("Best plan of %s by %s", plain(v.Condition), v.Path), 84))
	c.text(86, 52, "start", "soft", clipped(fmt.Sprintf("objective %s; %s", v.Objective, v.Summary), 112))
	top := box{86, 92, width - 26, 92 + panel}
	bottom := box{86, top.y1 + 46, width - 26, top.y1 + 46 + panel}
	x := variationScale(v, top)
	c.bands(v, kinds, x, top, bottom)
	latency := func(g *results.FrontierFigures) float64 { return g.LatencyMS / 1e3 }
	rate := func(g *results.FrontierFigures) float64 { return g.TokensPerS }
	c.panel(v, x, top, "latency (s)", "", latency)
	name := "tokens/s"
	if v.ThroughputOf == "gpu" {
		name = "tokens/s/GPU"
	}
	unit := v.Path
	if u := strings.TrimSpace(v.Unit); u != "" {
		unit += " (" + u + ")"
	}
	c.panel(v, x, bottom, name, unit, rate)
	y := bottom.y1 + 66
	for _, k := range kinds {
		c.text(92, y, "middle", "marked", k.letter)
		c.text(106, y, "start", "", clipped(k.name, 108))
		y += 20
	}
	return c.end()
}

// lettered is a strategy with the letter that stands for it.
type lettered struct{ letter, name string }

// kindsOf are the strategies in the order in which they first are the best.
func kindsOf(v *results.Variation) []lettered {
	var out []lettered
	seen := map[string]bool{}
	for i := range v.Points {
		if k := v.Points[i].Kind; !seen[k] {
			seen[k] = true
			out = append(out, lettered{letterOf(len(out)), k})
		}
	}
	return out
}

// letterOf counts A to Z, then A1, B1, …
func letterOf(i int) string {
	s := string(rune('A' + i%26))
	if i >= 26 {
		s += fmt.Sprint(i / 26)
	}
	return s
}

// variationScale spans the values; names lie at equal distances.
func variationScale(v *results.Variation, frame box) scale {
	low, high := math.Inf(1), math.Inf(-1)
	for i := range v.Points {
		low, high = min(low, v.Points[i].Number), max(high, v.Points[i].Number)
	}
	switch {
	case !v.Quantity:
		return scale{low: low - 0.5, high: high + 0.5, from: frame.x0, to: frame.x1}
	case v.Log && low > 0:
		room := math.Pow(high/low, 0.03)
		return scale{low: low / room, high: high * room, from: frame.x0, to: frame.x1, log: true}
	}
	room := 0.03 * (high - low)
	return scale{low: low - room, high: high + room, from: frame.x0, to: frame.x1}
}

// bands shades every other stretch of one strategy, writes its letter above, and marks
// the changes. Letters of narrow stretches go a row higher.
func (c *chart) bands(v *results.Variation, kinds []lettered, x scale, top, bottom box) {
	letters := map[string]string{}
	for _, k := range kinds {
		letters[k.name] = k.letter
	}
	from := top.x0
	last := [2]float64{math.Inf(-1), math.Inf(-1)} // ends of the rows of letters
	for i, band := 0, 0; i < len(v.Points); band++ {
		j := i
		for j+1 < len(v.Points) && v.Points[j+1].Kind == v.Points[i].Kind {
			j++
		}
		to := top.x1
		if j+1 < len(v.Points) {
			to = (x.at(v.Points[j].Number) + x.at(v.Points[j+1].Number)) / 2
		}
		if band%2 == 0 {
			for _, frame := range []box{top, bottom} {
				c.area("band", [][2]float64{{from, frame.y0}, {to, frame.y0}, {to, frame.y1}, {from, frame.y1}})
			}
		}
		letter := letters[v.Points[i].Kind]
		at, half := (from+to)/2, textWidth(letter)/2
		for row := range last {
			if at-half > last[row]+2 {
				c.text(at, top.y0-7-15*float64(row), "middle", "marked", letter)
				last[row] = at + half
				break
			}
		}
		if j+1 < len(v.Points) {
			c.rule("change", to, top.y0, to, bottom.y1)
		}
		from, i = to, j+1
	}
}

// panel draws one figure over the values; unit "" leaves the values to the panel below.
func (c *chart) panel(v *results.Variation, x scale, frame box, name, unit string, of func(*results.FrontierFigures) float64) {
	low, high := math.Inf(1), 0.0
	for i := range v.Points {
		if g := v.Points[i].FrontierFigures; g != nil {
			low, high = min(low, of(g)), max(high, of(g))
		}
	}
	if high == 0 {
		low, high = 1, 2
	}
	y := scaleOf(low, high, frame.y1, frame.y0)
	for _, t := range y.ticks(4) {
		c.rule("grid", frame.x0, y.at(t), frame.x1, y.at(t))
		c.text(frame.x0-8, y.at(t)+4, "end", "soft", figure(t))
	}
	if v.Quantity {
		for _, t := range x.ticks(8) {
			c.rule("grid", x.at(t), frame.y0, x.at(t), frame.y1)
		}
	}
	c.values(v, x, frame, unit)
	c.rule("frame", frame.x0, frame.y1, frame.x1, frame.y1)
	c.rule("frame", frame.x0, frame.y0, frame.x0, frame.y1)
	c.upright(22, (frame.y0+frame.y1)/2, "", name)
	var line [][2]float64
	flush := func() {
		if v.Quantity {
			c.path("step", line)
		}
		line = nil
	}
	for i := range v.Points {
		p := &v.Points[i]
		if i > 0 && v.Points[i-1].Kind != p.Kind {
			flush() // the figures of one strategy are no way to those of another
		}
		if p.FrontierFigures == nil {
			continue
		}
		line = append(line, [2]float64{x.at(p.Number), y.at(of(p.FrontierFigures))})
	}
	flush()
	for i := range v.Points {
		p := &v.Points[i]
		if p.FrontierFigures != nil && !p.Between {
			c.mark(circle, "point", x.at(p.Number), y.at(of(p.FrontierFigures)), 4.5, variationTip(v, p))
		}
	}
}

// values writes the figures, or the names, under a panel.
func (c *chart) values(v *results.Variation, x scale, frame box, unit string) {
	if unit == "" {
		return
	}
	last := math.Inf(-1)
	write := func(at float64, s string) {
		if half := textWidth(s) / 2; at-half > last+6 {
			c.text(at, frame.y1+18, "middle", "soft", s)
			last = at + half
		}
	}
	if v.Quantity {
		for _, t := range x.ticks(8) {
			write(x.at(t), figure(t))
		}
	} else {
		for i := range v.Points {
			write(x.at(v.Points[i].Number), clipped(plain(v.Points[i].Value), 24))
		}
	}
	c.text((frame.x0+frame.x1)/2, frame.y1+40, "middle", "", clipped(unit, 100))
}

func variationTip(v *results.Variation, p *results.VariationPoint) string {
	line := fmt.Sprintf("%s = %s: ", v.Path, p.Value)
	if p.FrontierFigures == nil {
		return line + strings.TrimSuffix(p.Kind+", "+p.Reason, ", ")
	}
	return line + figuresLine(p.FrontierFigures) + "; " + p.Summary
}

// describeVariation is the picture in words.
func describeVariation(v *results.Variation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "The best plan by %s at each value of %s. %s.", v.Objective, v.Path, v.Summary)
	for i := range v.Points {
		if !v.Points[i].Between {
			fmt.Fprintf(&b, " %s.", variationTip(v, &v.Points[i]))
		}
	}
	return b.String()
}
