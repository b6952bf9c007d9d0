package ideals

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partita/solver"
)

// branching is a graph of blocks of parallel branches, like those of inception: every
// block begins with one node and ends with one that gathers its branches. Outputs cost
// about sends times the work of a node. It is placed on six accelerators and a core.
func branching(seed uint64, blocks, branches, depth int, sends float64) *Problem {
	rng := rand.New(rand.NewPCG(seed, 1))
	p := &Problem{}
	fast, slow := Class{Name: "accelerator", Count: 6, Bytes: Unlimited}, Class{Name: "core", Count: 1, Bytes: Unlimited}
	node := func(from ...int) int {
		v := len(p.Nodes)
		p.Nodes = append(p.Nodes, Node{Bytes: int64(1 + rng.IntN(1000)), Colour: NoColour})
		fast.Time = append(fast.Time, rng.ExpFloat64())
		fast.Transfer = append(fast.Transfer, sends*rng.ExpFloat64())
		slow.Time = append(slow.Time, fast.Time[v]*(5+20*rng.Float64()))
		for _, u := range from {
			p.Edges = append(p.Edges, Edge{u, v})
		}
		return v
	}
	last := node()
	for range blocks {
		var ends []int
		for range branches {
			v := node(last)
			for range rng.IntN(depth) {
				v = node(v)
			}
			ends = append(ends, v)
		}
		last = node(ends...)
	}
	p.Classes = []Class{fast, slow}
	return p
}

// pooled puts a problem's nodes on pools of unlike accelerators, of which three can
// hold all.
func pooled(p *Problem, counts ...int) *Problem {
	rng := rand.New(rand.NewPCG(7, 7))
	total := int64(0)
	for _, n := range p.Nodes {
		total += n.Bytes
	}
	base := p.Classes[0]
	p.Classes = nil
	for i, n := range counts {
		c := Class{Count: n, Bytes: total / 3}
		for v := range base.Time {
			c.Time = append(c.Time, base.Time[v]*(1+float64(i)*0.6)*(0.9+0.2*rng.Float64()))
			c.Transfer = append(c.Transfer, base.Transfer[v]*float64(1+i%2))
		}
		p.Classes = append(p.Classes, c)
	}
	return p
}

// byPairs is the smallest largest load by a plain dynamic program over all pairs of
// ideals.
func (o *oracle) byPairs() float64 {
	ideals := []uint32{0}
	for at := 0; at < len(ideals); at++ {
		for i, before := range o.before {
			if ideals[at]>>i&1 == 0 && before&^ideals[at] == 0 && !slices.Contains(ideals, ideals[at]|1<<i) {
				ideals = append(ideals, ideals[at]|1<<i)
			}
		}
	}
	slices.Sort(ideals) // subsets come first
	states, stride := 1, make([]int, len(o.p.Classes))
	for c := range o.p.Classes {
		stride[c] = states
		states *= o.p.Classes[c].Count + 1
	}
	best := make([][]float64, len(ideals))
	for j := range best {
		best[j] = slices.Repeat([]float64{math.Inf(1)}, states)
	}
	best[0][0] = 0
	for i, from := range ideals {
		for j := i + 1; j < len(ideals); j++ {
			if from&^ideals[j] != 0 {
				continue
			}
			for c := range o.p.Classes {
				load := o.load(o.nodes(ideals[j]&^from), &o.p.Classes[c])
				for used, value := range best[i] {
					if used/stride[c]%(o.p.Classes[c].Count+1) < o.p.Classes[c].Count {
						to := &best[j][used+stride[c]]
						*to = min(*to, max(value, load))
					}
				}
			}
		}
	}
	return slices.Min(best[len(ideals)-1])
}

func TestBranchingGraphsAgainstPairsOfIdeals(t *testing.T) {
	for seed := range uint64(12) {
		p := branching(seed, 3, 3, 3, 0.5*float64(seed%4))
		if seed%3 == 2 {
			p = pooled(p, 2, 1, 2)
		}
		if len(p.Nodes) > 31 {
			t.Fatalf("%d nodes", len(p.Nodes))
		}
		o := newOracle(p)
		want := o.byPairs()
		got, err := Solve(context.Background(), p, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got.Status != solver.Optimal || !near(got.Value, want) || !near(got.Bound, want) {
			t.Errorf("seed %d, %d nodes: %v %v bound %v, want %v", seed, len(p.Nodes), got.Status, got.Value, got.Bound, want)
		}
		if wrong := o.check(got); wrong != "" {
			t.Errorf("seed %d: %s", seed, wrong)
		}
	}
}

func TestWorkersChangeNothing(t *testing.T) {
	for _, p := range []*Problem{branching(1, 10, 5, 4, 1), pooled(branching(2, 10, 4, 4, 0.5), 3, 3)} {
		var first *Solution
		for workers := 1; workers <= 3; workers++ {
			s, err := Solve(context.Background(), p, Options{Workers: workers})
			if err != nil || s.Status != solver.Optimal {
				t.Fatal(s, err)
			}
			if first == nil {
				first = s
			}
			if diff := cmp.Diff(first, s); diff != "" {
				t.Errorf("%d workers (-1 +%d):\n%s", workers, workers, diff)
			}
		}
		if first.Explored < shared {
			t.Errorf("%d ideals are too few for workers to share", first.Explored)
		}
	}
}

// A lattice that is too large for any search: what is said of it must still be true.
func TestLimitsLeaveAnIncumbentAndABound(t *testing.T) {
	p := branching(3, 6, 12, 6, 1)
	check := func(s *Solution, err error, want solver.Status) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if s.Status != want || s.Stages == nil || s.Bound <= 0 || s.Bound >= s.Value {
			t.Errorf("%v value %v bound %v, want %v", s.Status, s.Value, s.Bound, want)
		}
	}
	s, err := Solve(context.Background(), p, Options{Stages: 200_000})
	check(s, err, solver.Unknown)
	again, err := Solve(context.Background(), p, Options{Stages: 200_000, Workers: 1})
	if diff := cmp.Diff(s, again); diff != "" || err != nil {
		t.Errorf("a limit of stages does not stop at one place: %v\n%s", err, diff)
	}
	s, err = Solve(context.Background(), p, Options{Memory: 1 << 18, Stages: 500_000})
	check(s, err, solver.Unknown)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	s, err = Solve(ctx, p, Options{})
	if err != nil || s.Status != solver.TimeLimit || s.Bound <= 0 || s.Bound >= s.Value {
		t.Errorf("%v value %v bound %v: %v", s.Status, s.Value, s.Bound, err)
	}
}
