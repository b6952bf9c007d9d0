package encode

import (
	"fmt"
	"strings"

	"partita/solver"
	"partita/solver/path"
)

// countConstraint is equation (2): the stages use up a resource that is counted
// exactly, and no more than there is of any other.
//
//	Σ q_c·x_c = N_r   over the arcs of resource r     (≤ N_r where r is not exact)
type countConstraint struct{ p *path.Problem }

func (c countConstraint) label() string { return "count" }

// Explain is the constraint as a sentence.
func (c countConstraint) Explain() string {
	parts := make([]string, len(c.p.Resources))
	for r, res := range c.p.Resources {
		how := "at most"
		if res.Exact {
			how = "exactly"
		}
		parts[r] = fmt.Sprintf("%s %d of resource %d", how, res.Capacity, r)
	}
	return "the stages use " + strings.Join(parts, ", ")
}

func (c countConstraint) rows(known) []row {
	var rows []row
	for r, res := range c.p.Resources {
		f := form{unit: make([]int64, len(c.p.Resources))}
		f.unit[r] = 1
		rows = append(rows, row{name: fmt.Sprintf("count_%d", r), form: f, bound: int64(res.Capacity), equal: res.Exact})
	}
	return rows
}

func (c countConstraint) add(b *builder) []solver.Constraint { return b.bounds(c.rows(b.known)) }
