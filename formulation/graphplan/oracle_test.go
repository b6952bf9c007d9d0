package graphplan

import (
	"context"
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"partita/inputs"
	"partita/results"
	"partita/results/verify"
)

// brute is the least time of a sample over all chains of ideals on all GPUs, for every
// number of replicas that divides the pools; +Inf where there is none. It knows sets of
// nodes and the costs, nothing of the search.
func brute(t rapid.TB, c *inputs.Condition) float64 {
	sp, err := newSpace(c)
	if err != nil {
		t.Fatal(err)
	}
	best := math.Inf(1)
	choices := sp.choices()
	if c.Goal.AllowIdle {
		choices = bruteIdle(sp)
	}
	for _, ch := range choices {
		if v := bruteReplica(sp, ch) / float64(ch.replicas); v < best {
			best = v
		}
	}
	return best
}

// bruteIdle are all numbers of replicas with all numbers of GPUs of each.
func bruteIdle(sp *space) []choice {
	var out []choice
	given := sp.given()
	var add func(r int, q []int)
	add = func(r int, q []int) {
		if len(q) == len(given) {
			out = append(out, choice{replicas: r, gpus: append([]int(nil), q...), inside: sp.inHosts(q) >= r})
			return
		}
		for n := 0; r*n <= given[len(q)]; n++ {
			add(r, append(q, n))
		}
	}
	for r := 1; r <= 8; r++ {
		add(r, nil)
	}
	return out
}

func bruteReplica(sp *space, ch choice) float64 {
	g := sp.graph
	n := len(g.Nodes)
	type state struct {
		done int
		left string
	}
	known := map[state]float64{}
	var from func(done int, left []int) float64
	from = func(done int, left []int) float64 {
		if done == 1<<n-1 {
			for _, q := range left {
				if q > 0 {
					return math.Inf(1)
				}
			}
			return 0
		}
		key := state{done, fmt.Sprint(left)}
		if v, ok := known[key]; ok {
			return v
		}
		best := math.Inf(1)
		for set := 1; set < 1<<n; set++ {
			if set&done != 0 || !bruteStage(g, done, set) {
				continue
			}
			for k, q := range left {
				if q == 0 {
					continue
				}
				load, fits := bruteLoad(sp, ch, k, set)
				if !fits || load >= best {
					continue
				}
				left[k]--
				best = min(best, max(load, from(done|set, left)))
				left[k]++
			}
		}
		known[key] = best
		return best
	}
	return from(0, append([]int(nil), ch.gpus...))
}

// bruteStage: all that a node of the set needs is before it or in it, and colours are whole.
func bruteStage(g *inputs.Graph, done, set int) bool {
	for _, e := range g.Edges {
		if set>>e.To&1 == 1 && (done|set)>>e.From&1 == 0 {
			return false
		}
	}
	for v := range g.Nodes {
		for w := range g.Nodes {
			if a, b := g.Nodes[v].Colour, g.Nodes[w].Colour; a != nil && b != nil && *a == *b && set>>v&1 != set>>w&1 {
				return false
			}
		}
	}
	return true
}

func bruteLoad(sp *space, ch choice, pool, set int) (load float64, fits bool) {
	var bytes int64
	sends := map[int]bool{}
	for v := range sp.graph.Nodes {
		if set>>v&1 == 1 {
			load += sp.costs.NodeMS(pool, v)
			bytes += sp.graph.Nodes[v].MemoryBytes
		}
	}
	for _, e := range sp.graph.Edges {
		if set>>e.From&1 != set>>e.To&1 && !sends[e.From] {
			sends[e.From] = true
			load += sp.costs.SendMS(e.From, ch.inside)
		}
	}
	return load, bytes <= sp.costs.Capacity(pool)
}

const testReserve = 2 << 30

