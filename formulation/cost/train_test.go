package cost

import (
	"strings"
	"testing"

	"partita/inputs"
)

func TestValidTrainShape(t *testing.T) {
	plain := TrainShape{DP: 2, TP: 8, CP: 2, EP: 1, ETP: 1}
	with := func(change func(*TrainShape)) TrainShape {
		s := plain
		change(&s)
		return s
	}
	for _, c := range []struct {
		name  string
		model inputs.Model
		shape TrainShape
		want  string // part of the reason; empty: valid
	}{
		{"dense", llama70B(inputs.BF16), plain, ""},
		{"experts over all GPUs", mixtral8x7B(inputs.BF16), with(func(s *TrainShape) { s.EP, s.ETP = 8, 4 }), ""},
		{"experts over some", mixtral8x7B(inputs.BF16), with(func(s *TrainShape) { s.EP = 4 }), ""},
		{"more KV ranks than heads", llama70B(inputs.BF16), with(func(s *TrainShape) { s.TP = 16 }), ""},
		{"no degree", llama70B(inputs.BF16), with(func(s *TrainShape) { s.CP = 0 }), "at least 1"},
		{"ZeRO", llama70B(inputs.BF16), with(func(s *TrainShape) { s.ZeRO = 4 }), "0 to 3"},
		{"EP without experts", llama70B(inputs.BF16), with(func(s *TrainShape) { s.EP = 2 }), "has none"},
		{"heads", llama70B(inputs.BF16), with(func(s *TrainShape) { s.TP = 3 }), "64 attention heads"},
		{"experts past the GPUs", mixtral8x7B(inputs.BF16), with(func(s *TrainShape) { s.EP, s.ETP = 8, 8 }), "do not divide TP 8"},
		{"experts", deepSeekV3(inputs.FP8), with(func(s *TrainShape) { s.DP, s.EP = 3, 3 }), "256 experts do not divide"},
		{"expert width", mixtral8x7B(inputs.BF16), with(func(s *TrainShape) { s.DP, s.ETP = 3, 3 }), "expert width"},
	} {
		ok, why := ValidTrainShape(&c.model, c.shape)
		if ok != (c.want == "") || !strings.Contains(why, c.want) {
			t.Errorf("%s: %v %q, want %q", c.name, ok, why, c.want)
		}
	}
	if got := plain.GPUs(); got != 32 {
		t.Errorf("%d GPUs, want 32", got)
	}
}
