package formulation

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/results"
)

// Optimize finds the best deployment of a condition and proves it. Infeasible is an
// answer, not an error: the report then carries the plan that misses the
// requirements by least. An error means that the condition cannot be priced or that
// a backend could not run.
func Optimize(ctx context.Context, c *inputs.Condition, opts Options) (*results.Report, error) {
	return optimize(ctx, stagegraph.New, c, opts, false)
}

// spaces makes the space of a condition.
type spaces func(*inputs.Condition) (*stagegraph.Space, error)

// optimize is Optimize; timed adds the time of each heuristic to the comparison.
func optimize(ctx context.Context, price spaces, c *inputs.Condition, opts Options, timed bool) (*results.Report, error) {
	if c.Goal.Placement == inputs.Lanes {
		return optimizeLanes(ctx, c, opts, timed)
	}
	if c.Goal.Placement == inputs.Disaggregated {
		return optimizeDisaggregated(ctx, c, opts, timed)
	}
	if c.Model.Graph != nil {
		return optimizeGraph(ctx, c, opts, timed)
	}
	if trains(c) {
		return optimizeTraining(ctx, c, opts)
	}
	start := time.Now()
	if opts.TimeLimit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, opts.TimeLimit)
		defer cancel()
	}
	r, err := newRunIn(price, c, opts)
	if err != nil {
		return nil, err
	}
	r.timed = timed
	sol, err := r.solve(ctx)
	if err != nil {
		return nil, err
	}
	if sol.final.best != nil && sol.final.proved {
		if err := r.confirm(ctx, sol); err != nil {
			return nil, err
		}
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		sol.interrupted = true
	}
	if err := r.byShapesAlone(ctx, c, sol); err != nil {
		return nil, err
	}
	rep, err := r.report(ctx, sol, time.Since(start))
	if err == nil && opts.WhatIf && rep.Feasible && ctx.Err() == nil {
		r.opts.log("what other hardware would bring")
		rep.Plan.WhatIf = whatIf(ctx, c, rep.Plan, opts)
	}
	if err != nil || !opts.Explain || rep.Status != results.StatusInfeasible {
		return rep, err
	}
	r.opts.log("why no plan exists")
	x, err := explanation(ctx, c, opts)
	if err == nil && x != nil {
		explain(rep, x)
	}
	return rep, err
}

// run is one call of Optimize.
type run struct {
	*explorer
	opts    Options
	backend string
	price   spaces
	// unsettled: a stated balance was refuted for the usual shapes only.
	unsettled bool
	// floor, where not nil, is the balance that the default comes to, in balanceParts: it
	// was decided for more than this search, which does not lower it.
	floor *int64
	given []inputs.Pool // as the condition gives them: a closest plan may be for more
	// asked is the condition as it is: the search may go by other counts or another objective.
	asked *inputs.Condition
	timed bool // the comparison tells the time of each heuristic
	// blamed says what part rules have in there being no plan.
	blamed []string
}

func newRun(c *inputs.Condition, opts Options) (*run, error) {
	return newRunIn(stagegraph.New, c, opts)
}

func newRunIn(price spaces, c *inputs.Condition, opts Options) (*run, error) {
	space, err := price(c)
	if err != nil {
		return nil, err
	}
	if err := checkAsked(c); err != nil {
		return nil, err
	}
	return newRunOn(price, space, c, opts)
}

// newRunOn is a run for a condition on prices that are there already: its own, or lower
// ones for a relaxation.
func newRunOn(price spaces, space *stagegraph.Space, c *inputs.Condition, opts Options) (*run, error) {
	r := &run{explorer: &explorer{space: space, goal: newGoalOn(c, space), effort: opts.effort, watch: opts.Watch}, opts: opts, price: price, given: c.Cluster.Pools, asked: c}
	var err error
	r.prove, r.backend, err = opts.prover()
	return r, err
}

