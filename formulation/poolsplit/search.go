package poolsplit

import (
	"container/heap"
	"context"
	"math"
)

// Best is the best pair of plans that a search found.
type Best struct {
	Pair            int
	Prefill, Decode Point
	Figures         Figures
	Value           Value
}

// Outcome says what became of a pair of choices.
type Outcome int

// Outcomes of pairs.
const (
	Pruned     Outcome = iota // its bound is no better than the best plan
	Infeasible                // one side has no plan, proved
	Settled                   // both sides were searched, and what is left of it is bounded
	Open                      // time ran out
)

// Line is what became of one pair.
type Line struct {
	Outcome Outcome
	Bound   Value // below which none of its plans is; not of an infeasible one
	Best    *Best // found in it
}

// Result of a search.
type Result struct {
	Best   *Best // nil: nothing was found
	Bound  Value // no pair of plans is below it
	Proved bool  // Best is the best, or there is none
	Lines  []Line
}

// node is a pair of choices, or what is left of it once plans with larger shares are
// settled.
type node struct {
	pair   int
	below  [2]float64 // bounds of the shares, exclusive
	least  [2]float64 // no plan of the node has a smaller share
	round  Point      // of the decoding side: a floor, or its best plan
	solved bool       // round is a plan
	bound  Value
	serial int
}

// search is the state of Search.
type search struct {
	*Problem
	sides  Sides
	queue  queue
	out    Result
	serial int
}

// Search finds the best pair of plans. Known, where not nil, is one to begin from. An
// ended context leaves what is found with a bound.
func Search(ctx context.Context, p *Problem, sides Sides, known *Best) (Result, error) {
	s := &search{Problem: p, sides: sides}
	s.out.Lines = make([]Line, len(p.Pairs))
	for i := range s.out.Lines {
		s.out.Lines[i].Bound = Worst
	}
	s.out.Bound = Worst
	if known != nil {
		s.offer(known.Pair, known.Prefill, known.Decode)
	}
	inf := math.Inf(1)
	for i, at := range p.Pairs {
		a, b := p.Prefill[at[0]].Floor, p.Decode[at[1]].Floor
		n := &node{pair: i, below: [2]float64{inf, inf}, least: [2]float64{a.Share, b.Share}, round: b}
		if math.IsInf(a.TTFT, 1) || math.IsInf(b.Round, 1) {
			s.settle(n, Infeasible)
			continue
		}
		s.push(n, s.relaxed(n, a))
	}
	for len(s.queue) > 0 && ctx.Err() == nil {
		n := heap.Pop(&s.queue).(*node)
		if s.beaten(n.bound) {
			s.out.Lines[n.pair].lower(n.bound) // those behind it may still tie with the best and be better in what comes next
			continue
		}
		if err := s.step(ctx, n); err != nil {
			return s.out, err
		}
	}
	s.finish()
	return s.out, nil
}

// beaten reports that nothing with this bound improves on the best plan.
func (s *search) beaten(bound Value) bool {
	return s.out.Best != nil && !bound.Less(s.out.Best.Value)
}

// relaxed bounds a node by a floor of the prefilling side: shares are the least.
func (s *search) relaxed(n *node, prefill Point) Value {
	decode := n.round
	prefill.Share, decode.Share = n.least[0], n.least[1]
	return s.Value(n.pair, s.Of(n.pair, prefill, decode))
}

// push puts a node into the queue, unless nothing of it counts.
func (s *search) push(n *node, bound Value) {
	if bound == Worst {
		s.settle(n, Infeasible)
		return
	}
	n.bound = bound
	n.serial = s.serial
	s.serial++
	heap.Push(&s.queue, n)
}

