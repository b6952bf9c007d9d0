package ideals

import (
	"context"
	"math/bits"
	"slices"
)

// walker expands ideals: it visits the stages above one and collects what they reach.
type walker struct {
	position
	ahead
	st      *states
	tab     *table
	done    <-chan struct{}
	bounds  bounds
	stop    decision // why the walk ended early; no: it did not
	looked  int64    // steps since the context was looked at
	measure int64    // steps at which the bounds are looked at

	targets []target
	queue   []int32 // stack of lists of super-nodes that may come next
	left    []int32 // those decided against: at a leaf, all that may come next
	forced  []int32 // what every target must have
	harvest
}

// bounds of an expansion, after which the search gives up.
type bounds struct {
	steps int64 // stages visited
	bytes int64 // of what they reach
}

// target is a label of the base and the state with one more device: what a walk makes.
type target struct {
	label, state int32
	// promise is the part of the devices left that what remains can spare.
	promise float64
}

// harvest is what an expansion has found.
type harvest struct {
	found []arrival
	suits []target // of the arrivals
	sets  []uint64
	steps int64
	ideal bool // some label was worth expanding
	cut   bool // labels were left out for the beam
}

// arrival is an ideal that a stage reaches, with the targets that it suits.
type arrival struct {
	hash     uint64
	size     int32
	class    int32
	from, to int32   // in suits
	promise  float64 // the largest of its targets
}

func newWalker(ctx context.Context, k *core, st *states, tab *table, b bounds) *walker {
	w := &walker{position: *newPosition(k, st.weights), st: st, tab: tab, done: ctx.Done(), bounds: b}
	w.lookAhead()
	return w
}

// walk visits every stage above the base that a device of a class can run within the
// limit, and notes those that some target can go on from unless a larger one is as good.
func (w *walker) walk(c int, targets []target) {
	w.c, w.class, w.targets = c, &w.k.classes[c], targets
	w.load, w.least, w.bytes = 0, 0, 0
	w.acts = w.acts[:0]
	for _, t := range targets {
		for _, a := range w.st.all[t.state].acts {
			if !slices.Contains(w.acts, a) {
				w.acts = append(w.acts, a)
			}
		}
	}
	w.begin()
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

// refuse decides against a super-node that may come next, and so against all after it.
func (w *walker) refuse(v int32) {
	for _, e := range w.k.shut[v] {
		n := &w.net[e]
		if n.out++; n.base+n.out == 1 && n.in > 0 {
			w.least += w.class.cost[e]
		}
	}
	if w.looks {
		w.lose(v)
	}
	w.left = append(w.left, v)
}

// allowFrom takes back the latest decisions against.
func (w *walker) allowFrom(mark int) {
	if mark == len(w.left) {
		return
	}
	for _, v := range w.left[mark:] {
		for _, e := range w.k.shut[v] {
			n := &w.net[e]
			if n.base+n.out == 1 && n.in > 0 {
				w.least -= w.class.cost[e]
			}
			n.out--
		}
	}
	if w.looks {
		w.regain(mark)
	}
	w.left = w.left[:mark]
}

// extend visits the stages that contain S and otherwise only what can follow from the
// super-nodes of the queue from a place on, each once.
func (w *walker) extend(from int) {
	w.watch()
	if w.looks && w.outgrown() {
		return
	}
	to, mark := len(w.queue), len(w.left)
	for i := from; i < to && w.stop == no; i++ {
		v := w.queue[i]
		if w.least+w.class.time[v] <= w.st.limit && w.bytes+w.k.size.weight[v] <= w.class.bytes {
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
		if w.refuse(v); w.least > w.st.limit || w.looks && w.hopeless() {
			w.allowFrom(mark)
			return
		}
	}
	if w.load <= w.st.limit && w.stop == no {
		w.arrive()
	}
	w.allowFrom(mark)
}

// stepsAWatch is the number of steps between two looks at what ends a search.
const stepsAWatch = 1 << 12

// watch counts a step and ends the walk where it must end.
func (w *walker) watch() {
	if w.steps++; w.steps >= w.measure {
		w.measure = w.steps + stepsAWatch
		w.stop = w.bounds.judge(&w.harvest)
	}
	if w.looked++; w.looked >= stepsAWatch {
		w.looked = 0
		select {
		case <-w.done:
			w.stop = cancelled
		default:
		}
	}
}

// labelsAStep is the number of labels that are looked at in about the time of a step.
const labelsAStep = 16

// labour counts labels looked at.
func (w *walker) labour(labels int) {
	w.steps += int64(labels / labelsAStep)
	w.looked += int64(labels / labelsAStep)
}

// judge says whether an expansion is still within bounds.
func (b bounds) judge(h *harvest) decision {
	switch {
	case h.steps > b.steps:
		return tooLong
	case int64(8*len(h.sets)+16*len(h.suits)+32*len(h.found)) > b.bytes:
		return tooLarge
	}
	return no
}

// arrive notes the ideal of I and S for the targets from which the rest can fit.
func (w *walker) arrive() {
	from, promise := int32(len(w.suits)), 0.0
	w.labour(len(w.targets))
	for _, t := range w.targets {
		var fits bool
		if t.promise, fits = w.fits(&w.st.all[t.state]); fits {
			w.suits = append(w.suits, t)
			promise = max(promise, t.promise)
		}
	}
	if int(from) == len(w.suits) {
		return
	}
	for _, v := range w.left {
		if w.fitsToo(v, w.st.limit) && w.welcome(v) {
			w.suits = w.suits[:from]
			return
		}
	}
	w.found = append(w.found, arrival{hash: w.hash, size: w.size, class: int32(w.c), from: from, to: int32(len(w.suits)), promise: promise})
	if !w.k.chain {
		w.sets = append(w.sets, w.in...)
	}
}

// fits reports whether what is not in I ∪ S may fit the devices left, and what part of
// them that spares.
func (w *walker) fits(s *state) (spare float64, fits bool) {
	if s.last {
		return 0, int(w.size) == w.k.n
	}
	spare = 1
	for i, a := range s.acts {
		if w.rest[a] > s.caps[i] {
			return 0, false
		}
		spare = min(spare, 1-float64(w.rest[a])/float64(s.caps[i]+1))
	}
	return spare, true
}
