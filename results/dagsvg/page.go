package dagsvg

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// picture is one graph, laid out.
type picture struct {
	title         string
	width, height float64
	viewBox       string
	body          []byte // the elements in it
}

var (
	viewBox  = regexp.MustCompile(`viewBox="([-0-9. ]+)"`)
	needless = regexp.MustCompile(`(?s)<!--.*?-->\n?|<title>.*?</title>\n?| id="[^"]*"| font-family="[^"]*"| text-anchor="start"`)
)

// pictureOf takes the drawing out of what Graphviz wrote. Its ids and titles are numbers of
// this package and would stand twice in a file of several pictures; the fonts are in the
// style sheet.
func pictureOf(g *graph, svg []byte) (picture, error) {
	p := picture{title: g.label}
	if p.title == "" {
		p.title = g.phase
	}
	match := viewBox.FindSubmatch(svg)
	start := bytes.Index(svg, []byte("<g id=\"graph0\""))
	end := bytes.LastIndex(svg, []byte("</svg>"))
	if match == nil || start < 0 || end < start {
		return p, errors.New("its picture is none")
	}
	p.viewBox = string(match[1])
	numbers := strings.Fields(p.viewBox)
	if len(numbers) != 4 {
		return p, errors.New("its picture has no size")
	}
	p.width, _ = strconv.ParseFloat(numbers[2], 64)
	p.height, _ = strconv.ParseFloat(numbers[3], 64)
	p.body = needless.ReplaceAll(svg[start:end], nil)
	return p, nil
}

// sheet is the style of the page. What it says of colours holds on dark pages only.
const sheet = `text{font-family:Helvetica,Arial,"Liberation Sans",sans-serif}
.title{font-size:17px;font-weight:bold;fill:#1b2533}
.legend text{font-size:12px;fill:#4a5666}
.edge path{stroke-linecap:round}
@media screen and (prefers-color-scheme:dark){
.page{fill:#11161d}
text,.title{fill:#e6eaf0}
text[fill="#4a5666"],.legend text{fill:#b3bdca}
.compute polygon,.legend .compute{fill:#1e2b45;stroke:#7f9bd8}
.communicate ellipse,.legend .communicate{fill:#402e0e;stroke:#d9a548}
.route polygon,.legend .route{fill:#153425;stroke:#62b98c}
.gpu path{fill:#171d26;stroke:#5b6675}
.around path{fill:#1d2530;stroke:#3d4755}
.run path{stroke:#7f9bd8}
.data path{stroke:#8b97a8}
.data polygon{fill:#8b97a8;stroke:#8b97a8}
.gate path,.legend .gate{stroke:#c48be6}
.gate polygon{fill:#c48be6;stroke:#c48be6}
}
`

// Measures of the page.
const (
	edgeOfPage = 16.0
	titleSpace = 34.0
	legendRoom = 34.0
	legendWide = 640.0
)

// page puts pictures side by side or below each other, each with its title, and the legend
// above all.
func page(pictures []picture) []byte {
	across, down := picture{}, picture{} // the sizes of both
	for _, p := range pictures {
		across.width, across.height = across.width+p.width+edgeOfPage, math.Max(across.height, p.height)
		down.width, down.height = math.Max(down.width, p.width), down.height+p.height+titleSpace
	}
	// Whatever is nearer to a square can be looked at with less scrolling.
	side := elongation(across) < elongation(down)
	size := down
	if side {
		size = across
	}
	width := math.Max(legendWide, size.width) + 2*edgeOfPage
	height := size.height + titleSpace + legendRoom + 2*edgeOfPage
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" role="img" style="color-scheme:light dark">`+"\n",
		math.Ceil(width), math.Ceil(height), math.Ceil(width), math.Ceil(height))
	var titles []string
	for _, p := range pictures {
		titles = append(titles, p.title)
	}
	fmt.Fprintf(&b, "<title>%s</title>\n<style>\n%s</style>\n", escape(strings.Join(titles, "; ")), sheet)
	b.WriteString(`<rect class="page" width="100%" height="100%" fill="#ffffff"/>` + "\n")
	legend(&b)
	x, y := edgeOfPage, edgeOfPage+legendRoom
	for _, p := range pictures {
		fmt.Fprintf(&b, "<text class=\"title\" x=\"%.0f\" y=\"%.0f\">%s</text>\n", x, y+20, escape(p.title))
		fmt.Fprintf(&b, "<svg x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" viewBox=\"%s\">\n", x, y+titleSpace, p.width, p.height, p.viewBox)
		b.Write(p.body)
		b.WriteString("</svg>\n")
		if side {
			x += p.width + edgeOfPage
		} else {
			y += p.height + titleSpace
		}
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// elongation is how often the longer side of a size holds the shorter one.
func elongation(p picture) float64 { return math.Max(p.width/p.height, p.height/p.width) }

// legend says what the outlines mean.
func legend(b *bytes.Buffer) {
	fmt.Fprintf(b, "<g class=\"legend\" transform=\"translate(%.0f %.0f)\">\n", edgeOfPage, edgeOfPage)
	fmt.Fprintf(b, "<rect class=\"compute\" x=\"0.5\" y=\"2.5\" width=\"30\" height=\"15\" fill=%q stroke=%q/><text x=\"38\" y=\"14\">computation</text>\n", computeFill, computeLine)
	fmt.Fprintf(b, "<ellipse class=\"communicate\" cx=\"145\" cy=\"10\" rx=\"16\" ry=\"8\" fill=%q stroke=%q/><text x=\"168\" y=\"14\">communication</text>\n", communicateFill, communicateLine)
	fmt.Fprintf(b, "<polygon class=\"route\" points=\"274,17.5 280,2.5 306,2.5 300,17.5\" fill=%q stroke=%q/><text x=\"314\" y=\"14\">routing, split, join</text>\n", routeFill, routeLine)
	fmt.Fprintf(b, "<line class=\"gate\" x1=\"436\" y1=\"10\" x2=\"470\" y2=\"10\" stroke=%q stroke-width=\"1.5\" stroke-dasharray=\"5,3\"/><text x=\"478\" y=\"14\">selection of experts</text>\n", gateLine)
	b.WriteString("</g>\n")
}
