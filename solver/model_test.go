package solver_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"partita/solver"
)

func TestRowsAreNormalised(t *testing.T) {
	m := solver.New("m")
	a, b := m.Bool("a"), m.Bool("b")
	x := m.Int("x", -5, 5)
	m.AtMost("merged", solver.Sum(b, a, b).Add(3, x).Add(-3, x).Plus(4), 10)
	m.AtLeast("complement", solver.Sum(a.Not(), b), 1)
	m.AddClause("clause", b, a.Not(), b)
	m.AddClause("tautology", a, b, a.Not())
	m.Between("free", solver.Sum(a), solver.NoLower, solver.NoUpper)
	m.AtMost("constant", solver.Constant(3), 3)
	want := []solver.Row{
		{Name: "merged", Terms: []solver.Coef{{Var: 0, Value: 1}, {Var: 1, Value: 2}}, Lo: solver.NoLower, Hi: 6},
		{Name: "complement", Terms: []solver.Coef{{Var: 0, Value: -1}, {Var: 1, Value: 1}}, Lo: 0, Hi: solver.NoUpper},
		{Name: "clause", Terms: []solver.Coef{{Var: 0, Value: -1}, {Var: 1, Value: 1}}, Lo: 0, Hi: solver.NoUpper},
	}
	var got []solver.Row
	for c, r := range m.Rows() {
		if c.Name() != r.Name || c != mustHandle(t, m, c.Index()) {
			t.Errorf("handle %v of row %q", c, r.Name)
		}
		got = append(got, r)
	}
	if m.Err() != nil {
		t.Fatal(m.Err())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, clash := m.Contradiction(); clash || m.NumConstraints() != 6 {
		t.Errorf("contradiction %v, %d rows", clash, m.NumConstraints())
	}
	empty := m.AddClause("empty")
	if c, clash := m.Contradiction(); !clash || c != empty {
		t.Errorf("contradiction %v, %v; want the empty clause", c, clash)
	}
}

// mustHandle finds the handle of a row again by walking the rows.
func mustHandle(t *testing.T, m *solver.Model, index int) solver.Constraint {
	t.Helper()
	for c := range m.Rows() {
		if c.Index() == index {
			return c
		}
	}
	t.Fatalf("no row %d", index)
	return solver.Constraint{}
}

func TestBuildErrorsAreSticky(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(m *solver.Model, x, wide solver.Variable)
		want  string
	}{
		{"zero variable", func(m *solver.Model, _, _ solver.Variable) { m.AtMost("r", solver.Sum(solver.Variable{}), 1) }, "another model"},
		{"foreign variable", func(m *solver.Model, _, _ solver.Variable) {
			other := solver.New("other")
			for range 9 {
				other.Bool("")
			}
			m.AtMost("r", solver.Sum(other.Bool("y")), 1)
		}, "another model"},
		{"complement of an integer", func(m *solver.Model, _, wide solver.Variable) { m.Minimize(solver.Sum(wide.Not())) }, `complement of "wide"`},
		{"integer in a clause", func(m *solver.Model, x, wide solver.Variable) { m.AddClause("c", x, wide) }, "not Boolean"},
		{"empty domain", func(m *solver.Model, _, _ solver.Variable) { m.Int("e", 3, 2) }, "empty domain"},
		{"constant overflow", func(m *solver.Model, x, _ solver.Variable) {
			m.AtMost("r", solver.Sum(x).Plus(math.MaxInt64).Plus(1), 0)
		}, "overflows"},
		{"bound overflow", func(m *solver.Model, x, _ solver.Variable) {
			m.AtMost("r", solver.Sum(x).Plus(-9), math.MaxInt64-3)
		}, "overflows"},
		{"merged coefficient overflow", func(m *solver.Model, x, _ solver.Variable) {
			m.AtMost("r", solver.Term(math.MaxInt64, x).Add(1, x), 0)
		}, "overflows"},
		{"row overflow", func(m *solver.Model, x, wide solver.Variable) {
			m.AtMost("r", solver.Term(1<<61, wide).Add(1, x), 0)
		}, "overflows"},
		{"sum overflow", func(m *solver.Model, x, wide solver.Variable) {
			m.AtMost("r", solver.Term(1<<60, x).Add(1<<58, wide), 0)
		}, "scale the data down"},
		{"complement of the smallest", func(m *solver.Model, x, _ solver.Variable) {
			m.AtMost("r", solver.Term(math.MinInt64, x.Not()), 0)
		}, "overflows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := solver.New("m")
			x, wide := m.Bool("x"), m.Int("wide", -8, 8)
			c.build(m, x, wide)
			first := m.Err()
			if first == nil || !strings.Contains(first.Error(), c.want) {
				t.Fatalf("error %v, want %q", first, c.want)
			}
			m.Int("again", 2, 1)
			if m.Err() != first {
				t.Errorf("a later error replaced the first: %v", m.Err())
			}
		})
	}
}

