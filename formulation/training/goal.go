package training

import (
	"math"
	"slices"

	"partita/inputs"
)

// aim is what a pass minimises: max(floor, slope·step) of a split, seconds of a step as
// the search prices it. It grows with the step, so a value to beat is a step to beat.
type aim struct {
	slope func(*Split) float64
	floor func(*Split) float64 // nil: 0
}

func (a *aim) of(s *Split, seconds float64) float64 {
	v := a.slope(s) * seconds
	if a.floor != nil {
		v = max(v, a.floor(s))
	}
	return v
}

// below is the step, in seconds, from which on a split is no better than a value; 0 where
// it never is.
func (a *aim) below(s *Split, value float64) float64 {
	if a.floor != nil && a.floor(s) >= value {
		return 0
	}
	if k := a.slope(s); k > 0 {
		return value / k
	}
	return math.Inf(1)
}

// Purposes of passes, as certificates name them; those of the objective name what a gap to the
// optimum is measured in, too.
const (
	stepTime = "step time"
	gpuTime  = "GPU time of a step"
	combined = "objective"
	// missing finds the layout that misses by least.
	missing = "largest requirement over what is asked"
	fitting = "any layout"
)

// goal is what a condition asks of a training step.
type goal struct {
	x      *space
	margin float64
	perGPU bool // the number of GPUs is ours to choose
}

func newGoal(x *space, margin float64) *goal {
	g := &goal{x: x, margin: margin}
	for _, p := range x.c.Cluster.Pools {
		g.perGPU = g.perGPU || !p.Count.Stated()
	}
	return g
}

// tokens of a step.
func (g *goal) tokens() float64 { return float64(g.x.global) * float64(g.x.sequence) }

// hourly is the price of the GPUs of a split, US dollars an hour.
func (g *goal) hourly(s *Split) float64 {
	total := 0.0
	for k, n := range s.Ranks {
		total += g.x.c.Cluster.Pools[k].USDPerHour * float64(n*s.RankGPUs())
	}
	return total
}

// ratio is how a requirement stands at a step of so many seconds: what is asked bounds it
// by 1, in terms of max(floor, slope·seconds); false for a requirement that says nothing
// of training.
func (g *goal) ratio(q inputs.Requirement, s *Split) (slope, floor float64, ok bool) {
	keep := 1 - g.margin
	switch q.Kind {
	case inputs.StepTime:
		return 1 / (q.Value * keep), 0, true
	case inputs.TokensPerSecond:
		return q.Value / (g.tokens() * keep), 0, true
	case inputs.TokensPerSGPU:
		return q.Value * float64(s.GPUs()) / (g.tokens() * keep), 0, true
	case inputs.CostUSDPerHour:
		return 0, g.hourly(s) / q.Value * (1 - 1e-12), true
	}
	return 0, 0, false
}

// rounding is the share that a requirement may be missed by and is met: figures of sums that
// were added up in another order, or written with 12 digits. Plans allow for ten times it.
const rounding = 1e-10

// limit is the step, in seconds, from which on a split misses a requirement by more than
// the slack; 0 where every step does.
func (g *goal) limit(s *Split, slack float64, without ...inputs.RequirementKind) float64 {
	limit := math.Inf(1)
	for _, q := range g.x.c.Goal.Requirements {
		if slices.Contains(without, q.Kind) {
			continue
		}
		slope, floor, ok := g.ratio(q, s)
		switch {
		case !ok:
		case floor > 1+slack:
			return 0
		case slope > 0:
			limit = min(limit, (1+slack)/slope*(1+rounding))
		}
	}
	return limit
}

// violation is the aim of the plan that misses the requirements by least: the largest
// ratio of them.
func (g *goal) violation() aim {
	return aim{
		slope: func(s *Split) float64 {
			most := 0.0
			for _, q := range g.x.c.Goal.Requirements {
				slope, _, _ := g.ratio(q, s)
				most = max(most, slope)
			}
			return most
		},
		floor: func(s *Split) float64 {
			most := 0.0
			for _, q := range g.x.c.Goal.Requirements {
				_, floor, _ := g.ratio(q, s)
				most = max(most, floor)
			}
			return most
		},
	}
}

func (g *goal) seconds() aim { return aim{slope: func(*Split) float64 { return 1 }} }

// work is GPU-seconds of a step.
func (g *goal) work() aim { return aim{slope: func(s *Split) float64 { return float64(s.GPUs()) }} }
