package export

import "math"

// label writes a text beside a point where it covers no mark, no label and as little of
// the lines as can be, inside a frame. Where there is no room beside the point it goes
// further away, with a line that leads to it.
func (c *chart) label(x, y float64, class, s string, frame box) {
	w, h := textWidth(s), float64(textHeight)
	best, least, side := box{}, math.Inf(1), 0.0
	for _, radius := range []float64{9, 22, 38, 58, 82, 110, 145, 190} {
		for _, way := range ways {
			cx, cy := x+way[0]*(radius+w/2), y+way[1]*(radius+h/2)
			if way[0] != 0 && way[1] != 0 { // diagonals need no whole radius on both axes
				cx, cy = x+way[0]*(0.7*radius+w/2), y+way[1]*(0.7*radius+h/2)
			}
			b := box{cx - w/2, cy - h/2, cx + w/2, cy + h/2}
			if cost := c.clash(b, frame) + radius/4; cost < least {
				best, least, side = b, cost, way[0]
			}
		}
		if least < radius { // nothing further away can be better
			break
		}
	}
	if least >= overlap {
		best, side = c.parked(x, y, w, h, frame), 1
	}
	c.taken = append(c.taken, best)
	if mx, my := nearestOf(best, x, y); math.Hypot(mx-x, my-y) > 16 {
		c.rule("lead", x, y, mx, my)
	}
	switch { // a text narrower than it was taken for ends nearest to its point
	case side > 0:
		c.text(best.x0, best.y1-4, "start", class, s)
	case side < 0:
		c.text(best.x1, best.y1-4, "end", class, s)
	default:
		c.text((best.x0+best.x1)/2, best.y1-4, "middle", class, s)
	}
}

// parked is the place in a frame that is nearest to a point of those that cover nothing;
// where all cover something, the one that covers least.
func (c *chart) parked(x, y, w, h float64, frame box) box {
	best, least := box{frame.x0, frame.y0, frame.x0 + w, frame.y0 + h}, math.Inf(1)
	const pitch = 5
	for top := frame.y0; top+h <= frame.y1; top += pitch {
		for left := frame.x0; left+w <= frame.x1; left += pitch {
			b := box{left, top, left + w, top + h}
			mx, my := nearestOf(b, x, y)
			if cost := c.clash(b, frame) + math.Hypot(mx-x, my-y); cost < least {
				best, least = b, cost
			}
		}
	}
	return best
}

// ways are the directions a label may lie in, those that read best first.
var ways = [][2]float64{{1, -1}, {1, 0}, {1, 1}, {-1, -1}, {-1, 0}, {-1, 1}, {0, -1}, {0, 1}}

// overlap is the cost of covering something: more than any distance in a picture.
const overlap = 1e4

// clash is how much is wrong with a place: beyond measure over marks, labels or the
// frame, some for a line under the text.
func (c *chart) clash(b, frame box) float64 {
	cost := 0.0
	if b.x0 < frame.x0 || b.x1 > frame.x1 || b.y0 < frame.y0 || b.y1 > frame.y1 {
		cost += 2 * overlap
	}
	for _, t := range c.taken {
		if b.x0 < t.x1 && t.x0 < b.x1 && b.y0 < t.y1 && t.y0 < b.y1 {
			cost += overlap
		}
	}
	for _, l := range c.lines {
		if crosses(l, b) {
			cost += 30
		}
	}
	return cost
}

// crosses reports whether a level or upright segment passes through a box.
func crosses(l segment, b box) bool {
	return min(l.x0, l.x1) < b.x1 && max(l.x0, l.x1) > b.x0 && min(l.y0, l.y1) < b.y1 && max(l.y0, l.y1) > b.y0
}

// nearestOf is the point of a box that is nearest to another.
func nearestOf(b box, x, y float64) (float64, float64) {
	return min(max(x, b.x0), b.x1), min(max(y, b.y0), b.y1)
}
