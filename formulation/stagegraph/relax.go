package stagegraph

import "math"

// Relaxation bounds the metrics of every plan of a layout from below without
// building a graph. Every layer may choose its own pool and shape; the slowest stage
// is at least the GPUs' work shared out evenly. For weights λ_k ≥ 0 that sum to 1
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
	space          *Space
	counts         []int // layers of each kind
	micros, groups []int
	spread         []float64     // μ of each way
	first          [][][]float64 // [m0][kind][way]: seconds in TTFT
	second         [][][][]float64
	// floors of either metric alone, by index of m0 and m1.
	ttft, round []float64
}

// mixes are the θ tried: the sum alone, the bottleneck alone, and between.
var mixes = [...]float64{0, 0.5, 1}

// Relax makes the relaxation of a layout for the given numbers of micro-batches and
// decode groups (a single 0 where the phase has none).
func (s *Space) Relax(l *Layout, micros, groups []int) *Relaxation {
	r := &Relaxation{space: s, counts: s.countsOf(0, s.layers), micros: micros, groups: groups}
	type way struct{ pool, shape, gpus int }
	var ways []way
	for k := range s.pools {
		for i, sh := range s.pools[k].shapes {
			if q := sh.GPUs(); q <= l.GPUs[k] {
				ways = append(ways, way{k, i, q})
			}
		}
	}
	layer := func(p *pricing, ph, kind int, w way) float64 { return p.layer(w.pool, w.shape, kind, ph) }
	// The weights follow the pools' speed in the rate phase: all then finish together.
	speed, total := make([]float64, len(s.pools)), 0.0
	p := s.pricing(l.Replicas, micros[0], groups[0])
	for _, w := range ways {
		work := 0.0
		for kind, n := range r.counts {
			work += float64(n) * layer(&p, 1, kind, w)
		}
		speed[w.pool] = max(speed[w.pool], 1/(work*float64(w.gpus)))
	}
	for k, v := range speed {
		total += v * float64(l.GPUs[k])
	}
	for _, w := range ways {
		r.spread = append(r.spread, speed[w.pool]/total*float64(w.gpus))
	}
	fill := func(p *pricing, ph int, weight func(mu float64) float64) [][]float64 {
		out := make([][]float64, len(r.counts))
		for kind, n := range r.counts {
			if n == 0 {
				continue
			}
			out[kind] = make([]float64, len(ways))
			for i, w := range ways {
				out[kind][i] = float64(n) * layer(p, ph, kind, w) * weight(r.spread[i])
			}
		}
		return out
	}
	for _, m := range micros {
		p := s.pricing(l.Replicas, m, groups[0])
		if m == 0 {
			r.first = append(r.first, nil)
			continue
		}
		r.first = append(r.first, fill(&p, 0, func(mu float64) float64 { return 1 + float64(m-1)*mu }))
		if !s.Decodes() {
			r.second = append(r.second, [][][]float64{fill(&p, 1, func(mu float64) float64 { return float64(m) * mu })})
		}
	}
	for _, m := range groups {
		if m == 0 {
			continue
		}
		p := s.pricing(l.Replicas, micros[0], m)
		var at [][][]float64
		for _, x := range mixes {
			at = append(at, fill(&p, 1, func(mu float64) float64 { return 1 - x + x*float64(m)*mu }))
		}
		r.second = append(r.second, at)
	}
	for i := range r.micros {
		r.ttft = append(r.ttft, r.sum(r.first[i], nil, 1, 0))
	}
	for j := range r.second {
		best := 0.0
		for _, at := range r.second[j] {
			best = max(best, r.sum(nil, at, 0, 1))
		}
		r.round = append(r.round, best)
	}
	return r
}

// sum is Σ_layers min over ways of a·first + b·second.
func (r *Relaxation) sum(first, second [][]float64, a, b float64) float64 {
	total := 0.0
	for kind, n := range r.counts {
		if n == 0 {
			continue
		}
		least := math.Inf(1)
		for i := range r.spread {
			v := 0.0
			if first != nil && a > 0 {
				v += a * first[kind][i]
			}
			if second != nil && b > 0 {
				v += b * second[kind][i]
			}
			least = min(least, v)
		}
		total += least
	}
	return total
}

// TTFT and Round are floors of the metrics alone, in seconds, for the i-th number of
// micro-batches and the j-th of groups (prefill alone: j = i).
func (r *Relaxation) TTFT(i int) float64  { return r.ttft[i] }
func (r *Relaxation) Round(j int) float64 { return r.round[j] }

// Value is a floor of a·TTFT + b·round for the pair.
func (r *Relaxation) Value(i, j int, a, b float64) float64 {
	if b == 0 {
		return a * r.ttft[i]
	}
	best := 0.0
	for _, at := range r.second[j] {
		best = max(best, r.sum(r.first[i], at, a, b))
	}
	return best
}
