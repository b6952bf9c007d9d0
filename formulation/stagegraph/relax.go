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
// (prefill alone: the round is m0·T, so θ = 1 with m0 in place of m1; mixed: TTFT is Λ0,
// as with m0 = 1).
//
// Pipelines of a single stage are few and priced as they are (Whole). The others have
// no stage with all GPUs, and send between their stages, which counts like a layer.
type Relaxation struct {
	space    *Space
	layout   *Layout
	replicas int
	base     *layerTimes
	// spread is μ of each way; negative where the layout has too few GPUs for it. apart
	// is the same for stages beside others.
	spread, apart []float64
	// sends is how often a pipeline of several stages sends at least, and by what part.
	sends    float64
	sendPart int
	wholes   []Whole
	// floors of either metric alone, by index of m0 and m1, of any pipeline and of those
	// of several stages; negative: not computed.
	loose, tight [2][]float64
	// counts is the relaxation by counts, once looked for; counted are the floors that it
	// gives.
	counts  *counting
	looked  bool
	counted [2][]float64
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
	// seconds of each part of a pipeline in every way, at part·ways + way, by index of m0
	// and m1: the layers of each kind, the embedding, the head, a send across hosts and
	// one inside.
	first, second [][]float64
	mixes         []float64
	promptOnly    bool
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
		b.first = append(b.first, b.fill(&p, 0))
		if b.promptOnly {
			b.second = append(b.second, b.fill(&p, 1))
		}
	}
	for _, m := range groups {
		if !b.promptOnly {
			p := s.pricing(replicas, micros[0], m)
			b.second = append(b.second, b.fill(&p, 1))
		}
	}
	s.work.bases[replicas] = b
	return b
}

// fill prices every part in every way.
func (b *layerTimes) fill(p *pricing, ph int) []float64 {
	ways, kinds := len(b.ways), len(b.counts)-2
	out := make([]float64, (kinds+4)*ways)
	for part := range kinds + 4 {
		n := 1.0
		if part < kinds {
			n = float64(b.counts[part])
		}
		for i, w := range b.ways {
			out[part*ways+i] = n * p.part(w.pool, w.shape, part, kinds, ph)
		}
	}
	return out
}

// Relax makes the relaxation of a layout for the given numbers of micro-batches and
// decode groups (a single 0 where the phase has none). The numbers for a layout with
// more GPUs must continue those for one with fewer.
func (s *Space) Relax(l *Layout, micros, groups []int) *Relaxation {
	b := s.layerTimes(l.Replicas, micros, groups)
	both := make([]float64, 2*len(b.ways))
	r := &Relaxation{space: s, layout: l, replicas: l.Replicas, base: b, spread: both[:len(b.ways)], apart: both[len(b.ways):]}
	able, whole := s.able(l)
	// The weights follow the pools' speed in the rate phase: all then finish together.
	speed, total := make([]float64, len(s.pools)), 0.0
	for i, w := range b.ways {
		if !able(w) {
			continue
		}
		work := 0.0
		for part := range b.counts {
			work += b.second[0][part*len(b.ways)+i]
		}
		speed[w.pool] = max(speed[w.pool], 1/(work*float64(w.gpus)))
	}
	all, used := 0, 0
	for k, v := range speed {
		total += v * float64(l.GPUs[k])
		all += l.GPUs[k]
		if l.GPUs[k] > 0 {
			used++
		}
	}
	least, most := 0, 0 // stages, by rules
	if l.Case != nil {
		least, most = l.Case.Stages[0], l.Case.Stages[1]
	}
	widest := make([]int, len(s.pools))
	for i, w := range b.ways {
		r.spread[i], r.apart[i] = -1, -1
		if !able(w) {
			continue
		}
		r.spread[i] = speed[w.pool] / total * float64(w.gpus)
		if w.gpus < all && (most == 0 || most > 1) {
			r.apart[i] = r.spread[i]
			widest[w.pool] = max(widest[w.pool], w.gpus)
		}
		if (!l.Exact || w.gpus == all && used == 1) && least <= 1 && whole(w) {
			r.wholes = append(r.wholes, Whole{Pool: w.pool, Shape: s.pools[w.pool].shapes[w.shape], way: i})
		}
	}
	r.sends = float64(max(1, fewestStages(l, widest)-1, least-1))
	r.sendPart = len(b.counts)
	if l.SameHost {
		r.sendPart++
	}
	floors := make([]float64, 3*len(b.first)+3*len(b.second))
	for i := range floors {
		floors[i] = -1
	}
	for _, at := range []*[2][]float64{&r.loose, &r.tight, &r.counted} {
		at[0], floors = floors[:len(b.first)], floors[len(b.first):]
		at[1], floors = floors[:len(b.second)], floors[len(b.second):]
	}
	return r
}

// able tells which ways a layout has the GPUs for and rules leave to some stage, and
// which of them they leave to one stage with all layers.
func (s *Space) able(l *Layout) (some, whole func(way) bool) {
	fits := func(w way) bool { return w.gpus <= l.GPUs[w.pool] }
	all := s.classes.of[s.layers]
	m := s.mask(Choice{Layout: l}, true)
	if m == nil {
		return fits, func(w way) bool { return s.ruled.allows(w.pool, w.shape, int(all)) }
	}
	row := func(w way) []bool { return m.rows[w.pool][w.shape] }
	return func(w way) bool { return fits(w) && row(w) != nil }, func(w way) bool { return row(w) != nil && row(w)[all] }
}

