package path

import (
	"container/heap"
	"context"
	"errors"
	"fmt"

	"partita/solver"
)

// Options steer a solve. The zero value searches everything.
type Options struct {
	// Cutoff asks only for paths with J < *Cutoff; nil: all. A refuted cutoff is
	// Infeasible with Bound = Cutoff.
	Cutoff *int64
	// Incumbent is a known path; it is checked, never believed.
	Incumbent []Stage
	// Work ends the search after so much work (Result.Work), like a context that runs out,
	// but at the same point every time; 0: no limit.
	Work int64
}

// Result of a solve. Infeasible means that no path (below the cutoff) exists.
type Result struct {
	Status   solver.Status
	Stages   []Stage // nil where there is none
	Value    Value
	Bound    int64 // no feasible path is better than this
	HasBound bool
	Boxes    int // windows looked at
	Labels   int // partial paths made
	// Work is about how many labels could have been made in the time: boxes and counts of
	// states take time too. It depends on the problem alone.
	Work int64
}

// boxWork is the work of bounding one box, before its states are counted or labelled:
// a tenth of a millisecond to one.
const boxWork = 1 << 10

// stateWork is how many states are counted in the time of a label.
const stateWork = 16

// directWork is the number of (arc, used vector) pairs below which a box is
// enumerated rather than split: about 20 ms.
const directWork = 6 << 20

// softLabels is how many labels a box that can still be split may make.
const softLabels = 1 << 18

// search is the state of one solve.
type search struct {
	c      *compiled
	best   int64
	chain  []arc
	queue  queue
	boxes  int
	labels int
	work   int64
	most   int64 // work; 0: no limit
	serial int
	open   int64 // least bound of a box given up unproved
}

// Solve finds the best path of p and proves it: best-first over windows of the
// bottlenecks, each bounded by priced shortest paths and settled by labels over
// (node, resources used). When ctx ends first, the result carries the best path
// found and a valid bound.
func Solve(ctx context.Context, p *Problem, opts Options) (Result, error) {
	c, err := compile(p)
	if err != nil {
		return Result{}, err
	}
	s := &search{c: c, best: c.most() + 1, open: infinite, most: opts.Work}
	asked := s.best
	if opts.Cutoff != nil {
		asked = *opts.Cutoff // also where no path can cost so much
		s.best = min(s.best, asked)
	}
	var known []Stage
	if len(opts.Incumbent) > 0 {
		if v, err := p.Evaluate(opts.Incumbent); err == nil && v.Objective < s.best {
			s.best, known = v.Objective, opts.Incumbent
		}
	}
	if c.legs > 0 {
		c.collectValues()
		root := c.wholeBox()
		root.bound = -infinite
		c.cut(root, s.best)
		for _, b := range c.slice(root) {
			s.push(b)
		}
		s.run(ctx)
	}
	return s.result(ctx, known, asked)
}

func (s *search) result(ctx context.Context, known []Stage, asked int64) (Result, error) {
	r := Result{Boxes: s.boxes, Labels: s.labels, Work: s.work, Stages: known}
	if s.chain != nil {
		r.Stages = stagesOf(s.chain)
	}
	r.Bound = min(s.best, s.open)
	for _, b := range s.queue {
		r.Bound = min(r.Bound, b.bound)
	}
	r.HasBound = r.Bound > -infinite
	if r.Stages != nil {
		v, err := s.c.p.Evaluate(r.Stages)
		if err != nil {
			return Result{}, fmt.Errorf("path: the path found fails its own check: %w", err)
		}
		r.Value = v
	}
	switch {
	case r.Bound >= s.best && r.Stages != nil:
		r.Status = solver.Optimal
		r.Bound = r.Value.Objective
	case r.Bound >= s.best:
		r.Status = solver.Infeasible
		r.Bound = asked
	case errors.Is(ctx.Err(), context.Canceled):
		r.Status = solver.Interrupted
	default:
		r.Status = solver.TimeLimit
	}
	return r, nil
}

// most is more than any path can cost.
func (c *compiled) most() int64 {
	n := c.p.Boundaries
	most := make([][3]int64, len(c.kinds))
	var peak [2]int64
	for k, legs := range c.kinds {
		for i := range legs {
			x := &legs[i]
			for ph := range 2 {
				most[k][ph] = max(most[k][ph], x.time[ph])
				peak[ph] = max(peak[ph], x.time[ph])
			}
			most[k][2] = max(most[k][2], x.fee)
		}
	}
	far := make([][3]int64, n)
	for a := n - 2; a >= 0; a-- {
		for b := a + 1; b < n; b++ {
			if k := c.kindOf[a*n+b]; k >= 0 {
				for i := range most[k] {
					far[a][i] = max(far[a][i], most[k][i]+far[b][i])
				}
			}
		}
	}
	return c.objective([2]int64{far[0][0], far[0][1]}, peak, far[0][2])
}

