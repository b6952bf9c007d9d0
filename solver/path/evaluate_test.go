package path_test

import (
	"errors"
	"slices"
	"testing"

	"partita/solver/path"
	"partita/solver/path/pathtest"
	"pgregory.net/rapid"
)

// twoPools: three layers, one option of each of two pools for every interval; a
// transition between the pools costs.
func twoPools() *path.Problem {
	p := &path.Problem{
		Boundaries: 4,
		Class: []int32{
			-1, 0, 1, 2,
			-1, -1, 0, 1,
			-1, -1, -1, 0,
			-1, -1, -1, -1,
		},
		Send:      [][][2]int64{{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}},
		Resources: []path.Resource{{Capacity: 2}, {Capacity: 2}},
		Phases:    [2]path.Phase{{Sum: 1, Peak: 2}, {Sum: 1, Rate: 3}},
		Weight:    [2]int64{1, 2},
		Limit:     [2]int64{path.NoLimit, path.NoLimit},
	}
	for n := int64(1); n <= 3; n++ {
		p.Options = append(p.Options, []path.Option{
			{Group: 0, Resource: 0, Units: 1, Time: [2]int64{10 * n, 20 * n}, Fee: 1},
			{Group: 1, Resource: 1, Units: 2, Time: [2]int64{30 * n, 40 * n}, Fee: 5},
		})
	}
	return p
}

var mixed = []path.Stage{{From: 0, To: 1, Class: 0, Option: 0}, {From: 1, To: 2, Class: 0, Option: 1}, {From: 2, To: 3, Class: 0, Option: 0}}

func TestValueByHand(t *testing.T) {
	// Times: 10+3, 30+5, 10 and 20+4, 40+6, 20; the last stage sends nothing.
	want := path.Value{
		Sum: [2]int64{58, 90}, Peak: [2]int64{35, 46}, Low: [2]int64{10, 20},
		Metric: [2]int64{58 + 2*35, max(90, 3*46)}, Fee: 7, Objective: 128 + 2*138 + 7,
	}
	got, err := twoPools().Evaluate(mixed)
	if err != nil || got != want {
		t.Fatalf("Evaluate = %+v, %v; want %+v", got, err, want)
	}
}

func TestEvaluateNamesTheRule(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*path.Problem)
		stages []path.Stage
		rule   path.Rule
		index  int
	}{
		{"gap", nil, mixed[1:], path.RuleContinuity, 0},
		{"short", nil, mixed[:2], path.RuleContinuity, 2},
		{"backwards", nil, []path.Stage{{From: 0, To: 0}}, path.RuleContinuity, 0},
		{"beyond", nil, []path.Stage{{From: 0, To: 9}}, path.RuleContinuity, 0},
		{"class", nil, []path.Stage{{From: 0, To: 3, Class: 1}}, path.RuleOption, 0},
		{"option", nil, []path.Stage{{From: 0, To: 3, Class: 2, Option: 2}}, path.RuleOption, 0},
		{"no class", func(p *path.Problem) { p.Class[3] = -1 }, []path.Stage{{From: 0, To: 3, Class: -1}}, path.RuleOption, 0},
		{"capacity", func(p *path.Problem) { p.Resources[0].Capacity = 1 }, mixed, path.RuleResource, 0},
		{"exact", func(p *path.Problem) { p.Resources[1] = path.Resource{Capacity: 3, Exact: true} }, mixed, path.RuleResource, 1},
		{"total", func(p *path.Problem) {
			p.Packings = []path.Packing{{Resources: []int{0, 1}, Sizes: []int{1, 2}, Bins: []int{8}, Copies: 1, Total: 5}}
		}, mixed, path.RulePacking, 0},
		{"bins", func(p *path.Problem) {
			p.Packings = []path.Packing{{Resources: []int{0, 1}, Sizes: []int{1, 2}, Bins: []int{3}, Copies: 1, Total: 4}}
		}, mixed, path.RulePacking, 0},
		{"limit", func(p *path.Problem) { p.Limit[1] = 137 }, mixed, path.RuleLimit, 1},
		{"cap", func(p *path.Problem) { p.Cap = &path.Cap{Weight: [2]int64{1, 1}, Max: 265} }, mixed, path.RuleCap, -1},
		{"balance", func(p *path.Problem) { p.BalanceNum, p.BalanceDen = 1, 2 }, mixed, path.RuleBalance, -1},
		{"stages", func(p *path.Problem) { p.MaxStages = 2 }, mixed, path.RuleStages, -1},
		{"fewest stages", func(p *path.Problem) { p.MinStages = 4 }, mixed, path.RuleStages, -1},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := twoPools()
			if row.change != nil {
				row.change(p)
			}
			_, err := p.Evaluate(row.stages)
			var bad *path.Infraction
			if !errors.As(err, &bad) {
				t.Fatalf("error %v is no *Infraction", err)
			}
			if bad.Rule != row.rule || bad.Index != row.index || bad.Error() == "" {
				t.Errorf("got %s of %d (%v), want %s of %d", bad.Rule, bad.Index, bad, row.rule, row.index)
			}
		})
	}
}

func TestEvaluateAtTheBound(t *testing.T) {
	p := twoPools()
	p.Limit = [2]int64{128, 138}
	p.Cap = &path.Cap{Weight: [2]int64{1, 1}, Max: 266}
	p.BalanceNum, p.BalanceDen = 20, 46
	p.MaxStages = 3
	p.Resources[0].Exact, p.Resources[1].Exact = true, true
	p.Packings = []path.Packing{{Resources: []int{0, 1}, Sizes: []int{1, 2}, Bins: []int{2, 2}, Copies: 1, Total: 4}}
	if _, err := p.Evaluate(mixed); err != nil {
		t.Errorf("every condition holds with equality, yet: %v", err)
	}
}

