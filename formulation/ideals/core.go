package ideals

import (
	"math"
	"math/bits"
	"slices"
	"sort"
)

// never is the time of a node on a device that cannot run it; above every load.
const never = int64(1) << 61

// core is a contracted problem in whole ticks, which is what the search works on. Ticks
// are so fine that a load of all nodes stays below 2^60; they are a power of two of a
// millisecond, so that most times are whole ticks.
type core struct {
	p     *Problem
	c     *contraction
	n     int     // super-nodes
	words int     // of a set of super-nodes
	scale float64 // ticks in a millisecond

	preds, succs [][]int32
	nets         [][]int32 // by super-node: the nets with a pin there
	pins         [][]int32 // by net
	last         []int32   // by net: its last pin in the order
	classes      []class
	size         measure // bytes
	hash         []uint64
	// chain: the order is linear, so an ideal is its number of nodes.
	chain bool
	// after of a super-node is what cannot be in an ideal without it: itself and all that
	// follows it. nil where the graph is too large for such sets.
	after []bitset
	// shut of a super-node are the nets that an ideal without it may have to cut.
	shut [][]int32
}

// class is a Class in ticks.
type class struct {
	count int
	bytes int64
	time  []int64 // by super-node; never: it cannot run
	cost  []int64 // by net: the transfer for a stage that cuts it
	// growth: taking super-nodes into a stage adds no more than theirs to its load, and
	// the cost of what it receives from its base. A sum of 0: not known.
	growth measure
}

// largestClosure is the number of super-nodes above which sets of followers are not
// kept: they take the square of it in bits.
const largestClosure = 1 << 14

func newCore(p *Problem) *core {
	k := &core{p: p, c: contract(p)}
	k.n = len(k.c.members)
	k.words = (k.n + 63) / 64
	k.scale = ticksPerMillisecond(p)
	k.size.weight = make([]int64, k.n)
	k.hash = make([]uint64, k.n)
	for s, members := range k.c.members {
		k.hash[s] = mix(uint64(s) + 1)
		for _, v := range members {
			k.size.weight[s] += p.Nodes[v].Bytes
		}
	}
	k.makeNets()
	for i := range p.Classes {
		k.addTimes(&p.Classes[i], &k.classes[i])
	}
	preds := make([][]int32, k.n)
	for s := range preds {
		for _, u := range k.c.preds[s] {
			preds[s] = append(preds[s], int32(u))
		}
	}
	k.setOrder(preds)
	k.addTail(&k.size)
	for c := range k.classes {
		k.addGrowth(&k.classes[c])
	}
	k.setLast()
	return k
}

func (k *core) setLast() {
	k.last = make([]int32, len(k.pins))
	for e, pins := range k.pins {
		k.last[e] = slices.Max(pins)
	}
}

// ticksPerMillisecond is the largest power of two that keeps every load below 2^60.
func ticksPerMillisecond(p *Problem) float64 {
	sum := 0.0
	for c := range p.Classes {
		for v, t := range p.Classes[c].Time {
			if !math.IsInf(t, 1) {
				sum += t
			}
			if p.Classes[c].Transfer != nil {
				sum += p.Classes[c].Transfer[v]
			}
		}
	}
	if sum == 0 {
		return 1
	}
	_, exponent := math.Frexp(sum) // sum < 2^exponent
	return math.Ldexp(1, min(59-exponent, 1000))
}

func (k *core) ticks(ms float64) int64 { return int64(math.Round(ms * k.scale)) }

func (k *core) addTimes(from *Class, to *class) {
	to.count, to.bytes = min(from.Count, k.n), from.Bytes
	to.time = make([]int64, k.n)
	for s, members := range k.c.members {
		for _, v := range members {
			if math.IsInf(from.Time[v], 1) {
				to.time[s] = never
				break
			}
			to.time[s] += k.ticks(from.Time[v])
		}
		if k.size.weight[s] > to.bytes {
			to.time[s] = never
		}
	}
}

