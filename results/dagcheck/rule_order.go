package dagcheck

import (
	"fmt"
	"slices"
	"strings"
)

func checkAcyclic(c *check) {
	c.applied = len(c.nodes)
	waits := make([]int32, len(c.nodes)) // edges from nodes that are not in order yet
	var ready []int32
	for i := range c.nodes {
		if waits[i] = int32(len(c.in(int32(i)))); waits[i] == 0 {
			ready = append(ready, int32(i))
		}
	}
	ordered := 0
	for len(ready) > 0 {
		n := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		ordered++
		for _, e := range c.out(n) {
			to := c.edges[e].to
			if waits[to]--; waits[to] == 0 {
				ready = append(ready, to)
			}
		}
	}
	if ordered == len(c.nodes) {
		return
	}
	cycle := c.cycle(waits)
	last := c.edges[cycle[len(cycle)-1]]
	var way []string
	for _, e := range cycle {
		if way = append(way, c.describe(c.edges[e].from)); len(way) == 6 && len(cycle) > 6 {
			way = append(way, "…")
			break
		}
	}
	c.wrong(last.at, "a cycle of %d edges: %s, and back; expected none (%d nodes lie on or behind cycles)", len(cycle), strings.Join(way, " → "), len(c.nodes)-ordered)
}

// cycle is a way back as edges, found by going backward from a node that waits: it always
// waits for another one.
func (c *check) cycle(waits []int32) []int32 {
	n := int32(slices.IndexFunc(waits, func(w int32) bool { return w > 0 }))
	step := map[int32]int{}
	var back []int32
	for {
		if at, seen := step[n]; seen {
			slices.Reverse(back[at:])
			return back[at:]
		}
		step[n] = len(back)
		for _, e := range c.in(n) {
			if waits[c.edges[e].from] > 0 {
				back = append(back, e)
				n = c.edges[e].from
				break
			}
		}
	}
}

func checkEnds(c *check) {
	// Graphs of other writers may not say which nodes are their ends.
	known := slices.ContainsFunc(c.nodes, func(n node) bool { return n.op == opInput })
	var ins, outs []int32
	c.all(nil, func(n int32) {
		before, after, o := len(c.in(n)), len(c.out(n)), c.op(n)
		switch {
		case before == 0 && after == 0:
			c.wrongNode(n, "stands alone; expected edges to it and from it")
			return
		case o == opInput && before > 0:
			c.wrongNode(n, "is an input and has an edge to it; expected none")
		case o == opOutput && after > 0:
			c.wrongNode(n, "is an output and has an edge from it; expected none")
		case before == 0 && o != opInput && known:
			c.wrongNode(n, "has nothing before it; expected that of the input only")
		case after == 0 && o != opOutput && known:
			c.wrongNode(n, "has nothing after it; expected that of the output only")
		}
		if before == 0 && (o == opInput || !known) {
			ins = append(ins, n)
		}
		if after == 0 && (o == opOutput || !known) {
			outs = append(outs, n)
		}
	})
	c.one(ins, opInput, "nothing before it")
	c.one(outs, opOutput, "nothing after it")
}

// one checks that a graph has one end of a kind.
func (c *check) one(ends []int32, o op, what string) {
	switch {
	case len(c.nodes) == 0:
	case len(ends) == 0:
		c.wrong(c.at, "no node is the %s; expected one node with %s", o, what)
	case len(ends) > 1:
		c.wrongNode(ends[1], "is a second %s, after %s; expected one", o, c.place(ends[0]))
	}
}

func checkKV(c *check) {
	if c.phaseName() == "training" {
		c.unchecked = "training keeps no KV"
		return
	}
	seen := map[int32]int32{} // node → read that last came past it
	c.all(func(n int32) bool { return c.op(n) == opKVRead }, func(n int32) {
		if !c.written(n, seen) {
			c.wrongNode(n, "reads KV that was not written; expected a kv_write of %s before it", c.home(n))
		}
	})
	writes := 0
	for i := range c.nodes {
		if c.nodes[i].op == opKVWrite {
			writes++
		}
	}
	if c.applied == 0 {
		c.unchecked = fmt.Sprintf("no kv_read (and %d kv_write)", writes)
	}
}

// home says where a node is, in a message.
func (c *check) home(n int32) string {
	where := "the same GPU"
	if in := c.cluster(n); in != none {
		where = clip(c.clusters[in].name)
	}
	if l := c.nodes[n].layer; l != none {
		where += fmt.Sprintf(" in layer %d", l)
	}
	return where
}

// written looks for the write of the same GPU and layer on the ways that lead to a read,
// as far as they stay in the layer.
func (c *check) written(read int32, seen map[int32]int32) bool {
	layer, home := c.nodes[read].layer, c.cluster(read)
	open := []int32{read}
	for len(open) > 0 {
		n := open[len(open)-1]
		open = open[:len(open)-1]
		for _, e := range c.in(n) {
			from := c.edges[e].from
			if last, ok := seen[from]; c.nodes[from].layer != layer || ok && last == read {
				continue
			}
			seen[from] = read
			if c.op(from) == opKVWrite && c.cluster(from) == home {
				return true
			}
			open = append(open, from)
		}
	}
	return false
}
