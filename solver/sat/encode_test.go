package sat

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partita/solver"
	"partita/solver/solvertest"
)

// TestAddersOnly: without diagrams the answers are the same.
func TestAddersOnly(t *testing.T) {
	const none = -1
	solvertest.Run(t, func() solver.Backend { return Backend{limit: none} })
}

// enumerate decides, for every assignment of the first n literals, whether the
// clauses can be satisfied. It uses gini under assumptions.
func enumerate(eng *engine, inputs []lit, visit func(values []bool, possible bool)) {
	values := make([]bool, len(inputs))
	for bitmap := range 1 << len(inputs) {
		assumed := make([]lit, len(inputs))
		for i, l := range inputs {
			values[i] = bitmap>>i&1 == 1
			assumed[i] = l
			if !values[i] {
				assumed[i] = -l
			}
		}
		visit(values, eng.solve(context.Background(), assumed) == satisfiable)
	}
}

func inputs(f *formula, n int) []lit {
	ls := make([]lit, n)
	for i := range ls {
		ls[i] = f.fresh()
		f.define(ls[i], -ls[i]) // so that gini knows the variable
	}
	return ls
}

func newFormula() (*formula, *engine) {
	eng := newEngine()
	return &formula{ctx: context.Background(), sink: eng.add}, eng
}

// drawItems draws summands over fresh literals: singles, AMO groups, chains. Illegal
// assignments (two of a group, a gap in a chain) are for the caller to leave out.
func drawItems(t *rapid.T, f *formula) (items []item, ls []lit) {
	for len(ls) < 8 && (len(items) == 0 || rapid.Bool().Draw(t, "more")) {
		n := rapid.IntRange(1, 3).Draw(t, "literals")
		it := item{lits: inputs(f, n), chain: n > 1 && rapid.Bool().Draw(t, "chain")}
		w := int64(0)
		for range n {
			w += rapid.Int64Range(0, 9).Draw(t, "step")
			it.weights = append(it.weights, max(w, 1))
			w = max(w, 1)
		}
		ls = append(ls, it.lits...)
		items = append(items, it)
	}
	return items, ls
}

// total is Σ items under an assignment of their literals in order; legal as above.
func total(items []item, values []bool) (sum int64, legal bool) {
	at := 0
	for _, it := range items {
		count, last := 0, -1
		for j := range it.lits {
			if values[at+j] {
				count++
				last = j
			}
		}
		at += len(it.lits)
		if it.chain && count != last+1 || !it.chain && count > 1 {
			return 0, false
		}
		if last >= 0 {
			sum += it.weights[last]
		}
	}
	return sum, true
}

// TestSums: diagram and adder accept exactly the assignments they should, for every
// bound.
func TestSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, eng := newFormula()
		items, ls := drawItems(t, f)
		var tidied []item
		for _, it := range items {
			tidied = append(tidied, f.tidy(it))
		}
		top := atMost{items: items}.max()
		bound := rapid.Int64Range(0, top+1).Draw(t, "bound")
		floor := rapid.Int64Range(0, top+1).Draw(t, "floor")
		sum := f.newAdder(tidied)
		guards := inputs(f, 2)
		f.guard = guards[0]
		f.atMostBinary(sum.bits, bound)
		f.guard = guards[1]
		f.atLeastBinary(sum.bits, floor)
		f.guard = 0
		d := f.newDiagram(tidied, 1<<20)
		root, ok := d.root(bound)
		if !ok {
			t.Fatal("the diagram outgrew a limit that it cannot reach")
		}
		var rootLit lit
		if root > nodeTrue {
			rootLit = d.emit(root)
		}
		holds := func(assumed ...lit) bool { return eng.solve(context.Background(), assumed) == satisfiable }
		enumerate(eng, ls, func(values []bool, possible bool) {
			want, legal := total(items, values)
			if !legal {
				return
			}
			if !possible {
				t.Fatalf("definitions exclude %v", values)
			}
			assumed := make([]lit, 0, len(ls)+1)
			for i, l := range ls {
				if !values[i] {
					l = -l
				}
				assumed = append(assumed, l)
			}
			if got := holds(append(assumed, guards[0])...); got != (want <= bound) {
				t.Fatalf("adder: %d ≤ %d is %v", want, bound, got)
			}
			if got := holds(append(assumed, guards[1])...); got != (want >= floor) {
				t.Fatalf("adder: %d ≥ %d is %v", want, floor, got)
			}
			got := root == nodeTrue
			if rootLit != 0 {
				got = holds(append(assumed, rootLit)...)
			}
			if got != (want <= bound) {
				t.Fatalf("diagram: %d ≤ %d is %v", want, bound, got)
			}
		})
	})
}

