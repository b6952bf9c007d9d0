package path

import (
	"context"
	"slices"
)

// rest is a lower bound on what completes a path from one state: the linear form,
// both sums and both bottlenecks.
type rest struct {
	form, sum0, sum1, peak0, peak1 int64
}

var noRest = rest{form: infinite, sum0: infinite, sum1: infinite, peak0: infinite, peak1: infinite}

// reached are the states of a node that may lie on a path below the cutoff.
type reached struct {
	slots  slots
	states []int64
	there  []int64 // cheapest form value there
	via    []int32 // arc of the cheapest way there, -1 at the start
	prev   []int32 // place of the state it comes from
	rest   []rest
}

// counts is the exact relaxation that keeps the resource counts and drops the
// bottlenecks: for every state that may lie on a path below the cutoff the cheapest
// way there and the least completion in each figure.
type counts struct {
	g     *graph
	at    []reached
	used  []int // of the state at hand, by resource
	left  int64 // Σ λ·(capacity − used) of the state at hand and of the parts after it
	work  int64 // pairs of arc and state looked at
	limit int64 // most work; 0: no limit
}

func newCounts(g *graph, limit int64) *counts {
	return &counts{g: g, at: make([]reached, g.nodes), used: make([]int, len(g.c.p.Resources)), limit: limit}
}

// look makes a state of a node the one at hand.
func (s *counts) look(n int32, state int64) {
	c, t := s.g.c, int(s.g.partOf[n])
	s.left = 0
	if t == len(c.parts.list) {
		return
	}
	c.use(t, state, s.used)
	s.left = s.g.later[t]
	for _, k := range c.parts.list[t].resources {
		s.left += s.g.lambda[k] * int64(c.p.Resources[k].Capacity-s.used[k])
	}
}

// next is the state that an arc leads to from the one at hand; false where there is none.
func (s *counts) next(x *arc, state int64) (int64, bool) {
	g := s.g
	if x.leg != nil {
		r := x.resource
		if g.c.slack[r] {
			return state, true
		}
		if s.used[r]+int(x.units) > g.c.p.Resources[r].Capacity {
			return 0, false
		}
		return state + int64(x.take)*g.c.parts.stride[r], true
	}
	if t := g.partOf[x.from]; g.partOf[x.to] != t {
		return 0, g.c.complete(int(t), state)
	}
	return state, true
}

// forward finds the cheapest way to every state that may lie on a path below the
// cutoff of the graph.
func (s *counts) forward(ctx context.Context) outcome {
	g := s.g
	limit := g.limit
	for k, r := range g.c.p.Resources {
		limit -= g.lambda[k] * int64(r.Capacity)
	}
	for _, n := range g.starts {
		s.reach(n, 0, 0, -1, -1)
	}
	for k := 0; k < len(g.arcs); {
		n := g.arcs[k].from
		end := k
		for end < len(g.arcs) && g.arcs[end].from == n {
			end++
		}
		from := &s.at[n]
		for i, state := range from.states {
			s.work += int64(end - k)
			if i&31 == 0 && ctx.Err() != nil {
				return stopped
			}
			if s.limit > 0 && s.work > s.limit {
				return tooMany
			}
			s.look(n, state)
			v := from.there[i]
			for j := k; j < end; j++ {
				x := &g.arcs[j]
				next, ok := s.next(x, state)
				if !ok {
					continue
				}
				w, left := v, s.left
				switch {
				case x.leg != nil:
					w += g.form.of(x.leg)
					left -= g.lambda[x.resource] * int64(x.units)
				case g.partOf[x.to] != g.partOf[n]:
					left = 0
					if t := int(g.partOf[n]); t < len(g.later) {
						left = g.later[t]
					}
				}
				if w*priceScale+g.toEnd[x.to]-left > limit {
					continue
				}
				s.reach(x.to, next, w, int32(j), int32(i))
			}
		}
		k = end
	}
	return finished
}

func (s *counts) reach(n int32, state, v int64, via, prev int32) {
	at := &s.at[n]
	i, known := at.slots.find(state)
	if !known {
		at.slots.add(state, int32(len(at.states)))
		at.states = append(at.states, state)
		at.there = append(at.there, v)
		at.via = append(at.via, via)
		at.prev = append(at.prev, prev)
		return
	}
	if v < at.there[i] {
		at.there[i], at.via[i], at.prev[i] = v, via, prev
	}
}

// backward fills the completions of the states that forward kept. Arcs run from
// lower to higher nodes, so one pass in reverse settles all.
func (s *counts) backward(ctx context.Context, cutoff int64) outcome {
	g := s.g
	if end := &s.at[g.end]; len(end.states) > 0 {
		end.rest = []rest{{}}
	}
	most := cutoff - 1 - g.form.constant
	for end := len(g.arcs); end > 0; {
		n := g.arcs[end-1].from
		k := end
		for k > 0 && g.arcs[k-1].from == n {
			k--
		}
		from := &s.at[n]
		from.rest = slices.Repeat([]rest{noRest}, len(from.states))
		for i, state := range from.states {
			s.work += int64(end - k)
			if i&31 == 0 && ctx.Err() != nil {
				return stopped
			}
			s.look(n, state)
			v, r := from.there[i], &from.rest[i]
			for j := k; j < end; j++ {
				x := &g.arcs[j]
				to := &s.at[x.to]
				if to.rest == nil {
					continue
				}
				next, ok := s.next(x, state)
				if !ok {
					continue
				}
				at, ok := to.slots.find(next)
				if !ok || to.rest[at].form >= infinite {
					continue
				}
				t := to.rest[at]
				if x.leg != nil {
					t = t.before(x.leg, &g.form)
				}
				if v+t.form > most {
					continue
				}
				r.least(&t)
			}
		}
		end = k
	}
	return finished
}

// before puts a stage in front of a completion.
func (t rest) before(x *leg, f *costForm) rest {
	return rest{
		form: t.form + f.of(x), sum0: t.sum0 + x.time[0], sum1: t.sum1 + x.time[1],
		peak0: max(t.peak0, x.time[0]), peak1: max(t.peak1, x.time[1]),
	}
}

// least takes the smaller of each figure.
func (t *rest) least(x *rest) {
	t.form = min(t.form, x.form)
	t.sum0, t.sum1 = min(t.sum0, x.sum0), min(t.sum1, x.sum1)
	t.peak0, t.peak1 = min(t.peak0, x.peak0), min(t.peak1, x.peak1)
}

// cheapest is the cheapest path with admissible counts, nil if none.
func (s *counts) cheapest() []arc {
	g := s.g
	if len(s.at[g.end].states) == 0 {
		return nil
	}
	var path []arc
	n, i := g.end, int32(0)
	for {
		at := &s.at[n]
		j := at.via[i]
		if j < 0 {
			break
		}
		path = append(path, g.arcs[j])
		n, i = g.arcs[j].from, at.prev[i]
	}
	slices.Reverse(path)
	return g.chainOf(path)
}
