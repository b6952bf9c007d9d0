package dagcheck

import (
	"fmt"
	"strconv"
	"strings"
)

// Text is the report for a terminal: what is broken, a line each, then the checklist of
// each graph and the verdict. Lines of findings are as long as they must be; all others
// fit 80 columns.
func (r *Report) Text() string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintln(&b, f)
	}
	if r.More > 0 {
		fmt.Fprintf(&b, "… and %s more of these rules, not listed\n", thousands(r.More))
	}
	if len(r.Findings) > 0 {
		b.WriteByte('\n')
	}
	for i := range r.Graphs {
		g := &r.Graphs[i]
		g.text(&b)
		b.WriteByte('\n')
	}
	nodes, edges := 0, 0
	for i := range r.Graphs {
		nodes, edges = nodes+r.Graphs[i].Nodes, edges+r.Graphs[i].Edges
	}
	verdict := "every rule that applies holds"
	if !r.OK {
		verdict = fmt.Sprintf("rules are broken at %s", counted(r.Broken, "place"))
	}
	fmt.Fprintf(&b, "%s: %s, %s and %s\n", verdict, counted(len(r.Graphs), "graph"), counted(nodes, "node"), counted(edges, "edge"))
	return b.String()
}

func (g *GraphFact) text(b *strings.Builder) {
	name := g.Phase
	if name == "" {
		name = "a phase unknown"
	}
	if g.Folded {
		name += ", folded"
	}
	fmt.Fprintf(b, "%s (line %d): %s, %s, %s\n", clip(name), g.Line, counted(g.Nodes, "node"), counted(g.Edges, "edge"), counted(g.GPUs, "GPU"))
	for _, t := range g.Rules {
		mark, what := "ok", t.About
		switch {
		case !t.OK:
			mark, what = "BROKEN", fmt.Sprintf("at %s", counted(t.Broken, "place"))
		case t.Checked == 0:
			mark = "-"
		}
		if t.Unchecked != "" && t.OK {
			what = "not checked: " + t.Unchecked
			if t.Checked > 0 {
				what = t.About + "; not checked: " + t.Unchecked
			}
		}
		on := "-"
		if t.Checked > 0 {
			on = counted(t.Checked, t.Unit)
		}
		const indent = 40
		lines := wrap(what, 80-indent)
		fmt.Fprintf(b, "  %-6s  %-12s %15s  %s\n", mark, t.Rule, on, lines[0])
		for _, l := range lines[1:] {
			fmt.Fprintf(b, "%*s%s\n", indent, "", l)
		}
	}
}

// wrap breaks a text between words.
func wrap(text string, width int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case len([]rune(*last))+1+len([]rune(word)) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}

func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return thousands(n) + " " + noun
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
