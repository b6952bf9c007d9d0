package scatter

import (
	"math"
	"sort"
)

// Bounds on the largest load. All rest on one argument. Give every cluster a price.
// What one accelerator can hold at a load of at most U is worth at most P(U), what the
// cores can hold together at most C(U); so where k·P(U) + C(U) is less than all clusters
// are worth, no assignment has all loads at or below U.

// coresWorth bounds the worth of what the cores hold at load U: a fractional knapsack of all
// their time, of clusters that take no longer than U. share, where given, receives the
// part of every cluster that it takes.
func (p *problem) coresWorth(prices []int64, byWorth []int, limit int64, share []float64) int64 {
	clear(share)
	if p.boundCores == 0 {
		return 0
	}
	room := float64(p.boundCores) * float64(limit)
	worth := int64(0)
	for _, c := range byWorth {
		cpu := p.clusters[c].cpu
		if cpu > limit {
			continue
		}
		if float64(cpu) <= room {
			room -= float64(cpu)
			worth += prices[c]
			if share != nil {
				share[c] = 1
			}
			continue
		}
		part := room / float64(cpu)
		worth += int64(math.Ceil(float64(prices[c])*part)) + 1 // rounded up: it is a bound
		if share != nil {
			share[c] = part
		}
		break
	}
	return worth
}

// byWorth lists the clusters of positive price that a core runs, dearest a tick first.
func (p *problem) byWorth(prices []int64) []int {
	var list []int
	for c := range p.clusters {
		if p.clusters[c].onCore && prices[c] > 0 {
			list = append(list, c)
		}
	}
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i], list[j]
		return float64(prices[a])*float64(p.clusters[b].cpu) > float64(prices[b])*float64(p.clusters[a].cpu)
	})
	return list
}

// smallest is the least U in [lo, hi] that enough accepts; enough grows with U. hi is
// returned unasked.
func smallest(lo, hi int64, enough func(int64) bool) int64 {
	for lo < hi {
		if mid := lo + (hi-lo)/2; enough(mid) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// workBound is the bound by time alone: every cluster takes its time somewhere, the
// cores hold at most what fits on them whole, and the accelerators share the rest.
func (p *problem) workBound(upper int64) int64 {
	largest := int64(0) // of the clusters, on the device that suits each best
	prices := make([]int64, len(p.clusters))
	sum := int64(0)
	for i := range p.clusters {
		c := &p.clusters[i]
		least := upper
		if c.onAccel {
			least = min(least, c.work)
			prices[i] = c.work
			sum += c.work
		}
		if c.onCore {
			least = min(least, c.cpu)
		}
		largest = max(largest, least)
	}
	byWorth := p.byWorth(prices)
	bound := smallest(0, upper, func(u int64) bool {
		return u >= sum || int64(p.boundAccelerators)*u+p.coresWorth(prices, byWorth, u, nil) >= sum
	})
	forced := int64(0) // what only cores can run
	for i := range p.clusters {
		if !p.clusters[i].onAccel {
			forced += p.clusters[i].cpu
		}
	}
	if p.boundCores > 0 {
		bound = max(bound, (forced+int64(p.boundCores)-1)/int64(p.boundCores))
	}
	return max(bound, largest)
}