func TestDiagramGivesUp(t *testing.T) {
	f, _ := newFormula()
	var items []item
	half, w := int64(0), int64(1)
	for range 30 { // partial sums that hardly ever agree
		w = w * 48271 % (1<<31 - 1) // Park and Miller's generator
		items = append(items, item{lits: inputs(f, 1), weights: []int64{w}})
		half += w / 2
	}
	if _, ok := f.newDiagram(items, 1000).root(half); ok {
		t.Error("a diagram of exponential size was built within 1000 clauses")
	}
}

func TestAtMostOne(t *testing.T) {
	for n := 1; n <= 9; n++ {
		f, eng := newFormula()
		ls := inputs(f, n)
		guard := inputs(f, 1)[0]
		f.guard = guard
		f.atMostOne(ls)
		f.guard = 0
		enumerate(eng, append(ls, guard), func(values []bool, possible bool) {
			count := 0
			for _, v := range values[:n] {
				if v {
					count++
				}
			}
			if want := count <= 1 || !values[n]; possible != want {
				t.Errorf("%v: %v, want %v", values, possible, want)
			}
		})
	}
}

func TestInteger(t *testing.T) {
	for _, d := range []solver.Domain{{Lo: 0, Hi: 1}, {Lo: -3, Hi: 5}, {Lo: 7, Hi: 7}, {Lo: -20, Hi: 50}, {Lo: 0, Hi: 63}} {
		f, eng := newFormula()
		x := f.integer(d)
		eng.add([]lit{f.fresh(), -f.fresh()}) // gini needs a variable
		seen := make(map[int64]bool)
		for eng.solve(context.Background(), nil) == satisfiable {
			v := x.value(eng.holds)
			if v < d.Lo || v > d.Hi || seen[v] {
				t.Fatalf("%v: value %d, seen %v", d, v, seen[v])
			}
			seen[v] = true
			var other []lit
			for _, l := range append(append([]lit(nil), x.order...), x.bits...) {
				if eng.holds(l) {
					l = -l
				}
				other = append(other, l)
			}
			eng.add(other)
		}
		if int64(len(seen)) != d.Hi-d.Lo+1 {
			t.Errorf("%v: %d values", d, len(seen))
		}
		for _, c := range []int64{3, -2} {
			base, items := x.items(c)
			if got := (atMost{items: items}).max(); c > 0 && (base != c*d.Lo || got < c*(d.Hi-d.Lo)) {
				t.Errorf("%v: %d·x is %d + up to %d", d, c, base, got)
			}
		}
	}
}

func TestShape(t *testing.T) {
	single := func(weights ...int64) (items []item) {
		for i, w := range weights {
			items = append(items, item{lits: []lit{lit(i + 1)}, weights: []int64{w}})
		}
		return items
	}
	for _, c := range []struct {
		s       atMost
		want    kind
		ls, out string
	}{
		{atMost{single(1, 1), -1}, never, "[]", "[]"},
		{atMost{single(1, 1), 2}, always, "[]", "[]"},
		{atMost{single(1, 1, 1), 1}, amo, "[1 2 3]", "[]"},
		{atMost{single(1, 1, 1), 2}, clause, "[1 2 3]", "[]"},
		{atMost{single(3, 4, 9), 5}, amo, "[1 2]", "[3]"},
		{atMost{single(3, 4), 2}, amo, "[]", "[1 2]"},
		{atMost{single(2, 3, 4), 8}, clause, "[1 2 3]", "[]"},
		{atMost{single(1, 2, 3, 4), 4}, general, "[]", "[]"},
		{atMost{[]item{{lits: []lit{1, 2}, weights: []int64{1, 2}}}, 1}, general, "[]", "[]"},
	} {
		k, ls, out := c.s.shape()
		if k != c.want || fmt.Sprint(ls) != c.ls || fmt.Sprint(out) != c.out {
			t.Errorf("%v: %v %v %v, want %v %s %s", c.s, k, ls, out, c.want, c.ls, c.out)
		}
	}
}

