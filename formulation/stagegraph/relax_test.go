package stagegraph

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"partita/inputs"
	"partita/solver/path"
)

// metrics of a replica's stages by (C4) to (C6), in seconds.
func metrics(s *Space, ch Choice, seconds [][2]float64) (ttft, round float64) {
	var sum, peak [2]float64
	for _, t := range seconds {
		for ph := range 2 {
			sum[ph] += t[ph]
			peak[ph] = max(peak[ph], t[ph])
		}
	}
	if ch.Micro > 0 {
		ttft = sum[0] + float64(turns(s, ch)-1)*peak[0]
	}
	if s.Condition.Workload.Phase == inputs.Prefill {
		return ttft, float64(ch.Micro) * peak[1]
	}
	return ttft, max(sum[1], float64(ch.Groups)*peak[1])
}

// No plan of a layout is below its relaxation, in either metric or any mix of them.
func TestRelaxationIsBelowEveryPlan(t *testing.T) {
	plans := 0
	rapid.Check(t, func(t *rapid.T) {
		s := mustSpace(t, drawCondition(t))
		ch, ok := drawChoice(t, s)
		if !ok {
			return
		}
		g := s.Build(ch, Scale{1e-9, 1e-9})
		stages, ok := drawPath(t, g.Problem)
		if !ok {
			return
		}
		used := make([]int, s.Pools())
		parts := g.Parts(stages)
		for _, pt := range parts {
			used[pt.Pool] += pt.Shape.GPUs()
		}
		for k, n := range used {
			if n > ch.Layout.GPUs[k] || ch.Layout.Exact && n < ch.Layout.GPUs[k] {
				return // not a plan of this layout
			}
		}
		plans++
		ttft, round := metrics(s, ch, s.Seconds(ch, parts))
		micros, groups := []int{ch.Micro}, []int{ch.Groups}
		r := s.Relax(ch.Layout, micros, groups)
		const rounding = 1 + 1e-9
		if low := r.TTFT(0); low > ttft*rounding || s.Prefills() && low <= 0 {
			t.Fatalf("TTFT %g s, relaxation %g s", ttft, low)
		}
		if low := r.Round(0); low > round*rounding || low <= 0 {
			t.Fatalf("round %g s, relaxation %g s", round, low)
		}
		a, b := rapid.Float64Range(0, 5).Draw(t, "a"), rapid.Float64Range(0, 5).Draw(t, "b")
		if low, v := r.Value(0, 0, a, b), a*ttft+b*round; low > v*rounding {
			t.Fatalf("value %g with %g·TTFT + %g·round, relaxation %g", v, a, b, low)
		}
		if low, ok := r.AloneTTFT(0); ok && low > ttft*rounding {
			t.Fatalf("TTFT %g s, by counts %g s", ttft, low)
		}
		if low, ok := r.AloneRound(0); ok && low > round*rounding {
			t.Fatalf("round %g s, by counts %g s", round, low)
		}
		seconds := s.Seconds(ch, parts)
		ask := Bounds{Value: [2]float64{a, b}, Enough: rapid.SampledFrom([]float64{math.Inf(1), a*ttft + b*round}).Draw(t, "enough"), Scale: Scale{1e-9, 1e-9}}
		low, peak := math.Inf(1), 0.0
		for _, x := range seconds {
			low, peak = min(low, x[1]), max(peak, x[1])
		}
		ask.Floor = rapid.SampledFrom([]float64{0, low / peak}).Draw(t, "floor")
		for range rapid.IntRange(0, 2).Draw(t, "gates") {
			w := [2]float64{rapid.Float64Range(0, 1).Draw(t, "of TTFT"), rapid.Float64Range(0, 1).Draw(t, "of the round")}
			ask.Gates = append(ask.Gates, Gate{Weight: w, Most: (w[0]*ttft + w[1]*round) * rapid.SampledFrom([]float64{1, 1.1}).Draw(t, "room")})
		}
		if low, ok := r.Pair(0, 0, &ask); ok && low > (a*ttft+b*round)*rounding+1e-7 {
			t.Fatalf("value %g of a plan that keeps %+v, by counts %g", a*ttft+b*round, ask, low)
		}
		if r.RangeTTFT(0) > ttft*rounding || r.RangeRound(0) > round*rounding {
			t.Fatalf("TTFT %g s, round %g s, relaxations of the range %g and %g", ttft, round, r.RangeTTFT(0), r.RangeRound(0))
		}
	})
	if plans < 20 {
		t.Fatalf("only %d plans drawn: the generator says too little", plans)
	}
}

