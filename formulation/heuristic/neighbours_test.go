package heuristic

import (
	"slices"
	"testing"

	"partita/formulation/cost"
	"partita/formulation/stagegraph"
)

// TestNeighbours: each is a pipeline of all layers, there once, and differs; those that
// people try by hand are among them.
func TestNeighbours(t *testing.T) {
	env := environment(t, condition(sparse(24, 32), 64, a100))
	start := Proposal{Replicas: 2, Parts: lay(
		[]station{{0, tensor(4)}, {0, tensor(4)}}, []int{12, 12},
	)}
	list := Neighbours(env.Space, start)
	seen := map[string]bool{}
	for _, p := range list {
		at := 0
		for _, pt := range p.Parts {
			if pt.First != at || pt.Last < pt.First || !env.Space.Offers(pt.Pool, pt.Shape) {
				t.Fatalf("%+v", p)
			}
			at = pt.Last + 1
		}
		key := open(p).key()
		if at != 24 || p.Replicas < 1 || seen[key] || key == open(start).key() {
			t.Fatalf("%d layers, %d replicas, twice %v: %+v", at, p.Replicas, seen[key], p)
		}
		seen[key] = true
	}
	even := func(replicas int, sh cost.Shape, layers ...int) Proposal {
		st := make([]station, len(layers))
		for i := range st {
			st[i] = station{0, sh}
		}
		return Proposal{Replicas: replicas, Parts: lay(st, layers)}
	}
	for name, want := range map[string]Proposal{
		"a layer moved":                   even(2, tensor(4), 11, 13),
		"experts spread":                  even(2, cost.Shape{TP: 4, CP: 1, DPAttention: 1, EP: 4, ETP: 1}, 12, 12),
		"attention DP for TP":             even(2, cost.Shape{TP: 2, CP: 1, DPAttention: 2, EP: 1, ETP: 4}, 12, 12),
		"twice the replicas, half the TP": even(4, tensor(2), 12, 12),
		"twice the replicas, half the PP": even(4, tensor(4), 24),
		"half the replicas, twice the TP": even(1, tensor(8), 12, 12),
		"half the replicas, twice the PP": even(1, tensor(4), 6, 6, 6, 6),
		"twice the TP, half the PP":       even(2, tensor(8), 24),
		"half the TP, twice the PP":       even(2, tensor(2), 6, 6, 6, 6),
		"one replica more":                even(3, tensor(4), 12, 12),
		"one replica fewer":               even(1, tensor(4), 12, 12),
		"one stage more":                  even(2, tensor(4), 8, 8, 8),
		"one stage fewer":                 even(2, tensor(4), 24),
		"half the TP alone":               even(2, tensor(2), 12, 12),
		"twice the PP alone":              even(2, tensor(4), 6, 6, 6, 6),
	} {
		if !seen[open(want).key()] {
			t.Errorf("%s is not among them", name)
		}
	}
	if Neighbours(env.Space, Proposal{Why: "none"}) != nil {
		t.Error("no proposal has no neighbours")
	}
	again := Neighbours(env.Space, start)
	if !slices.EqualFunc(list, again, func(a, b Proposal) bool { return open(a).key() == open(b).key() }) {
		t.Error("another order the second time")
	}
}

// TestNeighboursOfUnlikePools: neighbours on unlike GPUs change places, and one stage
// alone can be widened.
func TestNeighboursOfUnlikePools(t *testing.T) {
	env := environment(t, condition(dense(24, 32), 64, a100, l40s))
	start := Proposal{Replicas: 1, Parts: lay([]station{{0, tensor(4)}, {1, tensor(2)}}, []int{16, 8})}
	swapped, widened := false, false
	for _, p := range Neighbours(env.Space, start) {
		pools := []int{}
		for _, pt := range p.Parts {
			pools = append(pools, pt.Pool)
		}
		swapped = swapped || slices.Equal(pools, []int{1, 0})
		widened = widened || slices.Equal(p.Parts, []stagegraph.Part{start.Parts[0], {First: 16, Last: 23, Pool: 1, Shape: tensor(4)}})
	}
	if !swapped || !widened {
		t.Errorf("swapped %v, widened %v", swapped, widened)
	}
}
