package makespan

import (
	"context"
	"math"
	"math/bits"
)

// closures finds the least set of nodes that a block with an interval of a path has.
type closures struct {
	*problem
	before, after []set // by node: what it depends on, and what depends on it, itself included
	classOf       [][]int
	receives      []int64 // by node: the interval that was last charged with its output
	interval      int64
	visits        int // of nodes, in all intervals
}

func newClosures(p *problem, order []int) *closures {
	n := len(p.itemOf)
	c := &closures{problem: p, before: newSets(n), after: newSets(n), classOf: make([][]int, len(p.classes)), receives: make([]int64, n)}
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

// intervals gives the least length of a block that meets a path in path[i:j+1] and no
// further, for every j for which there may be one; only some of them when it is over.
func (c *closures) intervals(ctx context.Context, path []int, i int, visit func(j int, length float64)) {
	words := len(c.before[path[i]])
	inside, pre, post := make(set, words), make(set, words), make(set, words)
	outside := make(set, words) // cannot be in the block: it would wait for itself
	for j := i; j < len(path) && !c.over(ctx); j++ {
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

// over reports whether the context or the effort has ended.
func (c *closures) over(ctx context.Context) bool { return c.visits > maxVisits || ctx.Err() != nil }

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
	c.interval++
	inside.each(func(v int) {
		c.visits++
		length += c.acc[v]
		for _, u := range c.pred[v] {
			if inside.has(u) || c.receives[u] == c.interval {
				continue
			}
			c.receives[u] = c.interval
			if cost := c.g.Nodes[u].Send; outside.has(u) {
				length += cost
			} else {
				length += min(cost, c.acc[u])
			}
		}
		length += c.sends(v, inside, outside)
		if i := c.itemOf[v]; c.items[i].nodes[0] == v {
			for _, o := range c.sources[i] {
				length += c.g.Nodes[o.nodes[0]].Send - max(o.saves, 0)
			}
		}
	})
	return length
}

// sends is what a node of such a block adds at least by its output.
func (c *closures) sends(v int, inside, outside set) float64 {
	send := c.g.Nodes[v].Send
	for _, w := range c.succ[v] {
		if outside.has(w) || !inside.has(w) && math.IsInf(c.acc[w], 1) {
			return send
		}
	}
	if o := &c.sinks[v]; o.pays {
		return send - max(o.saves, 0)
	}
	return 0
}
