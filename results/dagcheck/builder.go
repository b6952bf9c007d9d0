package dagcheck

import (
	"slices"
	"strconv"
	"strings"

	"partita/results/dagcheck/dot"
)

// builder makes graphs of what the reader reads, one at a time.
type builder struct {
	done    func(*graph)
	g       *graph
	scratch []byte
}

var _ dot.Handler = (*builder)(nil)

func (b *builder) Begin(at dot.Pos, h dot.Header) error {
	b.g = newGraph(at, h)
	return nil
}

func (b *builder) End(at dot.Pos) error {
	b.g.end = at
	b.g.finish()
	b.done(b.g)
	b.g = nil
	return nil
}

func (b *builder) Subgraph(at dot.Pos, _, parent int, name string) error {
	b.g.subs = append(b.g.subs, sub{at: at, parent: int32(parent), name: name, cluster: none})
	return nil
}

func (b *builder) GraphAttr(n int, a dot.Attr) error {
	s := &b.g.subs[n]
	value := string(a.Text)
	if n == dot.Root {
		switch a.Name {
		case "phase":
			b.g.phase = value
		case "condition":
			b.g.condition = value
		case "folded":
			b.g.folded = value == "true"
		}
		return nil
	}
	switch a.Name {
	case "label":
		s.label = string(b.plain(a.Value, "", b.g.header.Name))
	case "gpu":
		s.gpu = value
	case "gpus":
		s.gpus = value
	}
	return nil
}

func (b *builder) Node(at dot.Pos, _ int, name string) error {
	b.g.nodes = append(b.g.nodes, node{at: at, sub: dot.Root, layer: none, shape: ellipse}) // as DOT has it
	b.g.names = append(b.g.names, name)
	return nil
}

// Member keeps the innermost subgraph of a node. A subgraph around one that is known
// says nothing new.
func (b *builder) Member(n, in int) error {
	was, now := b.g.nodes[n].sub, int32(in)
	switch {
	case was == now || b.g.inside(was, now):
	case b.g.inside(now, was):
		b.g.nodes[n].sub = now
	default:
		also := b.g.also[int32(n)]
		if !slices.ContainsFunc(also, func(s int32) bool { return b.g.inside(s, now) }) {
			b.g.also[int32(n)] = append(also, now)
		}
	}
	return nil
}

// inside reports whether a subgraph is another one or lies in it.
func (g *graph) inside(inner, outer int32) bool {
	for inner > outer { // a subgraph has a larger number than those around it
		inner = g.subs[inner].parent
	}
	return inner == outer
}

func (b *builder) NodeAttr(i int, a dot.Attr) error {
	n := &b.g.nodes[i]
	switch a.Name {
	case "shape":
		s, ok := shapeNames[string(a.Text)]
		if !ok {
			s = anotherShape
		}
		n.shape = s
	case "op":
		n.op = b.op(a.Text)
	case "gpu":
		n.gpu = b.g.gpus.list(a.Text)
	case "layer":
		n.layer = none
		if l, err := strconv.ParseInt(strings.TrimSpace(string(a.Text)), 10, 32); err == nil && l >= 0 {
			n.layer = int32(l)
		}
	case "expert", "experts":
		n.experts, _ = b.g.experts.id(a.Text)
	case "layers":
		n.layers, _ = b.g.experts.id(a.Text)
	case "label":
		l := parseLabel(b.plain(a.Value, b.g.names[i], b.g.header.Name))
		n.labelled = true
		n.title, _ = b.g.titles.id(l.title)
		n.gpus = b.g.gpus.list(l.gpus)
		n.input = b.g.tensors.list(l.input)
		n.output = b.g.tensors.list(l.output)
	}
	return nil
}

// op is an operator by its name. One that is unknown is kept for a message.
func (b *builder) op(text []byte) op {
	if o, ok := opByName[string(text)]; ok {
		return o
	}
	id, _ := b.g.opNames.id(text)
	return firstUnknown + op(min(id, 1<<15))
}

// plain is the text of a label, valid until the next one. The bars and braces of a record
// end a line too.
func (b *builder) plain(v dot.Value, node, graph string) []byte {
	b.scratch = v.Label(b.scratch[:0], node, graph)
	for i, c := range b.scratch {
		if c == '|' || c == '{' || c == '}' {
			b.scratch[i] = '\n'
		}
	}
	return b.scratch
}

func (b *builder) Edge(at dot.Pos, from, to int, attrs []dot.Attr) error {
	e := edge{at: at, from: int32(from), to: int32(to)}
	for i := range attrs {
		if attrs[i].Name == "style" {
			e.dashed = dashed(attrs[i].Text)
		}
	}
	b.g.edges = append(b.g.edges, e)
	return nil
}

// dashed reports whether a list of styles has the one of selections.
func dashed(style []byte) bool {
	for word := range strings.SplitSeq(string(style), ",") {
		if w := strings.TrimSpace(word); w == "dashed" || w == "dotted" {
			return true
		}
	}
	return false
}
