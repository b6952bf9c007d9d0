package formulation

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"partita/formulation/cost"
	"partita/formulation/heuristic"
	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/results"
)

// Variable is a field of a condition that takes several values.
type Variable struct {
	Path   string
	Values []VariableValue
	// Between is a value between two that a change of strategy lies between, false where
	// they are near enough, or nothing is between. nil: values are names.
	Between func(a, b VariableValue) (VariableValue, bool)
	// Read is the condition with a value.
	Read func(VariableValue) (*inputs.Condition, error)
	// EveryChange counts a change of layers, micro-batches or decode groups too.
	EveryChange bool
}

// VariableValue is one value: its text, and its number where values lie on a line.
type VariableValue struct {
	Text   string
	Number float64
}

// Vary finds the best plan at each value of a field, and by halving between neighbours
// where the best strategy changes. Between two values with the same strategy nothing is
// looked for: it may have changed there and back.
//
// A value without a plan is an answer. The error is the first condition's where no value
// makes a condition, or the search's own. Options.TimeLimit bounds each search. A
// context that ends leaves the rest unknown.
func Vary(ctx context.Context, v Variable, opts Options) (*results.Variation, error) {
	x := &variation{Variable: v, opts: opts, session: NewSession()}
	if opts.Backend == "" || opts.Backend == backendAuto {
		x.opts.Backend = backendLabels // a second proof of every value would take most of the time
	}
	out := &results.Variation{FormatVersion: results.VariationFormat, Path: v.Path, ThroughputOf: "deployment", Changes: []results.VariationChange{}, Points: []results.VariationPoint{}}
	var first error
	for _, value := range v.Values {
		p, err := x.at(ctx, value)
		if err != nil {
			return nil, err
		}
		if p.Status == statusInvalid && first == nil {
			first = x.problem
		}
		out.Points = append(out.Points, *p)
	}
	if x.valid == nil {
		return nil, first
	}
	out.Condition, out.Objective = x.valid.Name, string(x.valid.Goal.Objective)
	if out.Objective == "" {
		out.Objective = string(inputs.Balanced)
	}
	for i := range x.valid.Cluster.Pools {
		if !x.valid.Cluster.Pools[i].Count.Stated() {
			out.ThroughputOf = "gpu"
		}
	}
	if v.Between != nil {
		if err := x.locate(ctx, out); err != nil {
			return nil, err
		}
	}
	for i := 1; i < len(out.Points); i++ {
		a, b := &out.Points[i-1], &out.Points[i]
		if x.differ(a, b) {
			out.Changes = append(out.Changes, results.VariationChange{Last: a.Value, First: b.Value, At: (a.Number + b.Number) / 2, From: a.Kind, To: b.Kind})
		}
	}
	out.Summary = x.sentence(out)
	return out, nil
}

// statusInvalid is the status of a value that makes no condition.
const statusInvalid results.Status = "invalid"

// variation is one call of Vary.
type variation struct {
	Variable
	opts    Options
	session *Session
	valid   *inputs.Condition // the first condition that could be read
	problem error             // of the last that could not
}

