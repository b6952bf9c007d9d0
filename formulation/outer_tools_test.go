package formulation_test

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"partita/formulation"
	"partita/formulation/encode"
	"partita/solver"
	"partita/solver/sat"
	"partita/solver/solvertest"
)

// TestOtherSolversAgree has other solvers read the models of random conditions as text:
// each finds the optimum that solving alone finds, or that there is none. The tick is
// what the search chose, so that figures are as large as those of real conditions.
// A solver may say that its arithmetic fails on a model, as lp_solve does on some: that is
// no answer. It counts for nothing, GLPK has to answer instead, and it must be rare.
func TestOtherSolversAgree(t *testing.T) {
	lp, sparse, ordered := encode.ModelOptions{}, encode.ModelOptions{Sparse: true}, encode.ModelOptions{Ordered: true}
	for _, row := range []struct {
		tool, format string
		form         encode.ModelOptions
	}{
		{"lp_solve", "lp", lp}, {"lp_solve", "mps", lp}, {"glpsol", "mps", lp}, {"cbc", "mps", lp},
		{"glpsol", "mps", sparse}, {"cbc", "mps", sparse}, {"cadical", "cnf", ordered}, {"minisat", "cnf", ordered}, {"clasp", "opb", ordered},
	} {
		name := row.tool + "." + row.format
		if row.form.Sparse {
			name += ".sparse"
		}
		t.Run(name, func(t *testing.T) {
			solvertest.Tool(t, row.tool)
			solved, refuted, unanswered := 0, 0, 0
			for seed := uint64(0); solved < 12 || refuted < 2; seed++ {
				f, err := formulation.Formulate(t.Context(), smallCondition(t, seed), formulation.Options{Backend: "labels"})
				if err != nil {
					t.Fatal(err)
				}
				every, _, err := f.Every(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range every[:min(len(every), 3)] {
					want, _, ok := solvedAlone(t, m, lp)
					what := fmt.Sprintf("seed %d, %s", seed, m.Outer())
					switch {
					case !agree(t, what, row.tool, row.format, m, row.form, want, ok):
						t.Logf("%s: %s gives up", what, row.tool)
						if unanswered++; unanswered > mayGiveUp {
							t.Fatalf("%s gives up on %d models, and answers %d", row.tool, unanswered, solved+refuted)
						}
						if !agree(t, what, "glpsol", "mps", m, row.form, want, ok) {
							t.Errorf("%s: nobody answers", what)
						}
					case ok:
						solved++
					default:
						refuted++
					}
				}
			}
		})
	}
}

// mayGiveUp is on how many models a solver's arithmetic may fail until it has answered on
// enough others.
const mayGiveUp = 3

// agree has a solver read one model; want is its optimum where it has a solution. It reports
// whether the solver answers.
func agree(t *testing.T, what, tool, format string, m *formulation.OuterModel, o encode.ModelOptions, want int64, has bool) bool {
	t.Helper()
	if format == "cnf" {
		// The bound is part of the formula: with the optimum it can be satisfied, below it
		// not. Of a model without solution there is one formula, without a bound.
		o.Feasibility = true
		if has {
			below := want - 1
			o.AtMost = &below
			if p, answered := toolOn(t, tool, format, m, o); !answered {
				return false
			} else if !p.Infeasible {
				t.Errorf("%s: %s finds a plan below the optimum %d", what, tool, want)
			}
			o.AtMost = &want
		}
	}
	p, answered := toolOn(t, tool, format, m, o)
	switch {
	case !answered:
		return false
	case p.Infeasible == has:
		t.Errorf("%s: a solution: %v, %s says %v", what, has, tool, !p.Infeasible)
	case !has || format == "cnf":
	case format == "opb": // what it minimises is J less a constant: the plan says what it is worth
		im, candidates, err := m.Integer(o)
		if err != nil {
			t.Fatal(err)
		}
		numbers, err := im.OPBNumbers()
		if err != nil {
			t.Fatal(err)
		}
		var chosen []formulation.Candidate
		for _, c := range candidates {
			if p.Numbered[numbers[c.Variable.Index()]] {
				chosen = append(chosen, c)
			}
		}
		if r, err := m.Restore(t.Context(), chosen); err != nil || r.Ticks != want {
			t.Errorf("%s: optimum %d, %s has %+v, %v", what, want, tool, r, err)
		}
	case !p.HasObjective || math.Abs(p.Objective-float64(want)) > 0.5:
		t.Errorf("%s: optimum %d, %s says %g", what, want, tool, p.Objective)
	}
	return true
}

func toolOn(t *testing.T, tool, format string, m *formulation.OuterModel, o encode.ModelOptions) (solvertest.Printed, bool) {
	t.Helper()
	im, candidates, err := m.Integer(o)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, c := range candidates {
		names[c.Name] = true
	}
	file := filepath.Join(t.TempDir(), "model."+format)
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	write := map[string]func(io.Writer) error{
		"lp": im.WriteLP, "mps": im.WriteMPS, "opb": im.WriteOPB,
		"cnf": func(w io.Writer) error { return sat.WriteCNF(w, im, solver.Options{}) },
	}
	if err := write[format](f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return solvertest.AskTool(t, tool, file, func(name string) bool { return names[name] })
}
