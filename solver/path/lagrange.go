package path

// The resource counts are priced: for prices λ (free for an exact resource, ≥ 0
// for a capacity) every path with admissible counts costs at least
//
//	min over paths Σ (cost + λ·units) − λ·capacity
//
// which is a shortest path without counts. Prices are integers in units of
// 1/priceScale tick, so the bound is exact integer arithmetic.
const priceScale = 64

// maxAscent bounds the steps of the price search in one box. Bounds improve little
// after the first dozens of steps; an unproved box is split or enumerated instead.
const maxAscent = 48

// costForm is a linear lower bound on J inside a box: per phase either the sum
// form Sum·Λ + Peak·lo or the rate form Rate·lo.
type costForm struct {
	coef     [2]int64
	constant int64
}

// forms lists the linear bounds on J that a box supports.
func (c *compiled) forms(b *box) []costForm {
	out := []costForm{{}}
	for ph := range 2 {
		w, f, lo := c.p.Weight[ph], c.p.Phases[ph], c.low(b, ph)
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

func (c *compiled) cost(i int32, f *costForm) int64 {
	x := &c.arcs[i]
	return f.coef[0]*x.time[0] + f.coef[1]*x.time[1] + x.fee
}

// priced is what a price vector proves in a box.
type priced struct {
	form   costForm
	lambda []int64
	bound  int64   // on J
	toSink []int64 // per node, scaled: cheapest priced completion
	chain  []int32 // the path that attains it
}

// ascend searches prices that raise the bound until it reaches cutoff.
// It returns nil where no path exists in the list of arcs.
func (c *compiled) ascend(arcs []int32, form costForm, start []int64, cutoff int64) *priced {
	k := len(c.p.Resources)
	lambda := make([]int64, k)
	copy(lambda, start)
	var best *priced
	factor, stale := 1.0, 0
	grad := make([]int64, k)
	scratch := make([]int64, c.nodes)
	via := make([]int32, c.nodes)
	for range maxAscent {
		value, source := c.shortest(arcs, &form, lambda, scratch, via)
		if value >= infinite {
			return nil
		}
		for r := range grad {
			grad[r] = -int64(c.p.Resources[r].Capacity)
		}
		chain := c.walk(source, via)
		for _, i := range chain {
			grad[c.arcs[i].resource] += int64(c.arcs[i].units)
		}
		scaled := value
		for r := range lambda {
			scaled -= lambda[r] * int64(c.p.Resources[r].Capacity)
		}
		bound := ceilDiv(scaled, priceScale) + form.constant
		if best == nil || bound > best.bound {
			best = &priced{form: form, lambda: append([]int64(nil), lambda...), bound: bound, toSink: append([]int64(nil), scratch...), chain: chain}
			stale = 0
		} else if stale++; stale >= 3 {
			factor, stale = factor/2, 0
		}
		if best.bound >= cutoff {
			return best
		}
		if !c.step(lambda, grad, float64(cutoff-bound)*priceScale*factor) {
			return best
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

// shortest fills toSink with the cheapest priced completions and via with the
// first arc of each; it returns the value of the best source.
func (c *compiled) shortest(arcs []int32, form *costForm, lambda, toSink []int64, via []int32) (int64, int32) {
	for i := range toSink {
		toSink[i], via[i] = infinite, -1
	}
	toSink[c.sink] = 0
	for k := len(arcs) - 1; k >= 0; k-- {
		x := &c.arcs[arcs[k]]
		rest := toSink[x.to]
		if rest >= infinite {
			continue
		}
		v := (form.coef[0]*x.time[0]+form.coef[1]*x.time[1]+x.fee)*priceScale + lambda[x.resource]*int64(x.units) + rest
		if v < toSink[x.from] {
			toSink[x.from], via[x.from] = v, arcs[k]
		}
	}
	value, source := int64(infinite), int32(-1)
	for _, s := range c.sources {
		if toSink[s] < value {
			value, source = toSink[s], s
		}
	}
	return value, source
}

func (c *compiled) walk(source int32, via []int32) []int32 {
	var chain []int32
	for n := source; n >= 0 && n != c.sink; {
		i := via[n]
		chain = append(chain, i)
		n = c.arcs[i].to
	}
	return chain
}

// fix drops the arcs whose best priced path already reaches the cutoff.
func (c *compiled) fix(arcs []int32, b *priced, cutoff int64) []int32 {
	from := make([]int64, c.nodes)
	for i := range from {
		from[i] = infinite
	}
	for _, s := range c.sources {
		from[s] = 0
	}
	limit := (cutoff - b.form.constant) * priceScale
	for r, l := range b.lambda {
		limit += l * int64(c.p.Resources[r].Capacity)
	}
	kept := arcs[:0]
	for _, i := range arcs {
		x := &c.arcs[i]
		if from[x.from] >= infinite || b.toSink[x.to] >= infinite {
			continue
		}
		v := from[x.from] + c.cost(i, &b.form)*priceScale + b.lambda[x.resource]*int64(x.units)
		if v < from[x.to] {
			from[x.to] = v
		}
		// J ≥ ⌈(v + rest − λ·capacity)/scale⌉ + constant, so at most limit − scale survives.
		if v+b.toSink[x.to] > limit-priceScale {
			continue
		}
		kept = append(kept, i)
	}
	return kept
}

func ceilDiv(a, b int64) int64 {
	q := a / b
	if a%b > 0 {
		q++
	}
	return q
}