// drawCondition is a small graph on one pool or two, on one host or several.
func drawCondition(t *rapid.T, chain bool) *inputs.Condition {
	n := rapid.IntRange(1, 6).Draw(t, "nodes")
	g := &inputs.Graph{}
	for v := range n {
		node := inputs.GraphNode{ID: 10 * v, Kernels: 1, MemoryBytes: int64(rapid.IntRange(0, 4).Draw(t, "bytes")) << 28,
			TimesMS: map[string]float64{"fast": float64(rapid.IntRange(1, 9).Draw(t, "fast")), "slow": float64(rapid.IntRange(1, 20).Draw(t, "slow"))}}
		if rapid.Bool().Draw(t, "bytes sent") {
			b := float64(rapid.IntRange(0, 40).Draw(t, "output")) * 1e6
			node.OutputBytes = &b
		} else {
			node.SendMS = float64(rapid.IntRange(0, 6).Draw(t, "send")) / 2
		}
		if !chain && rapid.IntRange(0, 3).Draw(t, "coloured") == 0 {
			colour := rapid.IntRange(0, 2).Draw(t, "colour")
			node.Colour = &colour
		}
		g.Nodes = append(g.Nodes, node)
	}
	for to := 1; to < n; to++ {
		for from := 0; from < to; from++ {
			if chain && from == to-1 || !chain && rapid.IntRange(0, 2).Draw(t, "edge") == 0 {
				g.Edges = append(g.Edges, inputs.GraphEdge{From: from, To: to})
			}
		}
	}
	c := &inputs.Condition{Name: "drawn", Model: inputs.Model{Name: "graph", Graph: g, Weights: inputs.BF16, Activation: inputs.BF16, KV: inputs.BF16, FFNScale: 1},
		Workload: inputs.Workload{Phase: inputs.Inference}, Goal: inputs.Goal{Objective: inputs.Throughput}}
	c.Cluster.Network = inputs.Link{Kind: inputs.LinkInfiniBand, BytesPerSecond: 25e9}
	most := 4
	for k, name := range []string{"fast", "slow"}[:rapid.IntRange(1, 2).Draw(t, "pools")] {
		count := rapid.IntRange(1, most).Draw(t, "count")
		most = max(1, 5-count)
		p := inputs.Pool{Name: name, Count: inputs.Count{Min: count, Max: count}, Utilization: 1, MemoryBytes: testReserve + int64(rapid.IntRange(2, 8).Draw(t, "memory"))<<28,
			Accelerator: inputs.Accelerator{Name: name, MemoryBandwidth: 1e12, FLOPS: map[inputs.DType]float64{inputs.BF16: 1e14}},
			Intra:       inputs.Link{Kind: inputs.LinkNVLink, BytesPerSecond: 300e9}}
		per := count
		if count%2 == 0 && rapid.Bool().Draw(t, "two hosts") {
			per = count / 2
		}
		shared := k == 1 && rapid.Bool().Draw(t, "shared host")
		for i := 0; i < count; i += per {
			node := inputs.Node{Host: fmt.Sprintf("%s-%d", name, i/per)}
			if shared {
				node.Host = fmt.Sprintf("fast-%d", i/per)
			}
			for j := range per {
				node.GPUs = append(node.GPUs, fmt.Sprintf("%s/%s-%d", node.Host, name, j))
			}
			p.Nodes = append(p.Nodes, node)
		}
		p.GPUsPerNode = per
		c.Cluster.Pools = append(c.Cluster.Pools, p)
	}
	return c
}

// hold fails unless a report says what brute force and the verifier say.
func hold(t *rapid.T, c *inputs.Condition, rep *results.Report) {
	want := brute(t, c)
	if rep.Plan == nil {
		if rep.Status != results.StatusInfeasible || !math.IsInf(want, 1) {
			t.Fatalf("no plan, status %s: brute force finds %g", rep.Status, want)
		}
		return
	}
	rep.Plan = rep.WithOutcome()
	v, err := verify.Check(rep.Plan, c)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range verify.Violations(v) {
		t.Errorf("%s: want %s, got %s", x.Rule, x.Want, x.Got)
	}
	s := &rep.Plan.Phases[0].Solve
	const near = 1e-9
	switch {
	case (rep.Plan.Phases[0].GPUs.Match || c.Goal.AllowIdle) && s.Objective < want*(1-near):
		t.Fatalf("%g, brute force finds no better than %g", s.Objective, want)
	case rep.Status == results.StatusOptimal && s.Objective > want*(1+near):
		t.Fatalf("%g is called optimal, brute force finds %g", s.Objective, want)
	case rep.Status == results.StatusOptimal && !c.Goal.AllowIdle && !rep.Plan.Phases[0].GPUs.Match:
		t.Fatal("optimal with idle GPUs")
	case s.BestBound != nil && *s.BestBound > want*(1+near):
		t.Fatalf("the bound %g is above %g, which brute force finds", *s.BestBound, want)
	}
	for _, h := range rep.Plan.Comparison {
		if h.Feasible && *h.Objective < want*(1-near) {
			t.Fatalf("%s: %g, brute force finds no better than %g", h.Heuristic, *h.Objective, want)
		}
	}
}

func TestGraphsAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCondition(t, false)
		rep, err := Solve(context.Background(), c, Options{})
		if err != nil {
			t.Fatal(err)
		}
		hold(t, c, rep)
	})
}

// Where GPUs may idle any number of any pool is a choice, and every answer is proved.
func TestIdleGPUsAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCondition(t, false)
		c.Goal.AllowIdle = true
		rep, err := Solve(context.Background(), c, Options{})
		if err != nil {
			t.Fatal(err)
		}
		hold(t, c, rep)
		if rep.Plan != nil && rep.Status != results.StatusOptimal {
			t.Fatalf("status %s without a limit", rep.Status)
		}
	})
}

// On a chain the chain cut is exact, so every answer on all GPUs is proved.
func TestChainsAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCondition(t, true)
		rep, err := Solve(context.Background(), c, Options{})
		if err != nil {
			t.Fatal(err)
		}
		hold(t, c, rep)
		if want := brute(t, c); rep.Plan != nil && !math.IsInf(want, 1) {
			if got := rep.Plan.Phases[0].Solve.Objective; got > want*(1+1e-9) {
				t.Fatalf("%g, brute force finds %g", got, want)
			}
		}
	})
}
