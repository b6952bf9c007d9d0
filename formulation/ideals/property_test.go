package ideals

import (
	"context"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"partita/solver"
)

// solved skips what takes long: nodes without edges have as many ideals as sets.
func solved(t *rapid.T, p *Problem) *Solution {
	s, err := Solve(context.Background(), p, Options{Stages: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if s.Status == solver.Unknown {
		t.Skip("not proved within the stages of a test")
	}
	if s.Status != solver.Optimal && s.Status != solver.Infeasible {
		t.Fatalf("status %v", s.Status)
	}
	return s
}

func TestOrderOfNodesChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawProblem(t, 40)
		place := rapid.Permutation(indices(len(p.Nodes))).Draw(t, "places")
		q := &Problem{Nodes: make([]Node, len(p.Nodes))}
		for v, to := range place {
			q.Nodes[to] = p.Nodes[v]
		}
		for _, at := range rapid.Permutation(indices(len(p.Edges))).Draw(t, "edges") {
			q.Edges = append(q.Edges, Edge{place[p.Edges[at].From], place[p.Edges[at].To]})
		}
		for _, c := range p.Classes {
			moved := c
			moved.Time = permuted(c.Time, place)
			moved.Transfer = permuted(c.Transfer, place)
			q.Classes = append(q.Classes, moved)
		}
		if a, b := solved(t, p), solved(t, q); !near(a.Value, b.Value) {
			t.Fatalf("%v, and %v in another order", a.Value, b.Value)
		}
	})
}

func indices(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func permuted(values []float64, place []int) []float64 {
	if values == nil {
		return nil
	}
	out := make([]float64, len(values))
	for v, to := range place {
		out[to] = values[v]
	}
	return out
}

func TestMoreNeverHurts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawProblem(t, 30)
		before := solved(t, p).Value
		c := &p.Classes[rapid.IntRange(0, len(p.Classes)-1).Draw(t, "class")]
		if c.Bytes < Unlimited && rapid.Bool().Draw(t, "memory") {
			c.Bytes += int64(rapid.IntRange(1, 20).Draw(t, "more"))
		} else {
			c.Count++
		}
		if after := solved(t, p).Value; after > before && !near(after, before) {
			t.Fatalf("%v with less, %v with more", before, after)
		}
	})
}

func TestScaledTimesScaleTheValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawProblem(t, 30)
		factor := rapid.SampledFrom([]float64{1e-3, 3, 1e6}).Draw(t, "factor")
		for v := range p.Nodes {
			for c := range p.Classes {
				if p.Classes[c].Time[v] < zeroTime*1e3 {
					p.Classes[c].Time[v] = 0 // so that what is idle stays idle
				}
			}
		}
		before := solved(t, p).Value
		for c := range p.Classes {
			for v := range p.Nodes {
				p.Classes[c].Time[v] *= factor
				if p.Classes[c].Transfer != nil {
					p.Classes[c].Transfer[v] *= factor
				}
			}
		}
		if after := solved(t, p).Value; !near(after, before*factor) {
			t.Fatalf("%v, and %v with times %v", before, after, factor)
		}
	})
}

func TestSameProblemSameSolution(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawProblem(t, 40)
		if diff := cmp.Diff(solved(t, p), solved(t, p)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestCancelledSearchSaysWhatItHas(t *testing.T) {
	p := FromGraph(readThroughput(t, "operator-bert_l-12_inference"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s, err := Solve(ctx, p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Status != solver.Interrupted || s.Bound <= 0 || s.Bound > 147.48 {
		t.Errorf("%v, value %v, bound %v", s.Status, s.Value, s.Bound)
	}
	if s.Stages == nil && !math.IsInf(s.Value, 1) {
		t.Errorf("value %v without stages", s.Value)
	}
}
