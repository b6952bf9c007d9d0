package stagegraph

import (
	"fmt"
	"slices"
	"testing"

	"partita/formulation/cost"
	"partita/inputs"
)

// Group sizes that a pool offers, by heads, widths, phase and nodes.
func TestGroupSizes(t *testing.T) {
	dense, experts := denseKind(16, 4096), expertKind(16, 2048, 64)
	for _, c := range []struct {
		name  string
		kinds []inputs.LayerKind
		nodes []int
		want  []int
	}{
		{"heads divide", []inputs.LayerKind{dense}, []int{8}, []int{1, 2, 4, 8}},
		{"twelve heads", []inputs.LayerKind{denseKind(12, 6144)}, []int{8}, []int{1, 2, 3, 4, 6}},
		{"two nodes for tensor parallelism, no more", []inputs.LayerKind{dense}, []int{4, 4, 4, 4}, []int{1, 2, 4, 8}},
		{"experts over all nodes", []inputs.LayerKind{experts}, []int{4, 4, 4, 4}, []int{1, 2, 4, 8, 16}},
		{"uneven nodes: inside one", []inputs.LayerKind{experts}, []int{4, 2}, []int{1, 2, 4}},
		{"sizes that leave gaps: inside a node", []inputs.LayerKind{denseKind(12, 6144)}, []int{8, 8}, []int{1, 2, 3, 4, 6}},
	} {
		t.Run(c.name, func(t *testing.T) {
			layers := make([]int, 2)
			layers[1] = len(c.kinds) - 1
			s := mustSpace(t, fixture(modelOf(layers, c.kinds...), inputs.Mixed, 4, false, c.nodes))
			if got := s.pools[0].sizes; !slices.Equal(got, c.want) {
				t.Errorf("sizes %v: want %v", got, c.want)
			}
			if got := s.LargestGroup(0); got != c.want[len(c.want)-1] {
				t.Errorf("largest group %d: want %d", got, c.want[len(c.want)-1])
			}
		})
	}
}

// No tensor group straddles nodes where these have no end either.
func TestShapesOfUnlimitedNodes(t *testing.T) {
	for _, node := range []int{4, 6, 10} {
		c := fixture(modelOf([]int{0, 1}, denseKind(60, 4096), expertKind(60, 2048, 60)), inputs.Decode, 4, false, []int{node})
		unlimited(c, node)
		wide := 0
		for _, sh := range mustSpace(t, c).pools[0].shapes {
			if q := sh.GPUs(); q > node {
				wide++
				if q%node != 0 || sh.TP <= node && node%sh.TP != 0 || sh.TP > node && sh.TP%node != 0 {
					t.Errorf("tensor groups of %+v straddle nodes of %d", sh, node)
				}
			}
		}
		if wide == 0 {
			t.Errorf("no stage beyond a node of %d", node)
		}
	}
}

// Each shape multiplies to its GPUs twice and is one the model admits; tensor groups
// lie inside nodes or fill whole ones; context parallelism is for prefill.
func TestShapes(t *testing.T) {
	kinds := []inputs.LayerKind{denseKind(16, 4096), expertKind(16, 2048, 64)}
	for _, phase := range []inputs.Phase{inputs.Prefill, inputs.Decode, inputs.Mixed} {
		for _, node := range []int{4, 6} {
			c := fixture(modelOf([]int{0, 1}, kinds...), phase, 4, false, []int{node, node})
			s := mustSpace(t, c)
			seen := map[cost.Shape]bool{}
			context := false
			for _, sh := range s.pools[0].shapes {
				q := sh.TP * sh.CP * sh.DPAttention
				if q != sh.EP*sh.ETP || seen[sh] {
					t.Errorf("%s: shape %+v is wrong or there twice", phase, sh)
				}
				seen[sh] = true
				context = context || sh.CP > 1
				for kind := range kinds {
					if ok, why := cost.ValidShape(&c.Model, kind, sh); !ok {
						t.Errorf("%s: %+v: %s", phase, sh, why)
					}
				}
				if q > node && (q%node != 0 || sh.TP <= node && node%sh.TP != 0 || sh.TP > node && sh.TP%node != 0) {
					t.Errorf("%s: tensor groups of %+v straddle nodes of %d", phase, sh, node)
				}
			}
			if context != (phase == inputs.Prefill) {
				t.Errorf("%s: context parallelism among the shapes: %t", phase, context)
			}
			for _, want := range []cost.Shape{{TP: 1, CP: 1, DPAttention: 1, EP: 1, ETP: 1}, {TP: 2, CP: 1, DPAttention: 2, EP: 4, ETP: 1}, {TP: 4, CP: 1, DPAttention: 1, EP: 2, ETP: 2}} {
				// On nodes of 6 a group of 4 is for tensor parallelism alone.
				strands := node%want.GPUs() != 0 && want.TP != want.GPUs()
				if seen[want] == strands {
					t.Errorf("%s, nodes of %d: %+v is there: %t", phase, node, want, seen[want])
				}
			}
		}
	}
}

// Intervals are told apart by their counts of each kind and by the ends, by nothing
// else: dense layers before experts, kinds that alternate, equal layers.
func TestClasses(t *testing.T) {
	dense, experts := denseKind(8, 4096), expertKind(8, 1024, 8)
	for _, c := range []struct {
		name    string
		layers  []int
		classes int
	}{
		// first, last, both, neither: 4 lengths less what cannot be
		{"equal layers", []int{0, 0, 0, 0}, 4 + 4 - 1 + 2},
		{"dense, then experts", []int{0, 1, 1, 1}, 4 + 3 + 2},
		{"alternating", []int{0, 1, 0, 1}, 4 + 3 + 3},
		{"one layer", []int{0}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := mustSpace(t, fixture(modelOf(c.layers, dense, experts), inputs.Decode, 2, false, []int{2}))
			keys := map[string]int32{}
			n := len(c.layers)
			for a := range n {
				for b := a + 1; b <= n; b++ {
					counts := []int{0, 0}
					for _, kind := range c.layers[a:b] {
						counts[kind]++
					}
					id := s.classes.of[a*(n+1)+b]
					if got := s.countsOf(a, b); !slices.Equal(got, counts) {
						t.Errorf("[%d, %d) holds %v: want %v", a, b, got, counts)
					}
					key := fmt.Sprint(counts, a == 0, b == n)
					if was, ok := keys[key]; ok && was != id {
						t.Errorf("[%d, %d) is of class %d: want %d as others like it", a, b, id, was)
					}
					keys[key] = id
				}
			}
			if len(keys) != len(s.classes.list) || len(keys) != c.classes {
				t.Errorf("%d classes of %d sorts of interval: want %d", len(s.classes.list), len(keys), c.classes)
			}
			if s.classes.of[0] != -1 {
				t.Errorf("an empty interval has class %d", s.classes.of[0])
			}
		})
	}
}

// A layer that no group holds is named; more memory gives it a home.
func TestHomeless(t *testing.T) {
	c := fixture(modelOf([]int{0, 1, 0}, denseKind(8, 4096), denseKind(8, 65536)), inputs.Mixed, 4, false, []int{2})
	for _, x := range []struct {
		mib      int64
		layer    int
		homeless bool
	}{{2200, 0, true}, {2800, 1, true}, {80000, 0, false}} {
		c.Cluster.Pools[0].MemoryBytes = x.mib << 20
		l, homeless := mustSpace(t, c).Homeless()
		if l != x.layer || homeless != x.homeless {
			t.Errorf("%d MiB: layer %d homeless %t, want %d %t", x.mib, l, homeless, x.layer, x.homeless)
		}
	}
}
