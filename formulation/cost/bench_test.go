package cost

import (
	"testing"

	"partita/inputs"
)

func BenchmarkLayer(b *testing.B) {
	for _, c := range []struct {
		name  string
		model inputs.Model
		kind  int
		shape Shape
		step  Step
	}{
		{"dense-decode", llama70B(inputs.FP8), 0, tensor(8), Step{inputs.Decode, 64, 1, 4096}},
		{"dense-prefill", llama70B(inputs.FP8), 0, tensor(8), Step{inputs.Prefill, 4, 4096, 0}},
		{"experts-decode", deepSeekV3(inputs.FP8), 1, Shape{1, 1, 16, 16, 1}, Step{inputs.Decode, 512, 1, 4096}},
	} {
		b.Run(c.name, func(b *testing.B) {
			calc := mustNew(b, conditionOf(c.model, poolOf(h200(), 32)))
			b.ReportAllocs()
			for b.Loop() {
				calc.Layer(0, c.kind, c.shape, c.step)
			}
		})
	}
}

func BenchmarkStageMemory(b *testing.B) {
	calc := mustNew(b, conditionOf(deepSeekV3(inputs.FP8), poolOf(h200(), 32)))
	s := Shape{TP: 1, CP: 1, DPAttention: 16, EP: 16, ETP: 1}
	load := Load{Sequences: 512, Tokens: 8192, Steps: []Step{{inputs.Decode, 512, 1, 4096}, {inputs.Prefill, 16, 4096, 0}}}
	counts := []int{3, 28}
	b.ReportAllocs()
	for b.Loop() {
		calc.StageMemory(0, counts, true, false, s, load)
	}
}
