// Package opgraph holds operator and layer graphs with costs: what is placed where a
// model is no chain of layers. It reads the JSON form of the dnn-partitioning
// instances (Tarnawski et al., NeurIPS 2020), in which times are milliseconds and
// sizes bytes.
package opgraph

import "partita/inputs"

// Graph is an operator graph and the devices that it is placed on. Plain data; it is
// not changed after reading.
type Graph struct {
	Name  string
	Nodes []Node
	Edges []Edge

	Accelerators     int   // devices with AcceleratorTime, all alike
	CPUs             int   // cores with CPUTime
	AcceleratorBytes int64 // memory of an accelerator; a core has no limit
}

// Node is one operator or layer.
type Node struct {
	ID              int // as in the file; edges of Graph go by index
	Name            string
	OnAccelerator   bool // an accelerator can run it
	CPUTime         float64
	AcceleratorTime float64 // ms; +Inf where OnAccelerator is false and the file gives none
	Bytes           int64
	Send            float64 // ms: c_u, the common cost of the edges out of it; 0 without edges
	Colour          int     // nodes of one class go to one device; NoColour: free
	Backward        bool    // part of the backward pass
	Place           inputs.Place
}

// NoColour marks a node that shares its device with nothing by demand.
const NoColour = -1

// Edge is data that flows from a node to another; From and To index Nodes.
type Edge struct {
	From, To int
	Cost     float64 // ms, equals Nodes[From].Send
}

// Devices is the number of devices: the accelerators, then the cores.
func (g *Graph) Devices() int { return g.Accelerators + g.CPUs }

// IsCPU reports whether a device (0 … Devices()-1) is a core.
func (g *Graph) IsCPU(device int) bool { return device >= g.Accelerators }

// Successors and predecessors of every node, each pair once, by index.
func (g *Graph) Successors() [][]int {
	return g.neighbours(func(e Edge) (int, int) { return e.From, e.To })
}

// Predecessors of every node, each once, by index.
func (g *Graph) Predecessors() [][]int {
	return g.neighbours(func(e Edge) (int, int) { return e.To, e.From })
}

func (g *Graph) neighbours(ends func(Edge) (int, int)) [][]int {
	out := make([][]int, len(g.Nodes))
	for _, e := range g.Edges {
		a, b := ends(e)
		out[a] = append(out[a], b)
	}
	seenBy := make([]int, len(g.Nodes)) // the last node, plus one, whose neighbour it was
	for a, list := range out {
		once := list[:0]
		for _, b := range list {
			if seenBy[b] != a+1 {
				seenBy[b] = a + 1
				once = append(once, b)
			}
		}
		out[a] = once
	}
	return out
}

// Topological returns the nodes in an order in which every edge goes forward, nodes of
// equal standing by index; false where the graph has a cycle.
func (g *Graph) Topological() ([]int, bool) {
	waiting := make([]int, len(g.Nodes))
	next := g.Successors()
	for _, out := range next {
		for _, v := range out {
			waiting[v]++
		}
	}
	var ready heapOfInts
	for v, n := range waiting {
		if n == 0 {
			ready.push(v)
		}
	}
	order := make([]int, 0, len(g.Nodes))
	for len(ready) > 0 {
		v := ready.pop()
		order = append(order, v)
		for _, w := range next[v] {
			if waiting[w]--; waiting[w] == 0 {
				ready.push(w)
			}
		}
	}
	return order, len(order) == len(g.Nodes)
}
