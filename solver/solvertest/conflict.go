package solvertest

import (
	"context"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"partita/solver"
	"partita/solver/bruteforce"
)

// conflicts: a named conflict must clash, and no proper part of it may.
func conflicts(t *testing.T, b solver.Conflicter) {
	if _, err := b.Conflict(withPatience(t), choices(), nil); !errors.Is(err, solver.ErrNoConflict) {
		t.Errorf("Conflict of a feasible model: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Conflict(ctx, choices(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Conflict under a cancelled context: %v", err)
	}
	oracle := bruteforce.New()
	rapid.Check(t, func(rt *rapid.T) {
		m := RandomModel(rt)
		var rows, groups []solver.Constraint
		for c := range m.Rows() {
			rows = append(rows, c)
		}
		if c, clash := m.Contradiction(); clash {
			rows = append(rows, c)
		}
		for _, c := range rows {
			if rapid.Bool().Draw(rt, "group") {
				groups = append(groups, c)
			}
		}
		core, err := b.Conflict(withPatience(t), m, groups)
		feasible := satisfiable(t, oracle, m, rows, nil)
		if feasible != errors.Is(err, solver.ErrNoConflict) {
			rt.Fatalf("feasible %v, Conflict says %v", feasible, err)
		}
		if feasible {
			return
		}
		if err != nil {
			rt.Fatal(err)
		}
		in := make(map[solver.Constraint]bool)
		for _, c := range core {
			in[c] = true
		}
		var dropped []solver.Constraint // groups outside the conflict
		for _, c := range groups {
			if !in[c] {
				dropped = append(dropped, c)
			}
		}
		if satisfiable(t, oracle, m, rows, dropped) {
			rt.Fatalf("%v do not clash", core)
		}
		for _, c := range core {
			if !satisfiable(t, oracle, m, rows, append(dropped[:len(dropped):len(dropped)], c)) {
				rt.Fatalf("%v: %q is not needed", core, c.Name())
			}
		}
	})
}

// satisfiable decides the model with only those of rows that are not dropped.
func satisfiable(t *testing.T, oracle solver.Backend, m *solver.Model, rows, dropped []solver.Constraint) bool {
	t.Helper()
	out := make(map[solver.Constraint]bool)
	for _, c := range dropped {
		out[c] = true
	}
	part := solver.New("part")
	for i := range m.NumVariables() {
		part.Int(m.Domain(i).Name, m.Domain(i).Lo, m.Domain(i).Hi)
	}
	for _, c := range rows {
		if out[c] {
			continue
		}
		r := m.Row(c)
		var e solver.Expr
		for _, term := range r.Terms {
			e = e.Add(term.Value, part.Variable(term.Var))
		}
		part.Between(r.Name, e, r.Lo, r.Hi)
	}
	r, err := oracle.Solve(t.Context(), part, solver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r.Point == solver.Feasible
}
