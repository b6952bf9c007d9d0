package makespan_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"partita/formulation/makespan"
	"partita/inputs/opgraph"
	"partita/solver"
)

// latency is the rule of the makespan written a second time, from the definition alone:
// finishes are what satisfies the equations, found by repeating them until nothing
// moves. ok is false where a condition is broken or the equations have no solution.
func latency(g *opgraph.Graph, device []int) (float64, bool) {
	bytes := make([]int64, g.Accelerators)
	home := map[int]int{}
	for v, n := range g.Nodes {
		d := min(device[v], g.Accelerators)
		if d < g.Accelerators {
			bytes[d] += n.Bytes
			if !n.OnAccelerator || bytes[d] > g.AcceleratorBytes {
				return 0, false
			}
		}
		if other, there := home[n.Colour]; n.Colour != opgraph.NoColour && there && other != d {
			return 0, false
		}
		home[n.Colour] = d
	}
	finish := make([]float64, len(g.Nodes))
	// A finish settles after at most as many rounds as there are steps in a row.
	for round := 0; round <= len(g.Nodes)+1; round++ {
		next := make([]float64, len(g.Nodes))
		for _, e := range g.Edges {
			next[e.To] = max(next[e.To], finish[e.From])
		}
		for v, n := range g.Nodes {
			next[v] += n.CPUTime
		}
		for d := range g.Accelerators {
			end := blockFinish(g, device, d, finish)
			for v := range next {
				if device[v] == d {
					next[v] = end
				}
			}
		}
		same := slices.Equal(next, finish)
		if finish = next; same {
			// Circles of zero length satisfy the equations too.
			return slices.Max(finish), acyclic(g, device)
		}
	}
	return 0, false
}

// blockFinish is when the block of an accelerator ends, given when all else does.
func blockFinish(g *opgraph.Graph, device []int, d int, finish []float64) float64 {
	start, length := 0.0, 0.0
	transfers := map[int]bool{} // outputs that go into the block or leave it
	for _, e := range g.Edges {
		from, to := device[e.From] == d, device[e.To] == d
		if to && !from {
			start = max(start, finish[e.From])
		}
		if to != from {
			transfers[e.From] = true
		}
	}
	for v, n := range g.Nodes {
		if device[v] == d {
			length += n.AcceleratorTime
		}
		if transfers[v] {
			length += n.Send
		}
	}
	return start + length
}

// acyclic takes away steps that wait for nothing until none is left.
func acyclic(g *opgraph.Graph, device []int) bool {
	step := func(v int) int {
		if device[v] < g.Accelerators {
			return device[v]
		}
		return g.Accelerators + v
	}
	left := map[int]bool{}
	for v := range g.Nodes {
		left[step(v)] = true
	}
	for len(left) > 0 {
		waits := map[int]bool{}
		for _, e := range g.Edges {
			if a, b := step(e.From), step(e.To); a != b && left[a] && left[b] {
				waits[b] = true
			}
		}
		if len(waits) == len(left) {
			return false
		}
		for s := range left {
			if !waits[s] {
				delete(left, s)
			}
		}
	}
	return true
}

// exhaustive is the optimum over all assignments; +Inf: none.
func exhaustive(g *opgraph.Graph) float64 {
	best := math.Inf(1)
	device := make([]int, len(g.Nodes))
	top := g.Accelerators
	if g.CPUs > 0 {
		top++
	}
	var assign func(v int)
	assign = func(v int) {
		if v == len(device) {
			if value, ok := latency(g, device); ok {
				best = min(best, value)
			}
			return
		}
		for d := range top {
			device[v] = d
			assign(v + 1)
		}
	}
	assign(0)
	return best
}

