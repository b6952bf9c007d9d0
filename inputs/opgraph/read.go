package opgraph

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"sort"
	"strings"

	"partita/inputs"
)

// Largest numbers of nodes, edges and devices that are read: far above any published
// graph, and small enough that a wrong file does not fill the memory.
const (
	maxNodes   = 200_000
	maxEdges   = 2_000_000
	maxDevices = 10_000
)

// Parse reads a graph in the dnn-partitioning form. file names it in problems, name is
// the name of the graph. The error is inputs.Diagnostics: all problems of the file.
func Parse(file, name string, data []byte) (*Graph, error) {
	p := &parser{file: file, data: data, lines: lineStarts(data)}
	var raw rawGraph
	if !p.decode(data, 0, &raw) {
		return nil, p.problems.Err()
	}
	g := p.graph(name, &raw)
	if err := p.problems.Err(); err != nil {
		return nil, err
	}
	return g, nil
}

// Is reports whether a JSON file has the form of an operator graph: an object with
// nodes and edges.
func Is(data []byte) bool {
	var probe struct{ Nodes, Edges json.RawMessage }
	return json.Unmarshal(data, &probe) == nil && len(probe.Nodes) > 0 && len(probe.Edges) > 0
}

type rawGraph struct {
	MaxSizePerFPGA *float64   `json:"maxSizePerFPGA"`
	MaxFPGAs       *int       `json:"maxFPGAs"`
	MaxCPUs        *int       `json:"maxCPUs"`
	Nodes          []position `json:"nodes"`
	Edges          []position `json:"edges"`
}

// position is a JSON value that remembers its text; where it lies is found by search
// order, for the values of a list follow each other in the file.
type position struct{ text json.RawMessage }

func (p *position) UnmarshalJSON(data []byte) error {
	p.text = append(json.RawMessage(nil), data...)
	return nil
}

type rawNode struct {
	ID          *int     `json:"id"`
	Name        string   `json:"name"`
	Supported   *flag    `json:"supportedOnFpga"`
	CPU         *float64 `json:"cpuLatency"`
	Accelerator *float64 `json:"fpgaLatency"`
	Backward    flag     `json:"isBackwardNode"`
	Colour      *int     `json:"colorClass"`
	Size        *float64 `json:"size"`
}

type rawEdge struct {
	Source *int     `json:"sourceId"`
	Dest   *int     `json:"destId"`
	Cost   *float64 `json:"cost"`
}

// flag is a truth value that files write as true, false, 1 or 0.
type flag bool

func (f *flag) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case "true", "1":
		*f = true
	case "false", "0", "null":
		*f = false
	default:
		return &json.UnmarshalTypeError{Value: "value " + string(data), Offset: int64(len(data))}
	}
	return nil
}

type parser struct {
	file     string
	data     []byte
	lines    []int
	problems inputs.Diagnostics
	told     map[string]bool // unknown fields that are a problem already
}

func lineStarts(data []byte) []int {
	starts := []int{0}
	for i, c := range data {
		if c == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}

// at is the place of a byte of the file.
func (p *parser) at(offset int) inputs.Place {
	offset = min(max(offset, 0), len(p.data))
	line := sort.SearchInts(p.lines, offset+1)
	return inputs.Place{File: p.file, Line: line, Col: offset - p.lines[line-1] + 1}
}

func (p *parser) problem(at inputs.Place, problem, want, hint string) {
	p.problems = append(p.problems, inputs.Diagnostic{Place: at, Problem: problem, Want: want, Hint: hint})
}

// decode reads a JSON value that begins at an offset of the file; a problem of its
// syntax or types is noted where it is.
func (p *parser) decode(text []byte, offset int, into any) bool {
	err := json.Unmarshal(text, into)
	if err == nil {
		return true
	}
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		p.problem(p.at(offset+int(syntax.Offset)-1), "not JSON: "+syntax.Error(), "an operator graph with nodes and edges", "")
	case errors.As(err, &kind):
		field := strings.TrimPrefix(kind.Field, "rawNode.") // of a node of a model
		if field == "" {
			field = "a field"
		}
		want := "a number"
		if kind.Type != nil {
			want = kindName(kind.Type.Kind().String())
		}
		p.problem(p.at(offset+int(kind.Offset)-1), fmt.Sprintf("%s: %s", field, kind.Value), want, "")
	default:
		p.problem(p.at(offset), err.Error(), "", "")
	}
	return false
}

func kindName(kind string) string {
	switch kind {
	case "int":
		return "a whole number"
	case "float64":
		return "a number"
	case "slice":
		return "a list"
	case "struct":
		return "an object"
	case "bool":
		return "true or false"
	default:
		return kind
	}
}

