package path

// The resource counts are priced: for prices λ (free for an exact resource, ≥ 0
// for a capacity) every path with admissible counts costs at least
//
//	min over paths Σ (cost + λ·units) − λ·capacity
//
// which is a shortest path without counts. Prices are integers in units of
// 1/priceScale tick, so the bound is exact integer arithmetic.
const priceScale = 64

// maxAscent bounds the paths that the price search in one box may price, firstAscent
// those that choose between forms, gateAscent those that hold a limit against the box.
// The search ends by itself, mostly after ten prices a resource. Where the cutoff is far
// off it aims at 1/nearPart above the bound.
const (
	maxAscent   = 120
	firstAscent = 12
	gateAscent  = 40
	nearPart    = 32
)

// costForm is a linear lower bound on J inside a box: per phase either the sum
// form Sum·Λ + Peak·lo or the rate form Rate·lo.
type costForm struct {
	coef     [2]int64
	constant int64
	free     bool // fees do not count
}

// forms lists the linear bounds that a box supports on Σ weight_p·F_p.
func (c *compiled) forms(b *box, weight [2]int64) []costForm {
	out := []costForm{{}}
	for ph := range 2 {
		w, f, lo := weight[ph], c.p.Phases[ph], c.low(b, ph)
		if w == 0 {
			continue
		}
		var next []costForm
		for _, x := range out {
			sum := x
			sum.coef[ph] = w * f.Sum
			sum.constant += w * f.Peak * lo
			next = append(next, sum)
			if f.Rate > f.Peak {
				rate := x
				rate.constant += w * f.Rate * lo
				next = append(next, rate)
			}
		}
		out = next
	}
	return out
}

// shut reports that prices prove one of the limits, or the cap, out of reach of every
// path of the box. Fees play no part in them.
func (c *compiled) shut(s *shortest, b *box) bool {
	type gate struct {
		weight [2]int64
		most   int64
	}
	var gates []gate
	for ph, limit := range c.p.Limit {
		if limit != NoLimit {
			g := gate{most: limit}
			g.weight[ph] = 1
			gates = append(gates, g)
		}
	}
	if c.p.Cap != nil {
		gates = append(gates, gate{c.p.Cap.Weight, c.p.Cap.Max})
	}
	for _, g := range gates {
		for _, form := range c.forms(b, g.weight) {
			form.free = true
			if form.constant > g.most {
				return true
			}
			if x := c.climb(s, form, b.lambda, g.most+1, gateAscent); x == nil || x.bound > g.most {
				return true
			}
		}
	}
	return false
}

func (f *costForm) of(x *leg) int64 {
	v := f.coef[0]*x.time[0] + f.coef[1]*x.time[1]
	if !f.free {
		v += x.fee
	}
	return v
}

// priced is what a price vector proves in a box.
type priced struct {
	form   costForm
	lambda []int64
	bound  int64   // on J
	toSink []int64 // per node, scaled: cheapest priced completion
	chain  []arc   // the path that attains it
}

// ascend searches prices that raise the bound until it reaches cutoff, over all
// linear forms of the box. It returns nil where no path exists over the legs.
func (c *compiled) ascend(b *box, kinds [][]leg, cutoff int64) *priced {
	s := c.newShortest(kinds)
	if c.shut(s, b) {
		return nil
	}
	forms := c.forms(b, c.p.Weight)
	var best *priced
	for _, f := range forms {
		steps := firstAscent
		if len(forms) == 1 {
			steps = maxAscent
		}
		x := c.climb(s, f, b.lambda, cutoff, steps)
		if x == nil {
			return nil
		}
		if best == nil || x.bound > best.bound {
			best = x
		}
		if best.bound >= cutoff {
			return best
		}
	}
	if len(forms) > 1 {
		if x := c.climb(s, best.form, best.lambda, cutoff, maxAscent); x.bound > best.bound {
			best = x
		}
	}
	return best
}

// step moves the prices along the gradient by the given target; false where they
// stay as they are.
func (c *compiled) step(lambda, grad []int64, target float64) bool {
	var norm float64
	for r, g := range grad {
		if g < 0 && lambda[r] == 0 && !c.p.Resources[r].Exact {
			continue
		}
		norm += float64(g) * float64(g)
	}
	if norm == 0 {
		return false
	}
	moved := false
	for r, g := range grad {
		d := int64(target / norm * float64(g))
		if d == 0 && g > 0 {
			d = 1
		} else if d == 0 && g < 0 {
			d = -1
		}
		next := lambda[r] + d
		if !c.p.Resources[r].Exact {
			next = max(0, next)
		}
		const most = infinite >> 22 // keeps Σ λ·units far from overflow
		next = min(max(next, -most), most)
		moved = moved || next != lambda[r]
		lambda[r] = next
	}
	return moved
}

