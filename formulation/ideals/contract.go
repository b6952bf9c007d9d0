package ideals

import (
	"sort"

	"gonum.org/v1/gonum/graph/simple"
	"gonum.org/v1/gonum/graph/topo"
)

// zeroTime in ms: a node that takes less on every device that runs it is given to its
// only neighbour.
const zeroTime = 1e-6

// contraction is the graph of super-nodes: sets of nodes that every contiguous
// placement keeps together, in an order in which the edges of the forward pass go
// forward.
type contraction struct {
	members [][]int // by super-node, ascending
	of      []int   // super-node by node
	preds   [][]int // forward order between super-nodes, each once, ascending
}

// contract joins what belongs together: the nodes of a colour, the strongly connected
// parts of the forward order between colours, and forward nodes without time that have
// one neighbour only.
//
// The forward order asks contiguity of forward nodes alone. A colour without forward
// nodes is given one without cost, and a backward edge a → b that touches such a colour
// asks that of b to come before that of a.
func contract(p *Problem) *contraction {
	group := colourGroups(p)
	order := forwardOrder(p, group)
	group, order = fuse(group, order)
	group, order = absorb(p, group, order)
	return inOrder(group, order)
}

// arcs are pairs of groups, each once.
type arcs map[[2]int]bool

func groups(group []int) int {
	n := 0
	for _, g := range group {
		n = max(n, g+1)
	}
	return n
}

// colourGroups numbers the colours and the nodes without one.
func colourGroups(p *Problem) []int {
	group := make([]int, len(p.Nodes))
	byColour := map[int]int{}
	n := 0
	for v, node := range p.Nodes {
		g, known := byColour[node.Colour]
		if !known || node.Colour == NoColour {
			g = n
			n++
			byColour[node.Colour] = g
		}
		group[v] = g
	}
	return group
}

func forwardOrder(p *Problem, group []int) arcs {
	forward := make([]bool, groups(group))
	for v, node := range p.Nodes {
		if !node.Backward {
			forward[group[v]] = true
		}
	}
	order := arcs{}
	for _, e := range p.Edges {
		a, b := group[e.From], group[e.To]
		switch from, to := p.Nodes[e.From].Backward, p.Nodes[e.To].Backward; {
		case a == b:
		case !from && !to:
			order[[2]int{a, b}] = true
		case from && to && !(forward[a] && forward[b]):
			order[[2]int{b, a}] = true
		}
	}
	return order
}

// fuse makes one group of every strongly connected set of groups.
func fuse(group []int, order arcs) ([]int, arcs) {
	n := groups(group)
	g := simple.NewDirectedGraph()
	for v := range n {
		g.AddNode(simple.Node(v))
	}
	for a := range order {
		g.SetEdge(simple.Edge{F: simple.Node(a[0]), T: simple.Node(a[1])})
	}
	to := make([]int, n)
	for c, set := range topo.TarjanSCC(g) {
		for _, v := range set {
			to[v.ID()] = c
		}
	}
	return renumber(group, order, to)
}

// renumber maps groups to the numbers that to gives them.
func renumber(group []int, order arcs, to []int) ([]int, arcs) {
	out := make([]int, len(group))
	for v, g := range group {
		out[v] = to[g]
	}
	next := make(arcs, len(order))
	for a := range order {
		if from, into := to[a[0]], to[a[1]]; from != into {
			next[[2]int{from, into}] = true
		}
	}
	return out, next
}

// absorb gives every group without time to its only neighbour in the forward order,
// until none is left; groups with a neighbour in the backward pass stay.
func absorb(p *Problem, group []int, order arcs) ([]int, arcs) {
	n := groups(group)
	idle := make([]bool, n)
	for g := range idle {
		idle[g] = true
	}
	for v := range p.Nodes {
		for c := range p.Classes {
			idle[group[v]] = idle[group[v]] && !(p.Classes[c].Time[v] >= zeroTime)
		}
	}
	for _, e := range p.Edges {
		if p.Nodes[e.From].Backward != p.Nodes[e.To].Backward {
			idle[group[e.From]], idle[group[e.To]] = false, false
		}
	}
	next := make([]map[int]bool, n)
	for g := range next {
		next[g] = map[int]bool{}
	}
	for a := range order {
		next[a[0]][a[1]], next[a[1]][a[0]] = true, true
	}
	to := make([]int, n)
	var ready []int
	for g := range to {
		to[g] = g
		if idle[g] && len(next[g]) == 1 {
			ready = append(ready, g)
		}
	}
	for len(ready) > 0 {
		g := ready[0]
		ready = ready[1:]
		for into := range next[g] { // one, or none where it was the other end's
			to[g] = into
			next[g] = nil
			delete(next[into], g)
			if idle[into] && len(next[into]) == 1 {
				ready = append(ready, into)
			}
		}
	}
	for g := range to {
		for to[to[g]] != to[g] {
			to[g] = to[to[g]]
		}
	}
	return renumber(group, order, to)
}

// inOrder numbers the groups by the forward order, groups of equal standing by their
// first node.
func inOrder(group []int, order arcs) *contraction {
	members := make([][]int, groups(group))
	for v, g := range group {
		members[g] = append(members[g], v)
	}
	next, waiting := make([][]int, len(members)), make([]int, len(members))
	for a := range order {
		next[a[0]] = append(next[a[0]], a[1])
		waiting[a[1]]++
	}
	var ready []int // by first node, the first last
	put := func(g int) {
		at := sort.Search(len(ready), func(i int) bool { return members[ready[i]][0] < members[g][0] })
		ready = append(ready, 0)
		copy(ready[at+1:], ready[at:])
		ready[at] = g
	}
	for g, set := range members {
		if len(set) > 0 && waiting[g] == 0 {
			put(g)
		}
	}
	c := &contraction{of: make([]int, len(group))}
	number := make([]int, len(members))
	for len(ready) > 0 {
		g := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		number[g] = len(c.members)
		c.members = append(c.members, members[g])
		for _, h := range next[g] {
			if waiting[h]--; waiting[h] == 0 {
				put(h)
			}
		}
	}
	c.preds = make([][]int, len(c.members))
	for a := range order {
		c.preds[number[a[1]]] = append(c.preds[number[a[1]]], number[a[0]])
	}
	for s, set := range c.members {
		sort.Ints(c.preds[s])
		for _, v := range set {
			c.of[v] = s
		}
	}
	return c
}
