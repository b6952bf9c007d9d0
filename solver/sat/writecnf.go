package sat

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"

	"partita/solver"
)

// CNF is the feasibility question of a model as a formula in DIMACS CNF, with the
// cutoff of its options as a clause where there is one: the model has such a point if
// and only if the formula is satisfiable. Clauses are not kept: they are made once to
// be counted and once more to be written.
type CNF struct {
	Variables, Clauses int
	Bytes              int64 // of the clauses as text
	m                  *solver.Model
	opts               solver.Options
	vars               []integer
}

// NewCNF counts the formula of a model. Unbounded variables, and a context that ends,
// are errors.
func NewCNF(ctx context.Context, m *solver.Model, opts solver.Options) (*CNF, error) {
	if m.Err() != nil {
		return nil, m.Err()
	}
	if cause := unsupported(m); cause != "" {
		return nil, fmt.Errorf("model %q as CNF: %s", m.Name(), cause)
	}
	c := &CNF{m: m, opts: opts}
	e, err := c.each(ctx, func(clause []lit) {
		c.Clauses++
		c.Bytes += 2
		for _, l := range clause {
			c.Bytes += width(l)
		}
	})
	if err != nil {
		return nil, err
	}
	c.Variables, c.vars = int(e.f.vars), e.vars
	return c, nil
}

// width is how long a literal is in DIMACS, with its blank.
func width(l lit) int64 {
	n := int64(2)
	if l < 0 {
		l, n = -l, n+1
	}
	for ; l >= 10; l /= 10 {
		n++
	}
	return n
}

// each makes every clause of the formula.
func (c *CNF) each(ctx context.Context, clause func([]lit)) (*encoding, error) {
	e := New().encode(ctx, c.m, nil, clause)
	if c.opts.Cutoff != nil && c.m.Objective().Sense != solver.NoObjective {
		l, possible := e.newObjective().below(e.f, *c.opts.Cutoff)
		switch {
		case !possible:
			clause(nil)
		case l != 0:
			clause([]lit{l})
		}
	}
	return e, ctx.Err()
}

// Literal is the number that stands for a Boolean of the model, negative for its
// complement; 0 for other variables.
func (c *CNF) Literal(v solver.Variable) int {
	x := &c.vars[v.Index()]
	if len(x.order) != 1 || x.lo != 0 {
		return 0
	}
	if v.Negated() {
		return -int(x.order[0])
	}
	return int(x.order[0])
}

// Write writes the formula. Comment lines map variables to literals: "c order x lo l1
// l2 …" means x = lo + the number of true literals, "c binary x lo l1 l2 …" means
// x = lo + Σ 2^(i-1)·li.
func (c *CNF) Write(ctx context.Context, w io.Writer) error {
	b := bufio.NewWriter(w)
	c.m.WriteComments(b, "c ")
	for i, x := range c.vars {
		kind, lits := "order", x.order
		if x.bits != nil {
			kind, lits = "binary", x.bits
		}
		fmt.Fprintf(b, "c %s %q %d", kind, c.m.Domain(i).Name, x.lo)
		for _, l := range lits {
			fmt.Fprintf(b, " %d", l)
		}
		fmt.Fprintln(b)
	}
	fmt.Fprintf(b, "p cnf %d %d\n", c.Variables, c.Clauses)
	var line []byte
	failed := false
	_, err := c.each(ctx, func(clause []lit) {
		if failed {
			return // the disk is full: the rest would only take time
		}
		line = line[:0]
		for _, l := range clause {
			line = append(strconv.AppendInt(line, int64(l), 10), ' ')
		}
		_, err := b.Write(append(line, '0', '\n'))
		failed = err != nil
	})
	if e := b.Flush(); e != nil {
		return e
	}
	return err
}

// WriteCNF writes the formula of a model: NewCNF and Write in one.
func WriteCNF(w io.Writer, m *solver.Model, opts solver.Options) error {
	c, err := NewCNF(context.Background(), m, opts)
	if err != nil {
		return err
	}
	return c.Write(context.Background(), w)
}
