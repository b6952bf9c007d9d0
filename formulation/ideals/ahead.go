package ideals

import (
	"math/bits"
	"slices"
)

// ahead is what a walk knows of the stages that can still come of the one at hand:
// super-nodes that it decided against are lost to them, with all that follows. It gives
// up where too much is lost for the devices left, and where a super-node that would be
// welcome fits whatever else comes, for then every such stage is as good with it.
type ahead struct {
	looks   bool
	grows   bool  // the walk's class has a growth
	largest int64 // bytes of a super-node

	lost    bitset   // super-nodes
	sum     []int64  // by measure, of those lost
	nearest int64    // least that one of the welcome super-nodes decided against can add
	words   []uint64 // stack of lost
	sums    []int64  // stack of sums and nearest
}

// growths reports whether the core knows what the growth of its classes adds up to for
// what follows a super-node.
func (k *core) growths() bool { return !k.chain && k.after != nil && k.n <= largestTail }

// lookAhead prepares what is used in all walks.
func (w *walker) lookAhead() {
	if w.looks = w.k.growths(); !w.looks {
		return
	}
	w.lost, w.sum = make(bitset, w.k.words), make([]int64, len(w.measures))
	w.largest = slices.Max(w.k.size.weight)
}

func (w *walker) growthMeasure() int32 { return int32(len(w.weights) + w.c) }
func (w *walker) sizeMeasure() int32   { return int32(len(w.measures) - 1) }

// begin starts a walk of a class.
func (w *walker) begin() {
	if !w.looks {
		return
	}
	w.nearest, w.words, w.sums = never, w.words[:0], w.sums[:0]
	if w.grows = w.class.growth.sum > 0; w.grows {
		w.acts = append(w.acts, w.growthMeasure(), w.sizeMeasure())
	}
}

// lose notes that a super-node and what follows it are in no stage to come.
func (w *walker) lose(v int32) {
	w.words = append(w.words, w.lost...)
	for _, a := range w.acts {
		w.sums = append(w.sums, w.sum[a])
	}
	w.sums = append(w.sums, w.nearest)
	if len(w.left) == 0 {
		copy(w.lost, w.k.after[v])
		for _, a := range w.acts {
			w.sum[a] = w.measures[a].tail[v]
		}
	} else {
		for i, word := range w.k.after[v] {
			word &^= w.lost[i]
			w.lost[i] |= word
			for ; word != 0; word &= word - 1 {
				u := i<<6 + bits.TrailingZeros64(word)
				for _, a := range w.acts {
					w.sum[a] += w.measures[a].weight[u]
				}
			}
		}
	}
	if w.grows && w.class.time[v] < w.nearest && w.welcome(v) {
		adds := w.class.time[v]
		for _, e := range w.k.nets[v] {
			if w.net[e].in == 0 {
				adds += w.class.cost[e]
			}
		}
		w.nearest = min(w.nearest, adds)
	}
}

// regain takes back all but the first decisions against.
func (w *walker) regain(mark int) {
	if mark > 0 {
		copy(w.lost, w.words[mark*w.k.words:])
	}
	sums := w.sums[mark*(len(w.acts)+1):]
	for i, a := range w.acts {
		w.sum[a] = sums[i]
	}
	w.nearest = sums[len(w.acts)]
	w.words = w.words[:mark*w.k.words]
	w.sums = w.sums[:mark*(len(w.acts)+1)]
}

// hopeless reports whether no stage to come is worth noting.
func (w *walker) hopeless() bool { return w.outgrown() || w.tooMuchLost() }

// tooMuchLost reports whether what is lost does not fit the devices of any target.
func (w *walker) tooMuchLost() bool {
	for _, t := range w.targets {
		s, fits := &w.st.all[t.state], true
		if s.last { // nothing may be left
			continue
		}
		for i, a := range s.acts {
			fits = fits && w.sum[a] <= s.caps[i]
		}
		if fits {
			return false
		}
	}
	return true
}

// outgrown reports whether a welcome super-node fits every stage to come: they can have
// no more than the one at hand, what is neither taken nor lost, and the outputs of the
// base that they may receive.
func (w *walker) outgrown() bool {
	if !w.grows || w.nearest == never {
		return false
	}
	g, b := w.growthMeasure(), w.sizeMeasure()
	return w.load+w.open[w.c]+w.rest[g]-w.sum[g]+w.nearest <= w.st.limit &&
		w.bytes+w.rest[b]-w.sum[b]+w.largest <= w.class.bytes
}
