package results

import "partita/inputs"

// VariationFormat is the version of a variation's JSON.
const VariationFormat = 1

// Variation is the best plan of a condition at each value of one field, and where the
// best strategy changes.
type Variation struct {
	FormatVersion int    `json:"format_version"`
	Condition     string `json:"condition"`
	// Path is the field, by its path in the condition.
	Path string `json:"path"`
	// Objective is what makes a plan the best.
	Objective string `json:"objective"`
	// Quantity: values lie on a line, by their logarithm where Log; else they are names.
	Quantity bool   `json:"quantity"`
	Log      bool   `json:"log"`
	Unit     string `json:"unit,omitempty"`
	// Resolution is how near the two values of a change are, as a share of the larger.
	Resolution   float64           `json:"resolution"`
	ThroughputOf string            `json:"throughput_of"` // as in Frontier
	Points       []VariationPoint  `json:"points"`
	Changes      []VariationChange `json:"changes"`
	// Summary is the changes in a sentence.
	Summary string `json:"summary"`
}

// VariationPoint is one value with its best plan; figures are absent where there is none.
type VariationPoint struct {
	Value  string  `json:"value"`
	Number float64 `json:"number"` // in Unit; the place in the list of names
	// Status: optimal, feasible (found, not proved), infeasible (proved), unknown, or
	// invalid: with this value it is no condition.
	Status Status `json:"status"`
	*FrontierFigures
	Objective *float64  `json:"objective,omitempty"`
	Strategy  *Strategy `json:"strategy,omitempty"`
	Summary   string    `json:"summary,omitempty"`
	// Kind is the strategy without what changes all the time: layers, micro-batches and
	// decode groups. Points of one kind have the same.
	Kind string `json:"kind"`
	// Between: the value was looked at to locate a change.
	Between bool   `json:"between,omitempty"`
	Reason  string `json:"reason,omitempty"`

	Plan  *Plan             `json:"-"`
	Given *inputs.Condition `json:"-"` // what the plan is for
}

// VariationChange is where the best strategy changes.
type VariationChange struct {
	Last  string `json:"last"`  // the last value with the strategy before
	First string `json:"first"` // the first with the one after
	// At is the middle of both, in the unit of the values.
	At   float64 `json:"at"`
	From string  `json:"from"` // kinds
	To   string  `json:"to"`
}
