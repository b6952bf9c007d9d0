package makespan

import (
	"context"
	"math"
	"math/bits"
	"slices"
)

// Lower bounds on what is still to come.
//
// Along any path every node takes the shorter of its two times, the CPU's where no
// accelerator is left, whatever else is in its block. On one path through the graph more
// is known: a block meets it in one interval. Such an interval brings all nodes between
// its ends and their classes with it, has to fit, receives what crosses into it and sends
// what leaves it; the shortest way over the path with at most a such intervals is a
// bound (pathTails). It counts from a place of the path where one block has ended and the next
// has not begun, so it belongs to an edge: to one from what is done to what is not.

// tails[a] are for a accelerators left, in ms.
type tails struct {
	over  [][]float64 // by edge: least time from the finish of its source, which is done, to the end; the target is not begun
	start []float64   // least time from the start
}

// maxPath is the most nodes of a path, maxSquare the most nodes of a graph, whose
// intervals are looked at: there are as many as pairs, and sets between the nodes of each.
const (
	maxPath   = 1_500
	maxSquare = 12_000
)

func newTails(ctx context.Context, p *problem) *tails {
	k := p.g.Accelerators
	t := &tails{over: make([][]float64, k+1), start: make([]float64, k+1)}
	order := p.nodesInOrder()
	for a := range t.over {
		t.over[a] = make([]float64, p.edge[len(p.itemOf)])
		t.sum(p, order, a)
	}
	if k == 0 || len(order) > maxSquare {
		return t
	}
	between := newClosures(p, order)
	for _, weight := range []func(v int) float64{
		func(v int) float64 { return min(p.cpu[v], p.acc[v]) },
		func(v int) float64 { return p.cpu[v] },
		func(v int) float64 { return p.g.Nodes[v].Send },
	} {
		path := p.longestPath(order, weight)
		if len(path) == 0 || len(path) > maxPath || ctx.Err() != nil {
			continue
		}
		for a, row := range p.pathTails(ctx, path, between) {
			t.start[a] = max(t.start[a], row[0])
			for i, v := range path[1:] {
				e := p.edge[path[i]] + int32(slices.Index(p.succ[path[i]], v))
				t.over[a][e] = max(t.over[a][e], row[i+1])
			}
		}
	}
	return t
}

// sum fills in the times along any path with a accelerators left.
func (t *tails) sum(p *problem, order []int, a int) {
	from := make([]float64, len(p.itemOf))
	for _, v := range slices.Backward(order) {
		for i, w := range p.succ[v] {
			t.over[a][p.edge[v]+int32(i)] = from[w]
			from[v] = max(from[v], from[w])
		}
		if a == 0 {
			from[v] += p.cpu[v]
		} else {
			from[v] += min(p.cpu[v], p.acc[v])
		}
		t.start[a] = max(t.start[a], from[v])
	}
}

// nodesInOrder are the nodes of items in topological order.
func (p *problem) nodesInOrder() []int {
	var order []int
	all, _ := p.g.Topological()
	for _, v := range all {
		if p.itemOf[v] >= 0 {
			order = append(order, v)
		}
	}
	return order
}

// longestPath goes from a source to a sink with the most weight on its nodes.
func (p *problem) longestPath(order []int, weight func(v int) float64) []int {
	best := make([]float64, len(p.itemOf))
	next := make([]int, len(p.itemOf))
	at := -1
	for i := len(order) - 1; i >= 0; i-- {
		v := order[i]
		next[v] = -1
		for _, w := range p.succ[v] {
			if next[v] < 0 || best[w] > best[next[v]] {
				next[v] = w
			}
		}
		best[v] = min(weight(v), math.MaxFloat64/float64(len(order)+1))
		if next[v] >= 0 {
			best[v] += best[next[v]]
		}
		if len(p.pred[v]) == 0 && (at < 0 || best[v] > best[at]) {
			at = v
		}
	}
	var path []int
	for ; at >= 0; at = next[at] {
		path = append(path, at)
	}
	return path
}

// pathTails[a][i] is the least time over the nodes path[i:] with a accelerators.
func (p *problem) pathTails(ctx context.Context, path []int, between *closures) [][]float64 {
	n, k := len(path), p.g.Accelerators
	rows := make([][]float64, k+1)
	for a := range rows {
		rows[a] = make([]float64, n+1)
	}
	for i := n - 1; i >= 0; i-- {
		for a := range rows {
			rows[a][i] = p.cpu[path[i]] + rows[a][i+1]
		}
		if ctx.Err() != nil { // an unfinished bound: 0 for what was not reached
			for a := range rows {
				clear(rows[a][:i+1])
			}
			return rows
		}
		between.intervals(path, i, func(j int, length float64) {
			for a := 1; a <= k; a++ {
				rows[a][i] = min(rows[a][i], length+rows[a-1][j+1])
			}
		})
	}
	return rows
}

