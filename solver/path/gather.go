package path

import (
	"cmp"
	"context"
	"slices"
)

// Where only the sends tell the order of the stages, the cheapest send of each group is
// a relaxation in which the order is free, and a good plan keeps the stages of a group
// together.

// unsent is the problem with the cheapest send of each group; nil where it has no free
// order, or where lower times may break the balance.
func (p *Problem) unsent() *Problem {
	if p.Send == nil || p.BalanceNum > 0 {
		return nil
	}
	q := *p
	q.Send = make([][][2]int64, len(p.Send))
	for i, row := range p.Send {
		least := row[0]
		for _, s := range row {
			least = [2]int64{min(least[0], s[0]), min(least[1], s[1])}
		}
		q.Send[i] = slices.Repeat([][2]int64{least}, len(row))
	}
	return &q
}

// gather bounds the problem by its relaxation without an order, and looks for a path
// among those that keep the groups of the relaxation's best path together.
func (s *search) gather(ctx context.Context) {
	p := s.c.p
	q := p.unsent()
	if q == nil || s.c.groups == 1 {
		return
	}
	c, err := compile(q)
	if err != nil || !c.parts.free {
		return
	}
	r, err := Solve(ctx, q, Options{Cutoff: &s.best, Work: gatherWork})
	if err != nil {
		return
	}
	s.work += r.Work
	s.labels += r.Labels
	if r.HasBound {
		s.low = max(s.low, r.Bound)
	}
	if len(r.Stages) < 2 || len(p.Send) > maxGathered {
		return
	}
	for _, order := range orders(len(p.Send)) {
		stages := together(p, r.Stages, order)
		if v, err := p.Evaluate(stages); err == nil && v.Objective < s.best {
			s.best, s.known = v.Objective, stages
			s.chain = nil
		}
	}
}

const (
	gatherWork  = 1 << 20
	maxGathered = 5 // groups whose orders are all tried: 120
)

// together sorts the stages that touch neither end by the order of their groups; in a
// group the fastest, which hands over to the next, comes last.
func together(p *Problem, stages []Stage, order []int) []Stage {
	out := slices.Clone(stages)
	slices.SortStableFunc(out[1:len(out)-1], func(a, b Stage) int {
		x, y := p.option(a), p.option(b)
		return cmp.Or(cmp.Compare(order[x.Group], order[y.Group]), cmp.Compare(y.Time[1], x.Time[1]))
	})
	at, n := 0, p.Boundaries
	for i := range out {
		x := &out[i]
		x.From, x.To = at, at+x.To-x.From
		x.Class = p.Class[x.From*n+x.To]
		at = x.To
	}
	return out
}

// orders lists the permutations of n places.
func orders(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var out [][]int
	for _, x := range orders(n - 1) {
		for i := range n {
			out = append(out, slices.Insert(slices.Clone(x), i, n-1))
		}
	}
	return out
}
