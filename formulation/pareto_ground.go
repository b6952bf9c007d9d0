package formulation

import (
	"context"
	"fmt"
	"slices"

	"partita/formulation/stagegraph"
	"partita/inputs"
)

// ground is what a frontier ranges over: layouts, and the balance that binds. They are
// those that a search for one plan uses, and so are the steps by which balance and
// GPU count give way.
type ground struct {
	counts   levels
	layouts  []*stagegraph.Layout
	priced   bool // cost is an axis
	num, den int64
	wide     bool // shapes that others beat are kept
	balance  string
	idle     bool // fewer than the stated GPUs, as no plan can use all
	warnings []string
}

// mostTold is how many combinations of GPU counts of several pools are told apart for
// the sake of their price.
const mostTold = 20_000

// frontierGround lists the layouts of a frontier: all numbers of GPUs together where the
// number is open, every combination by itself where idle GPUs cost money.
func (g *goal) frontierGround() *ground {
	plain := *g
	c := *g.c
	c.Goal.Objective = inputs.Balanced
	plain.c = &c
	out := &ground{priced: unpriced(g.c) == ""}
	switch {
	case g.perGPU:
		c.Goal.Requirements = nil
		out.counts = plain.layoutsOf()
		out.counts.counted = "every number of GPUs is tried; throughput counts by GPU used"
	case c.Goal.AllowIdle && out.priced && plain.tellable():
		out.counts = plain.ruled(plain.ranked())
		out.counts.counted = "stated, idle GPUs allowed"
	default:
		out.counts = plain.layoutsOf()
		if c.Goal.AllowIdle && out.priced {
			out.priced = false
			out.warnings = append(out.warnings, costUntold())
		}
	}
	out.layouts = out.counts.all()
	return out
}

// tellable reports whether the combinations of GPU counts are few enough to be told
// apart for the sake of their price.
func (g *goal) tellable() bool {
	vectors := 1
	for k := range g.c.Cluster.Pools {
		low, high := g.between(k)
		if g.c.Cluster.Pools[k].Count.Stated() {
			low = 0
		}
		if vectors *= high - low + 1; vectors > mostTold {
			return false
		}
	}
	return true
}

func costUntold() string {
	return fmt.Sprintf("cost is no axis of the frontier: more than %d combinations of idle GPUs of unlike pools would have to be told apart", mostTold)
}

// everyNumber is the ground with all layouts of an open number of GPUs, those of a node and a
// part of another included; nil where it has them already.
func (g *goal) everyNumber(of *ground) *ground {
	if !g.perGPU {
		return nil
	}
	out := *of
	plain := *g
	c := *g.c
	c.Goal.Objective = inputs.GPUs
	plain.c = &c
	all := plain.ruled(plain.ranked())
	out.layouts = all.all()
	if len(out.layouts) == len(of.layouts) {
		return nil
	}
	return &out
}

// surveyed is survey, again with layouts that say the GPUs of each pool where one that
// leaves them open has a plan that can only lie on one host of them: it is priced right
// then.
func (r *run) surveyed(ctx context.Context) (*prospect, *ground, error) {
	x, g, err := r.survey(ctx)
	if err != nil || x == nil || r.goal.vectors || r.space.Pools() == 1 || ctx.Err() != nil {
		return x, g, err
	}
	for _, v := range x.front {
		if r.space.Astray(v.choice, v.graph.Parts(v.stages)) {
			r.goal.vectors, r.explorer.against = true, nil
			return r.survey(ctx)
		}
	}
	return x, g, nil
}

// survey searches the frontier on the ground that the condition gives, or where that has
// no plan on what gives way first: balance by default, then the GPUs that no plan
// can use. No point: none exists (or ctx ended before one was found).
func (r *run) survey(ctx context.Context) (*prospect, *ground, error) {
	first := r.goal.frontierGround()
	for _, g := range []*ground{first, r.goal.everyNumber(first)} {
		if g == nil {
			continue
		}
		x, err := r.settle(ctx, g)
		if err != nil || len(x.front) > 0 || ctx.Err() != nil {
			return x, g, err
		}
	}
	return r.lesser(ctx, first)
}

