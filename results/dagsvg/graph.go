package dagsvg

import (
	"slices"
	"strings"

	"partita/results/dagcheck/dot"
)

// graph is one graph of a file, as it is to be drawn.
type graph struct {
	name, phase, label string
	directed           bool
	nodes              []node
	edges              []edge
	subs               []sub // the first one is the graph
}

type node struct {
	name  string
	kind  kind
	label []string
	sub   int // the innermost subgraph
}

type edge struct {
	from, to int
	dashed   bool
}

type sub struct {
	parent int
	name   string
	label  string
	gpu    bool
}

// kind is what a node is drawn as: its outline in the DAG.
type kind int

const (
	computes kind = iota
	communicates
	routes
)

// class is the kind's name in the style sheet.
func (k kind) class() string { return [...]string{"compute", "communicate", "route"}[k] }

func (k kind) shape() string { return [...]string{"box", "ellipse", "parallelogram"}[k] }

// collector keeps the graphs of a file that are not too large.
type collector struct {
	graphs []*graph
	most   int // nodes of a graph; four times as many edges
}

var _ dot.Handler = (*collector)(nil)

// errLarge ends the reading of what is not drawn anyway.
type errLarge struct{}

func (errLarge) Error() string { return "the graph is too large to be drawn" }

func (c *collector) now() *graph { return c.graphs[len(c.graphs)-1] }

func (c *collector) Begin(_ dot.Pos, h dot.Header) error {
	c.graphs = append(c.graphs, &graph{name: h.Name, phase: h.Name, directed: h.Directed, subs: []sub{{parent: -1}}})
	return nil
}

func (c *collector) End(dot.Pos) error { return nil }

func (c *collector) Subgraph(_ dot.Pos, _, parent int, name string) error {
	g := c.now()
	g.subs = append(g.subs, sub{parent: parent, name: name})
	return nil
}

func (c *collector) GraphAttr(n int, a dot.Attr) error {
	g := c.now()
	switch a.Name {
	case "label":
		text := strings.Join(lines(a.Value, "", g.name), "\n")
		if n == dot.Root {
			g.label = text
		}
		g.subs[n].label = text
	case "phase":
		if n == dot.Root {
			g.phase = string(a.Text)
		}
	case "gpu":
		g.subs[n].gpu = true
	}
	return nil
}

func (c *collector) Node(_ dot.Pos, _ int, name string) error {
	g := c.now()
	if len(g.nodes) == c.most {
		return errLarge{}
	}
	g.nodes = append(g.nodes, node{name: name, kind: communicates, label: []string{name}}) // an ellipse, as DOT has it
	return nil
}

func (c *collector) Member(n, in int) error {
	g := c.now()
	for s := in; s >= 0; s = g.subs[s].parent { // only ever further inside
		if s == g.nodes[n].sub {
			g.nodes[n].sub = in
			break
		}
	}
	return nil
}

func (c *collector) NodeAttr(i int, a dot.Attr) error {
	n := &c.now().nodes[i]
	switch a.Name {
	case "shape":
		n.kind = computes
		switch string(a.Text) {
		case "ellipse", "oval", "circle":
			n.kind = communicates
		case "parallelogram":
			n.kind = routes
		}
	case "label":
		n.label = lines(a.Value, n.name, c.now().name)
	}
	return nil
}

func (c *collector) Edge(_ dot.Pos, from, to int, attrs []dot.Attr) error {
	g := c.now()
	if len(g.edges) == 4*c.most {
		return errLarge{}
	}
	dashed := slices.ContainsFunc(attrs, func(a dot.Attr) bool {
		return a.Name == "style" && strings.Contains(string(a.Text), "dashed")
	})
	g.edges = append(g.edges, edge{from, to, dashed})
	return nil
}

// lines are those of a label that are not empty.
func lines(v dot.Value, node, graph string) []string {
	var out []string
	for line := range strings.Lines(string(v.Label(nil, node, graph))) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}
