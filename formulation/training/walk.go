package training

import "math"

const far = math.MaxInt64 / 4

// trip is a path through a network: its arcs with their sum and maxima.
type trip struct {
	arcs      []int32
	sum, peak int64
	once      [2]int64
}

// add puts an arc behind the path.
func (t *trip) add(i int32, a *arc) {
	t.arcs = append(t.arcs, i)
	t.sum += a.time
	t.peak = max(t.peak, a.time)
	for k := range t.once {
		t.once[k] = max(t.once[k], a.once[k])
	}
}

// caps are bounds that every arc of a path must keep.
type caps struct {
	peak int64
	once [2]int64
}

var free = caps{far, [2]int64{far, far}}

// walker finds paths of a network by labels at its nodes.
type walker struct {
	n    *network
	cost []int64
	via  []int32
}

// figure is what a path is the least in.
type figure int

const (
	sumOfTimes   figure = iota // Λ
	peakOfTimes                // T
	peakOfSync                 // S
	peakOfUpdate               // U
)

// least is the path that is the least in a figure among those that keep the caps; nil
// where none does.
func (w *walker) least(f figure, c caps) *trip {
	n := w.n
	if n.end < 0 {
		return nil
	}
	if w.cost == nil {
		w.cost, w.via = make([]int64, n.nodes), make([]int32, n.nodes)
	}
	for i := range w.cost {
		w.cost[i], w.via[i] = far, -1
	}
	for _, s := range n.start {
		w.cost[s] = 0
	}
	for i := range n.arcs {
		a := &n.arcs[i]
		v := w.cost[a.from]
		if a.time > c.peak || a.once[0] > c.once[0] || a.once[1] > c.once[1] || v >= far {
			continue
		}
		switch f {
		case sumOfTimes:
			v += a.time
		case peakOfTimes:
			v = max(v, a.time)
		default:
			v = max(v, a.once[f-peakOfSync])
		}
		if v < w.cost[a.to] {
			w.cost[a.to], w.via[a.to] = v, int32(i)
		}
	}
	if w.cost[n.end] >= far {
		return nil
	}
	return w.back()
}

// back is the path that leads to the end.
func (w *walker) back() *trip {
	n := w.n
	length := 0
	for at := n.end; w.via[at] >= 0; at = n.arcs[w.via[at]].from {
		length++
	}
	list := make([]int32, length)
	for at := n.end; w.via[at] >= 0; at = n.arcs[w.via[at]].from {
		length--
		list[length] = w.via[at]
	}
	t := &trip{}
	for _, i := range list {
		t.add(i, &n.arcs[i])
	}
	return t
}

// search is the state of one search for the best path.
type search struct {
	walker
	most int64 // a path must be worth no more
	best *trip
	low  [2]int64 // least S and U of all paths
}

// best is the path with the least value that is at most most, nil where there is none.
//
// For bounds s on S and u on U every T that can pay is looked at, by a shortest path each.
// A path (Λ, T, S, U) within the bounds that is better than all found must have a smaller
// S than the path found at its T, so the next s is below the largest S that was seen; and
// so with U.
func (n *network) best(most int64) *trip {
	s := &search{walker: walker{n: n}, most: most}
	for k := range s.low {
		t := s.least(peakOfSync+figure(k), free)
		if t == nil {
			return nil
		}
		s.low[k] = t.once[k]
	}
	for c := free; c.once[1] >= s.low[1]; {
		seen := int64(-1)
		for c.once[0] = far; c.once[0] >= s.low[0]; {
			at := s.under(c)
			seen = max(seen, at[1])
			c.once[0] = at[0] - 1
		}
		c.once[1] = seen - 1
	}
	return s.best
}

// under looks at every T that can pay for a path within the caps. It returns the largest S
// and U of the paths seen, -1 where no T can pay.
func (s *search) under(c caps) (seen [2]int64) {
	seen = [2]int64{-1, -1}
	flat := s.least(peakOfTimes, c)
	if flat == nil {
		return seen
	}
	cheap := s.least(sumOfTimes, c)
	if s.pays(cheap) < flat.peak {
		return seen
	}
	look := func(peak int64) *trip {
		t := s.least(sumOfTimes, caps{peak, c.once})
		for k := range seen {
			seen[k] = max(seen[k], t.once[k])
		}
		if v := s.n.value(t.sum, t.peak, t.once); v <= s.most {
			s.best, s.most = t, v-1
		}
		return t
	}
	look(flat.peak) // a good one, which makes the largest T that can pay small
	for peak := int64(far); ; {
		if peak = min(peak, s.pays(cheap)); peak <= flat.peak {
			return seen
		}
		peak = look(peak).peak - 1
	}
}

// pays is the largest T that a path worth no more than most can have, where none has a
// smaller Λ than the cheapest; -1 where there is none.
func (s *search) pays(cheap *trip) int64 {
	left := s.most - cheap.sum - int64(s.n.s.Virtual)*(s.low[0]+s.low[1])
	switch weight := s.n.peakWeight(); {
	case left < 0:
		return -1
	case weight == 0:
		return far
	default:
		return left / weight
	}
}
