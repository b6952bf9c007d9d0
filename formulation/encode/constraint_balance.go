package encode

import (
	"fmt"

	"partita/solver"
	"partita/solver/path"
)

// balanceConstraint is equation (3): no stage is much shorter than the longest, in
// phase 1, sends included.
//
//	Den·B ≥ Num·T₁        B ≤ Σ τ_c·x_c over the arcs that cover layer l, for every l
//
// The integer B is the shortest time. In the model of a box the constraint is no row:
// arcs with Den·τ < Num·low are not in it (admits), which is exact where T₁ = low.
type balanceConstraint struct{ p *path.Problem }

func (c balanceConstraint) label() string { return "balance" }

// Explain is the constraint as a sentence.
func (c balanceConstraint) Explain() string {
	return fmt.Sprintf("the shortest stage takes at least %d/%d of the time of the longest", c.p.BalanceNum, c.p.BalanceDen)
}

func (c balanceConstraint) add(b *builder) []solver.Constraint {
	if !b.whole || c.p.BalanceNum == 0 {
		return nil
	}
	low := b.m.Int("B", 0, b.n.longest(b.arcs)[1])
	rows := []solver.Constraint{b.m.AtLeast("balance", solver.Term(c.p.BalanceDen, low).Add(-c.p.BalanceNum, b.peak[1]), 0)}
	for l, cover := range b.covers(1) {
		rows = append(rows, b.m.AtLeast(fmt.Sprintf("balance_layer_%d", l), cover.Add(-1, low), 0))
	}
	return rows
}

// admits says whether a stage of this time 1 can be on a balanced path with T₁ ≥ low.
func (c balanceConstraint) admits(time, low int64) bool {
	return c.p.BalanceNum == 0 || time*c.p.BalanceDen >= low*c.p.BalanceNum
}
