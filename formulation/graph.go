package formulation

import (
	"context"
	"errors"
	"fmt"

	"partita/formulation/graphplan"
	"partita/inputs"
	"partita/results"
)

// optimizeGraph is Optimize for a model that is an operator graph.
func optimizeGraph(ctx context.Context, c *inputs.Condition, opts Options, timed bool) (*results.Report, error) {
	if opts.Backend == backendILP || opts.Backend == backendSAT {
		return nil, &AskedError{What: "backend " + opts.Backend, Why: "an operator graph is placed by labels on its ideals alone", Remedy: "leave --backend out"}
	}
	if err := checkGraphAsked(c); err != nil {
		return nil, err
	}
	o := graphplan.Options{TimeLimit: opts.TimeLimit, Log: opts.Log, Timed: timed}
	if opts.Watch != nil {
		o.Tell = func(settled int, incumbent, bound *float64) {
			opts.Watch(Progress{Part: "throughput", Settled: settled, Incumbent: incumbent, Bound: bound})
		}
	}
	rep, err := graphplan.Solve(ctx, c, o)
	if errors.Is(err, graphplan.ErrNoWork) {
		return nil, &AskedError{What: "model", Why: err.Error(), Remedy: "state a time above 0 for some node"}
	}
	return rep, err
}

// checkGraphAsked returns what a condition asks of an operator graph that no plan of one
// can be judged by, as AskedErrors. A condition that was read from files has been asked for
// it with its places already.
func checkGraphAsked(c *inputs.Condition) error {
	var all []error
	add := func(place inputs.Place, what, why string) {
		all = append(all, &AskedError{Place: place, What: what, Why: why, Remedy: "leave it out"})
	}
	for _, q := range c.Goal.Requirements {
		switch {
		case q.Kind != inputs.SamplesPerS && q.Kind != inputs.CostUSDPerHour:
			add(q.Place, "requirement "+string(q.Kind), "an operator graph is judged by samples_per_s and cost_per_hour alone")
		case q.Kind == inputs.CostUSDPerHour && unpriced(c) != "":
			add(q.Place, "requirement cost_per_hour", fmt.Sprintf("the price of pool %q is not known", unpriced(c)))
		case q.Kind == inputs.CostUSDPerHour && c.Goal.AllowIdle:
			add(q.Place, "requirement cost_per_hour", "with idle GPUs allowed the cheapest plan is not searched for")
		}
	}
	if c.Goal.Objective != inputs.Throughput && c.Goal.Objective != "" {
		add(c.Places["goal.objective"], "objective "+string(c.Goal.Objective), "an operator graph is placed for throughput")
	}
	if c.Goal.Balance != nil {
		add(c.Places["goal.balance"], "balance", "it cannot be asked of an operator graph")
	}
	for i := range c.Rules {
		r := &c.Rules[i]
		add(r.Place, fmt.Sprintf("rule %q", r.Name), "rules speak of layers and degrees, which an operator graph does not have")
	}
	return errors.Join(all...)
}

// noGraph is the refusal of what takes models of layers alone; nil for such a model.
func noGraph(c *inputs.Condition, command, remedy string) error {
	if c == nil || c.Model.Graph == nil {
		return nil
	}
	return &AskedError{What: "model", Why: fmt.Sprintf("partita %s takes no operator graph", command), Remedy: remedy}
}
