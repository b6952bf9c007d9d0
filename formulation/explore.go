package formulation

import (
	"container/heap"
	"context"
	"math"
	"slices"

	"partita/formulation/stagegraph"
	"partita/inputs/knowledge"
	"partita/solver/path"
)

// prover finds the best path of a problem below a cutoff, with proof.
type prover func(ctx context.Context, p *path.Problem, opts path.Options) (path.Result, error)

// explorer runs passes over the outer choices of one condition.
type explorer struct {
	space *stagegraph.Space
	goal  *goal
	prove prover
	// relaxed caches the relaxation of each layout.
	relaxed map[*stagegraph.Layout]*stagegraph.Relaxation
	// wide keeps shapes that others beat in both phases.
	wide bool
	// many, where set, replaces manyLayouts.
	many int
	// alone caches the best metric of one phase of a layout.
	alone map[singleKey]alone
	// effort bounds the search by its work; nil: no bound.
	effort *effort
	// watch is Options.Watch.
	watch func(Progress)
	// against counts the outer choices that each rule refused, in all passes.
	against []int
}

// labels is the prover by labels, whatever proves the choices.
func (x *explorer) labels() prover {
	if x.effort != nil {
		return x.effort.solve
	}
	return path.Solve
}

// node is an outer choice, or all choices of a layout, with a bound on the value.
type node struct {
	layout int
	last   int // > layout for a range of layouts
	choice stagegraph.Choice
	bound  float64
	low    [2]float64 // least seconds of either phase, of a layout
	// level: 0 all choices of a layout, 1 a choice bounded by its floor, 2 by priced
	// paths, 3 by the best of either phase alone.
	level  int
	probes int // cutoffs refuted while no plan was known
	serial int
}

// exploration is the state of one pass.
type exploration struct {
	*explorer
	pass   *pass
	unit   float64
	spare  [2]float64
	queue  nodeQueue
	serial int
	best   *found
	record *recorder
	// settled: the choice of the best plan is accounted for as solved.
	settled bool
	// refuted counts, by layout, the choices that only the prover could refute.
	refuted map[*stagegraph.Layout]int
	// unproved is the least bound of a choice that a backend gave up.
	unproved float64
}

// run searches the pass: best-first by lower bound, each choice bounded first by
// its floor, then by priced shortest paths, then solved.
func (e *explorer) run(ctx context.Context, p *pass) (outcome, error) {
	x := &exploration{explorer: e, pass: p, record: newRecorder(p.purpose, len(p.layouts) > e.most()), unproved: math.Inf(1)}
	x.seed(ctx)
	if ctx.Err() == nil { // else the scale may be none
		x.start()
	}
	for len(x.queue) > 0 && ctx.Err() == nil {
		n := heap.Pop(&x.queue).(*node)
		x.tell(n)
		if x.beaten(n.bound) {
			heap.Push(&x.queue, n)
			break
		}
		if x.effort != nil && n.level >= 2 {
			x.effort.spend(stepWork)
		}
		if err := x.step(ctx, n); err != nil {
			return outcome{}, err
		}
		if (p.anyPlan || p.first) && x.best != nil {
			break
		}
	}
	if err := x.space.Rules().Err(); err != nil {
		return outcome{}, err // a rule without a value: nothing that was refused by it counts
	}
	return x.finish(ctx), nil
}

// hopeless reports that floors alone refute every layout of a pass.
func (e *explorer) hopeless(p *pass) bool {
	x := &exploration{explorer: e, pass: p, record: newRecorder(p.purpose, true), unproved: math.Inf(1)}
	x.seed(context.Background())
	return len(x.queue) == 0
}

// beaten reports that nothing with this bound improves on the best plan.
func (x *exploration) beaten(bound float64) bool {
	if x.best == nil {
		return false
	}
	// Values are whole ticks: what is not a tick below the best cannot be better. Where a
	// value only scales another one, too: of plans that take the same time ticks prefer one,
	// and whichever were met first would be a scale of its own.
	return bound > x.best.value*(1-x.pass.tolerance)-x.unit*(1-1e-9)
}

