package cost

import (
	"strings"
	"testing"

	"partita/inputs"
)

func TestInterval(t *testing.T) {
	ours := mustNew(t, conditionOf(llama8B(inputs.BF16), poolOf(h100(), 8)))
	both := mustNew(t, conditionOf(llama8B(inputs.BF16), poolOf(h100(), 8), poolOf(b200(), 8)))
	half := mustNew(t, conditionOf(llama8B(inputs.BF16), plain(8), poolOf(h100(), 8)))
	for _, metric := range []Metric{MetricTTFT, MetricTPOT, MetricDecodeRate, MetricPromptRate} {
		low, high, ok := ours.Interval(metric, 2)
		if !ok || !(low <= 2 && 2 <= high && low > 0) {
			t.Errorf("%s: %g to %g, %v", metric, low, high, ok)
		}
		wideLow, wideHigh, ok := both.Interval(metric, 2)
		if !ok || wideLow > low || wideHigh < high {
			t.Errorf("%s of two generations: %g to %g, of one %g to %g", metric, wideLow, wideHigh, low, high)
		}
		if l, h, ok := half.Interval(metric, 2); !ok || l != low || h != high {
			t.Errorf("%s of a pool that is stated and one that is not: %g to %g, want %g to %g", metric, l, h, low, high)
		}
		if !strings.Contains(ours.Evidence(metric), "measured runs") {
			t.Errorf("%s rests on %q", metric, ours.Evidence(metric))
		}
		_, inverse := metric.measured()
		upper := metric == MetricTTFT || metric == MetricTPOT
		last := 0.0
		for _, ratio := range []float64{1e-9, 0.5, 0.9, 1, 1.2, 2, 1e9} { // what is asked, of what is predicted
			if !upper {
				ratio = 1 / ratio
			}
			share, cases, ok := ours.Held(metric, ratio, upper)
			if !ok || cases < 1 || share < last || share > 1 {
				t.Errorf("%s: %g of %d, before %g (inverse %v)", metric, share, cases, last, inverse)
			}
			if two, _, _ := both.Held(metric, ratio, upper); two > share {
				t.Errorf("%s: %g of two generations, %g of one", metric, two, share)
			}
			last = share
		}
		if last != 1 {
			t.Errorf("%s: %g keep a requirement of nothing", metric, last)
		}
	}
	stated := mustNew(t, conditionOf(llama8B(inputs.BF16), plain(8)))
	if _, _, ok := stated.Interval(MetricTPOT, 1); ok {
		t.Error("a stated utilisation has an interval of ours")
	}
	if got := stated.Evidence(MetricTPOT); !strings.Contains(got, "states the utilisation") {
		t.Errorf("evidence %q", got)
	}
	// One share of two leaves the other, and its error, ours.
	compute := plain(8)
	compute.Accelerator.Efficiency = &inputs.Efficiency{Compute: 0.5}
	partly := mustNew(t, conditionOf(llama8B(inputs.BF16), compute))
	if _, _, ok := partly.Interval(MetricTPOT, 1); !ok {
		t.Error("a bandwidth of ours has no interval")
	}
	// A card with the name of a generation and memory of another class has the interval of all.
	card, unknown := poolOf(a100(), 8), poolOf(a100(), 8)
	card.Accelerator.MemoryBandwidth, unknown.Accelerator.Generation = 936e9, "abacus"
	low, high, _ := mustNew(t, conditionOf(llama8B(inputs.BF16), card)).Interval(MetricDecodeRate, 1)
	wideLow, wideHigh, _ := mustNew(t, conditionOf(llama8B(inputs.BF16), unknown)).Interval(MetricDecodeRate, 1)
	own, _, _ := mustNew(t, conditionOf(llama8B(inputs.BF16), poolOf(a100(), 8))).Interval(MetricDecodeRate, 1)
	if low != wideLow || high != wideHigh || !(low < own) {
		t.Errorf("a card of 936 GB/s: %g to %g; of all %g to %g, of A100 from %g", low, high, wideLow, wideHigh, own)
	}
	if _, _, ok := ours.Interval("height", 1); ok || !strings.Contains(ours.Evidence("height"), "nothing was measured") {
		t.Error("an unknown metric has an interval")
	}
}
