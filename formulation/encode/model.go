package encode

import (
	"cmp"
	"fmt"
	"slices"

	"partita/solver"
	"partita/solver/path"
)

// Model is the whole problem as one integer linear model: WholeModel with its zero
// options.
func Model(p *path.Problem) (*solver.Model, *Decoder, error) { return WholeModel(p, ModelOptions{}) }

// ModelOptions say how a whole problem is written. The zero value is for solvers that
// work with linear relaxations.
type ModelOptions struct {
	// Title is the name of the model; empty: stage graph.
	Title string
	// Ordered has the bottlenecks in Booleans and the path in "exactly one" rows, for
	// solvers that reason by clauses (peakConstraint, pathConstraint).
	Ordered bool
	// Sparse spends a variable a layer on rows with few terms (layerTimes).
	Sparse bool
	// AtMost, where set, admits only paths with an objective of at most its value.
	AtMost *int64
	// Feasibility leaves out the objective: any path that AtMost admits will do.
	Feasibility bool
	// Name names the variable of a stage. next is a group of those that the next stage
	// may belong to where the stage is charged for sending by that, otherwise -1. Nil:
	// x, the layers and the number of the option.
	Name func(s path.Stage, next int) string
}

// WholeModel is the whole problem as one integer linear model, for export and for
// solvers that work alone: binary arcs, rows (1) to (4), T of each phase, and J
// minimised. Solve does not use it: it goes by windows of T, with far smaller models.
// An error says what is wrong with the problem.
func WholeModel(p *path.Problem, o ModelOptions) (*solver.Model, *Decoder, error) {
	n, err := newNetwork(p)
	if err != nil {
		return nil, nil, err
	}
	n.names = unique(o.Name)
	all := make([]int32, len(n.arcs))
	for i := range all {
		all[i] = int32(i)
	}
	k := known{p: p, cutoff: path.NoLimit, whole: true}
	if o.AtMost != nil {
		// No objective is outside ±largestValue (validate).
		k.cutoff = max(-largestValue, min(*o.AtMost, largestValue)) + 1
	}
	title := o.Title
	if title == "" {
		title = "stage graph"
	}
	b := newBuilder(title, n, all, k)
	b.ordered, b.visits, b.sparse, b.decision = o.Ordered, o.Ordered, o.Sparse, o.Feasibility
	b.least, b.most = n.values(all)
	b.add(append([]constraint{peakConstraint{p}}, constraints(p)...))
	d, err := b.decoder()
	if err != nil {
		return nil, nil, err
	}
	return b.m, d, nil
}

// unique numbers the names that a function gives twice.
func unique(name func(path.Stage, int) string) func(path.Stage, int) string {
	if name == nil {
		return nil
	}
	used := map[string]bool{}
	return func(s path.Stage, next int) string {
		base := name(s, next)
		full := base
		for i := 2; used[full]; i++ {
			full = fmt.Sprintf("%s_%d", base, i)
		}
		used[full] = true
		return full
	}
}

// values is the range that the objective of a path can lie in.
func (n *network) values(arcs []int32) (least, most int64) {
	w, longest := n.newWork(), n.longest(arcs)
	least, most = -unreachable, -unreachable
	for _, f := range metricForms(n.p, n.p.Weight, feeUnit(n.p), rateMayWin(n.p)) {
		var negative form
		negative.addScaled(&f, -1)
		low, high := n.shortest(arcs, &f, w.dist, w.via), -n.shortest(arcs, &negative, w.dist, w.via)
		least, most = max(least, low), max(most, high+f.at(longest))
	}
	if least > most || least == unreachable {
		return 0, 0 // no path at all: the rows say so
	}
	return least, most
}

// constraints are the conditions of the problem that it has, in the order of their
// equations.
func constraints(p *path.Problem) []constraint {
	list := []constraint{pathConstraint{p}, countConstraint{p}}
	for i := range p.Packings {
		list = append(list, packingConstraint{p, i})
	}
	if p.BalanceNum > 0 {
		list = append(list, balanceConstraint{p})
	}
	if p.Limit != [2]int64{path.NoLimit, path.NoLimit} {
		list = append(list, limitConstraint{p})
	}
	if p.Cap != nil {
		list = append(list, capConstraint{p})
	}
	if p.MinStages > 0 || p.MaxStages > 0 {
		list = append(list, stagesConstraint{p})
	}
	return append(list, newObjective(p))
}

// Decoder reads the path out of an assignment to the variables of a model.
type Decoder struct {
	n    *network
	m    *solver.Model
	arcs []int32
	x    []solver.Variable
	// Groups are the constraints of the model with the sentences that explain them.
	Groups []Group
}

// Arc is a stage candidate of a model.
type Arc struct {
	Name     string
	Variable solver.Variable
	Stage    path.Stage
	Next     int      // as in ModelOptions.Name
	Time     [2]int64 // ticks, sends included
}

// Arcs are the stage candidates of the model, in the order of their variables.
func (d *Decoder) Arcs() []Arc {
	out := make([]Arc, len(d.arcs))
	for i, j := range d.arcs {
		a := &d.n.arcs[j]
		out[i] = Arc{Name: d.m.Domain(d.x[i].Index()).Name, Variable: d.x[i], Stage: a.stage(), Next: d.n.next(a), Time: a.time}
	}
	return out
}

// Stages is the path that the assignment chooses. The error says that it is none.
func (d *Decoder) Stages(values []int64) ([]path.Stage, error) {
	var stages []path.Stage
	for i, v := range d.x {
		if v.Index() >= len(values) {
			return nil, fmt.Errorf("an assignment of %d values does not belong to this model", len(values))
		}
		if v.In(values) == 1 {
			stages = append(stages, d.n.arcs[d.arcs[i]].stage())
		}
	}
	slices.SortFunc(stages, func(a, b path.Stage) int { return cmp.Compare(a.From, b.From) })
	at := 0
	for _, s := range stages {
		if s.From != at {
			return nil, fmt.Errorf("the chosen stages leave a gap or overlap at boundary %d", at)
		}
		at = s.To
	}
	if at != d.n.p.Boundaries-1 {
		return nil, fmt.Errorf("the chosen stages end at boundary %d of %d", at, d.n.p.Boundaries-1)
	}
	return stages, nil
}
