package encode

import (
	"cmp"
	"math"
	"slices"

	"partita/solver/path"
)

const (
	// beamWidth is the number of partial paths kept at a node and beamReach the number
	// of arcs out of a node that are followed. On the measured families they find a
	// path within a few per cent of the optimum; a width of 16 often finds none that
	// uses every GPU of three pools.
	beamWidth, beamReach = 64, 96
	// beamSteps is the number of price steps before a beam: prices within some per
	// cent are enough to guide it.
	beamSteps = 30
)

// partial is a path from the first node, with what it has used.
type partial struct {
	value int64 // priced, with the least price of the rest of the way
	used  []int32
	arc   int32 // last arc
	prev  *partial
}

// firstIncumbent looks for a path by beams under falling upper ends of T: wide windows
// find the paths that trade the bottleneck for the sum, narrow ones the balanced. It
// proves nothing, and may find nothing.
func (s *search) firstIncumbent(root *box) {
	const coarse, fine = 10, 4 // windows on the way down, halvings of the last one
	found, failed := 1.0, 0.0
	for i := coarse; i >= 0 && !s.n.ended(); i-- {
		share := float64(i) / coarse
		if s.beamUnder(root, share) {
			found = share
		} else if share < found && s.best != nil && s.n.p.BalanceNum == 0 {
			failed = share
			break // narrower windows hold even less
		}
	}
	for range fine {
		if s.n.ended() {
			return
		}
		if middle := (found + failed) / 2; s.beamUnder(root, middle) {
			found = middle
		} else {
			failed = middle
		}
	}
}

// beamUnder tries a beam with T at most lo·(hi/lo)^share in the phases in which T
// matters, and says whether it came upon any path.
func (s *search) beamUnder(root *box, share float64) bool {
	b := &box{window: root.window, arcs: root.arcs}
	balance := balanceConstraint{s.n.p}
	for p := range b.window {
		w := &b.window[p]
		if s.slope(p) > 0 || p == 1 && s.n.p.BalanceNum > 0 {
			low := max(1, float64(w.lo))
			w.hi = min(w.hi, int64(low*math.Pow(float64(w.hi)/low, share))+1)
		}
	}
	// Every arc that passes at the upper end is balanced with every other one.
	b.arcs = slices.DeleteFunc(slices.Clone(b.arcs), func(i int32) bool {
		return !balance.admits(s.n.arcs[i].time[1], b.window[1].hi)
	})
	return s.filter(b) && s.beam(b)
}

// beam extends partial paths boundary by boundary, keeps at each node those of the
// least priced value, one for each use of the resources, and offers complete paths. It
// says whether the problem allows one of them.
func (s *search) beam(b *box) (found bool) {
	n, p := s.n, s.n.p
	k := known{p: p, cutoff: path.NoLimit, low: [2]int64{b.window[0].lo, b.window[1].lo}}
	k.sum = k.low
	forms := s.objective.forms(k)
	offer := func(arcs []int32) bool {
		ok := s.foundArcs(arcs)
		found = found || ok
		return ok
	}
	d := n.ascend(b.arcs, &forms[0], s.rows(k), k, nil, beamSteps, offer)
	if n.ended() {
		return found
	}
	n.remaining(b.arcs, &d.form.form, s.w.back)
	out := make([][]int32, n.nodes)
	for _, i := range b.arcs {
		out[n.arcs[i].from] = append(out[n.arcs[i].from], i)
	}
	states := make([]map[uint64]*partial, n.nodes)
	states[0] = map[uint64]*partial{0: {used: make([]int32, len(p.Resources)), arc: -1}}
	for v := range n.nodes - 1 {
		if n.ended() {
			return found
		}
		best := s.narrowest(states[v])
		price := func(i int32) int64 { return d.form.of(&n.arcs[i]) + s.w.back[n.arcs[i].to] }
		slices.SortStableFunc(out[v], func(i, j int32) int { return cmp.Compare(price(i), price(j)) })
		for _, from := range best {
			for _, i := range out[v][:min(len(out[v]), beamReach)] {
				s.extend(states, from, i, from.value-s.w.back[v]+price(i))
			}
		}
		states[v] = nil
	}
	for _, end := range s.narrowest(states[n.nodes-1]) {
		var arcs []int32
		for q := end; q.arc >= 0; q = q.prev {
			arcs = append(arcs, q.arc)
		}
		offer(arcs)
	}
	return found
}

// extend adds the arc to a partial path, where the resources last.
func (s *search) extend(states []map[uint64]*partial, from *partial, i int32, value int64) {
	a := &s.n.arcs[i]
	if int(from.used[a.resource]+a.units) > s.n.p.Resources[a.resource].Capacity {
		return
	}
	// FNV-1a over the counts; a collision loses a candidate, nothing more.
	key := uint64(14695981039346656037)
	for r, u := range from.used {
		if r == int(a.resource) {
			u += a.units
		}
		key = (key ^ uint64(u)) * 1099511628211
	}
	if known := states[a.to][key]; known != nil && known.value <= value {
		return
	}
	if states[a.to] == nil {
		states[a.to] = map[uint64]*partial{}
	}
	used := slices.Clone(from.used)
	used[a.resource] += a.units
	states[a.to][key] = &partial{value: value, used: used, arc: i, prev: from}
}

// narrowest keeps the beamWidth best of the partial paths, in a fixed order.
func (s *search) narrowest(states map[uint64]*partial) []*partial {
	list := make([]*partial, 0, len(states))
	for _, q := range states {
		list = append(list, q)
	}
	slices.SortFunc(list, func(a, b *partial) int {
		return cmp.Or(cmp.Compare(a.value, b.value), slices.Compare(a.used, b.used), cmp.Compare(a.arc, b.arc))
	})
	return list[:min(len(list), beamWidth)]
}
