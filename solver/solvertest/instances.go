package solvertest

import (
	"fmt"

	"partita/solver"
)

// instance is a model with a known answer.
type instance struct {
	name      string
	build     func() *solver.Model
	status    solver.Status
	objective int64
}

func instances() []instance {
	return []instance{
		{"empty model", func() *solver.Model { return solver.New("empty") }, solver.Optimal, 0},
		{"constant objective", func() *solver.Model {
			m := solver.New("constant")
			m.Bool("x")
			m.Minimize(solver.Constant(7))
			return m
		}, solver.Optimal, 7},
		{"no variables, false row", func() *solver.Model {
			m := solver.New("false")
			m.AtLeast("0 ≥ 1", solver.Expr{}, 1)
			return m
		}, solver.Infeasible, 0},
		{"false row beside true ones", func() *solver.Model {
			m := solver.New("false")
			x := m.Bool("x")
			m.AtLeast("x", solver.Sum(x), 1)
			m.AddClause("never")
			m.Minimize(solver.Sum(x))
			return m
		}, solver.Infeasible, 0},
		{"variables without rows", func() *solver.Model {
			m := solver.New("free")
			m.Maximize(solver.Term(3, m.Int("x", -4, 9)).Add(-2, m.Int("y", -5, 5)))
			return m
		}, solver.Optimal, 37},
		// lp_solve 5.5.2.5 claims -1 to be optimal.
		{"lp_solve's wrong optimum", func() *solver.Model {
			m := solver.New("wrong optimum")
			x, y := m.Int("x", 1, 2), m.Int("y", 0, 1)
			m.AtLeast("row", solver.Term(-1, x).Add(2, y), -1)
			m.Minimize(solver.Term(-2, x).Add(3, y))
			return m
		}, solver.Optimal, -2},
		{"crossing rows", func() *solver.Model {
			m := solver.New("crossing")
			x, y := m.Bool("x"), m.Bool("y")
			m.AtLeast("both", solver.Sum(x, y), 2)
			m.AtMost("one", solver.Sum(x, y), 1)
			return m
		}, solver.Infeasible, 0},
		{"crossing bounds of one row", func() *solver.Model {
			m := solver.New("crossing")
			m.Between("row", solver.Sum(m.Bool("x"), m.Bool("y")), 2, 1)
			return m
		}, solver.Infeasible, 0},
		{"parity", func() *solver.Model {
			m := solver.New("parity")
			m.Equal("odd", solver.Term(2, m.Int("x", 0, 50)).Add(4, m.Int("y", -50, 50)), 7)
			return m
		}, solver.Infeasible, 0},
		{"equality system", func() *solver.Model {
			m := solver.New("system")
			x, y, z := m.Int("x", -20, 20), m.Int("y", -20, 20), m.Int("z", -20, 20)
			m.Equal("a", solver.Term(2, x).Add(1, y).Add(-1, z), 8)
			m.Equal("b", solver.Term(-3, x).Add(-1, y).Add(2, z), -11)
			m.Equal("c", solver.Term(-2, x).Add(1, y).Add(2, z), -3)
			m.Minimize(solver.Sum(x, y, z))
			return m
		}, solver.Optimal, 4}, // x 2, y 3, z -1
		{"negative coefficients", func() *solver.Model {
			m := solver.New("negative")
			x, y, z := m.Bool("x"), m.Bool("y"), m.Int("z", -3, 3)
			m.AtMost("row", solver.Term(-5, x).Add(-7, y).Add(2, z), -8)
			m.Maximize(solver.Term(-4, x).Add(-6, y).Add(1, z))
			return m
		}, solver.Optimal, -6}, // x 1, z -2; y 1, z -1 gives -7
		{"duplicate terms", func() *solver.Model {
			m := solver.New("duplicates")
			x, y := m.Int("x", 0, 10), m.Int("y", 0, 10)
			m.AtMost("row", solver.Sum(x, y, x, y, x).Add(-1, y).Plus(2), 20) // 3x + y ≤ 18
			m.Maximize(solver.Sum(x, x, y))
			return m
		}, solver.Optimal, 15}, // x 3, y 9
		{"terms that cancel", func() *solver.Model {
			m := solver.New("cancel")
			x := m.Bool("x")
			m.AtLeast("0 ≥ 0", solver.Term(3, x).Add(-3, x), 0)
			m.Maximize(solver.Sum(x))
			return m
		}, solver.Optimal, 1},
		{"complements", func() *solver.Model {
			m := solver.New("complements")
			x, y, z := m.Bool("x"), m.Bool("y"), m.Bool("z")
			m.AddClause("c1", x.Not(), y)
			m.AddClause("c2", y.Not(), z.Not())
			m.AddClause("c3", x, z, z)
			m.Maximize(solver.Term(2, x).Add(3, z.Not()).Add(1, y.Not()))
			return m
		}, solver.Optimal, 5}, // x, y true, z false
		{"big coefficients", bigKnapsack, solver.Optimal, 29_999_983},
		{"choice by group", choices, solver.Optimal, 40},
		{"pigeons", func() *solver.Model { return pigeons(5, 4) }, solver.Infeasible, 0},
		{"as many holes as pigeons", func() *solver.Model { return pigeons(5, 5) }, solver.Optimal, 0},
		{"fixed variables", func() *solver.Model {
			m := solver.New("fixed")
			x, y := m.Int("x", 4, 4), m.Int("y", 0, 9)
			m.AtMost("row", solver.Term(2, x).Add(3, y), 17)
			m.Maximize(solver.Term(1, x).Add(1, y))
			return m
		}, solver.Optimal, 7},
		{"wide integers", func() *solver.Model {
			m := solver.New("wide")
			x, y := m.Int("x", -1000, 100_000), m.Int("y", 0, 100_000)
			m.Equal("sum", solver.Term(7, x).Add(3, y), 200_003)
			m.AtMost("difference", solver.Sum(y).Add(-1, x), 1000)
			m.Minimize(solver.Term(1, x).Add(2, y))
			return m
		}, solver.Optimal, 28_575}, // x 28571, y 2
	}
}

