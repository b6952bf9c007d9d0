package heuristic

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestApportion: every layer goes somewhere, everyone gets one, and where nobody is
// raised to one, no share is off by a whole layer.
func TestApportion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Float64Range(0, 100), 1, 12).Draw(t, "weights")
		n := rapid.IntRange(len(weights), 150).Draw(t, "layers")
		got := apportion(n, weights)
		sum, total, raised := 0, 0.0, false
		for i, x := range got {
			if x < 1 {
				t.Fatalf("%v of %v: a stage without layers", got, weights)
			}
			sum += x
			total += weights[i]
		}
		if sum != n {
			t.Fatalf("%v sums to %d, want %d", got, sum, n)
		}
		for _, w := range weights {
			raised = raised || float64(n)*w < total
		}
		for i, x := range got {
			if share := float64(n) * weights[i] / total; !raised && total > 0 && math.Abs(float64(x)-share) >= 1 {
				t.Fatalf("%v: stage %d has %d, its share is %v", got, i, x, share)
			}
		}
	})
}

// TestEvenCuts: both even cuts use every layer and differ by at most one; vLLM's gives
// the last stage no more than any other.
func TestEvenCuts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stages := rapid.IntRange(1, 40).Draw(t, "stages")
		n := rapid.IntRange(stages, 200).Draw(t, "layers")
		for name, cut := range map[string][]int{"even": even(n, stages), "vllm": EngineCut(n, stages)} {
			sum, low, high := 0, n, 0
			for _, x := range cut {
				sum, low, high = sum+x, min(low, x), max(high, x)
			}
			if sum != n || high-low > 1 || len(cut) != stages || cut[stages-1] != low {
				t.Fatalf("%s: %d layers on %d stages: %v", name, n, stages, cut)
			}
		}
	})
}
