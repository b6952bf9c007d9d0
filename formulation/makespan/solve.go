package makespan

import (
	"context"
	"errors"
	"fmt"
	"math"

	"partita/formulation/assignment"
	"partita/inputs/opgraph"
	"partita/solver"
)

// Options of a search; the zero value is what most graphs want.
type Options struct {
	// Ideals is the most ideals that the proof lists; 0: 200,000. A graph with more is
	// answered with the best plan along some orders, and a bound.
	Ideals int
}

const (
	defaultIdeals = 200_000
	// chainWidth is the labels kept of an ideal while incumbents are looked for.
	chainWidth = 16
)

// Solve minimises the makespan of a graph. It is anytime: when the context ends it returns the
// incumbent and a bound. The error says that the question has no meaning for the graph.
func Solve(ctx context.Context, g *opgraph.Graph, opts Options) (assignment.Result, error) {
	r := assignment.Result{Value: math.Inf(1), Bound: math.Inf(-1)}
	for v := range g.Nodes {
		if g.Nodes[v].Backward {
			return r, fmt.Errorf("node %d belongs to a backward pass: the latency of one sample is one of inference", g.Nodes[v].ID)
		}
	}
	if _, acyclic := g.Topological(); !acyclic {
		return r, errors.New("the graph has a cycle")
	}
	if opts.Ideals <= 0 {
		opts.Ideals = defaultIdeals
	}
	p := reduce(g)
	a := &attempt{problem: p, Result: r}
	if g.CPUs > 0 {
		all := make([]int, len(g.Nodes))
		for v := range all {
			all[v] = g.Accelerators
		}
		if err := a.offer(all); err != nil {
			return r, err
		}
	}
	t := newTails(ctx, p)
	a.bound(t.start[g.Accelerators], "the longest path, with the blocks it can meet")
	s := newSearch(ctx, p, t)
	s.best = a.Value
	for _, order := range p.orders() {
		if a.proved() || ctx.Err() != nil {
			break
		}
		s.run(p.chain(order), chainWidth)
		if err := a.take(s); err != nil {
			return r, err
		}
	}
	if !a.proved() && ctx.Err() == nil {
		if err := a.prove(s, opts.Ideals); err != nil {
			return r, err
		}
	}
	a.Explored = s.explored
	switch {
	case a.proved():
		a.Status, a.Bound = solver.Optimal, a.Value
	case a.Status == solver.Infeasible:
		a.Bound = math.Inf(-1)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		a.Status = solver.TimeLimit
	case ctx.Err() != nil:
		a.Status = solver.Interrupted
	}
	return a.Result, nil
}

// attempt is a result in the making.
type attempt struct {
	*problem
	assignment.Result
}

// offer takes an assignment that is better than the one at hand.
func (a *attempt) offer(device []int) error {
	value, err := Evaluate(a.g, device)
	if err != nil {
		return fmt.Errorf("the search made a plan that is none: %w", err)
	}
	if value < a.Value {
		a.Value, a.Device = value, device
	}
	return nil
}

// take offers the last plan that a search found, if any.
func (a *attempt) take(s *search) error {
	if s.last == nil {
		return nil
	}
	device := s.devices()
	s.last, s.at = nil, nil
	return a.offer(device)
}

func (a *attempt) bound(value float64, because string) {
	if value > a.Bound {
		a.Bound, a.Because = value, because
	}
}

func (a *attempt) proved() bool { return a.Device != nil && a.Bound >= a.Value*(1-resolution) }

// prove searches all ideals.
func (a *attempt) prove(s *search, limit int) error {
	l := a.ideals(s.ctx, limit)
	if l == nil {
		return nil
	}
	rest := s.run(l, 0)
	if err := a.take(s); err != nil {
		return err
	}
	switch {
	case s.inexact:
	case math.IsInf(rest, 1) && a.Device == nil:
		a.Status = solver.Infeasible
		a.Because = fmt.Sprintf("none of %d ideals is a step of a plan", l.size())
	case math.IsInf(rest, 1):
		a.bound(a.Value, fmt.Sprintf("search over all %d ideals", l.size()))
	default:
		a.bound(min(rest, a.Value), fmt.Sprintf("search over %d ideals, unfinished", l.size()))
	}
	return nil
}

// orders are those in which incumbents are looked for: items as they come, and every
// item as late as the first that needs it.
func (p *problem) orders() [][]int {
	plain := make([]int, len(p.items))
	for i := range plain {
		plain[i] = i
	}
	late := make([]int, 0, len(p.items))
	done := make([]bool, len(p.items))
	var visit func(i int)
	visit = func(i int) {
		if done[i] {
			return
		}
		done[i] = true
		for _, j := range p.items[i].pred {
			visit(j)
		}
		late = append(late, i)
	}
	for i := range p.items {
		if len(p.items[i].succ) == 0 {
			visit(i)
		}
	}
	return [][]int{late, plain}
}
