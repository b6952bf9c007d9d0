package laneplan

import (
	"cmp"
	"context"
	"math"
	"slices"

	"partita/formulation/cost"
	"partita/formulation/lanes"
	"partita/inputs"
	"partita/solver"
)

// Result is the answer of Solve.
type Result struct {
	// Status: Optimal where Bound is the round of Plan.
	Status solver.Status
	Plan   *Plan   // nil: none found
	Bound  float64 // seconds: no round is shorter
	// Choices says of every number of groups what became of it.
	Choices []Choice
}

// Choice is a number of decode groups.
type Choice struct {
	Groups int
	Round  float64 // seconds, of its best plan; 0: none found
	Bound  float64 // seconds: none of its plans is below; +Inf: it has none
	Pruned bool    // by the bound, before a plan was looked for
}

// Closed is the relative difference of two rounds that counts as none.
const Closed = 1e-7

// width of the sweeps that decide whether ranges exist.
const width = 4096

// Solve finds the plan with the shortest round. The condition has one kind of layer, a
// stated number of GPUs and generates tokens.
func Solve(ctx context.Context, c *inputs.Condition, costs *cost.Calculator) (*Result, error) {
	machines := 0
	for _, p := range c.Cluster.Pools {
		machines += p.Count.Max
	}
	s := &search{ctx: ctx, c: c, costs: costs, best: math.Inf(1)}
	for g := 1; g <= min(machines, c.Workload.Batch); g++ {
		// One sequence a prefill micro-batch takes least memory.
		x := &attempt{search: s, prices: newPrices(c, costs, g, mostMicro(c)), Choice: Choice{Groups: g}}
		s.attempts = append(s.attempts, x)
	}
	if err := s.run(); err != nil {
		return nil, err
	}
	return s.result(), nil
}

type search struct {
	ctx      context.Context
	c        *inputs.Condition
	costs    *cost.Calculator
	attempts []*attempt
	plan     *Plan
	best     float64 // round of plan
}

// attempt is the search with one number of groups.
type attempt struct {
	*search
	*prices
	Choice
	low, high float64 // of the longest step: below low refuted, at high known
}

func (s *search) run() error {
	// Any plan first: what memory alone allows, with groups for a pipeline half as long as
	// there are machines.
	if n := len(s.attempts); n > 0 {
		x := s.attempts[(n-1)/2]
		ranges, _, err := lanes.Reach(s.ctx, x.problem(x.slowest(), true), float64(s.c.Workload.Batch), width)
		if err != nil {
			return err
		}
		if ranges != nil {
			x.keep(ranges)
		}
	}
	for _, x := range s.attempts {
		if s.ctx.Err() != nil {
			return nil
		}
		if err := x.relax(); err != nil {
			return err
		}
	}
	// The most promising first: the others then fall by their bounds.
	order := slices.Clone(s.attempts)
	slices.SortStableFunc(order, func(a, b *attempt) int { return cmp.Compare(a.Bound, b.Bound) })
	for _, x := range order {
		if s.ctx.Err() != nil {
			return nil
		}
		if x.Bound >= s.best*(1-Closed) {
			x.Pruned = true
			continue
		}
		if err := x.solve(); err != nil {
			return err
		}
	}
	return nil
}

func (s *search) result() *Result {
	if s.plan != nil && s.c.Workload.Phase == inputs.Mixed {
		s.plan.prefill(s.c, s.costs)
	}
	r := &Result{Plan: s.plan, Bound: math.Inf(1)}
	for _, x := range s.attempts {
		r.Bound = min(r.Bound, x.Bound)
		r.Choices = append(r.Choices, x.Choice)
	}
	switch {
	case s.plan == nil && math.IsInf(r.Bound, 1):
		r.Status = solver.Infeasible
	case s.plan == nil && s.ctx.Err() == nil:
		r.Status = solver.Unknown
	case s.plan == nil:
		r.Status = solver.ContextStatus(s.ctx)
	case r.Bound >= s.best*(1-Closed):
		r.Status, r.Bound = solver.Optimal, s.best
	case s.ctx.Err() != nil:
		r.Status = solver.ContextStatus(s.ctx)
	default:
		r.Status = solver.Unknown // what is left between plan and bound is said
	}
	return r
}

// problem is the decision whether steps of at most limit seconds do: which ranges carry
// all sequences. The last layer of the model, with the head, is the first one there. Safe
// ranges are those of machines that could all hold the embedding too: what they carry is
// then never too much.
func (x *attempt) problem(limit float64, safe bool) *lanes.Problem {
	p := &lanes.Problem{Layers: len(x.search.c.Model.Layers)}
	for k, pool := range x.search.c.Cluster.Pools {
		t := lanes.Type{Name: pool.Name, Count: pool.Count.Max}
		for layers := 1; layers <= x.longest(k); layers++ {
			other, r := inner, atHead
			if safe {
				other = atStart
			}
			if layers == p.Layers {
				other, r = whole, whole
			}
			t.Throughput = append(t.Throughput, float64(x.carries(k, layers, other, limit)))
			t.AtFirst = append(t.AtFirst, min(t.Throughput[layers-1], float64(x.carries(k, layers, r, limit))))
		}
		for i := len(t.Throughput) - 2; i >= 0; i-- { // more for fewer layers is no claim: plans are priced as they are
			t.Throughput[i], t.AtFirst[i] = max(t.Throughput[i], t.Throughput[i+1]), max(t.AtFirst[i], t.AtFirst[i+1])
		}
		p.Types = append(p.Types, t)
	}
	return p
}

func (x *attempt) reach(limit float64, width int) ([]lanes.Range, bool, error) {
	return lanes.Reach(x.ctx, x.problem(limit, false), float64(x.search.c.Workload.Batch), width)
}

