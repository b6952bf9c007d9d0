package ideals

import (
	"context"
	"math/bits"
	"slices"
)

// walker moves over the lattice of ideals one super-node at a time. For a base ideal I
// and a stage S above it, it keeps the number of pins of every net in I and in S, so
// that a step costs the degree of its super-node.
type walker struct {
	k    *core
	st   *states
	tab  *table
	done <-chan struct{}
	over bool // the context ended

	in      bitset // I ∪ S
	size    int32
	hash    uint64
	net     []pinCount
	missing []int32 // by super-node: predecessors that are not in I ∪ S
	rest    []int64 // by weighting: the weight of what is not in I ∪ S

	class  *class
	acts   []int32 // the weightings that the targets look at
	load   int64   // of S
	least  int64   // what S and every larger stage of this part of the walk has
	bytes  int64
	queue  []int32 // stack of lists of super-nodes that may come next
	left   []int32 // those decided against: at a leaf, all that may come next
	forced []int32 // what every target must have

	targets []target
	suits   []target // of the arrivals
	found   []arrival
	sets    []uint64
	steps   int64
}

// pinCount counts the pins of a net.
type pinCount struct {
	base int32 // in I
	in   int32 // in S
	out  int32 // decisions against, by which some pin is in neither
	size int32
}

// target is a label of the base and the state with one more device: what a walk makes.
type target struct{ label, state int32 }

// arrival is an ideal that a stage reaches, with the targets that it suits.
type arrival struct {
	hash     uint64
	size     int32
	from, to int32 // in suits
}

func newWalker(ctx context.Context, k *core, st *states, tab *table) *walker {
	w := &walker{k: k, st: st, tab: tab, done: ctx.Done(),
		in: make(bitset, k.words), net: make([]pinCount, len(k.pins)),
		missing: make([]int32, k.n), rest: make([]int64, len(st.weights))}
	for e, pins := range k.pins {
		w.net[e].size = int32(len(pins))
	}
	for v, preds := range k.preds {
		w.missing[v] = int32(len(preds))
	}
	for i := range st.weights {
		w.rest[i] = st.weights[i].sum
	}
	return w
}

// moveTo makes an ideal the base, with an empty stage.
func (w *walker) moveTo(ideal int32) {
	w.found, w.sets, w.suits = w.found[:0], w.sets[:0], w.suits[:0]
	if w.k.chain {
		for w.size < w.tab.size[ideal] {
			w.rebase(int(w.size), 1)
		}
		return
	}
	for i, word := range w.tab.set(ideal) {
		for diff := w.in[i] ^ word; diff != 0; diff &= diff - 1 {
			v, sign := bits.TrailingZeros64(diff), int32(1)
			if w.in[i]>>v&1 == 1 {
				sign = -1
			}
			w.rebase(i<<6+v, sign)
		}
	}
}

// rebase moves a super-node into the base or out of it.
func (w *walker) rebase(v int, sign int32) {
	w.in[v>>6] ^= 1 << (v & 63)
	w.hash ^= w.k.hash[v]
	w.size += sign
	for _, e := range w.k.nets[v] {
		w.net[e].base += sign
	}
	for _, u := range w.k.succs[v] {
		w.missing[u] -= sign
	}
	for i := range w.rest {
		w.rest[i] -= int64(sign) * w.st.weights[i].weight[v]
	}
}

// walk visits every stage above the base that a device of a class can run within the
// limit, and notes those that some target can go on from unless a larger one is as good.
func (w *walker) walk(c int, targets []target) {
	w.class, w.targets = &w.k.classes[c], targets
	w.load, w.least, w.bytes = 0, 0, 0
	w.acts = w.acts[:0]
	for _, t := range targets {
		for _, a := range w.st.all[t.state].acts {
			if !slices.Contains(w.acts, a) {
				w.acts = append(w.acts, a)
			}
		}
	}
	w.queue, w.left, w.forced = w.queue[:0], w.left[:0], w.forced[:0]
	if w.takeForced() {
		for v, missing := range w.missing {
			if missing == 0 && !w.in.has(v) {
				w.queue = append(w.queue, int32(v))
			}
		}
		w.extend(0)
	}
	for i := len(w.forced) - 1; i >= 0; i-- {
		w.give(w.forced[i])
	}
}

// takeForced puts into the stage what every target must have; false where that is too
// much.
func (w *walker) takeForced() bool {
	for i := range w.in {
		must := ^w.in[i]
		for _, t := range w.targets {
			must &= w.st.all[t.state].must[i]
		}
		for ; must != 0; must &= must - 1 {
			v := int32(i<<6 + bits.TrailingZeros64(must))
			w.take(v)
			w.forced = append(w.forced, v)
			if w.least > w.st.limit || w.bytes > w.class.bytes {
				return false
			}
		}
	}
	return true
}

// take puts a super-node into the stage.
func (w *walker) take(v int32) {
	time := w.class.time[v]
	load, least := w.load+time, w.least+time
	w.in.add(int(v))
	w.hash ^= w.k.hash[v]
	w.size++
	w.bytes += w.k.bytes[v]
	for _, e := range w.k.nets[v] {
		n := &w.net[e]
		if n.in == 0 {
			load += w.class.cost[e]
			if n.base+n.out > 0 {
				least += w.class.cost[e]
			}
		}
		if n.in++; n.in == n.size {
			load -= w.class.cost[e]
		}
	}
	for _, u := range w.k.succs[v] {
		w.missing[u]--
	}
	for _, a := range w.acts {
		w.rest[a] -= w.st.weights[a].weight[v]
	}
	w.load, w.least = load, least
}

