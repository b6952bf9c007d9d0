package lanes_test

import (
	"context"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"partita/formulation/lanes"
	"partita/solver"
)

func solve(t interface {
	Helper()
	Fatalf(string, ...any)
}, p *lanes.Problem) lanes.Result {
	t.Helper()
	r, err := lanes.Solve(context.Background(), p)
	if err != nil {
		t.Fatalf("%+v: %v", p, err)
	}
	check(t, p, r)
	return r
}

// check that a plan is one: ranges inside the chain and the table, no machine twice.
func check(t interface{ Fatalf(string, ...any) }, p *lanes.Problem, r lanes.Result) {
	used := make([]int, len(p.Types))
	for _, m := range r.Plan {
		if m.First < 0 || m.Held < 1 || m.End() > p.Layers || m.Held > len(p.Types[m.Type].Throughput) {
			t.Fatalf("%+v: range %+v does not exist", p, m)
		}
		if used[m.Type]++; used[m.Type] > p.Types[m.Type].Count {
			t.Fatalf("%+v: more machines than there are in %v", p, r.Plan)
		}
	}
	if r.Plan != nil && (p.Value(r.Plan) != r.Value || r.Value > r.Bound) {
		t.Fatalf("%+v: the plan is worth %v, said %v, bound %v", p, p.Value(r.Plan), r.Value, r.Bound)
	}
}

// draw makes problems with real throughputs that fall with the layers, but for kinks.
func draw(t *rapid.T) *lanes.Problem {
	seed := rapid.Uint64Range(0, 1<<40).Draw(t, "seed")
	r := rand.New(rand.NewPCG(seed, 11))
	p := &lanes.Problem{Layers: 2 + r.IntN(10)}
	for i := range 1 + r.IntN(3) {
		v := lanes.Type{Name: string(rune('A' + i)), Count: 1 + r.IntN(4)}
		speed := 100 + 900*r.Float64()
		for k := range 1 + r.IntN(6) {
			v.Throughput = append(v.Throughput, speed/float64(k+1)*(0.8+0.4*r.Float64()))
		}
		p.Types = append(p.Types, v)
	}
	return p
}

func TestAnotherMachineNeverHurts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := draw(t)
		before := solve(t, p)
		p.Types[rapid.IntRange(0, len(p.Types)-1).Draw(t, "type")].Count++
		if after := solve(t, p); after.Value < before.Value*(1-1e-9) {
			t.Fatalf("%v before, %v with one machine more", before.Value, after.Value)
		}
	})
}

func TestAnotherLayerNeverHelps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := draw(t)
		before := solve(t, p)
		p.Layers++
		if after := solve(t, p); after.Value > before.Value*(1+1e-9) {
			t.Fatalf("%v before, %v with one layer more", before.Value, after.Value)
		}
	})
}

func TestTheOrderOfTypesChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := draw(t)
		before := solve(t, p)
		slices.Reverse(p.Types)
		if after := solve(t, p); after.Status != before.Status || !near(after.Value, before.Value) {
			t.Fatalf("%v %v, in reverse order %v %v", before.Status, before.Value, after.Status, after.Value)
		}
	})
}

func TestTypesThatAreAlikeAreOneType(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := draw(t)
		before := solve(t, p)
		split := p.Types[0]
		split.Count = rapid.IntRange(0, split.Count).Draw(t, "machines")
		p.Types[0].Count -= split.Count
		p.Types = append(p.Types, split)
		if after := solve(t, p); !near(after.Value, before.Value) {
			t.Fatalf("%v, as two types %v", before.Value, after.Value)
		}
	})
}

func TestScalingScalesTheOptimum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := draw(t)
		before := solve(t, p)
		by := rapid.Float64Range(1e-6, 1e6).Draw(t, "factor")
		for i := range p.Types {
			for k := range p.Types[i].Throughput {
				p.Types[i].Throughput[k] *= by
			}
		}
		if after := solve(t, p); !near(after.Value, before.Value*by) {
			t.Fatalf("%v, times %v: %v", before.Value, by, after.Value)
		}
	})
}

func near(a, b float64) bool { return max(a, b)-min(a, b) <= 1e-9*max(a, b) }

func TestALimitEndsTheSearchWithPlanAndBound(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	p := lanes.Large()
	r, err := lanes.Solve(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	check(t, p, r)
	if r.Status != solver.TimeLimit || r.Value >= r.Bound {
		t.Fatalf("%v with %v of %v: want the limit before the proof", r.Status, r.Value, r.Bound)
	}
}

func TestCancelledBeforeTheStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := lanes.Solve(ctx, lanes.Large())
	if err != nil || r.Status != solver.Interrupted || r.Plan != nil || r.Bound <= 0 {
		t.Fatalf("%+v, %v: want interrupted, no plan, the bound by adding up", r, err)
	}
}

func TestRoutesCarryTheWholeValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := draw(t)
		r := solve(t, p)
		in, out := make([]float64, len(r.Plan)), make([]float64, len(r.Plan))
		entered, left := 0.0, 0.0
		for _, x := range p.Routes(r.Plan) {
			if x.TokensPerS <= 0 {
				t.Fatalf("route %+v", x)
			}
			end, first, beyond := 0, 0, p.Layers+1
			if x.From == lanes.Outside {
				entered += x.TokensPerS
			} else {
				out[x.From] += x.TokensPerS
				end = r.Plan[x.From].End()
			}
			if x.To == lanes.Outside {
				left += x.TokensPerS
				first = p.Layers
			} else {
				in[x.To] += x.TokensPerS
				first, beyond = r.Plan[x.To].First, r.Plan[x.To].End()
			}
			if end < first || end >= beyond {
				t.Fatalf("%v: route %+v does not meet", r.Plan, x)
			}
		}
		for i, m := range r.Plan {
			if !near(in[i], out[i]) || in[i] > p.Throughput(m)*(1+1e-9) {
				t.Fatalf("machine %+v of %v takes %v and passes on %v", m, p.Throughput(m), in[i], out[i])
			}
		}
		if !near(entered, r.Value) || !near(left, r.Value) {
			t.Fatalf("%v enter and %v leave, the plan is worth %v", entered, left, r.Value)
		}
	})
}

func TestSolveIsDeterministic(t *testing.T) {
	p := random(rand.New(rand.NewPCG(2, 9)), 12, 4, 6)
	first := solve(t, p)
	for range 3 {
		if again := solve(t, p); !reflect.DeepEqual(first, again) {
			t.Fatalf("%+v, then %+v", first, again)
		}
	}
}

func TestCheckRefusesWhatIsNoProblem(t *testing.T) {
	for _, p := range []lanes.Problem{
		{Layers: 0},
		{Layers: 1, Types: []lanes.Type{{Count: -1}}},
		{Layers: 1, Types: []lanes.Type{{Count: 1, Throughput: []float64{-1}}}},
	} {
		if _, err := lanes.Solve(t.Context(), &p); err == nil {
			t.Errorf("%+v was taken", p)
		}
	}
}
