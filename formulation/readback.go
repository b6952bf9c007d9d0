package formulation

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"partita/formulation/cost"
	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/results"
	"partita/solver/path"
)

// foreign is the backend of a plan that another solver found.
const foreign = "another solver"

// Restored is a plan that came back from another solver.
type Restored struct {
	Report *results.Report
	// Ticks is J of the plan in its model, Value the same in the unit of the objective.
	Ticks int64
	Value float64
}

// NotAPlanError says why what a solver chose is no plan of its model.
type NotAPlanError struct{ Why string }

func (e *NotAPlanError) Error() string { return "what the solver chose is no plan: " + e.Why }

// Restore makes a plan of the candidates that a solver chose, and values it exactly. The
// error is a *NotAPlanError where they are no plan of the model; that the condition is
// another than the one the model was written from is an error of its own.
func (m *OuterModel) Restore(ctx context.Context, chosen []Candidate) (*Restored, error) {
	chosen = slices.Clone(chosen)
	slices.SortFunc(chosen, func(a, b Candidate) int { return cmp.Compare(a.First, b.First) })
	g := m.problem()
	stages := make([]path.Stage, len(chosen))
	for i, c := range chosen {
		st, err := m.candidate(g, c)
		if err != nil {
			return nil, err
		}
		stages[i] = st
	}
	v, err := g.Problem.Evaluate(stages)
	if err != nil {
		return nil, &NotAPlanError{m.sentence(err, chosen)}
	}
	best := &found{choice: m.choice, graph: g, stages: stages, ticks: v.Objective, value: float64(v.Objective) * m.x.unit}
	r := &run{explorer: m.x.explorer, backend: foreign, given: m.x.space.Condition.Cluster.Pools, asked: m.x.space.Condition}
	counts := r.goal.layoutsOf()
	counts.list = nil // what other numbers of GPUs come to was not asked
	sol := &solution{
		final: outcome{best: best, bound: math.Inf(-1), unit: m.x.unit, spare: m.x.spare}, pass: m.x.pass, counts: counts,
		num: m.x.pass.num, den: m.x.pass.den, norms: m.BestAlone, passes: []results.CertificatePass{},
		balance: fmt.Sprintf("floor %d/%d of the slowest stage, as in the model", m.x.pass.num, m.x.pass.den),
	}
	if floor, _, stated := r.balanceFloor(); !stated && m.x.pass.num*balanceParts < floor*m.x.pass.den {
		sol.reasons = append(sol.reasons, fmt.Sprintf("warning: balance: no plan meets ε = %g; the model has the %s", DefaultBalance, sol.balance))
	}
	rep, err := r.report(ctx, sol, 0)
	if err != nil {
		return nil, err
	}
	return &Restored{Report: rep, Ticks: best.ticks, Value: best.value}, nil
}

// candidate is the arc of the graph that a candidate of a map stands for.
func (m *OuterModel) candidate(g *stagegraph.Graph, c Candidate) (path.Stage, error) {
	pool := slices.IndexFunc(m.x.space.Condition.Cluster.Pools, func(p inputs.Pool) bool { return p.Name == c.Pool })
	if pool < 0 {
		return path.Stage{}, fmt.Errorf("%s: the condition has no pool %q", c.Name, c.Pool)
	}
	if c.First < 0 || c.Last < c.First || c.Last >= m.x.space.Layers() {
		return path.Stage{}, fmt.Errorf("%s: layers %d to %d of %d", c.Name, c.First, c.Last, m.x.space.Layers())
	}
	pt := stagegraph.Part{First: c.First, Last: c.Last, Pool: pool, Shape: cost.Shape{TP: c.TP, EP: c.EP, ETP: c.ETP, CP: c.CP, DPAttention: c.DPAttention}}
	st, ok := g.Path([]stagegraph.Part{pt})
	if !ok {
		return path.Stage{}, fmt.Errorf("%s is no stage candidate of this condition", c.Name)
	}
	o := g.Problem.Options[st[0].Class][st[0].Option]
	for ph, t := range o.Time {
		// Where sends are charged by the next stage the candidate's ticks have one of them.
		if c.Ticks[ph] < t || g.Problem.Send == nil && c.Ticks[ph] != t {
			return path.Stage{}, fmt.Errorf("%s takes %d ticks in phase %d in the model, %d by this condition", c.Name, c.Ticks[ph], ph, t)
		}
	}
	return st[0], nil
}

// sentence says what of a model a choice breaks.
func (m *OuterModel) sentence(err error, chosen []Candidate) string {
	bad, ok := err.(*path.Infraction)
	if !ok {
		return err.Error()
	}
	switch bad.Rule {
	case path.RuleContinuity:
		if len(chosen) == 0 {
			return "no stage is chosen"
		}
		if bad.Index < len(chosen) {
			return fmt.Sprintf("%s begins at layer %d where layer %d is next", chosen[bad.Index].Name, bad.Got, bad.Want)
		}
		return fmt.Sprintf("the stages end at layer %d of %d", bad.Got, bad.Want)
	case path.RuleResource:
		return fmt.Sprintf("%s: %d used, %d there are or must be used", m.problem().Resources()[bad.Index], bad.Got, bad.Want)
	}
	return bad.Error()
}