// bigKnapsack: coefficients up to 10⁷; the whole answer hangs on their last digits.
func bigKnapsack() *solver.Model {
	m := solver.New("big")
	sizes := []int64{9_999_991, 9_999_973, 9_999_971, 9_999_943, 9_999_937, 10_000_019}
	var load solver.Expr
	for i, s := range sizes {
		load = load.Add(s, m.Bool(fmt.Sprintf("x%d", i)))
	}
	m.AtMost("capacity", load, 29_999_999)
	m.Maximize(load)
	return m
}

// choices: one option of each of eight groups, cheapest total that delivers enough.
func choices() *solver.Model {
	m := solver.New("choices")
	var cost, yield solver.Expr
	for g := range 8 {
		var options []solver.Variable
		for o := range 4 {
			x := m.Bool(fmt.Sprintf("g%d_%d", g, o))
			options = append(options, x)
			cost = cost.Add(int64(o*o+1), x)
			yield = yield.Add(int64(3*o-1), x)
		}
		m.Equal(fmt.Sprintf("one of g%d", g), solver.Sum(options...), 1)
	}
	m.AtLeast("yield", yield, 38)
	m.Minimize(cost)
	return m
}

// pigeons: every pigeon in a hole, no hole with two. Without objective.
func pigeons(n, holes int) *solver.Model {
	m := solver.New("pigeons")
	x := make([][]solver.Variable, n)
	for p := range x {
		for h := range holes {
			x[p] = append(x[p], m.Bool(fmt.Sprintf("p%d_h%d", p, h)))
		}
		m.Equal(fmt.Sprintf("pigeon %d", p), solver.Sum(x[p]...), 1)
	}
	for h := range holes {
		var e solver.Expr
		for p := range n {
			e = e.Add(1, x[p][h])
		}
		m.AtMost(fmt.Sprintf("hole %d", h), e, 1)
	}
	return m
}
