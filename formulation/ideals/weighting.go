package ideals

import (
	"math"
	"sort"
)

// weighting is a valid inequality: the weights of what remains add up to no more than
// the devices left can take. With multipliers λ_c the weight of a super-node is
//
//	w_v = min over classes c of λ_c · time_c(v),   a device of class c takes λ_c · T
//
// for whatever class runs v, it takes λ_c·time_c(v) ≥ w_v of what its devices have. It
// holds for sets of devices of the classes of its mask. The weight of memory is bytes,
// and that of a super-node that no class of the mask runs is one, of which no device
// takes any.
type weighting struct {
	measure
	mask  uint64
	timed []float64 // by class: what a device takes for a tick of the limit
	fixed []float64 // by class: what it takes besides
	// pays: the weight is one of time, and grows by what a super-node must receive.
	pays    bool
	classes []int // of the mask
}

// measure is a number of every super-node, which sets of them add up.
type measure struct {
	weight []int64
	// tail of a super-node is what it and all that follows it have at least.
	tail []int64
	sum  int64 // of all
}

// most is what the devices left can take of the weighting under a limit, rounded up.
func (w *weighting) most(left []int32, limit int64) int64 {
	sum := 0.0
	for c, n := range left {
		sum += float64(n) * (w.timed[c]*float64(limit) + w.fixed[c])
	}
	return int64(math.Min(math.Ceil(sum*(1+1e-12)), 1<<62))
}

// least is the smallest limit under which all fits all devices.
func (w *weighting) least(counts []int32) float64 {
	timed, fixed := 0.0, 0.0
	for c, n := range counts {
		timed += float64(n) * w.timed[c]
		fixed += float64(n) * w.fixed[c]
	}
	need := float64(w.sum) - fixed
	switch {
	case need <= 0:
		return 0
	case timed == 0:
		return math.Inf(1)
	}
	return need / timed * (1 - 1e-12)
}

// mostMasks is the number of classes up to which every set of them has weightings of
// its own; above, all together and each alone do.
const mostMasks = 4

// weightings are the inequalities that the search prunes with.
func (k *core) weightings() []weighting {
	all := uint64(0)
	for c := range k.classes {
		if k.classes[c].count > 0 {
			all |= 1 << c
		}
	}
	var masks []uint64
	for c := range k.classes {
		if all>>c&1 == 1 {
			masks = append(masks, 1<<c)
		}
	}
	if len(k.classes) <= mostMasks {
		for m := (all - 1) & all; m > 0; m = (m - 1) & all {
			if m&(m-1) != 0 {
				masks = append(masks, m)
			}
		}
	}
	if all&(all-1) != 0 {
		masks = append(masks, all)
	}
	var out []weighting
	for _, m := range masks {
		out = append(out, k.timeWeighting(m))
		out = append(out, k.byteWeighting(m)...)
		out = append(out, k.runWeighting(m)...)
	}
	for i := range out {
		k.addTail(&out[i].measure)
	}
	return out
}

func (k *core) newWeighting(mask uint64) weighting {
	w := weighting{mask: mask, measure: measure{weight: make([]int64, k.n)},
		timed: make([]float64, len(k.classes)), fixed: make([]float64, len(k.classes))}
	for c := range k.classes {
		if mask>>c&1 == 1 {
			w.classes = append(w.classes, c)
		}
	}
	return w
}

// runWeighting forbids what no class of the mask runs.
func (k *core) runWeighting(mask uint64) []weighting {
	w, any := k.newWeighting(mask), false
	for v := range w.weight {
		w.weight[v] = 1
		for c := range k.classes {
			if mask>>c&1 == 1 && k.classes[c].time[v] != never {
				w.weight[v] = 0
			}
		}
		any = any || w.weight[v] > 0
	}
	if !any {
		return nil
	}
	return []weighting{w}
}

// byteWeighting is there where the memory of all classes of the mask is limited and
// one device cannot hold all.
func (k *core) byteWeighting(mask uint64) []weighting {
	w, binds := k.newWeighting(mask), false
	for c := range k.classes {
		if mask>>c&1 == 1 {
			if k.classes[c].bytes == Unlimited {
				return nil
			}
			binds = binds || k.classes[c].bytes < k.size.sum
			w.fixed[c] = float64(k.classes[c].bytes)
		}
	}
	if !binds {
		return nil
	}
	copy(w.weight, k.size.weight)
	return []weighting{w}
}

