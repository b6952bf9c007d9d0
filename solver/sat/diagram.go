package sat

import (
	"math"
	"slices"
	"sort"
)

// diagram is a decision diagram of Σ items ≤ s with one level an item: a node at
// level i with slack s says that the items from i on add up to at most s. Slacks with
// the same future share a node (Abío et al., "A new look at BDDs for pseudo-Boolean
// constraints", 2012, here with more than two branches a level). It may be asked for
// several bounds; nodes are shared between them.
type diagram struct {
	f     *formula
	items []item
	rest  []int64 // rest[i]: most that the items from i on can add up to
	nodes []node
	known [][]span // by level, sorted
	size  int      // clauses of the nodes
	limit int      // give up beyond that size
}

// node branches to children[0] where no literal of the item is true, else to
// children[j+1] for literal j.
type node struct {
	level    int
	children []int32
	lit      lit // 0 until emitted
}

// span says that every slack from lo to hi leads to the same node.
type span struct {
	lo, hi int64
	node   int32
}

const (
	nodeFalse int32 = 0
	nodeTrue  int32 = 1
)

// newDiagram orders the items by weight, the heaviest first, which keeps the number
// of different slacks low.
func (f *formula) newDiagram(items []item, limit int) *diagram {
	items = slices.Clone(items)
	slices.SortStableFunc(items, func(a, b item) int {
		switch d := b.max() - a.max(); {
		case d < 0:
			return -1
		case d > 0:
			return 1
		}
		return 0
	})
	d := &diagram{f: f, items: items, limit: limit, rest: make([]int64, len(items)+1),
		nodes: make([]node, 2), known: make([][]span, len(items))}
	for i := len(items) - 1; i >= 0; i-- {
		d.rest[i] = d.rest[i+1] + items[i].max()
	}
	return d
}

// root is the node of Σ items ≤ bound; false where the diagram outgrows its limit or
// the context ends.
func (d *diagram) root(bound int64) (int32, bool) {
	at, ok := d.build(0, bound)
	return at.node, ok
}

func (d *diagram) build(level int, slack int64) (span, bool) {
	if slack < 0 {
		return span{math.MinInt64, -1, nodeFalse}, true
	}
	if slack >= d.rest[level] {
		return span{d.rest[level], math.MaxInt64, nodeTrue}, true
	}
	known := d.known[level]
	if at := sort.Search(len(known), func(i int) bool { return known[i].hi >= slack }); at < len(known) && known[at].lo <= slack {
		return known[at], true
	}
	it := d.items[level]
	if len(d.nodes)%ctxEvery == 0 && d.f.ctx.Err() != nil {
		return span{}, false
	}
	if d.size += len(it.lits) + 1; d.size > d.limit {
		return span{}, false
	}
	children := make([]int32, 0, len(it.lits)+1)
	joint, ok := d.build(level+1, slack)
	if !ok {
		return span{}, false
	}
	children = append(children, joint.node)
	same := true
	for _, w := range it.weights {
		child, ok := d.build(level+1, slack-w)
		if !ok {
			return span{}, false
		}
		children = append(children, child.node)
		same = same && child.node == joint.node
		if child.lo != math.MinInt64 {
			joint.lo = max(joint.lo, child.lo+w)
		}
		if child.hi != math.MaxInt64 {
			joint.hi = min(joint.hi, child.hi+w)
		}
	}
	if !same {
		joint.node = int32(len(d.nodes))
		d.nodes = append(d.nodes, node{level: level, children: children})
	}
	known = d.known[level]
	at := sort.Search(len(known), func(i int) bool { return known[i].lo > joint.hi })
	d.known[level] = slices.Insert(known, at, joint)
	return joint, true
}

// emit defines the nodes below root that have no literal yet and returns the literal
// that implies Σ items ≤ bound. The root must be neither constant.
func (d *diagram) emit(root int32) lit {
	n := &d.nodes[root]
	if n.lit != 0 {
		return n.lit
	}
	n.lit = d.f.fresh()
	it := d.items[n.level]
	previous := int32(-1)
	for j, child := range n.children {
		// The branch without a literal is the weakest: what it says holds anyway. A
		// chain's literal implies the one before it.
		if j > 0 && (child == n.children[0] || it.chain && child == previous) {
			continue
		}
		previous = child
		clause := []lit{-n.lit}
		if j > 0 {
			clause = append(clause, -it.lits[j-1])
		}
		switch child {
		case nodeTrue:
			continue
		case nodeFalse:
		default:
			clause = append(clause, d.emit(child))
		}
		d.f.define(clause...)
	}
	return n.lit
}
