package poolsplit

import (
	"context"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// table answers from lists of plans: all that either side has.
type table struct {
	prefill, decode [][]Point
	asked           int
	late            int // questions after which nothing is proved any more; 0: never
}

func (t *table) Prefill(_ context.Context, choice int, below float64) ([]Point, bool, error) {
	t.asked++
	var all, front []Point
	for _, p := range t.prefill[choice] {
		if p.Share < below {
			all = append(all, p)
		}
	}
	for i, p := range all {
		covered := false
		for j, q := range all {
			better := q.TTFT < p.TTFT || q.Period < p.Period
			covered = covered || q.TTFT <= p.TTFT && q.Period <= p.Period && (better || j < i)
		}
		if !covered {
			front = append(front, p)
		}
	}
	return front, t.late == 0 || t.asked < t.late, nil
}

func (t *table) Decode(_ context.Context, choice int, below float64) (Point, bool, bool, error) {
	t.asked++
	var best Point
	found := false
	for _, p := range t.decode[choice] {
		if p.Share < below && (!found || p.Round < best.Round) {
			best, found = p, true
		}
	}
	return best, found, t.late == 0 || t.asked < t.late, nil
}

// floor is the least of every figure, lowered by some share of it: a bound.
func floor(plans []Point, by float64) Point {
	inf := math.Inf(1)
	f := Point{TTFT: inf, Round: inf, Period: inf, Share: inf}
	for _, p := range plans {
		f.TTFT, f.Round, f.Period, f.Share = min(f.TTFT, p.TTFT), min(f.Round, p.Round), min(f.Period, p.Period), min(f.Share, p.Share)
	}
	if len(plans) > 0 {
		f.TTFT, f.Round, f.Period, f.Share = f.TTFT*by, f.Round*by, f.Period*by, f.Share*by
	}
	return f
}

// drawn is a random problem with all its plans.
type drawn struct {
	problem Problem
	sides   *table
}

func draw(t *rapid.T) drawn {
	number := func(name string) float64 { return float64(rapid.IntRange(1, 12).Draw(t, name)) }
	var d drawn
	d.sides = &table{}
	by := rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(t, "floors")
	for range rapid.IntRange(1, 3).Draw(t, "choices to prefill") {
		var plans []Point
		for i := range rapid.IntRange(0, 4).Draw(t, "plans") {
			plans = append(plans, Point{TTFT: number("ttft"), Period: number("period"), Share: number("share"), ID: i})
		}
		d.sides.prefill = append(d.sides.prefill, plans)
		d.problem.Prefill = append(d.problem.Prefill, Choice{Replicas: rapid.IntRange(1, 3).Draw(t, "replicas"), Floor: floor(plans, by)})
	}
	for range rapid.IntRange(1, 3).Draw(t, "choices to decode") {
		var plans []Point
		for i := range rapid.IntRange(0, 4).Draw(t, "plans") {
			round := number("round")
			plans = append(plans, Point{Round: round, Period: round * 0.7, Share: number("share"), ID: i})
		}
		d.sides.decode = append(d.sides.decode, plans)
		d.problem.Decode = append(d.problem.Decode, Choice{Replicas: rapid.IntRange(1, 3).Draw(t, "replicas"), Floor: floor(plans, by)})
	}
	for i := range d.problem.Prefill {
		for j := range d.problem.Decode {
			if rapid.IntRange(0, 3).Draw(t, "pair") > 0 {
				d.problem.Pairs = append(d.problem.Pairs, [2]int{i, j})
			}
		}
	}
	link := Link{Latency: number("latency") / 4, Longest: number("per unit") / 4, Mean: number("mean") / 8}
	d.problem.Link = func(int) Link { return link }
	limit, soft := number("limit")*2, rapid.Bool().Draw(t, "limit by its miss")
	a, b := number("weight")-1, number("weight")-1
	d.problem.Value = func(_ int, f Figures) Value {
		miss := max(0, f.TTFT-limit)
		if miss > 0 && !soft {
			return Worst
		}
		return Value{miss, a*(f.TTFT+3*f.TPOT) + b*f.Period(), f.TTFT + f.TPOT}
	}
	return d
}

// best is the least value over all pairs of plans.
func (d *drawn) best() (Value, bool) {
	best, found := Worst, false
	for pair, at := range d.problem.Pairs {
		for _, p := range d.sides.prefill[at[0]] {
			for _, q := range d.sides.decode[at[1]] {
				if v := d.problem.Value(pair, d.problem.Of(pair, p, q)); v.Less(best) {
					best, found = v, true
				}
			}
		}
	}
	return best, found
}

// TestSearchAgainstAllPairs holds the search against every pair of plans.
func TestSearchAgainstAllPairs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		want, found := d.best()
		r, err := Search(context.Background(), &d.problem, d.sides, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !r.Proved {
			t.Fatalf("not proved: %+v", r)
		}
		if found != (r.Best != nil) {
			t.Fatalf("found %t, a plan is there: %t", r.Best != nil, found)
		}
		if !found {
			return
		}
		if r.Best.Value.Less(want) || want.Less(r.Best.Value) {
			t.Fatalf("found %v, the best is %v", r.Best.Value, want)
		}
		at := d.problem.Pairs[r.Best.Pair]
		if v := d.problem.Value(r.Best.Pair, d.problem.Of(r.Best.Pair, d.sides.prefill[at[0]][r.Best.Prefill.ID], d.sides.decode[at[1]][r.Best.Decode.ID])); v != r.Best.Value {
			t.Fatalf("the plans named have %v, not %v", v, r.Best.Value)
		}
		for pair, l := range r.Lines {
			if l.Outcome != Infeasible {
				best := Worst
				at := d.problem.Pairs[pair]
				for _, p := range d.sides.prefill[at[0]] {
					for _, q := range d.sides.decode[at[1]] {
						if v := d.problem.Value(pair, d.problem.Of(pair, p, q)); v.Less(best) {
							best = v
						}
					}
				}
				if best.Less(l.Bound) {
					t.Fatalf("pair %d has a plan of %v below its bound %v", pair, best, l.Bound)
				}
			}
		}
	})
}

