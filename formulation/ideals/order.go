package ideals

import "slices"

// orders are linear orders of the super-nodes that keep the forward order; good ones
// have few outputs open at any place. Along each the best chain is found at once.
func (k *core) orders() [][]int32 {
	back := k.succs
	forward := k.preds
	reversed := func(order []int32) []int32 {
		slices.Reverse(order)
		return order
	}
	return [][]int32{
		k.order(forward, back, k.newest),
		reversed(k.order(back, forward, k.newest)),
		k.order(forward, back, k.oldest),
		reversed(k.order(back, forward, k.oldest)),
		k.order(forward, back, k.fewestOpen()),
		reversed(k.order(back, forward, k.fewestOpen())),
	}
}

// order takes the super-nodes one by one, each after those before it; choose gives the
// place in a list of those that may come next, the oldest first.
func (k *core) order(before, after [][]int32, choose func(ready []int32) int) []int32 {
	waiting := make([]int, k.n)
	var ready []int32
	for v := range k.n {
		if waiting[v] = len(before[v]); waiting[v] == 0 {
			ready = append(ready, int32(v))
		}
	}
	order := make([]int32, 0, k.n)
	for len(ready) > 0 {
		at := choose(ready)
		v := ready[at]
		ready = slices.Delete(ready, at, at+1)
		order = append(order, v)
		for _, u := range after[v] {
			if waiting[u]--; waiting[u] == 0 {
				ready = append(ready, u)
			}
		}
	}
	return order
}

func (k *core) newest(ready []int32) int { return len(ready) - 1 }
func (k *core) oldest([]int32) int       { return 0 }

// newestSeen is the number of super-nodes, the newest, that fewestOpen chooses from.
const newestSeen = 64

// fewestOpen chooses the super-node after which the outputs that are held in part cost
// least, the newest of equals.
func (k *core) fewestOpen() func(ready []int32) int {
	held := make([]int, len(k.pins))
	return func(ready []int32) int {
		best, least := 0, int64(0)
		for i := len(ready) - 1; i >= max(0, len(ready)-newestSeen); i-- {
			cost := int64(0)
			for _, e := range k.nets[ready[i]] {
				switch held[e] {
				case 0:
					cost += k.dearest(e)
				case len(k.pins[e]) - 1:
					cost -= k.dearest(e)
				}
			}
			if i == len(ready)-1 || cost < least {
				best, least = i, cost
			}
		}
		for _, e := range k.nets[ready[best]] {
			held[e]++
		}
		return best
	}
}

// dearest is the largest transfer of a net.
func (k *core) dearest(net int32) int64 {
	most := int64(0)
	for c := range k.classes {
		most = max(most, k.classes[c].cost[net])
	}
	return most
}
