package encode

import (
	"fmt"

	"partita/solver"
	"partita/solver/path"
)

// pathConstraint is equation (1): exactly one path from the first boundary to the
// last, so that every layer is on exactly one stage.
//
//	Σ x_c leaving node 0 = 1          Σ x_c into v = Σ x_c out of v   for every other node v
//
// With builder.visits each node v has a Boolean y_v (v_… by name), and both sums equal it: rows
// "exactly one of" instead of differences, which a SAT encoding takes as they are.
type pathConstraint struct{ p *path.Problem }

func (c pathConstraint) label() string { return "path" }

// Explain is the constraint as a sentence.
func (c pathConstraint) Explain() string {
	return fmt.Sprintf("the stages follow on from each other and cover each of the %d layers once", c.p.Boundaries-1)
}

func (c pathConstraint) add(b *builder) []solver.Constraint {
	in, out, diff := make([]solver.Expr, b.n.nodes), make([]solver.Expr, b.n.nodes), make([]solver.Expr, b.n.nodes)
	for i, j := range b.arcs {
		a := &b.n.arcs[j]
		out[a.from], diff[a.from] = out[a.from].Add(1, b.x[i]), diff[a.from].Add(-1, b.x[i])
		in[a.to], diff[a.to] = in[a.to].Add(1, b.x[i]), diff[a.to].Add(1, b.x[i])
	}
	rows := []solver.Constraint{b.m.Equal("path_start", out[0], 1)}
	for v := 1; v < b.n.nodes-1; v++ {
		switch {
		case diff[v].Len() == 0:
		case b.visits:
			y := b.m.Bool(fmt.Sprintf("v_%d", v))
			rows = append(rows,
				b.m.Equal(fmt.Sprintf("path_in_%d", v), in[v].Add(1, y.Not()), 1),
				b.m.Equal(fmt.Sprintf("path_out_%d", v), out[v].Add(1, y.Not()), 1))
		default:
			rows = append(rows, b.m.Equal(fmt.Sprintf("path_%d", v), diff[v], 0))
		}
	}
	if b.visits {
		rows = append(rows, b.m.Equal("path_end", in[b.n.nodes-1], 1))
	}
	return rows
}
