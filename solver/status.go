package solver

import "fmt"

// Status says why a solver stopped. Whether it holds a point is Point's question,
// and how good the point is is the bound's.
type Status uint8

const (
	// Unknown is the zero value: no answer was recorded.
	Unknown Status = iota
	// Optimal: the incumbent is feasible by exact check, and nothing better exists.
	// For a model without objective: a feasible point was found.
	Optimal
	// Infeasible: no assignment satisfies the model (under Options.Cutoff: none
	// better than the cutoff).
	Infeasible
	// Unbounded: the objective can be improved for ever.
	Unbounded
	// TimeLimit: the deadline of the context passed.
	TimeLimit
	// Interrupted: the context was cancelled.
	Interrupted
	// NumericalError: the backend returned a point that fails the exact check, or
	// gave up for numerical reasons.
	NumericalError
	// Unsupported: the model has something that the backend does not take.
	Unsupported
	// Crashed: the process that the backend solves in broke down in the middle of this
	// solve, also when it was started anew.
	Crashed
)

var statusNames = [...]string{"unknown", "optimal", "infeasible", "unbounded", "time limit",
	"interrupted", "numerical error", "unsupported", "crashed"}

func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("Status(%d)", uint8(s))
}

// Point says what there is.
type Point uint8

const (
	// NoSolution: no point is known. It does not say that none exists.
	NoSolution Point = iota
	// Feasible: Incumbent satisfies the model.
	Feasible
)

func (p Point) String() string {
	if p == Feasible {
		return "feasible"
	}
	return "no solution"
}
