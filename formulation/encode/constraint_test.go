package encode

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"partita/solver"
	"partita/solver/bruteforce"
	"partita/solver/path"
	"partita/solver/path/pathtest"
)

// pools is three layers, two pools, two degrees on the first; times as in twoPools of
// package path, sends included.
func pools() *path.Problem {
	p := &path.Problem{
		Boundaries: 4,
		Class: []int32{
			-1, 0, 1, 2,
			-1, -1, 0, 1,
			-1, -1, -1, 0,
			-1, -1, -1, -1,
		},
		Send:      [][][2]int64{{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}},
		Resources: []path.Resource{{Capacity: 4}, {Capacity: 3}},
		Phases:    [2]path.Phase{{Sum: 1, Peak: 2}, {Sum: 1, Rate: 3}},
		Weight:    [2]int64{1, 2},
		Limit:     [2]int64{path.NoLimit, path.NoLimit},
	}
	for n := int64(1); n <= 3; n++ {
		p.Options = append(p.Options, []path.Option{
			{Group: 0, Resource: 0, Units: 1, Time: [2]int64{10 * n, 20 * n}, Fee: 1},
			{Group: 1, Resource: 1, Units: 3, Time: [2]int64{30 * n, 40 * n}, Fee: 5},
			{Group: 0, Resource: 0, Units: 2, Time: [2]int64{6 * n, 12 * n}, Fee: 2},
		})
	}
	return p
}

// mixed takes Λ 58, 90; T 35, 46; F 128, 138; J 411 with fees of 7; shortest time 1 20.
var mixed = []path.Stage{{From: 0, To: 1, Class: 0, Option: 0}, {From: 1, To: 2, Class: 0, Option: 1}, {From: 2, To: 3, Class: 0, Option: 0}}

// admitted builds a model of the path rows and one constraint, fixes the path, and says
// whether the model has a point: as the whole model, and as the model of the box in
// which T is that of the path.
func admitted(t *testing.T, p *path.Problem, c constraint, stages []path.Stage, whole bool, cutoff int64) bool {
	t.Helper()
	n, err := newNetwork(p)
	if err != nil {
		t.Fatal(err)
	}
	v := p.Value(stages)
	k := known{p: p, cutoff: cutoff, whole: whole}
	if !whole {
		k.low, k.sum = v.Peak, v.Sum
	}
	s := &search{n: n, w: n.newWork()}
	box := &box{}
	for i := range n.arcs {
		a := &n.arcs[i]
		if whole || a.time[0] <= v.Peak[0] && a.time[1] <= v.Peak[1] {
			box.arcs = append(box.arcs, int32(i))
		}
	}
	if _, balance := c.(balanceConstraint); balance && !whole {
		for f := range box.window {
			box.window[f] = window{v.Peak[f], v.Peak[f]}
		}
		if !s.filter(box) {
			return false
		}
	}
	b := newBuilder("one", n, box.arcs, k)
	list := []constraint{pathConstraint{p}, c}
	if whole {
		list = append([]constraint{peakConstraint{p}}, list...)
	}
	b.least, b.most = -1000, 100000
	b.add(list)
	m := b.m
	fixed := 0
	for i, j := range box.arcs {
		a, on := &n.arcs[j], int64(0)
		for q, s := range stages {
			next := n.node(s.To, 0)
			if q+1 < len(stages) {
				to := stages[q+1]
				next = n.node(s.To, n.kind(p.Options[to.Class][to.Option].Group))
			}
			if a.stage() == s && a.to == next {
				on = 1
				fixed++
			}
		}
		m.Equal(fmt.Sprintf("fix_%d", i), solver.Term(1, b.x[i]), on)
	}
	if _, err := b.decoder(); err != nil {
		t.Fatal(err)
	}
	if fixed != len(stages) {
		return false // an arc of the path is not in the model
	}
	r, err := solver.Decide(context.Background(), m, bruteforce.New())
	if err != nil || r.Status != solver.Optimal && r.Status != solver.Infeasible {
		t.Fatalf("%v, %v", r, err)
	}
	return r.Status == solver.Optimal
}

