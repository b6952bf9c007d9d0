// Package stagegraph turns a condition into stage graphs: boundaries between
// layers, and for every interval of layers the ways one stage can run it, priced in
// integer ticks. One graph is made for each outer choice (replicas, GPUs of a
// replica, micro-batches, decode groups); the formulas are those of
// docs/cost-model.md, cited as (C1) to (C8).
package stagegraph

import (
	"fmt"
	"slices"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/inputs/knowledge"
)

// Space is what all graphs of one condition share. It caches prices and is not
// safe for concurrent use.
type Space struct {
	Condition *inputs.Condition
	Costs     *cost.Calculator
	pools     []pool
	hosts     []host
	layers    int
	prefix    [][]int // prefix[kind][b] = layers of the kind before boundary b
	classes   classes
	tables    *tables
	work      *work
	// everyShape lists the indices of all shapes of each pool.
	everyShape [][]int
	ruled      ruled
	plain      []string // see PoolName
}

// pool is the part of an inputs.Pool that placement needs.
type pool struct {
	bins   []int // GPUs of each node; empty where the number is unlimited
	node   int   // GPUs of the largest node
	total  int   // 0: unlimited
	shapes []cost.Shape
	// sizes of the groups that shapes need, ascending, and whether groups of these
	// sizes always pack into nodes when their sum does.
	sizes  []int
	chains bool
	// admitted: shapes were added that sizes and chains were not made for.
	admitted bool
}

// host is one machine with its GPUs of each pool.
type host struct {
	name string
	gpus []int
}

// New prices a condition.
func New(c *inputs.Condition) (*Space, error) {
	calc, err := cost.New(c)
	if err != nil {
		return nil, err
	}
	rules, err := knowledge.Compile(c)
	if err != nil {
		return nil, err
	}
	s := &Space{Condition: c, Costs: calc, layers: len(c.Model.Layers), ruled: newRuled(rules, len(c.Cluster.Pools))}
	s.forget()
	if s.layers == 0 {
		return nil, fmt.Errorf("model %q has no layers", c.Model.Name)
	}
	s.prefix = make([][]int, len(c.Model.Kinds))
	for k := range s.prefix {
		s.prefix[k] = make([]int, s.layers+1)
		for l, kind := range c.Model.Layers {
			s.prefix[k][l+1] = s.prefix[k][l]
			if kind == k {
				s.prefix[k][l+1]++
			}
		}
	}
	for i := range c.Cluster.Pools {
		s.pools = append(s.pools, s.newPool(i))
		all := make([]int, len(s.pools[i].shapes))
		for j := range all {
			all[j] = j
		}
		s.everyShape = append(s.everyShape, all)
	}
	s.hosts = s.makeHosts()
	s.makeClasses()
	s.ruled.candidates(s)
	return s, s.ruled.rules.Err()
}

// Layers is the number of layers of the model.
func (s *Space) Layers() int { return s.layers }

// Pools is the number of device pools.
func (s *Space) Pools() int { return len(s.pools) }

// LargestGroup is the largest number of GPUs that one stage can have in a pool.
func (s *Space) LargestGroup(pool int) int {
	if n := len(s.pools[pool].sizes); n > 0 {
		return s.pools[pool].sizes[n-1]
	}
	return 0
}

// Sequences is B_r = ⌈B/r⌉.
func (s *Space) Sequences(replicas int) int {
	return ceilDiv(s.Condition.Workload.Batch, replicas)
}

func (s *Space) newPool(k int) pool {
	c, p := s.Condition, &s.Condition.Cluster.Pools[k]
	out := pool{node: max(1, p.GPUsPerNode), total: p.Count.Max}
	for _, n := range p.Nodes {
		out.bins = append(out.bins, len(n.GPUs))
	}
	for left := out.total; len(p.Nodes) == 0 && left > 0; left -= out.node {
		out.bins = append(out.bins, min(left, out.node))
	}
	if len(p.Nodes) > 0 {
		out.node = slices.Max(out.bins)
	}
	out.shapes = s.ruled.shapes(k, shapesOf(c, &out))
	for _, sh := range out.shapes {
		out.sizes = append(out.sizes, sh.GPUs())
	}
	slices.Sort(out.sizes)
	out.sizes = slices.Compact(out.sizes)
	out.chains = chains(out.sizes, out.bins, out.node)
	if !out.chains {
		// Groups over whole nodes would need bins of their own; within a packed pool
		// every group stays inside a node.
		out.shapes = slices.DeleteFunc(out.shapes, func(sh cost.Shape) bool { return sh.GPUs() > out.node })
		out.sizes = slices.DeleteFunc(out.sizes, func(q int) bool { return q > out.node })
	}
	return out
}

// chains reports whether any groups of these sizes pack into the nodes whenever
// their sum does: one node, or equal nodes and sizes that divide one another, the
// largest within a node dividing it. Without an end to the nodes all groups pack.
func chains(sizes, bins []int, node int) bool {
	if len(bins) <= 1 {
		return true
	}
	for _, b := range bins {
		if b != node {
			return false
		}
	}
	for i, q := range sizes {
		if q > node {
			if q%node != 0 {
				return false
			}
			continue
		}
		next := node
		if i+1 < len(sizes) && sizes[i+1] <= node {
			next = sizes[i+1]
		}
		if next%q != 0 || node%q != 0 {
			return false
		}
	}
	return true
}

// makeHosts lists the machines: those named, and the nodes of a range of GPUs. Nodes
// of an unlimited number have no end and are not listed.
func (s *Space) makeHosts() []host {
	var out []host
	index := map[string]int{}
	add := func(k int, name string, gpus int) {
		i, ok := index[name]
		if !ok {
			i = len(out)
			index[name] = i
			out = append(out, host{name: name, gpus: make([]int, len(s.pools))})
		}
		out[i].gpus[k] += gpus
	}
	for k := range s.pools {
		p := &s.Condition.Cluster.Pools[k]
		for _, n := range p.Nodes {
			add(k, n.Host, len(n.GPUs))
		}
		for i := 0; len(p.Nodes) == 0 && i < len(s.pools[k].bins); i++ {
			add(k, fmt.Sprintf("\x00%d/%d", k, i), s.pools[k].bins[i]) // a name no input can have
		}
	}
	return out
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
