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

// intervals gives the least length of a block that meets a path in path[i:j+1] and no
// further, for every j for which there may be one; only some of them when the context ends.
func (c *closures) intervals(ctx context.Context, path []int, i int, visit func(j int, length float64)) {
	words := len(c.before[path[i]])
	inside, pre, post := make(set, words), make(set, words), make(set, words)
	outside := make(set, words) // cannot be in the block: it would wait for itself
	for j := i; j < len(path) && ctx.Err() == nil; j++ {
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
