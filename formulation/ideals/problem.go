package ideals

import (
	"fmt"
	"math"

	"partita/inputs/opgraph"
)

// Unlimited is the memory of a class of devices without a limit.
const Unlimited = int64(math.MaxInt64)

// NoColour marks a node that shares its device with nothing by demand.
const NoColour = opgraph.NoColour

// Problem is an operator graph and the classes of devices that it is placed on. Plain
// data that Solve does not change. All times are milliseconds.
type Problem struct {
	Nodes   []Node
	Edges   []Edge // duplicates count once
	Classes []Class
}

// Node is what is the same on every device.
type Node struct {
	Bytes    int64 // memory that it takes on its device
	Colour   int   // nodes of one colour (0 or more) go to one device; NoColour: free
	Backward bool  // of the backward pass: it follows its colour, and stages need not be contiguous in it
}

// Edge is an output's way to a consumer, by index of Nodes. Every output goes once to
// each device that has consumers of it, whatever their number.
type Edge struct{ From, To int }

// Class is a number of devices that are alike: GPUs of one kind, groups of GPUs that
// work as one, cores.
type Class struct {
	Name  string
	Count int
	// Time of every node on a device of the class; +Inf where it cannot run there.
	Time []float64
	// Transfer of every node: what sending its output, or receiving it, takes a device
	// of the class. nil: transfers cost the class nothing. A node without consumers on
	// other devices is not charged.
	Transfer []float64
	// Bytes of memory of a device; Unlimited where it has no limit.
	Bytes int64
}

// What a problem may have at most, so that sums of it can be counted exactly.
const (
	mostClasses = 60
	mostBytes   = int64(1) << 61
	mostTime    = 1e300
)

// Validate says what is wrong with a problem: lengths, indices, numbers that are
// negative, none, or too large to be added up.
func (p *Problem) Validate() error {
	if len(p.Nodes) == 0 {
		return fmt.Errorf("ideals: no nodes")
	}
	for i, e := range p.Edges {
		if e.From < 0 || e.From >= len(p.Nodes) || e.To < 0 || e.To >= len(p.Nodes) {
			return fmt.Errorf("ideals: edge %d: %d → %d of %d nodes", i, e.From, e.To, len(p.Nodes))
		}
	}
	if len(p.Classes) > mostClasses {
		return fmt.Errorf("ideals: %d classes of devices, at most %d", len(p.Classes), mostClasses)
	}
	left := mostBytes
	for v, n := range p.Nodes {
		if n.Bytes < 0 || n.Colour < NoColour {
			return fmt.Errorf("ideals: node %d: %d bytes, colour %d", v, n.Bytes, n.Colour)
		}
		if left -= n.Bytes; left < 0 {
			return fmt.Errorf("ideals: node %d: more than %d bytes in all", v, mostBytes)
		}
	}
	for i := range p.Classes {
		if err := p.Classes[i].validate(len(p.Nodes)); err != nil {
			return fmt.Errorf("ideals: class %d %q: %w", i, p.Classes[i].Name, err)
		}
	}
	return nil
}

func (c *Class) validate(nodes int) error {
	switch {
	case c.Count < 0:
		return fmt.Errorf("%d devices", c.Count)
	case c.Bytes < 0:
		return fmt.Errorf("%d bytes of memory", c.Bytes)
	case len(c.Time) != nodes:
		return fmt.Errorf("times of %d nodes, want %d", len(c.Time), nodes)
	case c.Transfer != nil && len(c.Transfer) != nodes:
		return fmt.Errorf("transfers of %d nodes, want %d", len(c.Transfer), nodes)
	}
	for v, t := range c.Time {
		if !(t >= 0) || t > mostTime && !math.IsInf(t, 1) {
			return fmt.Errorf("node %d: time %g", v, t)
		}
	}
	for v, t := range c.Transfer {
		if !(t >= 0) || t > mostTime {
			return fmt.Errorf("node %d: transfer %g", v, t)
		}
	}
	return nil
}

// Classes of a graph of the dnn-partitioning form, in this order.
const (
	accelerators = 0
	cores        = 1
)

// FromGraph is the problem of a graph: its accelerators are the first class, its cores,
// which transfers cost nothing, the second.
func FromGraph(g *opgraph.Graph) *Problem {
	p := &Problem{Nodes: make([]Node, len(g.Nodes)), Edges: make([]Edge, len(g.Edges))}
	a := Class{Name: "accelerator", Count: g.Accelerators, Bytes: g.AcceleratorBytes,
		Time: make([]float64, len(g.Nodes)), Transfer: make([]float64, len(g.Nodes))}
	c := Class{Name: "core", Count: g.CPUs, Bytes: Unlimited, Time: make([]float64, len(g.Nodes))}
	for v, n := range g.Nodes {
		p.Nodes[v] = Node{Bytes: n.Bytes, Colour: n.Colour, Backward: n.Backward}
		a.Time[v], a.Transfer[v], c.Time[v] = n.AcceleratorTime, n.Send, n.CPUTime
		if !n.OnAccelerator {
			a.Time[v] = math.Inf(1)
		}
	}
	for i, e := range g.Edges {
		p.Edges[i] = Edge{From: e.From, To: e.To}
	}
	p.Classes = []Class{accelerators: a, cores: c}
	return p
}
