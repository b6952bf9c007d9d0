package path

import (
	"context"
	"errors"
	"fmt"
	"math"

	"partita/solver"
)

// Trade asks for all that a problem has to trade between its objective J and the metric
// of the rate phase, F_1: the pairs (J, F_1) of its paths of which none is covered by
// another, that is no larger in both. Options must have no fees, and a Cap must have the
// weights of the objective: it then bounds J.
type Trade struct {
	Problem *Problem
	// Solve proves the single problems; nil: Solve.
	Solve func(context.Context, *Problem, Options) (Result, error)
	// Limit is the largest F_1 that is of interest to paths with a J of at least j, and
	// Cutoff the J from which on paths with an F_1 of at least f are not: what is known
	// from elsewhere, and grows as Found adds to it. nil: everything is of interest.
	Limit, Cutoff func(int64) int64
	// LowJ and LowF are bounds that no path is below.
	LowJ, LowF int64
	// Found is given each pair by a path that has it.
	Found func(Result)
}

// Rest is what a search leaves open.
type Rest struct {
	// Status: Optimal where nothing is, else why the search ended.
	Status solver.Status
	// LowJ is a bound on J for what is left.
	LowJ int64
}

// A first path is looked for below cutoffs that grow by probeStep: refuting a tight one
// is cheap, and within so many steps nearly every bound has a path. Under a limit on F_1
// there may be none.
const (
	probeStep     = 1.3
	openProbes    = 10
	limitedProbes = 2
)

// Run finds the pairs by growing J: the least J under a limit on F_1, then the least F_1
// at that J, then both again under a limit that is one below. A refuted limit ends it.
func (t *Trade) Run(ctx context.Context) (Rest, error) {
	if err := t.check(); err != nil {
		return Rest{}, err
	}
	limit := t.Problem.Limit[1]
	for {
		limit = min(limit, t.limit(t.LowJ))
		if limit < t.LowF {
			return Rest{solver.Optimal, t.LowJ}, nil
		}
		p := *t.Problem
		p.Limit[1] = limit
		r, err := Below(ctx, t.solver(), &p, t.cutoff(t.LowF), t.LowJ)
		if err != nil {
			return Rest{}, err
		}
		if r.HasBound {
			t.LowJ = max(t.LowJ, r.Bound)
		}
		switch {
		case r.Status == solver.Infeasible:
			return Rest{solver.Optimal, t.LowJ}, nil
		case r.Status != solver.Optimal:
			if r.Stages != nil {
				t.Found(r)
			}
			return Rest{r.Status, t.LowJ}, nil
		}
		if t.limit(r.Value.Objective) < r.Value.Metric[1] && t.limit(r.Value.Objective) < limit {
			continue // covered from elsewhere: the limit falls
		}
		best, status, err := t.tightest(ctx, r)
		if err != nil {
			return Rest{}, err
		}
		t.Found(best)
		switch {
		case status != solver.Optimal:
			return Rest{status, t.LowJ}, nil
		case t.Problem.Weight[0] == 0:
			return Rest{solver.Optimal, t.LowJ}, nil // J follows from F_1: one path is the best in both
		}
		limit = best.Value.Metric[1] - 1
	}
}

func (t *Trade) check() error {
	p := t.Problem
	if p.Cap != nil && p.Cap.Weight != p.Weight {
		return fmt.Errorf("path: a trade under a cap with weights %v: want those of the objective, %v", p.Cap.Weight, p.Weight)
	}
	for class, options := range p.Options {
		for i := range options {
			if options[i].Fee != 0 {
				return fmt.Errorf("path: a trade with a fee on option %d of class %d: want none", i, class)
			}
		}
	}
	if t.Found == nil {
		return errors.New("path: a trade without Found: want where paths go")
	}
	return nil
}

func (t *Trade) solver() func(context.Context, *Problem, Options) (Result, error) {
	if t.Solve == nil {
		return Solve
	}
	return t.Solve
}

func (t *Trade) limit(j int64) int64 {
	if t.Limit == nil {
		return NoLimit
	}
	return t.Limit(j)
}

func (t *Trade) cutoff(f int64) int64 {
	if t.Cutoff == nil {
		return NoLimit
	}
	return t.Cutoff(f)
}

// tightest is the path with the least F_1 among those with the J of r, and Optimal where
// that is proved.
func (t *Trade) tightest(ctx context.Context, r Result) (Result, solver.Status, error) {
	if t.Problem.Weight[0] == 0 && t.Problem.Weight[1] > 0 {
		return r, solver.Optimal, nil
	}
	q := *t.Problem
	q.Weight = [2]int64{0, 1}
	q.Limit[1] = min(q.Limit[1], r.Value.Metric[1])
	q.AtMost(t.Problem.Weight, r.Value.Objective)
	cutoff := r.Value.Metric[1]
	better, err := t.solver()(ctx, &q, Options{Cutoff: &cutoff})
	switch {
	case err != nil:
		return r, solver.Unknown, err
	case better.Status == solver.Infeasible:
		return r, solver.Optimal, nil
	case better.Stages != nil:
		better.Value = t.Problem.Value(better.Stages)
		return better, better.Status, nil
	}
	return r, better.Status, nil
}

// AtMost asks for Σ weight_p·F_p ≤ most: by the limit of the phase where only one counts,
// else by the cap, which must have the same weights or be absent.
func (p *Problem) AtMost(weight [2]int64, most int64) {
	switch {
	case weight == [2]int64{}:
	case weight[1] == 0 && weight[0] > 0:
		p.Limit[0] = min(p.Limit[0], most/weight[0])
	case weight[0] == 0 && weight[1] > 0:
		p.Limit[1] = min(p.Limit[1], most/weight[1])
	case p.Cap == nil || p.Cap.Max > most:
		p.Cap = &Cap{Weight: weight, Max: most}
	}
}

// Below is the best path with J below a cutoff, no path being below low. Without a
// cutoff one is tried that grows from low.
func Below(ctx context.Context, solve func(context.Context, *Problem, Options) (Result, error), p *Problem, cutoff, low int64) (Result, error) {
	probes := openProbes
	if p.Limit[1] < NoLimit {
		probes = limitedProbes
	}
	for probe := 0; probe < probes && cutoff == NoLimit && low > 0 && low < infinite/2; probe++ {
		tight := int64(math.Ceil(float64(low)*probeStep)) + 1
		r, err := solve(ctx, p, Options{Cutoff: &tight})
		if err != nil || r.Status != solver.Infeasible {
			return r, err
		}
		low = tight
	}
	opts := Options{}
	if cutoff < NoLimit {
		opts.Cutoff = &cutoff
	}
	return solve(ctx, p, opts)
}
