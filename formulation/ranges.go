package formulation

import (
	"cmp"
	"math"
	"slices"

	"partita/formulation/stagegraph"
	"partita/solver/path"
)

// manyLayouts is how many layouts are bounded one by one. Where the number of GPUs
// is ours there are tens of thousands: those with the same number of replicas are
// then bounded in ranges, halved only where the bound is still of interest.
const manyLayouts = 256

// ranges lists the layouts as nodes: each alone, or where they are many, ordered
// by replicas, case and GPUs, one range for each number of replicas and case.
func (x *exploration) ranges() []*node {
	var out []*node
	layouts := x.pass.layouts
	if len(layouts) <= x.most() || x.space.Pools() > 1 {
		for i := range layouts {
			out = append(out, &node{layout: i, last: i})
		}
		return out
	}
	// The caller's order does not matter to a pass; its own copy may be sorted.
	layouts = slices.Clone(layouts)
	// Cases are told apart by where they first came up: the order does not hang on addresses.
	serial := map[*stagegraph.Case]int{}
	for _, l := range layouts {
		if _, ok := serial[l.Case]; !ok {
			serial[l.Case] = len(serial)
		}
	}
	slices.SortFunc(layouts, func(a, b *stagegraph.Layout) int {
		return cmp.Or(cmp.Compare(a.Replicas, b.Replicas), cmp.Compare(serial[a.Case], serial[b.Case]), cmp.Compare(a.GPUs[0], b.GPUs[0]))
	})
	own := *x.pass
	own.layouts = layouts
	x.pass = &own
	for i := 0; i < len(layouts); {
		last := i
		for last+1 < len(layouts) && layouts[last+1].Replicas == layouts[i].Replicas && layouts[last+1].Case == layouts[i].Case {
			last++
		}
		out = append(out, &node{layout: i, last: last})
		i = last + 1
	}
	return out
}

// most is manyLayouts, or what a test sets instead.
func (e *explorer) most() int {
	if e.many > 0 {
		return e.many
	}
	return manyLayouts
}

// rangeFloor is the least value over the layouts and choices of a range: the metrics
// of the layout with most GPUs (more of them never slow a floor down), throughput
// counted for the one with fewest. +Inf where no choice can meet the requirements.
func (x *exploration) rangeFloor(n *node) (float64, [2]float64) {
	v, low, _ := x.rangeFloors(n)
	return v, low
}

// rangeFloors is rangeFloor and why there is none.
func (x *exploration) rangeFloors(n *node) (float64, [2]float64, string) {
	best, low := math.Inf(1), [2]float64{math.Inf(1), math.Inf(1)}
	fl, ok := x.floorsOf(n)
	if !ok {
		return best, low, tooSlow
	}
	fl.each(func(i, j int, ttft, round float64) {
		low[0], low[1] = min(low[0], ttft), min(low[1], round)
		if fl.first == fl.last {
			best = min(best, fl.worth.of(ttft, round)) // of each phase by itself: enough for an order
		} else {
			best = min(best, fl.value(i, j, ttft, round))
		}
	})
	if fl.unfit > 0 && math.IsInf(best, 1) {
		return best, low, noPath
	}
	return best, low, tooSlow
}

// sample is the least floor of a few layouts of a range taken alone: the size of
// value to expect.
func (x *exploration) sample(n *node) (float64, [2]float64) {
	least, low := math.Inf(1), [2]float64{}
	for step := 0; n.layout+step <= n.last; step = 2*step + 1 {
		at := n.layout + step
		if v, l := x.rangeFloor(&node{layout: at, last: at}); v < least {
			least, low = v, l
		}
	}
	return least, low
}

// choiceFloor is the floor of one choice over a range; +Inf where the requirements
// or the number of stages rule it out.
func (x *exploration) choiceFloor(n *node) float64 {
	fl, ok := x.floorsOf(n)
	i := slices.Index(fl.micros, n.choice.Micro)
	j := slices.Index(fl.groups, n.choice.Groups)
	if !x.space.Decodes() {
		j = i
	}
	if !ok || i < 0 || j < 0 {
		return math.Inf(1)
	}
	ttft, round, ok := fl.of(i, j)
	if !ok {
		return math.Inf(1)
	}
	return fl.value(i, j, ttft, round)
}

// floors are what a range's bounds are made of.
type floors struct {
	x              *exploration
	first, last    *stagegraph.Layout
	limits         limits
	relaxed        *stagegraph.Relaxation
	micros, groups []int
	worth          coefficients
	fixed, byGPU   float64
	unfit          int   // choices refused because nothing holds the model
	refused        []int // by each rule
}

