package published

import (
	"math"

	"partita/results"
	"partita/solver"
)

// answer is a results.Placed in the making.
type answer struct {
	results.Placed
	status   solver.Status
	value    float64 // of Solution, where there is one
	bound    float64
	hasBound bool
}

func newAnswer(name, goal string) *answer {
	a := &answer{Placed: results.Placed{Name: name, Goal: goal, Sense: "maximize", Unit: "tokens/s"}}
	switch goal {
	case USDPerMillion:
		a.Sense, a.Unit = "minimize", "USD per million tokens"
	case Contiguous, Noncontiguous, Latency:
		a.Sense, a.Unit = "minimize", "ms"
	}
	return a
}

// found sets the solution and what it is worth.
func (a *answer) found(s *results.PlacedSolution, value float64) { a.Solution, a.value = s, value }

// bounded sets the bound: nothing better exists.
func (a *answer) bounded(bound float64) { a.bound, a.hasBound = bound, true }

// known sets what the file says of the goal: what others reached, and the exact optimum;
// 0: it does not say.
func (a *answer) known(reached float64, note string, optimum float64) {
	if reached > 0 {
		a.Recorded = &results.PlacedRecorded{Value: reached, Note: note}
	}
	if optimum > 0 {
		a.KnownOptimum = &optimum
	}
}

// placed ends the making: status, bound and gap. An optimum is its own bound, and
// nothing bounds what does not exist.
func (a *answer) placed() results.Placed {
	p := a.Placed
	p.Status = a.status.String()
	if p.Solution != nil {
		value := a.value
		p.Objective = &value
		if a.status == solver.Optimal {
			a.bounded(value)
		}
	}
	if a.hasBound && a.status != solver.Infeasible && !math.IsInf(a.bound, 0) {
		bound := a.bound
		p.BestBound = &bound
	}
	if p.Objective != nil && p.BestBound != nil {
		gap := 0.0
		if *p.Objective != *p.BestBound {
			gap = math.Abs(*p.Objective-*p.BestBound) / math.Abs(*p.Objective)
		}
		if !math.IsInf(gap, 0) && !math.IsNaN(gap) { // an objective of 0 has no relative gap
			p.Gap = &gap
		}
	}
	return p
}