// closures finds the least set of nodes that a block with an interval of a path has.
type closures struct {
	*problem
	before, after []set // by node: what it depends on, and what depends on it, itself included
	classOf       [][]int
}

type set []uint64

func (s set) has(v int) bool { return s[v>>6]>>(v&63)&1 != 0 }
func (s set) add(v int)      { s[v>>6] |= 1 << (v & 63) }
func (s set) union(t set) {
	for i, x := range t {
		s[i] |= x
	}
}

func (s set) meets(t set) bool {
	for i, x := range t {
		if s[i]&x != 0 {
			return true
		}
	}
	return false
}

func (s set) each(visit func(v int)) {
	for i, x := range s {
		for ; x != 0; x &= x - 1 {
			visit(i<<6 + bits.TrailingZeros64(x))
		}
	}
}

func newClosures(p *problem, order []int) *closures {
	n := len(p.itemOf)
	c := &closures{problem: p, before: newSets(n), after: newSets(n), classOf: make([][]int, len(p.classes))}
	for _, v := range order {
		c.before[v].add(v)
		for _, u := range p.pred[v] {
			c.before[v].union(c.before[u])
		}
		if class := p.items[p.itemOf[v]].class; class >= 0 {
			c.classOf[class] = append(c.classOf[class], v)
		}
	}
	for i := len(order) - 1; i >= 0; i-- {
		v := order[i]
		c.after[v].add(v)
		for _, w := range p.succ[v] {
			c.after[v].union(c.after[w])
		}
	}
	return c
}

func newSets(n int) []set {
	words := (n + 63) / 64
	all := make(set, n*words)
	out := make([]set, n)
	for v := range out {
		out[v] = all[v*words : (v+1)*words : (v+1)*words]
	}
	return out
}

// intervals gives the least length of a block that meets a path in path[i:j+1] and no
// further, for every j for which there may be one.
func (c *closures) intervals(path []int, i int, visit func(j int, length float64)) {
	words := len(c.before[path[i]])
	inside, pre, post := make(set, words), make(set, words), make(set, words)
	outside := make(set, words) // cannot be in the block: it would wait for itself
	for j := i; j < len(path); j++ {
		c.take(path[j], inside, pre, post)
		clear(outside)
		if i > 0 {
			outside.union(c.before[path[i-1]])
			if inside.meets(outside) {
				return
			}
		}
		if !c.fits(inside) {
			return
		}
		if j+1 < len(path) {
			outside.union(c.after[path[j+1]])
			if inside.meets(outside) {
				continue
			}
		}
		visit(j, c.least(inside, outside))
	}
}

// take adds a node, all that lies between nodes of the set, and their classes. pre and
// post are what the nodes of the set depend on and what depends on them.
func (c *closures) take(v int, inside, pre, post set) {
	todo := []int{v}
	for len(todo) > 0 {
		for len(todo) > 0 {
			v, todo = todo[len(todo)-1], todo[:len(todo)-1]
			if inside.has(v) {
				continue
			}
			inside.add(v)
			pre.union(c.before[v])
			post.union(c.after[v])
			if class := c.items[c.itemOf[v]].class; class >= 0 {
				todo = append(todo, c.classOf[class]...)
			} else {
				todo = append(todo, c.items[c.itemOf[v]].nodes...)
			}
		}
		for w := range inside { // what lies between
			for x := pre[w] & post[w] &^ inside[w]; x != 0; x &= x - 1 {
				todo = append(todo, w<<6+bits.TrailingZeros64(x))
			}
		}
	}
}

// fits reports whether an accelerator can hold the set.
func (c *closures) fits(inside set) bool {
	bytes, able := int64(0), true
	inside.each(func(v int) {
		bytes += c.g.Nodes[v].Bytes
		able = able && !math.IsInf(c.acc[v], 1)
	})
	return able && bytes <= c.g.AcceleratorBytes
}

// least is the least length of a block that has the nodes of inside and none of outside:
// each other node costs it its work or a transfer.
func (c *closures) least(inside, outside set) float64 {
	length := 0.0
	receives := map[int]bool{}
	inside.each(func(v int) {
		send := c.g.Nodes[v].Send
		length += c.acc[v]
		for _, u := range c.pred[v] {
			if !inside.has(u) && !receives[u] {
				receives[u] = true
				if cost := c.g.Nodes[u].Send; outside.has(u) {
					length += cost
				} else {
					length += min(cost, c.acc[u])
				}
			}
		}
		sends := false
		for _, w := range c.succ[v] {
			sends = sends || outside.has(w) || !inside.has(w) && math.IsInf(c.acc[w], 1)
		}
		if sends {
			length += send
		} else if o := &c.sinks[v]; o.pays {
			length += send - max(o.saves, 0)
		}
	})
	for i, options := range c.sources {
		if len(options) > 0 && inside.has(c.items[i].nodes[0]) {
			for _, o := range options {
				length += c.g.Nodes[o.nodes[0]].Send - max(o.saves, 0)
			}
		}
	}
	return length
}
