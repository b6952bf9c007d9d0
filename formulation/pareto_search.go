package formulation

import (
	"container/heap"
	"context"
	"math"
	"slices"

	"partita/formulation/stagegraph"
	"partita/solver"
	"partita/solver/path"
)

// prospect searches all outer choices for the plans that no other beats. Its pass has
// ℓ for its value, so graphs, floors and limits are those of a search for the best
// latency, and one tick of either phase is worth the same in ℓ whatever the choice.
//
// Every node carries a spot that no plan of it is better than in any axis. A node
// whose spot is covered by a vertex is pruned; the others are bounded more closely, by
// floors, priced paths and the best of either phase alone, then harvested: its path
// problem is solved again and again under a tighter bound on the round, which gives
// all of its plans that are not covered.
type prospect struct {
	*exploration
	priced bool
	scale  stagegraph.Scale
	weight [2]int64
	front  front
	queue  frontQueue
	size   [3]float64 // of each axis: what the order of nodes is measured by
	ledger *ledger
	rounds map[roundKey]leastRound
	// open are the nodes that no proof was found for in time.
	open []*frontNode
}

// frontNode is an outer choice, or all choices of a layout or of a range of layouts.
type frontNode struct {
	first, last int // layouts
	choice      stagegraph.Choice
	low         spot
	// stage: what is known of the node.
	stage  bounding
	order  float64
	serial int
}

type bounding int

const (
	byFloors bounding = iota // a layout or a range, by the floors of its choices
	asChoice                 // a choice, by its floor
	byPhases                 // by the best of either phase alone
	byPrices                 // by priced paths
)

// why says what a bound of the stage rests on.
func (b bounding) why() string {
	switch b {
	case byPrices:
		return "priced shortest paths"
	case byPhases:
		return "the best round alone"
	}
	return floorsWhy
}

// newProspect prepares the search over layouts under a balance floor.
func (r *run) newProspect(ctx context.Context, layouts []*stagegraph.Layout, num, den int64, priced bool) *prospect {
	p := &pass{
		purpose: "frontier", layouts: layouts, num: num, den: den,
		value: func(*stagegraph.Layout) coefficients { return r.goal.latency() },
	}
	x := &prospect{
		exploration: &exploration{explorer: r.explorer, pass: p, record: newRecorder(p.purpose, len(layouts) > r.most()), unproved: math.Inf(1)},
		priced:      priced, rounds: map[roundKey]leastRound{},
	}
	x.ledger = &ledger{coarse: len(layouts) > r.most(), grouped: map[ledgerKey]int{}, told: map[stagegraph.Choice]bool{}}
	x.seed(ctx)
	if len(layouts) > 0 {
		x.scale, x.weight = x.pass.scale(layouts[0], x.unit, x.spare)
	}
	if ctx.Err() == nil {
		x.start()
	}
	if x.best != nil {
		x.enter(x.best)
	}
	x.ledger.refused(x.record)
	for _, n := range x.exploration.queue {
		x.put(&frontNode{first: n.layout, last: n.last})
	}
	return x
}

// run empties the queue, or stops with ctx; what is left is open.
func (x *prospect) run(ctx context.Context) error {
	for len(x.queue) > 0 && ctx.Err() == nil {
		n := heap.Pop(&x.queue).(*frontNode)
		x.tellFront()
		if x.front.covered(n.low) {
			x.prune(n)
			continue
		}
		if err := x.step(ctx, n); err != nil {
			return err
		}
	}
	for _, n := range x.queue {
		if x.front.covered(n.low) {
			x.prune(n)
			continue
		}
		x.leave(n)
	}
	x.queue = nil
	return x.space.Rules().Err() // a rule without a value: nothing that was refused by it counts
}

// leave gives a node up unproved.
func (x *prospect) leave(n *frontNode) {
	x.open = append(x.open, n)
	x.ledger.add(x, n, x.count(n), "open", "not settled in time, or in the memory of one search")
}