func (s *search) run(ctx context.Context) {
	for len(s.queue) > 0 {
		if ctx.Err() != nil || s.most > 0 && s.work >= s.most {
			return
		}
		b := heap.Pop(&s.queue).(*box)
		if b.bound >= s.best {
			s.queue = s.queue[:0] // best first: all others are no better
			return
		}
		if !s.settle(ctx, b) {
			heap.Push(&s.queue, b)
			return
		}
	}
}

func (s *search) push(b *box) {
	if b.bound >= s.best {
		return
	}
	b.serial = s.serial
	s.serial++
	heap.Push(&s.queue, b)
}

// settle proves a box, or replaces it by its halves. False: ctx ended first.
func (s *search) settle(ctx context.Context, b *box) bool {
	c := s.c
	s.boxes++
	s.work += boxWork
	c.cut(b, s.best)
	legs := c.filter(b)
	if !c.tighten(b, legs) {
		return true
	}
	legs = c.filter(b)
	if !c.tighten(b, legs) {
		return true
	}
	pr := c.ascend(b, legs, s.best)
	if pr == nil {
		return true
	}
	s.offer(pr.chain)
	b.lambda, b.bound = pr.lambda, max(b.bound, pr.bound)
	if b.bound >= s.best {
		return true
	}
	arcs := c.fix(c.expand(legs), pr, s.best)
	left, right := c.split(b)
	if left != nil && int64(len(arcs))*c.states > directWork {
		s.push(left)
		s.push(right)
		return true
	}
	switch s.enumerate(ctx, b, pr, arcs, left != nil) {
	case stopped:
		return false
	case tooMany:
		if left == nil {
			s.open = min(s.open, b.bound)
			return true
		}
		left.bound, right.bound = b.bound, b.bound
		s.push(left)
		s.push(right)
	}
	return true
}

// enumerate settles a box by labels.
func (s *search) enumerate(ctx context.Context, b *box, pr *priced, arcs []arc, splittable bool) outcome {
	c := s.c
	var exact *counts
	if c.dense() {
		exact = newCounts(c, pr.lambda)
		s.work += 2 * int64(len(arcs)) * c.states / stateWork
		if !exact.forward(ctx, arcs, pr, s.best) {
			return stopped
		}
		chain := exact.cheapest()
		if chain == nil {
			return finished
		}
		s.offer(chain)
		if !exact.backward(ctx, arcs, pr, s.best) {
			return stopped
		}
	}
	if s.chain == nil {
		beam := c.newLabeling(b, pr, exact, arcs, s.best, 2)
		if beam.run(ctx) == stopped {
			return stopped
		}
		s.labels += len(beam.labels)
		s.offer(beam.chain)
	}
	l := c.newLabeling(b, pr, exact, arcs, s.best, 0)
	l.limit = maxLabels
	if splittable {
		l.limit = softLabels
	}
	out := l.run(ctx)
	s.labels += len(l.labels)
	s.work += int64(len(l.labels))
	s.offer(l.chain)
	return out
}

// offer takes a chain as the incumbent where it is a better path.
func (s *search) offer(chain []arc) {
	if v, ok := s.c.tryPath(chain); ok && v < s.best {
		s.best, s.chain = v, append([]arc(nil), chain...)
	}
}

// queue orders boxes by bound, then age.
type queue []*box

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if q[i].bound != q[j].bound {
		return q[i].bound < q[j].bound
	}
	return q[i].serial < q[j].serial
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(*box)) }
func (q *queue) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}

// LowerBound is a bound on J of every path of p, from priced shortest paths alone:
// no path is below it. NoLimit where no path exists. The search for better prices
// ends at cutoff.
func LowerBound(p *Problem, cutoff int64) (int64, error) {
	c, err := compile(p)
	if err != nil {
		return 0, err
	}
	if c.legs == 0 {
		return NoLimit, nil
	}
	most := c.most() + 1
	for ph := range 2 {
		least := c.minimax(c.kinds, ph)
		if least >= infinite {
			return NoLimit, nil
		}
		c.values[ph] = []int64{least} // one window: T is at least this
	}
	x := c.ascend(&box{}, c.kinds, min(cutoff, most))
	if x == nil || x.bound >= most {
		return NoLimit, nil
	}
	return max(0, x.bound), nil
}
