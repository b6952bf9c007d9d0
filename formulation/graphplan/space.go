package graphplan

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"partita/formulation/cost"
	"partita/formulation/ideals"
	"partita/inputs"
)

// space is a condition with its costs.
type space struct {
	c     *inputs.Condition
	graph *inputs.Graph
	costs *cost.GraphCalculator
	hosts []host
}

// host is a machine with the GPUs of each pool on it.
type host struct {
	name string
	gpus [][]string // by pool
}

func newSpace(c *inputs.Condition) (*space, error) {
	costs, err := cost.NewGraph(c)
	if err != nil {
		return nil, err
	}
	s := &space{c: c, graph: c.Model.Graph, costs: costs}
	at := map[string]int{}
	for k := range c.Cluster.Pools {
		p := &c.Cluster.Pools[k]
		if !p.Count.Stated() {
			return nil, fmt.Errorf("pool %q: an operator graph needs a stated number of GPUs", p.Name)
		}
		for _, n := range p.Nodes {
			i, seen := at[n.Host]
			if !seen {
				i = len(s.hosts)
				at[n.Host] = i
				s.hosts = append(s.hosts, host{name: n.Host, gpus: make([][]string, len(c.Cluster.Pools))})
			}
			s.hosts[i].gpus[k] = append(s.hosts[i].gpus[k], n.GPUs...)
		}
	}
	return s, nil
}

// given is the number of GPUs of each pool.
func (s *space) given() []int {
	n := make([]int, len(s.c.Cluster.Pools))
	for k := range n {
		n[k] = s.c.Cluster.Pools[k].Count.Max
	}
	return n
}

// choice is an outer choice: alike replicas with so many GPUs of each pool, each replica in
// one host or sends priced on the network.
type choice struct {
	replicas int
	gpus     []int // of a replica, by pool
	inside   bool
}

// inHosts is how many replicas with these GPUs the hosts hold whole.
func (s *space) inHosts(gpus []int) int {
	total := 0
	for _, h := range s.hosts {
		total += h.holds(gpus)
	}
	return total
}

func (h *host) holds(gpus []int) int {
	n := math.MaxInt
	for k, q := range gpus {
		if q > 0 {
			n = min(n, len(h.gpus[k])/q)
		}
	}
	return n
}

// choices lists the outer choices: the replica counts that divide every pool. A training
// graph has one replica: gradients of several would have to be summed, which nothing here
// prices.
func (s *space) choices() []choice {
	given := s.given()
	most := 0
	for _, n := range given {
		most += n
	}
	if s.graph.Training() {
		most = 1
	}
	if s.c.Goal.AllowIdle {
		return s.idling(given, most)
	}
	return s.dividing(given, most)
}

// idling are the choices where GPUs may stay idle: any number of replicas, each with its
// share of the pools; and replicas inside hosts, with every number of GPUs of a pool that
// some host holds a whole number of times. Any other placement has fewer GPUs than one of
// these, and no more replicas.
func (s *space) idling(given []int, most int) []choice {
	var all []choice
	for r := 1; r <= most; r++ {
		all = append(all, choice{replicas: r, gpus: divided(given, r)})
	}
	vectors := [][]int{{}}
	for k := range given {
		shares := map[int]bool{0: true}
		for i := range s.hosts {
			for d := 1; d <= len(s.hosts[i].gpus[k]); d++ {
				shares[len(s.hosts[i].gpus[k])/d] = true
			}
		}
		var longer [][]int
		for _, v := range vectors {
			for _, q := range slices.Sorted(maps.Keys(shares)) {
				longer = append(longer, append(slices.Clone(v), q))
			}
		}
		vectors = longer
	}
	for _, q := range vectors {
		if slices.Max(q) > 0 {
			all = append(all, choice{replicas: min(most, s.inHosts(q)), gpus: q, inside: true})
		}
	}
	var out []choice
	for i, c := range all {
		beaten := c.replicas < 1 || slices.Max(c.gpus) == 0
		for j, d := range all {
			if beaten {
				break
			}
			same := d.replicas == c.replicas && slices.Equal(d.gpus, c.gpus) && d.inside == c.inside
			beaten = d.covers(c) && (!same || j < i)
		}
		if !beaten {
			out = append(out, c)
		}
	}
	return out
}

// covers reports whether a choice allows all that another one does.
func (c choice) covers(other choice) bool {
	for k := range c.gpus {
		if c.gpus[k] < other.gpus[k] {
			return false
		}
	}
	return c.replicas >= other.replicas && (c.inside || !other.inside)
}

func (s *space) dividing(given []int, most int) []choice {
	var out []choice
	for r := 1; r <= most; r++ {
		if !slices.ContainsFunc(given, func(n int) bool { return n%r != 0 }) {
			q := divided(given, r)
			out = append(out, choice{replicas: r, gpus: q, inside: s.inHosts(q) >= r})
		}
	}
	return out
}

func divided(counts []int, by int) []int {
	out := make([]int, len(counts))
	for k, n := range counts {
		out[k] = n / by
	}
	return out
}

// problem is the placement of one replica under an outer choice. Pools without GPUs in it
// keep their class, so that a class is a pool.
func (s *space) problem(ch choice) *ideals.Problem {
	p := &ideals.Problem{Nodes: make([]ideals.Node, len(s.graph.Nodes)), Edges: make([]ideals.Edge, len(s.graph.Edges))}
	send := make([]float64, len(s.graph.Nodes))
	for v := range s.graph.Nodes {
		n := &s.graph.Nodes[v]
		p.Nodes[v] = ideals.Node{Bytes: n.MemoryBytes, Colour: ideals.NoColour, Backward: n.Backward}
		if n.Colour != nil {
			p.Nodes[v].Colour = *n.Colour
		}
		send[v] = s.costs.SendMS(v, ch.inside)
	}
	for i, e := range s.graph.Edges {
		p.Edges[i] = ideals.Edge{From: e.From, To: e.To}
	}
	for k := range s.c.Cluster.Pools {
		class := ideals.Class{Name: s.c.Cluster.Pools[k].Name, Count: ch.gpus[k], Transfer: send, Bytes: s.costs.Capacity(k), Time: make([]float64, len(s.graph.Nodes))}
		for v := range class.Time {
			class.Time[v] = s.costs.NodeMS(k, v)
		}
		p.Classes = append(p.Classes, class)
	}
	return p
}
