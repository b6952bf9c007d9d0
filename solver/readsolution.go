package solver

import (
	"bufio"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
)

// Solution is what another solver printed about a model that was written as text.
type Solution struct {
	// Infeasible: it says that the model has no solution.
	Infeasible bool
	// Named are values by name of the variable; those that are 0 may be left out.
	Named map[string]float64
	// Numbered are the variables of a formula (CNF, OPB) by their number.
	Numbered map[int]bool
}

// ErrNoSolution says that a text holds neither values nor the word that there are none.
var ErrNoSolution = errors.New("no solution in it: neither values of the model's variables nor the word that there are none")

// infeasibleMarks begin the line by which a solver says so: lp_solve, CBC and HiGHS,
// GLPK, SCIP, MiniSat.
var infeasibleMarks = []string{
	"This problem is infeasible", "Infeasible", "Integer infeasible", "PROBLEM HAS NO PRIMAL FEASIBLE", "PROBLEM HAS NO INTEGER FEASIBLE",
	"Status:     INTEGER EMPTY", "Status:     INTEGER INFEASIBLE", "Model status        : Infeasible", "solution status: infeasible",
	"s UNSATISFIABLE", "UNSATISFIABLE", "UNSAT",
}

// ReadSolution reads what solvers print: the lists of names and values of lp_solve, CBC,
// GLPK, HiGHS, Gurobi and SCIP (names as known has them), and the v lines of the SAT
// and pseudo-Boolean competitions, MiniSat's result file included. Of several solutions
// the last counts.
func ReadSolution(r io.Reader, known func(name string) bool) (*Solution, error) {
	s := &solutionReader{known: known, named: true}
	b := bufio.NewReader(r)
	for {
		line, err := b.ReadString('\n')
		s.line(strings.TrimRight(line, "\r\n"))
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if s.Infeasible && s.Numbered == nil {
		// CBC lists values with it: those of a relaxation.
		s.Named = nil
	} else if len(s.Named) == 0 && len(s.Numbered) == 0 {
		return nil, ErrNoSolution
	}
	return &s.Solution, nil
}

type solutionReader struct {
	Solution
	known   func(string) bool
	pending string // a known name whose value is still to come
	named   bool   // names and values are read
	bare    bool   // a line of literals follows without a v
}

func (s *solutionReader) line(line string) {
	for _, mark := range infeasibleMarks {
		s.Infeasible = s.Infeasible || strings.HasPrefix(line, mark)
	}
	switch {
	case s.bare, line == "v", strings.HasPrefix(line, "v "):
		s.literals(strings.TrimPrefix(line, "v"))
		s.bare = false
	case line == "SAT":
		s.bare = true
	case strings.HasPrefix(line, "c "):
	case strings.HasPrefix(line, "Actual values of the variables"):
		s.named, s.Named = true, nil
	case strings.HasPrefix(line, "Actual values of the constraints"), strings.HasPrefix(line, "Dual value"), strings.HasPrefix(line, "Objective function limits"):
		s.named = false // lp_solve lists the same names with other figures
	case s.named:
		s.values(line)
	}
}

func (s *solutionReader) literals(line string) {
	for word := range strings.FieldsSeq(line) {
		value := true
		if rest, negative := strings.CutPrefix(word, "-"); negative {
			word, value = rest, false
		} else if rest, negative := strings.CutPrefix(word, "~"); negative {
			word, value = rest, false
		}
		n, err := strconv.Atoi(strings.TrimPrefix(word, "x"))
		if err != nil || n <= 0 {
			continue // the 0 at the end
		}
		if s.Numbered == nil {
			s.Numbered = map[int]bool{}
		}
		s.Numbered[n] = value
	}
}

// values reads "… name … value …" out of a line. GLPK puts the value of a long name on
// the next line and a mark before it.
func (s *solutionReader) values(line string) {
	for word := range strings.FieldsSeq(line) {
		if s.known(word) {
			s.pending = word
			continue
		}
		if s.pending == "" || word == "*" {
			continue
		}
		v, err := strconv.ParseFloat(word, 64)
		if err == nil && !math.IsNaN(v) && !math.IsInf(v, 0) {
			if s.Named == nil {
				s.Named = map[string]float64{}
			}
			s.Named[s.pending] = v
		}
		s.pending = ""
	}
}