func (x *exploration) push(n *node) {
	n.serial = x.serial
	if x.pass.anyPlan {
		n.serial = -n.serial // all bounds are equal: depth first
	}
	x.serial++
	heap.Push(&x.queue, n)
}

// seed bounds every layout, or ranges of them where they are many, and fixes the
// scale by the best bound.
func (x *exploration) seed(ctx context.Context) {
	least, spare := math.Inf(1), [2]float64{}
	for _, n := range x.ranges() {
		if ctx.Err() != nil {
			x.push(n) // with 0, which is a bound of anything
			continue
		}
		var why string
		n.bound, n.low, why = x.rangeFloors(n)
		switch {
		case math.IsInf(n.bound, 1) && !x.space.Rules().Empty():
			x.open(n) // tells what refuses which choice
			continue
		case math.IsInf(n.bound, 1):
			x.record.infeasible(x.pass.layouts[n.layout], x.choicesOf(n), why)
			continue
		}
		x.push(n)
		if v, low := x.sample(n); v < least {
			least, spare = v, low
		}
	}
	if math.IsInf(least, 1) {
		least = 0
	}
	for ph := range 2 {
		x.spare[ph] = spare[ph] / timeTicks
		if x.spare[ph] <= 0 {
			x.spare[ph] = 1e-6
		}
	}
	x.unit = least / objectiveTicks
	if x.pass.anyPlan || least <= 0 {
		x.unit = 1
	}
	if x.pass.scaled != nil {
		x.unit, x.spare = x.pass.scaled.unit, x.pass.scaled.spare
	}
	if x.pass.tie != nil && len(x.pass.layouts) > 0 {
		l := x.pass.layouts[0]
		u, w := x.pass.scale(l, x.unit, x.spare)
		k := x.pass.value(l)
		x.unit = k.ttft*u[0]*float64(w[0]) + k.round*u[1]*float64(w[1])
	}
}

func (x *exploration) choices(l *stagegraph.Layout) int {
	if !x.space.Decodes() {
		return len(x.goal.micros(l))
	}
	if !x.microMatters(l) {
		return len(x.goal.groups(l))
	}
	return len(x.goal.micros(l)) * len(x.goal.groups(l))
}

// gpus is how many GPUs a layout uses over all replicas.
func (x *exploration) gpus(l *stagegraph.Layout) int { return l.Used() * l.Replicas }

// admit reports whether floors of the metrics keep the limits; work is in GPU-seconds.
func (l limits) admit(g *goal, ttft, round, work float64) bool {
	const rounding = 1 + 1e-12
	return ttft <= l.ttft*rounding && round <= l.round*rounding && work <= l.work*rounding &&
		g.latency().of(ttft, round) <= l.endToEnd*rounding
}

// worth is the value of metrics in the pass.
func (p *pass) worth(l *stagegraph.Layout, ttft, round float64) float64 {
	if p.anyPlan {
		return 0
	}
	return p.value(l).of(ttft, round)
}

// microMatters reports whether the number of micro-batches counts in the pass: TTFT in
// its value or in a limit, or shapes of which some are beaten only with certain
// micro-batches while the balance floor may need them, or a rule that speaks of them.
func (x *exploration) microMatters(l *stagegraph.Layout) bool {
	if !x.pass.anyPlan && x.pass.num > 0 && !x.space.OneShapeASize() || x.goal.counted(knowledge.OfMicro) {
		return true
	}
	if t := x.pass.tie; t != nil && t.pass.value(l).ttft > 0 {
		return true
	}
	lim, _ := x.goal.limits(x.goal.hourly(l), x.pass.slack, x.pass.without...)
	return !x.pass.anyPlan && x.pass.value(l).ttft > 0 || !math.IsInf(lim.ttft, 1) || !math.IsInf(lim.endToEnd, 1)
}