// TestSearchOutOfTime: what is not proved is not called the best unless a bound shows it,
// and the bound holds.
func TestSearchOutOfTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		d.sides.late = rapid.IntRange(1, 6).Draw(t, "questions in time")
		want, found := d.best()
		r, err := Search(context.Background(), &d.problem, d.sides, nil)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case found && want.Less(r.Bound) && r.Best == nil, found && r.Best != nil && want.Less(r.Bound):
			t.Fatalf("bound %v above the best, %v", r.Bound, want)
		case r.Proved && found && (r.Best == nil || want.Less(r.Best.Value)):
			t.Fatalf("called proved: %+v, the best is %v", r.Best, want)
		}
	})
}

// TestSearchEnds: a context that is over gives the plan known before, and no proof.
func TestSearchEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	one := []Point{{TTFT: 2, Period: 1, Share: 1}}
	two := []Point{{Round: 1, Period: 1, Share: 1}}
	p := &Problem{
		Prefill: []Choice{{Replicas: 1}}, Decode: []Choice{{Replicas: 1}}, Pairs: [][2]int{{0, 0}},
		Link:  func(int) Link { return Link{} },
		Value: func(_ int, f Figures) Value { return Value{0, f.TTFT, 0} },
	}
	sides := &table{prefill: [][]Point{one}, decode: [][]Point{two}}
	r, err := Search(ctx, p, sides, &Best{Prefill: one[0], Decode: two[0]})
	if err != nil || r.Proved || r.Best == nil || r.Best.Value != (Value{0, 2, 0}) || r.Lines[0].Outcome != Open {
		t.Fatalf("%+v, %v", r, err)
	}
	if r, err = Search(context.Background(), p, sides, nil); err != nil || !r.Proved || r.Best.Value != (Value{0, 2, 0}) {
		t.Fatalf("%+v, %v", r, err)
	}
}

func TestLess(t *testing.T) {
	inf := math.Inf(1)
	for _, x := range []struct {
		a, b Value
		want bool
	}{
		{Value{0, 1, 5}, Value{0, 2, 1}, true},
		{Value{0, 1, 5}, Value{0, 1 + 1e-12, 4}, false},
		{Value{0, 1 + 1e-12, 4}, Value{0, 1, 5}, true},
		{Value{0, 1, 5}, Worst, true},
		{Worst, Worst, false},
		{Value{1, 0, 0}, Value{0, inf, inf}, false},
	} {
		if got := x.a.Less(x.b); got != x.want {
			t.Errorf("%v < %v: %t", x.a, x.b, got)
		}
	}
}
