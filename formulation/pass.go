package formulation

import (
	"math"

	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/results"
	"partita/solver/path"
)

// pass is one search over outer choices for one value: the best latency alone, the
// best throughput alone, the objective, or any plan at all.
type pass struct {
	purpose string
	value   func(*stagegraph.Layout) coefficients
	// anyPlan asks for a feasible plan and no more.
	anyPlan bool
	layouts []*stagegraph.Layout
	// tolerance is the share by which the best plan may miss the optimum.
	tolerance float64
	// first ends the pass at its first plan: whether there is one is all that is asked.
	first bool
	// without lists requirements that do not bind in the pass.
	without []inputs.RequirementKind
	slack   float64 // share by which requirements are relaxed
	// balance floor num/den = 1 − ε; num 0: free.
	num, den int64
	// known are plans to begin from.
	known []*found
	// tie keeps an earlier value at its optimum while this pass minimises another.
	tie *tie
	// scaled, where set, is the scale of an earlier pass, that values compare with.
	scaled *scaling
	// only, where set, leaves other outer choices out.
	only *Pick
}

// scaling is what the ticks of a pass follow from (pass.scale).
type scaling struct {
	unit  float64
	spare [2]float64
}

// tie is the bound a second pass must respect: the first pass' value at most max
// ticks of its scale.
type tie struct {
	pass *pass
	unit float64
	max  int64
}

// found is a path with everything needed to make a plan of it.
type found struct {
	choice stagegraph.Choice
	graph  *stagegraph.Graph
	stages []path.Stage
	ticks  int64   // J in ticks of the pass
	value  float64 // the same in the unit of the pass
}

// outcome of a pass.
type outcome struct {
	best *found
	// bound on the value; +Inf where infeasibility is proved.
	bound float64
	// proved: best is optimal, or without best that there is none.
	proved bool
	unit   float64 // value of one tick of J
	spare  [2]float64
	report results.CertificatePass
	agreed []string
	late   []string
}

// objectiveTicks is the size of J that the scale aims at: small enough for exact
// doubles in lp_solve with room for a bound that is several times too low.
const objectiveTicks = 1_500_000

// timeTicks is the resolution of a phase that the value does not count.
const timeTicks = 1_000_000

// scale chooses the ticks of a layout so that one tick of either phase is worth
// unit in the value; phases without worth are resolved by their own length.
func (p *pass) scale(l *stagegraph.Layout, unit float64, spare [2]float64) (stagegraph.Scale, [2]int64) {
	if p.tie != nil {
		u, _ := p.tie.pass.scale(l, p.tie.unit, spare)
		k := p.value(l)
		return u, [2]int64{bit(k.ttft > 0), bit(k.round > 0)}
	}
	u := stagegraph.Scale{spare[0], spare[1]}
	var w [2]int64
	if p.anyPlan {
		return u, w
	}
	k := p.value(l)
	for ph, x := range [2]float64{k.ttft, k.round} {
		if x > 0 {
			u[ph], w[ph] = unit/x, 1
		}
	}
	return u, w
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// tickLimit is a bound in ticks, rounded down; a billionth is forgiven as in Ticks.
func tickLimit(seconds, tick float64) int64 {
	x := seconds/tick + 1e-9
	if x >= 1<<60 {
		return path.NoLimit
	}
	return int64(math.Floor(x))
}
