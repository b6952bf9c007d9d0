package scatter

import (
	"context"
	"math"
	"slices"
	"testing"

	"partita/formulation/assignment"

	"pgregory.net/rapid"
)

// anyDevices draws devices for the clusters, allowed or not: loads are loads.
func anyDevices(t *rapid.T, p *problem) []int32 {
	device := make([]int32, len(p.clusters))
	for c := range device {
		device[c] = int32(rapid.IntRange(0, p.devices()-1).Draw(t, "device"))
	}
	return device
}

// TestMovesKeepTheLoads: after any moves the counters give the loads of the definition.
func TestMovesKeepTheLoads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := smallGraph(t)
		for v := range g.Nodes {
			g.Nodes[v].OnAccelerator = true
		}
		g.AcceleratorBytes = 1 << 40
		p := newProblem(g)
		s := newState(p, anyDevices(t, p))
		for range rapid.IntRange(0, 10).Draw(t, "moves") {
			c := rapid.IntRange(0, len(p.clusters)-1).Draw(t, "cluster")
			s.move(c, int32(rapid.IntRange(0, p.devices()-1).Draw(t, "to")))
		}
		loads := assignment.Loads(g, p.expand(s.device))
		for d, load := range s.load {
			at := d
			if p.isCore(d) {
				at += g.Accelerators - p.accelerators
			}
			if !near(p.ms(load), loads[at]) {
				t.Fatalf("device %d: %g by counters, %g by definition", d, p.ms(load), loads[at])
			}
		}
		fresh := newState(p, s.device)
		if !slices.Equal(fresh.load, s.load) || !slices.Equal(fresh.count, s.count) || !slices.Equal(fresh.away, s.away) || !slices.Equal(fresh.bytes, s.bytes) {
			t.Fatalf("counters after moves %+v, counted anew %+v", s, fresh)
		}
	})
}

// TestPricingFindsTheDearestSet: at every load the front gives the most that a set of
// clusters on an accelerator is worth, by trying all sets.
func TestPricingFindsTheDearestSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := smallGraph(t)
		g.Accelerators = max(2, g.Accelerators)
		g.CPUs = 0
		p := newProblem(g)
		p.accelerators = 2 // the set and the rest
		split, left := pricing(p, narrowOrder(p), 4000)
		if left > 0 {
			t.Fatalf("%d nets left out", left)
		}
		order := narrowOrder(p)
		worth := make([]int64, len(p.clusters))
		for i, c := range order {
			worth[c] = int64(rapid.IntRange(-5, 20).Draw(t, "worth"))
			split.vertices[i].out[1] = -worth[c]
		}
		split.capIn, split.capOut = math.MaxInt64, math.MaxInt64
		front, done := split.run(context.Background(), 1<<30)
		if !done || len(front) == 0 {
			t.Fatal("no front")
		}
		device := make([]int32, len(p.clusters))
		side := make([]uint8, len(p.clusters))
		for set := range 1 << len(p.clusters) {
			value, fits := int64(0), true
			for c := range device {
				device[c] = int32(1 - set>>c&1)
				if device[c] == 0 {
					value += worth[c]
					fits = fits && p.clusters[c].onAccel
				}
			}
			if !fits {
				continue
			}
			load := newState(p, device).load[0]
			if !slices.ContainsFunc(front, func(l splitLabel) bool { return l.in <= load && -l.out >= value }) {
				t.Fatalf("a set of load %d is worth %d, above the front", load, value)
			}
		}
		for _, l := range front {
			split.trace(l, side)
			value := int64(0)
			for i, c := range order {
				device[c] = int32(1 - side[i])
				value += worth[c] * int64(side[i])
			}
			if load := newState(p, device).load[0]; load != l.in || value != -l.out {
				t.Fatalf("traced set: load %d worth %d, the label says %d and %d", load, value, l.in, -l.out)
			}
		}
	})
}

// TestThinnedFrontStaysABound: with few labels a state, no set is above the front.
func TestThinnedFrontStaysABound(t *testing.T) {
	p := newProblem(narrowGraph(60))
	order := narrowOrder(p)
	fronts := map[int][]splitLabel{}
	for _, limit := range []int{4000, 50, 7} {
		split, _ := pricing(p, order, limit)
		for i, c := range order {
			split.vertices[i].out[1] = -p.clusters[c].work
		}
		split.capIn, split.capOut = p.everything(), math.MaxInt64
		fronts[limit], _ = split.run(context.Background(), 1<<30)
	}
	for _, limit := range []int{50, 7} {
		for _, l := range fronts[4000] {
			if !slices.ContainsFunc(fronts[limit], func(x splitLabel) bool { return x.in <= l.in && x.out <= l.out }) {
				t.Fatalf("%d labels a state: (%d, %d) lies above the front", limit, l.in, l.out)
			}
		}
	}
}

// TestResplitIsTheBestSplit: the clusters of two devices among three are split so that
// the larger load is the least there is, whatever the third holds.
func TestResplitIsTheBestSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := smallGraph(t)
		g.Accelerators, g.CPUs, g.AcceleratorBytes = 2, 1, 1<<40
		for v := range g.Nodes {
			g.Nodes[v].OnAccelerator = true
		}
		p := newProblem(g)
		if p.devices() < 3 {
			return
		}
		device := anyDevices(t, p)
		pair := rapid.SampledFrom([][2]int32{{0, 1}, {0, 2}, {1, 2}}).Draw(t, "pair")
		var members []int
		for _, c := range narrowOrder(p) {
			if device[c] == pair[0] || device[c] == pair[1] {
				members = append(members, c)
			}
		}
		if len(members) == 0 {
			return
		}
		worst := func(s *state) int64 { return max(s.load[pair[0]], s.load[pair[1]]) }
		least := int64(math.MaxInt64)
		for set := range 1 << len(members) {
			try := slices.Clone(device)
			for i, c := range members {
				try[c] = pair[set>>i&1]
			}
			least = min(least, worst(newState(p, try)))
		}
		l := newLocal(p, narrowOrder(p))
		l.offer(device)
		took := l.resplit(context.Background(), pair[0], pair[1], worst(l.st))
		if got := worst(l.st); got != least {
			t.Fatalf("split to %d, the least is %d (taken: %v)", got, least, took)
		}
	})
}
