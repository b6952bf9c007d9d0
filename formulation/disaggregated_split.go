package formulation

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"

	"partita/inputs"
)

// gpuSplit is how many GPUs of each pool prefill and how many decode, and of which nodes
// where the condition names them.
type gpuSplit struct {
	prefill, decode []int
	nodes           [2][]taking // of the side that prefills, and of the other
}

// used is how many GPUs of both sides there are.
func (s gpuSplit) used() int {
	n := 0
	for k := range s.prefill {
		n += s.prefill[k] + s.decode[k]
	}
	return n
}

// splitLevel is a set of splits that are equally good in what is decided first.
type splitLevel struct {
	what   string
	splits []gpuSplit
	// open: splits that are not tried may be as good in it, or better.
	open bool
}

// Bounds of what is split: where every number of GPUs would make more splits than
// mostSplits, sides take whole nodes or a power of two of one, and all GPUs less such a
// number. mostApart GPUs of a pool are tried where there is no end.
const (
	mostSplits = 600
	mostApart  = 128
)

// splitChoice is all that a search for two deployments chooses from.
type splitChoice struct {
	levels []splitLevel // best first
	// counted says how the number of GPUs is decided, sizes which numbers a side may have.
	counted, sizes string
	// cut: there are numbers of GPUs that no level has.
	cut bool
}

func (c *splitChoice) all() []gpuSplit {
	var out []gpuSplit
	for _, lv := range c.levels {
		out = append(out, lv.splits...)
	}
	return out
}

// splitLevels lists the splits of a condition.
func (d *disaggregation) splitLevels() *splitChoice {
	c := d.c
	open := !allStated(c)
	ranked := c.Goal.Objective == inputs.GPUs || c.Goal.Objective == inputs.Cost
	decided := ranked || open && len(c.Goal.Requirements) > 0
	all, to := d.candidates(c.Goal.AllowIdle)
	out := &splitChoice{cut: to < d.most(), sizes: "every number of GPUs of each pool on either side"}
	if out.cut {
		out.sizes = "whole nodes or 1, 2, 4, … GPUs of one on a side, the rest of a stated number on the other"
		if to > 0 {
			out.sizes = fmt.Sprintf("every number of GPUs up to %d on both sides together; of more, %s", to, out.sizes)
		}
		if d.most() == math.MaxInt {
			out.sizes += fmt.Sprintf("; at most %d of a pool whose number is unlimited", mostApart)
		}
	}
	switch {
	case !open && !c.Goal.AllowIdle:
		out.counted = "stated: every GPU is used"
		out.levels = []splitLevel{{what: "all GPUs", splits: all, open: out.cut}}
		return out
	case !decided && open:
		// Nothing but the objective decides the number: what lies between is left out, as in
		// a search for one deployment.
		out.counted = "decided: no requirement is stated, so the best objective with throughput counted by GPU"
		out.levels = []splitLevel{{splits: all}}
		return out
	case !decided:
		out.counted = "stated, idle GPUs allowed"
		out.levels = []splitLevel{{splits: all, open: out.cut}}
		return out
	}
	out.counted = "decided: the fewest GPUs whose plan meets the requirements"
	rank, untried := func(s gpuSplit) float64 { return float64(s.used()) }, float64(to+1)
	if c.Goal.Objective == inputs.Cost {
		out.counted = "decided: the cheapest GPUs whose plan meets the requirements"
		rank, untried = d.hourly, float64(to+1)*d.cheapest()
	}
	slices.SortStableFunc(all, func(a, b gpuSplit) int { return cmp.Compare(rank(a), rank(b)) })
	for i, s := range all {
		if i == 0 || rank(s) != rank(all[i-1]) {
			what := fmt.Sprintf("%d GPUs", s.used())
			if c.Goal.Objective == inputs.Cost {
				what = fmt.Sprintf("%.4g USD an hour", rank(s))
			}
			out.levels = append(out.levels, splitLevel{what: what, open: out.cut && rank(s) >= untried})
		}
		at := &out.levels[len(out.levels)-1]
		at.splits = append(at.splits, s)
	}
	return out
}

// cheapest is the least price of a GPU, US dollars an hour.
func (d *disaggregation) cheapest() float64 {
	low := math.Inf(1)
	for _, p := range d.c.Cluster.Pools {
		low = min(low, p.USDPerHour)
	}
	return low
}

// most is the largest number of GPUs that the condition allows; math.MaxInt without end.
func (d *disaggregation) most() int {
	n := 0
	for _, p := range d.c.Cluster.Pools {
		if p.Count.Unlimited() {
			return math.MaxInt
		}
		n += p.Count.Max
	}
	return n
}