// TestTelescope: a path model keeps its points and loses its conservation rows.
func TestTelescope(t *testing.T) {
	m := solver.New("path")
	const last = 4
	out := make([]solver.Expr, last+1)
	for a := range last {
		for b := a + 1; b <= last; b++ {
			x := m.Bool(fmt.Sprintf("%d_%d", a, b))
			out[a] = out[a].Add(1, x)
			out[b] = out[b].Add(-1, x)
		}
	}
	for b, e := range out {
		m.Equal(fmt.Sprintf("flow %d", b), e, map[int]int64{0: 1, last: -1}[b])
	}
	eng := newEngine()
	e := New().encode(context.Background(), m, nil, eng.add)
	if got := len(e.groups.groups); got != last {
		t.Errorf("%d groups, want a cut for each of %d gaps", got, last)
	}
	paths := 0
	for eng.solve(context.Background(), nil) == satisfiable {
		point := e.point(eng.holds)
		if _, violations := m.Check(point); len(violations) > 0 {
			t.Fatalf("%v: %v", point, violations)
		}
		paths++
		var other []lit
		for i, x := range e.vars {
			l := x.order[0]
			if point[i] == 1 {
				l = -l
			}
			other = append(other, l)
		}
		eng.add(other)
	}
	if want := 1 << (last - 1); paths != want {
		t.Errorf("%d paths, want %d", paths, want)
	}
}

// TestCNFIsCounted: the formula that is counted is the formula that is written, and a
// literal stands for the Boolean that it is said to stand for.
func TestCNFIsCounted(t *testing.T) {
	models := rapid.Custom(solvertest.RandomModel)
	for i := range 40 {
		m := models.Example(i)
		c, err := NewCNF(t.Context(), m, solver.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if err := c.Write(t.Context(), &text); err != nil {
			t.Fatal(err)
		}
		clauses, most, bytes := 0, 0, int64(0)
		for line := range strings.Lines(text.String()) {
			if strings.HasPrefix(line, "c ") || strings.HasPrefix(line, "p ") {
				continue
			}
			clauses++
			bytes += int64(len(line))
			for _, word := range strings.Fields(line) {
				l, err := strconv.Atoi(word)
				if err != nil {
					t.Fatal(err)
				}
				most = max(most, l, -l)
			}
		}
		if clauses != c.Clauses || bytes != c.Bytes || most > c.Variables || !strings.Contains(text.String(), fmt.Sprintf("\np cnf %d %d\n", c.Variables, c.Clauses)) {
			t.Fatalf("model %d: %d clauses over %d variables, counted %d over %d", i, clauses, most, c.Clauses, c.Variables)
		}
		for v := range m.NumVariables() {
			l := c.Literal(m.Variable(v))
			if want := m.Domain(v).IsBool(); (l > 0) != want {
				t.Fatalf("model %d: literal %d of %+v", i, l, m.Domain(v))
			}
			if l > 0 && !strings.Contains(text.String(), fmt.Sprintf("\nc order %q 0 %d\n", m.Domain(v).Name, l)) {
				t.Fatalf("model %d: literal %d of %q is not the one of the comments", i, l, m.Domain(v).Name)
			}
			if l > 0 && c.Literal(m.Variable(v).Not()) != -l {
				t.Fatalf("model %d: the complement of %d", i, l)
			}
		}
	}
}

func TestWriteCNF(t *testing.T) {
	m := solver.New("tiny")
	a, b := m.Bool("a"), m.Bool("b")
	m.AddClause("c", a, b.Not())
	m.Minimize(solver.Term(2, a).Add(3, b))
	cutoff := int64(5)
	var text bytes.Buffer
	if err := WriteCNF(&text, m, solver.Options{Cutoff: &cutoff}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"c order \"a\" 0 1\n", "c order \"b\" 0 2\n", "\n-2 1 0\n", "p cnf 4 6\n", "\n4 0\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	m.Int("free", 0, solver.NoUpper)
	if err := WriteCNF(&text, m, solver.Options{}); err == nil {
		t.Error("an unbounded variable went into CNF")
	}
}
