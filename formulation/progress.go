package formulation

// Progress is where a search stands.
type Progress struct {
	// Part is what is searched for, as a certificate names it: "objective".
	Part string
	// Settled is how many outer choices are solved, refuted or pruned in this part.
	Settled int
	// Incumbent is the value of the best plan so far, nil where there is none yet; Bound is
	// what no plan of the part is below. Their unit is the part's own.
	Incumbent, Bound *float64
	// Points is how many plans of a trade-off are known so far.
	Points int
}

// Gap is how far the bound is from the incumbent, as a share of it; false where that is not
// known yet.
func (p *Progress) Gap() (float64, bool) {
	if p.Incumbent == nil || p.Bound == nil || !(*p.Incumbent > 0) {
		return 0, false
	}
	return max(0, 1 - *p.Bound / *p.Incumbent), true
}

// tellFront says where the search for a trade-off stands.
func (x *prospect) tellFront() {
	if x.watch != nil {
		o := &x.ledger.outer
		x.watch(Progress{Part: x.pass.purpose, Settled: o.Solved + o.Infeasible + o.Pruned, Points: len(x.front)})
	}
}

// tell says where the pass stands before its next node, of all that are left the one with
// the least bound.
func (x *exploration) tell(n *node) {
	if x.watch == nil {
		return
	}
	o := &x.record.outer
	p := Progress{Part: x.pass.purpose, Settled: o.Solved + o.Infeasible + o.Pruned}
	if !x.pass.anyPlan {
		bound := n.bound
		p.Bound = &bound
		if x.best != nil {
			value := x.best.value
			p.Incumbent = &value
		}
	}
	x.watch(p)
}
