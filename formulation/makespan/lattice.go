package makespan

import (
	"context"
	"encoding/binary"
	"slices"
)

// lattice is a list of ideals of the items, every one after those it contains, with
// the steps that add one item. The last one has all items.
type lattice struct {
	first    []int32 // of an ideal's steps in item and child; one more at the end
	item     []int32
	child    []int32
	frontier [][]int32 // nodes of an ideal with a successor outside it, ascending
	crosses  [][]cross // the edges out of an ideal
	begun    [][]int32 // classes with items in and out of an ideal: those are on the CPU
	room     int       // crosses that may still be stored
}

// maxCrosses keeps a lattice within a few hundred MB.
const maxCrosses = 20_000_000

// cross is an edge from a node of a frontier, by its place there; edges are numbered as
// problem.edge says.
type cross struct{ at, edge int32 }

func (l *lattice) size() int { return len(l.first) - 1 }

// chain is the lattice of one order of the items: its ideals are the prefixes; nil where
// it is too large or the context ended.
func (p *problem) chain(ctx context.Context, order []int) *lattice {
	l := newLattice()
	in := make([]bool, len(p.items))
	has := func(j int) bool { return in[j] }
	for i, it := range order {
		if l.room < 0 || i&63 == 0 && ctx.Err() != nil {
			return nil
		}
		in[it] = true
		l.first = append(l.first, int32(i))
		l.item = append(l.item, int32(it))
		l.child = append(l.child, int32(i+1))
		l.add(p, i, it, has)
	}
	n := int32(len(order))
	l.first = append(l.first, n, n)
	return l
}

// newLattice has the empty ideal.
func newLattice() *lattice {
	return &lattice{frontier: [][]int32{nil}, crosses: [][]cross{nil}, begun: [][]int32{nil}, room: maxCrosses}
}

// add appends what is known of an ideal: it is another, before, with an item more.
func (l *lattice) add(p *problem, before, item int, in func(item int) bool) {
	frontier := make([]int32, 0, len(l.frontier[before])+1)
	var crosses []cross
	keep := func(v int32) {
		at := int32(len(frontier))
		for i, w := range p.succ[v] {
			if !in(p.itemOf[w]) {
				crosses = append(crosses, cross{at, p.edge[v] + int32(i)})
			}
		}
		if len(crosses) > 0 && crosses[len(crosses)-1].at == at {
			frontier = append(frontier, v)
		}
	}
	nodes := slices.Sorted(slices.Values(p.items[item].nodes))
	i := 0
	for _, v := range l.frontier[before] { // two ascending lists
		for ; i < len(nodes) && int32(nodes[i]) < v; i++ {
			keep(int32(nodes[i]))
		}
		keep(v)
	}
	for ; i < len(nodes); i++ {
		keep(int32(nodes[i]))
	}
	l.room -= len(crosses)
	l.frontier = append(l.frontier, frontier)
	l.crosses = append(l.crosses, crosses)
	l.begun = append(l.begun, p.begun(l.begun[before], item, in))
}

// begun are the begun classes of an ideal after an item was added to it.
func (p *problem) begun(before []int32, added int, in func(item int) bool) []int32 {
	c := p.items[added].class
	if c < 0 {
		return before
	}
	out := slices.DeleteFunc(slices.Clone(before), func(d int32) bool { return int(d) == c })
	if slices.ContainsFunc(p.classes[c], func(i int) bool { return !in(i) }) {
		out = append(out, int32(c))
	}
	return out
}

// ideals lists all of them, level by level; nil where there are more than limit, they
// are too large, or the context ended.
func (p *problem) ideals(ctx context.Context, limit int) *lattice {
	words := (len(p.items) + 63) / 64
	l := newLattice()
	bits := make([]uint64, words)
	var ready []int32
	for i, it := range p.items {
		if len(it.pred) == 0 {
			ready = append(ready, int32(i))
		}
	}
	open := [][]int32{ready} // items that can be added, by ideal; nil once listed
	level := map[string]int32{}
	levelEnd := 1
	key := make([]byte, 8*words)
	set := make(set, words)
	in := func(i int) bool { return set.has(i) }
	for at := 0; at < len(open); at++ {
		if at == levelEnd {
			clear(level)
			levelEnd = len(open)
		}
		if at&63 == 0 && ctx.Err() != nil {
			return nil
		}
		l.first = append(l.first, int32(len(l.item)))
		for _, v := range open[at] {
			copy(set, bits[at*words:(at+1)*words])
			set.add(int(v))
			for w, x := range set {
				binary.LittleEndian.PutUint64(key[8*w:], x)
			}
			child, known := level[string(key)]
			if !known {
				if len(open) >= limit || l.room < 0 {
					return nil
				}
				child = int32(len(open))
				level[string(key)] = child
				bits = append(bits, set...)
				open = append(open, p.readyAfter(open[at], v, set))
				l.add(p, at, int(v), in)
			}
			l.item, l.child = append(l.item, v), append(l.child, child)
		}
		open[at] = nil
	}
	l.first = append(l.first, int32(len(l.item)))
	return l
}

// readyAfter are the items that can be added once v was, in being all that are.
func (p *problem) readyAfter(before []int32, v int32, in set) []int32 {
	out := make([]int32, 0, len(before)+2)
	for _, w := range before {
		if w != v {
			out = append(out, w)
		}
	}
next:
	for _, w := range p.items[v].succ {
		for _, u := range p.items[w].pred {
			if !in.has(u) {
				continue next
			}
		}
		out = append(out, int32(w))
	}
	return out
}

// way is the items between two nested ideals, in an order of adding them.
func (l *lattice) way(from, to int32) []int {
	dead := map[int32]bool{}
	var items []int
	var walk func(at int32) bool
	walk = func(at int32) bool {
		if at == to {
			return true
		}
		if at > to || dead[at] { // ideals come after those they contain
			return false
		}
		for e := l.first[at]; e < l.first[at+1]; e++ {
			items = append(items, int(l.item[e]))
			if walk(l.child[e]) {
				return true
			}
			items = items[:len(items)-1]
		}
		dead[at] = true
		return false
	}
	walk(from)
	return items
}
