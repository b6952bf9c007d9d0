package training

import (
	"cmp"
	"math"
	"slices"
)

// bound finds the largest τ that a step below the cutoff, in seconds, leaves; false where
// there is none. The larger the share of slow pools must be, the larger is Λ, and the
// smaller the τ that is left.
func (b *builder) bound(cutoff float64) bool {
	b.limit = math.MaxInt64 / 8
	weight := b.peakWeight()
	for range mostRounds {
		b.measure()
		if weight == 0 || math.IsInf(cutoff, 1) {
			break
		}
		lambda := b.lambda()
		if math.IsInf(lambda, 1) {
			return false
		}
		left := b.network.most(cutoff) - int64(lambda/b.tick*(1-1e-12))
		if left < 0 {
			return false
		}
		if left/weight >= b.limit {
			break
		}
		b.limit = left / weight
	}
	b.bounds()
	return true
}

// mostRounds is how often a limit is made tighter by the Λ that it leaves.
const mostRounds = 4

// measure counts the layers of the cheapest kind that a rank of each pool has within the
// limit.
func (b *builder) measure() {
	b.room = make([]int, len(b.s.Ranks))
	for k := range b.room {
		cheapest := math.Inf(1)
		for kind, n := range b.x.kinds {
			if n > 0 {
				cheapest = min(cheapest, b.t.least[k][kind])
			}
		}
		b.room[k] = b.x.layers()
		if n := float64(b.limit) * b.tick * (1 + 1e-9) / cheapest; n < float64(b.room[k]) {
			b.room[k] = int(n)
		}
	}
}

// leastLayer is the least seconds of a layer of the kind on any pool of the split.
func (b *builder) leastLayer(kind int) float64 {
	least := math.Inf(1)
	for k, ranks := range b.s.Ranks {
		if ranks > 0 {
			least = min(least, b.t.least[k][kind])
		}
	}
	return least
}

// lambda is the least seconds that Λ can be, by layers alone: each at its cheapest, and
// dearer by what a layer is dearer at least on the pool that it must lie on, the pools
// taking as many layers as they can from the cheapest on.
func (b *builder) lambda() float64 {
	total := 0.0
	type pool struct {
		dearer float64
		room   int
	}
	var pools []pool
	for k, ranks := range b.s.Ranks {
		if ranks == 0 {
			continue
		}
		p := pool{math.Inf(1), ranks * b.room[k]}
		for kind, n := range b.x.kinds {
			if n > 0 {
				p.dearer = min(p.dearer, b.t.least[k][kind]-b.leastLayer(kind))
			}
		}
		pools = append(pools, p)
	}
	for kind, n := range b.x.kinds {
		if n > 0 {
			total += float64(n) * b.leastLayer(kind)
		}
	}
	slices.SortStableFunc(pools, func(x, y pool) int { return cmp.Compare(x.dearer, y.dearer) })
	left := b.x.layers()
	for _, p := range pools {
		n := min(left, p.room)
		total += float64(n) * p.dearer
		left -= n
	}
	if left > 0 {
		return math.Inf(1)
	}
	return total
}

// bounds finds, for each rank, how many layers must lie before it for the ranks from it on
// to hold the rest within the limit, whatever their pools.
func (b *builder) bounds() {
	at := b.x.layers()
	b.reach = make([]int, b.pp+1)
	b.reach[b.pp] = at
	least := make([]float64, len(b.x.kinds))
	cheapest := math.Inf(1)
	for kind, n := range b.x.kinds {
		if n > 0 {
			least[kind] = b.leastLayer(kind)
			cheapest = min(cheapest, least[kind])
		}
	}
	whole := float64(b.limit) * b.tick * (1 + 1e-9)
	for i := b.pp - 1; i >= 0; i-- {
		for left := whole; at > 0; at-- {
			c := least[b.x.c.Model.Layers[at-1]]
			if b.s.Virtual > 1 {
				c = cheapest // a rank holds layers from all over the model
			}
			if left -= c; left < 0 {
				break
			}
		}
		b.reach[i] = at
	}
}

// after is how many layers the ranks can hold that come once some of each pool are used.
func (b *builder) after(used int32) int {
	n := 0
	for k, ranks := range b.s.Ranks {
		n += (ranks - int(used/b.stride[k])%(ranks+1)) * b.room[k]
	}
	return n
}
