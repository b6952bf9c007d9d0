package scatter

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"partita/formulation/assignment"
	"partita/inputs/opgraph"
	"partita/solver"

	"pgregory.net/rapid"
)

// smallGraph draws a graph that brute force can settle. Costs are multiples of a
// quarter, which floats add without error.
func smallGraph(t *rapid.T) *opgraph.Graph {
	n := rapid.IntRange(1, 7).Draw(t, "nodes")
	quarters := func(most int, name string) float64 { return float64(rapid.IntRange(0, most).Draw(t, name)) / 4 }
	g := &opgraph.Graph{
		Accelerators:     rapid.IntRange(0, 3).Draw(t, "accelerators"),
		CPUs:             rapid.IntRange(0, 2).Draw(t, "cores"),
		AcceleratorBytes: int64(rapid.IntRange(2, 20).Draw(t, "memory")),
	}
	if g.Devices() == 0 {
		g.Accelerators = 1
	}
	colours := rapid.IntRange(0, 2).Draw(t, "colours")
	for v := range n {
		node := opgraph.Node{
			ID: v, OnAccelerator: rapid.IntRange(0, 9).Draw(t, "supported") > 0,
			AcceleratorTime: quarters(20, "time"), CPUTime: quarters(60, "cpu"),
			Bytes: int64(rapid.IntRange(0, 6).Draw(t, "bytes")), Send: quarters(12, "send"), Colour: opgraph.NoColour,
		}
		if rapid.IntRange(0, 3).Draw(t, "idle") == 0 {
			node.AcceleratorTime, node.CPUTime, node.Bytes = 0, 0, 0
		}
		if colours > 0 && rapid.Bool().Draw(t, "coloured") {
			node.Colour = rapid.IntRange(1, colours).Draw(t, "colour")
		}
		g.Nodes = append(g.Nodes, node)
	}
	for u := range n {
		for v := u + 1; v < n; v++ {
			if rapid.IntRange(0, 2).Draw(t, "edge") == 0 {
				g.Edges = append(g.Edges, opgraph.Edge{From: u, To: v, Cost: g.Nodes[u].Send})
			}
		}
	}
	return g
}

// possible reports whether an assignment keeps every rule.
func possible(g *opgraph.Graph, device []int) bool {
	bytes := make([]int64, g.Devices())
	colour := map[int]int{}
	for v, d := range device {
		n := &g.Nodes[v]
		if d < 0 || d >= g.Devices() || !g.IsCPU(d) && !n.OnAccelerator {
			return false
		}
		if bytes[d] += n.Bytes; !g.IsCPU(d) && bytes[d] > g.AcceleratorBytes {
			return false
		}
		if n.Colour != opgraph.NoColour {
			if other, seen := colour[n.Colour]; seen && other != d {
				return false
			}
			colour[n.Colour] = d
		}
	}
	return true
}

// leastLoad tries all assignments; +Inf: none is possible.
func leastLoad(g *opgraph.Graph) float64 {
	device := make([]int, len(g.Nodes))
	best := math.Inf(1)
	for {
		if possible(g, device) {
			best = min(best, slices.Max(assignment.Loads(g, device)))
		}
		v := 0
		for ; v < len(device); v++ {
			if device[v]++; device[v] < g.Devices() {
				break
			}
			device[v] = 0
		}
		if v == len(device) {
			return best
		}
	}
}

func solved(t testing.TB, g *opgraph.Graph, opts Options) assignment.Result {
	t.Helper()
	r, err := Solve(context.Background(), g, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*(1+math.Abs(b)) }

// TestAgreesWithBruteForce: the tree settles every small graph, and rightly.
func TestAgreesWithBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := smallGraph(t)
		want := leastLoad(g)
		r, err := Solve(context.Background(), g, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if math.IsInf(want, 1) {
			if r.Status != solver.Infeasible || r.Device != nil || r.Because == "" {
				t.Fatalf("nothing fits; got %+v", r)
			}
			return
		}
		if r.Status != solver.Optimal || !near(r.Value, want) || r.Bound != r.Value {
			t.Fatalf("least load %g; got %+v", want, r)
		}
		if !possible(g, r.Device) || slices.Max(assignment.Loads(g, r.Device)) != r.Value {
			t.Fatalf("device %v breaks a rule, or its load is not %g", r.Device, r.Value)
		}
	})
}

// TestPricesAloneNeverPassTheOptimum: the bound by prices, which carries the proofs of
// large graphs, against brute force, without the tree; and the search by moves alone.
func TestPricesAloneNeverPassTheOptimum(t *testing.T) {
	tight := 0
	rapid.Check(t, func(t *rapid.T) {
		g := smallGraph(t)
		want := leastLoad(g)
		if math.IsInf(want, 1) {
			return
		}
		p := newProblem(g)
		order := narrowOrder(p)
		optimum := p.ticks(want)
		if bound := p.workBound(p.everything()); bound > optimum {
			t.Fatalf("bound by work %g, optimum %g", p.ms(bound), want)
		}
		// A load that is reachable: the optimum, or anything above.
		upper := optimum + int64(rapid.IntRange(0, 3).Draw(t, "above"))*optimum/4
		d := newDual(p, order, p.workBound(upper))
		d.few = rapid.SampledFrom([]int{1, 3, 80}).Draw(t, "few")
		d.most = rapid.SampledFrom([]int{2, 9, 4000}).Draw(t, "most")
		for range 40 {
			if d.useless {
				break
			}
			d.improve(context.Background(), upper, 1<<20)
		}
		if d.best > optimum {
			t.Fatalf("bound by prices %g, optimum %g", p.ms(d.best), want)
		}
		if d.best == optimum {
			tight++
		}
		l := newLocal(p, order)
		l.offer(greedyStart(p, true))
		if l.best == nil {
			return
		}
		l.anneal(context.Background(), 0.3, 20_000)
		l.descend(context.Background(), l.spent+20_000)
		device := p.expand(l.best)
		value := slices.Max(assignment.Loads(g, device))
		if !possible(g, device) || !near(value, p.ms(l.value)) || value < want && !near(value, want) {
			t.Fatalf("%v: load %g, noted as %g, optimum %g", device, value, p.ms(l.value), want)
		}
	})
	if tight == 0 {
		t.Error("the bound by prices met no optimum at all")
	}
}

