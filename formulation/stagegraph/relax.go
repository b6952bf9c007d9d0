package stagegraph

import (
	"math"
	"slices"

	"partita/inputs"
)

// Relaxation bounds the metrics of every plan of a layout from below without
// building a graph. Every layer, the embedding and the head may choose their own
// pool and shape; the slowest stage is at least the GPUs' work shared out evenly. For weights λ_k ≥ 0 that sum to 1
//
//	T ≥ Σ_k λ_k · (GPU-seconds of the layers on pool k) / G_k
//
// because each pool has G_k GPUs that are busy for at most T. With that, TTFT and the
// round become sums over layers, and each layer takes its cheapest way:
//
//	A·TTFT + B·round ≥ Σ_layers min over (pool, shape) of
//	    A·τ0·(1 + (m0−1)·μ) + B·τ1·((1−θ) + θ·m1·μ),   μ = λ_k·q/G_k,  θ ∈ [0, 1]
//
// (prefill alone: the round is m0·T, so θ = 1 with m0 in place of m1).
type Relaxation struct {
	base *layerTimes
	// spread is μ of each way; negative where the layout has too few GPUs for it.
	spread []float64
	// floors of either metric alone, by index of m0 and m1; negative: not computed.
	ttft, round []float64
}

// mixes are the θ tried: the sum alone, the bottleneck alone, and between.
var (
	mixes  = []float64{0, 0.5, 1}
	atPeak = []float64{1}
)

// way is a pool with a shape.
type way struct{ pool, shape, gpus int }

// layerTimes are the seconds of one layer in every way, for the layouts with so many
// replicas.
type layerTimes struct {
	counts         []int // layers of each kind, then the embedding and the head: one each
	ways           []way
	micros, groups []int
	first, second  [][][]float64 // [part][kind][way], times the layers of the kind
	mixes          []float64
	promptOnly     bool
}

func (s *Space) layerTimes(replicas int, micros, groups []int) *layerTimes {
	if b, ok := s.work.bases[replicas]; ok && len(b.groups) >= len(groups) {
		return b
	}
	b := &layerTimes{counts: append(slices.Clone(s.countsOf(0, s.layers)), 1, 1), micros: micros, groups: groups, mixes: mixes}
	for k := range s.pools {
		for i, sh := range s.pools[k].shapes {
			b.ways = append(b.ways, way{k, i, sh.GPUs()})
		}
	}
	fill := func(p *pricing, ph int) [][]float64 {
		out := make([][]float64, len(b.counts))
		for kind, n := range b.counts {
			out[kind] = make([]float64, len(b.ways))
			for i, w := range b.ways {
				out[kind][i] = float64(n) * p.part(w.pool, w.shape, kind, len(s.prefix), ph)
			}
		}
		return out
	}
	b.promptOnly = s.Condition.Workload.Phase == inputs.Prefill
	if b.promptOnly {
		b.mixes = atPeak
	}
	for _, m := range micros {
		if m == 0 {
			b.first = append(b.first, nil)
			continue
		}
		p := s.pricing(replicas, m, groups[0])
		b.first = append(b.first, fill(&p, 0))
		if b.promptOnly {
			b.second = append(b.second, fill(&p, 1))
		}
	}
	for _, m := range groups {
		if !b.promptOnly {
			p := s.pricing(replicas, micros[0], m)
			b.second = append(b.second, fill(&p, 1))
		}
	}
	s.work.bases[replicas] = b
	return b
}

// Relax makes the relaxation of a layout for the given numbers of micro-batches and
// decode groups (a single 0 where the phase has none). The numbers for a layout with
// more GPUs must continue those for one with fewer.
func (s *Space) Relax(l *Layout, micros, groups []int) *Relaxation {
	b := s.layerTimes(l.Replicas, micros, groups)
	r := &Relaxation{base: b, spread: make([]float64, len(b.ways))}
	// The weights follow the pools' speed in the rate phase: all then finish together.
	speed, total := make([]float64, len(s.pools)), 0.0
	for i, w := range b.ways {
		if w.gpus > l.GPUs[w.pool] {
			continue
		}
		work := 0.0
		for kind := range b.counts {
			work += b.second[0][kind][i]
		}
		speed[w.pool] = max(speed[w.pool], 1/(work*float64(w.gpus)))
	}
	for k, v := range speed {
		total += v * float64(l.GPUs[k])
	}
	for i, w := range b.ways {
		r.spread[i] = -1
		if w.gpus <= l.GPUs[w.pool] {
			r.spread[i] = speed[w.pool] / total * float64(w.gpus)
		}
	}
	r.ttft, r.round = unknown(len(b.first)), unknown(len(b.second))
	return r
}

