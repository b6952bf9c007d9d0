package encode

import (
	"cmp"
	"container/heap"
	"errors"
	"slices"

	"partita/solver/path"
)

const (
	// firstSteps and laterSteps bound the prices tried for a box: a box made from
	// another starts with those of that one. The search for prices ends by itself,
	// mostly after a third of them.
	firstSteps, laterSteps = 200, 100
	// fewArcs is a model that backends settle in milliseconds: no splitting before.
	fewArcs = 60
)

func ascentSteps(b *box) int {
	if b.prices == nil {
		return firstSteps
	}
	return laterSteps
}

// presplit says where to split a box before any backend sees it: while the windows
// alone still account for much of the gap between bound and cutoff, halving them is
// far cheaper than a call.
func (s *search) presplit(b *box) (phase int, at int64, ok bool) {
	if s.cutoff == path.NoLimit || len(b.arcs) <= fewArcs {
		return 0, 0, false
	}
	gap, most := s.cutoff-b.bound, int64(0)
	for p, w := range b.window {
		if v := s.slope(p) * (w.hi - w.lo); v > most && v*4 > gap {
			if t, splits := s.middle(p, w); splits {
				phase, at, ok, most = p, t, true, v
			}
		}
	}
	return phase, at, ok
}

// bisect says where to halve a box: the phase in which T moves the objective most, or
// else decides about the balance.
func (s *search) bisect(b *box) (phase int, at int64, ok bool) {
	most := int64(-1)
	for p, w := range b.window {
		v := s.slope(p) * (w.hi - w.lo)
		if v == 0 && (p == 0 || s.n.p.BalanceNum == 0) || v <= most {
			continue
		}
		if t, splits := s.middle(p, w); splits {
			phase, at, ok, most = p, t, true, v
		}
	}
	return phase, at, ok
}

// slope is how much the objective can grow with T of the phase.
func (s *search) slope(p int) int64 {
	return s.n.p.Weight[p] * max(s.n.p.Phases[p].Peak, s.n.p.Phases[p].Rate)
}

// middle is the first distinct time above the middle of the window.
func (s *search) middle(p int, w window) (int64, bool) {
	times := s.times[p]
	i, _ := slices.BinarySearch(times, w.lo+(w.hi-w.lo)/2+1)
	if i < len(times) && times[i] <= w.hi {
		return times[i], true
	}
	i-- // no time in the upper half: the last one of the lower half
	if i >= 0 && times[i] > w.lo {
		return times[i], true
	}
	return 0, false
}

// split puts back the box in two parts: T of the phase below at, and at or above.
func (s *search) split(b *box, p int, at int64) {
	below, above := *b, *b
	below.waited, above.waited, below.half, above.half = false, false, true, false
	i, _ := slices.BinarySearch(s.times[p], at)
	above.window[p].lo = at
	s.push(&above)
	if i > 0 && s.times[p][i-1] >= b.window[p].lo {
		below.window[p].hi = s.times[p][i-1]
		s.push(&below)
	}
}

// branch splits the box at a path that its model admits but that is no solution better
// than the cutoff: some T of the path is above the lower end of its window.
func (s *search) branch(b *box, stages []path.Stage) error {
	p := s.n.p
	v := p.Value(stages)
	phase, worst := -1, int64(-1)
	for f := range b.window {
		above := v.Peak[f] - b.window[f].lo
		if above <= 0 {
			continue
		}
		// What the relaxation of this phase has hidden, in the objective.
		hidden := s.slope(f) * above
		if p.Limit[f] < v.Metric[f] || f == 1 && v.Low[1]*p.BalanceDen < v.Peak[1]*p.BalanceNum {
			hidden = path.NoLimit
		}
		if hidden > worst {
			phase, worst = f, hidden
		}
	}
	if phase < 0 {
		_, err := p.Evaluate(stages)
		return errors.Join(errors.New("the model of a box admits a path that is no solution, although it is exact there"), err)
	}
	at, ok := s.middle(phase, window{b.window[phase].lo, v.Peak[phase]})
	if !ok {
		at = v.Peak[phase]
	}
	s.split(b, phase, at)
	return nil
}

func (s *search) push(b *box) {
	b.order = s.made
	s.made++
	heap.Push(&s.open, b)
}

// distinctTimes are the values that T of each phase can have. They are sorted in parts,
// between which the search can end.
func (n *network) distinctTimes(times *[2][]int64) {
	const part = 1 << 14
	for p := range times {
		for from := 0; from < len(n.arcs) && !n.ended(); from += part {
			var some []int64
			for i := from; i < min(from+part, len(n.arcs)); i++ {
				some = append(some, n.arcs[i].time[p])
			}
			slices.Sort(some)
			times[p] = merge(times[p], slices.Compact(some))
		}
	}
}

// merge unites two ascending lists of distinct numbers.
func merge(a, b []int64) []int64 {
	out := make([]int64, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch cmp.Compare(a[0], b[0]) {
		case -1:
			out, a = append(out, a[0]), a[1:]
		case 1:
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, a[0]), a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// queue is the open boxes, the smallest bound first, then the older.
type queue []*box

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[i].bound, q[j].bound), cmp.Compare(q[i].order, q[j].order)) < 0
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(b any)   { *q = append(*q, b.(*box)) }
func (q *queue) Pop() any {
	old := *q
	b := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return b
}
