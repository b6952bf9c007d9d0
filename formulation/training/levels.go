package training

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"

	"partita/inputs"
)

// mostUnlimited is how many GPUs an unlimited number is searched up to.
const mostUnlimited = 1024

// level is a set of numbers of GPUs, pool by pool, that are equally good in what is decided
// first: their sum, or their price.
type level struct {
	what    string
	vectors [][]int
	// open: numbers that are not tried may be as good or better.
	open bool
}

// levels are the numbers of GPUs of a condition, best first.
type levels struct {
	list    []level
	cut     bool   // there are more numbers than are tried
	counted string // how the number is decided, for the certificate
}

func (l *levels) all() [][]int {
	var out [][]int
	for _, lv := range l.list {
		out = append(out, lv.vectors...)
	}
	return out
}

// flat has all numbers equally good.
func (l levels) flat(counted string) levels {
	return levels{list: []level{{vectors: l.all(), open: l.cut}}, cut: l.cut, counted: counted}
}

// levels lists the numbers of GPUs that the condition leaves to choose from.
func (g *goal) levels() levels {
	goal := &g.x.c.Goal
	ranked := goal.Objective == inputs.GPUs || goal.Objective == inputs.Cost
	switch {
	case g.perGPU && (ranked || len(goal.Requirements) > 0):
		out := g.ranked()
		out.counted = "decided: the fewest GPUs whose plan meets the requirements"
		if goal.Objective == inputs.Cost {
			out.counted = "decided: the cheapest GPUs whose plan meets the requirements"
		}
		return out
	case g.perGPU:
		return g.ranked().flat("decided: no requirement is stated, so the best objective with throughput counted by GPU")
	case !goal.AllowIdle:
		return levels{list: []level{{vectors: [][]int{g.stated()}}}, counted: "stated: every GPU is used"}
	case ranked:
		out := g.ranked()
		out.counted = "stated, idle GPUs allowed"
		return out
	}
	return g.ranked().flat("stated, idle GPUs allowed")
}

// stated are the stated numbers of GPUs by pool.
func (g *goal) stated() []int {
	out := make([]int, len(g.x.c.Cluster.Pools))
	for k := range out {
		out[k] = g.x.c.Cluster.Pools[k].Count.Max
	}
	return out
}

// most is the largest number of GPUs of a pool that is tried.
func (g *goal) most(k int) int {
	n := g.x.c.Cluster.Pools[k].Count
	if n.Unlimited() {
		return max(mostUnlimited, n.Min)
	}
	return n.Max
}

// counts are the numbers of GPUs of a pool that are tried where there is a choice: any
// inside a node, whole nodes beyond, and the ends of the range.
func (g *goal) counts(k int) []int {
	p := &g.x.c.Cluster.Pools[k]
	low, high := p.Count.Min, g.most(k)
	if p.Count.Stated() && g.x.c.Goal.AllowIdle {
		low = 0
	}
	node := max(1, p.GPUsPerNode)
	var out []int
	for n := low; n <= high; n++ {
		if n <= node || n%node == 0 || n == low || n == high {
			out = append(out, n)
		}
	}
	return out
}

// mostVectors is how many combinations of GPU counts of several pools are tried where some
// are unlimited. One pool alone has no such bound, and what is stated or a range is tried to
// its end.
const mostVectors = 1 << 14

// mostTogether is the largest number of GPUs over all pools that is tried, and whether that
// is less than the counts of each would make.
func (g *goal) mostTogether() (most int, cut bool) {
	ways := map[int]int{0: 1} // combinations by their sum
	bounded, free, all := 0, 0, 0
	for k := range g.x.c.Cluster.Pools {
		list := g.counts(k)
		end := list[len(list)-1]
		if all += end; g.x.c.Cluster.Pools[k].Count.Unlimited() {
			free++
			end = list[0]
		}
		bounded += end
		next := map[int]int{}
		for sum, n := range ways {
			for _, x := range list {
				next[sum+x] = min(next[sum+x]+n, mostVectors+1)
			}
		}
		ways = next
	}
	if free == 0 || len(g.x.c.Cluster.Pools) == 1 {
		return all, false
	}
	seen := 0
	for sum := range all + 1 {
		if seen += ways[sum]; seen > mostVectors {
			most = max(sum-1, bounded)
			return most, most < all
		}
	}
	return all, false
}

// ranked lists the numbers of GPUs by their sum, or by price for the objective cost, the
// smallest first.
func (g *goal) ranked() levels {
	type vector struct {
		gpus  []int
		total int
		price float64
	}
	pools := g.x.c.Cluster.Pools
	var all []vector
	gpus, counts := make([]int, len(pools)), make([][]int, len(pools))
	for k := range counts {
		counts[k] = g.counts(k)
	}
	most, cut := g.mostTogether()
	var walk func(k, left int)
	walk = func(k, left int) {
		if k < len(pools) {
			for _, gpus[k] = range counts[k] {
				if gpus[k] > left {
					return
				}
				walk(k+1, left-gpus[k])
			}
			return
		}
		v := vector{gpus: slices.Clone(gpus), total: sum(gpus)}
		for i, n := range gpus {
			v.price += float64(n) * pools[i].USDPerHour
		}
		if v.total > 0 {
			all = append(all, v)
		}
	}
	walk(0, most)
	byPrice := g.x.c.Goal.Objective == inputs.Cost
	slices.SortStableFunc(all, func(a, b vector) int {
		if byPrice && a.price != b.price {
			return cmp.Compare(a.price, b.price)
		}
		return cmp.Compare(a.total, b.total)
	})
	// More GPUs than are tried are not fewer; but they may be cheaper.
	untried := math.Inf(1)
	if cut && byPrice {
		for i := range pools {
			untried = min(untried, pools[i].USDPerHour*float64(most+1))
		}
	}
	out := levels{cut: cut}
	for i, v := range all {
		if i == 0 || v.total != all[i-1].total || byPrice && v.price != all[i-1].price {
			what := fmt.Sprintf("%d GPUs", v.total)
			if byPrice {
				what = fmt.Sprintf("%d GPUs at %.4g USD an hour", v.total, v.price)
			}
			out.list = append(out.list, level{what: what, open: byPrice && v.price >= untried})
		}
		at := &out.list[len(out.list)-1]
		at.vectors = append(at.vectors, v.gpus)
	}
	return out
}

// smaller lists the numbers of GPUs below the stated ones, the largest first.
func (g *goal) smaller() iter.Seq[level] {
	return func(yield func(level) bool) {
		total := sum(g.stated())
		for used := total - 1; used > 0 && yield(g.exactly(used, total)); used-- {
		}
	}
}

// exactly are the ways to take so many of the stated GPUs.
func (g *goal) exactly(used, total int) level {
	most := g.stated()
	l := level{what: fmt.Sprintf("%d of %d GPUs", used, total)}
	gpus := make([]int, len(most))
	var walk func(k, left int)
	walk = func(k, left int) {
		if k == len(most)-1 {
			if left <= most[k] {
				gpus[k] = left
				l.vectors = append(l.vectors, slices.Clone(gpus))
			}
			return
		}
		for n := 0; n <= min(most[k], left); n++ {
			gpus[k] = n
			walk(k+1, left-n)
		}
	}
	walk(0, used)
	return l
}
