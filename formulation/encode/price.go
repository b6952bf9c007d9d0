package encode

import "math"

const (
	// priceUnit is the integer that stands for a price of 1: prices are multiples of
	// 1/4096 of a tick, fine enough that rounding costs less than a tick of the bound
	// on paths of thousands of GPUs.
	priceUnit = 1 << 12
	// unreachable is a distance no path has: validate keeps objectives below 2^40 ticks.
	unreachable = math.MaxInt64 / 4
	// magnitude bounds every priced row, so that sums of a hundred stay in int64.
	magnitude = 1 << 54
)

// shortest fills dist with the least value of the form over paths from the first
// node, and via with the last arc of each; it returns the value at the last node.
func (n *network) shortest(arcs []int32, f *form, dist []int64, via []int32) int64 {
	for v := range dist {
		dist[v] = unreachable
	}
	dist[0] = 0
	for _, i := range arcs {
		a := &n.arcs[i]
		if dist[a.from] == unreachable {
			continue
		}
		if d := dist[a.from] + f.of(a); d < dist[a.to] {
			dist[a.to], via[a.to] = d, i
		}
	}
	return dist[n.nodes-1]
}

// remaining fills dist with the least value of the form from each node to the last.
func (n *network) remaining(arcs []int32, f *form, dist []int64) {
	for v := range dist {
		dist[v] = unreachable
	}
	dist[n.nodes-1] = 0
	for k := len(arcs) - 1; k >= 0; k-- {
		a := &n.arcs[arcs[k]]
		if dist[a.to] != unreachable {
			dist[a.from] = min(dist[a.from], dist[a.to]+f.of(a))
		}
	}
}

// bottleneck is the least possible T of phase p: the path whose longest time is
// shortest. Not ok where there is no path.
func (n *network) bottleneck(arcs []int32, p int, dist []int64) (int64, bool) {
	for v := range dist {
		dist[v] = unreachable
	}
	dist[0] = 0
	for _, i := range arcs {
		a := &n.arcs[i]
		dist[a.to] = min(dist[a.to], max(dist[a.from], a.time[p]))
	}
	return dist[n.nodes-1], dist[n.nodes-1] != unreachable
}

// trace is the path that via describes, last arc first, with its totals.
func (n *network) trace(via []int32, t *totals, arcs []int32) []int32 {
	*t = totals{used: t.used}
	clear(t.used)
	arcs = arcs[:0]
	for v := int32(n.nodes - 1); v != 0; {
		a := &n.arcs[via[v]]
		t.add(a)
		arcs = append(arcs, via[v])
		v = a.from
	}
	return arcs
}

// longest is the largest time of each phase among the arcs.
func (n *network) longest(arcs []int32) (most [2]int64) {
	for _, i := range arcs {
		for p, t := range n.arcs[i].time {
			most[p] = max(most[p], t)
		}
	}
	return most
}

// priced is the Lagrangian: a form in prices of which the cheapest path is a lower
// bound on every path that keeps the rows, constant included.
type priced struct {
	form
	constant int64
}

// price relaxes the rows into the objective with the given multipliers, in units of
// 1/priceUnit: main + Σ u·(row − bound). Rows "≤" need u ≥ 0.
func price(main *form, rows []row, u []int64, k known, resources int) priced {
	c := priced{form: form{unit: make([]int64, resources)}, constant: priceUnit * main.at(k.low)}
	c.addScaled(main, priceUnit)
	for j := range rows {
		if u[j] != 0 {
			c.addScaled(&rows[j].form, u[j])
			c.constant += u[j] * (rows[j].form.at(k.low) - rows[j].bound)
		}
	}
	return c
}

// addScaled adds s times the arc part of g.
func (f *form) addScaled(g *form, s int64) {
	for r, u := range g.unit {
		f.unit[r] += s * u
	}
	f.time[0] += s * g.time[0]
	f.time[1] += s * g.time[1]
	f.stage += s * g.stage
	f.fee += s * g.fee
}

// dualBound is the best bound that prices gave.
type dualBound struct {
	value int64 // in 1/priceUnit
	u     []int64
	form  priced
}

// bound is the dual value in ticks: no path of the box has a smaller objective.
func (d *dualBound) bound() int64 { return ceilDiv(d.value, priceUnit) }

// rowScale is the mean size of the coefficients of each row, by which steps are
// measured, and the largest price that cannot overflow.
func (n *network) rowScale(arcs []int32, rows []row) (scale, most []float64) {
	scale, most = make([]float64, len(rows)), make([]float64, len(rows))
	layers := float64(n.p.Boundaries)
	for j := range rows {
		sum, largest := 0.0, math.Abs(float64(rows[j].bound))
		for _, i := range arcs {
			c := math.Abs(float64(rows[j].form.of(&n.arcs[i])))
			sum += c
			largest = max(largest, c*layers)
		}
		scale[j] = max(1, sum/float64(max(1, len(arcs))))
		most[j] = math.Floor(magnitude / float64(len(rows)) / max(1, largest))
	}
	return scale, most
}

// work is the memory of the passes over a network.
type work struct {
	dist []int64
	back []int64
	via  []int32
	path []int32
}

func (n *network) newWork() *work {
	return &work{dist: make([]int64, n.nodes), back: make([]int64, n.nodes), via: make([]int32, n.nodes)}
}