// solution is where a search ended.
type solution struct {
	// final is the pass whose best plan is the answer.
	final  outcome
	pass   *pass
	passes []results.CertificatePass
	counts levels
	level  level
	// num/den is the balance floor that held, and balance says how it came about.
	num, den int64
	balance  string
	slack    float64 // share by which requirements had to be relaxed; 0: all met
	// unfit: no plan fits the stated GPUs; the plan is for more of the same kind.
	unfit bool
	idle  bool
	// wide: met only with shapes that others beat.
	wide bool
	// edge: every requirement is met, though in whole ticks one is not.
	edge bool
	// refuted: that no plan meets everything is proved, whatever became of the closest.
	refuted bool
	stopped bool
	// interrupted: it was not time that ran out.
	interrupted bool
	norms       [2]float64 // ℓ*, c* of a combined objective
	reasons     []string
	// nearest holds, of missed requirements, the value that a plan exists for.
	nearest map[inputs.RequirementKind]float64
}

// solve goes through the levels, relaxes what may be relaxed and ends with the
// best plan, or with the closest one.
func (r *run) solve(ctx context.Context) (*solution, error) {
	sol, err := r.solveOnce(ctx)
	if err != nil || sol.final.best == nil || sol.unfit || r.goal.vectors || r.space.Pools() == 1 {
		return sol, err
	}
	best := sol.final.best
	if ctx.Err() == nil && r.space.Astray(best.choice, best.graph.Parts(best.stages)) {
		// Its layout leaves open which pools it is on, and it is on one host of them: only
		// layouts that say so price it right.
		r.goal.vectors = true
		r.explorer.against = nil
		return r.solveOnce(ctx)
	}
	return sol, nil
}

func (r *run) solveOnce(ctx context.Context) (*solution, error) {
	counts := r.goal.layoutsOf()
	sol, err := r.search(ctx, counts, 0)
	if err != nil || sol != nil {
		return sol, err
	}
	// Nothing meets everything. Is it placement, or the requirements?
	refuted := ctx.Err() == nil && !r.unsettled
	fits, err := r.placeable(ctx, counts)
	if err == nil && ctx.Err() == nil {
		r.blamed, err = r.blame(ctx, fits)
	}
	switch {
	case err != nil:
		return nil, err
	case !fits && ctx.Err() == nil:
		sol, err = r.unplaced(ctx)
	default:
		sol, err = r.closest(ctx, counts)
	}
	if sol != nil && sol.edge {
		return sol, err
	}
	sol.add(r.blamed)
	if sol != nil && !sol.idle {
		sol.refuted = refuted
	}
	if sol != nil && r.unsettled {
		sol.stopped = true
		sol.reasons = append(sol.reasons, "warning: balance: no plan was found for the stated balance, but not all plans with shapes that others beat were refuted in time")
	}
	return sol, err
}

// search looks for a plan that meets all requirements, relaxed by slack. nil: there
// is none (or time ran out before one was found, which the caller's context tells).
func (r *run) search(ctx context.Context, counts levels, slack float64) (*solution, error) {
	num, den, stated := r.balanceFloor()
	sol, err := r.throughLevels(ctx, counts, slack, num, den)
	if sol != nil || err != nil {
		if sol != nil {
			sol.balance = r.balanceSaid()
		}
		return sol, err
	}
	if ctx.Err() != nil || r.floor != nil {
		return nil, nil
	}
	if stated {
		return r.everyShape(ctx, counts, slack, num, den)
	}
	return r.leastImbalance(ctx, counts, slack)
}

// wideLimit bounds the search with every shape: with hundreds of shapes a size its
// graphs are ten times as large.
const wideLimit = 3 * time.Second

// everyShape repeats a search that a stated balance refuted with the shapes that
// others beat: a slower one may be what evens the stages out, and "no plan" must not
// hang on having left it out.
func (r *run) everyShape(ctx context.Context, counts levels, slack float64, num, den int64) (*solution, error) {
	if r.space.OneShapeASize() {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, wideLimit)
	defer cancel()
	r.explorer.wide = true
	sol, err := r.throughLevels(ctx, counts, slack, num, den)
	r.explorer.wide = false
	if ctx.Err() != nil && (sol == nil || sol.final.best == nil) {
		r.unsettled = true // nothing may be called proved infeasible
		return nil, err
	}
	if sol != nil && sol.final.best != nil {
		sol.wide = true
		sol.balance = fmt.Sprintf("stated ε = %g, binding: met only with shapes that others beat in both phases", *r.goal.c.Goal.Balance)
		sol.reasons = append(sol.reasons, "warning: balance: "+sol.balance)
	}
	return sol, err
}

