package formulation

import (
	"fmt"
	"math"
	"slices"

	"partita/formulation/encode"
	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/solver"
)

// Spec is what the model of one outer choice follows from, beside the condition: the
// outer choice, what is minimised, and the scale. Plain data, so that a model can be
// built again from a file.
type Spec struct {
	// Purpose is what is minimised: "objective", "latency alone" or "throughput alone";
	// "any plan" where nothing is.
	Purpose string `json:"purpose"`
	// BestAlone are ℓ* and c* of the objective, seconds and seconds per token; 0 where it
	// has only one term.
	BestAlone [2]float64 `json:"best_alone"`
	// TickValue is what one tick of J is worth in the unit of the objective.
	TickValue float64 `json:"tick_value"`
	// SpareTick is the tick in seconds of a phase that the objective does not count.
	SpareTick [2]float64 `json:"spare_tick_seconds"`
	// BalanceFloor is 1 − ε as a fraction.
	BalanceFloor [2]int64 `json:"balance_floor"`
	// Slack is the share by which requirements are loosened: 0 but where whole ticks put
	// the only plans on the edge of a requirement.
	Slack float64 `json:"slack,omitempty"`
	// EveryShape: shapes that others beat are among the candidates.
	EveryShape bool `json:"every_shape"`

	Replicas int `json:"replicas"`
	// GPUs of each pool that a replica has: exactly so many, or at most.
	GPUs      []int `json:"gpus_per_replica"`
	Exactly   bool  `json:"exactly"`
	TotalGPUs *int  `json:"total_gpus_per_replica,omitempty"` // over all pools, where that is asked for
	OneHost   bool  `json:"one_host"`                         // each replica lies on one
	// Case is what rules have all stages share, in words; empty where they ask for nothing.
	Case         string `json:"case,omitempty"`
	MicroBatches int    `json:"micro_batches"` // 0: nothing is prefilled
	DecodeGroups int    `json:"decode_groups"` // 0: nothing is decoded
}

// OuterModel is the path problem of one outer choice on a scale.
type OuterModel struct {
	Spec
	// Level names the number of GPUs or the price that is tried, where it is decided
	// first; Rank counts the levels before it. The optimum of a condition is that of the
	// first level that has a plan.
	Level string
	Rank  int
	// Floor is a bound on the value of its plans, in the unit of the objective.
	Floor float64
	// Optimum is the best value of its plans in ticks, where one is known, and Proved that
	// there is none better (without an Optimum: none at all).
	Optimum *int64
	Proved  bool
	// Final: the best plan of the condition is one of its plans.
	Final bool

	x      *exploration
	choice stagegraph.Choice
	graph  *stagegraph.Graph
}

func (f *Formulated) model(x *exploration, ch stagegraph.Choice) *OuterModel {
	l := ch.Layout
	s := Spec{
		Purpose: x.pass.purpose, TickValue: x.unit, SpareTick: x.spare, BalanceFloor: [2]int64{x.pass.num, max(1, x.pass.den)}, EveryShape: x.wide, Slack: x.pass.slack,
		Replicas: l.Replicas, GPUs: slices.Clone(l.GPUs), Exactly: l.Exact, OneHost: l.SameHost, Case: l.Case.Text(), MicroBatches: ch.Micro, DecodeGroups: ch.Groups,
	}
	if x.pass.purpose == forBoth {
		s.BestAlone = f.sol.norms
	}
	if l.Total >= 0 {
		total := l.Total
		s.TotalGPUs = &total
	}
	return &OuterModel{Spec: s, x: x, choice: ch}
}

// sameOuter reports whether two specs are of one outer choice.
func (s *Spec) sameOuter(o *Spec) bool {
	total := func(n *int) int {
		if n == nil {
			return -1
		}
		return *n
	}
	return s.Replicas == o.Replicas && slices.Equal(s.GPUs, o.GPUs) && s.Exactly == o.Exactly && total(s.TotalGPUs) == total(o.TotalGPUs) &&
		s.OneHost == o.OneHost && s.Case == o.Case && s.MicroBatches == o.MicroBatches && s.DecodeGroups == o.DecodeGroups
}

// Reformulate builds the model of an outer choice again, from the condition and what
// was kept of it. The error says what of the spec no model of the condition has.
func Reformulate(c *inputs.Condition, s Spec) (*OuterModel, error) {
	if err := noGraph(c, "model", "the placement of a graph is no path problem over layers: `partita solve` searches it over ideals"); err != nil {
		return nil, err
	}
	if err := noTraining(c, "model", "`partita solve` searches the strategies of a training step"); err != nil {
		return nil, err
	}
	if err := pipelinesAlone(c, "model"); err != nil {
		return nil, err
	}
	r, err := newRun(c, Options{Backend: backendLabels})
	if err != nil {
		return nil, err
	}
	if err := r.checkSpec(&s); err != nil {
		return nil, err
	}
	l := &stagegraph.Layout{Replicas: s.Replicas, GPUs: slices.Clone(s.GPUs), Exact: s.Exactly, Total: -1, SameHost: s.OneHost}
	if s.TotalGPUs != nil {
		l.Total = *s.TotalGPUs
	}
	// Rules make cases of a layout; the model is of one of them.
	cases := []*stagegraph.Layout{l}
	r.goal.cases(&cases)
	at := slices.IndexFunc(cases, func(l *stagegraph.Layout) bool { return l.Case.Text() == s.Case })
	if at < 0 {
		return nil, fmt.Errorf("the rules of the condition leave no such outer choice")
	}
	l = cases[at]
	p := &pass{purpose: s.Purpose, layouts: []*stagegraph.Layout{l}, slack: s.Slack, num: s.BalanceFloor[0], den: s.BalanceFloor[1]}
	switch s.Purpose {
	case forLatency, forThroughput, forBoth:
		p.value = r.goal.valueOf(s.Purpose, s.BestAlone)
	default:
		p.anyPlan = true
	}
	r.explorer.wide = s.EveryShape
	x := &exploration{explorer: r.explorer, pass: p, unit: s.TickValue, spare: s.SpareTick}
	return &OuterModel{Spec: s, x: x, choice: stagegraph.Choice{Layout: l, Micro: s.MicroBatches, Groups: s.DecodeGroups}}, nil
}