// prune counts a node as pruned, but for choices of it whose plan on the front attains
// their bound: those are solved.
func (x *prospect) prune(n *frontNode) {
	left := x.count(n)
	for _, v := range x.front {
		if x.has(n, v.choice) && !x.ledger.told[v.choice] {
			x.ledger.harvested(v.choice, n.low)
			left--
		}
	}
	if left > 0 {
		x.ledger.add(x, n, left, "pruned", n.stage.why())
	}
}

// has reports whether a choice is one of a node's.
func (x *prospect) has(n *frontNode, ch stagegraph.Choice) bool {
	if n.stage > byFloors {
		return n.choice == ch
	}
	return slices.Contains(x.pass.layouts[n.first:n.last+1], ch.Layout)
}

// count is how many outer choices a node stands for.
func (x *prospect) count(n *frontNode) int {
	if n.stage > byFloors {
		return 1
	}
	return x.choicesOf(&node{layout: n.first, last: n.last})
}

// put enters a range or a layout, bounded by its floors.
func (x *prospect) put(n *frontNode) {
	n.low = farthest
	fl := x.visit(n, func(_ *floors, _, _ int, low spot) {
		for axis := range low {
			n.low[axis] = min(n.low[axis], low[axis])
		}
	})
	if n.low != farthest {
		x.push(n)
		return
	}
	x.refuse(n, fl, 0)
}

// refuse accounts for the choices of a node that floors or rules refuse, all but those
// admitted.
func (x *prospect) refuse(n *frontNode, fl *floors, admitted int) {
	span, left := n.last-n.first+1, x.count(n)-admitted
	count := func(choices int, why string) {
		if choices = min(choices, left); choices > 0 {
			x.ledger.add(x, n, choices, "infeasible", why)
			left -= choices
		}
	}
	if fl != nil {
		count(fl.unfit*span, noPath)
		for i, refused := range fl.refused {
			count(refused*span, named(x.space.Rules().Rule(i)))
			x.against[i] += refused * span
		}
	}
	count(left, tooSlow)
}

// visit calls f with every choice of a node that the rules and the requirements admit,
// and with a spot that no plan of the choice is better than. The floors say what became
// of the others; nil: the price alone refuses all.
func (x *prospect) visit(n *frontNode, f func(fl *floors, i, j int, low spot)) *floors {
	first := x.pass.layouts[n.first]
	fl, ok := x.floorsOf(&node{layout: n.first, last: n.last})
	if !ok {
		return nil
	}
	k, cost := x.goal.latency(), x.costOf(first)
	work := int64(0) // of the round over all GPUs, for a range
	if n.first < n.last && x.goal.perGPU {
		least := math.Inf(1)
		for j := range fl.groups {
			least = min(least, float64(first.Replicas)*fl.relaxed.RangeValue(0, j, 0, 0, 1, first.GPUs[0]))
		}
		work = ticksOf(least, x.scale[1])
	}
	fl.each(func(i, j int, ttft, round float64) {
		f(&fl, i, j, spot{ticksOf(k.of(ttft, round), x.unit), max(work, times(ticksOf(round, x.scale[1]), x.counted(first))), cost})
	})
	return &fl
}

// counted is by what a round counts: the GPUs used where their number is open.
func (x *prospect) counted(l *stagegraph.Layout) int64 {
	if x.goal.perGPU {
		return int64(x.gpus(l))
	}
	return 1
}

// costOf is the price of a layout, in millionths of a dollar an hour; 0 where cost is
// no axis.
func (x *prospect) costOf(l *stagegraph.Layout) int64 {
	if !x.priced {
		return 0
	}
	return int64(math.Round(x.goal.hourly(l) * 1e6))
}

// push queues a node: those that promise most in all axes together come first, for
// what they give prunes the others.
func (x *prospect) push(n *frontNode) {
	n.order = 0
	for axis, v := range n.low {
		if x.size[axis] == 0 {
			x.size[axis] = max(1, float64(v)) // the first node's is as good a measure as any
		}
		n.order += float64(v) / x.size[axis]
	}
	n.serial = x.serial
	x.serial++
	heap.Push(&x.queue, n)
}