// give takes a super-node out of the stage again.
func (w *walker) give(v int32) {
	time := w.class.time[v]
	load, least := w.load-time, w.least-time
	w.in.drop(int(v))
	w.hash ^= w.k.hash[v]
	w.size--
	w.bytes -= w.k.bytes[v]
	for _, e := range w.k.nets[v] {
		n := &w.net[e]
		if n.in == n.size {
			load += w.class.cost[e]
		}
		if n.in--; n.in == 0 {
			load -= w.class.cost[e]
			if n.base+n.out > 0 {
				least -= w.class.cost[e]
			}
		}
	}
	for _, u := range w.k.succs[v] {
		w.missing[u]++
	}
	for _, a := range w.acts {
		w.rest[a] += w.st.weights[a].weight[v]
	}
	w.load, w.least = load, least
}

// refuse decides against a super-node that may come next, and so against all after it.
func (w *walker) refuse(v int32) {
	for _, e := range w.k.shut[v] {
		n := &w.net[e]
		if n.out++; n.base+n.out == 1 && n.in > 0 {
			w.least += w.class.cost[e]
		}
	}
	w.left = append(w.left, v)
}

// allowFrom takes back the latest decisions against.
func (w *walker) allowFrom(mark int) {
	for _, v := range w.left[mark:] {
		for _, e := range w.k.shut[v] {
			n := &w.net[e]
			if n.base+n.out == 1 && n.in > 0 {
				w.least -= w.class.cost[e]
			}
			n.out--
		}
	}
	w.left = w.left[:mark]
}

// stepsAWatch is the number of steps between two looks at the context.
const stepsAWatch = 1 << 12

// extend visits the stages that contain S and otherwise only what can follow from the
// super-nodes of the queue from a place on, each once.
func (w *walker) extend(from int) {
	if w.steps++; w.steps%stepsAWatch == 0 {
		select {
		case <-w.done:
			w.over = true
		default:
		}
	}
	to, mark := len(w.queue), len(w.left)
	for i := from; i < to && !w.over; i++ {
		v := w.queue[i]
		if w.least+w.class.time[v] <= w.st.limit && w.bytes+w.k.bytes[v] <= w.class.bytes {
			w.take(v)
			if w.least <= w.st.limit {
				w.queue = append(w.queue, w.queue[i+1:to]...)
				for _, u := range w.k.succs[v] {
					if w.missing[u] == 0 {
						w.queue = append(w.queue, u)
					}
				}
				w.extend(to)
				w.queue = w.queue[:to]
			}
			w.give(v)
		}
		if w.refuse(v); w.least > w.st.limit {
			w.allowFrom(mark)
			return
		}
	}
	if w.load <= w.st.limit && !w.over {
		w.arrive()
	}
	w.allowFrom(mark)
}

// arrive notes the ideal of I and S for the targets from which the rest can fit.
func (w *walker) arrive() {
	from := int32(len(w.suits))
	for _, t := range w.targets {
		if w.fits(&w.st.all[t.state]) {
			w.suits = append(w.suits, t)
		}
	}
	if int(from) == len(w.suits) {
		return
	}
	for _, v := range w.left {
		if w.fitsToo(v) && w.welcome(v) {
			w.suits = w.suits[:from]
			return
		}
	}
	w.found = append(w.found, arrival{hash: w.hash, size: w.size, from: from, to: int32(len(w.suits))})
	if !w.k.chain {
		w.sets = append(w.sets, w.in...)
	}
}

// fits reports whether what is not in I ∪ S may fit the devices left.
func (w *walker) fits(s *state) bool {
	if s.last {
		return int(w.size) == w.k.n
	}
	for i, a := range s.acts {
		if w.rest[a] > s.caps[i] {
			return false
		}
	}
	return true
}

// fitsToo reports whether the stage can have one more super-node.
func (w *walker) fitsToo(v int32) bool {
	if w.class.time[v] == never || w.bytes+w.k.bytes[v] > w.class.bytes {
		return false
	}
	load := w.load + w.class.time[v]
	for _, e := range w.k.nets[v] {
		switch n := &w.net[e]; n.in {
		case 0:
			load += w.class.cost[e]
		case n.size - 1:
			load -= w.class.cost[e]
		}
	}
	return load <= w.st.limit
}

// welcome reports whether no later stage that holds v can have a larger load without
// it, whatever else it holds: then an ideal with v is at least as good to go on from.
// Such a stage loses the work of v and the outputs that all other pins of lie in I ∪ S;
// it may have to cut those that have no pin there. Other stages see no difference, for
// an output costs a stage by what the stage holds of it.
func (w *walker) welcome(v int32) bool {
	for c := range w.k.classes {
		class := &w.k.classes[c]
		if class.count == 0 || class.time[v] == never {
			continue
		}
		gain := class.time[v]
		for _, e := range w.k.nets[v] {
			switch n := &w.net[e]; n.base + n.in {
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