// fewerLevels lists the splits that leave stated GPUs idle, most GPUs first.
func (d *disaggregation) fewerLevels() []splitLevel {
	all, to := d.candidates(true)
	slices.SortStableFunc(all, func(a, b gpuSplit) int { return cmp.Compare(b.used(), a.used()) })
	var out []splitLevel
	total := d.most()
	for _, s := range all {
		if s.used() == total {
			continue
		}
		what := fmt.Sprintf("%d of %d GPUs", s.used(), total)
		if len(out) == 0 || out[len(out)-1].what != what {
			out = append(out, splitLevel{what: what, open: to < total})
		}
		at := &out[len(out)-1]
		at.splits = append(at.splits, s)
	}
	return out
}

// allStated reports whether the number of GPUs of every pool is given.
func allStated(c *inputs.Condition) bool {
	return !slices.ContainsFunc(c.Cluster.Pools, func(p inputs.Pool) bool { return !p.Count.Stated() })
}

// candidates lists the splits that are tried; some GPUs of a stated number may be idle.
// Every split with at most so many GPUs in all is one of them: of all GPUs, where there are
// few enough.
func (d *disaggregation) candidates(idle bool) ([]gpuSplit, int) {
	most := d.most()
	for _, orders := range []int{mostOrders, 1} {
		if all, ok := d.splits(idle, true, most, orders); ok && most < math.MaxInt {
			return all, most
		}
	}
	coarse, _ := d.splits(idle, false, most, 1)
	if !idle && allStated(d.c) {
		return coarse, 0
	}
	// The largest number that all splits are tried up to.
	to := sort.Search(min(most, mostSplits), func(n int) bool {
		_, ok := d.splits(idle, true, n+1, 1)
		return !ok
	})
	out, _ := d.splits(idle, true, to, 1)
	for _, s := range coarse {
		if s.used() > to {
			out = append(out, s)
		}
	}
	return out, to
}

// splits lists the splits of up to so many GPUs, on the nodes of each pool in up to so many
// orders; some GPUs of a stated number may be idle. Fine: every number of GPUs on a side; false where that
// makes too many.
func (d *disaggregation) splits(idle, fine bool, most, orders int) ([]gpuSplit, bool) {
	var out []gpuSplit
	pools := d.c.Cluster.Pools
	ordered := make([][][]int, len(pools))
	for k := range pools {
		ordered[k] = d.orders(k, orders)
	}
	var walk func(at gpuSplit, k, left int) bool
	walk = func(at gpuSplit, k, left int) bool {
		if k == len(pools) {
			if sum(at.prefill) > 0 && sum(at.decode) > 0 {
				out = append(out, at)
			}
			return !fine || len(out) <= mostSplits
		}
		p := &pools[k]
		low, high := p.Count.Min, p.Count.Max
		if p.Count.Unlimited() {
			high = max(low, mostApart)
		}
		if idle && p.Count.Stated() {
			low = 0
		}
		for a := 0; a <= min(high, left); a++ {
			for b := max(0, low-a); b <= min(high, left)-a; b++ {
				if !fine && !even(a, p.GPUsPerNode) && !(p.Count.Stated() && even(b, p.GPUsPerNode) && a+b == high) {
					continue
				}
				if !fine && !even(b, p.GPUsPerNode) && !(p.Count.Stated() && even(a, p.GPUsPerNode) && a+b == high) {
					continue
				}
				for _, x := range d.takings(k, a, b, ordered[k]) {
					next := gpuSplit{prefill: append(at.prefill[:k:k], a), decode: append(at.decode[:k:k], b)}
					for i := range next.nodes {
						next.nodes[i] = append(at.nodes[i][:k:k], x[i])
					}
					if !walk(next, k+1, left-a-b) {
						return false
					}
				}
			}
		}
		return true
	}
	ok := walk(gpuSplit{}, 0, most)
	return out, ok
}

// even reports whether a number of GPUs is whole nodes or a power of two.
func even(n, node int) bool {
	node = max(1, node)
	return n%node == 0 || n < node && n&(n-1) == 0
}

func sum(list []int) int {
	n := 0
	for _, x := range list {
		n += x
	}
	return n
}

// hourly is the price of all GPUs of a split, US dollars an hour.
func (d *disaggregation) hourly(s gpuSplit) float64 {
	usd := 0.0
	for k := range s.prefill {
		usd += d.c.Cluster.Pools[k].USDPerHour * float64(s.prefill[k]+s.decode[k])
	}
	return usd
}
