package stagegraph

import "math"

// Bounds is what the plans of a choice are asked for, in seconds and in the unit of a
// value that is linear in TTFT and round.
type Bounds struct {
	// Value weighs TTFT and round; Gates are bounds on other weighted sums of them.
	Value [2]float64
	Gates []Gate
	// Enough is the value from which on no plan matters; +Inf where every plan does.
	Enough float64
	// Scale are the ticks that plans are valued in: those of one stage, which are known
	// exactly, are valued so.
	Scale Scale
	// Floor is the least share of the slowest stage's time that the fastest must take in
	// the rate phase, to within two ticks.
	Floor float64
}

// Gate is Weight·(TTFT, round) ≤ Most.
type Gate struct {
	Weight [2]float64
	Most   float64
}

// mostBoxes bounds the boxes of one bound.
const mostBoxes = 40

// box is a window of T in either phase.
type box struct {
	low, high [2]float64
	bound     float64
}

// pair is the state of one bound of a choice.
type pair struct {
	*counting
	ask   *Bounds
	floor float64
	steps [2]float64 // F0 = Λ0 + (steps0 − 1)·T0, F1 = max(Λ1, steps1·T1)
}

// Pair is a floor of the value of all plans with the i-th number of micro-batches and the
// j-th of groups, by counts of stages, under bounds: +Inf where none meets them, and at
// least Enough where none is better. False where it cannot be told (see counting).
func (r *Relaxation) Pair(i, j int, ask *Bounds) (float64, bool) {
	b := r.base
	c := r.counting()
	if c == nil || b.promptOnly || b.first[i] == nil && ask.Value[0] > 0 {
		return 0, false
	}
	p := &pair{counting: c, ask: ask, steps: [2]float64{b.turns(i), float64(b.groups[j])}}
	if len(r.space.pools) == 1 || !r.layout.SameHost {
		p.floor = ask.Floor // else the send that counts here is the fastest, not that of the stage
	}
	r.roomFor(c, i, j)
	for ph, n := range [2]int{i, j} {
		if ph == 0 && b.first[i] == nil {
			p.untimed(0)
			continue
		}
		r.timesOf(c, ph, n)
	}
	low := p.search() * (1 - floating)
	for w := range r.wholes {
		if r.Fits(w, i, j) {
			metrics := [2]float64{r.WholeTTFT(w, i), r.WholeRound(w, j)}
			if ask.admits(metrics) {
				low = min(low, ask.ticked(metrics, p.steps))
			}
		}
	}
	return low, true
}

// ticked is the value of a single stage that takes its metrics in equal steps, each in
// whole ticks.
func (a *Bounds) ticked(metrics, steps [2]float64) float64 {
	v := 0.0
	for ph, t := range metrics {
		if a.Value[ph] > 0 {
			v += a.Value[ph] * steps[ph] * a.Scale.Seconds(ph, a.Scale.Ticks(ph, t/steps[ph]))
		}
	}
	return v
}

// admits reports whether metrics keep the gates, rounding aside.
func (a *Bounds) admits(metrics [2]float64) bool {
	for _, g := range a.Gates {
		if g.Weight[0]*metrics[0]+g.Weight[1]*metrics[1] > g.Most*(1+floating) {
			return false
		}
	}
	return true
}

// untimed makes a phase free.
func (p *pair) untimed(ph int) {
	for g := range p.groups {
		for w := range p.groups[g].ways {
			p.groups[g].ways[w].time[ph] = linear{}
		}
	}
}

// search is best-first over boxes: what is below Enough is narrowed until its times of
// stages are too few to matter.
func (p *pair) search() float64 {
	if len(p.groups) == 0 {
		return math.Inf(1)
	}
	root := box{}
	for ph := range 2 {
		if !p.timed(ph) {
			continue
		}
		low, ok := p.bottleneck(ph)
		if !ok {
			return math.Inf(1)
		}
		root.low[ph], root.high[ph] = low, p.last(ph, math.MaxFloat64)
	}
	open := []box{root}
	p.settle(&open[0])
	for tried := 1; ; {
		at := -1
		for k := range open {
			if at < 0 || open[k].bound < open[at].bound {
				at = k
			}
		}
		if at < 0 {
			return math.Inf(1)
		}
		b := open[at]
		ph, ok := p.widest(&b)
		if b.bound >= p.ask.Enough || tried >= mostBoxes || !ok {
			return b.bound
		}
		open[at] = open[len(open)-1]
		open = open[:len(open)-1]
		mid := math.Sqrt(b.low[ph] * b.high[ph])
		left, right := b, b
		left.high[ph], right.low[ph] = p.last(ph, mid), p.next(ph, mid)
		for _, half := range [2]box{left, right} {
			if half.low[ph] > half.high[ph] {
				continue
			}
			tried++
			if p.settle(&half); !math.IsInf(half.bound, 1) {
				open = append(open, half)
			}
		}
	}
}

