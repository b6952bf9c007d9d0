package encode

import (
	"fmt"

	"partita/solver"
	"partita/solver/path"
)

// stagesConstraint bounds the number of stages, where an outer choice of (5) fixes it:
//
//	Σ x_c ≤ MaxStages
type stagesConstraint struct{ p *path.Problem }

func (c stagesConstraint) label() string { return "stages" }

// Explain is the constraint as a sentence.
func (c stagesConstraint) Explain() string {
	return fmt.Sprintf("there are at most %d stages", c.p.MaxStages)
}

func (c stagesConstraint) rows(known) []row {
	if c.p.MaxStages == 0 {
		return nil
	}
	return []row{{name: "stages", form: form{stage: 1}, bound: int64(c.p.MaxStages)}}
}

func (c stagesConstraint) add(b *builder) []solver.Constraint { return b.bounds(c.rows(b.known)) }