// makeNets gathers the outputs that may be cut: an output of a node whose consumers lie
// in other super-nodes. Outputs between the same super-nodes are one net.
func (k *core) makeNets() {
	consumers := make(map[int]map[int32]bool)
	for _, e := range k.p.Edges {
		from, to := int32(k.c.of[e.From]), int32(k.c.of[e.To])
		if from == to {
			continue
		}
		if consumers[e.From] == nil {
			consumers[e.From] = map[int32]bool{from: true}
		}
		consumers[e.From][to] = true
	}
	k.nets = make([][]int32, k.n)
	k.classes = make([]class, len(k.p.Classes))
	known := map[string]int{}
	for v := range k.p.Nodes {
		if len(consumers[v]) == 0 {
			continue
		}
		pins := make([]int32, 0, len(consumers[v]))
		for s := range consumers[v] {
			pins = append(pins, s)
		}
		sort.Slice(pins, func(i, j int) bool { return pins[i] < pins[j] })
		key := make([]byte, 0, 4*len(pins))
		for _, s := range pins {
			key = append(key, byte(s), byte(s>>8), byte(s>>16), byte(s>>24))
		}
		net, there := known[string(key)]
		if !there {
			net = len(k.pins)
			known[string(key)] = net
			k.pins = append(k.pins, pins)
			for _, s := range pins {
				k.nets[s] = append(k.nets[s], int32(net))
			}
			for c := range k.classes {
				k.classes[c].cost = append(k.classes[c].cost, 0)
			}
		}
		for c := range k.classes {
			if t := k.p.Classes[c].Transfer; t != nil {
				k.classes[c].cost[net] += k.ticks(t[v])
			}
		}
	}
}

// setOrder gives the core its order, in which u < v for every u of preds[v], and what
// follows from it.
func (k *core) setOrder(preds [][]int32) {
	k.preds, k.succs = preds, make([][]int32, k.n)
	for v, before := range preds {
		for _, u := range before {
			k.succs[u] = append(k.succs[u], int32(v))
		}
	}
	k.after, k.shut = nil, make([][]int32, k.n)
	if k.n > largestClosure {
		return
	}
	k.after = make([]bitset, k.n)
	for v := k.n - 1; v >= 0; v-- {
		k.after[v] = make(bitset, k.words)
		k.after[v].add(v)
		for _, w := range k.succs[v] {
			k.after[v].addAll(k.after[w])
		}
	}
	before := make([]bitset, k.n)
	for v := range before {
		before[v] = make(bitset, k.words)
		before[v].add(v)
		for _, u := range preds[v] {
			before[v].addAll(before[u])
		}
	}
	some, all := make(bitset, k.words), make(bitset, k.words)
	for net, pins := range k.pins {
		// An ideal without v lacks the pins after v: not all, or there is nothing to cut.
		copy(some, before[pins[0]])
		copy(all, before[pins[0]])
		for _, s := range pins[1:] {
			for i, w := range before[s] {
				some[i] |= w
				all[i] &= w
			}
		}
		for i := range some {
			some[i] &^= all[i]
		}
		some.each(func(v int) { k.shut[v] = append(k.shut[v], int32(net)) })
	}
}

// along is the core with its super-nodes in a linear order that keeps the forward
// order; its ideals are the beginnings of that order.
func (k *core) along(order []int32) *core {
	to := *k
	to.chain = true
	to.c = &contraction{members: make([][]int, k.n)}
	to.size.weight, to.nets = make([]int64, k.n), make([][]int32, k.n)
	place := make([]int32, k.n)
	for i, s := range order {
		place[s] = int32(i)
		to.c.members[i], to.size.weight[i], to.nets[i] = k.c.members[s], k.size.weight[s], k.nets[s]
	}
	to.pins = make([][]int32, len(k.pins))
	for net, pins := range k.pins {
		for _, s := range pins {
			to.pins[net] = append(to.pins[net], place[s])
		}
	}
	to.classes = make([]class, len(k.classes))
	for c := range k.classes {
		to.classes[c] = k.classes[c]
		to.classes[c].time = make([]int64, k.n)
		for i, s := range order {
			to.classes[c].time[i] = k.classes[c].time[s]
		}
	}
	to.preds, to.succs = make([][]int32, k.n), make([][]int32, k.n)
	for i := 1; i < k.n; i++ {
		to.preds[i], to.succs[i-1] = []int32{int32(i - 1)}, []int32{int32(i)}
	}
	to.after, to.shut = nil, make([][]int32, k.n)
	to.setLast()
	return &to
}

// bitset is a set of super-nodes.
type bitset []uint64

func (b bitset) has(v int) bool { return b[v>>6]>>(v&63)&1 == 1 }
func (b bitset) add(v int)      { b[v>>6] |= 1 << (v & 63) }
func (b bitset) drop(v int)     { b[v>>6] &^= 1 << (v & 63) }

func (b bitset) addAll(c bitset) {
	for i, w := range c {
		b[i] |= w
	}
}

// each calls f for the members in ascending order.
func (b bitset) each(f func(v int)) {
	for i, w := range b {
		for ; w != 0; w &= w - 1 {
			f(i<<6 + bits.TrailingZeros64(w))
		}
	}
}

// mix spreads the bits of a number (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
