package path

import (
	"context"
	"math/rand/v2"
	"testing"
)

// alikeWithSends is a problem of alike layers, less the ends, whose sends tell the order.
func alikeWithSends(r *rand.Rand) *Problem {
	p := unlike(r)
	n := p.Boundaries
	p.Send = [][][2]int64{{{int64(r.IntN(4)), 1}, {9, 9}}, {{7, 7}, {2, int64(r.IntN(4))}}}
	for a := 1; a < n-1; a++ {
		for b := a + 1; b < n-1; b++ {
			p.Class[a*n+b] = p.Class[n+1+b-a]
		}
	}
	return p
}

// TestGather: the relaxation without an order is a bound, and what it gathers a path.
func TestGather(t *testing.T) {
	gathered, tight := 0, 0
	for seed := range uint64(300) {
		p := alikeWithSends(rand.New(rand.NewPCG(seed, 11)))
		_, want, ok := BruteForce(p)
		c, err := compile(p)
		if err != nil {
			t.Fatal(err)
		}
		if c.parts.free || c.groups != 2 {
			t.Fatalf("seed %d: %d groups, order free %v", seed, c.groups, c.parts.free)
		}
		s := &search{c: c, best: c.most() + 1, low: -infinite}
		s.gather(context.Background())
		if !ok {
			if s.known != nil {
				t.Fatalf("seed %d: a path where there is none: %v", seed, s.known)
			}
			continue
		}
		if s.low > want.Objective {
			t.Fatalf("seed %d: bound %d, the best is %d", seed, s.low, want.Objective)
		}
		if s.known == nil {
			continue
		}
		gathered++
		if v, err := p.Evaluate(s.known); err != nil || v.Objective != s.best || s.best < want.Objective {
			t.Fatalf("seed %d: %v of %d is %+v, %v; the best is %d", seed, s.known, s.best, v, err, want.Objective)
		}
		if s.best == want.Objective {
			tight++
		}
	}
	if gathered < 50 || tight < gathered/2 {
		t.Errorf("%d gathered, %d of them the best", gathered, tight)
	}
}