func (p *pair) timed(ph int) bool { return p.groups[0].ways[0].time[ph].slope > 0 }

// widest is the phase whose window is worth most; false where both are points.
func (p *pair) widest(b *box) (int, bool) {
	at, most := -1, 0.0
	for ph := range 2 {
		width := b.high[ph]/b.low[ph] - 1
		if !p.timed(ph) || width <= floating || !p.peaks(ph) {
			continue
		}
		if width > most {
			at, most = ph, width
		}
	}
	return at, at >= 0
}

// peaks reports whether T of a phase matters for itself.
func (p *pair) peaks(ph int) bool { return p.steps[ph] > 1 || ph == 1 && p.floor > 0 }

// settle bounds a box, and cuts its upper ends to what a plan below Enough can have.
func (p *pair) settle(b *box) {
	if !p.confine(b) {
		b.bound = math.Inf(1)
		return
	}
	for _, g := range p.ask.Gates {
		if v, _ := p.form(b, g.Weight, g.Most); v > g.Most*(1+floating) {
			b.bound = math.Inf(1)
			return
		}
	}
	v := p.ask.Value
	value, rated := p.form(b, v, p.ask.Enough)
	b.bound = max(b.bound, value)
	if b.bound >= p.ask.Enough || math.IsInf(p.ask.Enough, 1) {
		return
	}
	if w := v[0] * (p.steps[0] - 1); w > 0 && p.timed(0) {
		b.high[0] = min(b.high[0], p.last(0, b.low[0]+(p.ask.Enough-value)/w*(1+floating)))
	}
	if w := v[1] * p.steps[1]; w > 0 {
		b.high[1] = min(b.high[1], p.last(1, b.low[1]+(p.ask.Enough-rated)/w*(1+floating)))
	}
}

// confine sets the layers that stages may have in a box; false where they cannot hold all.
func (p *pair) confine(b *box) bool {
	least := p.floor*b.low[1] - 2*p.ask.Scale[1]
	for g := range p.groups {
		for w := range p.groups[g].ways {
			x := &p.groups[g].ways[w]
			for at := range positions {
				low, most := 1, x.room[at]
				for ph := range 2 {
					if x.time[ph].slope > 0 {
						most = min(most, x.time[ph].layers(at, b.high[ph]))
					}
				}
				if n := (least - x.time[1].fixed[at]) / x.time[1].slope * (1 - 1e-12); n > 1 {
					low = int(math.Ceil(n - floating))
				}
				if low > most {
					most = 0
				}
				x.low[at], x.cap[at] = low, most
			}
		}
	}
	return p.reaches()
}

// form is a floor of weight·(TTFT, round) in a box, as far as it is below enough, and
// the part of it that counts the round by its bottleneck.
func (p *pair) form(b *box, weight [2]float64, enough float64) (value, rated float64) {
	peak := weight[0] * (p.steps[0] - 1) * b.low[0]
	rated = peak + weight[1]*p.steps[1]*b.low[1]
	if weight[0] > 0 {
		rated += p.price(weight[0], 0)
	}
	value = rated
	if weight[1] > 0 && value < enough {
		value = max(value, peak+p.price(weight[0], weight[1]))
	}
	return value, rated
}

// price is the least Σ of weighted times of stages.
func (p *pair) price(first, second float64) float64 {
	for g := range p.groups {
		for w := range p.groups[g].ways {
			x := &p.groups[g].ways[w]
			x.cost.slope = first*x.time[0].slope + second*x.time[1].slope
			for at := range positions {
				x.cost.fixed[at] = first*x.time[0].fixed[at] + second*x.time[1].fixed[at]
			}
		}
	}
	return p.sum()
}
