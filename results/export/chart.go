package export

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// chart draws an SVG by itself: the same data, the same bytes. Colours are classes with
// values for light and dark, so that the picture suits the page it is shown on; a
// screen reader is told a title and a description.
type chart struct {
	b             strings.Builder
	width, height float64
	taken         []box     // places of labels and marks: a label avoids them
	lines         []segment // lines that a label had better not cross
}

// box is a rectangle in pixels, y downwards.
type box struct{ x0, y0, x1, y1 float64 }

// segment is a straight line in pixels.
type segment struct{ x0, y0, x1, y1 float64 }

// chartStyle has every colour twice: dark on light, and light on dark where the reader
// asks for that, with a contrast of 4.5 or more for texts. Plain classes: not every
// program that draws SVG knows variables.
const chartStyle = `
text { font: 12px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1a1a1a; }
.title { font-size: 16px; font-weight: 600; }
.soft { fill: #565656; } .marked { fill: #a33c08; font-weight: 600; } .ruled { fill: #5f4593; }
.back { fill: #ffffff; } .band { fill: #f0f2f4; } .shade { fill: #0b5cad; opacity: 0.08; }
.grid { stroke: #dddddd; fill: none; } .frame { stroke: #565656; fill: none; } .lead { stroke: #8a8a8a; stroke-width: 0.75; fill: none; }
.step { stroke: #0b5cad; stroke-width: 2; fill: none; } .change { stroke: #b3430a; stroke-width: 1.5; stroke-dasharray: 5 4; fill: none; }
.point { fill: #0b5cad; stroke: #ffffff; } .mark { fill: #b3430a; stroke: #ffffff; }
.rule { fill: #6b4fa0; stroke: #ffffff; } .broken { fill: none; stroke: #6b4fa0; stroke-width: 1.5; }
.point0 { fill: #86b8e0; } .point1 { fill: #5b9bd1; } .point2 { fill: #347fc0; } .point3 { fill: #1c66a8; } .point4 { fill: #0b4a85; }
.step0 { stroke: #86b8e0; } .step1 { stroke: #5b9bd1; } .step2 { stroke: #347fc0; } .step3 { stroke: #1c66a8; } .step4 { stroke: #0b4a85; }
@media (prefers-color-scheme: dark) {
text { fill: #ececec; }
.soft { fill: #b4b4b4; } .marked { fill: #ff9a5c; } .ruled { fill: #c3a6f5; }
.back { fill: #14171a; } .band { fill: #1e2226; } .shade { fill: #6db3f2; }
.grid { stroke: #363a3f; } .frame { stroke: #b4b4b4; } .lead { stroke: #8a8a8a; }
.step { stroke: #6db3f2; } .change { stroke: #ff9a5c; }
.point { fill: #6db3f2; stroke: #14171a; } .mark { fill: #ff9a5c; stroke: #14171a; }
.rule { fill: #c3a6f5; stroke: #14171a; } .broken { stroke: #c3a6f5; }
.point0 { fill: #2f5f8c; } .point1 { fill: #3f7cb3; } .point2 { fill: #5497d3; } .point3 { fill: #7db4e8; } .point4 { fill: #aed4f7; }
.step0 { stroke: #2f5f8c; } .step1 { stroke: #3f7cb3; } .step2 { stroke: #5497d3; } .step3 { stroke: #7db4e8; } .step4 { stroke: #aed4f7; }
}
`

func newChart(width, height float64, title, description string) *chart {
	c := &chart{width: width, height: height}
	fmt.Fprintf(&c.b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" width="%s" height="%s" role="img" aria-labelledby="title description">`+"\n",
		px(width), px(height), px(width), px(height))
	fmt.Fprintf(&c.b, "<title id=\"title\">%s</title>\n<desc id=\"description\">%s</desc>\n<style>%s</style>\n", xmlText(title), xmlText(description), chartStyle)
	c.b.WriteString(`<rect class="back" width="100%" height="100%"/>` + "\n")
	return c
}

