package training

import (
	"cmp"
	"fmt"
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
}

// levels are the numbers of GPUs of a condition, best first.
type levels struct {
	list    []level
	counted string // how the number is decided, for the certificate
}

func (l *levels) all() [][]int {
	var out [][]int
	for _, lv := range l.list {
		out = append(out, lv.vectors...)
	}
	return out
}

// levels lists the numbers of GPUs that the condition leaves to choose from.
func (g *goal) levels() levels {
	goal := &g.x.c.Goal
	ranked := goal.Objective == inputs.GPUs || goal.Objective == inputs.Cost
	switch {
	case g.perGPU && (ranked || len(goal.Requirements) > 0):
		out := levels{list: g.ranked(), counted: "decided: the fewest GPUs whose plan meets the requirements"}
		if goal.Objective == inputs.Cost {
			out.counted = "decided: the cheapest GPUs whose plan meets the requirements"
		}
		return out
	case g.perGPU:
		flat := levels{list: g.ranked()}
		return levels{list: []level{{vectors: flat.all()}}, counted: "decided: no requirement is stated, so the best objective with throughput counted by GPU"}
	case !goal.AllowIdle:
		return levels{list: []level{{vectors: [][]int{g.stated()}}}, counted: "stated: every GPU is used"}
	case ranked:
		return levels{list: g.ranked(), counted: "stated, idle GPUs allowed"}
	}
	flat := levels{list: g.ranked()}
	return levels{list: []level{{vectors: flat.all()}}, counted: "stated, idle GPUs allowed"}
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
	if n := g.x.c.Cluster.Pools[k].Count; !n.Unlimited() {
		return n.Max
	}
	return mostUnlimited
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

// mostVectors is how many combinations of GPU counts of several pools are tried.
const mostVectors = 1 << 14

// ranked lists the numbers of GPUs by their sum, or by price for the objective cost, the
// smallest first.
func (g *goal) ranked() []level {
	type vector struct {
		gpus  []int
		total int
		price float64
	}
	pools := g.x.c.Cluster.Pools
	var all []vector
	gpus := make([]int, len(pools))
	var walk func(k int)
	walk = func(k int) {
		if k < len(pools) {
			for _, gpus[k] = range g.counts(k) {
				walk(k + 1)
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
	walk(0)
	byPrice := g.x.c.Goal.Objective == inputs.Cost
	slices.SortStableFunc(all, func(a, b vector) int {
		if byPrice && a.price != b.price {
			return cmp.Compare(a.price, b.price)
		}
		return cmp.Compare(a.total, b.total)
	})
	all = all[:min(len(all), mostVectors)]
	var out []level
	for i, v := range all {
		if i == 0 || v.total != all[i-1].total || byPrice && v.price != all[i-1].price {
			what := fmt.Sprintf("%d GPUs", v.total)
			if byPrice {
				what = fmt.Sprintf("%d GPUs at %.4g USD an hour", v.total, v.price)
			}
			out = append(out, level{what: what})
		}
		at := &out[len(out)-1]
		at.vectors = append(at.vectors, v.gpus)
	}
	return out
}

// smaller lists the numbers of GPUs below the stated ones, the largest first.
func (g *goal) smaller() []level {
	most := g.stated()
	total := sum(most)
	var out []level
	for used := total - 1; used > 0; used-- {
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
		out = append(out, l)
	}
	return out
}