// small draws a graph of at most seven nodes. Few different figures and many zeros make
// ties, free nodes and tight memories common.
func small(t *rapid.T) *opgraph.Graph {
	n := rapid.IntRange(1, 7).Draw(t, "nodes")
	g := &opgraph.Graph{
		Accelerators:     rapid.IntRange(0, 2).Draw(t, "accelerators"),
		CPUs:             rapid.SampledFrom([]int{0, 1, 8, 8, 8}).Draw(t, "cores"),
		AcceleratorBytes: rapid.Int64Range(0, 12).Draw(t, "memory"),
	}
	if g.Accelerators == 0 && g.CPUs == 0 {
		g.CPUs = 1
	}
	classes := rapid.IntRange(0, 3).Draw(t, "classes")
	for v := range n {
		node := opgraph.Node{
			ID: v, Colour: opgraph.NoColour,
			OnAccelerator:   rapid.IntRange(0, 9).Draw(t, "able") > 0,
			CPUTime:         float64(rapid.SampledFrom([]int{0, 0, 1, 5, 9, 20}).Draw(t, "cpu")),
			AcceleratorTime: float64(rapid.SampledFrom([]int{0, 0, 1, 2, 3}).Draw(t, "acc")),
			Bytes:           rapid.Int64Range(0, 5).Draw(t, "bytes"),
		}
		if classes > 0 {
			node.Colour = rapid.IntRange(-1, classes-1).Draw(t, "class")
		}
		g.Nodes = append(g.Nodes, node)
	}
	for u := range n {
		send := float64(rapid.SampledFrom([]int{0, 1, 1, 3, 7}).Draw(t, "send"))
		for v := u + 1; v < n; v++ {
			if rapid.IntRange(0, 2).Draw(t, "edge") == 0 {
				g.Edges = append(g.Edges, opgraph.Edge{From: u, To: v, Cost: send})
				g.Nodes[u].Send = send
			}
		}
	}
	return g
}

func TestAgreesWithExhaustiveSearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := small(t)
		optimum := exhaustive(g)
		r, err := makespan.Solve(context.Background(), g, makespan.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if math.IsInf(optimum, 1) {
			if r.Status != solver.Infeasible || r.Device != nil {
				t.Fatalf("%v with value %g where no plan exists", r.Status, r.Value)
			}
			return
		}
		if r.Status != solver.Optimal || math.Abs(r.Value-optimum) > 1e-9 || r.Bound > optimum+1e-9 {
			t.Fatalf("%v: value %g, bound %g (%s); the optimum is %g", r.Status, r.Value, r.Bound, r.Because, optimum)
		}
		if value, ok := latency(g, r.Device); !ok || math.Abs(value-r.Value) > 1e-9 {
			t.Fatalf("the plan is worth %g (allowed: %v), not %g", value, ok, r.Value)
		}
	})
}

// Where the ideals are too many to list there is a plan and a bound all the same.
func TestBoundAndValueWithoutProof(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := small(t)
		optimum := exhaustive(g)
		r, err := makespan.Solve(context.Background(), g, makespan.Options{Ideals: 1})
		if err != nil {
			t.Fatal(err)
		}
		if r.Bound > optimum+1e-9 || r.Value < optimum-1e-9 {
			t.Fatalf("bound %g (%s), value %g; the optimum is %g", r.Bound, r.Because, r.Value, optimum)
		}
		if r.Status == solver.Optimal && r.Value > optimum+1e-9 {
			t.Fatalf("called optimal: %g; the optimum is %g", r.Value, optimum)
		}
	})
}

// Both rules say the same of any assignment, also of forbidden ones.
func TestEvaluate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := small(t)
		device := make([]int, len(g.Nodes))
		for v := range device {
			device[v] = rapid.IntRange(0, g.Devices()-1).Draw(t, "device")
		}
		want, allowed := latency(g, device)
		got, err := makespan.Evaluate(g, device)
		if (err == nil) != allowed || allowed && math.Abs(got-want) > 1e-9 {
			t.Fatalf("%g (%v), want %g (allowed: %v)", got, err, want, allowed)
		}
	})
}

func ExampleEvaluate() {
	// A chain of three: the middle one on an accelerator receives 2 ms, works 1 ms, sends 2 ms.
	g := &opgraph.Graph{
		Accelerators: 1, CPUs: 1, AcceleratorBytes: 1,
		Nodes: []opgraph.Node{
			{ID: 0, CPUTime: 10, Send: 2, Colour: opgraph.NoColour},
			{ID: 1, CPUTime: 10, AcceleratorTime: 1, Send: 2, OnAccelerator: true, Colour: opgraph.NoColour},
			{ID: 2, CPUTime: 10, Colour: opgraph.NoColour},
		},
		Edges: []opgraph.Edge{{From: 0, To: 1, Cost: 2}, {From: 1, To: 2, Cost: 2}},
	}
	fmt.Println(makespan.Evaluate(g, []int{1, 0, 1}))
	// Output: 25 <nil>
}

// A search that is stopped anywhere has a bound that holds.
func TestBoundOfAStoppedSearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := small(t)
		optimum := exhaustive(g)
		for steps := int64(1); steps < 200; steps += 1 + steps/2 {
			value, bound := makespan.Stopped(g, steps)
			if bound > optimum+1e-9 || value < optimum-1e-9 || math.IsNaN(value) {
				t.Fatalf("after %d steps: bound %g, value %g; the optimum is %g", steps, bound, value, optimum)
			}
		}
	})
}