// step looks at a node more closely.
func (x *prospect) step(ctx context.Context, n *frontNode) error {
	switch {
	case n.stage == byFloors && n.first < n.last:
		mid := x.middle(n.first, n.last)
		x.put(&frontNode{first: n.first, last: mid})
		x.put(&frontNode{first: mid + 1, last: n.last})
		return nil
	case n.stage == byFloors:
		x.openLayout(n)
		return nil
	}
	if n.stage == asChoice {
		n.stage = byPhases
		exists, err := x.phases(ctx, n)
		if err != nil {
			return err
		}
		if !exists {
			x.ledger.add(x, n, 1, "infeasible", noPlan)
			return nil
		}
		if x.later(n) {
			return nil
		}
	}
	g := x.build(n.choice)
	x.capLatency(g.Problem)
	if n.stage == byPhases {
		n.stage = byPrices
		exists, err := x.price(n, g.Problem)
		if err != nil {
			return err
		}
		if !exists {
			x.ledger.add(x, n, 1, "infeasible", noPath)
			return nil
		}
		if x.later(n) {
			return nil
		}
	}
	return x.harvest(ctx, n, g)
}

// later puts a node back where it is covered by now, or others promise more.
func (x *prospect) later(n *frontNode) bool {
	if x.front.covered(n.low) {
		x.prune(n)
		return true
	}
	x.push(n)
	if x.queue[0] == n {
		heap.Pop(&x.queue)
		return false
	}
	return true
}

// middle halves a range of layouts by the GPUs of a replica.
func (x *prospect) middle(first, last int) int {
	low, high := x.pass.layouts[first].GPUs[0], x.pass.layouts[last].GPUs[0]
	mid := first
	for mid+1 < last && float64(x.pass.layouts[mid+1].GPUs[0]) < math.Sqrt(float64(low)*float64(high)) {
		mid++
	}
	return mid
}

// openLayout replaces a layout by its choices. Those that are covered are counted at once.
func (x *prospect) openLayout(n *frontNode) {
	admitted := 0
	fl := x.visit(n, func(fl *floors, i, j int, low spot) {
		admitted++
		c := &frontNode{first: n.first, last: n.last, choice: fl.choice(i, j), low: low, stage: asChoice}
		if !x.front.covered(c.low) { // both phases together bound ℓ better
			c.low[0] = max(c.low[0], ticksOf(fl.value(i, j, 0, 0), x.unit))
		}
		if x.front.covered(c.low) {
			x.prune(c)
			return
		}
		x.push(c)
	})
	x.refuse(n, fl, admitted)
}

// price raises the spot of a choice by priced shortest paths in ℓ, and in the round
// where it is not known better; false where there is no path.
func (x *prospect) price(n *frontNode, p *path.Problem) (bool, error) {
	b, err := path.LowerBound(p, x.front.least(0, n.low))
	if err != nil || b == path.NoLimit {
		return false, err
	}
	n.low[0] = max(n.low[0], b)
	if x.phased(n.choice) {
		return true, nil
	}
	by := x.counted(n.choice.Layout)
	b, err = path.LowerBound(roundOf(p), upTo(x.front.least(1, n.low), by))
	if err != nil || b == path.NoLimit {
		return false, err
	}
	n.low[1] = max(n.low[1], times(b, by))
	return true, nil
}

// phased reports whether a choice has two phases, each of whose bounds holds for many
// choices of its layout.
func (x *prospect) phased(ch stagegraph.Choice) bool {
	return ch.Micro > 0 && x.space.Decodes()
}

// roundKey names what the best round depends on: the time of a stage in the rate phase
// is the same whatever the micro-batches.
type roundKey struct {
	layout *stagegraph.Layout
	groups int
}