func TestFits(t *testing.T) {
	for _, row := range []struct {
		name        string
		sizes, bins []int
		copies      int
		used        []int
		want        bool
	}{
		{"empty", []int{2}, []int{1}, 1, []int{0}, true},
		{"3+3+2 on 8", []int{3, 2}, []int{8}, 1, []int{6, 2}, true},
		{"3+3+3 on 8", []int{3}, []int{8}, 1, []int{9}, false},
		{"3 twice on 4+4", []int{3}, []int{4, 4}, 1, []int{6}, true},
		{"3 thrice on 4+4", []int{3}, []int{4, 4}, 1, []int{9}, false},
		{"first fit errs", []int{4, 3, 2}, []int{7, 6}, 1, []int{4, 3, 6}, true},
		{"copies", []int{4}, []int{8, 8}, 3, []int{4}, true},
		{"too many copies", []int{4}, []int{8, 8}, 5, []int{4}, false},
		{"a remainder is a group", []int{4}, []int{8}, 1, []int{9}, false},
		{"powers of two", []int{1, 2, 4, 8}, []int{8, 8}, 1, []int{2, 2, 4, 8}, true},
		{"powers of two, odd bin", []int{2, 4}, []int{6, 6}, 1, []int{0, 12}, false},
		{"no bins", []int{1}, nil, 1, []int{1}, false},
		{"equal sizes of two resources", []int{2, 2}, []int{4}, 1, []int{2, 2}, true},
		{"many nodes", []int{3, 5}, slices.Repeat([]int{8}, 500), 1, []int{1500, 2500}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			k := path.Packing{Sizes: row.sizes, Bins: row.bins, Copies: row.copies, Resources: make([]int, len(row.sizes))}
			if got := k.Fits(row.used); got != row.want {
				t.Errorf("Fits(%v) = %v, want %v", row.used, got, row.want)
			}
		})
	}
}

// TestFitsAgainstPlacing compares with placing the groups one at a time.
func TestFitsAgainstPlacing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 5), 1, 3).Draw(t, "sizes")
		bins := rapid.SliceOfN(rapid.IntRange(1, 8), 0, 3).Draw(t, "bins")
		k := path.Packing{Sizes: sizes, Bins: bins, Copies: rapid.IntRange(1, 2).Draw(t, "copies")}
		var used, groups []int
		for _, s := range sizes {
			n := rapid.IntRange(0, 2).Draw(t, "groups")
			used = append(used, n*s)
			for range n * k.Copies {
				groups = append(groups, s)
			}
		}
		if got, want := k.Fits(used), placeable(groups, slices.Clone(bins)); got != want {
			t.Fatalf("Fits(%v) of %+v = %v, placing says %v", used, k, got, want)
		}
	})
}

func placeable(groups, room []int) bool {
	if len(groups) == 0 {
		return true
	}
	for b := range room {
		if room[b] < groups[0] || slices.Contains(room[:b], room[b]) {
			continue
		}
		room[b] -= groups[0]
		ok := placeable(groups[1:], room)
		room[b] += groups[0]
		if ok {
			return true
		}
	}
	return false
}

func TestBruteForceByHand(t *testing.T) {
	p := twoPools()
	best, v, ok := path.BruteForce(p)
	// One stage of pool 0: 30 + 2·30 + 2·max(60, 3·60) + 1 = 451. Two: Λ 11 + 20, T 20,
	// F 71; Λ 22 + 40, 3T 120; 71 + 2·120 + 2 = 313; the other way round T is larger.
	want := []path.Stage{{From: 0, To: 1, Class: 0}, {From: 1, To: 3, Class: 1}}
	if !ok || v.Objective != 313 || !slices.Equal(best, want) {
		t.Fatalf("best %v %+v, want %v", best, v, want)
	}
	p.Resources[0].Capacity, p.Resources[1].Capacity = 0, 1
	if _, _, ok := path.BruteForce(p); ok {
		t.Error("found a path that nothing can run")
	}
}

// TestBruteForceIsFeasible: what it returns passes Evaluate with the value it says,
// and the generator makes problems of both kinds.
func TestBruteForceIsFeasible(t *testing.T) {
	solved, unsolved := 0, 0
	for seed := range uint64(400) {
		p := pathtest.Random(pathtest.Seeded(seed))
		best, v, ok := path.BruteForce(p)
		if !ok {
			unsolved++
			continue
		}
		solved++
		if got, err := p.Evaluate(best); err != nil || got != v {
			t.Fatalf("seed %d: %v is %+v, %v; said %+v", seed, best, got, err, v)
		}
	}
	if solved < 120 || unsolved < 60 {
		t.Errorf("%d solved, %d without solution: too few of a kind", solved, unsolved)
	}
}

// TestScaling: all times, sends, fees and limits doubled double the optimum.
func TestScaling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := pathtest.Random(pathtest.Drawn(t))
		_, before, ok := path.BruteForce(p)
		for _, options := range p.Options {
			for i := range options {
				options[i].Fee *= 2
				options[i].Time[0] *= 2
				options[i].Time[1] *= 2
			}
		}
		for _, row := range p.Send {
			for j := range row {
				row[j][0] *= 2
				row[j][1] *= 2
			}
		}
		for f := range p.Limit {
			if p.Limit[f] != path.NoLimit {
				p.Limit[f] *= 2
			}
		}
		if p.Cap != nil {
			p.Cap.Max *= 2
		}
		_, after, ok2 := path.BruteForce(p)
		if ok != ok2 || after.Objective != 2*before.Objective {
			t.Fatalf("%d (%v) became %d (%v)", before.Objective, ok, after.Objective, ok2)
		}
	})
}