// TestExprIsAValue: two continuations of one expression do not see each other.
func TestExprIsAValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := solver.New("m")
		vars := []solver.Variable{m.Int("x", 0, 9), m.Int("y", 0, 9), m.Int("z", 0, 9)}
		exprs := []solver.Expr{{}}
		want := [][3]int64{{}}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			from := rapid.IntRange(0, len(exprs)-1).Draw(t, "from")
			v := rapid.IntRange(0, 2).Draw(t, "variable")
			sum := want[from]
			switch rapid.IntRange(0, 2).Draw(t, "operation") {
			case 0:
				sum[v] += 2
				exprs = append(exprs, exprs[from].Add(2, vars[v]))
			case 1:
				with := rapid.IntRange(0, len(exprs)-1).Draw(t, "with")
				for i := range sum {
					sum[i] += want[with][i]
				}
				exprs = append(exprs, exprs[from].AddExpr(exprs[with]))
			case 2:
				exprs = append(exprs, exprs[from].Plus(0))
			}
			want = append(want, sum)
		}
		for i, e := range exprs {
			c := m.AtMost("r", e, 0)
			var got [3]int64
			for _, term := range m.Row(c).Terms {
				got[term.Var] = term.Value
			}
			if m.Err() == nil && got != want[i] {
				t.Fatalf("expression %d is %v, want %v", i, got, want[i])
			}
		}
	})
}

func TestCheck(t *testing.T) {
	m := solver.New("m")
	x, y := m.Int("x", 0, 9), m.Int("y", solver.NoLower, solver.NoUpper)
	m.Between("row", solver.Term(2, x).Add(-3, y), -4, 4)
	m.AtMost("cap", solver.Sum(x, y), 8)
	m.Maximize(solver.Term(5, x).Add(1, y).Plus(100))
	for _, c := range []struct {
		values    []int64
		objective int64
		want      []string
	}{
		{[]int64{3, 2}, 117, nil},
		{[]int64{9, 9}, 154, []string{"row: -9, not in -4…4", "cap: 18, not ≤ 8"}},
		{[]int64{-1, 0}, 95, []string{"x: -1, not in 0…9"}},
		{[]int64{1}, 0, []string{"assignment: 1 values for 2 variables"}},
		{[]int64{0, math.MinInt64}, math.MinInt64 + 100, []string{"row: the left-hand side overflows int64"}},
	} {
		objective, violations := m.Check(c.values)
		var got []string
		for _, v := range violations {
			got = append(got, v.String())
		}
		if objective != c.objective || !cmp.Equal(got, c.want) {
			t.Errorf("%v: %d %q, want %d %q", c.values, objective, got, c.objective, c.want)
		}
	}
}

func TestVariableIn(t *testing.T) {
	m := solver.New("m")
	x, y := m.Bool("x"), m.Bool("y")
	values := []int64{0, 1}
	if x.In(values) != 0 || x.Not().In(values) != 1 || y.Not().In(values) != 0 || y.Not().Not() != y || !x.Not().Negated() {
		t.Error("a handle reads the wrong value")
	}
}

// TestReduced: the same integer points, no common divisor.
func TestReduced(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		factor := rapid.Int64Range(1, 6).Draw(t, "factor")
		r := solver.Row{Lo: rapid.Int64Range(-30, 30).Draw(t, "lo"), Hi: rapid.Int64Range(-30, 30).Draw(t, "hi")}
		if rapid.Bool().Draw(t, "open") {
			r.Lo = solver.NoLower
		}
		for v := range 2 {
			c := rapid.Int64Range(-5, 5).Filter(func(c int64) bool { return c != 0 }).Draw(t, "c")
			r.Terms = append(r.Terms, solver.Coef{Var: v, Value: factor * c})
		}
		s := r.Reduced()
		for x := int64(-4); x <= 4; x++ {
			for y := int64(-4); y <= 4; y++ {
				if within(r, x, y) != within(s, x, y) {
					t.Fatalf("%v and %v differ at %d, %d", r, s, x, y)
				}
			}
		}
		for d := int64(2); d <= 30; d++ {
			if s.Terms[0].Value%d == 0 && s.Terms[1].Value%d == 0 {
				t.Fatalf("%v is divisible by %d", s, d)
			}
		}
	})
}

func within(r solver.Row, x, y int64) bool {
	sum := r.Terms[0].Value*x + r.Terms[1].Value*y
	return r.Lo <= sum && sum <= r.Hi
}
