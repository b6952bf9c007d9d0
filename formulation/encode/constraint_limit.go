package encode

import (
	"fmt"
	"strings"

	"partita/solver"
	"partita/solver/path"
)

// limitConstraint is the part of (4) that bounds one metric: F_p ≤ Limit_p, that is
//
//	Sum_p·Λ_p + Peak_p·T_p ≤ Limit_p        Rate_p·T_p ≤ Limit_p
type limitConstraint struct{ p *path.Problem }

func (c limitConstraint) label() string { return "limit" }

// Explain is the constraint as a sentence.
func (c limitConstraint) Explain() string {
	var parts []string
	for f, limit := range c.p.Limit {
		if limit != path.NoLimit {
			parts = append(parts, fmt.Sprintf("the metric of phase %d is at most %d", f, limit))
		}
	}
	return strings.Join(parts, ", ")
}

func (c limitConstraint) rows(k known) []row {
	var rows []row
	for f, limit := range c.p.Limit {
		if limit == path.NoLimit {
			continue
		}
		weight := [2]int64{}
		weight[f] = 1
		for i, form := range metricForms(c.p, weight, 0, k.rate()) {
			rows = append(rows, row{name: fmt.Sprintf("limit_%d_%d", f, i), form: form, bound: limit})
		}
	}
	return rows
}

func (c limitConstraint) add(b *builder) []solver.Constraint { return b.bounds(c.rows(b.known)) }
