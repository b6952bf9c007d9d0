package results

import "partita/inputs"

// Outcome is what a search came to, as its plan repeats it.
type Outcome struct {
	// Feasible: the plan meets every hard condition; false of a closest plan.
	Feasible bool   `json:"feasible"`
	Status   Status `json:"status"` // of the search as a whole
	// Reasons say what is short and by how much where nothing fits.
	Reasons []string `json:"reasons,omitempty"`
	// Binding says what holds the optimum back.
	Binding []string `json:"binding,omitempty"`
}

// WhatIf is the best plan of the same condition with one thing changed, as far as a fixed
// effort went: Status says whether it is proved.
type WhatIf struct {
	// Change is the change in words: "one more h100", "the network twice as fast: 100 GB/s".
	Change string `json:"change"`
	// Path is the field of the condition that changes: cluster.network, cluster.pools.0.count;
	// cluster.pools.*.intra_link of every pool.
	Path string `json:"path"`
	// Status: optimal, feasible (found, not proved), infeasible, unknown.
	Status Status `json:"status"`
	// Strategy is the best one then, in a line.
	Strategy string `json:"strategy,omitempty"`
	// GPUs is how many it uses.
	GPUs int `json:"gpus,omitempty"`
	// Metrics are its figures; nil where there is no plan. LatencyGainPercent is by how much
	// a request gets faster, ThroughputGainPercent by how much the tokens/s grow; negative:
	// worse, for the objective weighs both.
	Metrics               *Metrics `json:"metrics,omitempty"`
	LatencyGainPercent    *float64 `json:"latency_gain_percent,omitempty"`
	ThroughputGainPercent *float64 `json:"throughput_gain_percent,omitempty"`
	// Why says what came of it where there is no plan, or what to know of it.
	Why string `json:"why,omitempty"`
	// Plan and Condition are what is verified before the figures are told.
	Plan      *Plan             `json:"-"`
	Condition *inputs.Condition `json:"-"`
}

// WithOutcome is the plan of a report, with what the search came to.
func (r *Report) WithOutcome() *Plan {
	if r.Plan == nil {
		return nil
	}
	p := *r.Plan
	p.Outcome = &Outcome{Feasible: r.Feasible, Status: r.Status, Reasons: r.Reasons, Binding: r.Binding}
	return &p
}

// ReportOf is the report of a saved plan; of one of format 1, which does not tell the
// outcome, as far as its requirements and its solve tell it.
func ReportOf(p *Plan) *Report {
	r := &Report{Plan: p, Condition: p.Condition, Statements: p.Statements, Assumptions: p.Assumptions, Warnings: p.Warnings, Explanation: p.Explanation}
	if o := p.Outcome; o != nil {
		r.Feasible, r.Status, r.Reasons, r.Binding = o.Feasible, o.Status, o.Reasons, o.Binding
		return r
	}
	r.Feasible, r.Status = p.Explanation == nil, StatusFeasible
	for i := range p.Phases {
		for _, q := range p.Phases[i].Requirements {
			r.Feasible = r.Feasible && q.Met
		}
		if p.Phases[i].Solve.Status == string(StatusOptimal) {
			r.Status = StatusOptimal
		}
	}
	if !r.Feasible && r.Status == StatusOptimal {
		r.Status = StatusInfeasible
	}
	return r
}
