package encode

import (
	"fmt"

	"partita/solver"
	"partita/solver/path"
)

// balanceConstraint is equation (3): no stage is much shorter than the longest, in
// phase 1, sends included.
//
//	Den·B ≥ Num·T₁        B ≤ D_1l for every layer l        (D as in layerTimes)
//
// The integer B is the shortest time. In an ordered model an arc excludes the
// bottlenecks that it is too short for, Y_i being T₁ ≥ t_i as in peakConstraint:
//
//	x_c + Y_i ≤ 1        for the first t_i with Num·t_i > Den·τ_c
//
// In the model of a box the constraint is no row: arcs with Den·τ < Num·low are not in
// it (admits), which is exact where T₁ = low.
type balanceConstraint struct{ p *path.Problem }

func (c balanceConstraint) label() string { return "balance" }

// Explain is the constraint as a sentence.
func (c balanceConstraint) Explain() string {
	return fmt.Sprintf("the shortest stage takes at least %d/%d of the time of the longest", c.p.BalanceNum, c.p.BalanceDen)
}

func (c balanceConstraint) add(b *builder) (rows []solver.Constraint) {
	switch {
	case !b.whole || c.p.BalanceNum == 0:
		return nil
	case b.ordered:
		for i, j := range b.arcs {
			tooLong := floorDiv(c.p.BalanceDen*b.n.arcs[j].time[1], c.p.BalanceNum) + 1
			if y, _, never := b.peak[1].from(tooLong); !never {
				rows = append(rows, b.m.AtMost("balance_"+b.m.Domain(b.x[i].Index()).Name, solver.Sum(b.x[i], y), 1))
			}
		}
		return rows
	}
	low := b.m.Int("B", 0, b.n.longest(b.arcs)[1])
	rows = append(rows, b.m.AtLeast("balance", b.peak[1].add(solver.Term(c.p.BalanceDen, low), -c.p.BalanceNum), 0))
	for l, d := range b.layerTimes(1, &rows) {
		rows = append(rows, b.m.AtLeast(fmt.Sprintf("balance_layer_%d", l), d.Add(-1, low), 0))
	}
	return rows
}

// admits says whether a stage of this time 1 can be on a balanced path with T₁ ≥ low.
func (c balanceConstraint) admits(time, low int64) bool {
	return c.p.BalanceNum == 0 || time*c.p.BalanceDen >= low*c.p.BalanceNum
}
