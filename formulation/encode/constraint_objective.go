package encode

import (
	"fmt"

	"partita/solver"
	"partita/solver/path"
)

// objectiveConstraint is (5): the objective J = Weight_0·F_0 + Weight_1·F_1 + Σ Fee is
// below the value to beat. J is the maximum of the linear forms that metricForms
// gives, so one row each:
//
//	form ≤ cutoff − 1
//
// It also sets what is minimised. The whole model minimises J itself, an integer above
// every form where there is more than one. The model of a box minimises the form of
// the sums, which may fall short of J; the rows above keep every point below the
// cutoff, and its exact value is taken from the path.
type objectiveConstraint struct {
	p   *path.Problem
	fee int64 // coefficient of fees: 0 where there are none
}

func newObjective(p *path.Problem) objectiveConstraint {
	return objectiveConstraint{p, feeUnit(p)}
}

func (c objectiveConstraint) label() string { return "objective" }

// Explain is the constraint as a sentence.
func (c objectiveConstraint) Explain() string {
	return "the objective is below the value to beat"
}

func (c objectiveConstraint) forms(k known) []form {
	return metricForms(c.p, c.p.Weight, c.fee, k.rate())
}

func (c objectiveConstraint) rows(k known) []row {
	if k.cutoff == path.NoLimit {
		return nil
	}
	var rows []row
	for i, form := range c.forms(k) {
		rows = append(rows, row{name: fmt.Sprintf("objective_%d", i), form: form, bound: k.cutoff - 1})
	}
	return rows
}

func (c objectiveConstraint) add(b *builder) []solver.Constraint {
	forms := c.forms(b.known)
	switch {
	case b.decision:
	case !b.whole:
		b.m.Minimize(b.guide(forms[0]))
	case len(forms) == 1:
		b.m.Minimize(b.expr(&forms[0], 1))
	default:
		j := b.m.Int("J", b.least, b.most)
		for i := range forms {
			b.m.AtMost(fmt.Sprintf("value_%d", i), b.expr(&forms[i], 1).Add(-1, j), 0)
		}
		b.m.Minimize(solver.Term(1, j))
	}
	return b.bounds(c.rows(b.known))
}

// guide is the expression that the model of a box minimises. Where the objective is a
// constant, so that any point will do, it is the sum of the times: lp_solve can search
// for ever under an objective of zero.
func (b *builder) guide(f form) solver.Expr {
	if f.constant() {
		f = form{time: [2]int64{1, 1}}
		for p, w := range b.p.Weight {
			if w == 0 {
				f.time[p] = 0
			}
		}
		if f.time == [2]int64{} {
			f.stage = 1
		}
	}
	return b.expr(&f, b.common(&f))
}
