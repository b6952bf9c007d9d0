package formulation

import (
	"cmp"
	"fmt"
	"slices"

	"partita/formulation/stagegraph"
	"partita/inputs"
)

// mostUnlimited is how many GPUs an unlimited number is searched up to. Nothing in
// the published measurements serves one model instance set on more; a stated range
// raises it.
const mostUnlimited = 1024

// level is a set of layouts that are equally good in what is decided first: the
// number of GPUs, or their price.
type level struct {
	what    string
	layouts []*stagegraph.Layout
}

// levels are the layouts of a condition, best first. A condition that states its
// GPUs has one level.
type levels struct {
	list []level
	// counted says how the number of GPUs is decided, for the certificate.
	counted string
	// decided: the number was ours to choose.
	decided bool
	// ruledOut counts the outer choices that each rule took out with their layouts.
	ruledOut []int
}

// layoutsOf lists the levels of the condition, under its rules.
func (g *goal) layoutsOf() levels { return g.ruled(g.plainLayouts()) }

// plainLayouts are the levels of the condition, rules aside.
func (g *goal) plainLayouts() levels {
	single := len(g.c.Cluster.Pools) == 1
	ranked := g.c.Goal.Objective == inputs.GPUs || g.c.Goal.Objective == inputs.Cost
	switch {
	case g.perGPU && (ranked || len(g.c.Goal.Requirements) > 0):
		out := g.ranked()
		out.decided = true
		out.counted = "decided: the fewest GPUs whose plan meets the requirements"
		if g.c.Goal.Objective == inputs.Cost {
			out.counted = "decided: the cheapest GPUs whose plan meets the requirements"
		}
		return out
	case g.perGPU:
		all := g.ranked()
		var flat level
		for _, l := range all.list {
			for _, x := range l.layouts {
				if g.wholeNodes(x) {
					flat.layouts = append(flat.layouts, x)
				}
			}
		}
		return levels{list: []level{flat}, decided: true, counted: "decided: no requirement is stated, so the best objective with throughput counted by GPU"}
	case !g.c.Goal.AllowIdle:
		return levels{list: []level{{layouts: g.exactLayouts(g.stated())}}, counted: "stated: every GPU is used"}
	case ranked || !single && g.exactly():
		out := g.ranked()
		if !ranked {
			var flat level
			for _, l := range out.list {
				flat.layouts = append(flat.layouts, l.layouts...)
			}
			out.list = []level{flat}
		}
		out.counted = "stated, idle GPUs allowed"
		return out
	}
	var flat level
	most := 0
	for _, n := range g.stated() {
		most += n
	}
	for r := 1; r <= min(most, g.c.Workload.Batch); r++ {
		if single && g.exactly() {
			for n := 1; n*r <= most; n++ {
				if l, ok := g.space.Exact(r, []int{n}); ok {
					flat.layouts = append(flat.layouts, l)
				}
			}
			continue
		}
		flat.layouts = append(flat.layouts, g.space.UpTo(r)...)
	}
	return levels{list: []level{flat}, counted: "stated, idle GPUs allowed"}
}

// exactly reports whether layouts that leave GPUs idle must say how many of each pool
// a replica has: a requirement counts them, or hosts are shared or uneven, so that
// whether sends stay inside a host hangs on the number.
func (g *goal) exactly() bool {
	if g.vectors {
		return true
	}
	const most = 20_000 // vectors of GPUs by pool; more are searched as upper ends
	vectors := 1
	for _, n := range g.stated() {
		if vectors *= n + 1; vectors > most {
			return g.usedMatters()
		}
	}
	return g.usedMatters() || g.space.MixedHosts()
}

// wholeNodes reports whether the replicas of a layout stay inside a node or take
// whole nodes. Where nothing but the objective decides the number of GPUs only such
// layouts are tried: thousands of others are a fraction of a percent apart, and
// nobody rents a node and a bit for a replica.
func (g *goal) wholeNodes(l *stagegraph.Layout) bool {
	for k, n := range l.GPUs {
		node := max(1, g.c.Cluster.Pools[k].GPUsPerNode)
		if g.c.Cluster.Pools[k].Count.Unlimited() && n > node && n%node != 0 {
			return false
		}
	}
	return true
}

