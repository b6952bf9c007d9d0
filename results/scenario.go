package results

import (
	"cmp"
	"math"
	"slices"
)

// ScenarioResult is the outcome of one scenario of a batch, a line of results.jsonl. It
// holds no time that a clock decides, so that the same batch gives the same bytes.
type ScenarioResult struct {
	Name string `json:"name"`
	// Values are what the scenario takes on each axis of the matrix, by the axis.
	Values map[string]string `json:"values"`
	Status Status            `json:"status"`
	Exit   int               `json:"exit"` // what a solve of this condition ends with
	// Plan, ClosestPlan and Report are paths relative to the folder of results.jsonl;
	// empty where the file was not written.
	Plan        string `json:"plan,omitempty"`
	ClosestPlan string `json:"closest_plan,omitempty"`
	Report      string `json:"report,omitempty"`
	// Reason says why there is no plan, or why it is not proved; one sentence a line.
	Reason string `json:"reason,omitempty"`
	// Objective and what follows are those of a plan that meets the condition.
	Objective     *float64     `json:"objective,omitempty"`
	ObjectiveUnit string       `json:"objective_unit,omitempty"`
	Gap           *float64     `json:"gap,omitempty"`
	AgreedBy      []string     `json:"agreed_by,omitempty"`
	Strategy      *Strategy    `json:"strategy,omitempty"`
	GPUs          *GPUCount    `json:"gpus,omitempty"`
	Metrics       Metrics      `json:"metrics"`
	Comparison    []Comparison `json:"comparison"`
}

// Statuses that only a scenario has.
const (
	StatusInvalid    Status = "invalid"    // its condition is wrong: Reason lists every problem with its place
	StatusUnverified Status = "unverified" // the plan failed verification
	StatusFailed     Status = "failed"     // the program failed on it
)

// Tally counts the results of a batch and compares the optimum with each heuristic
// over all scenarios that have a plan.
type Tally struct {
	Scenarios int
	ByStatus  map[Status]int
	ByExit    map[int]int

	order []string
	gaps  map[string]*gapList
}

type gapList struct {
	compared, optimal int
	gaps              []float64 // percent, of scenarios where the heuristic is feasible
}

// HeuristicTally is one heuristic over a batch.
type HeuristicTally struct {
	Heuristic string `json:"heuristic"`
	Compared  int    `json:"compared"` // scenarios with a plan
	Feasible  int    `json:"feasible"`
	Optimal   int    `json:"optimal"`
	// Gaps are of the scenarios where the heuristic is feasible; absent without one.
	MeanGap   *float64 `json:"mean_gap_percent,omitempty"`
	MedianGap *float64 `json:"median_gap_percent,omitempty"`
	MaxGap    *float64 `json:"max_gap_percent,omitempty"`
}

// NewTally is a tally of nothing yet.
func NewTally() *Tally {
	return &Tally{ByStatus: map[Status]int{}, ByExit: map[int]int{}, gaps: map[string]*gapList{}}
}

// sameValue is the relative difference in percent below which a heuristic has the
// optimum: objectives are sums of a few products of float64.
const sameValue = 1e-7

// Add counts one result. Means depend on the order in their last digits, so results are
// added in the order of the scenarios.
func (t *Tally) Add(r *ScenarioResult) {
	t.Scenarios++
	t.ByStatus[r.Status]++
	t.ByExit[r.Exit]++
	for _, c := range r.Comparison {
		g, ok := t.gaps[c.Heuristic]
		if !ok {
			g = &gapList{}
			t.gaps[c.Heuristic] = g
			t.order = append(t.order, c.Heuristic)
		}
		g.compared++
		if !c.Feasible || c.GapPercent == nil {
			continue
		}
		g.gaps = append(g.gaps, *c.GapPercent)
		if r.Status == StatusOptimal && *c.GapPercent <= sameValue {
			g.optimal++
		}
	}
}

// Heuristics compares each heuristic over all results, in the order of the plans.
func (t *Tally) Heuristics() []HeuristicTally {
	out := make([]HeuristicTally, 0, len(t.order))
	for _, name := range t.order {
		g := t.gaps[name]
		h := HeuristicTally{Heuristic: name, Compared: g.compared, Feasible: len(g.gaps), Optimal: g.optimal}
		if n := len(g.gaps); n > 0 {
			sum := 0.0
			for _, v := range g.gaps {
				sum += v
			}
			sorted := slices.Clone(g.gaps)
			slices.SortFunc(sorted, cmp.Compare[float64])
			mean, median := sum/float64(n), sorted[n/2]
			if n%2 == 0 {
				median = (sorted[n/2-1] + sorted[n/2]) / 2
			}
			h.MeanGap, h.MedianGap, h.MaxGap = &mean, &median, &sorted[n-1]
		}
		out = append(out, h)
	}
	return out
}

// Share is a count in percent of all scenarios, 0 of none.
func (t *Tally) Share(n int) float64 {
	if t.Scenarios == 0 {
		return 0
	}
	return math.Round(1000*float64(n)/float64(t.Scenarios)) / 10
}