// TestLessToSendNeverCostsMore: without an edge the optimum does not rise.
func TestLessToSendNeverCostsMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := smallGraph(t)
		if len(g.Edges) == 0 {
			return
		}
		before, err := Solve(context.Background(), g, Options{})
		if err != nil {
			t.Fatal(err)
		}
		less := *g
		less.Edges = slices.Delete(slices.Clone(g.Edges), 0, 1)
		after, err := Solve(context.Background(), &less, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if after.Value > before.Value && !near(after.Value, before.Value) {
			t.Fatalf("%g with all edges, %g with one less", before.Value, after.Value)
		}
	})
}

// narrowGraph is a chain of blocks with a skip each: too large for the tree.
func narrowGraph(blocks int) *opgraph.Graph {
	g := &opgraph.Graph{Accelerators: 4, CPUs: 1, AcceleratorBytes: 1 << 40}
	for v := range blocks {
		g.Nodes = append(g.Nodes, opgraph.Node{
			ID: v, OnAccelerator: true, Colour: opgraph.NoColour, Bytes: 1,
			AcceleratorTime: 1 + float64(v*7%5)/3, CPUTime: 20 + float64(v*3%7), Send: float64(1+v%3) / 7,
		})
		for _, back := range []int{1, 3} {
			if v >= back {
				g.Edges = append(g.Edges, opgraph.Edge{From: v - back, To: v, Cost: g.Nodes[v-back].Send})
			}
		}
	}
	return g
}

func TestSameBytesTwice(t *testing.T) {
	g := narrowGraph(60)
	opts := Options{Work: 6_000_000}
	first, second := solved(t, g, opts), solved(t, g, opts)
	if !reflect.DeepEqual(first, second) {
		t.Errorf("two searches of one graph differ:\n%+v\n%+v", first, second)
	}
	if gap, ok := gapOf(first); !ok || gap > 0.05 {
		t.Errorf("gap %g, %v", gap, ok)
	}
}

func TestProgressOnlyGetsBetter(t *testing.T) {
	value, bound := math.Inf(1), math.Inf(-1)
	calls := 0
	r := solved(t, narrowGraph(50), Options{Work: 6_000_000, Progress: func(v, b float64) {
		if calls++; v > value || b < bound && !near(b, bound) || b > v {
			t.Errorf("from %g, bound %g, to %g, bound %g", value, bound, v, b)
		}
		value, bound = v, b
	}})
	if calls == 0 || !near(value, r.Value) {
		t.Errorf("%d calls, the last with %g; the result has %g", calls, value, r.Value)
	}
}

func TestStartIsNeverLost(t *testing.T) {
	g := narrowGraph(40)
	best := solved(t, g, Options{Work: 40_000_000})
	if r := solved(t, g, Options{Work: 1, Start: best.Device}); r.Value > best.Value {
		t.Errorf("started at %g, ended at %g", best.Value, r.Value)
	}
	// A start that breaks a rule is no start.
	broken := slices.Clone(best.Device)
	broken[3] = g.Devices()
	if r := solved(t, g, Options{Work: 1, Start: broken}); r.Device == nil || !possible(g, r.Device) {
		t.Errorf("from a broken start: %+v", r)
	}
}

func TestStopsWhenTold(t *testing.T) {
	g := narrowGraph(400)
	for _, row := range []struct {
		name string
		ctx  func() (context.Context, context.CancelFunc)
		want solver.Status
	}{
		{"cancelled before", func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			return ctx, cancel
		}, solver.Interrupted},
		{"deadline", func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), 50*time.Millisecond)
		}, solver.TimeLimit},
	} {
		t.Run(row.name, func(t *testing.T) {
			ctx, cancel := row.ctx()
			defer cancel()
			r, err := Solve(ctx, g, Options{Work: NoLimit})
			if err != nil {
				t.Fatal(err)
			}
			if r.Status != row.want || !possible(g, r.Device) || !(r.Bound > 0) || r.Bound > r.Value {
				t.Errorf("%+v; want %v with an assignment and a bound", r, row.want)
			}
		})
	}
	// In the middle: the first bound told cancels.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r, err := Solve(ctx, g, Options{Work: NoLimit, Progress: func(_, _ float64) { cancel() }})
	if err != nil || r.Status != solver.Interrupted || !possible(g, r.Device) {
		t.Errorf("%+v, %v", r, err)
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.Error("the context ended by itself")
	}
}

func TestNoGraphIsAnError(t *testing.T) {
	for _, g := range []*opgraph.Graph{nil, {Accelerators: 1}, {Nodes: []opgraph.Node{{ID: 1}}}} {
		if _, err := Solve(context.Background(), g, Options{}); err == nil {
			t.Errorf("%+v: no error", g)
		}
	}
}
