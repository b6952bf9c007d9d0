package opgraph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"partita/inputs"
)

// Model is an operator graph as the model of a condition, with what its file says beside.
type Model struct {
	Name  string // as the file says; "" where it does not
	Graph *inputs.Graph
	// Ignored names the fields that speak of the devices of a published instance: the
	// condition has its own.
	Ignored []string
}

// modelFields are the fields that a graph has, nodeFields and edgeFields those of its
// nodes and edges. A field that nobody knows is a slip; those that are known and not read
// are the published form's.
var (
	modelFields = []string{"name", "nodes", "edges", "maxSizePerFPGA", "maxFPGAs", "maxCPUs"}
	nodeFields  = []string{"id", "name", "fpgaLatency", "cpuLatency", "supportedOnFpga", "isBackwardNode", "colorClass", "layerId", "size",
		"flops", "kernels", "traffic_bytes", "weight_bytes", "activation_bytes", "output_bytes", "times"}
	edgeFields = []string{"sourceId", "destId", "cost", "size"}
)

type rawModel struct {
	Name  string     `json:"name"`
	Nodes []position `json:"nodes"`
	Edges []position `json:"edges"`
}

type rawModelNode struct {
	rawNode
	FLOPs       *float64           `json:"flops"`
	Kernels     *int               `json:"kernels"`
	Traffic     *float64           `json:"traffic_bytes"`
	Weights     *float64           `json:"weight_bytes"`
	Activations *float64           `json:"activation_bytes"`
	Output      *float64           `json:"output_bytes"`
	Times       map[string]float64 `json:"times"`
}

// ParseModel reads a graph as the model of a condition: the dnn-partitioning form, or our
// fields in its place (docs/operator-graphs.md). The error is inputs.Diagnostics: all
// problems of the file.
func ParseModel(file string, data []byte) (*Model, error) {
	p := &parser{file: file, data: data, lines: lineStarts(data)}
	var raw rawModel
	if !p.decode(data, 0, &raw) {
		return nil, p.problems.Err()
	}
	m := &Model{Name: raw.Name, Graph: &inputs.Graph{}}
	p.known(data, 0, modelFields)
	for _, field := range []string{"maxFPGAs", "maxCPUs", "maxSizePerFPGA"} {
		if bytes.Contains(data, []byte(`"`+field+`"`)) {
			m.Ignored = append(m.Ignored, field)
		}
	}
	if p.sizes(len(raw.Nodes), len(raw.Edges)) {
		index := p.modelNodes(m.Graph, raw.Nodes)
		p.modelEdges(m.Graph, raw.Edges, index)
	}
	if len(p.problems) == 0 {
		if cycle := cycleOf(m.Graph); cycle >= 0 {
			p.problem(m.Graph.Nodes[cycle].Place, m.Graph.Nodes[cycle].Label()+" is on a cycle", "edges that lead forward only", "a recurrent layer is unrolled in time")
		}
	}
	if err := p.problems.Err(); err != nil {
		return nil, err
	}
	return m, nil
}

// sizes bounds the numbers of nodes and edges.
func (p *parser) sizes(nodes, edges int) bool {
	top := p.at(0)
	switch {
	case nodes == 0:
		p.problem(top, "no nodes", "at least one", "")
	case nodes > maxNodes:
		p.problem(top, fmt.Sprintf("%d nodes", nodes), fmt.Sprintf("at most %d", maxNodes), "")
	case edges > maxEdges:
		p.problem(top, fmt.Sprintf("%d edges", edges), fmt.Sprintf("at most %d", maxEdges), "")
	default:
		return true
	}
	return false
}