// end closes the picture.
func (c *chart) end() []byte {
	c.b.WriteString("</svg>\n")
	return []byte(c.b.String())
}

// px prints a length: hundredths of a pixel are finer than any screen.
func px(v float64) string {
	return strconv.FormatFloat(math.Round(v*100)/100+0, 'f', -1, 64) // +0: no negative zero
}

// xmlText makes foreign text literal in XML.
func xmlText(s string) string { return html.EscapeString(plain(s)) }

// textWidth is at least what a line of 12 px takes: fonts differ, and an overlap is
// worse than a gap.
func textWidth(s string) float64 { return 7 * float64(len([]rune(s))) }

const textHeight = 15

// text draws a line; anchor is start, middle or end, at the base line.
func (c *chart) text(x, y float64, anchor, class, s string) {
	fmt.Fprintf(&c.b, `<text x="%s" y="%s" text-anchor="%s"`, px(x), px(y), anchor)
	if class != "" {
		fmt.Fprintf(&c.b, ` class="%s"`, class)
	}
	fmt.Fprintf(&c.b, ">%s</text>\n", xmlText(s))
}

// upright draws a line that reads upwards, centred at a point.
func (c *chart) upright(x, y float64, class, s string) {
	fmt.Fprintf(&c.b, `<text transform="translate(%s %s) rotate(-90)" text-anchor="middle" class="%s">%s</text>`+"\n", px(x), px(y), class, xmlText(s))
}

// path draws straight lines through points; labels then avoid them.
func (c *chart) path(class string, points [][2]float64) {
	if len(points) < 2 {
		return
	}
	var d strings.Builder
	for i, p := range points {
		d.WriteString(map[bool]string{true: "M", false: "L"}[i == 0] + px(p[0]) + " " + px(p[1]))
		if i > 0 {
			c.lines = append(c.lines, segment{points[i-1][0], points[i-1][1], p[0], p[1]})
		}
	}
	fmt.Fprintf(&c.b, `<path class="%s" d="%s"/>`+"\n", class, d.String())
}

// area fills a polygon.
func (c *chart) area(class string, points [][2]float64) {
	var d strings.Builder
	for i, p := range points {
		if i > 0 {
			d.WriteByte(' ')
		}
		d.WriteString(px(p[0]) + "," + px(p[1]))
	}
	fmt.Fprintf(&c.b, `<polygon class="%s" points="%s"/>`+"\n", class, d.String())
}

// rule draws a line that labels may cross.
func (c *chart) rule(class string, x0, y0, x1, y1 float64) {
	fmt.Fprintf(&c.b, `<path class="%s" d="M%s %sL%s %s"/>`+"\n", class, px(x0), px(y0), px(x1), px(y1))
}

// shapes of marks.
const (
	circle = iota
	diamond
	triangle
)

// mark draws a shape at a point with a tooltip, and keeps labels off it.
func (c *chart) mark(shape int, class string, x, y, size float64, tip string) {
	c.taken = append(c.taken, box{x - size, y - size, x + size, y + size})
	switch shape {
	case circle:
		fmt.Fprintf(&c.b, `<circle class="%s" cx="%s" cy="%s" r="%s">`, class, px(x), px(y), px(size))
	case diamond:
		fmt.Fprintf(&c.b, `<path class="%s" d="M%s %sL%s %sL%s %sL%s %sZ">`, class, px(x), px(y-size), px(x+size), px(y), px(x), px(y+size), px(x-size), px(y))
	default:
		fmt.Fprintf(&c.b, `<path class="%s" d="M%s %sL%s %sL%s %sZ">`, class, px(x), px(y-size), px(x+size), px(y+0.8*size), px(x-size), px(y+0.8*size))
	}
	fmt.Fprintf(&c.b, "<title>%s</title>", xmlText(tip))
	c.b.WriteString(map[bool]string{true: "</circle>\n", false: "</path>\n"}[shape == circle])
}