// fewestStages is how many stages use up the GPUs of an exact layout at least, none of
// them with more than the widest of its pool.
func fewestStages(l *Layout, widest []int) int {
	if !l.Exact {
		return 0
	}
	n := 0
	for k, g := range l.GPUs {
		if widest[k] > 0 {
			n += ceilDiv(g, widest[k])
		}
	}
	return n
}

// sum is Σ_parts min over ways, for micro-batches i and groups j at θ = mix, with so
// many sends.
func (r *Relaxation) sum(spread []float64, sends float64, i, j int, a, b, mix float64) float64 {
	x := r.base
	var parts, rounds float64
	var first, second []float64
	if a > 0 {
		parts, first = x.turns(i)-1, x.first[i]
	}
	if b > 0 {
		rounds, second = float64(x.parts(j))*mix, x.second[j]
	}
	total := 0.0
	for part := range len(x.counts) + 1 {
		at, n := part*len(x.ways), 1.0
		if part == len(x.counts) {
			if sends == 0 {
				break
			}
			at, n = r.sendPart*len(x.ways), sends
		} else if x.counts[part] == 0 {
			continue
		}
		least := math.Inf(1)
		for w, mu := range spread {
			if mu < 0 {
				continue
			}
			v := 0.0
			if a > 0 {
				v = a * first[at+w] * (1 + parts*mu)
			}
			if b > 0 {
				v += b * second[at+w] * (1 - mix + rounds*mu)
			}
			least = min(least, v)
		}
		total += n * least
	}
	return total
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
	parts := x.turns(i) - 1
	rounds := float64(x.parts(j)) * mix
	first, second := x.first[i], x.second[j]
	total := 0.0
	for part, n := range x.counts {
		if n == 0 {
			continue
		}
		at := part * len(x.ways)
		least := math.Inf(1)
		for w, mu := range r.spread {
			if mu < 0 {
				continue
			}
			v := second[at+w] * (b*(1-mix+rounds*mu) + c*((1-mix)*fewest+rounds*float64(x.ways[w].gpus)))
			if a > 0 && first != nil {
				v += a * first[at+w] * (1 + parts*mu)
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

// turns is how many times the slowest stage counts in TTFT for the i-th number of
// micro-batches.
func (x *layerTimes) turns(i int) float64 {
	if x.promptOnly {
		return float64(x.micros[i])
	}
	return 1
}

// RangeTTFT and RangeRound are floors of the metrics alone, in seconds, for the i-th
// number of micro-batches and the j-th of groups (prefill alone: j = i), of this
// layout and of all with fewer GPUs.
func (r *Relaxation) RangeTTFT(i int) float64 {
	return r.floor(&r.loose[0][i], 0, i, r.spread, 0)
}

// RangeRound is the floor of the round.
func (r *Relaxation) RangeRound(j int) float64 {
	return r.floor(&r.loose[1][j], 1, j, r.spread, 0)
}

// apartTTFT and apartRound are floors of pipelines of several stages.
func (r *Relaxation) apartTTFT(i int) float64 {
	return r.floor(&r.tight[0][i], 0, i, r.apart, r.sends)
}

func (r *Relaxation) apartRound(j int) float64 {
	return r.floor(&r.tight[1][j], 1, j, r.apart, r.sends)
}

// floor is a floor of the metric of one phase, kept at the place given.
func (r *Relaxation) floor(kept *float64, ph, n int, spread []float64, sends float64) float64 {
	if *kept >= 0 {
		return *kept
	}
	switch {
	case ph == 0 && r.base.first[n] == nil:
		*kept = 0
	case ph == 0:
		*kept = r.sum(spread, sends, n, 0, 1, 0, 0)
	default:
		for _, mix := range r.base.mixes {
			*kept = max(*kept, r.sum(spread, sends, 0, n, 0, 1, mix))
		}
	}
	return *kept
}

// TTFT and Round are floors of the metrics alone, in seconds, for the i-th number of
// micro-batches and the j-th of groups (prefill alone: j = i).
func (r *Relaxation) TTFT(i int) float64 {
	low := r.apartTTFT(i)
	for w := range r.wholes {
		low = min(low, r.WholeTTFT(w, i))
	}
	return low
}

// Round is the floor of the round alone, in seconds.
func (r *Relaxation) Round(j int) float64 {
	low := r.apartRound(j)
	for w := range r.wholes {
		low = min(low, r.WholeRound(w, j))
	}
	return low
}

// Value is a floor of a·TTFT + b·round for the pair.
func (r *Relaxation) Value(i, j int, a, b float64) float64 {
	low := r.apartValue(i, j, a, b)
	for w := range r.wholes {
		if r.Fits(w, i, j) {
			low = min(low, a*r.WholeTTFT(w, i)+b*r.WholeRound(w, j))
		}
	}
	return low
}

func (r *Relaxation) apartValue(i, j int, a, b float64) float64 {
	switch {
	case b == 0:
		return a * r.apartTTFT(i)
	case a == 0 || r.base.first[i] == nil:
		return b * r.apartRound(j)
	}
	best := a*r.apartTTFT(i) + b*r.apartRound(j)
	for _, mix := range r.base.mixes {
		best = max(best, r.sum(r.apart, r.sends, i, j, a, b, mix))
	}
	return best
}