func TestConstraints(t *testing.T) {
	pack := func(total int, sizes []int, bins ...int) *path.Problem {
		p := pools()
		p.Packings = []path.Packing{{Resources: []int{0, 1}, Sizes: sizes, Bins: bins, Copies: 1, Total: total}}
		return p
	}
	with := func(change func(*path.Problem)) *path.Problem {
		p := pools()
		change(p)
		return p
	}
	for _, row := range []struct {
		name   string
		p      *path.Problem
		of     func(*path.Problem) constraint
		cutoff int64
		want   bool
	}{
		{"count under", pools(), count, path.NoLimit, true},
		{"count used up", with(func(p *path.Problem) {
			p.Resources = []path.Resource{{Capacity: 2, Exact: true}, {Capacity: 3, Exact: true}}
		}), count, path.NoLimit, true},
		{"count not used up", with(func(p *path.Problem) { p.Resources[0].Exact = true }), count, path.NoLimit, false},
		{"count over", with(func(p *path.Problem) { p.Resources[0].Capacity = 1 }), count, path.NoLimit, false},
		{"packing by counting", pack(-1, []int{1, 3}, 3, 2), packing, path.NoLimit, true},
		{"packing by counting, too small", pack(-1, []int{1, 3}, 2, 2, 2), packing, path.NoLimit, false},
		{"packing total", pack(5, []int{1, 3}, 5), packing, path.NoLimit, true},
		{"packing other total", pack(4, []int{1, 3}, 8), packing, path.NoLimit, false},
		{"packing by patterns", pack(-1, []int{2, 3}, 3, 2), packing, path.NoLimit, true},
		{"packing by patterns, split", pack(-1, []int{2, 3}, 4, 1), packing, path.NoLimit, false},
		{"balance met", with(func(p *path.Problem) { p.BalanceNum, p.BalanceDen = 20, 46 }), balance, path.NoLimit, true},
		{"balance missed", with(func(p *path.Problem) { p.BalanceNum, p.BalanceDen = 21, 46 }), balance, path.NoLimit, false},
		{"limit of the sum met", with(func(p *path.Problem) { p.Limit[0] = 128 }), limit, path.NoLimit, true},
		{"limit of the sum missed", with(func(p *path.Problem) { p.Limit[0] = 127 }), limit, path.NoLimit, false},
		{"limit of the round met", with(func(p *path.Problem) { p.Limit[1] = 138 }), limit, path.NoLimit, true},
		{"limit of the round missed", with(func(p *path.Problem) { p.Limit[1] = 137 }), limit, path.NoLimit, false},
		{"cap met", with(func(p *path.Problem) { p.Cap = &path.Cap{Weight: [2]int64{2, 1}, Max: 394} }), capped, path.NoLimit, true},
		{"cap missed", with(func(p *path.Problem) { p.Cap = &path.Cap{Weight: [2]int64{2, 1}, Max: 393} }), capped, path.NoLimit, false},
		{"stages met", with(func(p *path.Problem) { p.MaxStages = 3 }), stages, path.NoLimit, true},
		{"stages missed", with(func(p *path.Problem) { p.MaxStages = 2 }), stages, path.NoLimit, false},
		{"fewest stages met", with(func(p *path.Problem) { p.MinStages = 3 }), stages, path.NoLimit, true},
		{"fewest stages missed", with(func(p *path.Problem) { p.MinStages = 4 }), stages, path.NoLimit, false},
		{"stages in a range", with(func(p *path.Problem) { p.MinStages, p.MaxStages = 2, 4 }), stages, path.NoLimit, true},
		{"exactly so many stages", with(func(p *path.Problem) { p.MinStages, p.MaxStages = 3, 3 }), stages, path.NoLimit, true},
		{"exactly other stages", with(func(p *path.Problem) { p.MinStages, p.MaxStages = 2, 2 }), stages, path.NoLimit, false},
		{"objective below the cutoff", pools(), objective, 412, true},
		{"objective at the cutoff", pools(), objective, 411, false},
	} {
		for _, whole := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/whole=%v", row.name, whole), func(t *testing.T) {
				c := row.of(row.p)
				if c.Explain() == "" || c.label() == "" {
					t.Error("no explanation or no name")
				}
				if got := admitted(t, row.p, c, mixed, whole, row.cutoff); got != row.want {
					t.Errorf("the model admits the path: %v, want %v", got, row.want)
				}
			})
		}
	}
}