func unknown(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = -1
	}
	return out
}

// sum is Σ_layers min over ways, for micro-batches i and groups j at θ = mix.
func (r *Relaxation) sum(i, j int, a, b, mix float64) float64 {
	x := r.base
	var parts, rounds float64
	if a > 0 {
		parts = float64(x.micros[i] - 1)
	}
	if b > 0 {
		rounds = float64(x.parts(j)) * mix
	}
	total := 0.0
	for kind, n := range x.counts {
		if n == 0 {
			continue
		}
		least := math.Inf(1)
		for w, mu := range r.spread {
			if mu < 0 {
				continue
			}
			v := 0.0
			if a > 0 {
				v = a * x.first[i][kind][w] * (1 + parts*mu)
			}
			if b > 0 {
				v += b * x.second[j][kind][w] * (1 - mix + rounds*mu)
			}
			least = min(least, v)
		}
		total += least
	}
	return total
}

// Whole is the value of the best single stage that holds the model on all GPUs of
// the layout, memory aside, and the index of its shape; false where no shape of the
// one pool has so many. It is a plan to start from, not a bound.
func (r *Relaxation) Whole(i int, a, b float64, gpus int) (float64, int, bool) {
	x := r.base
	best, shape := math.Inf(1), -1
	parts, j := float64(x.micros[i]), 0
	if x.promptOnly {
		j = i
	}
	for w := range x.ways {
		if x.ways[w].gpus != gpus || x.ways[w].pool != 0 {
			continue
		}
		v := 0.0
		for kind := range x.counts {
			if x.first[i] != nil {
				v += a * parts * x.first[i][kind][w]
			}
			v += b * float64(x.parts(j)) * x.second[j][kind][w]
		}
		if v < best {
			best, shape = v, x.ways[w].shape
		}
	}
	return best, shape, shape >= 0
}

// RangeValue is a floor of a·TTFT + b·round + c·GPUs·round for every layout of one pool
// that has from `fewest` GPUs a replica up to those of this one: TTFT and round as
// with the most GPUs, and GPUs·round ≥ Σ_layers min τ1·((1−θ)·fewest + θ·m1·q),
// whatever their number.
func (r *Relaxation) RangeValue(i, j int, a, b, c float64, fewest int) float64 {
	best := 0.0
	for _, mix := range r.base.mixes {
		best = max(best, r.rangeSum(i, j, a, b, c, mix, float64(fewest)))
	}
	return best
}

func (r *Relaxation) rangeSum(i, j int, a, b, c, mix, fewest float64) float64 {
	x := r.base
	parts := float64(x.micros[i] - 1)
	rounds := float64(x.parts(j)) * mix
	total := 0.0
	for kind, n := range x.counts {
		if n == 0 {
			continue
		}
		least := math.Inf(1)
		for w, mu := range r.spread {
			if mu < 0 {
				continue
			}
			v := x.second[j][kind][w] * (b*(1-mix+rounds*mu) + c*((1-mix)*fewest+rounds*float64(x.ways[w].gpus)))
			if a > 0 && x.first[i] != nil {
				v += a * x.first[i][kind][w] * (1 + parts*mu)
			}
			least = min(least, v)
		}
		total += least
	}
	return total
}

// parts is how many steps a round of the j-th choice has.
func (x *layerTimes) parts(j int) int {
	if x.promptOnly {
		return x.micros[j]
	}
	return x.groups[j]
}

// TTFT and Round are floors of the metrics alone, in seconds, for the i-th number of
// micro-batches and the j-th of groups (prefill alone: j = i).
func (r *Relaxation) TTFT(i int) float64 {
	if r.base.first[i] == nil {
		return 0
	}
	if r.ttft[i] < 0 {
		r.ttft[i] = r.sum(i, 0, 1, 0, 0)
	}
	return r.ttft[i]
}

// Round is the floor of the round alone, in seconds.
func (r *Relaxation) Round(j int) float64 {
	if r.round[j] < 0 {
		for _, mix := range r.base.mixes {
			r.round[j] = max(r.round[j], r.sum(0, j, 0, 1, mix))
		}
	}
	return r.round[j]
}

// Value is a floor of a·TTFT + b·round for the pair.
func (r *Relaxation) Value(i, j int, a, b float64) float64 {
	switch {
	case b == 0:
		return a * r.TTFT(i)
	case a == 0 || r.base.first[i] == nil:
		return b * r.Round(j)
	}
	best := 0.0
	for _, mix := range r.base.mixes {
		best = max(best, r.sum(i, j, a, b, mix))
	}
	return best
}