// timeWeighting chooses the multipliers by coordinate ascent on the bound that they
// give for all classes of the mask together.
func (k *core) timeWeighting(mask uint64) weighting {
	w := k.newWeighting(mask)
	w.pays = true
	lambda := w.timed
	for c := range k.classes {
		if mask>>c&1 == 1 {
			sum := 1.0
			for _, t := range k.classes[c].time {
				if t != never {
					sum += float64(t)
				}
			}
			lambda[c] = 1 / sum
		}
	}
	const rounds = 4
	for range rounds {
		for c := range k.classes {
			if mask>>c&1 == 1 {
				k.improve(mask, lambda, c)
			}
		}
	}
	most := 0.0
	for _, l := range lambda {
		most = max(most, l)
	}
	for c := range lambda {
		lambda[c] /= most
	}
	for v := range w.weight {
		if least := k.cheapest(mask, lambda, v, -1); !math.IsInf(least, 1) {
			w.weight[v] = int64(least * (1 - 1e-12))
		}
	}
	return w
}

// weigh is the weight of a super-node that must receive, by class, so much.
func (w *weighting) weigh(k *core, v int32, receives [][]int64) int64 {
	least := math.Inf(1)
	for _, c := range w.classes {
		if t := k.classes[c].time[v]; t != never {
			least = min(least, w.timed[c]*float64(t+receives[c][v]))
		}
	}
	if math.IsInf(least, 1) {
		return 0
	}
	return int64(least * (1 - 1e-12))
}

// cheapest is min λ_c·time_c(v) over the classes of the mask but one.
func (k *core) cheapest(mask uint64, lambda []float64, v, but int) float64 {
	least := math.Inf(1)
	for c := range k.classes {
		if t := k.classes[c].time[v]; c != but && mask>>c&1 == 1 && t != never {
			least = min(least, lambda[c]*float64(t))
		}
	}
	return least
}

// improve sets λ of one class to what makes Σ w_v / Σ λ_c·count_c largest. The quotient
// rises and falls between the values where the class becomes the cheapest of some
// super-node, so one of these is best.
func (k *core) improve(mask uint64, lambda []float64, c int) {
	type step struct{ at, other, time float64 }
	var steps []step
	taken, slope := 0.0, 0.0 // Σ of the others' weights; Σ of times that λ multiplies
	for v := range k.n {
		t, other := k.classes[c].time[v], k.cheapest(mask, lambda, v, c)
		switch {
		case t == never && math.IsInf(other, 1):
		case t == never:
			taken += other
		case math.IsInf(other, 1):
			slope += float64(t)
		case t == 0:
		default:
			slope += float64(t)
			steps = append(steps, step{other / float64(t), other, float64(t)})
		}
	}
	rest := 0.0
	for i, l := range lambda {
		if i != c {
			rest += l * float64(k.classes[i].count)
		}
	}
	sort.Slice(steps, func(i, j int) bool { return steps[i].at < steps[j].at })
	best := -1.0
	for _, s := range steps {
		taken += s.other
		slope -= s.time
		if bound := (taken + s.at*slope) / (rest + s.at*float64(k.classes[c].count)); bound > best {
			best, lambda[c] = bound, s.at
		}
	}
}

// addTail sums the weights of what follows each super-node.
func (k *core) addTail(w *measure) {
	w.tail = make([]int64, k.n)
	for v := k.n - 1; v >= 0; v-- {
		w.sum += w.weight[v]
		switch {
		case k.chain:
			w.tail[v] = w.sum
		case k.after != nil && k.n <= largestTail:
			k.after[v].each(func(u int) { w.tail[v] += w.weight[u] })
		default: // along the heaviest way only
			for _, u := range k.succs[v] {
				w.tail[v] = max(w.tail[v], w.tail[u])
			}
			w.tail[v] += w.weight[v]
		}
	}
}

// largestTail is the number of super-nodes up to which tails are exact.
const largestTail = 1 << 12

// along is the weighting for a core in a linear order.
func (w *weighting) along(k *core, order []int32) weighting {
	to := k.newWeighting(w.mask)
	to.timed, to.fixed, to.pays = w.timed, w.fixed, w.pays
	for i, s := range order {
		to.weight[i] = w.weight[s]
	}
	k.addTail(&to.measure)
	return to
}