func count(p *path.Problem) constraint     { return countConstraint{p} }
func packing(p *path.Problem) constraint   { return packingConstraint{p, 0} }
func balance(p *path.Problem) constraint   { return balanceConstraint{p} }
func limit(p *path.Problem) constraint     { return limitConstraint{p} }
func capped(p *path.Problem) constraint    { return capConstraint{p} }
func stages(p *path.Problem) constraint    { return stagesConstraint{p} }
func objective(p *path.Problem) constraint { return newObjective(p) }

// TestPathConstraint: of all assignments to the arcs, the rows admit exactly those that
// are paths, with and without Booleans for visited nodes.
func TestPathConstraint(t *testing.T) {
	p := pools()
	p.Boundaries, p.Class = 3, []int32{-1, 0, 1, -1, -1, 0, -1, -1, -1}
	n, err := newNetwork(p)
	if err != nil {
		t.Fatal(err)
	}
	if len(n.arcs) > 16 {
		t.Fatalf("%d arcs are too many to try", len(n.arcs))
	}
	all := make([]int32, len(n.arcs))
	for i := range all {
		all[i] = int32(i)
	}
	paths := map[bool]int{}
	for _, visits := range []bool{false, true} {
		for set := range 1 << len(n.arcs) {
			b := newBuilder("path", n, all, known{p: p, cutoff: path.NoLimit})
			b.visits = visits
			b.add([]constraint{pathConstraint{p}})
			values := make([]int64, b.m.NumVariables())
			isPath, at := true, int32(0)
			for i := range n.arcs {
				if set>>i&1 == 0 {
					continue
				}
				values[i] = 1
				isPath = isPath && n.arcs[i].from == at
				at = n.arcs[i].to
				if v := len(n.arcs) + int(at) - 1; v < len(values) {
					values[v] = 1 // the Boolean of the node, in order of the nodes
				}
			}
			isPath = isPath && int(at) == n.nodes-1
			if _, broken := b.m.Check(values); (broken == nil) != isPath {
				t.Fatalf("visits %v, set %b: path %v, broken %v", visits, set, isPath, broken)
			}
			if isPath {
				paths[visits]++
			}
		}
	}
	if paths[false] == 0 || paths[false] != paths[true] {
		t.Errorf("paths by form: %v", paths)
	}
}

// TestConstraintsAgainstEvaluate: on random problems and random paths the constraints
// together admit a path exactly where Evaluate does, and the one that Evaluate names
// refuses it.
func TestConstraintsAgainstEvaluate(t *testing.T) {
	rules := map[path.Rule]int{}
	for seed := range uint64(300) {
		src := pathtest.Seeded(seed)
		p := pathtest.Random(src)
		n, err := newNetwork(p)
		if err != nil {
			t.Fatal(err)
		}
		walk, ok := wander(n, src)
		if !ok {
			continue
		}
		_, bad := p.Evaluate(walk)
		var named *path.Infraction
		errors.As(bad, &named)
		for _, c := range constraints(p) {
			whole := src.IntN(2) == 0
			got := admitted(t, p, c, walk, whole, path.NoLimit)
			if named == nil && !got {
				t.Fatalf("seed %d: %s refuses the allowed path %v", seed, c.label(), walk)
			}
			if named != nil && got && labelOf(named) == c.label() {
				t.Fatalf("seed %d: %s admits %v, which breaks it: %v", seed, c.label(), walk, bad)
			}
		}
		if named != nil {
			rules[named.Rule]++
		}
	}
	if len(rules) < 5 {
		t.Errorf("only these rules were broken: %v", rules)
	}
}

// labelOf is the constraint that stands for a rule.
func labelOf(bad *path.Infraction) string {
	switch bad.Rule {
	case path.RuleResource:
		return "count"
	case path.RulePacking:
		return fmt.Sprintf("packing_%d", bad.Index)
	default:
		return string(bad.Rule)
	}
}

// wander is a random path of the network.
func wander(n *network, src pathtest.Source) ([]path.Stage, bool) {
	var walk []path.Stage
	for v := int32(0); int(v) != n.nodes-1; {
		var out []int
		for i := range n.arcs {
			if n.arcs[i].from == v {
				out = append(out, i)
			}
		}
		if len(out) == 0 {
			return nil, false
		}
		a := &n.arcs[out[src.IntN(len(out))]]
		walk = append(walk, a.stage())
		v = a.to
	}
	return walk, true
}
