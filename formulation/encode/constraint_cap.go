package encode

import (
	"fmt"

	"partita/solver"
	"partita/solver/path"
)

// capConstraint is the part of (4) that bounds a second combination of the metrics,
// one row for each choice of the branches of F_p:
//
//	Σ Weight_p·(Sum_p·Λ_p + Peak_p·T_p  or  Rate_p·T_p) ≤ Max
type capConstraint struct{ p *path.Problem }

func (c capConstraint) label() string { return "cap" }

// Explain is the constraint as a sentence.
func (c capConstraint) Explain() string {
	return fmt.Sprintf("%d times the metric of phase 0 plus %d times that of phase 1 is at most %d", c.p.Cap.Weight[0], c.p.Cap.Weight[1], c.p.Cap.Max)
}

func (c capConstraint) rows(k known) []row {
	if c.p.Cap == nil {
		return nil
	}
	var rows []row
	for i, form := range metricForms(c.p, c.p.Cap.Weight, 0, k.rate()) {
		rows = append(rows, row{name: fmt.Sprintf("cap_%d", i), form: form, bound: c.p.Cap.Max})
	}
	return rows
}

func (c capConstraint) add(b *builder) []solver.Constraint { return b.bounds(c.rows(b.known)) }
