package encode_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"partita/formulation/encode"
	"partita/solver"
	"partita/solver/path"
	"partita/solver/path/pathtest"
	"partita/solver/sat"
	"partita/solver/solvertest"
)

// A refutation is what "optimal" rests on. The tests of this file have other programs
// repeat those of our backends on random problems, 40 or PARTITA_PROOFS:
//
//	SAT   a cutoff that gini refutes is refuted by CaDiCaL on the clauses that gini
//	      had, with a proof that solvertest.CheckProof checks step by step
//	core  the rows that gini names as clashing do so by themselves: the same again,
//	      with the other rows left out
//	ILP   the whole model under that cutoff has no solution for GLPK or CBC
//	box   each box that lp_solve calls infeasible in a search is so for GLPK

// refutations calls f with problems and their optimum, if they have a solution.
func refutations(t *testing.T, f func(seed uint64, p *path.Problem, best int64, ok bool)) {
	for seed := range count(t, "PARTITA_PROOFS", 40) {
		p := pathtest.Random(pathtest.Seeded(seed + 1<<20))
		_, v, ok := path.BruteForce(p)
		f(seed, p, v.Objective, ok)
	}
}

// written is a model in a file of the given format.
func written(t *testing.T, m *solver.Model, format string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "model."+format)
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	write := map[string]func(io.Writer) error{
		"mps": m.WriteMPS,
		"cnf": func(w io.Writer) error { return sat.WriteCNF(w, m, solver.Options{}) },
	}
	if err := write[format](f); err != nil {
		t.Fatal(err)
	}
	return file
}

// infeasible asks another program.
func infeasible(t *testing.T, m *solver.Model, tool, format string) bool {
	t.Helper()
	names := map[string]bool{}
	for i := range m.NumVariables() {
		names[m.Domain(i).Name] = true
	}
	return solvertest.RunTool(t, tool, written(t, m, format), func(name string) bool { return names[name] }).Infeasible
}

// decided is what the backend says of the whole model up to a value; nil: of any value.
func decided(t *testing.T, p *path.Problem, b solver.Backend, most *int64, ordered bool) (*solver.Model, bool) {
	t.Helper()
	m, _, err := encode.WholeModel(p, encode.ModelOptions{Ordered: ordered, AtMost: most, Feasibility: true})
	if err != nil {
		t.Fatal(err)
	}
	r, err := solver.Decide(t.Context(), m, b)
	if err != nil || r.Status != solver.Optimal && r.Status != solver.Infeasible {
		t.Fatalf("%s: %v (%s), %v", b.Name(), r.Status, r.RawStatus, err)
	}
	return m, r.Status == solver.Infeasible
}

// TestRefutationsBySAT: gini's word for the cutoff below the optimum is proved, and so is
// that of the rows that it blames.
func TestRefutationsBySAT(t *testing.T) {
	solvertest.Tool(t, "cadical")
	refuted, cores := 0, 0
	refutations(t, func(seed uint64, p *path.Problem, best int64, ok bool) {
		var most *int64
		if ok {
			if _, empty := decided(t, p, sat.New(), &best, true); empty {
				t.Fatalf("seed %d: gini refutes the optimum %d", seed, best)
			}
			below := best - 1
			most = &below
		}
		m, empty := decided(t, p, sat.New(), most, true)
		if !empty || !infeasible(t, m, "cadical", "cnf") {
			t.Fatalf("seed %d: below %d: gini refutes: %v", seed, best, empty)
		}
		refuted++
		var rows []solver.Constraint
		for c := range m.Rows() {
			rows = append(rows, c)
		}
		if c, clash := m.Contradiction(); clash {
			rows = append(rows, c)
		}
		core, err := sat.New().Conflict(t.Context(), m, rows)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if !infeasible(t, restricted(m, core), "cadical", "cnf") {
			t.Errorf("seed %d: the %d rows that gini blames do not clash", seed, len(core))
		}
		if len(core) < len(rows) {
			cores++
		}
	})
	if refuted == 0 || cores == 0 {
		t.Errorf("%d refutations, %d cores smaller than the model", refuted, cores)
	}
}

// restricted is the model with some of its rows only, and without objective.
func restricted(m *solver.Model, rows []solver.Constraint) *solver.Model {
	part := solver.New("core")
	for i := range m.NumVariables() {
		d := m.Domain(i)
		part.Int(d.Name, d.Lo, d.Hi)
	}
	for _, c := range rows {
		r := m.Row(c)
		var e solver.Expr
		for _, term := range r.Terms {
			e = e.Add(term.Value, part.Variable(term.Var))
		}
		part.Between(r.Name, e, r.Lo, r.Hi)
	}
	return part
}

// TestRefutationsByILP: the cutoff below the optimum, over the whole model.
func TestRefutationsByILP(t *testing.T) {
	for _, tool := range []string{"glpsol", "cbc"} {
		t.Run(tool, func(t *testing.T) {
			solvertest.Tool(t, tool)
			refutations(t, func(seed uint64, p *path.Problem, best int64, ok bool) {
				at := func(most int64) bool {
					m, _, err := encode.WholeModel(p, encode.ModelOptions{AtMost: &most})
					if err != nil {
						t.Fatal(err)
					}
					return infeasible(t, m, tool, "mps")
				}
				if ok && at(best) {
					t.Errorf("seed %d: %s refutes the optimum %d", seed, tool, best)
				}
				if !at(best - 1) {
					t.Errorf("seed %d: %s finds a path below %d (%v)", seed, tool, best, ok)
				}
			})
		})
	}
}

// second has GLPK repeat what a backend calls infeasible.
type second struct {
	solver.Backend
	t       *testing.T
	refuted int
}

func (s *second) Solve(ctx context.Context, m *solver.Model, opts solver.Options) (solver.Result, error) {
	r, err := s.Backend.Solve(ctx, m, opts)
	if err != nil || r.Status != solver.Infeasible {
		return r, err
	}
	s.refuted++
	if _, clash := m.Contradiction(); !clash && m.NumVariables() > 0 && !infeasible(s.t, m, "glpsol", "mps") {
		s.t.Errorf("model %q with %d variables: %s says infeasible, GLPK has a solution", m.Name(), m.NumVariables(), s.Name())
	}
	return r, err
}

// TestRefutedBoxes: lp_solve's part of the parametric proof.
func TestRefutedBoxes(t *testing.T) {
	solvertest.Tool(t, "glpsol")
	list := backends(t)
	b := &second{Backend: list[len(list)-1], t: t}
	if b.Name() == "sat" {
		t.Skip("lp_solve is not linked in")
	}
	refutations(t, func(seed uint64, p *path.Problem, best int64, ok bool) {
		r, err := encode.Solve(t.Context(), p, b, encode.Options{})
		if err != nil || ok && r.Value.Objective != best || ok != (r.Status == solver.Optimal) {
			t.Errorf("seed %d: %+v, %v; want %d, %v", seed, r, err, best, ok)
		}
	})
	p, want := many(t)
	if r, err := encode.Solve(t.Context(), p, b, encode.Options{}); err != nil || r.Value.Objective != want {
		t.Errorf("%+v, %v; want %d", r, err, want)
	}
	if b.refuted < 5 {
		t.Errorf("only %d boxes were refuted by lp_solve", b.refuted)
	}
	t.Logf("%d boxes refuted by lp_solve, each by GLPK too", b.refuted)
}
