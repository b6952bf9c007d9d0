package training

import (
	"math"
	"math/rand"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// byFormula is the pipeline's part of T11 for stages of these times.
func byFormula(forward, backward []float64, virtual, micros int) float64 {
	ranks := len(forward) / virtual
	of := make([]float64, ranks)
	for k := range forward {
		of[k%ranks] += forward[k] + backward[k]
	}
	sum := 0.0
	for _, t := range of {
		sum += t
	}
	return pipelineSeconds(slices.Max(of), sum, virtual, micros)
}

// TestPipelineOfEqualStagesIsExact against the simulated schedule, and of stages of which
// the last, with the head and the loss, takes longer.
func TestPipelineOfEqualStagesIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		virtual := rapid.IntRange(1, 6).Draw(t, "virtual")
		ranks := rapid.IntRange(2, 9).Draw(t, "ranks")
		micros := ranks * rapid.IntRange(1, 5).Draw(t, "groups")
		if virtual == 1 {
			micros += rapid.IntRange(0, ranks-1).Draw(t, "more") // need not divide
		}
		f := rapid.Float64Range(0.1, 10).Draw(t, "forward")
		b := rapid.Float64Range(0.1, 10).Draw(t, "backward")
		forward, backward := slices.Repeat([]float64{f}, ranks*virtual), slices.Repeat([]float64{b}, ranks*virtual)
		last := rapid.Float64Range(1, 3).Draw(t, "last")
		forward[len(forward)-1] *= last
		backward[len(backward)-1] *= last
		got, want := byFormula(forward, backward, virtual, micros), simulate(forward, backward, virtual, micros)
		if math.Abs(got-want) > 1e-9*want {
			t.Fatalf("%d ranks, %d stages each, %d micro-batches: %g, simulated %g", ranks, virtual, micros, got, want)
		}
	})
}

// TestPlainPipelineNeverTakesLonger: T11 bounds 1F1B of unequal stages from above where
// backward passes take as many times their forward ones in each; where one stage has the
// longest forward pass and another the longest backward one the schedule can take longer.
func TestPlainPipelineNeverTakesLonger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ranks := rapid.IntRange(1, 8).Draw(t, "ranks")
		micros := rapid.IntRange(1, 3*ranks).Draw(t, "micros")
		times := func(name string) []float64 {
			return rapid.SliceOfN(rapid.Float64Range(0.1, 10), ranks, ranks).Draw(t, name)
		}
		forward := times("forward")
		backward := slices.Clone(forward)
		ratio := rapid.Float64Range(0.5, 4).Draw(t, "ratio")
		for k := range backward {
			backward[k] *= ratio
		}
		if got, least := byFormula(forward, backward, 1, micros), simulate(forward, backward, 1, micros); got < least*(1-1e-12) {
			t.Fatalf("%g, simulated %g", got, least)
		}
	})
}

// TestPipelineFormula measures how far T11 is from the simulated schedule where stages
// differ at random, as its comment and docs/cost-model.md state.
func TestPipelineFormula(t *testing.T) {
	for _, c := range []struct {
		virtual               int
		spread                float64
		lowest, median, upper float64 // formula over simulation
	}{
		{1, 0.1, 1, 1.006, 1.065},
		{1, 0.3, 1, 1.02, 1.19},
		{2, 0.1, 0.95, 1.015, 1.07},
		{4, 0.1, 0.95, 1.005, 1.035},
		{2, 0.3, 0.90, 1.015, 1.12},
		{4, 0.3, 0.87, 0.985, 1.07},
	} {
		random := rand.New(rand.NewSource(1))
		var ratios []float64
		for range 300 {
			ranks := 2 + random.Intn(15)
			micros := ranks * (1 + random.Intn(8))
			forward := make([]float64, ranks*c.virtual)
			backward := make([]float64, ranks*c.virtual)
			for k := range forward {
				forward[k] = 1 + c.spread*(2*random.Float64()-1)
				backward[k] = 2 * forward[k]
			}
			ratios = append(ratios, byFormula(forward, backward, c.virtual, micros)/simulate(forward, backward, c.virtual, micros))
		}
		slices.Sort(ratios)
		low, median, high := ratios[0], ratios[len(ratios)/2], ratios[len(ratios)-1]
		t.Logf("virtual %d, spread %g: %.3f, median %.3f, %.3f", c.virtual, c.spread, low, median, high)
		if low < c.lowest-1e-12 || math.Abs(median-1) > math.Abs(c.median-1) || high > c.upper {
			t.Errorf("virtual %d, spread %g: %.3f, median %.3f, %.3f; stated %g, %g, %g", c.virtual, c.spread, low, median, high, c.lowest, c.median, c.upper)
		}
	}
}