func (x *exploration) floorsOf(n *node) (floors, bool) {
	first, last := x.pass.layouts[n.layout], x.pass.layouts[n.last]
	lim, ok := x.goal.limits(x.goal.hourly(first), x.pass.slack, x.pass.without...)
	if !ok {
		return floors{}, false
	}
	f := floors{
		x: x, first: first, last: last, limits: lim, relaxed: x.relax(last),
		micros: x.goal.micros(last), groups: x.goal.groups(last), worth: x.rangeValue(first, last),
	}
	if n.layout < n.last {
		f.fixed, f.byGPU = x.byGPU(first, last)
	}
	return f, true
}

// each calls f with the indices of every choice of the range that the rules and the
// requirements admit, and with floors of its metrics.
func (f *floors) each(admitted func(i, j int, ttft, round float64)) {
	only := f.x.pass.only
	visit := func(i, j int) {
		if !only.admits(f.choice(i, j)) || f.refuses(i, j) {
			return
		}
		if ttft, round, ok := f.of(i, j); ok {
			admitted(i, j, ttft, round)
		}
	}
	f.pairs(visit)
}

// pairs calls visit with the indices of every choice of the range.
func (f *floors) pairs(visit func(i, j int)) {
	for i := range f.micros {
		if !f.x.space.Decodes() {
			visit(i, i)
			continue
		}
		if i+1 < len(f.micros) && !f.x.microMatters(f.first) && !f.x.pass.only.asksMicro() {
			continue // dominated: more micro-batches take less memory and cost nothing here
		}
		for j := range f.groups {
			visit(i, j)
		}
	}
}

// choice is the outer choice of a pair of indices.
func (f *floors) choice(i, j int) stagegraph.Choice {
	ch := stagegraph.Choice{Layout: f.last, Micro: f.micros[i]}
	if f.x.space.Decodes() {
		ch.Groups = f.groups[j]
	}
	return ch
}

// of is the floor of the metrics for the i-th number of micro-batches and the j-th of
// groups; false where the requirements rule it out.
func (f *floors) of(i, j int) (ttft, round float64, ok bool) {
	ttft, round, work := f.metrics(i, j)
	if math.IsInf(ttft, 1) || math.IsInf(round, 1) {
		f.unfit++
		return ttft, round, false
	}
	return ttft, round, f.limits.admit(f.x.goal, ttft, round, work)
}

// metrics are floors of TTFT and the round in seconds, and of the round in GPU-seconds;
// +Inf where the layers do not fit the GPUs.
func (f *floors) metrics(i, j int) (ttft, round, work float64) {
	r := f.relaxed
	if f.first == f.last {
		ttft, round = r.TTFT(i), r.Round(j)
	} else {
		ttft, round = r.RangeTTFT(i), r.RangeRound(j)
	}
	work = round * float64(f.x.gpus(f.first))
	if f.first != f.last && !math.IsInf(f.limits.work, 1) && !math.IsInf(work, 1) {
		// Work does not shrink with the number of GPUs: that bounds GPUs·round better
		// than the fewest GPUs with the fastest round.
		work = max(work, float64(f.first.Replicas)*r.RangeValue(i, j, 0, 0, 1, f.first.GPUs[0]))
	}
	return ttft, round, work
}

// value is the floor of the value of that pair, given those of its metrics.
func (f *floors) value(i, j int, ttft, round float64) float64 {
	r, k := f.relaxed, f.worth
	if f.first == f.last {
		return r.Value(i, j, k.ttft, k.round)
	}
	v := k.of(ttft, round)
	if f.byGPU > 0 {
		v = max(v, r.RangeValue(i, j, k.ttft, f.fixed, f.byGPU, f.first.GPUs[0]))
	}
	return v
}

// rangeValue are the coefficients that no layout of a range is below.
func (x *exploration) rangeValue(first, last *stagegraph.Layout) coefficients {
	if x.pass.anyPlan {
		return coefficients{}
	}
	a, b := x.pass.value(first), x.pass.value(last)
	return coefficients{min(a.ttft, b.ttft), min(a.round, b.round)}
}

// byGPU splits the worth of a round into a part that does not depend on the number of
// GPUs and one for each GPU of a replica: values are linear in that number.
func (x *exploration) byGPU(first, last *stagegraph.Layout) (fixed, byGPU float64) {
	if x.pass.anyPlan {
		return 0, 0
	}
	a, b := x.pass.value(first).round, x.pass.value(last).round
	byGPU = (b - a) / float64(last.GPUs[0]-first.GPUs[0])
	const rounding = 1e-12 // a difference of doubles: below this there is no part by GPU
	if byGPU*float64(last.GPUs[0]) <= rounding*b {
		return min(a, b), 0
	}
	return max(0, a-byGPU*float64(first.GPUs[0])), byGPU
}

