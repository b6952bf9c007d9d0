package encode

import (
	"math"

	"partita/solver/dual"
	"partita/solver/path"
)

// ascent is a search for prices that raise the bound of a box. What a price vector
// proves is computed in integers.
type ascent struct {
	n     *network
	arcs  []int32
	main  *form
	rows  []row
	k     known
	steps int // evaluations left
	found func([]int32) bool
	w     *work
	on    totals
	u     []int64
	most  []float64 // largest price of each row
	best  dualBound
}

// ascend improves the prices from start until the bound reaches the cutoff, cannot be
// raised, steps paths have been priced, or the search is given up. found is told of every path that keeps all
// rows.
func (n *network) ascend(arcs []int32, main *form, rows []row, k known, start []int64, steps int, found func([]int32) bool) dualBound {
	scale, most := n.rowScale(arcs, rows)
	a := &ascent{n: n, arcs: arcs, main: main, rows: rows, k: k, steps: steps, found: found, w: n.newWork(),
		on: totals{used: make([]int64, len(n.p.Resources))}, u: make([]int64, len(rows)), most: most, best: dualBound{value: -unreachable}}
	x := make([]float64, len(rows))
	for j := range start {
		x[j] = float64(start[j])
	}
	const resolution = 0.5 // prices are integers
	dual.Ascend(x, scale, resolution, a.price)
	return a.best
}

// price brings the prices x into their range, takes the cheapest path under them, and
// sets the subgradient: by how much the path breaks each row.
func (a *ascent) price(x, gradient []float64) (hope float64) {
	for j := range x {
		if !a.rows[j].equal {
			x[j] = max(x[j], 0)
		}
		x[j] = max(-a.most[j], min(x[j], a.most[j]))
		a.u[j] = int64(math.Round(x[j]))
	}
	c := price(a.main, a.rows, a.u, a.k, len(a.n.p.Resources))
	value := a.n.shortest(a.arcs, &c.form, a.w.dist, a.w.via) + c.constant
	if value > a.best.value {
		a.best = dualBound{value, append([]int64(nil), a.u...), c}
	}
	a.w.path = a.n.trace(a.w.via, &a.on, a.w.path)
	kept, flat := true, true
	for j := range a.rows {
		r := &a.rows[j]
		over := r.form.on(&a.on) + r.form.at(a.k.low) - r.bound
		kept = kept && (over == 0 || over < 0 && !r.equal)
		if over < 0 && a.u[j] == 0 && !r.equal {
			over = 0
		}
		flat = flat && over == 0
		gradient[j] = float64(over)
	}
	if kept {
		a.found(a.w.path)
	}
	a.steps--
	switch {
	case flat || a.steps <= 0 || a.n.ended(): // flat: the bound is the value of a path
		return 0
	case a.k.cutoff != path.NoLimit:
		if a.best.bound() >= a.k.cutoff {
			return 0
		}
		return float64(a.k.cutoff)*priceUnit - float64(a.best.value)
	}
	return math.Max(math.Abs(float64(value))/20, 10*priceUnit)
}
