package heuristic

import (
	"context"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// TestMovesKeepTheGPUs: whatever a change does, every layer is still there, every
// stage has one, and as many GPUs of each pool are used over all replicas.
func TestMovesKeepTheGPUs(t *testing.T) {
	env := environment(t, condition(sparse(24, 32), 64, a100, l40s, t4))
	s := &search{env: env, shapes: newMenu(env.Space), seen: map[string]Verdict{}}
	start := []Proposal{flopProportional(t.Context(), env)[0], vllmDefault(t.Context(), env)[0]}
	count := func(x pipeline) (layers int, gpus [3]int) {
		for i, st := range x.stations {
			layers += x.layers[i]
			gpus[st.pool] += st.shape.GPUs() * x.replicas
		}
		return layers, gpus
	}
	kinds := 0
	rapid.Check(t, func(t *rapid.T) {
		x := open(start[rapid.IntRange(0, len(start)-1).Draw(t, "start")])
		_, want := count(x)
		for range 6 {
			moves := s.moves(x)
			y, ok := moves[rapid.IntRange(0, len(moves)-1).Draw(t, "move")](x)
			if !ok {
				continue
			}
			kinds++
			layers, gpus := count(y)
			if layers != 24 || gpus != want {
				t.Fatalf("%d layers on %v GPUs, want 24 on %v", layers, gpus, want)
			}
			for i, n := range y.layers {
				if n < 1 || len(y.layers) != len(y.stations) {
					t.Fatalf("stage %d has %d layers", i, n)
				}
			}
			if y.key() == x.key() && !reflect.DeepEqual(x, y) {
				t.Fatalf("one key for %+v and %+v", x, y)
			}
			x = y
		}
	})
	if kinds == 0 {
		t.Error("no change could be made")
	}
}

// TestLocalSearch: it is never worse than where it begins, the same twice, and keeps
// its bound on evaluations.
func TestLocalSearch(t *testing.T) {
	env := environment(t, condition(dense(32, 32), 64, h100, l40s))
	calls := 0
	judge := env.Judge
	env.Judge = func(p Proposal) Verdict { // the value: how uneven layers are, weighed by GPUs
		calls++
		v := judge(p)
		if v.Feasible() {
			v.Value = 0
			for _, pt := range p.Parts {
				d := float64(pt.Last-pt.First+1)/32 - float64(pt.Shape.GPUs()*(2-pt.Pool))/24
				v.Value += d * d
			}
		}
		return v
	}
	start := vllmDefault(t.Context(), env)[0]
	env.Start = &start
	first := localSearch(t.Context(), env)
	if calls > evaluations {
		t.Errorf("%d evaluations, at most %d allowed", calls, evaluations)
	}
	if a, b := env.Judge(first[0]), env.Judge(start); !a.Better(b) {
		t.Errorf("value %v after the search, %v before: 21 and 11 layers are far better", a.Value, b.Value)
	}
	if again := localSearch(t.Context(), env); !reflect.DeepEqual(first, again) {
		t.Errorf("a second search ends elsewhere:\n%+v\n%+v", first, again)
	}
}

// TestLocalSearchStops: a context that has ended leaves the plan it began with.
func TestLocalSearchStops(t *testing.T) {
	env := environment(t, condition(dense(32, 32), 64, h100))
	start := vllmDefault(t.Context(), env)[0]
	env.Start = &start
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	list := localSearch(ctx, env)
	if len(list) != 1 || !reflect.DeepEqual(list[0].Parts, start.Parts) {
		t.Errorf("%+v, want %+v", list, start)
	}
}

// TestBest: what comes further is preferred, then what misses by less, then value;
// of equals the first.
func TestBest(t *testing.T) {
	verdicts := []Verdict{
		{Rule: RuleMemory, Miss: 1.5}, {Rule: RuleMemory, Miss: 1.2}, {Rule: RuleBalance, Miss: 9},
		{Rule: RuleMet, Value: 3}, {Rule: RuleMet, Value: 2}, {Rule: RuleMet, Value: 2},
	}
	for n, want := range []int{0, 1, 2, 3, 4, 4} {
		var list []Proposal
		for i := range n + 1 {
			list = append(list, Proposal{Replicas: i})
		}
		p, _, ok := Best(func(p Proposal) Verdict { return verdicts[p.Replicas] }, list)
		if !ok || p.Replicas != want {
			t.Errorf("of the first %d: proposal %d, want %d", n+1, p.Replicas, want)
		}
	}
	if _, _, ok := Best(nil, nil); ok {
		t.Error("a best of none")
	}
}
