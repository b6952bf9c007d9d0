package makespan

import (
	"context"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"partita/inputs/opgraph"
)

// drawn is a small graph for the parts of the search: every node with work and a
// transfer, so that all are items, some of them in classes.
func drawn(t *rapid.T, most int) *opgraph.Graph {
	g := &opgraph.Graph{Accelerators: 2, CPUs: 1, AcceleratorBytes: rapid.Int64Range(3, 12).Draw(t, "memory")}
	for v := range rapid.IntRange(1, most).Draw(t, "nodes") {
		g.Nodes = append(g.Nodes, opgraph.Node{
			ID: v, OnAccelerator: rapid.IntRange(0, 7).Draw(t, "able") > 0, Bytes: rapid.Int64Range(0, 3).Draw(t, "bytes"),
			CPUTime: float64(rapid.IntRange(1, 9).Draw(t, "cpu")), AcceleratorTime: float64(rapid.IntRange(0, 3).Draw(t, "acc")),
			Send: float64(rapid.IntRange(1, 4).Draw(t, "send")), Colour: rapid.IntRange(-4, 1).Draw(t, "class"),
		})
		if g.Nodes[v].Colour < 0 {
			g.Nodes[v].Colour = opgraph.NoColour
		}
		for u := range v {
			if rapid.IntRange(0, 2).Draw(t, "edge") == 0 {
				g.Edges = append(g.Edges, opgraph.Edge{From: u, To: v, Cost: g.Nodes[u].Send})
			}
		}
	}
	return g
}

func TestLatticeHasAllIdeals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawn(t, 8)
		p := reduce(g, indices(len(g.Nodes)))
		closed := 0
		for subset := range 1 << len(p.items) {
			ok := true
			for i, it := range p.items {
				for _, j := range it.pred {
					ok = ok && (subset>>i&1 == 0 || subset>>j&1 != 0)
				}
			}
			if ok {
				closed++
			}
		}
		l := p.ideals(context.Background(), 1<<10)
		if l.size() != closed {
			t.Fatalf("%d ideals, want %d", l.size(), closed)
		}
		for at := range l.size() {
			checkIdeal(t, p, l, at)
		}
		if c := p.chain(context.Background(), indices(len(p.items))); c.size() != len(p.items)+1 || len(c.frontier[c.size()-1]) > 0 {
			t.Fatalf("a chain of %d ideals for %d items", c.size(), len(p.items))
		}
	})
}

// checkIdeal holds what a lattice says of an ideal against the items on a way to it.
func checkIdeal(t *rapid.T, p *problem, l *lattice, at int) {
	in := map[int]bool{}
	for _, i := range l.way(0, int32(at)) {
		in[i] = true
	}
	var frontier []int32
	crossing := 0
	for v := range p.itemOf {
		out := 0
		for _, w := range p.succ[v] {
			if p.itemOf[v] >= 0 && in[p.itemOf[v]] && !in[p.itemOf[w]] {
				out++
			}
		}
		if crossing += out; out > 0 {
			frontier = append(frontier, int32(v))
		}
	}
	if !slices.Equal(frontier, l.frontier[at]) || crossing != len(l.crosses[at]) {
		t.Fatalf("ideal %v: frontier %v and %d edges, want %v and %d", in, l.frontier[at], len(l.crosses[at]), frontier, crossing)
	}
	for c, items := range p.classes {
		part := slices.ContainsFunc(items, func(i int) bool { return in[i] }) && slices.ContainsFunc(items, func(i int) bool { return !in[i] })
		if part != slices.Contains(l.begun[at], int32(c)) {
			t.Fatalf("ideal %v: class %d begun: %v, want %v", in, c, !part, part)
		}
	}
}

// No block that meets a path in an interval is shorter than what is said of the interval,
// and where nothing is said of one there is no block.
func TestIntervalsBoundBlocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawn(t, 8)
		order := indices(len(g.Nodes))
		p := reduce(g, order)
		c := newClosures(p, order)
		path := p.longestPath(p.nodesInOrder(), func(v int) float64 { return p.cpu[v] })
		least := map[[2]int]float64{}
		for i := range path {
			c.intervals(context.Background(), path, i, func(j int, length float64) { least[[2]int{i, j}] = length })
		}
		for subset := 1; subset < 1<<len(g.Nodes); subset++ {
			first, last := -1, -1
			for i, v := range path {
				if subset>>v&1 != 0 {
					if last = i; first < 0 {
						first = i
					}
				}
			}
			if length, ok := blockOf(g, subset); ok && first >= 0 {
				bound, said := least[[2]int{first, last}]
				if !said || bound > length+1e-9 {
					t.Fatalf("block %b takes %g; path %v from %d to %d: %g, %v", subset, length, path, first, last, bound, said)
				}
			}
		}
	})
}

// blockOf is the length of a block by definition; false where it is none: a class in part,
// too many bytes, nodes that cannot be there, or a way out of it and back.
func blockOf(g *opgraph.Graph, subset int) (float64, bool) {
	in := func(v int) bool { return subset>>v&1 != 0 }
	length, bytes, crosses := 0.0, int64(0), map[int]bool{}
	for v, n := range g.Nodes {
		if in(v) {
			length += n.AcceleratorTime
			if bytes += n.Bytes; bytes > g.AcceleratorBytes || !n.OnAccelerator {
				return 0, false
			}
		}
		for w, m := range g.Nodes {
			if n.Colour != opgraph.NoColour && n.Colour == m.Colour && in(v) != in(w) {
				return 0, false
			}
		}
	}
	after := make([]bool, len(g.Nodes)) // outside, and depends on the block
	for v := range g.Nodes {            // edges lead from lower to higher
		for _, e := range g.Edges {
			if e.To != v {
				continue
			}
			if in(v) != in(e.From) {
				crosses[e.From] = true
			}
			if in(v) && after[e.From] {
				return 0, false
			}
			after[v] = after[v] || !in(v) && (in(e.From) || after[e.From])
		}
	}
	for u := range crosses {
		length += g.Nodes[u].Send
	}
	return length, true
}

// A node's tail is no more than the least that any plan needs from it on: at the first
// node of a chain that is the whole plan.
func TestTailsOfAChain(t *testing.T) {
	g := &opgraph.Graph{Accelerators: 2, CPUs: 1, AcceleratorBytes: 2}
	for v := range 5 {
		g.Nodes = append(g.Nodes, opgraph.Node{ID: v, OnAccelerator: true, Bytes: 1, CPUTime: 10, AcceleratorTime: 1, Send: 1, Colour: opgraph.NoColour})
		if v > 0 {
			g.Edges = append(g.Edges, opgraph.Edge{From: v - 1, To: v, Cost: 1})
		}
	}
	g.Nodes[4].Send = 0
	// 50 on the CPU. One block of two at an end: 2 + 1, and 30. Two: 3 + 10 + 3 around a node, or
	// side by side 2 + 1, 1 + 2 + 1, and 10 at an end, which is dearer.
	for a, want := range []float64{50, 33, 16} {
		if got := boundsOf(reduce(g, indices(5)))[a]; math.Abs(got-want) > 1e-9 {
			t.Errorf("%d accelerators: %g, want %g", a, got, want)
		}
	}
}
