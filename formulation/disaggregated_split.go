package formulation

import (
	"cmp"
	"fmt"
	"slices"

	"partita/inputs"
)

// gpuSplit is how many GPUs of each pool prefill and how many decode.
type gpuSplit struct{ prefill, decode []int }

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
}

// Bounds of what is split: where every number of GPUs would make more splits than
// mostSplits, sides take whole nodes or a power of two of one, and all GPUs less such a
// number. mostApart GPUs of a pool are tried where there is no end.
const (
	mostSplits = 600
	mostApart  = 128
)

// splitLevels lists the splits of a condition, best first. counted says how the number of
// GPUs is decided, sizes which numbers of GPUs a side may have.
func (d *disaggregation) splitLevels() (out []splitLevel, counted, sizes string) {
	c := d.c
	open := !allStated(c)
	ranked := c.Goal.Objective == inputs.GPUs || c.Goal.Objective == inputs.Cost
	sizes = "every number of GPUs of each pool on either side"
	all, ok := d.splits(open || c.Goal.AllowIdle, true)
	if open || !ok {
		sizes = "whole nodes or 1, 2, 4, … GPUs of one on a side, the rest of a stated number on the other"
		all, _ = d.splits(open || c.Goal.AllowIdle, false)
	}
	switch {
	case !open && !c.Goal.AllowIdle:
		return []splitLevel{{what: "all GPUs", splits: all}}, "stated: every GPU is used", sizes
	case open && !ranked && len(c.Goal.Requirements) == 0:
		return []splitLevel{{splits: all}}, "decided: no requirement is stated, so the best objective with throughput counted by GPU", sizes
	case !open && !ranked:
		return []splitLevel{{splits: all}}, "stated, idle GPUs allowed", sizes
	}
	counted = "decided: the fewest GPUs whose plan meets the requirements"
	rank := func(s gpuSplit) float64 { return float64(s.used()) }
	if c.Goal.Objective == inputs.Cost {
		counted = "decided: the cheapest GPUs whose plan meets the requirements"
		rank = d.hourly
	}
	slices.SortStableFunc(all, func(a, b gpuSplit) int { return cmp.Compare(rank(a), rank(b)) })
	for i, s := range all {
		if i == 0 || rank(s) != rank(all[i-1]) {
			what := fmt.Sprintf("%d GPUs", s.used())
			if c.Goal.Objective == inputs.Cost {
				what = fmt.Sprintf("%.4g USD an hour", rank(s))
			}
			out = append(out, splitLevel{what: what})
		}
		at := &out[len(out)-1]
		at.splits = append(at.splits, s)
	}
	return out, counted, sizes
}

// fewerLevels lists the splits that leave stated GPUs idle, most GPUs first.
func (d *disaggregation) fewerLevels() []splitLevel {
	all, ok := d.splits(true, true)
	if !ok {
		all, _ = d.splits(true, false)
	}
	slices.SortStableFunc(all, func(a, b gpuSplit) int { return cmp.Compare(b.used(), a.used()) })
	var out []splitLevel
	total := 0
	for _, p := range d.c.Cluster.Pools {
		total += p.Count.Max
	}
	for _, s := range all {
		if s.used() == total {
			continue
		}
		what := fmt.Sprintf("%d of %d GPUs", s.used(), total)
		if len(out) == 0 || out[len(out)-1].what != what {
			out = append(out, splitLevel{what: what})
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

// splits lists all splits; some GPUs may be idle. Fine: every number of GPUs on a side;
// false where that makes too many.
func (d *disaggregation) splits(idle, fine bool) ([]gpuSplit, bool) {
	var out []gpuSplit
	pools := d.c.Cluster.Pools
	var walk func(at gpuSplit, k int) bool
	walk = func(at gpuSplit, k int) bool {
		if k == len(pools) {
			if sum(at.prefill) > 0 && sum(at.decode) > 0 {
				out = append(out, gpuSplit{slices.Clone(at.prefill), slices.Clone(at.decode)})
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
		for a := 0; a <= high; a++ {
			for b := max(0, low-a); b <= high-a; b++ {
				if !fine && !even(a, p.GPUsPerNode) && !(p.Count.Stated() && even(b, p.GPUsPerNode) && a+b == high) {
					continue
				}
				if !fine && !even(b, p.GPUsPerNode) && !(p.Count.Stated() && even(a, p.GPUsPerNode) && a+b == high) {
					continue
				}
				if !walk(gpuSplit{append(at.prefill[:k:k], a), append(at.decode[:k:k], b)}, k+1) {
					return false
				}
			}
		}
		return true
	}
	ok := walk(gpuSplit{}, 0)
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