// throughLevels returns the best plan of the first level that has one, nil where
// none does.
func (r *run) throughLevels(ctx context.Context, counts levels, slack float64, num, den int64) (*solution, error) {
	var refuted []results.CertificatePass
	var outer results.Outer
	if len(counts.list) > 1 {
		// Requirements that no number of GPUs can meet need not be refuted number by number.
		whole := &pass{purpose: "all levels", anyPlan: true, layouts: counts.all(), slack: slack, num: num, den: den}
		if r.hopeless(whole) {
			return nil, nil
		}
	}
	step := ctx
	if len(counts.list) > 1 {
		// Half of the time to decide the number level by level, the rest for any plan.
		var cancel context.CancelFunc
		step, cancel = part(ctx, 2)
		defer cancel()
	}
	for i, lv := range counts.list {
		if ctx.Err() != nil {
			break
		}
		sol, err := r.solveLevel(step, lv, slack, num, den)
		if err == nil && !sol.final.proved && step.Err() != nil && ctx.Err() == nil {
			if sol.final.best == nil {
				return r.leap(ctx, counts, i, slack, num, den)
			}
			sol, err = r.solveLevel(ctx, lv, slack, num, den) // this level has a plan: prove it
		}
		if err != nil {
			return nil, err
		}
		if sol.final.best == nil && !sol.final.proved {
			sol.stopped, sol.counts = true, counts
			return sol, nil // out of time before a first plan
		}
		if sol.final.best != nil {
			sol.counts, sol.level, sol.slack, sol.num, sol.den = counts, lv, slack, num, den
			if outer.Infeasible > 0 {
				refuted = append(refuted, results.CertificatePass{
					Purpose: fmt.Sprintf("levels better than %s: none has a plan", lv.what), Outer: outer, Choices: []results.OuterChoice{},
				})
			}
			sol.passes = append(refuted, sol.passes...)
			return sol, nil
		}
		outer.Infeasible += sol.passes[0].Outer.Infeasible
		outer.Pruned += sol.passes[0].Outer.Pruned
		outer.Solved += sol.passes[0].Outer.Solved
	}
	return nil, nil
}

// leap looks for any plan past a level that time did not settle, doubling the level:
// a plan on more GPUs than proved necessary is better than none.
func (r *run) leap(ctx context.Context, counts levels, from int, slack float64, num, den int64) (*solution, error) {
	for i := from + 1; ctx.Err() == nil; i = 2*i + 1 {
		i = min(i, len(counts.list)-1)
		share, cancel := part(ctx, 2)
		sol, err := r.solveLevel(share, counts.list[i], slack, num, den)
		cancel()
		if err != nil {
			return nil, err
		}
		if sol.final.best != nil {
			counts.counted = fmt.Sprintf("found, not decided: time ran out at %s, a plan on fewer may exist", counts.list[from].what)
			sol.counts, sol.level, sol.slack, sol.num, sol.den = counts, counts.list[i], slack, num, den
			sol.final.proved, sol.final.bound = false, math.Inf(-1)
			sol.stopped = true
			sol.reasons = append(sol.reasons, "warning: GPU count: "+counts.counted)
			return sol, nil
		}
		if i == len(counts.list)-1 {
			break
		}
	}
	return &solution{stopped: true, counts: counts}, nil
}

// part is a share 1/n of the time that is left; all of it where there is no limit.
func part(ctx context.Context, n int) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(end)/time.Duration(n))
}

// balanceFloor is 1 − ε as a fraction, and whether ε was stated.
func (r *run) balanceFloor() (num, den int64, stated bool) {
	eps := DefaultBalance
	if b := r.goal.c.Goal.Balance; b != nil {
		eps, stated = *b, true
	}
	if r.floor != nil {
		return *r.floor, balanceParts, stated
	}
	return defaultFloor(eps), balanceParts, stated
}

// defaultFloor is the least ratio of stage times, in balanceParts.
func defaultFloor(eps float64) int64 { return int64(math.Ceil((1-eps)*balanceParts - 1e-9)) }

// balanceSaid is the balance of a search for its certificate.
func (r *run) balanceSaid() string {
	switch {
	case r.goal.c.Goal.Balance != nil:
		return fmt.Sprintf("stated ε = %g, binding", *r.goal.c.Goal.Balance)
	case r.floor != nil && *r.floor < defaultFloor(DefaultBalance):
		return loweredTo(*r.floor)
	}
	return fmt.Sprintf("default ε = %g", DefaultBalance)
}
