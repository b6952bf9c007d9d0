package encode

import (
	"testing"

	"partita/solver/path"
	"partita/solver/path/pathtest"
	"pgregory.net/rapid"
)

func newSearch(t interface{ Fatal(...any) }, p *path.Problem, cutoff int64) *search {
	n, err := newNetwork(p)
	if err != nil {
		t.Fatal(err)
	}
	s := &search{n: n, w: n.newWork(), constraints: constraints(p), objective: newObjective(p), cutoff: cutoff}
	n.distinctTimes(&s.times)
	return s
}

// TestPricesBound: whatever the prices, the dual value is no more than the optimum, and
// pricing with a cutoff above the optimum keeps the box of all paths open.
func TestPricesBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := pathtest.Random(pathtest.Drawn(t))
		_, best, ok := path.BruteForce(p)
		if !ok {
			t.Skip()
		}
		s := newSearch(t, p, best.Objective+1)
		s.quiet = true
		root := s.root()
		k := s.knownOf(root, path.NoLimit)
		for _, f := range s.objective.forms(k) {
			d := s.n.ascend(root.arcs, &f, s.rows(k), k, nil, 40, s.foundArcs)
			if d.bound() > best.Objective {
				t.Fatalf("bound %d over the optimum %d", d.bound(), best.Objective)
			}
		}
		if !s.tighten(root, 60) {
			t.Fatalf("the box is closed although %d is under the cutoff", best.Objective)
		}
		if root.bound > best.Objective {
			t.Fatalf("bound %d over the optimum %d", root.bound, best.Objective)
		}
		for f, w := range root.window {
			if w.lo > w.hi {
				t.Fatalf("window of phase %d: %v", f, w)
			}
		}
	})
}

// TestPricesAreTight: one resource of which the fast options need more than there is.
// Two layers, each alone; fast takes 10 with 2 units, slow 30 with 1: with 3 units the
// best is 40, without the count it is 20. The relaxation gives 40 exactly.
func TestPricesAreTight(t *testing.T) {
	p := &path.Problem{
		Boundaries: 3,
		Class:      []int32{-1, 0, -1, -1, -1, 0, -1, -1, -1},
		Options:    [][]path.Option{{{Units: 2, Time: [2]int64{10, 10}}, {Units: 1, Time: [2]int64{30, 30}}}},
		Resources:  []path.Resource{{Capacity: 3}},
		Phases:     [2]path.Phase{{Sum: 1}, {}},
		Weight:     [2]int64{1, 0},
		Limit:      [2]int64{path.NoLimit, path.NoLimit},
	}
	s := newSearch(t, p, path.NoLimit)
	root := s.root()
	k := s.knownOf(root, path.NoLimit)
	forms := s.objective.forms(k)
	d := s.n.ascend(root.arcs, &forms[0], s.rows(k), k, nil, 100, s.foundArcs)
	if d.bound() < 39 || d.bound() > 40 {
		t.Errorf("bound %d, want 40 (39 where steps are cut short)", d.bound())
	}
	if s.cutoff > 60 {
		t.Errorf("no path met on the way is within the count: cutoff %d", s.cutoff)
	}
}

// TestCoverCoversEveryPath: for a pure bottleneck, whatever times do, each path of a
// box has a path of the cover with the same counts: at every node of it, an arc of the
// cover with the same units of the same resource reaches at least as far.
func TestCoverCoversEveryPath(t *testing.T) {
	covers := 0
	for seed := range uint64(400) {
		src := pathtest.Seeded(seed)
		p := pathtest.Random(src)
		for c := range p.Options {
			for o := range p.Options[c] {
				p.Options[c][o].Fee = 0
			}
		}
		p.Phases = [2]path.Phase{{Rate: 2}, {Rate: 3}}
		s := newSearch(t, p, path.NoLimit)
		root := s.root()
		if root == nil {
			continue
		}
		k := s.knownOf(root, path.NoLimit)
		c, ok := s.coverOf(root, k)
		if !ok {
			continue
		}
		covers++
		for _, i := range root.arcs {
			a, covered := &s.n.arcs[i], false
			for _, j := range c.arcs {
				b := &s.n.arcs[j]
				covered = covered || a.from == b.from && a.resource == b.resource && a.units == b.units &&
					s.n.successor(a) == s.n.successor(b) && b.end >= a.end
			}
			if !covered {
				t.Fatalf("seed %d: no arc of the cover for %+v", seed, *a)
			}
		}
	}
	if covers < 100 {
		t.Errorf("only %d covers", covers)
	}
}

// TestNoCoverUnderASum: where the sum of the times counts, a cover proves nothing.
func TestNoCoverUnderASum(t *testing.T) {
	s := newSearch(t, pools(), path.NoLimit)
	root := s.root()
	if _, ok := s.coverOf(root, s.knownOf(root, path.NoLimit)); ok {
		t.Error("a cover of a problem with sums and fees")
	}
}
