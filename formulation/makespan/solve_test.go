package makespan_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"partita/formulation/makespan"
	"partita/inputs/opgraph"
	"partita/solver"
)

func solve(t interface {
	Helper()
	Fatal(...any)
}, g *opgraph.Graph) float64 {
	t.Helper()
	r, err := makespan.Solve(context.Background(), g, makespan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r.Value
}

// What has to hold between answers: more memory or accelerators never hurt, times in other
// units scale the answer, and the numbering of nodes means nothing.
func TestAnswersOfRelatedGraphs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := small(t)
		value := solve(t, g)
		more := *g
		more.AcceleratorBytes += rapid.Int64Range(0, 6).Draw(t, "more memory")
		more.Accelerators += rapid.IntRange(0, 1).Draw(t, "more accelerators")
		if v := solve(t, &more); v > value+1e-9 {
			t.Fatalf("%g with more memory and accelerators, %g before", v, value)
		}
		scaled := *g
		scaled.Nodes, scaled.Edges = slices.Clone(g.Nodes), slices.Clone(g.Edges)
		for i := range scaled.Nodes {
			n := &scaled.Nodes[i]
			n.CPUTime, n.AcceleratorTime, n.Send = 8*n.CPUTime, 8*n.AcceleratorTime, 8*n.Send
		}
		for i := range scaled.Edges {
			scaled.Edges[i].Cost *= 8
		}
		if v := solve(t, &scaled); math.Abs(v-8*value) > 1e-9 {
			t.Fatalf("%g in times eight as long, %g before", v, value)
		}
		order := rapid.Permutation(indices(len(g.Nodes))).Draw(t, "order")
		turned := renumbered(g, order)
		if v := solve(t, turned); math.Abs(v-value) > 1e-9 {
			t.Fatalf("%g with nodes renumbered, %g before", v, value)
		}
	})
}

// renumbered is a graph whose node v has the place order[v].
func renumbered(g *opgraph.Graph, order []int) *opgraph.Graph {
	turned := *g
	turned.Nodes, turned.Edges = make([]opgraph.Node, len(g.Nodes)), slices.Clone(g.Edges)
	for v, to := range order {
		turned.Nodes[to] = g.Nodes[v]
	}
	for i, e := range turned.Edges {
		turned.Edges[i].From, turned.Edges[i].To = order[e.From], order[e.To]
	}
	return &turned
}

