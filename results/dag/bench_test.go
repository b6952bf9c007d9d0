package dag

import (
	"io"
	"testing"

	"partita/inputs"
)

// large is of the size of DeepSeek-V3 on 32 GPUs: 61 layers, 58 with 256 experts, two
// replicas of 16 attention ranks.
func large() made {
	dense, experts := mixture(), mixture()
	dense.FFN = inputs.FFN{Intermediate: 18432, Gated: true}
	experts.FFN = inputs.FFN{Intermediate: 2048, Gated: true, Experts: 256, TopK: 8, Shared: 2048}
	m := model([]inputs.LayerKind{dense, experts})
	m.Layers = make([]int, 61)
	for i := 3; i < 61; i++ {
		m.Layers[i] = 1
	}
	return made{m, inputs.Mixed, 512, 2048, 1024, 2, 1, 1, []split{{61, 1, 1, 16, 16}}}
}

func BenchmarkWrite(b *testing.B) {
	for name, o := range map[string]Options{"complete": {}, "folded": {Folded: true}} {
		b.Run(name, func(b *testing.B) {
			p := large().plan()
			b.ReportAllocs()
			for b.Loop() {
				if err := Write(io.Discard, p, o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