// shortest finds cheapest priced paths. The best leg of a kind is found once for all
// its intervals, so that identical layers cost one look-up an interval.
type shortest struct {
	c      *compiled
	kinds  [][]leg
	value  []int64 // of kind·pairs + group·groups + next: its cheapest leg, priced
	which  []int32
	toSink []int64 // per node: cheapest completion; infinite where there is none
	viaB   []int32 // per node: boundary that the first stage of it ends at
	viaLeg []*leg
	chain  []arc
	// ends lists the intervals that some leg runs, by their start: those of boundary a
	// are ends[first[a]:first[a+1]].
	ends  []interval
	first []int32
}

// interval is a way out of a boundary: where it ends and its kind.
type interval struct{ b, kind int32 }

func (c *compiled) newShortest(kinds [][]leg) *shortest {
	n := len(kinds) * c.groups * c.groups
	s := &shortest{
		c: c, kinds: kinds, value: make([]int64, n), which: make([]int32, n),
		toSink: make([]int64, c.nodes), viaB: make([]int32, c.nodes), viaLeg: make([]*leg, c.nodes),
	}
	boundaries := c.p.Boundaries
	for a := range boundaries {
		s.first = append(s.first, int32(len(s.ends)))
		for b := a + 1; b < boundaries; b++ {
			if k := c.kindOf[a*boundaries+b]; k >= 0 && len(kinds[k]) > 0 {
				s.ends = append(s.ends, interval{int32(b), k})
			}
		}
	}
	s.first = append(s.first, int32(len(s.ends)))
	return s
}

// run returns the cheapest value and the group that the path starts in.
func (s *shortest) run(form *costForm, lambda []int64) (int64, int) {
	c, pairs := s.c, s.c.groups*s.c.groups
	for k, legs := range s.kinds {
		at := s.value[k*pairs : (k+1)*pairs]
		for i := range at {
			at[i] = infinite
		}
		for i := range legs {
			x := &legs[i]
			v := form.of(x)*priceScale + lambda[x.resource]*int64(x.units)
			if j := int(x.group)*c.groups + int(x.next); v < at[j] {
				at[j], s.which[k*pairs+j] = v, int32(i)
			}
		}
	}
	n := c.p.Boundaries
	s.toSink[c.sink] = 0
	for a := n - 2; a >= 0; a-- {
		for g := range c.groups {
			s.cheapest(a, g, pairs)
		}
	}
	value, source := int64(infinite), -1
	for g := range c.groups {
		if s.toSink[g] < value {
			value, source = s.toSink[g], g
		}
	}
	return value, source
}

func (s *shortest) cheapest(a, g, pairs int) {
	c := s.c
	best, end, at := int64(infinite), int32(-1), -1
	for _, x := range s.ends[s.first[a]:s.first[a+1]] {
		base := int(x.kind)*pairs + g*c.groups
		for next := range c.groups {
			v, rest := s.value[base+next], s.toSink[c.node(int(x.b), int32(next))]
			if v < infinite && rest < infinite && v+rest < best {
				best, end, at = v+rest, x.b, base+next
			}
		}
	}
	node := a*c.groups + g
	s.toSink[node], s.viaB[node], s.viaLeg[node] = best, end, nil
	if at >= 0 {
		s.viaLeg[node] = &s.kinds[at/pairs][s.which[at]]
	}
}

// walk lists the arcs of the cheapest path; the slice is reused by the next call.
func (s *shortest) walk(group int) []arc {
	c := s.c
	s.chain = s.chain[:0]
	a := 0
	for node := int32(group); node != c.sink; {
		x, b := s.viaLeg[node], int(s.viaB[node])
		next := c.node(b, x.next)
		s.chain = append(s.chain, arc{leg: x, from: node, to: next, a: int32(a), b: int32(b)})
		node, a = next, b
	}
	return s.chain
}

func ceilDiv(a, b int64) int64 {
	q := a / b
	if a%b > 0 {
		q++
	}
	return q
}
