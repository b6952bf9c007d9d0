package results

import (
	"math"
	"testing"
)

func TestBalanceOf(t *testing.T) {
	stages := []Stage{
		{GPUs: make([]string, 3), TimeMS: 10, MemoryGiB: 20},
		{GPUs: make([]string, 1), TimeMS: 8, MemoryGiB: 40},
	}
	// Means over four GPUs: (3·10 + 8)/4 = 9.5 ms, (3·20 + 40)/4 = 25 GiB.
	want := Balance{TimeMaxOverMean: 10 / 9.5, MemoryMaxOverMean: 1.6, TimeMinOverMax: 0.8}
	if got := BalanceOf(stages); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := BalanceOf(nil); got != (Balance{}) {
		t.Errorf("no stages: got %+v", got)
	}
}

// The margin percent reaches the margin asked for exactly where a requirement is met.
func TestMarginPercent(t *testing.T) {
	for _, tc := range []struct {
		upper     bool
		want, got float64
		margin    float64
	}{
		{true, 10, 9, 10}, {true, 10, 10, 0}, {true, 10, 24, -140},
		{false, 900, 1000, 10}, {false, 100, 50, -100}, {false, 100, 0, 0}, {true, 0, 1, 0},
	} {
		if got := MarginPercent(tc.upper, tc.want, tc.got); math.Abs(got-tc.margin) > 1e-9 {
			t.Errorf("upper %t, want %g, got %g: margin %g %%, want %g %%", tc.upper, tc.want, tc.got, got, tc.margin)
		}
	}
}
