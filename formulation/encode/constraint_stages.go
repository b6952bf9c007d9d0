package encode

import (
	"fmt"

	"partita/solver"
	"partita/solver/path"
)

// stagesConstraint is equation (6): it bounds the number of stages, where a rule of the
// condition speaks of it.
//
//	MinStages ≤ Σ x_c ≤ MaxStages
type stagesConstraint struct{ p *path.Problem }

func (c stagesConstraint) label() string { return "stages" }

// Explain is the constraint as a sentence.
func (c stagesConstraint) Explain() string {
	low, high := c.p.MinStages, c.p.MaxStages
	switch {
	case low == high:
		return fmt.Sprintf("there are exactly %d stages", low)
	case high == 0:
		return fmt.Sprintf("there are at least %d stages", low)
	case low == 0:
		return fmt.Sprintf("there are at most %d stages", high)
	}
	return fmt.Sprintf("there are %d to %d stages", low, high)
}

func (c stagesConstraint) rows(known) []row {
	low, high := int64(c.p.MinStages), int64(c.p.MaxStages)
	if low == high && low > 0 {
		return []row{{name: "stages", form: form{stage: 1}, bound: low, equal: true}}
	}
	var rows []row
	if high > 0 {
		rows = append(rows, row{name: "stages", form: form{stage: 1}, bound: high})
	}
	if low > 0 {
		rows = append(rows, row{name: "stages_least", form: form{stage: -1}, bound: -low})
	}
	return rows
}

func (c stagesConstraint) add(b *builder) []solver.Constraint { return b.bounds(c.rows(b.known)) }
