package encode

import (
	"context"
	"fmt"
	"slices"

	"partita/solver"
	"partita/solver/path"
)

// cover is a small relaxation of a box whose objective is the bottleneck alone, so
// that any path under the upper end of the window will do. Of the arcs that leave a
// node for the same kind of successor with the same units of the same resource it has
// the longest only, and free arcs lead back from a boundary to the one before:
//
//	longest arc a → b*, back b → b−1 → … → b'    in place of every arc a → b', b' ≤ b*
//
// Every path of the box is a path of the cover with the same counts, whether or not
// times grow with the interval; so where the cover has none, the box has none. Times
// are gone, exact counts are upper bounds, and the objective is the units used.
type cover struct {
	arcs []int32
	rows []row
}

// coverOf is the cover of a box; ok is false where the objective depends on more than
// the bottleneck, or the cover would not be smaller.
func (s *search) coverOf(b *box, k known) (c cover, ok bool) {
	for _, f := range s.objective.forms(k) {
		if !f.constant() {
			return cover{}, false
		}
	}
	type key struct{ from, resource, units, kind int32 }
	longest := map[key]int{} // position in c.arcs
	for _, i := range b.arcs {
		a := &s.n.arcs[i]
		at := key{a.from, a.resource, a.units, s.n.successor(a)}
		if j, known := longest[at]; !known {
			longest[at] = len(c.arcs)
			c.arcs = append(c.arcs, i)
		} else if s.n.arcs[c.arcs[j]].end < a.end {
			c.arcs[j] = i
		}
	}
	for _, r := range s.rows(k) {
		if r.form.time == [2]int64{} {
			r.equal = false
			c.rows = append(c.rows, r)
		}
	}
	return c, len(c.arcs) < len(b.arcs)
}

// successor is the kind of the node that the arc leads to, -1 for the last node: from
// there no arc leads back, since the last stage sends nothing.
func (n *network) successor(a *arc) int32 {
	if int(a.to) == n.nodes-1 {
		return -1
	}
	return (a.to - 1) % int32(n.kinds)
}

// refute asks the backend for a path of the cover. closed: there is none. Otherwise
// the path is offered, cut to size where its stages overlap.
func (s *search) refute(ctx context.Context, b *box, k known, c cover) (closed bool, err error) {
	m := newBuilder("cover", s.n, c.arcs, k)
	if s.n.ended() {
		return false, stop{status: solver.ContextStatus(s.n.ctx)}
	}
	diff := make([]solver.Expr, s.n.nodes)
	for i, j := range c.arcs {
		a := &s.n.arcs[j]
		diff[a.from], diff[a.to] = diff[a.from].Add(-1, m.x[i]), diff[a.to].Add(1, m.x[i])
	}
	for v := 1 + s.n.kinds; v < s.n.nodes-1; v++ {
		back := m.m.Int(fmt.Sprintf("back_%d", v), 0, int64(s.n.p.Boundaries))
		diff[v], diff[v-s.n.kinds] = diff[v].Add(-1, back), diff[v-s.n.kinds].Add(1, back)
	}
	m.m.Equal("path_0", diff[0], -1)
	for v := 1; v < s.n.nodes-1; v++ {
		m.m.Equal(fmt.Sprintf("path_%d", v), diff[v], 0)
	}
	m.bounds(c.rows)
	units := form{unit: make([]int64, len(s.n.p.Resources))}
	for r := range units.unit {
		units.unit[r] = 1
	}
	m.m.Minimize(m.expr(&units, 1))
	d, err := m.decoder()
	if err != nil {
		return false, err
	}
	point, err := s.ask(ctx, m.m)
	if err != nil || point == nil {
		return err == nil, err
	}
	s.offerCut(b, d, point)
	return false, nil
}

// offerCut makes a path of the arcs that a cover chooses: each stage ends where the
// next begins.
func (s *search) offerCut(b *box, d *Decoder, point []int64) {
	var chosen []int32
	for i, v := range d.x {
		if v.In(point) == 1 {
			chosen = append(chosen, d.arcs[i])
		}
	}
	n := s.n
	slices.SortStableFunc(chosen, func(i, j int32) int { return int(n.arcs[i].begin - n.arcs[j].begin) })
	var stages []path.Stage
	for q, i := range chosen {
		a, end := &n.arcs[i], int32(n.p.Boundaries-1)
		if q+1 < len(chosen) {
			end = n.arcs[chosen[q+1]].begin
		}
		if end == a.begin {
			continue
		}
		j := slices.IndexFunc(b.arcs, func(j int32) bool {
			c := &n.arcs[j]
			return c.begin == a.begin && c.end == end && c.resource == a.resource && c.units == a.units
		})
		if j < 0 {
			return
		}
		stages = append(stages, n.arcs[b.arcs[j]].stage())
	}
	if v, err := n.p.Evaluate(stages); err == nil {
		s.credit(v.Objective)
		s.offer(stages, v)
	}
}
