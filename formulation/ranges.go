package formulation

import (
	"slices"

	"partita/formulation/stagegraph"
)

// manyLayouts is how many layouts are bounded one by one. Where the number of GPUs
// is ours there are tens of thousands: those with the same number of replicas are
// then bounded in ranges, halved only where the bound is still of interest.
const manyLayouts = 256

// ranges lists the layouts as nodes: each alone, or where they are many, ordered
// by replicas and GPUs, one range for each number of replicas.
func (x *exploration) ranges() []*node {
	var out []*node
	layouts := x.pass.layouts
	if len(layouts) <= manyLayouts || x.space.Pools() > 1 {
		for i := range layouts {
			out = append(out, &node{layout: i, last: i})
		}
		return out
	}
	// The caller's order does not matter to a pass; its own copy may be sorted.
	layouts = slices.Clone(layouts)
	slices.SortFunc(layouts, func(a, b *stagegraph.Layout) int {
		if a.Replicas != b.Replicas {
			return a.Replicas - b.Replicas
		}
		return a.GPUs[0] - b.GPUs[0]
	})
	own := *x.pass
	own.layouts = layouts
	x.pass = &own
	for i := 0; i < len(layouts); {
		last := i
		for last+1 < len(layouts) && layouts[last+1].Replicas == layouts[i].Replicas {
			last++
		}
		out = append(out, &node{layout: i, last: last})
		i = last + 1
	}
	return out
}

// halve replaces a range by its halves.
func (x *exploration) halve(n *node) {
	mid := (n.layout + n.last) / 2
	x.pushLayouts(&node{layout: n.layout, last: mid})
	x.pushLayouts(&node{layout: mid + 1, last: n.last})
}

// pushLayouts bounds a range, or a single layout, and queues it unless no plan of it
// can meet the requirements.
func (x *exploration) pushLayouts(n *node) {
	var ok bool
	if n.layout == n.last {
		n.bound, n.low, ok = x.layoutBound(x.pass.layouts[n.layout])
	} else {
		n.level = -1
		n.bound, ok = x.rangeBound(n)
	}
	if !ok {
		x.record.infeasible(x.pass.layouts[n.layout], x.choicesOf(n), "requirements: no plan of this layout can be fast enough")
		return
	}
	x.push(n)
}

// rangeBound is a bound for all layouts of a range: the metrics of the one with
// most GPUs (more of them never slow a floor down), throughput counted for the one
// with fewest.
func (x *exploration) rangeBound(n *node) (float64, bool) {
	first, last := x.pass.layouts[n.layout], x.pass.layouts[n.last]
	lim, ok := x.goal.limits(x.gpus(first), x.goal.hourly(first), x.pass.slack)
	if !ok {
		return 0, false
	}
	r := x.relax(last)
	ttft := r.TTFT(0)
	for i := range x.goal.micros(last) {
		ttft = min(ttft, r.TTFT(i))
	}
	rounds := len(x.goal.groups(last))
	if !x.space.Decodes() {
		rounds = len(x.goal.micros(last))
	}
	round := r.Round(0)
	for j := range rounds {
		round = min(round, r.Round(j))
	}
	if !lim.admit(x.goal, ttft, round) {
		return 0, false
	}
	if x.pass.anyPlan {
		return 0, true
	}
	a, b := x.pass.value(first), x.pass.value(last)
	return coefficients{min(a.ttft, b.ttft), min(a.round, b.round)}.of(ttft, round), true
}

// choicesOf counts the outer choices behind a node that is not opened yet.
func (x *exploration) choicesOf(n *node) int {
	count := 0
	for i := n.layout; i <= n.last; i++ {
		count += x.choices(x.pass.layouts[i])
	}
	return count
}
