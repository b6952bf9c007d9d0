package formulation

import (
	"context"
	"fmt"

	"partita/formulation/stagegraph"
	"partita/inputs"
)

// balanceParts is the resolution of ε: a tenth of a percent.
const balanceParts = 1000

// slackParts is the resolution of the closest plan's violation: a hundredth of a
// percent.
const slackParts = 10000

// all joins the levels into one list of layouts.
func (c *levels) all() []*stagegraph.Layout {
	var out []*stagegraph.Layout
	for _, l := range c.list {
		out = append(out, l.layouts...)
	}
	return out
}

// feasible reports whether any plan exists under a relaxation; false with a proof,
// or with a context that ended.
func (r *run) feasible(ctx context.Context, layouts []*stagegraph.Layout, slack float64, num, den int64) (bool, error) {
	out, err := r.run(ctx, &pass{purpose: "any plan", anyPlan: true, layouts: layouts, slack: slack, num: num, den: den})
	return err == nil && out.best != nil, err
}

// evenest proves the largest balance floor that some plan reaches, in steps of 0.1 %
// below the one asked for; false where no plan meets the requirements at any floor.
func (r *run) evenest(ctx context.Context, layouts []*stagegraph.Layout, slack float64) (int64, bool, error) {
	if ok, err := r.feasible(ctx, layouts, slack, 0, 1); !ok {
		return 0, false, err
	}
	// Invariant: some plan meets the floor low, none meets high.
	low, high := int64(0), int64(balanceParts)
	if num, _, stated := r.balanceFloor(); !stated {
		high = num
	}
	for high-low > 1 && ctx.Err() == nil {
		mid := (low + high) / 2
		ok, err := r.feasible(ctx, layouts, slack, mid, balanceParts)
		if err != nil {
			return 0, false, err
		}
		if ok {
			low = mid
		} else if ctx.Err() == nil {
			high = mid
		}
	}
	// One step more: a plan on the very edge may be rounded off it by other ticks.
	return max(0, low-1), true, nil
}

// leastImbalance solves under the smallest ε that some plan meets; nil where no plan
// meets the requirements at any ε.
func (r *run) leastImbalance(ctx context.Context, counts levels, slack float64) (*solution, error) {
	low, ok, err := r.evenest(ctx, counts.all(), slack)
	if !ok {
		return nil, err
	}
	sol, err := r.throughLevels(ctx, counts, slack, low, balanceParts)
	if sol != nil {
		sol.relaxedTo(low)
	}
	return sol, err
}

// relaxedTo notes that the default balance gave way.
func (s *solution) relaxedTo(floor int64) {
	s.balance = loweredTo(floor)
	s.reasons = append(s.reasons, "warning: balance: "+s.balance)
}

func loweredTo(floor int64) string {
	eps := 1 - float64(floor)/balanceParts
	return fmt.Sprintf("no plan meets ε = %g; the smallest that some plan meets is ε = %.3f (to 0.002), used here", DefaultBalance, eps)
}

// placeable reports whether the model fits the GPUs of any level at all, and all
// stated GPUs can be used, requirements and balance aside.
func (r *run) placeable(ctx context.Context, counts levels) (bool, error) {
	if _, homeless := r.space.Homeless(); homeless {
		return false, nil
	}
	plain := *r.goal
	c := *r.goal.c
	c.Goal.Requirements = nil
	plain.c = &c
	own := r.explorer.goal
	r.explorer.goal = &plain
	defer func() { r.explorer.goal = own }()
	return r.feasible(ctx, counts.all(), 0, 0, 1)
}

// unplaced handles a model that no plan places: some GPUs of a stated number stay
// idle, or the model does not fit and the closest plan needs more GPUs.
func (r *run) unplaced(ctx context.Context) (*solution, error) {
	if r.goal.c.Goal.AllowIdle {
		return r.enlarged(ctx)
	}
	for counts := range r.smallerCounts() {
		if sol, err := r.instead(ctx, counts); sol != nil || err != nil {
			return sol, err
		}
	}
	return r.enlarged(ctx)
}

// instead solves for other numbers of GPUs than those asked for, with a warning; nil
// where no plan can be placed on them either.
func (r *run) instead(ctx context.Context, counts levels) (*solution, error) {
	ok, err := r.placeable(ctx, counts)
	if !ok || err != nil {
		return nil, err
	}
	sol, err := r.search(ctx, counts, 0)
	if err == nil && sol == nil {
		sol, err = r.closest(ctx, counts)
	}
	if sol != nil {
		sol.idle = true
		sol.reasons = append(sol.reasons, "warning: GPU count: "+counts.counted)
	}
	return sol, err
}

// enlarged finds the plan on the fewest GPUs of the same kind that fit.
func (r *run) enlarged(ctx context.Context) (*solution, error) {
	c := *r.goal.c
	c.Cluster.Pools = append([]inputs.Pool(nil), c.Cluster.Pools...)
	for k := range c.Cluster.Pools {
		p := &c.Cluster.Pools[k]
		*p = unbounded(*p)
		if k > 0 { // unlike pools: more of the first kind, the others as they are
			p.Count = inputs.Count{Max: r.goal.c.Cluster.Pools[k].Count.Max}
		}
	}
	if len(r.blamed) > 0 {
		return &solution{unfit: true}, nil // it is not memory that fails, and rules never give way
	}
	short := r.shortage()
	wanted := c.Goal.Requirements
	c.Goal.Requirements, c.Goal.Objective = nil, inputs.GPUs
	space, err := r.price(&c)
	if err != nil {
		return nil, err
	}
	if l, homeless := space.Homeless(); homeless {
		what := fmt.Sprintf("memory: layer %d alone, with one sequence, fits no group of these GPUs: more of them do not help", l)
		if !space.Rules().Empty() {
			what = fmt.Sprintf("memory: layer %d alone, with one sequence, fits no group of these GPUs that the rules allow: more of them do not help", l)
		}
		return &solution{unfit: true, reasons: append(short, what)}, nil
	}
	more := &run{explorer: &explorer{space: space, goal: newGoal(space), prove: r.prove, watch: r.opts.Watch}, opts: r.opts, backend: r.backend, price: r.price}
	if ok, err := more.onAnyNumber(ctx); !ok || err != nil {
		return &solution{unfit: true, stopped: ctx.Err() != nil, reasons: append(short, "rules: no plan keeps them on any number of these GPUs")}, err
	}
	sol, err := more.search(ctx, more.goal.layoutsOf(), 0)
	if err != nil {
		return nil, err
	}
	if sol == nil {
		sol = &solution{stopped: ctx.Err() != nil}
	}
	c.Goal.Requirements, c.Goal.Objective = wanted, r.goal.c.Goal.Objective
	r.explorer.space, r.explorer.goal = space, newGoal(space)
	r.explorer.goal.perGPU = false
	sol.unfit = true
	sol.reasons = append(short, sol.reasons...)
	return sol, nil
}

// unbounded is a pool of as many GPUs of the same kind as it takes, in nodes of one
// size.
func unbounded(p inputs.Pool) inputs.Pool {
	if len(p.Nodes) > 0 && p.GPUsPerNode == 0 {
		p.GPUsPerNode = len(p.Nodes[0].GPUs)
	}
	// A single card says nothing of the machine around it: nodes of 8.
	p.GPUsPerNode = max(p.GPUsPerNode, defaultNode)
	p.Nodes = nil
	p.Count = inputs.Count{}
	return p
}

// defaultNode is the GPUs of a node where nothing is known of the machine.
const defaultNode = 8

// enough is a relative violation that admits any plan: a factor of a million.
const enough = 1_000_000
