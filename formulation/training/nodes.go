package training

import "partita/inputs"

// nodesOf are the GPUs of a pool by node, as many nodes as so many GPUs take.
func nodesOf(p *inputs.Pool, gpus int) []int {
	var out []int
	for i := range p.Nodes {
		out = append(out, len(p.Nodes[i].GPUs))
	}
	if len(out) == 0 {
		each := max(1, p.GPUsPerNode)
		for ; gpus > 0; gpus -= each {
			out = append(out, each)
		}
	}
	return out
}

// packs reports whether so many GPUs of a pool can be had in tensor groups of tp, each
// inside a node.
func (x *space) packs(pool, gpus, tp int) bool {
	if gpus == 0 {
		return true
	}
	room := 0
	for _, n := range nodesOf(&x.c.Cluster.Pools[pool], gpus) {
		room += n / tp * tp
	}
	return room >= gpus
}

// berth is where a pipeline rank lies: its first and its last GPU, by the node, and on how
// many nodes.
type berth struct{ first, last, nodes int }

// berthsOf lays ranks of a pool on its nodes one after the other, of each node as many GPUs
// as make whole tensor groups. GPUs that the nodes have no room for lie apart.
func berthsOf(p *inputs.Pool, ranks, rankGPUs, tp int) []berth {
	nodes := nodesOf(p, ranks*rankGPUs)
	node, end, taken := -1, 0, 0 // taken counts nodes that have room for a group
	of := func(gpu int) int {
		for gpu >= end {
			room := 1
			if node++; node < len(nodes) {
				room = nodes[node] / tp * tp
			}
			if end += room; room > 0 {
				taken++
			}
		}
		return node
	}
	out := make([]berth, ranks)
	for i := range out {
		out[i].first = of(i * rankGPUs)
		before := taken - 1
		out[i].last = of((i+1)*rankGPUs - 1)
		out[i].nodes = taken - before
	}
	return out
}

// together reports whether the ranks at two positions of a pool, the first one before the
// last one, are on one node.
func together(of []berth, first, last int) bool { return of[first].first == of[last].last }

// hosts tells which ranks of a layout share a node.
type hosts struct {
	l        *Layout
	berths   [][]berth // by pool
	position []int     // of each rank among those of its pool
}

func hostsOf(c *inputs.Condition, l *Layout) *hosts {
	h := &hosts{l: l, position: make([]int, l.PP())}
	used := make([]int, len(c.Cluster.Pools))
	for i := range h.position {
		k := l.Stages[i].Pool
		h.position[i] = used[k]
		used[k]++
	}
	for k := range used {
		h.berths = append(h.berths, berthsOf(&c.Cluster.Pools[k], used[k], l.TP*l.CP*l.DP, l.TP))
	}
	return h
}

func (h *hosts) share(a, b int) bool {
	pool := h.l.Stages[a].Pool
	first, last := min(h.position[a], h.position[b]), max(h.position[a], h.position[b])
	return pool == h.l.Stages[b].Pool && together(h.berths[pool], first, last)
}
