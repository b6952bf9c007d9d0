package path

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"slices"

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

// directWork is the number of (arc, state) pairs after which the counting of a box that
// can still be split is given up: about 50 ms. mostWork is the same for one that cannot.
const (
	directWork = 6 << 20
	mostWork   = 1 << 30
)

// softLabels is how many labels a box that can still be split may make.
const softLabels = 1 << 18

// search is the state of one solve.
type search struct {
	c       *compiled
	best    int64 // value to beat
	guess   int64 // only paths below it are looked for now
	low     int64 // no path is below it
	chain   []arc
	known   []Stage // a path of the value to beat, where chain is nil
	roots   []*box  // windows of T that cover all paths
	ray     []int64 // prices where the bottleneck alone counts; nil elsewhere
	queue   queue
	dived   bool // first has been tried
	counted int  // boxes that prices did not settle
	boxes   int
	labels  int
	work    int64
	most    int64 // work; 0: no limit
	serial  int
	open    int64 // least bound of a box given up unproved
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
	if len(opts.Incumbent) > 0 {
		if v, err := p.Evaluate(opts.Incumbent); err == nil && v.Objective < s.best {
			s.best, s.known = v.Objective, opts.Incumbent
		}
	}
	s.low = -infinite
	if c.legs > 0 {
		c.collectValues()
		c.stop = func() bool { return ctx.Err() != nil }
		s.prove(ctx)
	} else {
		s.low = s.best
	}
	return s.result(ctx, asked)
}

func (s *search) result(ctx context.Context, asked int64) (Result, error) {
	r := Result{Boxes: s.boxes, Labels: s.labels, Work: s.work, Stages: s.known}
	if s.chain != nil {
		r.Stages = stagesOf(s.chain)
	}
	r.Bound = min(s.best, s.low)
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

// prove looks for paths below guesses that grow from the lower bound: what a search
// costs depends on how far its cutoff is above the optimum, and a good path is seldom
// known before.
func (s *search) prove(ctx context.Context) {
	s.guess = s.best
	done := s.price(ctx)
	step := max(1, max(s.low, s.best>>20)/firstStepPart)
	for ; done && s.low < s.best && s.open == infinite; step *= 2 {
		s.guess = s.best
		if s.low < s.best-2*step-1 {
			s.guess = s.low + step + 1
		}
		s.queue = s.queue[:0]
		for _, b := range s.roots {
			part := *b
			s.push(&part)
		}
		counted := s.counted
		done = s.run(ctx)
		s.raise(min(s.guess, s.best, s.open))
		if s.counted == counted && step > s.low/farPart {
			step *= freeStep // prices alone refuted the guess, and nothing is near
		}
	}
}

const (
	firstStepPart = 256 // the first guess is so much of the lower bound above it, as 1/n
	farPart       = 4
	freeStep      = 4
)

// raise makes the least bound of the queue and the given one the lower bound, which no
// box of the first ones is then below.
func (s *search) raise(low int64) {
	for _, b := range s.queue {
		low = min(low, b.bound)
	}
	s.low = max(s.low, low)
	for _, b := range s.roots {
		b.bound = max(b.bound, s.low)
	}
}

// price cuts the box of all paths into windows and bounds them by prices, until the one
// with the least bound is. False: ctx or the work ended first.
func (s *search) price(ctx context.Context) bool {
	root := s.c.wholeBox()
	root.bound = -infinite
	legs, pr := s.narrow(root)
	if legs == nil {
		s.low = s.best
		return true
	}
	if ph := s.c.onlyPeak(); ph >= 0 {
		s.threshold(ctx, root, ph)
		s.dive(ctx, root, ph)
		s.c.cut(root, s.cutoff())
	}
	steep := s.c.steep(&pr.form, 1)
	for _, b := range s.c.slice(root) {
		b.bound += steep * (s.c.low(b, 1) - s.c.low(root, 1))
		s.push(b)
	}
	for len(s.queue) > 0 && !s.queue[0].priced {
		if s.ended(ctx) {
			s.raise(s.best)
			return false
		}
		b := heap.Pop(&s.queue).(*box)
		if legs, _ := s.narrow(b); legs != nil {
			b.priced = true
			s.push(b)
		}
	}
	s.roots = slices.Clone(s.queue)
	s.raise(s.best)
	return true
}

func (s *search) ended(ctx context.Context) bool {
	return ctx.Err() != nil || s.most > 0 && s.work >= s.most
}

// run searches the boxes of the queue for paths below the guess. False: ctx or the work
// ended first.
func (s *search) run(ctx context.Context) bool {
	for len(s.queue) > 0 {
		if s.ended(ctx) {
			return false
		}
		s.first(ctx)
		b := heap.Pop(&s.queue).(*box)
		if b.bound >= s.cutoff() {
			s.queue = s.queue[:0] // best first: all others are no better
			return true
		}
		if !s.settle(ctx, b) {
			heap.Push(&s.queue, b)
			return false
		}
	}
	return true
}

func (s *search) cutoff() int64 { return min(s.best, s.guess) }

func (s *search) push(b *box) {
	if b.bound >= s.cutoff() {
		return
	}
	b.serial = s.serial
	s.serial++
	heap.Push(&s.queue, b)
}

// narrow bounds a box by prices and shrinks it to what a path below the cutoff can have.
// It returns the legs such a path may use; nil where there is none.
func (s *search) narrow(b *box) ([][]leg, *priced) {
	c := s.c
	for trims := 0; ; trims++ {
		s.work += boxWork
		c.cut(b, s.cutoff())
		legs := c.filter(b)
		if !c.tighten(b, legs) {
			return nil, nil
		}
		legs = c.filter(b)
		if !c.tighten(b, legs) {
			return nil, nil
		}
		pr := c.ascend(b, legs, s.cutoff())
		if pr == nil {
			return nil, nil
		}
		if s.ray != nil {
			if pr = s.alongRay(legs, pr); pr == nil {
				return nil, nil
			}
		}
		s.offer(pr.chain)
		b.lambda, b.bound = pr.lambda, max(b.bound, pr.bound)
		switch {
		case b.bound >= s.cutoff():
			return nil, nil
		case !c.trim(b, pr, s.cutoff()):
			return legs, pr
		case trims == maxTrims:
			return c.filter(b), pr
		}
	}
}

// maxTrims is how often a box is bounded again after its bound has narrowed it.
const maxTrims = 3

// settle proves a box, or replaces it by its halves. False: ctx ended first.
func (s *search) settle(ctx context.Context, b *box) bool {
	c := s.c
	s.boxes++
	legs, pr := s.narrow(b)
	if legs == nil {
		return true
	}
	s.counted++
	g := c.graphOf(legs, pr, s.cutoff())
	left, right := c.split(b)
	switch s.enumerate(ctx, b, g, left != nil) {
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

// enumerate settles a box by counts of states, then by labels.
func (s *search) enumerate(ctx context.Context, b *box, g *graph, splittable bool) outcome {
	limits := [2]int64{mostWork, maxLabels}
	if splittable {
		limits = [2]int64{directWork, softLabels}
	}
	exact := newCounts(g, limits[0])
	defer func() { s.work += exact.work / stateWork }()
	if out := exact.forward(ctx); out != finished {
		return out
	}
	chain := exact.cheapest()
	if chain == nil {
		return finished
	}
	s.offer(chain)
	exact.limit = 0
	if out := exact.backward(ctx, s.cutoff()); out != finished {
		return out
	}
	l := newLabeling(g, b, exact, s.cutoff(), 0)
	l.limit = int(limits[1])
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
