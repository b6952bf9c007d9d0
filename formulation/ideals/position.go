package ideals

import (
	"math/bits"
	"slices"
)

// position is a base ideal I and a stage S above it in the lattice, with what a step
// needs to know to cost no more than the degree of its super-node.
type position struct {
	k       *core
	weights []weighting

	in      bitset // I ∪ S
	size    int32
	hash    uint64
	net     []pinCount
	missing []int32 // by super-node: predecessors that are not in I ∪ S

	// measures are the weightings, then the growth of every class, then the size.
	measures []*measure
	all      []int32   // every measure
	rest     []int64   // by measure: of what is not in I ∪ S
	weight   [][]int64 // by measure and super-node, with what it will receive
	// Whoever has the last pin of an output that I ∪ S cuts will receive it: what that
	// costs, by class and super-node.
	receives [][]int64
	open     []int64 // by class: what the outputs cost that I cuts and S does not touch

	c     int // the class of the stage
	class *class
	acts  []int32 // the measures that are kept while S changes
	load  int64   // of S
	least int64   // what S and every larger stage to come has
	bytes int64   // of S
}

// pinCount counts the pins of a net.
type pinCount struct {
	base int32 // in I
	in   int32 // in S
	out  int32 // decisions by which some pin will be in neither
	size int32
}

func newPosition(k *core, weights []weighting) *position {
	p := &position{k: k, weights: weights, in: make(bitset, k.words), net: make([]pinCount, len(k.pins)),
		missing: make([]int32, k.n), open: make([]int64, len(k.classes))}
	for e, pins := range k.pins {
		p.net[e].size = int32(len(pins))
	}
	for v, preds := range k.preds {
		p.missing[v] = int32(len(preds))
	}
	for i := range weights {
		p.measures = append(p.measures, &weights[i].measure)
	}
	if k.growths() {
		for c := range k.classes {
			p.measures = append(p.measures, &k.classes[c].growth)
		}
		p.measures = append(p.measures, &k.size)
	}
	for a, m := range p.measures {
		p.all = append(p.all, int32(a))
		p.rest = append(p.rest, m.sum)
		if p.weight = append(p.weight, m.weight); p.pays(int32(a)) {
			p.weight[a] = slices.Clone(m.weight)
		}
	}
	for range k.classes {
		p.receives = append(p.receives, make([]int64, k.n))
	}
	return p
}

// pays reports whether a measure grows by what is received.
func (p *position) pays(a int32) bool { return int(a) < len(p.weights) && p.weights[a].pays }

// moveTo makes an ideal the base, with an empty stage.
func (p *position) moveTo(size int32, set bitset) {
	if p.k.chain {
		for p.size < size {
			p.rebase(p.size, 1)
		}
		return
	}
	for i, word := range set {
		for diff := p.in[i] ^ word; diff != 0; diff &= diff - 1 {
			v := int32(i<<6 + bits.TrailingZeros64(diff))
			if p.in.has(int(v)) {
				p.rebase(v, -1)
			} else {
				p.rebase(v, 1)
			}
		}
	}
}

// rebase moves a super-node into the base (1) or out of it (-1).
func (p *position) rebase(v, sign int32) {
	p.hash ^= p.k.hash[v]
	p.size += sign
	if sign > 0 {
		p.leave(v, p.all)
	}
	for _, e := range p.k.nets[v] {
		n := &p.net[e]
		before := n.base > 0 && n.base < n.size
		if n.base += sign; n.base == 0 || n.base == 1 && sign > 0 {
			p.deliver(e, sign, p.all)
		}
		if after := n.base > 0 && n.base < n.size; before != after {
			for c := range p.open {
				if cost := p.k.classes[c].cost[e]; after {
					p.open[c] += cost
				} else {
					p.open[c] -= cost
				}
			}
		}
	}
	for _, u := range p.k.succs[v] {
		p.missing[u] -= sign
	}
	if sign < 0 {
		p.join(v, p.all)
	}
}

// leave moves a super-node into I ∪ S, as the measures go.
func (p *position) leave(v int32, acts []int32) {
	p.in.add(int(v))
	for _, a := range acts {
		p.rest[a] -= p.weight[a][v]
	}
}

