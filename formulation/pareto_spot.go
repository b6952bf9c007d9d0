package formulation

import (
	"math"
	"slices"

	"partita/solver/path"
)

// spot is a plan's place in the trade-off, in whole numbers that compare over all
// outer choices; less is better in each.
//
//	0  latency: ticks of ℓ
//	1  throughput: ticks of a round, times the GPUs used where their number is open
//	2  cost: millionths of a US dollar an hour; 0 where prices are not known
type spot [3]int64

// farthest is worse than any plan.
var farthest = spot{path.NoLimit, path.NoLimit, path.NoLimit}

// covers reports whether a is no worse than b in every axis.
func (a spot) covers(b spot) bool {
	return a[0] <= b[0] && a[1] <= b[1] && a[2] <= b[2]
}

// vertex is a plan that no plan found so far beats.
type vertex struct {
	*found
	at spot
}

// front is the set of vertices, none covered by another, by latency.
type front []*vertex

// covered reports whether some vertex is no worse than a spot in every axis.
func (f front) covered(s spot) bool {
	return slices.ContainsFunc(f, func(v *vertex) bool { return v.at.covers(s) })
}

// add enters a vertex unless one covers it; those that it covers go.
func (f *front) add(v *vertex) {
	if f.covered(v.at) {
		return
	}
	kept := slices.DeleteFunc(*f, func(w *vertex) bool { return v.at.covers(w.at) })
	i, _ := slices.BinarySearchFunc(kept, v, func(a, b *vertex) int {
		return slices.Compare(a.at[:], b.at[:])
	})
	*f = slices.Insert(kept, i, v)
}

// least is the smallest value of one axis over the vertices that are no worse than
// the others of a spot; path.NoLimit where there is none. A plan that is to count must
// be below it.
func (f front) least(axis int, s spot) int64 {
	best := int64(path.NoLimit)
	s[axis] = path.NoLimit
	for _, v := range f {
		if v.at.covers(s) {
			best = min(best, v.at[axis])
		}
	}
	return best
}

// ticksOf is a lower bound in ticks from one in seconds: prices are rounded up to
// ticks, so no plan is below it. A millionth of a tick is forgiven as rounding of the
// bound.
func ticksOf(seconds, tick float64) int64 {
	x := math.Ceil(seconds/tick*(1-1e-12) - 1e-6)
	if !(x < 1<<60) {
		return path.NoLimit
	}
	return max(0, int64(x))
}

// times is a product that stays at path.NoLimit.
func times(a, b int64) int64 {
	if a != 0 && b > path.NoLimit/a {
		return path.NoLimit
	}
	return a * b
}
