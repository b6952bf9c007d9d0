package scatter

import (
	"context"
	"math"
)

// splitter finds the best ways to split some clusters into two sides, inside and
// outside, under two sums that grow with the split (or fall, by the price of a cluster).
// It goes through the clusters in an order and keeps, for every state of the nets that
// are open between what was decided and what is to come, the Pareto front of the sums.
// Operator graphs are narrow: a handful of nets is open at a time.
type splitter struct {
	vertices []splitVertex
	steps    [][]splitPin // per vertex
	limit    int          // labels kept per state
	loose    bool         // thin by joining labels into one better than both: a bound
	capIn    int64        // sums from here on are of no use
	capOut   int64

	labels  int64 // gone through so far: the measure of effort
	parents []int32
	starts  []int
	cur     []splitGroup
	next    []splitGroup
	index   map[uint64]int32
	spare   []splitLabel
}

// splitVertex is a cluster: what it adds to the two sums on either side.
type splitVertex struct {
	in, out   [2]int64 // by side: 0 outside, 1 inside
	forbidden [2]bool
}

// splitPin is a pin of a net that is open at a vertex.
type splitPin struct {
	slot        uint8
	source      bool
	last        bool
	cost        [2]int64 // to the sum of inside and of outside
	outerSource bool     // the source is on a third device
	outerSink   bool     // a sink is on a third device
}

// splitLabel is a way to decide all clusters so far.
type splitLabel struct {
	in, out int64
	parent  int32 // label before, doubled, plus the side
}

// splitGroup is the Pareto front of a state: in ascending, out descending.
type splitGroup struct {
	key    uint64
	labels []splitLabel
	base   int32 // number of the first label among all of its vertex
}

// Slots are nibbles of the key: source (0 not seen, 1 outside, 2 inside), then whether
// a sink was seen outside (4) and inside (8); settled: nothing more can fall due.
const (
	maxSlots    = 16
	sinkOutside = 4
	sinkInside  = 8
	settled     = 3
)

// due says whether inside and outside pay for a net in a state of its pins, whatever is
// to come.
func due(state uint64, pin *splitPin) (in, out bool) {
	seenOut, seenIn := state&sinkOutside != 0, state&sinkInside != 0
	switch {
	case pin.outerSource:
		return seenIn, seenOut
	case state&3 == 2:
		return seenOut || pin.outerSink, seenOut
	case state&3 == 1:
		return seenIn, seenIn || pin.outerSink
	default:
		return seenIn && (seenOut || pin.outerSink), seenOut && (seenIn || pin.outerSink)
	}
}

// after is the key once a vertex is on a side, and what falls due to inside and outside.
func after(key uint64, pins []splitPin, side int) (next uint64, in, out int64) {
	for i := range pins {
		pin := &pins[i]
		shift := 4 * uint(pin.slot)
		state := key >> shift & 15
		if state != settled {
			was0, was1 := due(state, pin)
			switch {
			case pin.source:
				state |= uint64(1 + side)
			case side == 1:
				state |= sinkInside
			default:
				state |= sinkOutside
			}
			now0, now1 := due(state, pin)
			if now0 && !was0 {
				in += pin.cost[0]
			}
			if now1 && !was1 {
				out += pin.cost[1]
			}
			if (now0 || pin.cost[0] == 0) && (now1 || pin.cost[1] == 0) {
				state = settled
			}
		}
		if pin.last {
			state = 0
		}
		key = key&^(15<<shift) | state<<shift
	}
	return key, in, out
}

// run goes through all vertices and returns the Pareto front of the whole, as labels
// for trace; nil where no split stays under the caps. It stops early, without a front
// and with false, once the context is done or more than effort labels were made.
func (s *splitter) run(ctx context.Context, effort int64) ([]splitLabel, bool) {
	s.parents, s.starts = s.parents[:0], s.starts[:0]
	if s.index == nil {
		s.index = map[uint64]int32{}
	}
	s.cur = append(s.cur[:0], splitGroup{labels: []splitLabel{{parent: -1}}})
	stop := s.labels + effort
	for v := range s.vertices {
		some, stopped := s.advance(ctx, v, stop)
		switch {
		case stopped:
			return nil, false
		case !some:
			return nil, true
		}
	}
	front := s.cur[0].labels // every net is closed: one state is left
	for i := range front {
		front[i].parent = s.cur[0].base + int32(i)
	}
	return front, true
}

