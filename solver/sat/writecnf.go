package sat

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"partita/solver"
)

// WriteCNF writes the feasibility question of a model in DIMACS CNF, with the cutoff
// of opts as a clause where there is one: the model has such a point if and only if
// the formula is satisfiable. Comment lines map variables to literals: "c order x lo
// l1 l2 …" means x = lo + the number of true literals, "c binary x lo l1 l2 …" means
// x = lo + Σ 2^(i-1)·li.
func WriteCNF(w io.Writer, m *solver.Model, opts solver.Options) error {
	if m.Err() != nil {
		return m.Err()
	}
	if cause := unsupported(m); cause != "" {
		return fmt.Errorf("model %q as CNF: %s", m.Name(), cause)
	}
	var clauses [][]lit
	e := New().encode(context.Background(), m, nil, func(c []lit) {
		clauses = append(clauses, append([]lit(nil), c...))
	})
	if opts.Cutoff != nil && m.Objective().Sense != solver.NoObjective {
		l, possible := e.newObjective().below(e.f, *opts.Cutoff)
		switch {
		case !possible:
			clauses = append(clauses, nil)
		case l != 0:
			clauses = append(clauses, []lit{l})
		}
	}
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "c model %q\n", m.Name())
	for i, x := range e.vars {
		kind, lits := "order", x.order
		if x.bits != nil {
			kind, lits = "binary", x.bits
		}
		fmt.Fprintf(b, "c %s %q %d", kind, m.Domain(i).Name, x.lo)
		for _, l := range lits {
			fmt.Fprintf(b, " %d", l)
		}
		fmt.Fprintln(b)
	}
	fmt.Fprintf(b, "p cnf %d %d\n", e.f.vars, len(clauses))
	for _, c := range clauses {
		for _, l := range c {
			fmt.Fprintf(b, "%d ", l)
		}
		fmt.Fprintln(b, "0")
	}
	return b.Flush()
}
