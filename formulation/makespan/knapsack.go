package makespan

import (
	"cmp"
	"slices"
)

// knapsack takes the options that save most in the room that is left.
type knapsack struct {
	room    int64
	options []*option
	best    []*option

	saved  float64
	taken  []*option
	visits int
}

// maxKnapsackVisits ends a choice that is too hard: far above what the few options at the rim
// of a block need.
const maxKnapsackVisits = 20_000

func (k *knapsack) offer(o *option) {
	if o.saves > 0 && o.bytes <= k.room {
		k.options = append(k.options, o)
	}
}

// solve is what the best choice saves; exact is false where it gave up, and then what
// it returns is an upper bound (best is still a choice).
func (k *knapsack) solve() (saved float64, exact bool) {
	// Most saved per byte first: then the fractional choice bounds what is left.
	slices.SortStableFunc(k.options, func(a, b *option) int {
		if c := cmp.Compare(a.saves*float64(b.bytes), b.saves*float64(a.bytes)); c != 0 {
			return -c
		}
		return cmp.Compare(a.bytes, b.bytes)
	})
	bound := k.fractional(0, k.room)
	k.visit(0, k.room, 0)
	if k.visits > maxKnapsackVisits {
		return bound, false
	}
	return k.saved, true
}

func (k *knapsack) fractional(from int, room int64) float64 {
	sum := 0.0
	for _, o := range k.options[from:] {
		if o.bytes > room {
			return sum + o.saves*float64(room)/float64(o.bytes)
		}
		room -= o.bytes
		sum += o.saves
	}
	return sum
}

func (k *knapsack) visit(from int, room int64, saved float64) {
	if saved > k.saved {
		k.saved, k.best = saved, slices.Clone(k.taken)
	}
	k.visits++
	if from == len(k.options) || k.visits > maxKnapsackVisits || saved+k.fractional(from, room) <= k.saved {
		return
	}
	if o := k.options[from]; o.bytes <= room {
		k.taken = append(k.taken, o)
		k.visit(from+1, room-o.bytes, saved+o.saves)
		k.taken = k.taken[:len(k.taken)-1]
	}
	k.visit(from+1, room, saved)
}
