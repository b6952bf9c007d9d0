package path_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"partita/solver"
	"partita/solver/path"
	"partita/solver/path/pathtest"
)

// pair is (J, F_1).
type pair [2]int64

func (a pair) covers(b pair) bool { return a[0] <= b[0] && a[1] <= b[1] }

// uncovered are the pairs that no other covers, by J.
func uncovered(all []pair) []pair {
	slices.SortFunc(all, func(a, b pair) int { return slices.Compare(a[:], b[:]) })
	var out []pair
	for _, a := range slices.Compact(all) {
		if !slices.ContainsFunc(out, func(b pair) bool { return b.covers(a) }) {
			out = append(out, a)
		}
	}
	return out
}

// tradeable is a random problem with unlike weights, no fees, and a cap on J or none.
func tradeable(seed uint64) *path.Problem {
	src := rand.New(rand.NewPCG(seed, 3))
	p := pathtest.Random(src)
	p.Weight = [2]int64{int64(src.IntN(4)), int64(src.IntN(3))}
	if src.IntN(3) > 0 {
		p.BalanceNum = 0
	}
	if p.Cap = nil; src.IntN(4) == 0 {
		p.Cap = &path.Cap{Weight: p.Weight, Max: int64(20 + src.IntN(200))}
	}
	for _, options := range p.Options {
		for i := range options {
			options[i].Fee = 0
		}
	}
	return p
}

// What a problem has to trade is what all of its paths have, with and without something
// known from elsewhere.
func TestTradeAgreesWithEveryPath(t *testing.T) {
	several, outside := 0, 0
	for seed := range uint64(4000) {
		p := tradeable(seed)
		var all []pair
		path.EveryPath(p, func(_ []path.Stage, v path.Value) { all = append(all, pair{v.Objective, v.Metric[1]}) })
		want := uncovered(all)
		// Known from elsewhere: none, or some pairs near those of the problem.
		var known []pair
		src := rand.New(rand.NewPCG(seed, 4))
		for range src.IntN(3) {
			if len(all) > 0 {
				a := all[src.IntN(len(all))]
				known = append(known, pair{max(0, a[0]+int64(src.IntN(7)-3)), max(0, a[1]+int64(src.IntN(7)-3))})
			}
		}
		want = slices.DeleteFunc(want, func(a pair) bool {
			return slices.ContainsFunc(known, func(b pair) bool { return b.covers(a) })
		})
		outside += len(known)
		got := trade(t, seed, p, slices.Clone(known))
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: trades %v: want %v, known %v", seed, got, want, known)
		}
		if len(want) > 1 {
			several++
		}
	}
	if several < 200 || outside < 1000 {
		t.Fatalf("%d problems trade at all, %d pairs are known from elsewhere: the generator says too little", several, outside)
	}
}

// trade runs a Trade among known pairs and returns what it found.
func trade(t *testing.T, seed uint64, p *path.Problem, known []pair) []pair {
	t.Helper()
	var found []pair
	x := path.Trade{
		Problem: p,
		Limit: func(j int64) int64 {
			limit := int64(path.NoLimit)
			for _, k := range known {
				if k[0] <= j {
					limit = min(limit, k[1]-1)
				}
			}
			return limit
		},
		Cutoff: func(f int64) int64 {
			cutoff := int64(path.NoLimit)
			for _, k := range known {
				if k[1] <= f {
					cutoff = min(cutoff, k[0])
				}
			}
			return cutoff
		},
		Found: func(r path.Result) {
			if v, err := p.Evaluate(r.Stages); err != nil || v != r.Value {
				t.Fatalf("seed %d: a path of %+v is worth %+v: %v", seed, r.Value, v, err)
			}
			a := pair{r.Value.Objective, r.Value.Metric[1]}
			found, known = append(found, a), append(known, a)
		},
	}
	rest, err := x.Run(context.Background())
	if err != nil || rest.Status != solver.Optimal {
		t.Fatalf("seed %d: %v %v", seed, rest, err)
	}
	return found
}

// A trade that is stopped says so, with a bound on what is left.
func TestTradeStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for seed := range uint64(40) {
		p := tradeable(seed)
		if p.Weight[0] == 0 {
			continue
		}
		var all []pair
		path.EveryPath(p, func(_ []path.Stage, v path.Value) { all = append(all, pair{v.Objective, v.Metric[1]}) })
		var found []pair
		x := path.Trade{Problem: p, Found: func(r path.Result) { found = append(found, pair{r.Value.Objective, r.Value.Metric[1]}) }}
		rest, err := x.Run(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range uncovered(all) {
			if rest.Status == solver.Optimal && !slices.Contains(found, a) || a[0] < rest.LowJ && !slices.Contains(found, a) {
				t.Fatalf("seed %d: %v after %v, but %v is left", seed, rest, found, a)
			}
		}
	}
}

func TestTradeRefuses(t *testing.T) {
	found := func(path.Result) {}
	p := tradeable(1)
	p.Weight, p.Cap = [2]int64{1, 1}, &path.Cap{Weight: [2]int64{2, 1}, Max: 9}
	fees := tradeable(2)
	for _, options := range fees.Options {
		for i := range options {
			options[i].Fee = 1
		}
	}
	for name, x := range map[string]path.Trade{
		"cap":   {Problem: p, Found: found},
		"fees":  {Problem: fees, Found: found},
		"found": {Problem: tradeable(3)},
	} {
		if _, err := x.Run(context.Background()); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
}
