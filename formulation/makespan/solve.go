package makespan

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"partita/formulation/assignment"
	"partita/inputs/opgraph"
	"partita/solver"
)

// Options of a search; the zero value is what most graphs want.
type Options struct {
	// Ideals is the most ideals that the proof lists; 0: 200,000. A graph with more is
	// answered with the best plan along some orders, and a bound.
	Ideals int
	// Progress, where given, hears of every better value or bound, in ms; the value is +Inf
	// while there is none, the bound -Inf.
	Progress func(value, bound float64)
}

const (
	defaultIdeals = 200_000
	// firstEffort is the steps after which a proof waits for a better incumbent.
	firstEffort = 20_000_000
	// hastyPlaces are the places of an order where blocks may begin or end at first.
	hastyPlaces = 400
	// chainWidth is the labels kept of an ideal while incumbents are looked for.
	chainWidth = 16
	// narrowWidth is those kept of an ideal before all of them are.
	narrowWidth = 1
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
	order, acyclic := g.Topological()
	if !acyclic {
		return r, errors.New("the graph has a cycle")
	}
	if opts.Ideals <= 0 {
		opts.Ideals = defaultIdeals
	}
	p := reduce(g, order)
	a := &attempt{problem: p, Result: r, limit: opts.Ideals, progress: opts.Progress}
	if g.CPUs > 0 {
		all := make([]int, len(g.Nodes))
		for v := range all {
			all[v] = g.Accelerators
		}
		if err := a.offer(all); err != nil {
			return r, err
		}
	}
	s := newSearch(ctx, p, newTails(p))
	a.bound(s.tails.start[p.blocks], "the longest path, every node where it is faster")
	for _, step := range []func(*search) error{a.hasty, a.paths, a.careful, a.prove, a.anneal, a.prove} {
		if a.proved() || a.Status == solver.Infeasible || ctx.Err() != nil {
			break
		}
		s.best = a.Value
		if err := step(s); err != nil {
			return r, err
		}
		s.limit = 0
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
	limit  int // of ideals
	chains []*lattice
	all    *lattice // of all ideals, once listed
	tried  bool

	progress func(value, bound float64)
}

func (a *attempt) tell() {
	if a.progress != nil {
		a.progress(a.Value, a.Bound)
	}
}

// offer takes an assignment that is better than the one at hand.
func (a *attempt) offer(device []int) error {
	value, err := Evaluate(a.g, device)
	if err != nil {
		return fmt.Errorf("the search made a plan that is none: %w", err)
	}
	if value < a.Value {
		a.Value, a.Device = value, device
		a.tell()
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
		a.tell()
	}
}

func (a *attempt) proved() bool { return a.Device != nil && a.Bound >= a.Value*(1-resolution) }

// hasty looks for incumbents along some orders.
func (a *attempt) hasty(s *search) error {
	for _, order := range a.orders() {
		l := a.chain(s.ctx, order)
		if l == nil {
			return nil
		}
		a.chains = append(a.chains, l)
		s.stride = (l.size() + hastyPlaces - 1) / hastyPlaces
		err := a.along(s, l, 1)
		s.stride = 0
		if err != nil || s.stopped {
			return err
		}
	}
	return nil
}

// careful does the same with more labels.
func (a *attempt) careful(s *search) error {
	for _, l := range a.chains {
		if err := a.along(s, l, chainWidth); err != nil || s.stopped {
			return err
		}
	}
	return nil
}

// along searches a lattice with few labels an ideal.
func (a *attempt) along(s *search, l *lattice, width int) error {
	s.run(l, width)
	return a.take(s)
}

// paths raises the bounds.
func (a *attempt) paths(s *search) error {
	s.tails.paths(s.ctx, a.problem)
	a.bound(s.tails.start[a.blocks], "the longest path, with the blocks it can meet")
	return nil
}

// anneal improves the incumbent.
func (a *attempt) anneal(s *search) error {
	if a.Device == nil {
		return nil
	}
	var failed error
	newAnnealing(a.g, a.Device).run(s.ctx, a.Value, func(_ float64, device []int) {
		if err := a.offer(slices.Clone(device)); err != nil {
			failed = err
		}
	})
	return failed
}

// prove searches all ideals, the first time within firstEffort.
func (a *attempt) prove(s *search) error {
	if !a.tried {
		a.tried, s.limit = true, firstEffort
		if a.all = a.ideals(s.ctx, a.limit); a.all == nil {
			return nil
		}
		if err := a.along(s, a.all, narrowWidth); err != nil {
			return err
		}
	}
	l := a.all
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
