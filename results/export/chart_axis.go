package export

import "math"

// scale maps values to pixels, by their size or by their logarithm.
type scale struct {
	low, high float64 // values at the ends
	from, to  float64 // pixels there
	log       bool
}

// logRatio is from which ratio of the ends on a logarithmic scale shows more.
const logRatio = 8

// scaleOf spans values with some room at both ends. Values are positive.
func scaleOf(low, high, from, to float64) scale {
	s := scale{low: low, high: high, from: from, to: to, log: high > logRatio*low}
	if s.log {
		room := math.Pow(high/low, 0.06)
		s.low, s.high = low/room, high*room
		return s
	}
	room := max(0.06*(high-low), 0.02*high)
	s.low, s.high = max(low-room, 0), high+room
	return s
}

// at is the pixel of a value.
func (s scale) at(v float64) float64 {
	share := (v - s.low) / (s.high - s.low)
	if s.log {
		share = math.Log(v/s.low) / math.Log(s.high/s.low)
	}
	return s.from + share*(s.to-s.from)
}

// ticks are round values along the scale, about as many as asked for.
func (s scale) ticks(about int) []float64 {
	var out []float64
	if s.log && s.high > logRatio*s.low {
		for _, steps := range [][]float64{{1, 2, 5}, {1, 3}, {1}} {
			out = out[:0]
			for e := math.Floor(math.Log10(s.low)); e <= math.Ceil(math.Log10(s.high)); e++ {
				for _, m := range steps {
					if v := m * math.Pow(10, e); v >= s.low && v <= s.high {
						out = append(out, v)
					}
				}
			}
			if len(out) <= about+2 {
				break
			}
		}
		return out
	}
	step := roundStep((s.high - s.low) / float64(about))
	if s.high-s.low < 3*step { // rounded up to where hardly a tick is left
		step = roundStep((s.high - s.low) / float64(2*about))
	}
	for k := math.Ceil(s.low/step - 1e-9); k*step <= s.high*(1+1e-12); k++ {
		out = append(out, k*step)
	}
	return out
}

// roundStep is the first of 1, 2, 2.5, 5 times a power of ten that is no smaller.
func roundStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 2.5, 5} {
		if m*power >= v*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// axes draws a frame with grid lines, figures and the names of both axes.
func (c *chart) axes(frame box, x, y scale, nameX, nameY string, showX, showY func(float64) string) {
	for _, v := range y.ticks(6) {
		c.rule("grid", frame.x0, y.at(v), frame.x1, y.at(v))
		c.text(frame.x0-8, y.at(v)+4, "end", "soft", showY(v))
	}
	last := math.Inf(-1)
	for _, v := range x.ticks(8) {
		at, half := x.at(v), textWidth(showX(v))/2
		c.rule("grid", at, frame.y0, at, frame.y1)
		if at-half > last+6 { // a figure that would touch the one before is left out
			c.text(at, frame.y1+18, "middle", "soft", showX(v))
			last = at + half
		}
	}
	c.rule("frame", frame.x0, frame.y1, frame.x1, frame.y1)
	c.rule("frame", frame.x0, frame.y0, frame.x0, frame.y1)
	c.text((frame.x0+frame.x1)/2, frame.y1+40, "middle", "", nameX)
	c.upright(22, (frame.y0+frame.y1)/2, "", nameY)
}
