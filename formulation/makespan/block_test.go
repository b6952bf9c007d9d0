package makespan

import (
	"context"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"partita/inputs/opgraph"
)

func TestKnapsackTakesTheBestChoice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := knapsack{room: rapid.Int64Range(0, 30).Draw(t, "room")}
		options := make([]option, rapid.IntRange(0, 9).Draw(t, "options"))
		for i := range options {
			options[i].saves = float64(rapid.IntRange(-3, 20).Draw(t, "saves"))
			options[i].bytes = rapid.Int64Range(0, 15).Draw(t, "bytes")
		}
		best := 0.0
		for subset := range 1 << len(options) {
			saved, bytes := 0.0, int64(0)
			for i, o := range options {
				if subset>>i&1 != 0 {
					saved += o.saves
					bytes += o.bytes
				}
			}
			if bytes <= k.room {
				best = max(best, saved)
			}
		}
		for i := range options {
			k.offer(&options[i])
		}
		saved, exact := k.solve()
		room := k.room
		for _, o := range k.best {
			room -= o.bytes
			saved -= o.saves
		}
		if !exact || room < 0 || saved != 0 || k.saved != best {
			t.Fatalf("saves %g, want %g (exact: %v, room left %d)", k.saved, best, exact, room)
		}
	})
}

// A choice that is too hard gives an upper bound and says so.
func TestKnapsackGivesUp(t *testing.T) {
	options := make([]option, 60)
	k := knapsack{room: 3_000_001}
	for i := range options { // even sizes, an odd room: no bound closes before the end
		options[i] = option{saves: 100_000 + float64(i%7), bytes: int64(100_000 + 2*(i%7))}
		k.offer(&options[i])
	}
	bound, exact := k.solve()
	if exact || bound < k.saved || k.saved <= 0 {
		t.Errorf("%g of at most %g, exact: %v", k.saved, bound, exact)
	}
}

// What a walk leaves of a block is what pushing its items anew gives.
func TestBlockForgetsWhatWasPopped(t *testing.T) {
	g := &opgraph.Graph{Accelerators: 1, CPUs: 1, AcceleratorBytes: 100}
	for v := range 12 {
		g.Nodes = append(g.Nodes, opgraph.Node{ID: v, OnAccelerator: true, CPUTime: 1, AcceleratorTime: 0.1 * float64(v), Bytes: 1, Send: 0.3, Colour: opgraph.NoColour})
		for u := max(0, v-3); u < v; u += 2 {
			g.Edges = append(g.Edges, opgraph.Edge{From: u, To: v, Cost: 0.3})
		}
	}
	p := reduce(g, indices(len(g.Nodes)))
	rapid.Check(t, func(t *rapid.T) {
		walked := newBlock(p)
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			next := len(walked.stack)
			if next < len(p.items) && (next == 0 || rapid.Bool().Draw(t, "push")) {
				walked.push(next)
			} else if next > 0 {
				walked.pop()
			}
		}
		fresh := newBlock(p)
		for i := range walked.stack {
			fresh.push(i)
		}
		a, _ := walked.length(nil)
		b, _ := fresh.length(nil)
		if a != b || walked.bytes != fresh.bytes {
			t.Fatalf("%g ms, %d bytes after the walk, %g ms, %d bytes anew", a, walked.bytes, b, fresh.bytes)
		}
	})
}

// One residual block of four nodes, a rim node on each side: only the block's nodes are
// items, and its ideals are those of two parallel ways.
func TestReduction(t *testing.T) {
	g := &opgraph.Graph{Accelerators: 1, CPUs: 1, AcceleratorBytes: 10}
	add := func(cpu, send float64, colour int, from ...int) {
		g.Nodes = append(g.Nodes, opgraph.Node{ID: len(g.Nodes), OnAccelerator: true, CPUTime: cpu, AcceleratorTime: cpu / 10, Send: send, Colour: colour})
		for _, u := range from {
			g.Edges = append(g.Edges, opgraph.Edge{From: u, To: len(g.Nodes) - 1, Cost: g.Nodes[u].Send})
		}
	}
	add(0, 0, -1)       // 0: the input, free: dropped
	add(0, 2, -1)       // 1: a weight of node 3: optional source
	add(0, 2, 5)        // 2: a weight of node 4, of its class: one item
	add(9, 1, -1, 0, 1) // 3: fork
	add(9, 1, 5, 2, 3)  // 4: one way
	add(9, 1, -1, 3)    // 5: the other
	add(9, 1, -1, 4, 5) // 6: join
	add(0, 0, -1, 6)    // 7: a state that nobody reads: optional sink
	p := reduce(g, indices(len(g.Nodes)))
	if want := []int{-1, -1, 1, 0, 1, 2, 3, -1}; !slices.Equal(p.itemOf, want) {
		t.Errorf("items %v, want %v", p.itemOf, want)
	}
	if len(p.sources[0]) != 1 || p.sources[0][0].saves != 2 || !p.sinks[6].pays || p.sinks[6].saves != 1 {
		t.Errorf("options %+v, %+v", p.sources, p.sinks)
	}
	if l := p.ideals(context.Background(), 100); l.size() != 6 {
		t.Errorf("%d ideals, want 6", l.size())
	}
	if l := p.ideals(context.Background(), 5); l != nil {
		t.Errorf("%d ideals, at most 5 asked for", l.size())
	}
	if s := boundsOf(p); math.Abs(s[1]-3.6) > 1e-9 || s[0] != 27 {
		t.Errorf("bounds %v, want 27, and 3.6 for one block that has both ways", s)
	}
}

func indices(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

func boundsOf(p *problem) []float64 {
	t := newTails(p)
	t.paths(context.Background(), p)
	return t.start
}
