package graphplan

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"partita/formulation/ideals"
)

// No way to give nodes to GPUs, contiguous or not, has a largest load below the floor, and
// on GPUs that are alike but for their speed it is the work over the speeds.
func TestFloorIsBelowEveryAssignment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "nodes")
		p := &ideals.Problem{Nodes: make([]ideals.Node, n)}
		var gpus []int
		for k := range rapid.IntRange(1, 3).Draw(t, "pools") {
			c := ideals.Class{Count: rapid.IntRange(0, 2).Draw(t, "count")}
			if k == 0 {
				c.Count++
			}
			for range n {
				c.Time = append(c.Time, float64(rapid.IntRange(0, 9).Draw(t, "time")))
			}
			p.Classes = append(p.Classes, c)
			for range c.Count {
				gpus = append(gpus, k)
			}
		}
		best := math.Inf(1)
		load := make([]float64, len(gpus))
		var place func(v int)
		place = func(v int) {
			if v == n {
				most := 0.0
				for _, l := range load {
					most = max(most, l)
				}
				best = min(best, most)
				return
			}
			for i, k := range gpus {
				load[i] += p.Classes[k].Time[v]
				place(v + 1)
				load[i] -= p.Classes[k].Time[v]
			}
		}
		place(0)
		if got := floor(p); got > best*(1+1e-12) {
			t.Fatalf("floor %g above the assignment with %g", got, best)
		}
	})
}

func TestFloorOfProportionalPools(t *testing.T) {
	p := &ideals.Problem{Nodes: make([]ideals.Node, 100), Classes: []ideals.Class{{Count: 2}, {Count: 3}}}
	for v := range 100 {
		work := float64(1 + v%7)
		p.Classes[0].Time, p.Classes[1].Time = append(p.Classes[0].Time, work), append(p.Classes[1].Time, 4*work)
	}
	sum := 0.0
	for _, w := range p.Classes[0].Time {
		sum += w
	}
	if got, want := floor(p), sum/(2+3.0/4); math.Abs(got-want) > 1e-9*want {
		t.Errorf("floor %g, want %g", got, want)
	}
}
