package lanes

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Large is a problem whose proof takes longer than a test waits.
func Large() *Problem {
	r := rand.New(rand.NewPCG(3, 3))
	p := &Problem{Layers: 100}
	for range 7 {
		v := Type{Count: 4 + r.IntN(20)}
		speed := 1000 + 20000*r.Float64()
		for k := range 6 + r.IntN(30) {
			v.Throughput = append(v.Throughput, speed/float64(k+1)*(1-0.02*float64(k)))
		}
		p.Types = append(p.Types, v)
	}
	return p
}

// TestTheFirstRoundIsNearTheBound: what the narrowest sweeps find of a problem with
// over a hundred machines.
func TestTheFirstRoundIsNearTheBound(t *testing.T) {
	p := Large()
	s := &search{ctx: t.Context(), p: p, g: newGrid(p)}
	s.high = s.g.bound(s.ctx)
	s.round(firstWidth)
	if float64(s.low) < 0.98*float64(s.high) {
		t.Fatalf("%v of %v tokens/s", s.g.tokens(s.low), s.g.tokens(s.high))
	}
}

// TestANarrowSweepNeverRefutes: a sweep that leaves states out may find a plan, but
// where it finds none it does not say that there is none.
func TestANarrowSweepNeverRefutes(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	undecidedOnes := 0
	for range 150 {
		p := &Problem{Layers: 4 + r.IntN(8)}
		for range 3 {
			v := Type{Count: 1 + r.IntN(4)}
			for k := range 1 + r.IntN(5) {
				v.Throughput = append(v.Throughput, math.Floor(200*r.Float64())/float64(k+1))
			}
			p.Types = append(p.Types, v)
		}
		result, err := Solve(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if result.Plan == nil {
			continue
		}
		g := newGrid(p)
		f := g.worth(p, result.Plan)
		prices, _ := g.relax(t.Context(), f, true)
		v, plan, _ := g.decide(t.Context(), prices, 1)
		switch v {
		case refuted:
			t.Fatalf("%+v: %v refuted, but %v passes it", p, g.tokens(f), result.Plan)
		case found:
			if g.worth(p, plan) < f {
				t.Fatalf("%+v: %v does not pass %v", p, plan, g.tokens(f))
			}
		case undecided:
			undecidedOnes++
		}
	}
	if undecidedOnes == 0 {
		t.Fatal("no sweep was cut: the test says nothing")
	}
}