// advance decides one vertex. some: something stays under the caps; stopped: the context
// is done or the labels were too many.
func (s *splitter) advance(ctx context.Context, v int, stop int64) (some, stopped bool) {
	vertex, pins := &s.vertices[v], s.steps[v]
	clear(s.index)
	s.next = s.next[:0]
	for g := range s.cur {
		group := &s.cur[g]
		s.labels += 1 + int64(len(group.labels))
		if s.labels > stop || ctx.Err() != nil {
			return false, true
		}
		for side := range 2 {
			if vertex.forbidden[side] {
				continue
			}
			key, in, out := after(group.key, pins, side)
			in += vertex.in[side]
			out += vertex.out[side]
			s.merge(key, group, in, out, int32(side))
		}
	}
	total := int32(0)
	s.starts = append(s.starts, len(s.parents))
	kept := 0
	for i := range s.next {
		if len(s.next[i].labels) == 0 {
			continue
		}
		// Swapped, not copied: every group keeps room of its own.
		s.next[kept], s.next[i] = s.next[i], s.next[kept]
		g := &s.next[kept]
		kept++
		if len(g.labels) > s.limit {
			g.labels = s.thin(g.labels)
		}
		g.base = total
		total += int32(len(g.labels))
		for i := range g.labels {
			s.parents = append(s.parents, g.labels[i].parent)
		}
	}
	s.cur, s.next = s.next[:kept], s.cur
	return total > 0, false
}

// merge adds the labels of a group, moved on by what a side costs, to the front of a
// state.
func (s *splitter) merge(key uint64, from *splitGroup, in, out int64, side int32) {
	i, seen := s.index[key]
	if !seen {
		i = int32(len(s.next))
		s.index[key] = i
		if len(s.next) < cap(s.next) { // takes the room of a group of two vertices ago
			s.next = s.next[:i+1]
			s.next[i].key, s.next[i].labels = key, s.next[i].labels[:0]
		} else {
			s.next = append(s.next, splitGroup{key: key})
		}
	}
	to := &s.next[i]
	old := to.labels
	merged := s.spare[:0]
	least := int64(math.MaxInt64)
	a, b := 0, 0
	for a < len(old) || b < len(from.labels) {
		var l splitLabel
		if b == len(from.labels) {
			l = old[a]
			a++
		} else {
			l = splitLabel{from.labels[b].in + in, from.labels[b].out + out, (from.base+int32(b))*2 + side}
			if a < len(old) && (old[a].in < l.in || old[a].in == l.in && old[a].out <= l.out) {
				l = old[a]
				a++
			} else {
				b++
			}
		}
		if l.in >= s.capIn {
			break
		}
		if l.out < least {
			least = l.out
			if l.out < s.capOut {
				merged = append(merged, l)
			}
		}
	}
	s.spare, to.labels = old, merged
}

// thin leaves no more than limit labels, spread evenly over the first sum. Where the
// front is to stay a bound, a label takes the least of both sums of those it stands for.
func (s *splitter) thin(labels []splitLabel) []splitLabel {
	lo, hi := labels[0].in, labels[len(labels)-1].in
	width := (hi-lo)/int64(s.limit) + 1
	kept := labels[:0]
	for i := 0; i < len(labels); {
		end := lo + ((labels[i].in-lo)/width+1)*width
		j := i
		for j+1 < len(labels) && labels[j+1].in < end {
			j++
		}
		l := labels[j] // the last has the least second sum
		if s.loose {
			l.in = labels[i].in
		}
		kept = append(kept, l)
		i = j + 1
	}
	return kept
}

// trace fills the side of every vertex of a label of the front.
func (s *splitter) trace(l splitLabel, side []uint8) {
	at := l.parent
	for v := len(s.vertices) - 1; v >= 0; v-- {
		p := s.parents[s.starts[v]+int(at)]
		side[v] = uint8(p & 1)
		at = p >> 1
	}
}