// phases raises the spot of a choice by the best TTFT and the best round that any path of
// its layout reaches: found once for all choices with as many micro-batches, or as many
// groups, the other phase taking the least memory it can. The round is exact, in the
// ticks of the frontier. False where there is no path.
func (x *prospect) phases(ctx context.Context, n *frontNode) (bool, error) {
	if !x.phased(n.choice) {
		return true, nil // the first path says as much
	}
	l := n.choice.Layout
	ttft, err := x.bestAlone(ctx, 0, n.choice, math.Inf(1))
	if err != nil || math.IsInf(ttft, 1) {
		return false, err
	}
	round := float64(n.low[1]/x.counted(l)) * x.scale[1]
	n.low[0] = max(n.low[0], ticksOf(x.goal.latency().of(ttft, round), x.unit))
	if x.front.covered(n.low) {
		return true, nil
	}
	key := roundKey{l, n.choice.Groups}
	known := x.rounds[key]
	// Below every vertex of its price a choice is bounded in latency by one of them.
	enough := upTo(x.front.least(1, spot{path.NoLimit, 0, n.low[2]}), x.counted(l))
	if !known.final && known.bound < enough {
		if known, err = x.bestRound(ctx, n.choice, max(known.bound, n.low[1]/x.counted(l)), enough); err != nil {
			return false, err
		}
		x.rounds[key] = known
	}
	if known.bound == path.NoLimit {
		return false, nil
	}
	n.low[1] = max(n.low[1], times(known.bound, x.counted(l)))
	n.low[0] = max(n.low[0], ticksOf(x.goal.latency().of(ttft, float64(known.bound)*x.scale[1]), x.unit))
	return true, nil
}

// leastRound is a bound on the round in ticks; final: the round itself.
type leastRound struct {
	bound int64
	final bool
}

// bestRound proves the best round of a layout, from a bound up to enough.
func (x *prospect) bestRound(ctx context.Context, ch stagegraph.Choice, low, enough int64) (leastRound, error) {
	micros := x.goal.micros(ch.Layout)
	ch.Micro = micros[len(micros)-1]
	// A shape that another beats for these micro-batches may be kept for others, and to be
	// needed for the balance.
	g := x.space.BuildAny(ch, x.scale, x.pass.num > 0)
	g.Problem.Weight = [2]int64{0, 1}
	g.Problem.Phases = x.goal.phases(ch)
	g.Problem.BalanceNum, g.Problem.BalanceDen = x.pass.num, max(1, x.pass.den)
	r, err := path.Below(ctx, x.prove, g.Problem, enough, low)
	switch {
	case err != nil:
		return leastRound{}, err
	case r.Status == solver.Optimal:
		x.enterChecked(ch, g, r)
		return leastRound{r.Value.Objective, true}, nil
	case r.Status == solver.Infeasible:
		return leastRound{enough, enough == path.NoLimit}, nil
	case r.HasBound:
		low = max(low, r.Bound)
	}
	return leastRound{low, false}, nil
}

// upTo is the largest count whose product with by stays below a limit, and one more:
// a cutoff.
func upTo(limit, by int64) int64 {
	if limit == path.NoLimit {
		return path.NoLimit
	}
	return (limit-1)/by + 1
}

// roundOf is a problem with the metric of the rate phase for its objective.
func roundOf(p *path.Problem) *path.Problem {
	q := *p
	q.Weight = [2]int64{0, 1}
	return &q
}

// frontQueue orders nodes by what they promise, then age.
type frontQueue []*frontNode

func (q frontQueue) Len() int { return len(q) }
func (q frontQueue) Less(i, j int) bool {
	if q[i].order != q[j].order {
		return q[i].order < q[j].order
	}
	return q[i].serial < q[j].serial
}
func (q frontQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *frontQueue) Push(n any)   { *q = append(*q, n.(*frontNode)) }
func (q *frontQueue) Pop() any {
	old := *q
	n := old[len(old)-1]
	*q = old[:len(old)-1]
	return n
}