// join is the reverse of leave.
func (p *position) join(v int32, acts []int32) {
	p.in.drop(int(v))
	for _, a := range acts {
		p.rest[a] += p.weight[a][v]
	}
}

// deliver charges a net to its last pin, or (-1) does so no more.
func (p *position) deliver(e, sign int32, acts []int32) {
	if p.k.chain { // a linear order has few ideals to be spared
		return
	}
	u, charged := p.k.last[e], false
	for c := range p.receives {
		if cost := p.k.classes[c].cost[e]; cost > 0 {
			p.receives[c][u] += int64(sign) * cost
			charged = true
		}
	}
	if !charged {
		return
	}
	outside := !p.in.has(int(u))
	for _, a := range acts {
		if !p.pays(a) {
			continue
		}
		weight := p.weights[a].weigh(p.k, u, p.receives)
		if outside {
			p.rest[a] += weight - p.weight[a][u]
		}
		p.weight[a][u] = weight
	}
}

// take puts a super-node into the stage.
func (p *position) take(v int32) {
	load, least := p.load+p.class.time[v], p.least+p.class.time[v]
	p.hash ^= p.k.hash[v]
	p.size++
	p.bytes += p.k.size.weight[v]
	p.leave(v, p.acts)
	for _, e := range p.k.nets[v] {
		n, cost := &p.net[e], p.class.cost[e]
		if n.in == 0 {
			load += cost
			if n.base+n.out > 0 {
				least += cost
			}
			if n.base > 0 {
				p.open[p.c] -= cost
			} else {
				p.deliver(e, 1, p.acts)
			}
		}
		if n.in++; n.in == n.size {
			load -= cost
		}
	}
	for _, u := range p.k.succs[v] {
		p.missing[u]--
	}
	p.load, p.least = load, least
}

// give takes the latest super-node out of the stage again.
func (p *position) give(v int32) {
	load, least := p.load-p.class.time[v], p.least-p.class.time[v]
	p.hash ^= p.k.hash[v]
	p.size--
	p.bytes -= p.k.size.weight[v]
	for _, e := range p.k.nets[v] {
		n, cost := &p.net[e], p.class.cost[e]
		if n.in == n.size {
			load += cost
		}
		if n.in--; n.in == 0 {
			load -= cost
			if n.base+n.out > 0 {
				least -= cost
			}
			if n.base > 0 {
				p.open[p.c] += cost
			} else {
				p.deliver(e, -1, p.acts)
			}
		}
	}
	p.join(v, p.acts)
	for _, u := range p.k.succs[v] {
		p.missing[u]++
	}
	p.load, p.least = load, least
}

// fitsToo reports whether the stage can have one more super-node within a limit.
func (p *position) fitsToo(v int32, limit int64) bool {
	if p.class.time[v] == never || p.bytes+p.k.size.weight[v] > p.class.bytes {
		return false
	}
	load := p.load + p.class.time[v]
	for _, e := range p.k.nets[v] {
		switch n := &p.net[e]; n.in {
		case 0:
			load += p.class.cost[e]
		case n.size - 1:
			load -= p.class.cost[e]
		}
	}
	return load <= limit
}

// welcome reports whether no later stage that holds v can have a larger load without
// it, whatever else it holds: then an ideal with v is at least as good to go on from.
// Such a stage loses the work of v and the outputs that all other pins of lie in I ∪ S;
// it may have to cut those that have no pin there. Other stages see no difference, for
// an output costs a stage by what the stage holds of it. What is welcome stays so.
func (p *position) welcome(v int32) bool {
	for c := range p.k.classes {
		class := &p.k.classes[c]
		if class.count == 0 || class.time[v] == never {
			continue
		}
		gain := class.time[v]
		for _, e := range p.k.nets[v] {
			switch n := &p.net[e]; n.base + n.in {
			case 0:
				gain -= class.cost[e]
			case n.size - 1:
				gain += class.cost[e]
			}
		}
		if gain < 0 {
			return false
		}
	}
	return true
}
