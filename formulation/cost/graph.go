package cost

import (
	"errors"
	"fmt"
	"math"

	"partita/inputs"
)

// GraphCalculator prices the nodes of an operator graph on each pool of a condition. It
// is not changed after NewGraph.
type GraphCalculator struct {
	graph    *inputs.Graph
	names    []string // accelerator of each pool
	devices  []device
	traffic  []float64   // bytes of each node
	sends    [2]sendLink // across nodes, inside a host: the slowest of the pools
	warnings []string
}

// NewGraph resolves efficiencies, number formats and links of each pool, as New does for
// a model of layers.
func NewGraph(c *inputs.Condition) (*GraphCalculator, error) {
	if c == nil || c.Model.Graph == nil || len(c.Model.Graph.Nodes) == 0 {
		return nil, errors.New("cost: no operator graph given")
	}
	if len(c.Cluster.Pools) == 0 {
		return nil, errors.New("cost: cluster: no pool of GPUs; state at least one accelerator")
	}
	g := &GraphCalculator{graph: c.Model.Graph}
	var problems []error
	for i := range c.Cluster.Pools {
		p := &c.Cluster.Pools[i]
		d, warnings, err := newDevice(&c.Cluster, p, &c.Model, "")
		if err != nil {
			problems = append(problems, err)
			continue
		}
		g.devices, g.names = append(g.devices, d), append(g.names, p.Accelerator.Name)
		g.warnings = append(g.warnings, warnings...)
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("cost: %w", errors.Join(problems...))
	}
	for i := range g.devices {
		for k, w := range []*wire{g.devices[i].network, g.devices[i].node} {
			g.sends[k].latency = math.Max(g.sends[k].latency, w.sendLatency)
			g.sends[k].perByte = math.Max(g.sends[k].perByte, w.sendPerByte)
		}
	}
	g.traffic = trafficOf(g.graph)
	return g, nil
}

// Warnings lists, in the order of the pools, what differs from the stated formats and links.
func (g *GraphCalculator) Warnings() []string { return append([]string(nil), g.warnings...) }

// trafficOf is what each node reads and writes: as stated, else its weights, its output
// and the outputs it takes, each once.
func trafficOf(g *inputs.Graph) []float64 {
	out := make([]float64, len(g.Nodes))
	for v := range g.Nodes {
		n := &g.Nodes[v]
		out[v] = float64(n.WeightBytes)
		if n.OutputBytes != nil {
			out[v] += *n.OutputBytes
		}
	}
	seen := make(map[inputs.GraphEdge]bool, len(g.Edges))
	for _, e := range g.Edges {
		if b := g.Nodes[e.From].OutputBytes; b != nil && !seen[e] {
			seen[e] = true
			out[e.To] += *b
		}
	}
	for v := range g.Nodes {
		if b := g.Nodes[v].TrafficBytes; b != nil {
			out[v] = *b
		}
	}
	return out
}

// NodeMS is the time of a node on a GPU of a pool, in ms: measured on this accelerator;
// else by its work,
//
//	t = kernels · t0 + max(flops/(ηf F), bytes/(ηb B))                           (G1)
//
// with the constants of weight products (O1); else the one time that the file has. NaN
// where there is none of them.
func (g *GraphCalculator) NodeMS(pool, node int) float64 {
	n := &g.graph.Nodes[node]
	if t, measured := n.TimesMS[g.names[pool]]; measured {
		return t
	}
	if n.FLOPs != nil {
		r := &g.devices[pool].matmul
		return 1e3 * (float64(n.Kernels)*r.floor + math.Max(*n.FLOPs*r.secondsPerFLOP, g.traffic[node]*r.secondsPerByte))
	}
	if n.TimeMS != nil {
		return *n.TimeMS
	}
	return math.NaN()
}

// SendMS is what sending the output of a node, or receiving it, takes a GPU, in ms: as
// stated, else
//
//	p2p = α + bytes/(η W)                                                        (G2)
//
// over the network, or inside a host where a whole replica lies in one; of unlike pools
// the slowest α and η W.
func (g *GraphCalculator) SendMS(node int, inside bool) float64 {
	n := &g.graph.Nodes[node]
	if n.OutputBytes == nil {
		return n.SendMS
	}
	if *n.OutputBytes == 0 {
		return 0 // nothing to send but the order of things
	}
	l := g.sends[0]
	if inside {
		l = g.sends[1]
	}
	return 1e3 * (l.latency + *n.OutputBytes*l.perByte)
}

// Capacity is what nodes may fill of a GPU of a pool, in bytes: its usable memory without
// the runtime's reserve.
func (g *GraphCalculator) Capacity(pool int) int64 {
	return max(0, g.devices[pool].memory.capacity-graphReserve)
}

// Reserve is what a plan leaves to the runtime on each GPU, in bytes.
func (g *GraphCalculator) Reserve() int64 { return graphReserve }

// OwnConstants reports whether a figure rests on constants of this package: not where the
// file has every time, or the condition the utilisation of every pool.
func (g *GraphCalculator) OwnConstants() bool {
	for k := range g.devices {
		if g.devices[k].complete {
			continue
		}
		for v := range g.graph.Nodes {
			n := &g.graph.Nodes[v]
			_, measured := n.TimesMS[g.names[k]]
			if !measured && n.FLOPs != nil || n.OutputBytes != nil && *n.OutputBytes > 0 {
				return true
			}
		}
	}
	return false
}
