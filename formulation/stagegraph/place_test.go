package stagegraph

import (
	"testing"

	"pgregory.net/rapid"

	"partita/formulation/cost"
	"partita/inputs"
)

// tensor is a dense shape over q GPUs.
func tensor(q int) cost.Shape { return cost.Shape{TP: q, CP: 1, DPAttention: 1, EP: 1, ETP: q} }

// partsOf makes one stage a layer with these group sizes on pool 0.
func partsOf(sizes ...int) []Part {
	var out []Part
	for i, q := range sizes {
		out = append(out, Part{First: i, Last: i, Shape: tensor(q)})
	}
	return out
}

func TestPlace(t *testing.T) {
	for _, c := range []struct {
		name     string
		nodes    []int
		sizes    []int
		replicas int
		ok       bool
	}{
		{"3 + 3 + 2 on a node of 8", []int{8}, []int{3, 3, 2}, 1, true},
		{"3 + 3 + 3 on a node of 8", []int{8}, []int{3, 3, 3}, 1, false},
		{"3 + 3 + 2 on nodes of 4", []int{4, 4}, []int{3, 3, 2}, 1, false},
		{"3 + 1 and 3 + 1 on nodes of 4", []int{4, 4}, []int{1, 3, 1, 3}, 1, true},
		{"first fit fails: 4 + 3 + 3 + 2 on nodes of 6", []int{6, 6}, []int{4, 3, 3, 2}, 1, true},
		{"a group over two nodes", []int{2, 2, 2}, []int{4, 2}, 1, true},
		{"a group over two nodes, one begun", []int{2, 2, 2}, []int{1, 4, 1}, 1, true},
		{"two groups over two nodes of three", []int{2, 2, 2}, []int{4, 4}, 1, false},
		{"replicas one by one", []int{2, 2, 2}, []int{1, 1}, 3, true},
		{"replicas across nodes", []int{3, 3}, []int{2, 1}, 2, true},
		{"too many replicas", []int{3, 3}, []int{2}, 3, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			layers := make([]int, len(c.sizes))
			s := mustSpace(t, fixture(modelOf(layers, denseKind(12, 12288)), inputs.Decode, 4, false, c.nodes))
			placed, err := s.Place(Choice{Layout: &Layout{Replicas: c.replicas, GPUs: []int{sumOf(c.sizes)}, Total: -1}, Groups: 1}, partsOf(c.sizes...))
			if (err == nil) != c.ok {
				t.Fatalf("error %v: want placed = %t", err, c.ok)
			}
			if err == nil {
				checkPlaced(t, placed, c.sizes, c.replicas, c.nodes)
			}
		})
	}
}

func checkPlaced(t interface{ Errorf(string, ...any) }, placed []Placed, sizes []int, replicas int, nodes []int) {
	if len(placed) != replicas*len(sizes) {
		t.Errorf("%d stages placed: want %d", len(placed), replicas*len(sizes))
	}
	seen := map[string]bool{}
	for i, p := range placed {
		if p.Replica != i/len(sizes) || p.Index != i%len(sizes) {
			t.Errorf("stage %d is replica %d stage %d", i, p.Replica, p.Index)
		}
		if len(p.GPUs) != p.Shape.GPUs() || len(p.Hosts) != len(p.GPUs) {
			t.Errorf("stage %d has GPUs %v on hosts %v: want %d", i, p.GPUs, p.Hosts, p.Shape.GPUs())
		}
		hosts := map[string]int{}
		for j, g := range p.GPUs {
			if seen[g] {
				t.Errorf("GPU %s is in two places", g)
			}
			seen[g] = true
			hosts[p.Hosts[j]]++
		}
		if len(hosts) > 1 && len(p.GPUs)%nodes[0] != 0 {
			t.Errorf("stage %d of %d GPUs spans hosts %v", i, len(p.GPUs), hosts)
		}
	}
}

// Whatever the solver's packing admits can be placed, with every GPU used once.
func TestPlaceWhatPacks(t *testing.T) {
	placed := 0
	rapid.Check(t, func(t *rapid.T) {
		s := mustSpace(t, drawCondition(t))
		ch, ok := drawChoice(t, s)
		if !ok {
			return
		}
		g := s.Build(ch, Scale{1e-6, 1e-6})
		stages, ok := drawPath(t, g.Problem)
		if !ok {
			return
		}
		if _, err := g.Problem.Evaluate(stages); err != nil {
			return
		}
		placed++
		parts := g.Parts(stages)
		var sizes []int
		for _, pt := range parts {
			sizes = append(sizes, pt.Shape.GPUs())
		}
		list, err := s.Place(ch, parts)
		if err != nil {
			t.Fatalf("%d replicas of %v on %+v: %v", ch.Layout.Replicas, parts, ch.Layout, err)
		}
		seen := map[string]bool{}
		for i := range list {
			for _, id := range list[i].GPUs {
				if seen[id] {
					t.Fatalf("GPU %s is in two places", id)
				}
				seen[id] = true
			}
			if first := list[i-i%len(parts)]; ch.Layout.SameHost && list[i].Hosts[0] != first.Hosts[0] {
				t.Fatalf("a replica of a one-host layout is on %s and %s", first.Hosts[0], list[i].Hosts[0])
			}
		}
		if want := sumOf(sizes) * ch.Layout.Replicas; len(seen) != want {
			t.Fatalf("%d GPUs placed: want %d", len(seen), want)
		}
	})
	if placed < 10 {
		t.Fatalf("only %d plans placed: the generator says too little", placed)
	}
}

// Nodes of a number that is ours to choose are made and named as needed.
func TestPlaceMakesNodes(t *testing.T) {
	s := mustSpace(t, unlimited(fixture(modelOf([]int{0, 0}, denseKind(8, 4096)), inputs.Decode, 4, false, []int{8}, []int{8}), 4))
	parts := []Part{{0, 0, 0, tensor(8)}, {1, 1, 1, tensor(2)}}
	list, err := s.Place(Choice{Layout: &Layout{Replicas: 2, GPUs: []int{8, 2}, Exact: true, Total: -1}, Groups: 1}, parts)
	if err != nil {
		t.Fatal(err)
	}
	if got := list[2].GPUs[4]; got != "pool-0/node-3/gpu-0" {
		t.Errorf("fifth GPU of the second replica's first stage: %s", got)
	}
	if got := list[3].GPUs; got[0] != "pool-1/node-0/gpu-2" && got[0] != "pool-1/node-1/gpu-0" {
		t.Errorf("second replica's second stage: %v", got)
	}
}

// A layout across hosts is not placed on one by chance: its sends are priced by the
// network.
func TestPlaceSpreads(t *testing.T) {
	s := mustSpace(t, fixture(modelOf([]int{0, 0}, denseKind(8, 4096)), inputs.Decode, 4, false, []int{4, 4}))
	parts := partsOf(2, 1)
	across := Choice{Layout: &Layout{Replicas: 1, GPUs: []int{8}, Total: -1}, Groups: 1}
	list, err := s.Place(across, parts)
	if err != nil {
		t.Fatal(err)
	}
	if list[0].Hosts[0] == list[1].Hosts[0] {
		t.Errorf("both stages are on %s", list[0].Hosts[0])
	}
	want := s.Seconds(across, parts)
	for i := range list {
		if list[i].Seconds != want[i] {
			t.Errorf("stage %d takes %v, as solved %v", i, list[i].Seconds, want[i])
		}
	}
	checkPlaced(t, list, []int{2, 1}, 1, []int{4, 4})
}
