package lanes

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"partita/solver"
)

// Result is the answer of Solve.
type Result struct {
	// Status: Optimal only where no plan passes more than Value, to within the rounding of
	// a sum of float64. TimeLimit also where the search ended for want of memory.
	Status solver.Status
	// Plan by type, then by first layer; nil: none found.
	Plan []Range
	// Value of the plan in tokens/s by Problem.Value; 0: none found.
	Value float64
	// Bound in tokens/s: no plan passes more.
	Bound float64
	// States looked at, a measure of effort that does not depend on the machine.
	States int64
	// Because says in a few words what proves the bound.
	Because string
}

// Solve finds the plan that passes the most tokens/s. It stops within 100 ms of the end
// of ctx with the best plan and bound until then. A search that ends by itself gives the
// same answer every time.
func Solve(ctx context.Context, p *Problem) (Result, error) {
	if err := p.Check(); err != nil {
		return Result{}, err
	}
	s := &search{ctx: ctx, p: p, g: newGrid(p)}
	s.run()
	return s.result(), nil
}

type search struct {
	ctx    context.Context
	p      *Problem
	g      *grid
	plan   []Range
	low    int64 // what plan passes, in ticks
	high   int64 // no plan passes more
	states int64
	// searched: high was lowered by a search, not by prices alone.
	searched bool
	full     bool // the widest sweep decided nothing
}

// run narrows low and high in rounds of wider and wider sweeps. Near the bound the prices
// leave little room, so a sweep settles there soonest, either way: each round comes down
// from the bound until a plan is found. Within the nearest step below the bound the
// question is whether the plan can be improved at all.
func (s *search) run() {
	s.high = s.g.bound(s.ctx)
	for width := firstWidth; s.low < s.high && s.ctx.Err() == nil; width *= 8 {
		if width > mostStates {
			s.full = true
			return
		}
		s.round(width)
	}
}

const (
	firstWidth = 8
	nearest    = 1e-4 // of the bound: the first step down from it
)

func (s *search) round(width int) {
	below := int64(nearest*float64(s.high)) + 1
	if s.high-s.low > below && s.ask(s.high, width) == found {
		return
	}
	for ; s.high-below > s.low && s.ctx.Err() == nil; below *= 4 {
		if s.ask(s.high-below, width) == found {
			s.ask(s.high-below/2, width)
			break
		}
	}
	s.ask(s.low+1, width)
}

// ask whether a plan passes f, and take note of the answer.
func (s *search) ask(f int64, width int) verdict {
	if f <= s.low || f > s.high || s.ctx.Err() != nil {
		return undecided
	}
	prices, _ := s.g.relax(s.ctx, f, true)
	v, plan, states := s.g.decide(s.ctx, prices, width)
	s.states += states
	switch v {
	case found:
		s.plan, s.low = plan, s.g.worth(s.p, plan)
	case refuted:
		s.high, s.searched = f-1, true
	}
	return v
}

func (s *search) result() Result {
	r := Result{Bound: s.g.tokens(s.high), States: s.states}
	if s.plan != nil {
		r.Plan = slices.Clone(s.plan)
		slices.SortStableFunc(r.Plan, func(a, b Range) int {
			return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.First, b.First), cmp.Compare(a.Held, b.Held))
		})
		r.Value = s.p.Value(r.Plan)
	}
	switch {
	case s.low < s.high && s.full:
		r.Status = solver.TimeLimit
	case s.low < s.high:
		r.Status = solver.ContextStatus(s.ctx)
	case s.plan == nil:
		r.Status = solver.Infeasible
	default:
		r.Status, r.Bound = solver.Optimal, r.Value
	}
	r.Because = fmt.Sprintf("prices of the machines, in exact integers: they cannot pay for %d layers beyond the bound", s.p.Layers)
	switch {
	case s.full:
		r.Because += fmt.Sprintf("; the search ended at its limit of %d states at once", mostStates)
	case s.searched:
		r.Because += "; up to it an exhaustive search over ranges of layers within the same prices"
	}
	return r
}
