package stagegraph

import (
	"fmt"
	"testing"

	"partita/inputs"
)

func TestExact(t *testing.T) {
	m := modelOf([]int{0, 0}, denseKind(8, 4096))
	for _, c := range []struct {
		name     string
		shared   bool
		pools    [][]int
		replicas int
		gpus     []int
		ok       bool
		sameHost bool
	}{
		{"all on one host", false, [][]int{{8}}, 1, []int{8}, true, true},
		{"over two hosts", false, [][]int{{4, 4}}, 1, []int{8}, true, false},
		{"one host each", false, [][]int{{4, 4}}, 2, []int{4}, true, true},
		{"two hosts hold three replicas of 2", false, [][]int{{4, 3}}, 3, []int{2}, true, true},
		{"one host too small", false, [][]int{{4, 2}}, 2, []int{3}, true, false},
		{"more than there are", false, [][]int{{4, 2}}, 2, []int{4}, false, false},
		{"pools that share a host", true, [][]int{{4}, {2}}, 2, []int{2, 1}, true, true},
		{"pools on hosts of their own", false, [][]int{{4}, {2}}, 2, []int{2, 1}, true, false},
		{"one of two pools", false, [][]int{{4}, {2}}, 2, []int{2, 0}, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := mustSpace(t, fixture(m, inputs.Decode, 4, c.shared, c.pools...))
			l, ok := s.Exact(c.replicas, c.gpus)
			if ok != c.ok || ok && l.SameHost != c.sameHost {
				t.Errorf("%+v, %t: want %t on one host %t", l, ok, c.ok, c.sameHost)
			}
		})
	}
}

func TestUpTo(t *testing.T) {
	m := modelOf([]int{0, 0}, denseKind(8, 4096))
	for _, c := range []struct {
		name     string
		shared   bool
		pools    [][]int
		replicas int
		want     string // GPUs of each layout, * where it lies on one host
	}{
		{"one node", false, [][]int{{8}}, 2, "[4]*"},
		{"two nodes", false, [][]int{{4, 4}}, 1, "[4]* [8]"},
		{"uneven nodes", false, [][]int{{5, 3}}, 2, "[3]* [4]"},
		{"uneven nodes, one replica", false, [][]int{{5, 3}}, 1, "[5]* [8]"},
		{"pools on hosts of their own", false, [][]int{{4}, {2}}, 1, "[4 0]* [0 2]* [4 2]"},
		{"pools that share one of two hosts", true, [][]int{{4, 4}, {2}}, 1, "[4 2]* [8 2]"},
		{"more replicas than GPUs", false, [][]int{{2}}, 3, ""},
		{"three replicas on hosts of 4 and 8", false, [][]int{{8, 4}}, 3, "[4]*"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := mustSpace(t, fixture(m, inputs.Decode, 4, c.shared, c.pools...))
			got := ""
			for _, l := range s.UpTo(c.replicas) {
				if got != "" {
					got += " "
				}
				got += fmt.Sprint(l.GPUs)
				if l.SameHost {
					got += "*"
				}
			}
			if got != c.want {
				t.Errorf("%s: want %s", got, c.want)
			}
		})
	}
}

// A range of GPUs has nodes of one size and a last, smaller one.
func TestRangedNodes(t *testing.T) {
	c := fixture(modelOf([]int{0, 0, 0}, denseKind(12, 6144)), inputs.Decode, 4, false, []int{4})
	p := &c.Cluster.Pools[0]
	p.Nodes, p.Count, p.GPUsPerNode = nil, inputs.Count{Min: 1, Max: 6}, 4
	s := mustSpace(t, c)
	for _, x := range []struct {
		replicas, gpus int
		sameHost       bool
	}{{1, 4, true}, {1, 6, false}, {2, 3, false}, {3, 2, true}} {
		l, ok := s.Exact(x.replicas, []int{x.gpus})
		if !ok || l.SameHost != x.sameHost {
			t.Errorf("%d replicas of %d GPUs on nodes of 4 and 2: %+v, %t: want one host %t", x.replicas, x.gpus, l, ok, x.sameHost)
		}
	}
}
