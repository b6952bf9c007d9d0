package cost

import (
	"strings"
	"testing"

	"partita/inputs"
)

func TestValidShape(t *testing.T) {
	dense, experts, mixed := llama70B(inputs.BF16), mixtral8x7B(inputs.BF16), deepSeekV3(inputs.FP8)
	for _, c := range []struct {
		name  string
		model *inputs.Model
		kind  int
		shape Shape
		why   string // part of the reason; empty: valid
	}{
		{"one GPU", &dense, 0, tensor(1), ""},
		{"more ranks than KV heads", &dense, 0, tensor(16), ""},
		{"context ranks", &dense, 0, Shape{2, 4, 1, 1, 8}, ""},
		{"heads", &dense, 0, tensor(3), "64 attention heads do not divide over TP 3"},
		{"zero degree", &dense, 0, Shape{8, 0, 1, 1, 8}, "at least 1"},
		{"GPUs differ", &dense, 0, Shape{8, 1, 1, 1, 4}, "experts span 1 × 4 = 4 GPUs, but the stage has TP 8 × CP 1 × attention DP 1 = 8"},
		{"EP without experts", &dense, 0, Shape{2, 1, 1, 2, 1}, "EP 2 needs experts"},
		{"attention DP without experts", &dense, 0, Shape{1, 1, 2, 1, 2}, "use replicas"},
		{"experts over ranks", &experts, 0, Shape{8, 1, 1, 8, 1}, ""},
		{"attention DP", &experts, 0, Shape{2, 1, 4, 8, 1}, ""},
		{"too many ranks for the experts", &experts, 0, Shape{16, 1, 1, 16, 1}, "8 experts do not divide over EP 16"},
		{"dense layer beside experts", &mixed, 0, Shape{1, 1, 8, 8, 1}, ""},
		{"expert layer", &mixed, 1, Shape{1, 1, 8, 8, 1}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ok, why := ValidShape(c.model, c.kind, c.shape)
			if ok != (c.why == "") || !strings.Contains(why, c.why) {
				t.Errorf("got %v %q, want %q", ok, why, c.why)
			}
		})
	}
	odd := mixtral8x7B(inputs.BF16)
	odd.Kinds[0].FFN.Intermediate, odd.Kinds[0].FFN.Shared = 14334, 1001
	if _, why := ValidShape(&odd, 0, tensor(4)); !strings.Contains(why, "expert width 14334 does not divide over expert TP 4") {
		t.Errorf("expert width: %q", why)
	}
	if _, why := ValidShape(&odd, 0, tensor(2)); !strings.Contains(why, "1001 of the shared experts") {
		t.Errorf("shared width: %q", why)
	}
	narrow := llama8B(inputs.BF16)
	narrow.Kinds[0].FFN.Intermediate = 14330
	if _, why := ValidShape(&narrow, 0, tensor(4)); !strings.Contains(why, "feed-forward width 14330") {
		t.Errorf("dense width: %q", why)
	}
}

func TestValidPhase(t *testing.T) {
	cp := Shape{1, 2, 1, 1, 2}
	for phase, valid := range map[inputs.Phase]bool{inputs.Prefill: true, inputs.Decode: false, inputs.Mixed: false} {
		if ok, why := ValidPhase(phase, cp); ok != valid || (why == "") != valid {
			t.Errorf("%s with CP 2: %v %q", phase, ok, why)
		}
		if ok, _ := ValidPhase(phase, tensor(2)); !ok {
			t.Errorf("%s refuses TP 2", phase)
		}
	}
}