// step asks the decoding side of a node, or settles it with the prefilling one.
func (s *search) step(ctx context.Context, n *node) error {
	at := s.Pairs[n.pair]
	if !n.solved {
		d, found, proved, err := s.sides.Decode(ctx, at[1], n.below[1])
		switch {
		case err != nil:
			return err
		case !proved:
			s.leave(n)
			return nil
		case !found:
			s.settle(n, Infeasible)
			return nil
		}
		n.round, n.solved = d, true
		if bound := s.relaxed(n, s.Prefill[at[0]].Floor); n.bound.Less(bound) {
			s.push(n, bound)
			return nil
		}
	}
	points, proved, err := s.sides.Prefill(ctx, at[0], n.below[0])
	if err != nil {
		return err
	}
	for _, p := range points {
		s.offer(n.pair, p, n.round)
	}
	if !proved {
		s.leave(n)
		return nil
	}
	if len(points) == 0 {
		s.settle(n, Infeasible)
		return nil
	}
	s.settle(n, Settled)
	s.rest(n, points)
	return nil
}

// rest puts what is left of a settled node into the queue: plans with a smaller share on
// the decoding side, and those with no smaller one there but on the prefilling side. All
// others have a share as large as those found on both sides, and are no better in any
// other figure.
func (s *search) rest(n *node, points []Point) {
	largest := 0.0
	for _, p := range points {
		largest = max(largest, p.Share)
	}
	bound := func(c *node) Value {
		best := Worst
		for _, p := range points {
			if v := s.relaxed(c, p); v.Less(best) {
				best = v
			}
		}
		return best
	}
	share := n.round.Share
	if above(share, n.least[1]) {
		c := *n
		c.below[1], c.solved = share, false // its round is no shorter than that of n: a floor
		s.push(&c, bound(&c))
	}
	if above(largest, n.least[0]) {
		c := *n
		c.least[1], c.below[0] = max(c.least[1], share), largest
		s.push(&c, bound(&c))
	}
}

// above reports whether a share is larger than another by more than rounding.
func above(a, b float64) bool { return a > b*(1+tolerance) }

// offer takes a pair of plans where it is better than the best.
func (s *search) offer(pair int, prefill, decode Point) {
	f := s.Of(pair, prefill, decode)
	b := &Best{Pair: pair, Prefill: prefill, Decode: decode, Figures: f, Value: s.Value(pair, f)}
	if b.Value == Worst {
		return
	}
	if l := &s.out.Lines[pair]; l.Best == nil || b.Value.Less(l.Best.Value) {
		l.Best = b
	}
	if s.out.Best == nil || b.Value.Less(s.out.Best.Value) {
		s.out.Best = b
	}
}

// settle notes that a node is done with; its pair is as good as nothing, or bounded by
// what is still in the queue.
func (s *search) settle(n *node, o Outcome) {
	l := &s.out.Lines[n.pair]
	if l.Outcome == Open || l.Outcome == Settled {
		return
	}
	l.Outcome = o
}

// leave gives a node up unproved.
func (s *search) leave(n *node) {
	l := &s.out.Lines[n.pair]
	l.Outcome = Open
	l.lower(n.bound)
	if n.bound.Less(s.out.Bound) {
		s.out.Bound = n.bound
	}
}

// lower makes a bound hold of more plans.
func (l *Line) lower(bound Value) {
	if bound.Less(l.Bound) {
		l.Bound = bound
	}
}

// finish closes the books.
func (s *search) finish() {
	for _, n := range s.queue {
		if s.beaten(n.bound) {
			s.out.Lines[n.pair].lower(n.bound)
		} else {
			s.leave(n)
		}
	}
	for i := range s.out.Lines {
		if l := &s.out.Lines[i]; l.Best != nil {
			l.lower(l.Best.Value)
		}
	}
	best := s.out.Best
	s.out.Proved = best != nil && !s.out.Bound.Less(best.Value) || best == nil && s.out.Bound == Worst
	if best != nil && !s.out.Bound.Less(best.Value) {
		s.out.Bound = best.Value
	}
}

// queue orders nodes by bound, then age.
type queue []*node

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	for k := range q[i].bound {
		if q[i].bound[k] != q[j].bound[k] {
			return q[i].bound[k] < q[j].bound[k]
		}
	}
	return q[i].serial < q[j].serial
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(n any)   { *q = append(*q, n.(*node)) }
func (q *queue) Pop() any {
	old := *q
	n := old[len(old)-1]
	*q = old[:len(old)-1]
	return n
}
