package dagcheck

import (
	"cmp"
	"slices"

	"partita/results/dagcheck/dot"
)

// shape is the outline of a node.
type shape uint8

const (
	noShape shape = iota
	box
	ellipse
	parallelogram
	anotherShape
)

var shapeNames = map[string]shape{
	"box": box, "rect": box, "rectangle": box, "square": box, "record": box, "Mrecord": box,
	"ellipse": ellipse, "oval": ellipse, "circle": ellipse,
	"parallelogram": parallelogram,
}

func (s shape) String() string {
	return [...]string{"no shape", "box", "ellipse", "parallelogram", "another shape"}[s]
}

// none is the number of a layer, a cluster or an expert that is not there.
const none = -1

// node is what is kept of a node. Numbers are those of the tables of its graph.
type node struct {
	at            dot.Pos
	title         uint32
	op            op
	gpus          uint32 // of the label
	gpu           uint32 // the attribute, a list of one
	input, output uint32
	sub           int32 // the innermost subgraph it is in
	layer         int32
	experts       uint32 // texts of attributes, in one table
	layers        uint32
	shape         shape
	labelled      bool
}

// edge is one edge; dashed ones select.
type edge struct {
	at       dot.Pos
	from, to int32
	dashed   bool
}

// sub is a subgraph. At dot.Root it is the graph.
type sub struct {
	at     dot.Pos
	parent int32
	name   string
	label  string
	gpu    string // attributes
	gpus   string
	// cluster is the cluster of GPUs that it is, or lies in; none outside.
	cluster int32
}

// cluster is the box of one GPU, in a folded graph of several.
type cluster struct {
	at   dot.Pos
	sub  int32
	name string   // of its GPU, the first one
	ids  []uint32 // sorted
}

// graph is one graph of a file.
type graph struct {
	header    dot.Header
	at, end   dot.Pos
	phase     string
	condition string
	folded    bool

	nodes []node
	names []string
	edges []edge
	subs  []sub
	// also are further subgraphs of nodes that are in several, by node.
	also map[int32][]int32

	clusters  []cluster
	clusterOf map[uint32]int32 // by GPU

	titles  *table
	opNames *table
	experts *table
	gpus    *gpuSets
	tensors *tensors

	// out and in are the edges of a node, by their first index: those of node n are
	// outEdges[outFrom[n]:outFrom[n+1]].
	outFrom, inFrom   []int32
	outEdges, inEdges []int32
}

func newGraph(at dot.Pos, h dot.Header) *graph {
	return &graph{
		header: h, at: at, subs: []sub{{at: at, parent: none, cluster: none}}, also: map[int32][]int32{}, clusterOf: map[uint32]int32{},
		titles: newTable(), opNames: newTable(), experts: newTable(), gpus: newGPUSets(), tensors: newTensors(),
	}
}

// out are the edges that leave a node, and in those that reach it, by their numbers.
func (g *graph) out(n int32) []int32 { return g.outEdges[g.outFrom[n]:g.outFrom[n+1]] }
func (g *graph) in(n int32) []int32  { return g.inEdges[g.inFrom[n]:g.inFrom[n+1]] }

// cluster is the number of the cluster of GPUs that a node lies in.
func (g *graph) cluster(n int32) int32 { return g.subs[g.nodes[n].sub].cluster }

// named are the GPUs that a node names: in its label, or else by its attribute.
func (g *graph) named(n int32) gpuSet {
	if id := g.nodes[n].gpus; id != 0 {
		return g.gpus.of[id]
	}
	return g.gpus.of[g.nodes[n].gpu]
}

func (g *graph) inputs(n int32) *shapes  { return &g.tensors.of[g.nodes[n].input] }
func (g *graph) outputs(n int32) *shapes { return &g.tensors.of[g.nodes[n].output] }
func (g *graph) op(n int32) op           { return g.nodes[n].op }

// tensor is a tensor by its number.
func (g *graph) tensor(id uint32) *tensor { return &g.tensors.all[id] }

// finish makes the index of edges and finds the clusters, when all is read.
func (g *graph) finish() {
	if g.header.Strict {
		slices.SortStableFunc(g.edges, func(a, b edge) int {
			return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
		})
		g.edges = slices.CompactFunc(g.edges, func(a, b edge) bool { return a.from == b.from && a.to == b.to })
	}
	g.outFrom, g.outEdges = g.index(func(e *edge) int32 { return e.from })
	g.inFrom, g.inEdges = g.index(func(e *edge) int32 { return e.to })
	for i := range g.subs {
		g.findCluster(int32(i))
	}
	for n := range g.nodes {
		g.infer(int32(n))
	}
}

// index sorts the edges by one of their ends, keeping their order.
func (g *graph) index(endOf func(*edge) int32) (from, sorted []int32) {
	from = make([]int32, len(g.nodes)+2)
	for i := range g.edges {
		from[endOf(&g.edges[i])+2]++
	}
	for i := 2; i < len(from); i++ {
		from[i] += from[i-1]
	}
	sorted = make([]int32, len(g.edges))
	for i := range g.edges {
		n := endOf(&g.edges[i])
		sorted[from[n+1]] = int32(i)
		from[n+1]++
	}
	return from[:len(g.nodes)+1], sorted
}
