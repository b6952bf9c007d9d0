package dagsvg

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Colours of light pages and of paper, which are in the picture itself; the style sheet
// has those of dark pages. Each pair of text and ground has a contrast of 7 or more.
const (
	ink, soft        = "#1b2533", "#4a5666"
	computeFill      = "#eaf0fb"
	computeLine      = "#6d86bd"
	communicateFill  = "#fdf0d9"
	communicateLine  = "#c7902f"
	routeFill        = "#e4f4ea"
	routeLine        = "#4f9d74"
	gpuFill, gpuLine = "#ffffff", "#9aa5b5"
	aroundFill       = "#f4f6f9"
	aroundLine       = "#c3cad4"
	runLine          = "#6d86bd"
	edgeLine         = "#7b8797"
	gateLine         = "#8d4bb0"
)

// run is the nodes of one cluster that stand for the same layers.
type run struct {
	sub    int
	layers string
}

// styled is a graph in the DOT language as Graphviz is to draw it: outlines and colours by
// kind, labels of several sizes, a box around the layers that are drawn once.
func (g *graph) styled() string {
	var b strings.Builder
	// newrank: nodes between GPUs lie between the nodes that they join. mclimit: the order of
	// the file, which is that of GPUs, is not given up for a few crossings less.
	fmt.Fprintf(&b, "digraph {\ngraph [newrank=true, mclimit=0.1, nodesep=0.16, ranksep=0.3, fontname=Helvetica, fontsize=11, fontcolor=%q, bgcolor=transparent, margin=0, pad=0.1]\n", ink)
	fmt.Fprintf(&b, "node [fontname=Helvetica, fontsize=10, fontcolor=%q, style=filled, penwidth=1, margin=\"0.09,0.05\", height=0.2, width=0.2]\n", ink)
	fmt.Fprintf(&b, "edge [color=%q, penwidth=0.9, arrowsize=0.55, arrowhead=normal]\n", edgeLine)
	g.cluster(&b, 0, g.runs())
	for _, e := range g.edges {
		class, attrs := "data", ""
		if e.dashed {
			class, attrs = "gate", fmt.Sprintf(", style=dashed, color=%q, penwidth=1.3", gateLine)
		}
		fmt.Fprintf(&b, "n%d -> n%d [class=%s%s]\n", e.from, e.to, class, attrs)
	}
	b.WriteString("}\n")
	return b.String()
}

// runs are the runs of each node; layers is empty where it is of no run that is drawn as a
// box of its own.
func (g *graph) runs() []run {
	out := make([]run, len(g.nodes))
	for i := range g.nodes {
		n := &g.nodes[i]
		out[i].sub = n.sub
		if layers, _, ok := layersOf(n); ok && g.subs[n.sub].gpu {
			out[i].layers = layers
		}
	}
	return out
}

// layersOf takes the layers off the first line of a label: "layers 3 to 60 (×58): softmax".
func layersOf(n *node) (layers, rest string, ok bool) {
	if len(n.label) == 0 {
		return "", "", false
	}
	layers, rest, ok = strings.Cut(n.label[0], ": ")
	return layers, rest, ok && strings.HasPrefix(layers, "layer")
}

// cluster writes what is in a subgraph: its nodes, those of runs of layers in boxes of
// their own, and the subgraphs in it.
func (g *graph) cluster(b *strings.Builder, s int, runs []run) {
	var seen []string
	for i := range g.nodes {
		switch r := runs[i]; {
		case r.sub != s:
		case r.layers == "":
			g.node(b, i, false)
		case !slices.Contains(seen, r.layers):
			seen = append(seen, r.layers)
			fmt.Fprintf(b, "subgraph \"cluster_%d_%d\" {\nclass=run label=<<font point-size=\"9\">%s</font>> labeljust=l style=\"rounded,dashed\" color=%q fillcolor=none margin=6\n", s, len(seen), escape(r.layers), runLine)
			for j := i; j < len(g.nodes); j++ {
				if runs[j] == r {
					g.node(b, j, true)
				}
			}
			b.WriteString("}\n")
		}
	}
	for c := range g.subs {
		if g.subs[c].parent != s {
			continue
		}
		if !strings.HasPrefix(g.subs[c].name, "cluster") { // not drawn as a box
			g.cluster(b, c, runs)
			continue
		}
		class, fill, line := "around", aroundFill, aroundLine
		if g.subs[c].gpu {
			class, fill, line = "gpu", gpuFill, gpuLine
		}
		fmt.Fprintf(b, "subgraph cluster_%d {\nclass=%s label=<%s> labeljust=l style=\"rounded,filled\" color=%q fillcolor=%q margin=9\n", c, class, heading(g.subs[c].label), line, fill)
		g.cluster(b, c, runs)
		b.WriteString("}\n")
	}
}

// heading is the label of a cluster: the first line large, the rest small.
func heading(label string) string {
	first, rest, _ := strings.Cut(label, "\n")
	return "<b>" + escape(first) + "</b>" + small(strings.Split(rest, "\n"), `<br align="left"/>`) + `<br align="left"/>`
}

// small are further lines of a label, each after a line end. Graphviz takes no empty ones.
func small(lines []string, end string) string {
	var b strings.Builder
	for _, line := range lines {
		for _, part := range folded(line) {
			if part = escape(part); part != "" {
				fmt.Fprintf(&b, "%s<font point-size=\"8.5\" color=%q>%s</font>", end, soft, part)
			}
		}
	}
	return b.String()
}

// node writes one node. In the box of its layers its label does not repeat them.
func (g *graph) node(b *strings.Builder, i int, inRun bool) {
	n := &g.nodes[i]
	fill, line := computeFill, computeLine
	switch n.kind {
	case communicates:
		fill, line = communicateFill, communicateLine
	case routes:
		fill, line = routeFill, routeLine
	}
	title, rest := n.name, []string(nil)
	if len(n.label) > 0 {
		title, rest = n.label[0], n.label[1:]
	}
	var above string
	if layers, what, ok := layersOf(n); ok {
		title = what
		if !inRun {
			above = fmt.Sprintf("<font point-size=\"8.5\" color=%q>%s</font><br/>", soft, escape(layers))
		}
	}
	text := above + "<b>" + escape(title) + "</b>" + small(rest, "<br/>")
	shape := n.kind.shape()
	if n.kind == routes {
		shape = "polygon sides=4 skew=0.22" // Graphviz' own parallelogram needs twice the room
	}
	fmt.Fprintf(b, "n%d [class=%s shape=%s label=<%s> fillcolor=%q color=%q]\n", i, n.kind.class(), shape, text, fill, line)
}

// widest is the number of characters from which on a line is broken.
const widest = 66

// folded breaks a line of a label between tensors, or between GPUs, so that no node is
// much wider than its neighbours.
func folded(line string) []string {
	if utf8.RuneCountInString(line) <= widest {
		return []string{line}
	}
	separator := "; "
	if !strings.Contains(line, "[") {
		separator = ", "
	}
	var out []string
	for part := range strings.SplitAfterSeq(line, separator) {
		if k := len(out) - 1; k >= 0 && utf8.RuneCountInString(out[k]+part) <= widest {
			out[k] += part
		} else {
			out = append(out, part)
		}
	}
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out
}

// escape makes a foreign text safe in an HTML-like label and in SVG. Characters that XML
// does not have are left out.
func escape(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError || r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}