// at solves the condition with one value.
func (x *variation) at(ctx context.Context, value VariableValue) (*results.VariationPoint, error) {
	p := &results.VariationPoint{Value: value.Text, Number: value.Number, Status: results.StatusUnknown, Kind: "not known"}
	c, err := x.Read(value)
	if err != nil {
		x.problem = err
		p.Status, p.Kind, p.Reason = statusInvalid, "no condition", strings.SplitN(err.Error(), "\n", 2)[0]
		return p, nil
	}
	if err := noTraining(c, "pareto --vary", "`partita batch` solves many conditions of training"); err != nil {
		return nil, err
	}
	if err := noGraph(c, "pareto --vary", "`partita batch` solves many conditions with graphs"); err != nil {
		return nil, err
	}
	if x.valid == nil {
		x.valid = c
	}
	if ctx.Err() != nil {
		p.Reason = "the search was stopped before"
		return p, nil
	}
	x.opts.log(fmt.Sprintf("%s = %s", x.Path, value.Text))
	rep, err := x.session.Optimize(ctx, c, x.opts)
	if err != nil {
		return nil, fmt.Errorf("%s = %s: %w", x.Path, value.Text, err)
	}
	p.Status = rep.Status
	if !rep.Feasible || rep.Plan == nil {
		if rep.Status == results.StatusInfeasible {
			p.Kind = "no plan"
		} else {
			p.Status = results.StatusUnknown
		}
		if len(rep.Reasons) > 0 {
			p.Reason = rep.Reasons[0]
		}
		return p, nil
	}
	phase := &rep.Plan.Phases[0]
	f := figuresOf(c, phase)
	p.FrontierFigures, p.Objective, p.Strategy, p.Plan, p.Given = &f, &phase.Solve.Objective, &phase.Strategy, rep.Plan, c
	proposal := proposed(c, phase)
	p.Summary, p.Kind = oneLine(c, proposal), kindLine(c, proposal)
	return p, nil
}

// differ reports whether the best strategy changes between two points.
func (x *variation) differ(a, b *results.VariationPoint) bool {
	if a.Kind != b.Kind {
		return true
	}
	if !x.EveryChange || a.Strategy == nil || b.Strategy == nil {
		return false
	}
	return a.Summary != b.Summary || a.Strategy.MicroBatches != b.Strategy.MicroBatches || a.Strategy.DecodeGroups != b.Strategy.DecodeGroups
}

// locate puts points between neighbours with unlike strategies until both ends of every
// change are as near as Between asks for.
func (x *variation) locate(ctx context.Context, out *results.Variation) error {
	for i := 1; i < len(out.Points); {
		a, b := &out.Points[i-1], &out.Points[i]
		if !x.differ(a, b) || a.Status == results.StatusUnknown || b.Status == results.StatusUnknown {
			i++
			continue
		}
		mid, ok := x.Between(VariableValue{a.Value, a.Number}, VariableValue{b.Value, b.Number})
		if !ok {
			i++
			continue
		}
		p, err := x.at(ctx, mid)
		if err != nil {
			return err
		}
		p.Between = true
		out.Points = append(out.Points[:i], append([]results.VariationPoint{*p}, out.Points[i:]...)...)
	}
	return nil
}

// sentence tells the changes in the order of the values.
func (x *variation) sentence(out *results.Variation) string {
	var b strings.Builder
	last := len(out.Points) - 1
	if len(out.Changes) == 0 {
		return fmt.Sprintf("%s from %s to %s", out.Points[0].Kind, out.Points[0].Value, out.Points[last].Value)
	}
	for i, c := range out.Changes {
		if i > 0 {
			b.WriteString(", then ")
		}
		fmt.Fprintf(&b, "%s until %s", c.From, c.Last)
	}
	end := out.Changes[len(out.Changes)-1]
	fmt.Fprintf(&b, ", %s from %s on", end.To, end.First)
	return b.String()
}

// proposed is the strategy of a plan as a heuristic would propose it.
func proposed(c *inputs.Condition, phase *results.PhasePlan) heuristic.Proposal {
	p := heuristic.Proposal{Replicas: phase.Strategy.Replicas}
	for i := range phase.Stages {
		s := &phase.Stages[i]
		if s.Replica != phase.Stages[0].Replica {
			break
		}
		pool := slices.IndexFunc(c.Cluster.Pools, func(p inputs.Pool) bool { return p.Name == s.Pool })
		p.Parts = append(p.Parts, stagegraph.Part{
			First: s.FirstLayer, Last: s.LastLayer, Pool: pool,
			Shape: cost.Shape{TP: s.TP, EP: s.EP, ETP: s.ETP, CP: s.CP, DPAttention: s.DPAttention},
		})
	}
	return p
}