func indices(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// layered is a graph far too wide for its ideals to be listed.
func layered(nodes, span int, seed uint64) *opgraph.Graph {
	r := rand.New(rand.NewPCG(seed, 0))
	g := &opgraph.Graph{Accelerators: 4, CPUs: 4, AcceleratorBytes: int64(nodes / 3)}
	for v := range nodes {
		work := float64(r.IntN(10))
		g.Nodes = append(g.Nodes, opgraph.Node{ID: v, Colour: opgraph.NoColour, OnAccelerator: true, CPUTime: 10 * work, AcceleratorTime: work, Bytes: 1, Send: float64(r.IntN(5))})
		for d := 0; d < 2 && v > 0; d++ {
			u := v - 1 - r.IntN(min(v, span))
			g.Edges = append(g.Edges, opgraph.Edge{From: u, To: v, Cost: g.Nodes[u].Send})
		}
	}
	return g
}

func TestStopsWithItsContext(t *testing.T) {
	g := layered(400, 8, 1)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	late, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		want solver.Status
	}{{"before the start", cancelled, solver.Interrupted}, {"in the middle", late, solver.TimeLimit}} {
		t.Run(c.name, func(t *testing.T) {
			r, err := makespan.Solve(c.ctx, g, makespan.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if r.Status != c.want {
				t.Errorf("%v, want %v", r.Status, c.want)
			}
			value, ok := latency(g, r.Device)
			if !ok || math.Abs(value-r.Value) > 1e-9 || r.Bound > r.Value || r.Bound <= 0 {
				t.Errorf("value %g (worth %g, allowed: %v), bound %g", r.Value, value, ok, r.Bound)
			}
		})
	}
}

// The clock of a search that ends by itself decides nothing.
func TestSameInputSamePlan(t *testing.T) {
	for _, g := range []*opgraph.Graph{layered(40, 3, 2), layered(150, 5, 3)} {
		var first []int
		for range 2 {
			r, err := makespan.Solve(context.Background(), g, makespan.Options{Ideals: 3000})
			if err != nil {
				t.Fatal(err)
			}
			if first != nil && !slices.Equal(first, r.Device) {
				t.Errorf("two plans of one graph: %v and %v", first, r.Device)
			}
			first = r.Device
		}
	}
}

func TestProgressClosesIn(t *testing.T) {
	g := layered(60, 3, 5)
	value, bound, calls := math.Inf(1), math.Inf(-1), 0
	r, err := makespan.Solve(context.Background(), g, makespan.Options{Progress: func(v, b float64) {
		if v > value || b < bound || v == value && b == bound {
			t.Errorf("%g and %g after %g and %g", v, b, value, bound)
		}
		value, bound = v, b
		calls++
	}})
	if err != nil || calls < 3 || value != r.Value || bound > r.Bound {
		t.Errorf("%d calls end with %g and %g; the answer is %g and %g, %v", calls, value, bound, r.Value, r.Bound, err)
	}
}

func TestQuestionsWithoutAnswer(t *testing.T) {
	node := opgraph.Node{ID: 7, OnAccelerator: true, CPUTime: 1, AcceleratorTime: 1, Bytes: 5, Colour: opgraph.NoColour}
	backward := node
	backward.Backward = true
	_, err := makespan.Solve(context.Background(), &opgraph.Graph{CPUs: 1, Nodes: []opgraph.Node{backward}}, makespan.Options{})
	if err == nil || !strings.Contains(err.Error(), "node 7 belongs to a backward pass") {
		t.Errorf("a backward pass: %v", err)
	}
	r, err := makespan.Solve(context.Background(), &opgraph.Graph{Accelerators: 3, AcceleratorBytes: 4, Nodes: []opgraph.Node{node}}, makespan.Options{})
	if err != nil || r.Status != solver.Infeasible || r.Device != nil {
		t.Errorf("no room for the node: %v, %v, %v", r.Status, r.Device, err)
	}
	r, err = makespan.Solve(context.Background(), &opgraph.Graph{Accelerators: 3, AcceleratorBytes: 5, Nodes: []opgraph.Node{node}}, makespan.Options{})
	if err != nil || r.Status != solver.Optimal || r.Value != 1 {
		t.Errorf("just room for the node: %v, %g, %v", r.Status, r.Value, err)
	}
}

func TestEvaluateSaysWhatIsBroken(t *testing.T) {
	g := &opgraph.Graph{Accelerators: 2, CPUs: 1, AcceleratorBytes: 10}
	for v := range 4 {
		g.Nodes = append(g.Nodes, opgraph.Node{ID: v, OnAccelerator: v != 3, Bytes: 6, Colour: opgraph.NoColour})
	}
	g.Nodes[0].Bytes, g.Nodes[1].Colour, g.Nodes[3].Colour = 4, 1, 1
	g.Edges = []opgraph.Edge{{From: 0, To: 1}, {From: 1, To: 2}, {From: 2, To: 3}}
	for _, c := range []struct {
		device []int
		want   string
	}{
		{[]int{2, 2, 2}, "3 devices for 4 nodes"},
		{[]int{2, 2, 2, 3}, "no device 3"},
		{[]int{2, 2, 2, 0}, "not made for an accelerator"},
		{[]int{2, 0, 0, 2}, "over its 10 bytes"},
		{[]int{2, 0, 2, 2}, "colour class 1"},
		{[]int{0, 2, 0, 2}, "wait for each other"},
	} {
		if _, err := makespan.Evaluate(g, c.device); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.device, err, c.want)
		}
	}
}
