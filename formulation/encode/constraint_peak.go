package encode

import (
	"fmt"
	"slices"

	"partita/solver"
	"partita/solver/path"
)

// peakConstraint ties T_p, the bottleneck of a whole model, to the stages. It needs no
// big M, because exactly one arc covers each layer. With D_pl the time of that arc
// (layerTimes):
//
//	T_p ≥ D_pl        for every layer l
//
// In an ordered model T_p is in Booleans instead, one for each distinct time t_1 < t_2
// < … of an arc, with Y_i for T_p ≥ t_i, and Y_1 = 1 left out:
//
//	Y_{i+1} ≤ Y_i        x_c ≤ Y_i where τ_c = t_i        T_p = t_1 + Σ (t_i − t_{i−1})·Y_i
//
// A T_p that no condition speaks of is left out. In the model of a box T_p is a
// constant and arcs over the window are not in it.
type peakConstraint struct{ p *path.Problem }

func (c peakConstraint) label() string { return "peak" }

// Explain is the constraint as a sentence.
func (c peakConstraint) Explain() string {
	return "the bottleneck time is at least the time of the stage that holds each layer"
}

func (c peakConstraint) add(b *builder) (rows []solver.Constraint) {
	if !b.whole {
		return nil
	}
	for p, wanted := range b.bottlenecks() {
		switch {
		case !wanted:
		case b.ordered:
			rows = append(rows, b.orderedPeak(p)...)
		default:
			t := b.m.Int(fmt.Sprintf("T_%d", p), 0, b.n.longest(b.arcs)[p])
			b.peak[p].whole = t
			for l, d := range b.layerTimes(p, &rows) {
				rows = append(rows, b.m.AtMost(fmt.Sprintf("peak_%d_layer_%d", p, l), d.Add(-1, t), 0))
			}
		}
	}
	return rows
}

// bottlenecks says for which phases T occurs in some condition of the whole model.
func (b *builder) bottlenecks() (wanted [2]bool) {
	wanted[1] = b.p.BalanceNum > 0
	note := func(f *form) {
		for p, c := range f.peak {
			wanted[p] = wanted[p] || c != 0
		}
	}
	for _, c := range constraints(b.p) {
		if l, ok := c.(linear); ok {
			for _, r := range l.rows(b.known) {
				note(&r.form)
			}
		}
	}
	for _, f := range newObjective(b.p).forms(b.known) {
		note(&f)
	}
	return wanted
}

// layerTimes are D_pl, the time of the arc that covers layer l in phase p, as expressions:
//
//	D_pl = Σ τ_c·x_c over the arcs that cover l
//
// An arc has a term for each of its layers there. A sparse model has D_pl as a variable,
// which changes where a stage ends and another begins. That says the same, also for
// fractions, with two terms an arc:
//
//	D_pl = D_p,l−1 − Σ τ_c·x_c over arcs that end at l + Σ τ_c·x_c over arcs that start at l
func (b *builder) layerTimes(p int, rows *[]solver.Constraint) []solver.Expr {
	if b.layers[p] != nil {
		return b.layers[p]
	}
	times := make([]solver.Expr, b.p.Boundaries-1)
	if !b.sparse {
		for i, j := range b.arcs {
			a := &b.n.arcs[j]
			for l := a.begin; l < a.end; l++ {
				times[l] = times[l].Add(a.time[p], b.x[i])
			}
		}
		b.layers[p] = times
		return times
	}
	change := make([]solver.Expr, b.p.Boundaries)
	for i, j := range b.arcs {
		a := &b.n.arcs[j]
		change[a.begin] = change[a.begin].Add(a.time[p], b.x[i])
		change[a.end] = change[a.end].Add(-a.time[p], b.x[i])
	}
	longest := b.n.longest(b.arcs)[p]
	for l := range times {
		e := change[l]
		if l > 0 {
			e = e.AddExpr(times[l-1])
		}
		d := b.m.Int(fmt.Sprintf("D_%d_%d", p, l), 0, longest)
		b.m.Imply(d)
		times[l] = solver.Sum(d)
		*rows = append(*rows, b.m.Equal(fmt.Sprintf("time_%d_layer_%d", p, l), e.Add(-1, d), 0))
	}
	b.layers[p] = times
	return times
}

// peak is T of one phase in a whole model: an integer, or Booleans by distinct times.
type peak struct {
	whole solver.Variable
	times []int64           // ascending; nil where T is one variable
	least []solver.Variable // T ≥ times[i+1]
}

// add is e + c·T.
func (t *peak) add(e solver.Expr, c int64) solver.Expr {
	if t.times == nil {
		return e.Add(c, t.whole)
	}
	e = e.Plus(c * t.times[0])
	for i, y := range t.least {
		e = e.Add(c*(t.times[i+1]-t.times[i]), y)
	}
	return e
}

// from is the Boolean of "T ≥ v" in an ordered model; where always or never is true
// there is none, as T is at least the shortest time of all and at most the longest.
func (t *peak) from(v int64) (y solver.Variable, always, never bool) {
	switch i, _ := slices.BinarySearch(t.times, v); i {
	case 0:
		return y, true, false
	case len(t.times):
		return y, false, true
	default:
		return t.least[i-1], false, false
	}
}

func (b *builder) orderedPeak(p int) (rows []solver.Constraint) {
	t := &b.peak[p]
	for _, j := range b.arcs {
		t.times = append(t.times, b.n.arcs[j].time[p])
	}
	if len(t.times) == 0 {
		t.times = []int64{0} // no path: the path rows say so
	}
	slices.Sort(t.times)
	t.times = slices.Compact(t.times)
	for i, v := range t.times[1:] {
		y := b.m.Bool(fmt.Sprintf("T_%d_from_%d", p, v))
		if i > 0 {
			rows = append(rows, b.m.AtMost(fmt.Sprintf("peak_%d_order_%d", p, i), solver.Sum(y).Add(-1, t.least[i-1]), 0))
		}
		t.least = append(t.least, y)
	}
	for i, j := range b.arcs {
		if y, always, _ := t.from(b.n.arcs[j].time[p]); !always {
			rows = append(rows, b.m.AtMost(fmt.Sprintf("peak_%d_%s", p, b.m.Domain(b.x[i].Index()).Name), solver.Sum(b.x[i]).Add(-1, y), 0))
		}
	}
	return rows
}
