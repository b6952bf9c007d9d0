package path

import "context"

// maxDense bounds the number of (node, used vector) states that are kept in plain
// arrays: 64 M of them at 8 bytes and six arrays would be 3 GB, so 8 M. Larger
// problems go by hashed labels and prices alone.
const maxDense = 8 << 20

// rest is a lower bound on what completes a path from one state: the linear form,
// both sums and both bottlenecks.
type rest struct {
	form, sum0, sum1, peak0, peak1 int64
}

var noRest = rest{form: infinite, sum0: infinite, sum1: infinite, peak0: infinite, peak1: infinite}

// counts is the exact relaxation that keeps the resource counts and drops the
// bottlenecks: for every reachable state the cheapest way there and the least
// completion in each figure.
type counts struct {
	c       *compiled
	arcs    []arc
	reached [][]int32 // used vectors reached at each node, in order of discovery
	there   [][]int64 // cheapest form value there; infinite where pruned
	rest    [][]rest
	via     [][]int32 // arc of the cheapest way there
	used    [][]int32 // used[k][index]
	left    []int64   // Σ λ·(capacity − used) by index, scaled
}

// dense reports whether the states of the problem fit plain arrays.
func (c *compiled) dense() bool {
	return c.states <= maxDense && int64(c.nodes)*c.states <= maxDense
}

func newCounts(c *compiled, lambda []int64) *counts {
	s := &counts{c: c}
	n := int(c.states)
	s.left = make([]int64, n)
	for k, r := range c.p.Resources {
		col := make([]int32, n)
		for i := range col {
			var u int64
			if c.stride[k] > 0 {
				u = int64(i) / c.stride[k] % int64(r.Capacity+1)
			}
			col[i] = int32(u)
			s.left[i] += lambda[k] * (int64(r.Capacity) - u)
		}
		s.used = append(s.used, col)
	}
	return s
}

// forward finds the cheapest way to every state that may lie on a path of value
// below cutoff. It reports false when ctx ended.
func (s *counts) forward(ctx context.Context, arcs []arc, b *priced, cutoff int64) bool {
	c := s.c
	s.reached = make([][]int32, c.nodes)
	s.there = make([][]int64, c.nodes)
	s.via = make([][]int32, c.nodes)
	s.arcs = arcs
	for g := range c.groups {
		s.reach(int32(g), 0, 0, -1)
	}
	limit := (cutoff - 1 - b.form.constant) * priceScale
	for k := 0; k < len(arcs); {
		n := arcs[k].from
		end := k
		for end < len(arcs) && arcs[end].from == n {
			end++
		}
		if ctx.Err() != nil {
			return false
		}
		for _, idx := range s.reached[n] {
			v := s.there[n][idx]
			if v*priceScale+b.toSink[n]-s.left[idx] > limit {
				s.there[n][idx] = infinite
				continue
			}
			for i := k; i < end; i++ {
				x := &arcs[i]
				if int(s.used[x.resource][idx])+int(x.units) > c.capacity[x.resource] {
					continue
				}
				s.reach(x.to, int64(idx)+x.delta, v+b.form.of(x.leg), int32(i))
			}
		}
		k = end
	}
	return true
}

func (s *counts) reach(n int32, idx, v int64, via int32) {
	if s.there[n] == nil {
		s.there[n] = make([]int64, s.c.states)
		s.via[n] = make([]int32, s.c.states)
		for i := range s.there[n] {
			s.there[n][i] = infinite + 1 // not reached yet
		}
	}
	old := s.there[n][idx]
	if old > infinite {
		s.reached[n] = append(s.reached[n], int32(idx))
	}
	if v < old {
		s.there[n][idx], s.via[n][idx] = v, via
	}
}

// backward fills the completions of the states that forward kept. Arcs run from
// lower to higher nodes, so one pass in reverse settles all.
func (s *counts) backward(ctx context.Context, arcs []arc, b *priced, cutoff int64) bool {
	c := s.c
	s.rest = make([][]rest, c.nodes)
	for n, list := range s.reached {
		if len(list) == 0 {
			continue
		}
		s.rest[n] = make([]rest, c.states)
		for _, idx := range list {
			s.rest[n][idx] = noRest
		}
	}
	for _, idx := range s.reached[c.sink] {
		if c.complete(int64(idx)) {
			s.rest[c.sink][idx] = rest{}
		}
	}
	most := cutoff - 1 - b.form.constant
	for end := len(arcs); end > 0; {
		n := arcs[end-1].from
		k := end
		for k > 0 && arcs[k-1].from == n {
			k--
		}
		if ctx.Err() != nil {
			return false
		}
		for _, idx := range s.reached[n] {
			v := s.there[n][idx]
			if v >= infinite {
				continue
			}
			r := noRest
			for i := k; i < end; i++ {
				x := &arcs[i]
				if int(s.used[x.resource][idx])+int(x.units) > c.capacity[x.resource] || s.rest[x.to] == nil {
					continue
				}
				t := &s.rest[x.to][int64(idx)+x.delta]
				if t.form >= infinite {
					continue
				}
				form := b.form.of(x.leg) + t.form
				if v+form > most {
					continue
				}
				r.form = min(r.form, form)
				r.sum0 = min(r.sum0, x.time[0]+t.sum0)
				r.sum1 = min(r.sum1, x.time[1]+t.sum1)
				r.peak0 = min(r.peak0, max(x.time[0], t.peak0))
				r.peak1 = min(r.peak1, max(x.time[1], t.peak1))
			}
			s.rest[n][idx] = r
		}
		end = k
	}
	return true
}

// cheapest is the chain of the cheapest path with admissible counts, nil if none.
func (s *counts) cheapest() []arc {
	c := s.c
	best, at := int64(infinite), int32(-1)
	for _, idx := range s.reached[c.sink] {
		if v := s.there[c.sink][idx]; v < best && c.complete(int64(idx)) {
			best, at = v, idx
		}
	}
	if at < 0 {
		return nil
	}
	var chain []arc
	n, idx := c.sink, int64(at)
	for {
		i := s.via[n][idx]
		if i < 0 {
			break
		}
		x := s.arcs[i]
		chain = append(chain, x)
		n, idx = x.from, idx-x.delta
	}
	for i, j := 0, len(chain)-1; i < j; i, j = i+1, j-1 {
		chain[i], chain[j] = chain[j], chain[i]
	}
	return chain
}
