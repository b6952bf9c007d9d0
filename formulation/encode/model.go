package encode

import (
	"cmp"
	"fmt"
	"slices"

	"partita/solver"
	"partita/solver/path"
)

// Model is the whole problem as one integer linear model, for export and for solvers
// that work alone: binary arcs, rows (1) to (4), T of each phase as an integer, and J
// minimised. Solve does not use it: it goes by windows of T, with far smaller models.
// An error says what is wrong with the problem.
func Model(p *path.Problem) (*solver.Model, *Decoder, error) {
	n, err := newNetwork(p)
	if err != nil {
		return nil, nil, err
	}
	all := make([]int32, len(n.arcs))
	for i := range all {
		all[i] = int32(i)
	}
	b := newBuilder("stage graph", n, all, known{p: p, cutoff: path.NoLimit, whole: true})
	b.least, b.most = n.values(all)
	b.add(append([]constraint{peakConstraint{p}}, constraints(p)...))
	d, err := b.decoder()
	if err != nil {
		return nil, nil, err
	}
	return b.m, d, nil
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
	arcs []int32
	x    []solver.Variable
	// Groups are the constraints of the model with the sentences that explain them.
	Groups []Group
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
