package stagegraph

import (
	"fmt"
	"math"
)

// fastest is, per phase, what the bound needs of a step.
type fastest struct {
	sum   float64   // Σ over layers of the least time on any shape
	layer float64   // the largest least time of a single layer
	speed []float64 // per pool: share of the whole model one GPU can do a second
}

func (s *Space) fastest(ph int, ch Choice) fastest {
	limit := make([]int, len(s.pools))
	for k := range limit {
		limit[k] = min(ch.Layout.GPUs[k], s.LargestGroup(k))
	}
	key := fmt.Sprint(ph, ch.Layout.Replicas, ch.Micro, ch.Groups, limit)
	if f, ok := s.floors[key]; ok {
		return f
	}
	price := s.pricing(ch.Layout.Replicas, ch.Micro, ch.Groups)
	f := s.findFastest(ph, &price, limit)
	s.floors[key] = f
	return f
}

func (s *Space) findFastest(ph int, price *pricing, limit []int) fastest {
	f := fastest{speed: make([]float64, len(s.pools))}
	kinds := len(s.prefix)
	least := make([]float64, kinds)
	work := make([][]float64, len(s.pools))
	one := make([]class, kinds)
	for kind := range kinds {
		least[kind] = math.Inf(1)
		one[kind] = class{counts: make([]int, kinds)}
		one[kind].counts[kind] = 1
	}
	for k := range s.pools {
		work[k] = make([]float64, kinds)
		for kind := range kinds {
			work[k][kind] = math.Inf(1)
			for i, sh := range s.pools[k].shapes {
				if sh.GPUs() > limit[k] {
					continue
				}
				t := price.times(k, i, &one[kind])[ph]
				least[kind] = min(least[kind], t)
				work[k][kind] = min(work[k][kind], t*float64(sh.GPUs()))
			}
		}
	}
	ref := 0 // a pool that a replica has GPUs of
	for k := range limit {
		if limit[k] > 0 {
			ref = k
			break
		}
	}
	counts := s.countsOf(0, s.layers)
	base := 0.0
	for kind, n := range counts {
		if n == 0 {
			continue
		}
		f.sum += float64(n) * least[kind]
		f.layer = max(f.layer, least[kind])
		base += float64(n) * work[ref][kind]
	}
	// A pool is at most so much faster than the first on any kind of layer; with one
	// common factor a pool the shares add up to a bound for all kinds together.
	for k := range s.pools {
		factor := math.Inf(1)
		for kind, n := range counts {
			if n > 0 {
				factor = min(factor, work[k][kind]/work[ref][kind])
			}
		}
		f.speed[k] = 1 / (factor * base)
	}
	return f
}

// Floor bounds Λ and T of a phase from below for every plan of an outer choice,
// without building its graph: each layer at its fastest shape, and the GPUs' work
// shared out evenly. Seconds. Of the choice only what the phase depends on need be
// set: Micro for the latency phase, Groups (prefill alone: Micro) for the rate phase.
func (s *Space) Floor(ph int, ch Choice) (sum, peak float64) {
	f := s.fastest(ph, ch)
	speed := 0.0
	for k, g := range ch.Layout.GPUs {
		speed += float64(g) * f.speed[k]
	}
	peak = f.layer
	if speed > 0 {
		peak = max(peak, 1/speed)
	}
	return f.sum, peak
}