// known reports the keys of an object that no graph has, each where it stands first. Keys
// are taken in any case, as encoding/json takes them.
func (p *parser) known(text []byte, offset int, names []string) {
	d := json.NewDecoder(bytes.NewReader(text))
	depth, key := 0, false
	for {
		before := int(d.InputOffset())
		token, err := d.Token()
		if err != nil {
			return
		}
		switch t := token.(type) {
		case json.Delim:
			if t == '{' || t == '[' {
				depth++
			} else {
				depth--
			}
			key = depth == 1
		case string:
			if depth == 1 && key {
				if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, t) }) && !p.told[names[0]+"."+t] {
					if p.told == nil {
						p.told = map[string]bool{}
					}
					p.told[names[0]+"."+t] = true
					at := before + bytes.IndexByte(text[before:], '"')
					hint := ""
					if near := inputs.Nearest(t, names); near != "" {
						hint = fmt.Sprintf("did you mean %q?", near)
					}
					p.problem(p.at(offset+at), fmt.Sprintf("unknown field %q", t), "one of "+strings.Join(names, ", "), hint)
				}
				key = false
				continue
			}
			key = depth == 1
		default:
			key = depth == 1
		}
	}
}

// amount checks a quantity of a node.
func (p *parser) amount(value *float64, at inputs.Place, id int, field string) *float64 {
	if value != nil && !(*value >= 0 && *value <= 1<<60) {
		p.problem(at, fmt.Sprintf("node %d: %s %g", id, field, *value), "a number from 0 to 1e18", "")
		return nil
	}
	return value
}

func (p *parser) modelNodes(g *inputs.Graph, list []position) map[int]int {
	index := make(map[int]int, len(list))
	for text, from := range p.items("nodes", list) {
		var raw rawModelNode
		at := p.at(from)
		if !p.decode(text, from, &raw) {
			continue
		}
		p.known(text, from, nodeFields)
		if !p.named(raw.ID, at, index) {
			continue
		}
		index[*raw.ID] = len(g.Nodes)
		g.Nodes = append(g.Nodes, p.modelNode(&raw, at))
	}
	return index
}

func (p *parser) modelNode(raw *rawModelNode, at inputs.Place) inputs.GraphNode {
	n := inputs.GraphNode{ID: *raw.ID, Name: raw.Name, Backward: bool(raw.Backward), Kernels: 1, Place: at}
	if raw.Supported != nil && !bool(*raw.Supported) {
		p.problem(at, n.Label()+" runs on no accelerator", "operators that a GPU can run", "a condition has no CPU cores to run it on: `partita instance` solves such graphs as published")
	}
	if raw.Colour != nil && *raw.Colour >= 0 {
		n.Colour = raw.Colour
	}
	n.TimesMS = raw.Times
	for name, ms := range raw.Times {
		if !(ms >= 0 && ms <= 1e12) {
			p.problem(at, fmt.Sprintf("node %d: times.%s %g", n.ID, name, ms), "milliseconds, 0 or more", "")
		}
	}
	if ms := raw.Accelerator; ms != nil {
		v := p.cost(ms, at, n.ID, "fpgaLatency", true)
		n.TimeMS = &v
	}
	n.FLOPs = p.amount(raw.FLOPs, at, n.ID, "flops")
	n.TrafficBytes = p.amount(raw.Traffic, at, n.ID, "traffic_bytes")
	n.OutputBytes = p.amount(raw.Output, at, n.ID, "output_bytes")
	if raw.Kernels != nil {
		if n.Kernels = *raw.Kernels; n.Kernels < 0 || n.Kernels > 1e6 {
			p.problem(at, fmt.Sprintf("node %d: kernels %d", n.ID, n.Kernels), "a whole number from 0 to 1000000", "")
		}
	}
	if n.FLOPs == nil && n.TimeMS == nil && len(n.TimesMS) == 0 {
		p.problem(at, n.Label()+" has no time", "flops, times by accelerator, or fpgaLatency in ms", "")
	}
	size, weights, activations := p.amount(raw.Size, at, n.ID, "size"), p.amount(raw.Weights, at, n.ID, "weight_bytes"), p.amount(raw.Activations, at, n.ID, "activation_bytes")
	switch {
	case size != nil && (weights != nil || activations != nil):
		p.problem(at, n.Label()+" has a size beside weight_bytes or activation_bytes", "one way to say what it holds", "size is weights and activations together")
	case size != nil:
		n.MemoryBytes = int64(math.Ceil(*size))
	default:
		if weights != nil {
			n.WeightBytes = int64(math.Ceil(*weights))
		}
		if activations != nil {
			n.ActivationBytes = int64(math.Ceil(*activations))
		}
		n.MemoryBytes = n.WeightBytes + n.ActivationBytes
	}
	return n
}