// settle searches one ground under the balance that binds there.
func (r *run) settle(ctx context.Context, g *ground) (*prospect, error) {
	num, den, stated := r.balanceFloor()
	g.num, g.den, g.balance = num, den, r.balanceSaid()
	x, err := r.prospectOn(ctx, g)
	if err != nil || len(x.front) > 0 || ctx.Err() != nil || r.floor != nil {
		return x, err
	}
	if stated {
		return r.settleWide(ctx, g, x)
	}
	low, ok, err := r.evenest(ctx, g.layouts, 0)
	if !ok || err != nil {
		return x, err
	}
	sol := &solution{}
	sol.relaxedTo(low)
	g.num, g.den, g.balance = low, balanceParts, sol.balance
	g.warnings = append(g.warnings, "balance: "+sol.balance)
	return r.prospectOn(ctx, g)
}

// settleWide repeats a search that a stated balance refuted with the shapes that others
// beat: a slower one may be what evens the stages out.
func (r *run) settleWide(ctx context.Context, g *ground, refuted *prospect) (*prospect, error) {
	if r.space.OneShapeASize() {
		return refuted, nil
	}
	limited, cancel := context.WithTimeout(ctx, wideLimit)
	defer cancel()
	r.explorer.wide = true
	defer func() { r.explorer.wide = false }()
	x, err := r.prospectOn(limited, g)
	if err != nil {
		return nil, err
	}
	if len(x.front) == 0 && len(x.open) > 0 {
		r.unsettled = true // nothing may be called proved infeasible
	}
	if len(x.front) > 0 {
		g.wide = true
		g.balance += ": met only with shapes that others beat in both phases"
		g.warnings = append(g.warnings, "balance: "+g.balance)
	}
	return x, nil
}

// lesser takes the largest number of stated GPUs that plans can use, where none uses
// all, as a search for one plan does.
func (r *run) lesser(ctx context.Context, g *ground) (*prospect, *ground, error) {
	ok, err := r.placeable(ctx, g.counts)
	if ok || err != nil || ctx.Err() != nil || r.goal.c.Goal.AllowIdle {
		return nil, g, err
	}
	if r.goal.perGPU {
		c, loose := *r.goal.c, *r.goal
		c.Goal.AllowIdle = true
		loose.c = &c
		idle := loose.frontierGround()
		idle.counts.counted += "; no plan uses all GPUs of the stated numbers, so some stay idle"
		return r.fewer(ctx, idle)
	}
	told := g.priced && len(r.goal.c.Cluster.Pools) > 1 && r.goal.tellable()
	for _, lv := range r.goal.idle().list {
		idle := &ground{priced: g.priced, warnings: slices.Clone(g.warnings)}
		switch {
		case told:
			lv.layouts = r.goal.exactlyThisMany(&lv)
		case g.priced && len(r.goal.c.Cluster.Pools) > 1:
			idle.priced = false
			idle.warnings = append(idle.warnings, costUntold())
		}
		idle.layouts = lv.layouts
		idle.counts = levels{list: []level{lv}, counted: fmt.Sprintf("stated, but no plan can use all of them; %s is the largest number that can be used (proved)", lv.what)}
		if x, g, err := r.fewer(ctx, idle); x != nil || err != nil || ctx.Err() != nil {
			return x, g, err
		}
	}
	return nil, g, nil
}

// exactlyThisMany are the layouts of a level of one number of GPUs with the GPUs of each
// pool told exactly, so that their price is known.
func (g *goal) exactlyThisMany(of *level) []*stagegraph.Layout {
	var out []*stagegraph.Layout
	for _, gpus := range g.summing(of.layouts[0].Used() * of.layouts[0].Replicas) {
		out = append(out, g.exactLayouts(gpus)...)
	}
	g.cases(&out)
	return out
}

// fewer searches a ground with fewer GPUs, with a warning; nil where no plan can be
// placed there either.
func (r *run) fewer(ctx context.Context, g *ground) (*prospect, *ground, error) {
	ok, err := r.placeable(ctx, g.counts)
	if !ok || err != nil {
		return nil, g, err
	}
	g.idle = true
	g.warnings = append(g.warnings, "GPU count: "+g.counts.counted)
	x, err := r.settle(ctx, g)
	return x, g, err
}

// prospectOn is the search itself.
func (r *run) prospectOn(ctx context.Context, g *ground) (*prospect, error) {
	x := r.newProspect(ctx, g.layouts, g.num, g.den, g.priced)
	if err := x.run(ctx); err != nil {
		return nil, err
	}
	return x, nil
}
