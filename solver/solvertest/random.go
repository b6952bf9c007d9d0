package solvertest

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"partita/solver"
	"partita/solver/bruteforce"
)

// RandomModel draws a model small enough for exhaustive search: up to ten variables,
// mostly Boolean, with clauses, choices, cardinalities, general rows and an objective
// in either sense or none.
func RandomModel(t *rapid.T) *solver.Model {
	m := solver.New("random")
	n := rapid.IntRange(1, 10).Draw(t, "variables")
	vars := make([]solver.Variable, n)
	var booleans []solver.Variable
	wide := 0
	for i := range vars {
		name := fmt.Sprintf("x%d", i)
		switch {
		// Few wide ones: their product is what exhaustive search pays for.
		case wide < 1 && rapid.IntRange(0, 9).Draw(t, "wide") == 0:
			lo := rapid.Int64Range(-50, 10).Draw(t, "lo")
			vars[i] = m.Int(name, lo, lo+rapid.Int64Range(30, 70).Draw(t, "range"))
			wide++
		case wide < 3 && rapid.IntRange(0, 4).Draw(t, "integer") == 0:
			lo := rapid.Int64Range(-4, 4).Draw(t, "lo")
			vars[i] = m.Int(name, lo, lo+rapid.Int64Range(0, 6).Draw(t, "range"))
			wide++
		default:
			vars[i] = m.Bool(name)
			booleans = append(booleans, vars[i])
		}
	}
	for r := range rapid.IntRange(0, 6).Draw(t, "rows") {
		addRow(t, m, fmt.Sprintf("r%d", r), vars, booleans)
	}
	scale := rapid.SampledFrom([]int64{5, 30, 1_000_000}).Draw(t, "scale")
	switch rapid.IntRange(0, 4).Draw(t, "sense") {
	case 0:
	case 1, 2:
		m.Minimize(expression(t, vars, scale).Plus(rapid.Int64Range(-9, 9).Draw(t, "constant")))
	default:
		m.Maximize(expression(t, vars, scale))
	}
	return m
}

func addRow(t *rapid.T, m *solver.Model, name string, vars, booleans []solver.Variable) {
	kind := rapid.IntRange(0, 7).Draw(t, "kind")
	if kind <= 4 && len(booleans) == 0 {
		return
	}
	switch kind {
	case 0:
		m.AddClause(name, literals(t, booleans)...)
	case 1:
		m.AtMost(name, solver.Sum(literals(t, booleans)...), 1)
	case 2:
		m.Equal(name, solver.Sum(literals(t, booleans)...), 1)
	case 3:
		m.AtLeast(name, solver.Sum(literals(t, booleans)...), rapid.Int64Range(0, 4).Draw(t, "least"))
	case 4:
		lo := rapid.Int64Range(-1, 5).Draw(t, "least")
		m.Between(name, solver.Sum(literals(t, booleans)...), lo, lo+rapid.Int64Range(0, 2).Draw(t, "width"))
	case 5:
		m.AtMost(name, expression(t, vars, 12), rapid.Int64Range(-20, 60).Draw(t, "bound"))
	case 6:
		m.AtLeast(name, expression(t, vars, 100_000), rapid.Int64Range(-200_000, 200_000).Draw(t, "bound"))
	case 7:
		m.Equal(name, expression(t, vars, 4), rapid.Int64Range(-6, 12).Draw(t, "bound"))
	}
}

func literals(t *rapid.T, booleans []solver.Variable) []solver.Variable {
	var out []solver.Variable
	for range rapid.IntRange(0, 8).Draw(t, "literals") {
		v := rapid.SampledFrom(booleans).Draw(t, "variable")
		if rapid.IntRange(0, 3).Draw(t, "not") == 0 {
			v = v.Not()
		}
		out = append(out, v)
	}
	return out
}

func expression(t *rapid.T, vars []solver.Variable, scale int64) solver.Expr {
	var e solver.Expr
	for range rapid.IntRange(0, 12).Draw(t, "terms") {
		e = e.Add(rapid.Int64Range(-scale/2, scale).Draw(t, "coefficient"), rapid.SampledFrom(vars).Draw(t, "variable"))
	}
	return e
}

// RandomPath draws a small path model with a side constraint on the number of stages.
func RandomPath(t *rapid.T) *solver.Model {
	f := Family{
		Layers:  rapid.IntRange(1, 7).Draw(t, "layers"),
		Pools:   rapid.IntRange(1, 2).Draw(t, "pools"),
		Units:   rapid.IntRange(1, 3).Draw(t, "units"),
		Degrees: rapid.SampledFrom([][]int{{1}, {1, 2}}).Draw(t, "degrees"),
		Seed:    rapid.Uint32().Draw(t, "seed"),
	}
	m := f.Model()
	var stages solver.Expr
	for i := range m.NumVariables() {
		stages = stages.Add(1, m.Variable(i))
	}
	m.AtMost("stages", stages, int64(rapid.IntRange(1, 6).Draw(t, "stages")))
	return m
}

// random compares a backend with exhaustive search on models drawn at random.
func random(t *testing.T, b solver.Backend, draw func(*rapid.T) *solver.Model) {
	oracle := bruteforce.New()
	rapid.Check(t, func(rt *rapid.T) {
		m := draw(rt)
		want, err := oracle.Solve(t.Context(), m, solver.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		got, err := solver.Solve(withPatience(t), m, b, solver.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		if got.Status != want.Status || got.Point != want.Point {
			rt.Fatalf("%v, %v (%s); exhaustive search says %v", got.Status, got.Point, got.RawStatus, want.Status)
		}
		if want.Point == solver.NoSolution {
			return
		}
		if _, violations := m.Check(got.Incumbent); len(violations) > 0 {
			rt.Fatalf("infeasible incumbent: %v", violations)
		}
		if m.Objective().Sense != solver.NoObjective && got.Objective != want.Objective {
			rt.Fatalf("objective %d, exhaustive search %d", got.Objective, want.Objective)
		}
	})
}
