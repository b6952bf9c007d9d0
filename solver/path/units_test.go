package path_test

import (
	"context"
	"testing"

	"partita/solver"
	"partita/solver/path"
	"partita/solver/path/pathtest"
)

// UnitBound must not exceed the scaled objective of the best path of any exact count.
func TestUnitBoundIsBelowEveryCount(t *testing.T) {
	checked := 0
	for seed := range uint64(400) {
		p := pathtest.Random(pathtest.Seeded(seed))
		if len(p.Packings) > 0 || len(p.Resources) != 1 {
			continue
		}
		free := *p
		free.Resources = []path.Resource{{Capacity: p.Resources[0].Capacity}}
		for _, o := range p.Options {
			for i := range o {
				if o[i].Fee != 0 {
					o[i].Fee = 0
				}
			}
		}
		per := 1 + int(seed%3)
		share := float64(seed%5) / 4
		bound, err := path.UnitBound(&free, per, share)
		if err != nil {
			t.Fatal(err)
		}
		for n := per; n <= p.Resources[0].Capacity; n++ {
			exact := *p
			exact.Resources = []path.Resource{{Capacity: n, Exact: true}}
			r, err := path.Solve(context.Background(), &exact, path.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if r.Status != solver.Optimal {
				continue
			}
			checked++
			v := r.Value
			scaled := float64(p.Weight[0]*v.Metric[0]) + float64(p.Weight[1]*v.Metric[1])*(1-share+share*float64(n)/float64(per))
			if float64(bound) > scaled {
				t.Fatalf("seed %d: bound %d above %.1f with %d units over %d", seed, bound, scaled, n, per)
			}
		}
	}
	if checked < 50 {
		t.Fatalf("only %d counts checked", checked)
	}
}
