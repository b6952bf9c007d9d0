package solver_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partita/solver"
)

// TestReadSolution: what solvers print, as they print it.
func TestReadSolution(t *testing.T) {
	known := func(name string) bool { return name == "stage_0_3" || name == "stage_4_7" || name == "J" }
	for name, row := range map[string]struct {
		text string
		want solver.Solution
	}{
		"lp_solve": {`
Value of objective function: 12.00000000

Actual values of the variables:
stage_0_3                       0
stage_4_7                       1

Improved solution being stored

Actual values of the variables:
stage_0_3                       1
stage_4_7                       0
J                     1.23457e+06

Actual values of the constraints:
J                               7

Dual values with from - till limits:
stage_4_7                       1              -1         1234567
`, solver.Solution{Named: map[string]float64{"stage_0_3": 1, "stage_4_7": 0, "J": 1.23457e6}}},
		"CBC": {"Optimal - objective value 12.0\n      0 stage_0_3    1    3\n      2 J    12    1\n",
			solver.Solution{Named: map[string]float64{"stage_0_3": 1, "J": 12}}},
		"GLPK": {`     1 path_start                  1             1
   No. Column name       Activity     Lower bound   Upper bound
     1 stage_0_3
                    *              1             0             1
     3 J            *             12             0
Integer feasibility conditions:
`, solver.Solution{Named: map[string]float64{"stage_0_3": 1, "J": 12}}},
		"HiGHS":           {"Model status\nOptimal\n\n# Columns 2\nstage_0_3 1\nJ 12\n", solver.Solution{Named: map[string]float64{"stage_0_3": 1, "J": 12}}},
		"DIMACS":          {"c x\ns SATISFIABLE\nv 1 -2\nv 3 0\n", solver.Solution{Numbered: map[int]bool{1: true, 2: false, 3: true}}},
		"OPB":             {"o 3\nv x1 -x2\no 1\nv -x1 x2\ns OPTIMUM FOUND\n", solver.Solution{Numbered: map[int]bool{1: false, 2: true}}},
		"MiniSat":         {"SAT\n-1 2 0\n", solver.Solution{Numbered: map[int]bool{1: false, 2: true}}},
		"lp_solve none":   {"\nThis problem is infeasible\n", solver.Solution{Infeasible: true}},
		"CBC none":        {"Infeasible - objective value 1.0\n  0 stage_0_3  0.5  0\n", solver.Solution{Infeasible: true}},
		"MiniSat none":    {"UNSAT\n", solver.Solution{Infeasible: true}},
		"SAT none, CRLF":  {"s UNSATISFIABLE\r\n", solver.Solution{Infeasible: true}},
		"value no number": {"stage_0_3 soon 1\nJ 2\n", solver.Solution{Named: map[string]float64{"J": 2}}},
	} {
		got, err := solver.ReadSolution(strings.NewReader(row.text), known)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(row.want, *got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for _, text := range []string{"", "s UNKNOWN\n", "Optimal\n", "stage_0_3", "v\n", "stage_0_3 NaN"} {
		if got, err := solver.ReadSolution(strings.NewReader(text), known); !errors.Is(err, solver.ErrNoSolution) {
			t.Errorf("%q: %+v, %v: want that there is none", text, got, err)
		}
	}
}

// FuzzReadSolution: whatever a file holds, reading it ends, and infinities stay out.
func FuzzReadSolution(f *testing.F) {
	f.Add("SAT\n1 -2 0\nv x3\nstage 1e999\n")
	f.Add("Actual values of the variables:\nstage\n* 1\nInfeasible")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := solver.ReadSolution(strings.NewReader(text), func(name string) bool { return name == "stage" })
		if err == nil && !s.Infeasible && len(s.Named)+len(s.Numbered) == 0 {
			t.Errorf("no error, and nothing in it")
		}
	})
}