// stated are the stated numbers of GPUs by pool.
func (g *goal) stated() []int {
	out := make([]int, len(g.c.Cluster.Pools))
	for k := range out {
		out[k] = g.c.Cluster.Pools[k].Count.Max
	}
	return out
}

// exactLayouts are the layouts that use exactly these GPUs: replica counts that
// divide every pool.
func (g *goal) exactLayouts(gpus []int) []*stagegraph.Layout {
	var out []*stagegraph.Layout
	most := g.c.Workload.Batch
	for _, n := range gpus {
		if n > 0 {
			most = min(most, n)
		}
	}
	share := make([]int, len(gpus))
replicas:
	for r := 1; r <= most; r++ {
		for k, n := range gpus {
			if n%r != 0 {
				continue replicas
			}
			share[k] = n / r
		}
		if l, ok := g.space.Exact(r, share); ok {
			out = append(out, l)
		}
	}
	return out
}

// ranked lists exact layouts by the number of GPUs, or by price for the objective
// cost, fewest first.
func (g *goal) ranked() levels {
	byPrice := g.c.Goal.Objective == inputs.Cost
	type vector struct {
		gpus  []int
		total int
		price float64
	}
	var all []vector
	gpus := make([]int, len(g.c.Cluster.Pools))
	left, _ := g.mostGPUs()
	var walk func(k int)
	walk = func(k int) {
		if k == len(gpus) {
			v := vector{gpus: slices.Clone(gpus)}
			for i, n := range gpus {
				v.total += n
				v.price += float64(n) * g.c.Cluster.Pools[i].USDPerHour
			}
			if v.total > 0 {
				all = append(all, v)
			}
			return
		}
		low, high := g.between(k)
		for n := low; n <= min(high, left); n++ {
			gpus[k] = n
			left -= n
			walk(k + 1)
			left += n
		}
	}
	walk(0)
	slices.SortStableFunc(all, func(a, b vector) int {
		if byPrice && a.price != b.price {
			return cmp.Compare(a.price, b.price)
		}
		return cmp.Compare(a.total, b.total)
	})
	var out levels
	var last vector
	for i, v := range all {
		layouts := g.exactLayouts(v.gpus)
		if len(layouts) == 0 {
			continue
		}
		same := i > 0 && v.total == last.total && (!byPrice || v.price == last.price)
		if !same || len(out.list) == 0 {
			what := fmt.Sprintf("%d GPUs", v.total)
			if byPrice {
				what = fmt.Sprintf("%d GPUs at %.4g USD an hour", v.total, v.price)
			}
			out.list = append(out.list, level{what: what})
		}
		last = v
		at := &out.list[len(out.list)-1]
		at.layouts = append(at.layouts, layouts...)
	}
	return out
}

// between are the numbers of GPUs of a pool that are tried where they are ours to
// choose, or idle ones are allowed.
func (g *goal) between(k int) (low, high int) {
	count := g.c.Cluster.Pools[k].Count
	low, high = count.Min, count.Max
	if count.Stated() && g.c.Goal.AllowIdle {
		low = 0
	}
	if count.Unlimited() {
		high = mostUnlimited
	}
	return low, high
}

// mostVectors is how many combinations of GPU counts of several pools are tried: some
// 16,000 take seconds, and two unlimited pools reach 180 GPUs with them. One pool alone has
// no such bound, and what is stated or a range is tried to its end.
const mostVectors = 1 << 14

