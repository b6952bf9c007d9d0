package formulation

import (
	"errors"
	"fmt"

	"partita/inputs"
)

// AskedError says that a condition asks for what no plan of it can be judged by: a
// metric that the phase does not have, a price that nobody states. The condition has
// to change; the search has not begun.
type AskedError struct {
	Place  inputs.Place // of the requirement; zero where it has none
	What   string       // "requirement ttft", "objective cost", "workload"
	Why    string
	Remedy string
}

func (e *AskedError) Error() string {
	at := ""
	if p := e.Place.String(); p != "" {
		at = p + ": "
	}
	return fmt.Sprintf("%s%s: %s; %s", at, e.What, e.Why, e.Remedy)
}

// checkAsked returns all AskedErrors of a condition, joined.
func checkAsked(c *inputs.Condition) error {
	var all []error
	w := &c.Workload
	if w.Batch < 1 {
		all = append(all, &AskedError{What: "workload", Why: fmt.Sprintf("batch is %d", w.Batch), Remedy: "state at least one sequence in flight"})
	}
	if w.Phase != inputs.Decode && w.Input.Mid() < 1 {
		all = append(all, &AskedError{What: "workload", Why: fmt.Sprintf("an input length of %d cannot be read", w.Input.Mid()), Remedy: "state at least one token"})
	}
	if w.Phase != inputs.Prefill && w.Output.Mid() < 1 {
		all = append(all, &AskedError{What: "workload", Why: fmt.Sprintf("nothing is generated in the phase %q", w.Phase), Remedy: "state an output length, or the phase prefill"})
	}
	for _, q := range c.Goal.Requirements {
		e := &AskedError{Place: q.Place, What: "requirement " + string(q.Kind)}
		switch {
		case q.Kind == inputs.SamplesPerS:
			e.Why, e.Remedy = "a model of layers serves tokens", "ask for throughput"
		case q.Kind == inputs.StepTime && w.Phase != inputs.Training:
			e.Why, e.Remedy = "serving has no training step", "ask for tpot or ttft, or state the phase training"
		case q.Kind == inputs.TTFT && w.Phase == inputs.Decode:
			e.Why, e.Remedy = "decode alone has no first token", "ask for tpot, or state the phase mixed"
		case decodes(q.Kind) && w.Phase == inputs.Prefill:
			e.Why, e.Remedy = "prefill alone generates no tokens", "state an output length with the phase mixed, or ask for ttft or throughput"
		case !(q.Value > 0):
			e.Why, e.Remedy = fmt.Sprintf("%g cannot be met or missed by a share", q.Value), "state a value above 0"
		case q.Kind == inputs.CostUSDPerHour && unpriced(c) != "":
			e.Why, e.Remedy = fmt.Sprintf("the price of pool %q is not known", unpriced(c)), "state usd_per_hour"
		default:
			continue
		}
		all = append(all, e)
	}
	if pool := unpriced(c); c.Goal.Objective == inputs.Cost && pool != "" {
		all = append(all, &AskedError{What: "objective cost", Why: fmt.Sprintf("the price of pool %q is not known", pool), Remedy: "state usd_per_hour"})
	}
	return errors.Join(all...)
}

// decodes reports whether a requirement is about generated tokens.
func decodes(k inputs.RequirementKind) bool {
	return k == inputs.TPOT || k == inputs.OutputPerSecond || k == inputs.OutputPerSGPU
}

// unpriced is the first pool without a price; "" where there is none.
func unpriced(c *inputs.Condition) string {
	for _, p := range c.Cluster.Pools {
		if !(p.USDPerHour > 0) {
			return p.Name
		}
	}
	return ""
}