// relax keeps the relaxation of a layout from pass to pass.
func (e *explorer) relax(l *stagegraph.Layout) *stagegraph.Relaxation {
	if r, ok := e.relaxed[l]; ok {
		return r
	}
	r := e.space.Relax(l, e.goal.micros(l), e.goal.groups(l))
	if e.relaxed == nil {
		e.relaxed = map[*stagegraph.Layout]*stagegraph.Relaxation{}
	}
	e.relaxed[l] = r
	return r
}

// step opens a layout, bounds a choice or solves it.
func (x *exploration) step(ctx context.Context, n *node) error {
	l := x.pass.layouts[n.layout]
	if n.level == 0 {
		x.open(n)
		return nil
	}
	if n.layout < n.last {
		return x.narrow(n)
	}
	n.choice.Layout = l
	if n.level < 3 && x.counts(l) {
		return x.count(ctx, n)
	}
	g := x.build(n.choice)
	cutoff := x.cutoff()
	if n.level == 1 {
		b, err := path.LowerBound(g.Problem, cutoff)
		if err != nil {
			return err
		}
		if b == path.NoLimit {
			x.record.infeasible(l, 1, noPath)
			return nil
		}
		if v := float64(b) * x.unit; v > n.bound {
			n.bound = v
		}
		n.level = 2
		if x.beaten(n.bound) || len(x.queue) > 0 && x.queue[0].bound < n.bound {
			x.push(n)
			return nil
		}
	}
	if n.level == 2 {
		n.level = 3
		single, err := x.singles(ctx, n.choice)
		if err != nil {
			return err
		}
		if math.IsInf(single, 1) {
			x.record.infeasible(l, 1, noPlan)
			return nil
		}
		n.bound = max(n.bound, single)
		if x.beaten(n.bound) || len(x.queue) > 0 && x.queue[0].bound < n.bound {
			x.push(n)
			return nil
		}
	}
	return x.solve(ctx, n, g, cutoff)
}

// finish closes the books of the pass.
func (x *exploration) finish(ctx context.Context) outcome {
	out := outcome{best: x.best, unit: x.unit, spare: x.spare, bound: x.unproved}
	left := slices.Clone(x.queue)
	slices.SortFunc(left, func(a, b *node) int { return a.serial - b.serial })
	for _, n := range left {
		l := x.pass.layouts[n.layout]
		count := 1
		if n.level == 0 {
			count = x.choicesOf(n)
		} else {
			count = n.last - n.layout + 1
		}
		if x.reaches(n) {
			x.record.solved(x.best.choice, x.best.value) // the best plan attains its choice's bound
			if count--; count == 0 {
				continue
			}
		}
		switch {
		case x.beaten(n.bound) || (x.pass.anyPlan || x.pass.first) && x.best != nil:
			why := floorsWhy
			switch n.level {
			case 2:
				why = "priced shortest path"
			case 3:
				why = "the best TTFT and round alone, or a refuted cutoff"
			}
			x.record.pruned(l, count, n.bound, why)
		default:
			out.bound = min(out.bound, n.bound)
			x.record.openLayout(l, count, n.bound)
		}
	}
	if x.best != nil {
		out.proved = x.beaten(out.bound) || math.IsInf(out.bound, 1)
		out.bound = min(out.bound, x.best.value*(1-x.pass.tolerance))
	} else {
		out.proved = math.IsInf(out.bound, 1) && ctx.Err() == nil
	}
	out.report = x.record.pass(x.best)
	return out
}

// nodeQueue orders nodes by bound, then age.
type nodeQueue []*node

func (q nodeQueue) Len() int { return len(q) }
func (q nodeQueue) Less(i, j int) bool {
	if q[i].bound != q[j].bound {
		return q[i].bound < q[j].bound
	}
	return q[i].serial < q[j].serial
}
func (q nodeQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *nodeQueue) Push(n any)   { *q = append(*q, n.(*node)) }
func (q *nodeQueue) Pop() any {
	old := *q
	n := old[len(old)-1]
	*q = old[:len(old)-1]
	return n
}
