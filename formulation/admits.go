package formulation

import (
	"context"
	"iter"
	"slices"

	"partita/formulation/stagegraph"
	"partita/inputs"
)

// admission is the answer to whether a condition has a plan at all.
type admission struct {
	plan   *found // nil: none
	counts levels // the numbers of GPUs that the answer is about
	// settled: a plan was found, or it is proved that there is none.
	settled bool
}

// admits decides whether solve would find a plan that meets everything: on the numbers of
// GPUs asked for, or where no plan can be placed on them, on those it falls back on.
func (r *run) admits(ctx context.Context) (admission, error) {
	a, err := r.admitted(ctx, r.goal.layoutsOf())
	if err != nil || a.plan != nil || !a.settled || r.goal.c.Goal.AllowIdle || !r.goal.anyStated() {
		return a, err
	}
	counts, ok, err := r.workable(ctx, a.counts)
	if err != nil || !ok || len(counts.list) == 0 {
		a.settled = a.settled && ok
		return a, err
	}
	return r.admitted(ctx, counts)
}

// workable are the numbers of GPUs that solve falls back on where no plan can be placed on
// those asked for; none where one can be, or nothing can be placed at all. False where time
// ran out.
func (r *run) workable(ctx context.Context, asked levels) (levels, bool, error) {
	if fits, err := r.placeable(ctx, asked); fits || err != nil || ctx.Err() != nil {
		return levels{}, fits, err
	}
	for counts := range r.smallerCounts() {
		fits, err := r.placeable(ctx, counts)
		if fits || err != nil || ctx.Err() != nil {
			return counts, fits, err
		}
	}
	return levels{}, true, nil
}

// atLeast are the layouts of stated numbers of GPUs that leave some idle, but use so many
// over all pools; most GPUs first.
func (g *goal) atLeast(used int) levels {
	out := levels{list: []level{{what: "all GPUs", layouts: g.exactLayouts(g.stated())}}, counted: "stated, idle GPUs allowed"}
	for _, lv := range g.plainIdle().list {
		if lv.layouts[0].Used()*lv.layouts[0].Replicas >= used {
			out.list = append(out.list, lv)
		}
	}
	return g.ruled(out)
}

// admitted decides whether solve would find a plan that meets everything on given numbers
// of GPUs, by the same passes without an objective. The first levels come first, twice as
// many at a time: where they are of few GPUs, plans are found fast. A default balance gives way to any; a stated one
// is refuted with every shape only, as in everyShape.
func (r *run) admitted(ctx context.Context, counts levels) (admission, error) {
	num, den, stated := r.balanceFloor()
	if !stated {
		num, den = 0, 1
	}
	none := admission{counts: counts, settled: true}
	whole := &pass{purpose: "any plan", anyPlan: true, layouts: counts.all(), num: num, den: den}
	for from, n := 0, 1; from < len(counts.list); from, n = from+n, 2*n {
		some := levels{list: counts.list[from:min(from+n, len(counts.list))]}
		p := *whole
		p.layouts = smallReplicasFirst(some.all())
		out, err := r.run(ctx, &p)
		if err == nil && out.best == nil && stated && out.proved {
			share, cancel := context.WithTimeout(ctx, wideLimit)
			r.explorer.wide = true
			out, err = r.run(share, &p)
			r.explorer.wide = false
			cancel()
		}
		if err != nil || out.best != nil {
			return admission{out.best, counts, true}, err
		}
		none.settled = none.settled && out.proved
		if ctx.Err() != nil {
			break
		}
	}
	return none, nil
}

// smallReplicasFirst orders layouts so that a pass for any plan, which takes the last
// first, begins with replicas of few GPUs.
func smallReplicasFirst(layouts []*stagegraph.Layout) []*stagegraph.Layout {
	slices.SortStableFunc(layouts, func(a, b *stagegraph.Layout) int { return b.Used() - a.Used() })
	return layouts
}

// smallerCounts lists the numbers of GPUs that are tried in turn where no plan can be placed on
// those asked for.
func (r *run) smallerCounts() iter.Seq[levels] {
	return func(yield func(levels) bool) {
		if r.goal.perGPU {
			if r.goal.anyStated() {
				yield(r.goal.besideStated())
			}
			return
		}
		for _, lv := range r.goal.idle().list {
			if !yield(levels{list: []level{lv}, counted: "stated, but no plan can use all of them; " + lv.what + " is the largest number that can be used (proved)"}) {
				return
			}
		}
	}
}

// anyStated reports whether the number of GPUs of some pool is stated.
func (g *goal) anyStated() bool {
	return slices.ContainsFunc(g.c.Cluster.Pools, func(p inputs.Pool) bool { return p.Count.Stated() })
}

// besideStated lets GPUs of a stated number stay idle beside a pool whose number is
// ours to choose.
func (g *goal) besideStated() levels {
	c, loose := *g.c, *g
	c.Goal.AllowIdle = true
	loose.c = &c
	counts := loose.layoutsOf()
	counts.counted += "; no plan uses all GPUs of the stated numbers, so some stay idle"
	return counts
}

// used is how many GPUs of each pool a plan uses over all replicas.
func (f *found) used(pools int) []int {
	out := make([]int, pools)
	for _, pt := range f.graph.Parts(f.stages) {
		out[pt.Pool] += pt.Shape.GPUs() * f.choice.Layout.Replicas
	}
	return out
}

func total(list []int) int {
	sum := 0
	for _, n := range list {
		sum += n
	}
	return sum
}
