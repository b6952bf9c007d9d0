package solvertest

import (
	"fmt"

	"partita/solver"
)

// Family is a benchmark instance: a path over layer boundaries, every stage an
// interval of layers on one of several pools with a tensor degree, cost the sum of
// the stage times. Times differ from layer to layer; the data are generated and
// always the same.
type Family struct {
	Layers, Pools, Units int   // Units of each pool, all to be used
	Degrees              []int // units that a stage may take
	Ceiling              int64 // longest stage time allowed; 0: three times the even share
	Seed                 uint32
}

// Name tells the instances of a benchmark apart.
func (f Family) Name() string {
	return fmt.Sprintf("layers=%d/pools=%d/units=%d", f.Layers, f.Pools, f.Units)
}

// Model is the instance with flow rows: one unit of flow from boundary 0 to the last,
// through one binary variable a stage candidate.
func (f Family) Model() *solver.Model {
	m := solver.New(f.Name())
	out := make([]solver.Expr, f.Layers+1)
	use := make([]solver.Expr, f.Pools)
	var cost solver.Expr
	for _, c := range f.candidates() {
		x := m.Bool(fmt.Sprintf("%d_%d_p%d_t%d", c.from, c.to, c.pool, c.degree))
		out[c.from] = out[c.from].Add(1, x)
		out[c.to] = out[c.to].Add(-1, x)
		use[c.pool] = use[c.pool].Add(int64(c.degree), x)
		cost = cost.Add(c.time, x)
	}
	for b, e := range out {
		balance := int64(0)
		switch b {
		case 0:
			balance = 1
		case f.Layers:
			balance = -1
		}
		m.Equal(fmt.Sprintf("flow %d", b), e, balance)
	}
	for p, e := range use {
		m.Equal(fmt.Sprintf("pool %d", p), e, int64(f.Units))
	}
	m.Minimize(cost)
	return m
}

type candidate struct {
	from, to, pool, degree int
	time                   int64
}

func (f Family) candidates() []candidate {
	// Speeds differ by pool and layers by a congruential generator (Numerical Recipes).
	state := f.Seed + 7
	weight := make([]int64, f.Layers)
	total := int64(0)
	for i := range weight {
		state = state*1664525 + 1013904223
		weight[i] = 900 + int64(state>>16)%200
		total += weight[i]
	}
	share := total / int64(f.Pools*f.Units)
	ceiling := f.Ceiling
	if ceiling == 0 {
		ceiling = 3 * share
	}
	var out []candidate
	for pool := range f.Pools {
		for _, degree := range f.Degrees {
			for from := range f.Layers {
				sum := int64(0)
				for to := from + 1; to <= f.Layers; to++ {
					sum += weight[to-1]
					// A pool is slower than the one before by a quarter; a degree loses a tenth.
					time := sum * int64(4+pool) / 4 * 10 / int64(10*degree-degree+1)
					if time > ceiling {
						break
					}
					out = append(out, candidate{from, to, pool, degree, time})
				}
			}
		}
	}
	return out
}
