package scatter

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// steepest is the value and the slope of the largest of some linear functions.
func steepest(slopes [][]float64, at []float64) (float64, []float64) {
	best := 0
	for i := range slopes {
		if dot(slopes[i], at) > dot(slopes[best], at) {
			best = i
		}
	}
	return dot(slopes[best], at), slopes[best]
}

// TestBundleFindsAPointBelowZero: where all slopes have a point in common on the negative
// side, the bundle gets there; all of them fall towards a point that is drawn.
func TestBundleFindsAPointBelowZero(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 8).Draw(t, "prices")
		point := rapid.SliceOfN(rapid.Float64Range(0.5, 2), n, n).Draw(t, "point")
		slopes := make([][]float64, rapid.IntRange(1, 12).Draw(t, "slopes"))
		for i := range slopes {
			slopes[i] = rapid.SliceOfN(rapid.Float64Range(-1, 1), n, n).Draw(t, "slope")
			over := dot(slopes[i], point) + 0.3
			for c := range point {
				slopes[i][c] -= over * point[c] / dot(point, point)
			}
		}
		at := make([]float64, n)
		for c := range at {
			at[c] = 1
		}
		b := newBundle(at)
		for range 400 {
			value, slope := steepest(slopes, at)
			if value < 0 {
				return
			}
			if !b.step(at, slope, value) {
				break
			}
		}
		value, _ := steepest(slopes, at)
		t.Fatalf("no point below zero in 400 steps: the last has %g; one has -0.3", value)
	})
}

// TestBundleGivesUp: where the least value on the plane of equal sums is above zero, a
// bundle says so and does not go on for ever.
func TestBundleGivesUp(t *testing.T) {
	slopes := [][]float64{{1, -0.2}, {-0.2, 1}} // sums above zero: no point of sum 2 is below
	at := []float64{1.7, 0.3}
	b := newBundle(at)
	for i := range 1000 {
		value, slope := steepest(slopes, at)
		if value < 0 {
			t.Fatalf("%v has %g", at, value)
		}
		if sum := at[0] + at[1]; math.Abs(sum-2) > 1e-9 {
			t.Fatalf("the sum of the prices moved to %g", sum)
		}
		if !b.step(at, slope, value) {
			if math.Abs(at[0]-1) > 0.01 {
				t.Errorf("gave up at %v, the best is (1, 1)", at)
			}
			return
		}
		if i == 999 {
			t.Error("went on for 1000 steps")
		}
	}
}

// TestBundleKeepsItsSize: the oldest slope without weight goes, and the products with
// the rest stay right.
func TestBundleKeepsItsSize(t *testing.T) {
	b := newBundle([]float64{1, 1, 1})
	b.size = 4
	at := []float64{1, 1, 1}
	for i := range 20 {
		x := float64(i)
		b.step(at, []float64{math.Sin(x), math.Cos(2 * x), math.Sin(3*x) + 0.4}, 1)
	}
	if len(b.slopes) != 4 {
		t.Fatalf("%d slopes", len(b.slopes))
	}
	sum := 0.0
	for i := range b.slopes {
		sum += b.weight[i]
		for j := range b.slopes {
			if want := dot(b.flat[i], b.flat[j]); math.Abs(b.gram[i][j]-want) > 1e-12 {
				t.Errorf("product of %d and %d: %g, want %g", i, j, b.gram[i][j], want)
			}
		}
	}
	if math.Abs(sum-1) > 1e-9 {
		t.Errorf("weights sum to %g", sum)
	}
}
