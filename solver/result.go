package solver

import (
	"math"
	"time"
)

// Result is the answer of one solve. "Could not run" is a Go error; everything that
// a solver can say about a model, Infeasible and TimeLimit included, is a Result.
type Result struct {
	Status Status // why it stopped
	Point  Point  // what there is
	// Incumbent is the best point by variable index; nil where Point is NoSolution.
	Incumbent []int64
	// Objective is the exact value of the incumbent, 0 without one.
	Objective int64
	// BestBound is a value that no feasible point beats (a lower bound when
	// minimising); it means something only where HasBound is set.
	BestBound int64
	HasBound  bool
	RawStatus string        // the backend's own last word
	Time      time.Duration // wall time
	Calls     int           // raw backend calls
}

// Gap is |Objective - BestBound| / max(1, |Objective|), and whether both are known.
// An optimal result has gap 0.
func (r Result) Gap() (float64, bool) {
	if r.Point != Feasible || !r.HasBound {
		return 0, false
	}
	v, b := float64(r.Objective), float64(r.BestBound)
	return math.Abs(v-b) / math.Max(1, math.Abs(v)), true
}