func (p *parser) graph(name string, raw *rawGraph) *Graph {
	top := p.at(0)
	g := &Graph{Name: name}
	count := func(value *int, field string) int {
		switch {
		case value == nil:
			p.problem(top, field+" is missing", "the number of devices of that kind", "")
		case *value < 0 || *value > maxDevices:
			p.problem(top, fmt.Sprintf("%s: %d", field, *value), fmt.Sprintf("0 to %d", maxDevices), "")
		default:
			return *value
		}
		return 0
	}
	g.Accelerators, g.CPUs = count(raw.MaxFPGAs, "maxFPGAs"), count(raw.MaxCPUs, "maxCPUs")
	switch {
	case raw.MaxSizePerFPGA == nil:
		p.problem(top, "maxSizePerFPGA is missing", "bytes of memory of an accelerator", "")
	case !(*raw.MaxSizePerFPGA >= 0) || *raw.MaxSizePerFPGA > 1<<60:
		p.problem(top, fmt.Sprintf("maxSizePerFPGA: %g", *raw.MaxSizePerFPGA), "bytes of memory of an accelerator", "")
	default:
		g.AcceleratorBytes = int64(math.Floor(*raw.MaxSizePerFPGA))
	}
	if !p.sizes(len(raw.Nodes), len(raw.Edges)) {
		return g
	}
	index := p.nodes(g, raw.Nodes)
	p.edges(g, raw.Edges, index)
	if len(p.problems) == 0 {
		if _, ok := g.Topological(); !ok {
			p.problem(top, "the graph has a cycle", "edges that lead forward only", "a recurrent layer is unrolled in time")
		}
	}
	return g
}

// find is where a value of a list lies, searched from an offset on.
func (p *parser) find(text []byte, from int) int {
	if i := bytes.Index(p.data[from:], text); i >= 0 {
		return from + i
	}
	return from
}

// items goes through the list of a field: each value, and the offset at which it lies.
func (p *parser) items(field string, list []position) iter.Seq2[json.RawMessage, int] {
	return func(yield func(json.RawMessage, int) bool) {
		from := max(bytes.Index(p.data, []byte(`"`+field+`"`)), 0)
		for _, item := range list {
			from = p.find(item.text, from)
			if !yield(item.text, from) {
				return
			}
			from += len(item.text)
		}
	}
}

// named reports whether a node has an id of its own; index holds those before it.
func (p *parser) named(id *int, at inputs.Place, index map[int]int) bool {
	if id == nil {
		p.problem(at, "a node without id", "a whole number", "")
		return false
	}
	if _, twice := index[*id]; twice {
		p.problem(at, fmt.Sprintf("id %d is given to two nodes", *id), "an id of its own for each", "")
		return false
	}
	return true
}

func (p *parser) nodes(g *Graph, list []position) map[int]int {
	index := make(map[int]int, len(list))
	for text, from := range p.items("nodes", list) {
		var raw rawNode
		at := p.at(from)
		if !p.decode(text, from, &raw) || !p.named(raw.ID, at, index) {
			continue
		}
		n := Node{ID: *raw.ID, Name: raw.Name, Backward: bool(raw.Backward), Colour: NoColour, Place: at, OnAccelerator: raw.Supported == nil || bool(*raw.Supported)}
		if raw.Colour != nil && *raw.Colour >= 0 { // a negative class is how files write none
			n.Colour = *raw.Colour
		}
		n.CPUTime = p.cost(raw.CPU, at, n.ID, "cpuLatency", g.CPUs > 0)
		n.AcceleratorTime = p.cost(raw.Accelerator, at, n.ID, "fpgaLatency", n.OnAccelerator)
		if raw.Size != nil {
			if !(*raw.Size >= 0) || *raw.Size > 1<<60 {
				p.problem(at, fmt.Sprintf("node %d: size %g", n.ID, *raw.Size), "bytes, 0 or more", "")
			} else {
				n.Bytes = int64(math.Ceil(*raw.Size))
			}
		}
		index[n.ID] = len(g.Nodes)
		g.Nodes = append(g.Nodes, n)
	}
	return index
}

// cost checks a time; one that is not needed may be missing.
func (p *parser) cost(value *float64, at inputs.Place, id int, field string, needed bool) float64 {
	switch {
	case value == nil && needed:
		p.problem(at, fmt.Sprintf("node %d: %s is missing", id, field), "milliseconds", "")
	case value == nil:
		return math.Inf(1)
	case *value < 0 || *value > 1e12:
		p.problem(at, fmt.Sprintf("node %d: %s %g", id, field, *value), "milliseconds, 0 or more", "")
	default:
		return *value
	}
	return 0
}

func (p *parser) edges(g *Graph, list []position, index map[int]int) {
	sends := make([]bool, len(g.Nodes))
	for text, from := range p.items("edges", list) {
		var raw rawEdge
		at := p.at(from)
		if !p.decode(text, from, &raw) {
			continue
		}
		u, v := p.end(raw.Source, "sourceId", index, at), p.end(raw.Dest, "destId", index, at)
		if u < 0 || v < 0 {
			continue
		}
		if raw.Cost == nil || *raw.Cost < 0 || *raw.Cost > 1e12 {
			p.problem(at, "an edge with a wrong cost or none", "milliseconds, 0 or more", "")
			continue
		}
		if sends[u] && *raw.Cost != g.Nodes[u].Send {
			p.problem(at, fmt.Sprintf("edges out of node %d cost %g and %g", g.Nodes[u].ID, g.Nodes[u].Send, *raw.Cost), "one cost for all: the output is sent once", "")
			continue
		}
		sends[u], g.Nodes[u].Send = true, *raw.Cost
		g.Edges = append(g.Edges, Edge{From: u, To: v, Cost: *raw.Cost})
	}
}
