package formulation

import (
	"time"

	"partita/results"
	"partita/solver"
)

// Options steer Optimize. The zero value proves the optimum with labels and has it
// confirmed by a second solver.
type Options struct {
	// Backend proves the optimum: "auto" (labels, then the final outer choice once
	// more by ILP or SAT), "labels", "ilp" or "sat". Empty: auto.
	Backend string
	// TimeLimit bounds the whole search; 0: none but the context's.
	TimeLimit time.Duration
	// Confirm bounds the second proof under auto; 0: DefaultConfirm, or half of what is
	// left of a stated TimeLimit where that is more.
	Confirm time.Duration
	// Explain adds to the report of a condition that no plan meets why that is so
	// (Report.Explanation). It takes what is left of TimeLimit, a third of ExplainTime where
	// there is none.
	Explain bool
	// WhatIf adds to a feasible plan what other hardware would bring (Plan.WhatIf): the
	// optimum with one more GPU, one more node, faster links, each a search of its own that
	// ends after a fixed effort. It takes none of the time of a TimeLimit that ran out.
	WhatIf bool
	// ILP and SAT make the backends. A nil ILP means that lp_solve is not built in.
	ILP func() (solver.Backend, error)
	SAT func() (solver.Backend, error)
	// Launch tells Evaluate why an engine cannot be started with a plan, beyond what its rules
	// say; nil: the rules alone are asked.
	Launch func(engine string, p *results.Plan) (reasons []string, err error)
	// Log receives a line when the search enters a new part; nil: silence.
	Log func(string)
	// Watch is told where the search stands, before every step; it must return at once. nil:
	// nobody watches.
	Watch func(Progress)
	// effort ends the search after so many labels; nil: no end.
	effort *effort
}

// DefaultConfirm is the time a second solver has to prove the final outer choice:
// what a person waits for without noticing.
const DefaultConfirm = 500 * time.Millisecond

func (o *Options) log(line string) {
	if o.Log != nil {
		o.Log(line)
	}
}
