package encode

import (
	"slices"

	"partita/solver/path"
)

// window is a range of bottleneck times, both ends included.
type window struct{ lo, hi int64 }

// box is one branch of the search: paths with T of each phase in its window. Within
// it every condition is taken with T at the lower end, which is exact for the paths
// that have it and a relaxation for the others.
type box struct {
	window [2]window
	arcs   []int32          // those that can be on a path better than the cutoff
	prices map[string]int64 // multipliers by row, where the next ascent starts
	bound  int64            // no path of the box has a smaller objective
	order  int              // creation, for a stable queue
	waited bool             // put back once for a more promising one
	half   bool             // lower half of a bisection
}

// tighten shrinks the box without losing a path better than the cutoff: arcs and the
// ends of the windows. It returns false where nothing is left. steps is the number of
// price steps of the Lagrangian bound.
func (s *search) tighten(b *box, steps int) bool {
	for pass := 0; ; pass++ {
		windows, arcs := b.window, len(b.arcs)
		if s.n.ended() {
			return true // the bound that there is stands
		}
		if !s.filter(b) {
			return false
		}
		k, open := s.narrow(b)
		if !open || !s.fix(b, k, steps) {
			return false
		}
		if pass >= 2 || windows == b.window && len(b.arcs)*10 >= arcs*9 {
			return s.filter(b)
		}
		steps = max(10, steps/4)
	}
}

// filter drops arcs that the windows exclude and raises the lower ends to the
// shortest bottleneck that the others allow.
func (s *search) filter(b *box) bool {
	n, balance := s.n, balanceConstraint{s.n.p}
	for {
		kept := b.arcs[:0:0]
		for _, i := range b.arcs {
			a := &n.arcs[i]
			if a.time[0] <= b.window[0].hi && a.time[1] <= b.window[1].hi && balance.admits(a.time[1], b.window[1].lo) {
				kept = append(kept, i)
			}
		}
		b.arcs = n.reachable(kept)
		raised := false
		for p := range b.window {
			w := &b.window[p]
			low, ok := n.bottleneck(b.arcs, p, s.w.dist)
			if !ok || low > w.hi {
				return false
			}
			if low > w.lo {
				w.lo, raised = low, true
			}
		}
		if !raised || n.p.BalanceNum == 0 {
			return true
		}
	}
}

// narrow bounds the objective and the limited metrics from below, one form at a time,
// and lowers the upper ends of the windows accordingly.
func (s *search) narrow(b *box) (k known, open bool) {
	p := s.n.p
	k = known{p: p, cutoff: s.cutoff}
	for f := range b.window {
		k.low[f] = b.window[f].lo
		var sum form
		sum.time[f] = 1
		k.sum[f] = max(k.low[f], s.n.shortest(b.arcs, &sum, s.w.dist, s.w.via))
	}
	below := func(forms []form, most int64) bool {
		for i := range forms {
			value := s.n.shortest(b.arcs, &forms[i], s.w.dist, s.w.via) + forms[i].at(k.low)
			if most != path.NoLimit && !s.lower(b, &forms[i], value, most) {
				return false
			}
		}
		return true
	}
	for f, limit := range p.Limit {
		if weight := [2]int64{}; limit != path.NoLimit {
			weight[f] = 1
			if !below(metricForms(p, weight, 0, rateMayWin(p)), limit) {
				return k, false
			}
		}
	}
	if p.Cap != nil && !below(metricForms(p, p.Cap.Weight, 0, rateMayWin(p)), p.Cap.Max) {
		return k, false
	}
	most := int64(path.NoLimit)
	if s.cutoff != path.NoLimit {
		most = s.cutoff - 1
	}
	return k, below(metricForms(p, p.Weight, s.objective.fee, rateMayWin(p)), most)
}

// lower cuts the windows of a box in which the form is at least value, when it must
// not exceed most: T above its lower end adds to the value.
func (s *search) lower(b *box, f *form, value, most int64) bool {
	if value > most {
		return false
	}
	for p, c := range f.peak {
		if c > 0 {
			w := &b.window[p]
			w.hi = min(w.hi, w.lo+(most-value)/c)
		}
	}
	return true
}

// fix is Lagrangian fixing: it prices the rows, takes the dual value as the bound of
// the box, and drops the arcs over which no path is better than the cutoff.
func (s *search) fix(b *box, k known, steps int) bool {
	n := s.n
	rows := s.rows(k)
	forms := s.objective.forms(k)
	// The form with the largest value alone is the one to price; any of them bounds J.
	main, most := 0, int64(-unreachable)
	for i := range forms {
		if v := n.shortest(b.arcs, &forms[i], s.w.dist, s.w.via) + forms[i].at(k.low); v > most {
			main, most = i, v
		}
	}
	b.bound = max(b.bound, min(most, s.cutoff))
	start := make([]int64, len(rows))
	for j, r := range rows {
		start[j] = b.prices[r.name]
	}
	d := n.ascend(b.arcs, &forms[main], rows, k, start, steps, s.foundArcs)
	b.prices = make(map[string]int64, len(rows))
	for j, r := range rows {
		b.prices[r.name] = d.u[j]
	}
	b.bound = max(b.bound, min(d.bound(), s.cutoff))
	if s.cutoff == path.NoLimit {
		return true
	}
	if b.bound >= s.cutoff || !s.lower(b, &forms[main], d.bound(), s.cutoff-1) {
		return false
	}
	n.shortest(b.arcs, &d.form.form, s.w.dist, s.w.via)
	n.remaining(b.arcs, &d.form.form, s.w.back)
	limit := (s.cutoff-1)*priceUnit - d.form.constant
	b.arcs = slices.DeleteFunc(slices.Clone(b.arcs), func(i int32) bool {
		a := &n.arcs[i]
		return s.w.dist[a.from]+d.form.of(a)+s.w.back[a.to] > limit
	})
	return len(b.arcs) > 0
}

// rows are the priced conditions of a box: all but the path itself and the packing of
// sizes that counting does not settle.
func (s *search) rows(k known) []row {
	var rows []row
	for _, c := range s.constraints {
		if l, ok := c.(linear); ok {
			rows = append(rows, l.rows(k)...)
		}
	}
	return rows
}
