package solver

import (
	"bufio"
	"fmt"
	"io"
	"math/bits"
	"strings"
)

// WriteOPB writes the model in the format of the pseudo-Boolean competitions: x1, x2,
// … are 0 or 1, rows are ≥ or =, the objective is minimised. A bounded integer becomes
// its bits, a maximum the negative of a minimum, a constant in the objective a
// comment; comment lines map the variables. Unbounded variables are an error.
func (m *Model) WriteOPB(w io.Writer) error {
	if m.err != nil {
		return m.err
	}
	var head, body strings.Builder
	o := opb{m: m}
	var err error
	if o.first, o.variables, err = m.opbNumbers(); err != nil {
		return err
	}
	for i, d := range m.domains {
		fmt.Fprintf(&head, "* %q = %d", d.Name, d.Lo)
		for j := range bits.Len64(uint64(d.Hi - d.Lo)) {
			fmt.Fprintf(&head, " %+d x%d", int64(1)<<j, o.first[i]+j)
		}
		head.WriteByte('\n')
	}
	sign := int64(1)
	if m.objective.Sense == Max {
		sign = -1
	}
	if m.objective.Sense != NoObjective {
		terms, offset := o.expand(m.objective.Terms, sign)
		fmt.Fprintf(&head, "* objective = %d·(minimum + %d)\n", sign, offset+sign*m.objective.Constant)
		fmt.Fprintf(&body, "min:%s ;\n", terms)
	}
	for i, d := range m.domains {
		if d.Hi-d.Lo != 1<<bits.Len64(uint64(d.Hi-d.Lo))-1 {
			o.row(&body, []Coef{{i, 1}}, NoLower, d.Hi)
		}
	}
	for _, r := range m.Rows() {
		o.row(&body, r.Terms, r.Lo, r.Hi)
	}
	if _, clash := m.Contradiction(); clash {
		o.variables = max(o.variables, 1)
		o.rows++
		body.WriteString("+1 x1 >= 2 ;\n")
	}
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "* #variable= %d #constraint= %d\n", o.variables, o.rows)
	m.comments(b, "* ", "")
	b.WriteString(head.String())
	b.WriteString(body.String())
	return b.Flush()
}

// OPBNumbers are, by variable, the number of the Boolean that has its lowest bit in the
// text of WriteOPB: of a Boolean the one that stands for it.
func (m *Model) OPBNumbers() ([]int, error) {
	first, _, err := m.opbNumbers()
	return first, err
}

func (m *Model) opbNumbers() (first []int, variables int, err error) {
	first = make([]int, len(m.domains))
	for i, d := range m.domains {
		if !d.Bounded() || d.Hi-d.Lo < 0 {
			return nil, 0, fmt.Errorf("model %q as OPB: variable %q has no bound; give Int a range", m.name, d.Name)
		}
		first[i] = variables + 1
		variables += bits.Len64(uint64(d.Hi - d.Lo))
	}
	return first, variables, nil
}

type opb struct {
	m         *Model
	first     []int // by variable: number of its lowest bit
	variables int
	rows      int
}

// expand writes sign·Σ terms as bits and the constant that their lower bounds make.
func (o *opb) expand(terms []Coef, sign int64) (string, int64) {
	var b strings.Builder
	offset := int64(0)
	for _, t := range terms {
		d, c := o.m.domains[t.Var], sign*t.Value
		offset += c * d.Lo
		for j := range bits.Len64(uint64(d.Hi - d.Lo)) {
			fmt.Fprintf(&b, " %+d x%d", c<<j, o.first[t.Var]+j)
		}
	}
	return b.String(), offset
}

func (o *opb) row(b *strings.Builder, terms []Coef, lo, hi int64) {
	write := func(sign, side int64, relation string) {
		sum, offset := o.expand(terms, sign)
		if sum == "" { // only fixed variables
			if relation == ">=" && 0 >= side-offset || side == offset {
				return
			}
			o.variables = max(o.variables, 1)
			sum, relation, side, offset = " +1 x1", ">=", 2, 0
		}
		o.rows++
		fmt.Fprintf(b, "%s %s %d ;\n", strings.TrimPrefix(sum, " "), relation, side-offset)
	}
	if lo == hi {
		write(1, lo, "=")
		return
	}
	if lo != NoLower {
		write(1, lo, ">=")
	}
	if hi != NoUpper {
		write(-1, -hi, ">=")
	}
}