// safely looks for plans of safe ranges, where those that were found do not hold the
// embedding beside their layers.
func (x *attempt) safely() error {
	low, high := x.low, min(x.high, x.best/float64(x.Groups))
	for limit := high; high > low*(1+1e-3) && x.ctx.Err() == nil; limit = (low + high) / 2 {
		ranges, _, err := lanes.Reach(x.ctx, x.problem(limit, true), float64(x.search.c.Workload.Batch), width)
		if err != nil {
			return err
		}
		switch {
		case ranges != nil:
			x.keep(ranges)
			high = limit
		case limit == high:
			return nil
		default:
			low = limit
		}
	}
	return nil
}

// slowest is a step that no machine exceeds.
func (x *attempt) slowest() float64 {
	t := 0.0
	for k := range x.search.c.Cluster.Pools {
		for n := 1; n < len(x.least(k)); n++ {
			y := x.rate(k, n)
			t = max(t, float64(len(x.search.c.Model.Layers))*y.layer+y.embedding+max(y.head, y.send))
		}
	}
	return t
}

// relax bounds the rounds with these groups by the prices of the machines alone, and by
// work.
func (x *attempt) relax() error {
	x.high = x.slowest()
	refuted := func(limit float64) (bool, error) {
		_, settled, err := x.reach(limit, 0)
		return settled, err
	}
	out, err := refuted(x.high)
	if err != nil || out {
		x.Bound, x.low = math.Inf(1), x.high
		return err
	}
	for low, high := 0.0, x.high; high > low*(1+1e-3) && x.ctx.Err() == nil; {
		middle := (low + high) / 2
		if out, err = refuted(middle); err != nil {
			return err
		}
		if out {
			low, x.low = middle, middle
		} else {
			high = middle
		}
		if high < x.high*1e-9 {
			break
		}
	}
	x.Bound = max(float64(x.Groups)*x.low, x.work())
	return nil
}

// solve finds the shortest step for which ranges exist, and keeps the plans on the way.
func (x *attempt) solve() error {
	limit := min(x.high, x.best/float64(x.Groups)*(1-Closed))
	ranges, settled, err := x.reach(limit, width)
	if err != nil {
		return err
	}
	if ranges == nil {
		if settled { // nothing beats the best plan
			x.low = max(x.low, limit)
			if limit == x.high {
				x.Bound = math.Inf(1)
				return nil
			}
		}
		x.Bound = max(x.Bound, float64(x.Groups)*x.low)
		return nil
	}
	for low, high := x.low, limit; ; {
		if ranges != nil {
			x.keep(ranges)
		}
		if high <= low*(1+Closed) || x.ctx.Err() != nil {
			break
		}
		middle := (low + high) / 2
		if ranges, settled, err = x.reach(middle, width); err != nil {
			return err
		}
		switch {
		case ranges != nil:
			high = middle
		case settled && low == x.low:
			low, x.low = middle, middle
		default: // not known: look above it
			low = middle
		}
	}
	x.Bound = max(x.Bound, float64(x.Groups)*x.low)
	if x.Round == 0 {
		return x.safely()
	}
	return nil
}

// near is by how much the number of groups is varied for ranges that were found: where
// the ways are long, more groups with shorter steps may be better.
const near = 3

// keep makes plans of ranges, and keeps the best one of each number of groups.
func (x *attempt) keep(ranges []lanes.Range) {
	var machines []Machine
	last := len(x.search.c.Model.Layers) - 1
	for _, r := range ranges {
		machines = append(machines, Machine{Pool: r.Type, First: last - (r.End() - 1), Last: last - r.First})
	}
	for g := max(1, x.Groups-near); g <= min(len(x.attempts), x.Groups+near); g++ {
		y := x.attempts[g-1]
		plan, ok := y.shared(slices.Clone(machines))
		if !ok {
			continue
		}
		if y.Round == 0 || plan.Round < y.Round {
			y.Round = plan.Round
		}
		if plan.Round < x.best {
			x.best, x.plan = plan.Round, plan
		}
	}
}

// work bounds a round by the average way: Σ n_m·τ_m / S over machines that hold every
// layer S times, fractions of machines allowed. Its dual: λ a layer and sequence.
func (x *attempt) work() float64 {
	type use struct{ cost, holds float64 }
	batch := float64(x.search.c.Workload.Batch)
	want := batch * float64(len(x.search.c.Model.Layers))
	uses := make([][]use, len(x.search.c.Cluster.Pools))
	steepest := 0.0
	for k := range uses {
		for layers := 1; layers <= x.longest(k); layers++ {
			if x.ctx.Err() != nil {
				return 0
			}
			for n := 1; n <= x.search.c.Workload.Batch && x.holdsAs(k, n, layers, inner); n++ {
				u := use{float64(n) * x.rate(k, n).of(layers, inner) / batch, float64(n * layers)}
				uses[k] = append(uses[k], u)
				steepest = max(steepest, u.cost/u.holds)
			}
		}
	}
	dual := func(lambda float64) float64 {
		sum := lambda * want
		for k, pool := range x.search.c.Cluster.Pools {
			least := 0.0
			for _, u := range uses[k] {
				least = min(least, u.cost-lambda*u.holds)
			}
			sum += float64(pool.Count.Max) * least
		}
		return sum
	}
	low, high := 0.0, 2*steepest
	for range 60 { // the dual is concave, and any λ bounds
		if x.ctx.Err() != nil {
			break
		}
		a, b := low+(high-low)/3, high-(high-low)/3
		if dual(a) < dual(b) {
			low = a
		} else {
			high = b
		}
	}
	return max(0, dual((low+high)/2))
}