// open replaces a range by its choices. Those that do not improve on the best plan are
// counted at once.
func (x *exploration) open(n *node) {
	fl, ok := x.floorsOf(n)
	span := n.last - n.layout + 1
	admitted, pruned, least := 0, 0, math.Inf(1)
	if ok {
		fl.each(func(i, j int, ttft, round float64) {
			admitted += span
			ch := fl.choice(i, j)
			bound := max(n.bound, fl.worth.of(ttft, round))
			if !x.beaten(bound) {
				bound = max(bound, fl.value(i, j, ttft, round))
			}
			next := &node{layout: n.layout, last: n.last, choice: ch, level: 1, bound: bound}
			switch {
			case !x.beaten(bound):
				x.push(next)
			case x.reaches(next):
				x.record.solved(x.best.choice, x.best.value) // the best plan attains its choice's bound
				pruned, least = pruned+span-1, min(least, bound)
			default:
				pruned += span
				least = min(least, bound)
			}
		})
	}
	l := x.pass.layouts[n.layout]
	if pruned > 0 {
		x.record.pruned(l, pruned, least, floorsWhy)
	}
	unfit := fl.unfit * span
	if unfit > 0 {
		x.record.infeasible(l, unfit, noPath)
	}
	ruled := 0
	for i, n := range fl.refused {
		if n > 0 {
			x.record.infeasible(l, n*span, named(x.space.Rules().Rule(i)))
			ruled += n * span
			x.against[i] += n * span
		}
	}
	if refused := x.choicesOf(n) - admitted - unfit - ruled; refused > 0 {
		x.record.infeasible(l, refused, tooSlow)
	}
}

// What makes choices infeasible.
const (
	tooSlow = "requirements: no plan of this layout can be fast enough"
	noPath  = "no path: memory, GPU count or balance"
	noPlan  = "no path: memory, GPU count, balance or requirements"
)

// floorsWhy is what floors alone prove.
const floorsWhy = "the GPUs' work at its fastest"

// closeRange is how far the GPUs of a range may lie apart for priced paths to be
// worth their time; wider ranges are halved by their floors alone.
const closeRange = 1.3

// narrow bounds a choice over a range of layouts by priced paths that may use any
// number of GPUs of it, then halves the range.
func (x *exploration) narrow(n *node) error {
	first, last := x.pass.layouts[n.layout], x.pass.layouts[n.last]
	if n.level == 1 && float64(last.GPUs[0]) <= closeRange*float64(first.GPUs[0]) {
		n.level = 2
		free := *last
		free.Exact = false
		free.SameHost = first.SameHost // the faster send: a bound for all
		own := *x.pass
		k := x.rangeValue(first, last)
		own.value = func(*stagegraph.Layout) coefficients { return k }
		bounding := *x
		bounding.pass = &own
		g := bounding.buildFor(stagegraph.Choice{Layout: &free, Micro: n.choice.Micro, Groups: n.choice.Groups}, first)
		var b int64
		var err error
		if fixed, byGPU := x.byGPU(first, last); byGPU > 0 {
			counted := byGPU * float64(first.GPUs[0])
			b, err = path.UnitBound(g.Problem, first.GPUs[0], counted/(fixed+counted))
		}
		if err == nil && b < x.cutoff() {
			var priced int64
			priced, err = path.LowerBound(g.Problem, x.cutoff())
			b = max(b, priced)
		}
		if err != nil {
			return err
		}
		if b == path.NoLimit {
			x.record.infeasible(first, n.last-n.layout+1, noPath)
			return nil
		}
		n.bound = max(n.bound, float64(b)*x.unit)
		x.push(n)
		return nil
	}
	mid := n.layout
	for mid+1 < n.last && float64(x.pass.layouts[mid+1].GPUs[0]) < math.Sqrt(float64(first.GPUs[0])*float64(last.GPUs[0])) {
		mid++
	}
	for _, part := range [2][2]int{{n.layout, mid}, {mid + 1, n.last}} {
		half := &node{layout: part[0], last: part[1], choice: n.choice, level: 1}
		half.bound = max(n.bound, x.choiceFloor(half))
		if math.IsInf(half.bound, 1) {
			x.record.infeasible(x.pass.layouts[part[0]], part[1]-part[0]+1, tooSlow)
			continue
		}
		x.push(half)
	}
	return nil
}

// choicesOf counts the outer choices behind a node that is not opened yet.
func (x *exploration) choicesOf(n *node) int {
	count := 0
	for i := n.layout; i <= n.last; i++ {
		count += x.choices(x.pass.layouts[i])
	}
	return count
}
