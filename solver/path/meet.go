package path

import (
	"context"
	"slices"
)

// Where every resource must be used up, a beam from the first layer seldom ends with the
// very counts that are left. A second beam from the last layer meets it: at each
// boundary, labels of both that add up to the capacities are a path.

// meets tells whether two beams can: one part, every counted resource exact.
func (g *graph) meets() bool {
	c := g.c
	if c.parts.free {
		return false
	}
	for _, k := range c.parts.list[0].resources {
		if !c.p.Resources[k].Exact {
			return false
		}
	}
	return true
}

// reversed is the graph read from its end, without the move that asks for a complete
// state. Node n is node c.sink - n of it.
func (g *graph) reversed() *graph {
	sink := g.c.sink
	out := &graph{
		c: g.c, form: g.form, lambda: g.lambda, nodes: int(sink) + 1, starts: []int32{0}, end: sink,
		partOf: make([]int32, sink+1), later: g.later, limit: g.limit, toEnd: make([]int64, sink+1),
	}
	for i := range out.toEnd {
		out.toEnd[i] = infinite
	}
	for _, n := range g.starts {
		out.ends = append(out.ends, sink-n)
		out.toEnd[sink-n] = 0
	}
	last := int32(g.c.p.Boundaries - 1)
	for i := range g.arcs {
		x := g.arcs[i]
		if x.leg == nil {
			continue
		}
		from, to := sink-x.to, sink-x.from
		out.toEnd[from] = min(out.toEnd[from], out.toEnd[to]+g.price(x.leg))
		out.arcs = append(out.arcs, arc{leg: x.leg, from: from, to: to, a: last - x.b, b: last - x.a})
	}
	slices.SortStableFunc(out.arcs, func(a, b arc) int { return int(a.from - b.from) })
	return out
}

// meet is the best path that labels of a beam make with those of one from the other end,
// and how many labels that took.
func (l *labeling) meet(ctx context.Context) ([]arc, int) {
	c, g := l.c, l.g
	back := newLabeling(g.reversed(), l.box, nil, l.best, l.width)
	back.open = true
	if back.run(ctx) == stopped {
		return nil, len(back.labels)
	}
	full := int64(0)
	for _, k := range c.parts.list[0].resources {
		full += int64(c.capacity[k]) * c.parts.stride[k]
	}
	best, head, tail := l.best, int32(-1), int32(-1)
	for n := range c.sink {
		ours, theirs := &l.at[n], &back.at[c.sink-n]
		for i, state := range ours.states {
			j, ok := theirs.slots.find(full - state)
			if !ok {
				continue
			}
			for _, a := range ours.ids[i] {
				for _, b := range theirs.ids[j] {
					if v, ok := joined(c, &l.labels[a], &back.labels[b]); ok && v < best {
						best, head, tail = v, a, b
					}
				}
			}
		}
	}
	if head < 0 {
		return nil, len(back.labels)
	}
	path := l.pathOf(head)
	rest := back.pathOf(tail)
	slices.Reverse(rest)
	return g.chainOf(append(path, rest...)), len(back.labels)
}

// joined is the value of the path that two labels make; false where limits are not kept.
func joined(c *compiled, x, y *label) (int64, bool) {
	var sum, peak [2]int64
	for ph := range 2 {
		sum[ph], peak[ph] = x.sum[ph]+y.sum[ph], max(x.peak[ph], y.peak[ph])
	}
	if !c.balanced(min(x.low, y.low), peak[1]) || !c.allowed(sum, peak) {
		return 0, false
	}
	return c.objective(sum, peak, x.fee+y.fee), true
}
