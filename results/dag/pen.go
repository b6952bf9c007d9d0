package dag

import (
	"io"
	"strconv"
)

// id numbers the nodes of a file; 0 is none.
type id int

// node is one node as it is written. Nothing of it is kept.
type node struct {
	op      Op
	name    string // without the layer
	gpus    string // the GPU line, as gpuLine makes it
	in, out []Tensor
	run     *run  // the layers it stands for; nil outside of layers
	experts []int // of the experts it stands for; nil for none
	times   int   // experts of one GPU that it stands for, where they are folded
}

// pen writes nodes and edges, or counts them where w is nil. What it writes stays in
// buffers until flush: nodes by the cluster they lie in, then the edges.
type pen struct {
	w      io.Writer
	err    error
	last   id
	folded bool
	weight int64 // what a node counts for: layers and replicas that are alike
	nodes  int64
	edges  []byte
	loose  []byte // nodes outside of all clusters
	line   []byte // nodes of the cluster of a stage
}

// write sends bytes on their way; the first error stays.
func (p *pen) write(b []byte) {
	if p.w != nil && p.err == nil {
		_, p.err = p.w.Write(b)
	}
}

func (p *pen) text(s string) { p.write([]byte(s)) }

// draw adds a node to a buffer and gives it its number.
func (p *pen) draw(buf *[]byte, n *node) id {
	p.last++
	p.nodes += p.weight
	if p.w == nil {
		return p.last
	}
	b := append(*buf, 'n')
	b = strconv.AppendInt(b, int64(p.last), 10)
	b = append(b, " [op="...)
	b = append(b, n.op...)
	b = append(b, ",shape="...)
	b = append(b, n.op.Shape()...)
	if n.run != nil {
		b = append(b, n.run.attributes...)
	}
	switch {
	case len(n.experts) == 1 && !p.folded:
		b = append(b, ",expert="...)
		b = strconv.AppendInt(b, int64(n.experts[0]), 10)
	case n.experts != nil:
		b = append(b, `,experts="`...)
		for i, e := range n.experts {
			if i > 0 {
				b = append(b, ' ')
			}
			b = strconv.AppendInt(b, int64(e), 10)
		}
		b = append(b, '"')
	}
	b = append(b, `,label="`...)
	if n.run != nil {
		b = append(b, n.run.title...)
	}
	b = append(b, n.name...)
	if len(n.experts) == 1 && !p.folded {
		b = append(b, " of expert "...)
		b = strconv.AppendInt(b, int64(n.experts[0]), 10)
	}
	if n.times > 1 {
		b = append(b, " (×"...)
		b = strconv.AppendInt(b, int64(n.times), 10)
		b = append(b, " a GPU)"...)
	}
	b = append(b, `\n`...)
	b = append(b, n.gpus...)
	b = append(b, `\nInput: `...)
	b = appendTensors(b, n.in)
	b = append(b, `\nOutput: `...)
	b = appendTensors(b, n.out)
	b = append(b, "\"];\n"...)
	*buf = b
	return p.last
}

// edge joins two nodes; selection is the dashed edge of a router.
func (p *pen) edge(from, to id, selection bool) {
	if p.w == nil {
		return
	}
	b := append(p.edges, 'n')
	b = strconv.AppendInt(b, int64(from), 10)
	b = append(b, "->n"...)
	b = strconv.AppendInt(b, int64(to), 10)
	if selection {
		b = append(b, " [style=dashed]"...)
	}
	p.edges = append(b, ";\n"...)
}

// flushEdges writes the edges, after the nodes that they join.
func (p *pen) flushEdges() {
	p.write(p.edges)
	p.edges = p.edges[:0]
}

// outside draws a node of the whole graph, between replicas.
func (p *pen) outside(n *node, from ...id) id {
	to := p.draw(&p.loose, n)
	for _, f := range from {
		p.edge(f, to, false)
	}
	return to
}

// flushLoose writes nodes outside of all clusters, and their edges.
func (p *pen) flushLoose() {
	p.write(p.loose)
	p.loose = p.loose[:0]
	p.flushEdges()
}