func (r *run) checkSpec(s *Spec) error {
	positive := func(v float64) bool { return v > 0 && !math.IsInf(v, 1) }
	l := &stagegraph.Layout{Replicas: s.Replicas, GPUs: s.GPUs, Total: -1}
	switch {
	case !slices.Contains([]string{forLatency, forThroughput, forBoth, "any plan"}, s.Purpose):
		return fmt.Errorf("purpose %q: want objective, latency alone, throughput alone or any plan", s.Purpose)
	case s.Purpose == forBoth && (!positive(s.BestAlone[0]) || !positive(s.BestAlone[1])):
		return fmt.Errorf("best_alone %v: want two numbers above 0", s.BestAlone)
	case !positive(s.TickValue) || !positive(s.SpareTick[0]) || !positive(s.SpareTick[1]):
		return fmt.Errorf("tick_value %g and spare_tick_seconds %v: want numbers above 0", s.TickValue, s.SpareTick)
	case s.BalanceFloor[0] < 0 || s.BalanceFloor[1] < max(1, s.BalanceFloor[0]) || s.BalanceFloor[1] > 1_000_000:
		return fmt.Errorf("balance_floor %v: want a fraction from 0 to 1", s.BalanceFloor)
	case !(s.Slack >= 0) || s.Slack > enough:
		return fmt.Errorf("slack %g: want a share of 0 or more", s.Slack)
	case s.Replicas < 1 || s.Replicas > r.goal.c.Workload.Batch:
		return fmt.Errorf("%d replicas: want 1 to %d, the sequences in flight", s.Replicas, r.goal.c.Workload.Batch)
	case len(s.GPUs) != r.space.Pools() || slices.Min(s.GPUs) < 0 || l.Used() < 1:
		return fmt.Errorf("gpus_per_replica %v: want a number for each of the %d pools", s.GPUs, r.space.Pools())
	case !slices.Contains(r.goal.micros(l), s.MicroBatches):
		return fmt.Errorf("%d micro-batches: want one of %s", s.MicroBatches, listed(r.goal.micros(l)))
	case !slices.Contains(r.goal.groups(l), s.DecodeGroups):
		return fmt.Errorf("%d decode groups: want one of %s", s.DecodeGroups, listed(r.goal.groups(l)))
	}
	return nil
}

// Graph is the stage graph of the model.
func (m *OuterModel) problem() *stagegraph.Graph {
	if m.graph == nil {
		m.graph = m.x.build(m.choice)
	}
	return m.graph
}

// Candidate is a stage candidate: what it means that its variable is 1.
type Candidate struct {
	Name        string   `json:"name"`
	First       int      `json:"first_layer"`
	Last        int      `json:"last_layer"`
	Pool        string   `json:"pool"`
	GPUs        int      `json:"gpus"`
	TP          int      `json:"tp"`
	EP          int      `json:"ep"`
	ETP         int      `json:"etp"`
	CP          int      `json:"cp"`
	DPAttention int      `json:"dp_attention"`
	Ticks       [2]int64 `json:"ticks"` // τ of both phases, the send included
	// Variable is its handle in the model that was built.
	Variable solver.Variable `json:"-"`
}

// Integer is the model as integer linear data, with its stage candidates. The options'
// names and title are the model's own.
func (m *OuterModel) Integer(o encode.ModelOptions) (*solver.Model, []Candidate, error) {
	g := m.problem()
	o.Name, o.Title = g.Name, m.x.space.Condition.Name
	im, d, err := encode.WholeModel(g.Problem, o)
	if err != nil {
		return nil, nil, err
	}
	m.notes(im, d, o)
	arcs := d.Arcs()
	out := make([]Candidate, len(arcs))
	for i, a := range arcs {
		pt := g.Part(a.Stage)
		out[i] = Candidate{
			Name: a.Name, First: pt.First, Last: pt.Last, Pool: m.x.space.Condition.Cluster.Pools[pt.Pool].Name, GPUs: pt.Shape.GPUs(),
			TP: pt.Shape.TP, EP: pt.Shape.EP, ETP: pt.Shape.ETP, CP: pt.Shape.CP, DPAttention: pt.Shape.DPAttention,
			Ticks: a.Time, Variable: a.Variable,
		}
	}
	return im, out, nil
}

// TickSeconds are the ticks of both phases in seconds.
func (m *OuterModel) TickSeconds() [2]float64 {
	u, _ := m.x.pass.scale(m.choice.Layout, m.x.unit, m.x.spare)
	return u
}
