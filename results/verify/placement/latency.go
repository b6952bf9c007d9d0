package placement

import (
	"errors"
	"fmt"
	"math"

	"partita/inputs/opgraph"
	"partita/results"
)

// Latency is the time in ms after which one sample is through a graph placed by a
// solution. The nodes of an accelerator run as a block, which begins when everything
// outside that its nodes read has ended, takes their work and the transfers that cross
// into it or out of it, each output once each way, and ends as a whole. A node on a core
// begins when everything that it reads has ended; there is a core for each. The error
// lists every rule of the instance that the solution breaks.
func Latency(g *opgraph.Graph, s *results.PlacedSolution) (float64, error) {
	device, err := nodesOf(g, s, true)
	if err != nil {
		return 0, err
	}
	c := clock{g: g, device: device, end: make([]float64, len(g.Nodes)), reads: make([][]int, len(g.Nodes)), members: map[int][]int{}}
	for v := range c.end {
		c.end[v] = math.NaN()
		if device[v] >= 0 {
			c.members[device[v]] = append(c.members[device[v]], v)
		}
	}
	for _, e := range g.Edges {
		c.reads[e.To] = append(c.reads[e.To], e.From)
	}
	last := 0.0
	for v := range g.Nodes {
		end, err := c.ended(v)
		if err != nil {
			return 0, err
		}
		last = max(last, end)
	}
	return last, c.loads(s)
}

// clock finds when nodes end by asking for what each waits for.
type clock struct {
	g       *opgraph.Graph
	device  []int
	end     []float64 // ms; NaN: not known yet, -Inf: being asked for
	reads   [][]int   // by node: where its inputs come from
	members map[int][]int
}

// ended is when a node ends.
func (c *clock) ended(v int) (float64, error) {
	if math.IsInf(c.end[v], -1) {
		return 0, fmt.Errorf("node %d waits for itself: blocks wait for each other in a circle", c.g.Nodes[v].ID)
	}
	if !math.IsNaN(c.end[v]) {
		return c.end[v], nil
	}
	together, took := []int{v}, c.g.Nodes[v].CPUTime
	if c.device[v] >= 0 {
		together, took = c.members[c.device[v]], c.block(c.device[v])
	}
	for _, w := range together {
		c.end[w] = math.Inf(-1)
	}
	begin := 0.0
	for _, w := range together {
		for _, u := range c.reads[w] {
			if c.device[w] >= 0 && c.device[u] == c.device[w] {
				continue
			}
			end, err := c.ended(u)
			if err != nil {
				return 0, err
			}
			begin = max(begin, end)
		}
	}
	for _, w := range together {
		c.end[w] = begin + took
	}
	return begin + took, nil
}

// block is how long the block of an accelerator takes.
func (c *clock) block(d int) float64 {
	took := 0.0
	for _, v := range c.members[d] {
		took += c.g.Nodes[v].AcceleratorTime
	}
	crosses := map[int]bool{} // outputs that go in or out, once each: none does both
	for _, e := range c.g.Edges {
		if (c.device[e.From] == d) != (c.device[e.To] == d) && !crosses[e.From] {
			crosses[e.From] = true
			took += e.Cost
		}
	}
	return took
}

// loads checks what the solution says of its accelerators.
func (c *clock) loads(s *results.PlacedSolution) error {
	var broken []error
	for _, d := range s.Devices {
		number, onCPU, err := deviceNumber(c.g, d.Device)
		if err != nil || onCPU {
			continue
		}
		if took := c.block(number); math.Abs(took-d.LoadMS) > tolerance*math.Max(1, took) {
			broken = append(broken, fmt.Errorf("%s: its block takes %v ms, the solution says %v", d.Device, took, d.LoadMS))
		}
	}
	return errors.Join(broken...)
}
