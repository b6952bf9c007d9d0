package dual_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"partita/solver/dual"
)

// pieces is min_i (top + slope_i·(x − best)): concave, and at most top where slopes
// point everywhere.
type pieces struct {
	slope [][]float64
	best  []float64
	top   float64
}

func (p *pieces) at(x, gradient []float64) float64 {
	least := math.Inf(1)
	for _, s := range p.slope {
		v := p.top
		for j := range x {
			v += s[j] * (x[j] - p.best[j])
		}
		if v < least {
			least = v
			copy(gradient, s)
		}
	}
	return least
}

// narrow has slopes in both directions of every coordinate and mixtures of them, the
// sizes of which differ by up to 1,000: what plain subgradient steps cannot climb.
func narrow(r *rand.Rand, n int) *pieces {
	p := &pieces{best: make([]float64, n), top: 1e5}
	size := make([]float64, n)
	for j := range size {
		size[j] = math.Pow(1000, r.Float64())
		p.best[j] = (r.Float64() - 0.5) * 1e6
	}
	for range 20 * n {
		s, minus := make([]float64, n), make([]float64, n)
		for j := range s {
			s[j] = (r.Float64() - 0.5) * size[j]
			minus[j] = -s[j] * (0.2 + r.Float64())
		}
		p.slope = append(p.slope, s, minus)
	}
	return p
}

// TestAscend: the maximum is reached to a millionth of the way to it, in evaluations
// that grow with the number of coordinates alone.
func TestAscend(t *testing.T) {
	const evaluations = 60 // a coordinate
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		n := 1 + r.IntN(8)
		p := narrow(r, n)
		x, scale := make([]float64, n), make([]float64, n)
		for j := range scale {
			for _, s := range p.slope {
				scale[j] += math.Abs(s[j]) / float64(len(p.slope))
			}
		}
		start := p.at(x, make([]float64, n))
		best, left := math.Inf(-1), evaluations*n
		dual.Ascend(x, scale, 1e-6, func(x, gradient []float64) float64 {
			best = max(best, p.at(x, gradient))
			if left--; left <= 0 {
				return 0
			}
			return p.top - best
		})
		if way := p.top - start; best > p.top+1e-6*way || best < p.top-1e-6*way {
			t.Errorf("seed %d: %d coordinates: from %g to %g of %g", seed, n, start, best, p.top)
		}
	}
}

// TestAscendEnds: at once where nothing is hoped for, and where no step counts.
func TestAscendEnds(t *testing.T) {
	for name, hope := range map[string]float64{"no hope": 0, "no slope": 1} {
		calls := 0
		dual.Ascend([]float64{3, 4}, []float64{1, 1}, 0.5, func(_, gradient []float64) float64 {
			calls++
			clear(gradient)
			return hope
		})
		if calls != 1 {
			t.Errorf("%s: %d evaluations", name, calls)
		}
	}
	calls, x := 0, []float64{0}
	dual.Ascend(x, []float64{1}, 0.5, func(x, gradient []float64) float64 {
		calls++
		gradient[0] = 1
		if x[0] > 10 {
			gradient[0] = -1
		}
		return 1
	})
	if math.Abs(x[0]-10) > 1 || calls > 100 {
		t.Errorf("ended at %g after %d evaluations, want 10", x[0], calls)
	}
	dual.Ascend(nil, nil, 0.5, func(_, _ []float64) float64 { return 1 }) // no prices at all
}
