package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"partita/formulation"
	"partita/formulation/encode"
	"partita/solver"
	"partita/solver/sat"
)

// parseTicks reads the number of --at-most, or what follows the word optimum there.
func parseTicks(text string, relative bool) (int64, error) {
	want := errors.New("want a whole number of ticks, optimum, or optimum-1")
	if relative && !strings.HasPrefix(text, "-") && !strings.HasPrefix(text, "+") {
		return 0, want
	}
	v, err := strconv.ParseInt(text, 10, 64)
	const most = 1 << 50 // far above any objective, and a sum with one stays in range
	if err != nil || v > most || v < -most {
		return 0, want
	}
	return v, nil
}

// modelText is one model in one format, made when it is first needed.
type modelText struct {
	outer  *formulation.OuterModel
	format string
	sparse bool
	atMost *int64 // of the objective, ticks

	model      *solver.Model
	candidates []formulation.Candidate
	cnf        *sat.CNF
}

// build makes the model, and for cnf counts its formula.
func (t *modelText) build(ctx context.Context) error {
	if t.model != nil {
		return nil
	}
	o := encode.ModelOptions{AtMost: t.atMost, Sparse: t.sparse, Ordered: t.format == formatOPB || t.format == formatCNF, Feasibility: t.format == formatCNF}
	var err error
	if t.model, t.candidates, err = t.outer.Integer(o); err == nil && t.format == formatCNF {
		t.cnf, err = sat.NewCNF(ctx, t.model, solver.Options{})
	}
	return err
}

// drop forgets the model: hundreds of them are written one after the other.
func (t *modelText) drop() { t.model, t.candidates, t.cnf = nil, nil, nil }

func (t *modelText) write(ctx context.Context, w io.Writer) error {
	switch t.format {
	case formatMPS:
		return t.model.WriteMPS(w)
	case formatOPB:
		return t.model.WriteOPB(w)
	case formatCNF:
		return t.cnf.Write(ctx, w)
	}
	return t.model.WriteLP(w)
}

// modelSize is what a model comes to. Clauses are those of a formula.
type modelSize struct {
	Variables int   `json:"variables"`
	Rows      int   `json:"rows"`
	Terms     int   `json:"terms"`
	Literals  int   `json:"formula_variables,omitempty"`
	Clauses   int   `json:"clauses,omitempty"`
	Bytes     int64 `json:"-"` // an estimate
}

func (s modelSize) String() string {
	text := fmt.Sprintf("%d variables, %d rows, %d terms", s.Variables, s.Rows, s.Terms)
	if s.Clauses > 0 {
		text += fmt.Sprintf(" as %d Booleans, %d clauses", s.Literals, s.Clauses)
	}
	return text
}

// size counts the model; Bytes is an estimate of its text from below.
func (t *modelText) size() modelSize {
	m := t.model
	s := modelSize{Variables: m.NumVariables(), Rows: m.NumConstraints(), Terms: m.NumTerms()}
	const coefficient, number = 5, 6 // characters of a coefficient and of a literal, at least
	switch t.format {
	case formatCNF:
		s.Literals, s.Clauses, s.Bytes = t.cnf.Variables, t.cnf.Clauses, t.cnf.Bytes
		return s
	case formatOPB:
		s.Bytes = int64(s.Terms) * (coefficient + number)
		return s
	}
	names := 0
	for i := range m.NumVariables() {
		names += len(m.Domain(i).Name)
	}
	s.Bytes = int64(s.Terms) * int64(coefficient+names/max(1, m.NumVariables()))
	return s
}

// numbers are, by candidate, the numbers that the format has in the place of names; nil
// where it has names.
func (t *modelText) numbers() ([]int, error) {
	if t.format != formatCNF && t.format != formatOPB {
		return nil, nil
	}
	out := make([]int, len(t.candidates))
	var first []int
	if t.format == formatOPB {
		var err error
		if first, err = t.model.OPBNumbers(); err != nil {
			return nil, err
		}
	}
	for i, c := range t.candidates {
		if t.format == formatCNF {
			out[i] = t.cnf.Literal(c.Variable)
		} else {
			out[i] = first[c.Variable.Index()]
		}
	}
	return out, nil
}

// limited fails once more than left bytes were written through it, all writers of a
// set together.
type limited struct {
	w    io.Writer
	left *int64
	size string
}

func (l *limited) Write(p []byte) (int, error) {
	if *l.left -= int64(len(p)); *l.left < 0 {
		return 0, &tooLargeError{l.size}
	}
	return l.w.Write(p)
}

// tooLargeError: more than --max-size would be written.
type tooLargeError struct{ size string }

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("the text is larger than --max-size %s", e.size)
}
