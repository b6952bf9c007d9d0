package path

import (
	"context"
	"math/rand/v2"
	"testing"
)

// unlike is a problem of layers that are told apart on pools that must be used up.
func unlike(r *rand.Rand) *Problem {
	n := 5 + r.IntN(4)
	p := &Problem{
		Boundaries: n, Class: make([]int32, n*n), Phases: [2]Phase{{Sum: 1}, {Sum: 1, Peak: int64(r.IntN(3))}},
		Weight: [2]int64{0, 1}, Limit: [2]int64{NoLimit, NoLimit},
		Resources: []Resource{{1 + r.IntN(4), true}, {1 + r.IntN(4), true}},
	}
	if r.IntN(2) == 0 {
		p.Send = [][][2]int64{{{1, 1}, {9, 9}}, {{7, 7}, {2, 2}}}
	}
	for i := range p.Class {
		p.Class[i] = -1
		if a, b := i/n, i%n; b > a {
			p.Class[i] = int32(len(p.Options))
			var options []Option
			for k := range 2 {
				for u := 1; u <= 2; u++ {
					t := int64((b-a)*(20+10*k)/u + r.IntN(9))
					options = append(options, Option{Group: int32(k), Resource: int32(k), Units: int32(u), Time: [2]int64{t, t}})
				}
			}
			p.Options = append(p.Options, options)
		}
	}
	return p
}

// TestBeamsMeet: two beams that drop nothing meet in the best path; narrow ones in a
// path, if in any.
func TestBeamsMeet(t *testing.T) {
	met := 0
	for seed := range uint64(200) {
		p := unlike(rand.New(rand.NewPCG(seed, 7)))
		_, want, ok := BruteForce(p)
		c, err := compile(p)
		if err != nil {
			t.Fatal(err)
		}
		c.collectValues()
		b := c.wholeBox()
		pr := c.ascend(b, c.kinds, c.most()+1)
		if pr == nil {
			t.Fatalf("seed %d: no priced path", seed)
		}
		g := c.graphOf(c.kinds, pr, c.most()+1)
		if !g.meets() {
			t.Fatalf("seed %d: the order is told to be free", seed)
		}
		for _, width := range []int{1000, 3} {
			l := newLabeling(g, b, nil, c.most()+1, width)
			l.open = true
			l.run(context.Background())
			l.best = c.most() + 1
			chain, _ := l.meet(context.Background())
			v, found := c.tryPath(chain)
			switch {
			case found && (!ok || v < want.Objective), found != (chain != nil):
				t.Fatalf("seed %d, width %d: %v of value %d, the best is %d (%v)", seed, width, chain, v, want.Objective, ok)
			case width == 1000 && (found != ok || v != want.Objective):
				t.Fatalf("seed %d: the beams meet in %d (%v), the best is %d (%v)", seed, v, found, want.Objective, ok)
			case found:
				met++
			}
		}
	}
	if met < 100 {
		t.Errorf("beams met %d times", met)
	}
}