// mostGPUs is the largest number of GPUs over all pools that is tried, and whether that
// is less than the ranges would allow.
func (g *goal) mostGPUs() (most int, cut bool) {
	ways := []int{1} // combinations by their sum
	bounded, free := 0, 0
	for k := range g.c.Cluster.Pools {
		low, high := g.between(k)
		if g.c.Cluster.Pools[k].Count.Unlimited() {
			free++
		} else {
			bounded += high
		}
		next := make([]int, len(ways)+high)
		for sum, n := range ways {
			for x := low; n > 0 && x <= high; x++ {
				next[sum+x] = min(next[sum+x]+n, mostVectors)
			}
		}
		ways = next
	}
	all := len(ways) - 1
	if free == 0 || len(g.c.Cluster.Pools) == 1 {
		return all, false
	}
	seen := 0
	for sum, n := range ways {
		// What the ranges ask for at least is tried in any case.
		if seen > 0 && seen+n > mostVectors {
			return max(sum-1, bounded), true
		}
		seen += n
	}
	return all, false
}

// freeLayouts are the layouts of a decided number with the number left open: for each
// number of replicas those that stay on a host and those that need not. Several pools,
// and requirements that count GPUs, keep the layouts as they are.
func (g *goal) freeLayouts(of []*stagegraph.Layout) []*stagegraph.Layout {
	if g.space.Pools() > 1 || g.usedMatters() {
		return of
	}
	most := map[int]int{}
	var order []int
	for _, l := range of {
		if most[l.Replicas] == 0 {
			order = append(order, l.Replicas)
		}
		most[l.Replicas] = max(most[l.Replicas], l.GPUs[0])
	}
	count := g.c.Cluster.Pools[0].Count
	var out []*stagegraph.Layout
	defer func() { g.cases(&out) }()
	for _, r := range order {
		n := most[r]
		if count.Unlimited() {
			n = g.space.Layers() * g.space.LargestGroup(0)
		}
		host := min(n, max(1, g.c.Cluster.Pools[0].GPUsPerNode))
		if l, ok := g.space.Exact(r, []int{host}); ok && l.SameHost {
			l.Exact = false
			out = append(out, l)
		}
		if n > host {
			out = append(out, &stagegraph.Layout{Replicas: r, GPUs: []int{n}, Total: -1})
		}
	}
	return out
}

// summing lists the numbers of GPUs of each stated pool that add up to total.
func (g *goal) summing(total int) [][]int {
	most := g.stated()
	gpus := make([]int, len(most))
	var out [][]int
	var walk func(k, left int)
	walk = func(k, left int) {
		if k == len(most)-1 {
			if left <= most[k] {
				gpus[k] = left
				out = append(out, slices.Clone(gpus))
			}
			return
		}
		for gpus[k] = 0; gpus[k] <= min(most[k], left); gpus[k]++ {
			walk(k+1, left-gpus[k])
		}
	}
	walk(0, total)
	return out
}

// idle lists the levels below the stated number, most GPUs first: where no plan
// uses all, the largest number that can be used is found by going down.
func (g *goal) idle() levels { return g.ruled(g.plainIdle()) }

func (g *goal) plainIdle() levels {
	out := levels{counted: "stated, but no plan can use all of them: the largest number that can be used"}
	total := 0
	for _, n := range g.stated() {
		total += n
	}
	single := len(g.c.Cluster.Pools) == 1
	for used := total - 1; used > 0; used-- {
		l := level{what: fmt.Sprintf("%d of %d GPUs", used, total)}
		if !single && g.exactly() {
			for _, gpus := range g.summing(used) {
				l.layouts = append(l.layouts, g.exactLayouts(gpus)...)
			}
			out.list = append(out.list, l)
			continue
		}
		for r := 1; r <= min(used, g.c.Workload.Batch); r++ {
			if used%r != 0 {
				continue
			}
			if single {
				if x, ok := g.space.Exact(r, []int{used / r}); ok {
					l.layouts = append(l.layouts, x)
				}
				continue
			}
			for _, x := range g.space.UpTo(r) {
				if x.Used() >= used/r {
					x.Total = used / r
					l.layouts = append(l.layouts, x)
				}
			}
		}
		if len(l.layouts) > 0 {
			out.list = append(out.list, l)
		}
	}
	return out
}