// turns is how many prefill steps the last first token waits for: prompts come at once in
// prefill alone.
func turns(s *Space, ch Choice) int {
	if s.Condition.Workload.Phase == inputs.Prefill {
		return ch.Micro
	}
	return 1
}

// One GPU, one way: the relaxation is the plan itself.
func TestRelaxationOfOneGPU(t *testing.T) {
	m := modelOf([]int{0, 0, 0}, denseKind(8, 4096))
	s := mustSpace(t, fixture(m, inputs.Mixed, 6, false, []int{1}))
	l, _ := s.Exact(1, []int{1})
	ch := Choice{Layout: l, Micro: 3, Groups: 2}
	one := s.pools[0].shapes[0]
	ttft, round := metrics(s, ch, s.Seconds(ch, []Part{{0, 2, 0, one}}))
	r := s.Relax(l, []int{3}, []int{2})
	if !near(r.TTFT(0), ttft) {
		t.Errorf("TTFT %g: want %g", r.TTFT(0), ttft)
	}
	if !near(r.Round(0), round) {
		t.Errorf("round %g: want %g", r.Round(0), round)
	}
	if got, want := r.Value(0, 0, 2, 3), 2*r.TTFT(0)+3*r.Round(0); !near(got, want) {
		t.Errorf("value %g: want %g", got, want)
	}
}

// More GPUs never raise a floor of a range.
func TestRelaxationFallsWithGPUs(t *testing.T) {
	s := mustSpace(t, unlimited(fixture(modelOf([]int{0, 0, 0, 0}, denseKind(8, 4096)), inputs.Mixed, 8, false, []int{8}), 8))
	last := [2]float64{1e9, 1e9}
	for n := 1; n <= 32; n++ {
		l, ok := s.Exact(1, []int{n})
		if !ok {
			t.Fatal(n)
		}
		r := s.Relax(l, []int{2}, []int{2})
		if now := [2]float64{r.RangeTTFT(0), r.RangeRound(0)}; now[0] > last[0] || now[1] > last[1] {
			t.Errorf("%d GPUs: floors %v after %v", n, now, last)
		} else {
			last = now
		}
	}
}

// Where all layers are alike, counting stages gives the best TTFT and round to within
// the rounding of ticks, for all but a few layouts: what it prices is the sum of layers.
func TestCountsAreNearlyExact(t *testing.T) {
	asked, met := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		s := mustSpace(t, drawCondition(t))
		ch, ok := drawChoice(t, s)
		if !ok || len(s.Condition.Model.Kinds) > 1 {
			return
		}
		r := s.Relax(ch.Layout, []int{ch.Micro}, []int{ch.Groups})
		for ph := range 2 {
			low, ok := r.alone(ph, 0)
			if !ok || ph == 0 && ch.Micro == 0 {
				continue
			}
			u := Scale{1e-9, 1e-9}
			p := s.BuildWide(ch, u).Problem
			p.Weight[ph] = 1
			switch {
			case ph == 0:
				p.Phases[0] = path.Phase{Sum: 1, Peak: int64(turns(s, ch) - 1)}
			case s.Condition.Workload.Phase == inputs.Prefill:
				p.Phases[1] = path.Phase{Rate: int64(ch.Micro)}
			default:
				p.Phases[1] = path.Phase{Sum: 1, Rate: int64(ch.Groups)}
			}
			best, err := path.Solve(t.Context(), p, path.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if best.Stages == nil {
				continue
			}
			asked++
			v := u.Seconds(ph, best.Value.Metric[ph])
			if low > v*(1+1e-9) {
				t.Fatalf("phase %d: %g s by counts, the best is %g s", ph, low, v)
			}
			if low > v*(1-1e-4) {
				met++
			}
		}
	})
	if asked < 20 || met < asked*9/10 {
		t.Errorf("%d of %d floors are attained", met, asked)
	}
}