// modelEdges reads the edges. The cost of sending is a node's output_bytes, or the cost in
// ms that all its edges agree on.
func (p *parser) modelEdges(g *inputs.Graph, list []position, index map[int]int) {
	sends := make([]bool, len(g.Nodes))
	for text, from := range p.items("edges", list) {
		var raw rawEdge
		at := p.at(from)
		if !p.decode(text, from, &raw) {
			continue
		}
		p.known(text, from, edgeFields)
		u, v := p.end(raw.Source, "sourceId", index, at), p.end(raw.Dest, "destId", index, at)
		if u < 0 || v < 0 {
			continue
		}
		n := &g.Nodes[u]
		switch {
		case raw.Cost == nil && n.OutputBytes == nil:
			p.problem(at, fmt.Sprintf("an edge out of %s without a cost", n.Label()), "cost in ms, or output_bytes of that node", "")
			continue
		case raw.Cost == nil:
		case n.OutputBytes != nil:
			p.problem(at, fmt.Sprintf("an edge out of %s has a cost beside the node's output_bytes", n.Label()), "one of the two", "bytes are priced on the links of the condition, ms are taken as they are")
			continue
		case !(*raw.Cost >= 0 && *raw.Cost <= 1e12):
			p.problem(at, fmt.Sprintf("cost %g", *raw.Cost), "milliseconds, 0 or more", "")
			continue
		case sends[u] && *raw.Cost != n.SendMS:
			p.problem(at, fmt.Sprintf("edges out of node %d cost %g and %g", n.ID, n.SendMS, *raw.Cost), "one cost for all: the output is sent once", "")
			continue
		default:
			sends[u], n.SendMS = true, *raw.Cost
		}
		g.Edges = append(g.Edges, inputs.GraphEdge{From: u, To: v})
	}
}

// end is the node that an end of an edge names; -1, with a problem, where there is none.
func (p *parser) end(id *int, field string, index map[int]int, at inputs.Place) int {
	if id == nil {
		p.problem(at, "an edge without "+field, "the id of a node", "")
		return -1
	}
	v, there := index[*id]
	if !there {
		p.problem(at, fmt.Sprintf("%s %d", field, *id), "the id of a node of this file", "")
		return -1
	}
	return v
}

// cycleOf is a node on a cycle, -1 where there is none.
func cycleOf(g *inputs.Graph) int {
	next, waiting := make([][]int, len(g.Nodes)), make([]int, len(g.Nodes))
	before := make([][]int, len(g.Nodes))
	for _, e := range g.Edges {
		next[e.From] = append(next[e.From], e.To)
		before[e.To] = append(before[e.To], e.From)
		waiting[e.To]++
	}
	var ready []int
	for v, n := range waiting {
		if n == 0 {
			ready = append(ready, v)
		}
	}
	for len(ready) > 0 {
		v := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		for _, w := range next[v] {
			if waiting[w]--; waiting[w] == 0 {
				ready = append(ready, w)
			}
		}
	}
	at := slices.IndexFunc(waiting, func(n int) bool { return n > 0 })
	if at < 0 {
		return -1
	}
	// What waits is on a cycle or behind one: backwards it leads into one.
	seen := make([]bool, len(g.Nodes))
	for !seen[at] {
		seen[at] = true
		at = before[at][slices.IndexFunc(before[at], func(u int) bool { return waiting[u] > 0 })]
	}
	return at
}
