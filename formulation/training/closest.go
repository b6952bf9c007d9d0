package training

import (
	"context"
	"fmt"
	"slices"

	"partita/formulation/cost"
	"partita/inputs"
)

// closest is the layout that misses the requirements by least: the smallest largest share,
// proved by a pass of its own, then the objective among those that miss by no more.
func (r *run) closest(ctx context.Context, lv levels) (*answer, error) {
	r.log("the layout that misses the requirements by least")
	miss := &pass{purpose: missing, aim: r.goal.violation(), levels: lv.all(), free: true}
	out, err := r.pass(ctx, miss)
	if err != nil {
		return nil, err
	}
	if out.best == nil {
		return &answer{stopped: ctx.Err() != nil, cut: lv.cut}, nil
	}
	r.known = append(r.known, out.best.layout)
	if out.best.value < 1+rounding {
		// It meets everything by less than the search tells apart, which is no reason to call
		// it out of reach.
		if a, err := r.through(ctx, lv, 0); a != nil || err != nil {
			return a, err
		}
	}
	slack := out.best.value - 1 + 1e-9
	flat := lv.flat(lv.counted)
	if len(lv.list) > 1 {
		flat.list = lv.list
		flat.counted = "decided: the fewest GPUs whose layout misses the requirements by no more than it must"
	}
	a, err := r.through(ctx, flat, slack)
	if err != nil {
		return nil, err
	}
	if a == nil || a.out.best == nil {
		// Out of time: the layout that misses by least stands for itself.
		a = &answer{out: out, pass: miss, counted: lv.counted, stopped: true}
	}
	a.slack = slack
	a.refuted, a.cut = !lv.cut, lv.cut
	a.stopped = a.stopped || !out.proved
	a.passes = append(a.passes, out.record.pass(out.best))
	a.nearest, err = r.nearest(ctx, a.out.best, lv.all())
	return a, err
}

// nearest finds for each requirement that a layout misses the value that it could ask for
// with the others as they are; where those clash among themselves, with the other missed
// ones left out.
func (r *run) nearest(ctx context.Context, f *found, vectors [][]int) (map[inputs.RequirementKind]float64, error) {
	out := map[inputs.RequirementKind]float64{}
	ratio := func(q inputs.Requirement, s *Split, seconds float64) float64 {
		slope, floor, _ := r.goal.ratio(q, s)
		return max(floor, slope*seconds)
	}
	var missed []inputs.RequirementKind
	for _, q := range r.x.c.Goal.Requirements {
		if ratio(q, &f.split, f.seconds) > 1+1e-9 {
			missed = append(missed, q.Kind)
		}
	}
	for _, q := range r.x.c.Goal.Requirements {
		if !slices.Contains(missed, q.Kind) {
			continue
		}
		p := &pass{
			purpose: "nearest " + string(q.Kind), levels: vectors,
			aim: aim{
				slope: func(s *Split) float64 { slope, _, _ := r.goal.ratio(q, s); return slope },
				floor: func(s *Split) float64 { _, floor, _ := r.goal.ratio(q, s); return floor },
			},
		}
		for _, p.without = range [][]inputs.RequirementKind{{q.Kind}, missed} {
			res, err := r.pass(ctx, p)
			if err != nil {
				return nil, err
			}
			if res.best == nil || !res.proved {
				continue
			}
			if out[q.Kind] = q.Value * res.best.value; !q.Kind.Upper() {
				out[q.Kind] = q.Value / res.best.value
			}
			break
		}
	}
	return out, nil
}

// Bounds of the search for more GPUs where the model does not fit.
const (
	mostEnlarged = 1 << 14
	// enlargedNode is the least size of the nodes of added GPUs: a condition of one card says
	// nothing of the machine around it, and servers hold eight.
	enlargedNode = 8
)

// enlarged finds the layout on the fewest GPUs that fits: more of the first kind, those of
// others as they are.
func (r *run) enlarged(ctx context.Context) (*answer, error) {
	c := *r.x.c
	c.Cluster.Pools = slices.Clone(c.Cluster.Pools)
	c.Goal.AllowIdle = false
	for k := range c.Cluster.Pools {
		p := &c.Cluster.Pools[k]
		p.Nodes = nil
		p.GPUsPerNode = max(p.GPUsPerNode, enlargedNode)
	}
	first := &c.Cluster.Pools[0]
	given := r.goal.most(0)
	short := r.shortage()
	first.Count = inputs.Count{Min: mostEnlarged, Max: mostEnlarged}
	calc, err := cost.New(&c)
	if err != nil {
		return nil, err
	}
	more, err := newRun(&c, calc, r.o)
	if err != nil {
		return nil, err
	}
	gpus := more.goal.stated()
	for n := given + 1; n <= mostEnlarged && ctx.Err() == nil; n++ {
		if n > first.GPUsPerNode && n%first.GPUsPerNode != 0 {
			continue
		}
		gpus[0] = n
		ok, err := more.placeable(ctx, [][]int{gpus})
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		first.Count = inputs.Count{Min: n, Max: n}
		step := &pass{purpose: stepTime, aim: more.goal.seconds(), levels: [][]int{slices.Clone(gpus)}, free: true}
		a, err := more.one(ctx, step)
		if err != nil {
			return nil, err
		}
		a.unfit, a.refuted, a.reasons = true, true, []string{short}
		a.counted = "the fewest GPUs of the same kind that hold the model and its training state"
		a.stopped = !a.out.proved
		*r = *more
		return a, nil
	}
	return &answer{stopped: ctx.Err() != nil, refuted: ctx.Err() == nil, reasons: []string{short, fmt.Sprintf("more GPUs: there is no layout on up to %d of the first kind, in whole nodes, either", mostEnlarged)}}, nil
}
