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
	layers   []splitLayer // the states before each vertex; the same for all prices
	limit    int          // labels kept per state
	loose    bool         // thin by joining labels into one better than both: a bound
	capIn    int64        // sums from here on are of no use
	capOut   int64
	cuts     []splitCut // what labels of use keep to besides

	labels  int64 // gone through so far: the measure of effort
	parents []int32
	starts  []int
	cur     []splitGroup
	next    []splitGroup
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
	labels []splitLabel
	base   int32 // number of the first label among all of its vertex
}

// splitLayer holds what a vertex on either side makes of the states before it.
type splitLayer struct {
	steps [][2]splitStep // by state, by side
}

// splitStep leads to a state after the vertex; what falls due of nets on the way.
type splitStep struct {
	to      int32
	in, out int64
}

// splitCut is a weighted sum of the two sums that is of use only up to most. least holds
// the least that is yet to come, by layer and state, so that labels are dropped as soon
// as they cannot stay under it.
type splitCut struct {
	in, out, most float64
	least         [][]float64
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

// mostStates bounds the states of all layers together.
const mostStates = 1 << 18

// explore lists the states; false: they are too many for a splitter to be of use.
func (s *splitter) explore() bool {
	keys := []uint64{0}
	total := 0
	s.layers = make([]splitLayer, len(s.vertices))
	for v := range s.vertices {
		index := map[uint64]int32{}
		var next []uint64
		steps := make([][2]splitStep, len(keys))
		for i, key := range keys {
			for side := range 2 {
				to, in, out := after(key, s.steps[v], side)
				at, seen := index[to]
				if !seen {
					at = int32(len(next))
					index[to] = at
					next = append(next, to)
				}
				steps[i][side] = splitStep{at, in, out}
			}
		}
		s.layers[v].steps = steps
		keys = next
		if total += len(keys); total > mostStates {
			return false
		}
	}
	return true // every net is closed: one state is left
}

// cut demands that a weighted sum of the two sums stays at or below most.
func (s *splitter) cut(in, out, most float64) {
	c := splitCut{in: in, out: out, most: most, least: s.least(in, out)}
	// What floats lose in adding up, some 1e-16 of all that is added at each step, must never
	// drop a label.
	all := math.Abs(most)
	for v := range s.vertices {
		for side := range 2 {
			all += math.Abs(in*float64(s.vertices[v].in[side])) + math.Abs(out*float64(s.vertices[v].out[side]))
		}
		for _, pin := range s.steps[v] {
			all += in*float64(pin.cost[0]) + out*float64(pin.cost[1])
		}
	}
	c.most += 1e-16 * float64(16+8*len(s.vertices)) * all
	s.cuts = append(s.cuts, c)
}

// least gives the least weighted sum from every state to the end, by layer and state.
func (s *splitter) least(in, out float64) [][]float64 {
	n := len(s.vertices)
	least := make([][]float64, n+1)
	least[n] = []float64{0}
	for v := n - 1; v >= 0; v-- {
		vertex := &s.vertices[v]
		least[v] = make([]float64, len(s.layers[v].steps))
		var own [2]float64
		for side := range 2 {
			own[side] = in*float64(vertex.in[side]) + out*float64(vertex.out[side])
			if vertex.forbidden[side] {
				own[side] = math.Inf(1)
			}
		}
		for i := range least[v] {
			best := math.Inf(1)
			for side := range 2 {
				step := &s.layers[v].steps[i][side]
				best = min(best, own[side]+in*float64(step.in)+out*float64(step.out)+least[v+1][step.to])
			}
			least[v][i] = best
		}
	}
	return least
}

// run goes through all vertices and returns the Pareto front of the whole, as labels
// for trace; nil where no split stays under the caps and cuts. It stops early, without a
// front and with false, once the context is done or more than effort labels were seen.
func (s *splitter) run(ctx context.Context, effort int64) ([]splitLabel, bool) {
	s.parents, s.starts = s.parents[:0], s.starts[:0]
	s.cur = room(s.cur, 1)
	s.cur[0].labels, s.cur[0].base = append(s.cur[0].labels, splitLabel{}), 0
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
	front := s.cur[0].labels
	for i := range front {
		front[i].parent = s.cur[0].base + int32(i)
	}
	return front, true
}

// borrow takes over the memory of another splitter, which is not used at the same time.
func (s *splitter) borrow(from *splitter) {
	s.parents, s.starts, s.cur, s.next, s.spare = from.parents, from.starts, from.cur, from.next, from.spare
}

// room gives n groups without labels, with the room of those that were there before.
func room(groups []splitGroup, n int) []splitGroup {
	groups = groups[:cap(groups)]
	for len(groups) < n {
		groups = append(groups, splitGroup{})
	}
	groups = groups[:n]
	for i := range groups {
		groups[i].labels = groups[i].labels[:0]
	}
	return groups
}

// advance decides one vertex. some: something stays under the caps; stopped: the context
// is done or the labels were too many.
func (s *splitter) advance(ctx context.Context, v int, stop int64) (some, stopped bool) {
	vertex, layer := &s.vertices[v], &s.layers[v]
	states := 1
	if v+1 < len(s.layers) {
		states = len(s.layers[v+1].steps)
	}
	s.next = room(s.next, states)
	for g := range s.cur {
		group := &s.cur[g]
		s.labels += 1 + int64(len(group.labels))
		if s.labels > stop || ctx.Err() != nil {
			return false, true
		}
		if len(group.labels) == 0 {
			continue
		}
		for side := range 2 {
			if !vertex.forbidden[side] {
				step := layer.steps[g][side]
				s.merge(v+1, int(step.to), group, step.in+vertex.in[side], step.out+vertex.out[side], int32(side))
			}
		}
	}
	total := int32(0)
	s.starts = append(s.starts, len(s.parents))
	for i := range s.next {
		g := &s.next[i]
		if len(g.labels) > s.limit {
			g.labels = s.thin(g.labels)
		}
		g.base = total
		total += int32(len(g.labels))
		for i := range g.labels {
			s.parents = append(s.parents, g.labels[i].parent)
		}
	}
	s.cur, s.next = s.next, s.cur
	return total > 0, false
}

// merge adds the labels of a group, moved on by what a side costs, to the front of a
// state of a layer.
func (s *splitter) merge(layer, state int, from *splitGroup, in, out int64, side int32) {
	to := &s.next[state]
	old := to.labels
	merged := s.spare[:0]
	least := int64(math.MaxInt64)
	a, b := 0, 0
	for a < len(old) || b < len(from.labels) {
		if b == len(from.labels) || a < len(old) && (old[a].in < from.labels[b].in+in || old[a].in == from.labels[b].in+in && old[a].out <= from.labels[b].out+out) {
			if old[a].out < least {
				least = old[a].out
				merged = append(merged, old[a])
			}
			a++
			continue
		}
		l := splitLabel{from.labels[b].in + in, from.labels[b].out + out, (from.base+int32(b))*2 + side}
		if l.in >= s.capIn {
			b = len(from.labels)
			continue
		}
		b++
		if l.out < least && l.out < s.capOut && s.useful(l, layer, state) {
			least = l.out
			merged = append(merged, l)
		}
	}
	s.spare, to.labels = old, merged
}

func (s *splitter) useful(l splitLabel, layer, state int) bool {
	for i := range s.cuts {
		c := &s.cuts[i]
		if c.in*float64(l.in)+c.out*float64(l.out)+c.least[layer][state] > c.most {
			return false
		}
	}
	return true
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
