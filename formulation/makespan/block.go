package makespan

import "slices"

// block is the set of items that an accelerator runs, with its length kept up to date
// while items are pushed in topological order and popped again. A node's outputs are a
// net: inside counts its ends in the block while it is outside itself, outside its
// ends not in the block while it is inside.
type block struct {
	*problem
	stack   []pushed
	in      []bool // by node
	inside  []int32
	outside []int32
	classed []int32 // items in the block, by class
	sums
}

// sums are restored on pop rather than subtracted, so that rounding does not add up.
type sums struct {
	work       float64 // ms
	load       float64 // ms: work and transfers, without options
	bytes      int64
	openClass  int     // classes with items in and out of the block
	saves      float64 // of the options that are worth taking, together
	savesBytes int64
}

type pushed struct {
	item   int
	before sums
}

func newBlock(p *problem) *block {
	n := len(p.itemOf)
	return &block{problem: p, in: make([]bool, n), inside: make([]int32, n), outside: make([]int32, n), classed: make([]int32, len(p.classes))}
}

// push adds an item whose predecessors are in the block or done.
func (b *block) push(i int) {
	b.stack = append(b.stack, pushed{i, b.sums})
	it := &b.items[i]
	b.bytes += it.bytes
	if c := it.class; c >= 0 {
		if b.classed[c]++; int(b.classed[c]) == len(b.classes[c]) {
			b.openClass--
		} else if b.classed[c] == 1 {
			b.openClass++
		}
	}
	for _, o := range b.sources[i] {
		b.load += b.g.Nodes[o.nodes[0]].Send
		b.offer(&o)
	}
	for _, v := range it.nodes {
		b.in[v] = true
		b.work += b.acc[v]
		b.load += b.acc[v]
		for _, u := range b.pred[v] {
			if !b.in[u] {
				if b.inside[u]++; b.inside[u] == 1 {
					b.load += b.g.Nodes[u].Send
				}
				continue
			}
			if b.outside[u]--; b.outside[u] > 0 {
				continue
			}
			if b.sinks[u].pays { // it still sends to its sinks
				b.offer(&b.sinks[u])
			} else {
				b.load -= b.g.Nodes[u].Send
			}
		}
		if b.outside[v] = int32(len(b.succ[v])); b.outside[v] > 0 || b.sinks[v].pays {
			b.load += b.g.Nodes[v].Send
		}
		if b.outside[v] == 0 && b.sinks[v].pays {
			b.offer(&b.sinks[v])
		}
	}
}

func (b *block) offer(o *option) {
	if o.saves > 0 {
		b.saves += o.saves
		b.savesBytes += o.bytes
	}
}

// pop takes the last item out.
func (b *block) pop() {
	last := b.stack[len(b.stack)-1]
	b.stack = b.stack[:len(b.stack)-1]
	b.sums = last.before
	it := &b.items[last.item]
	if it.class >= 0 {
		b.classed[it.class]--
	}
	for _, v := range slices.Backward(it.nodes) {
		for _, u := range b.pred[v] {
			if b.in[u] {
				b.outside[u]++
			} else {
				b.inside[u]--
			}
		}
		b.in[v] = false
	}
}

// length in ms with the best choice of options that fits, and the choice if asked for.
// exact is false where the choice was too hard to make: then length is a lower bound.
func (b *block) length(chosen *[]int) (length float64, exact bool) {
	if chosen == nil && b.savesBytes <= b.g.AcceleratorBytes-b.bytes {
		return b.load - b.saves, true
	}
	k := knapsack{room: b.g.AcceleratorBytes - b.bytes}
	for _, s := range b.stack {
		for i := range b.sources[s.item] {
			k.offer(&b.sources[s.item][i])
		}
		for _, v := range b.items[s.item].nodes {
			if b.sinks[v].pays && b.outside[v] == 0 {
				k.offer(&b.sinks[v])
			}
		}
	}
	saved, exact := k.solve()
	if chosen != nil {
		for _, o := range k.best {
			*chosen = append(*chosen, o.nodes...)
		}
	}
	return b.load - saved, exact
}
