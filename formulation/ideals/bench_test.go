package ideals

import (
	"context"
	"math"
	"testing"

	"partita/solver"
)

// published are the throughput instances with their contiguous optimum.
var published = []struct {
	name    string
	optimum float64
}{
	{"layer-bert24_inference", 17.789906250},
	{"layer-bert24_training", 41.745812500},
	{"layer-gnmt_inference", 32.910658203},
	{"layer-inceptionv3_inference", 51.551863586},
	{"layer-resnet50_inference", 33.774666016},
	{"layer-resnet50_training", 78.631812500},
	{"operator-bert_l-12_inference", 147.477984449},
	{"operator-bert_l-3_inference", 27.918567680},
	{"operator-bert_l-3_training", 65.303149122},
	{"operator-bert_l-6_inference", 29.579505806},
	{"operator-resnet50_inference", 124.348849774},
}

func TestPublishedOptima(t *testing.T) {
	for _, want := range published {
		t.Run(want.name, func(t *testing.T) {
			g := readThroughput(t, want.name)
			got, err := Place(context.Background(), g, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got.Status != solver.Optimal || math.Abs(got.Value-want.optimum) > 6e-10 {
				t.Errorf("%v %.9f bound %.9f, want %.9f", got.Status, got.Value, got.Bound, want.optimum)
			}
			if most := int64(300); got.Explored > most {
				t.Errorf("%d ideals expanded, want at most %d", got.Explored, most)
			}
		})
	}
}

func BenchmarkPublished(b *testing.B) {
	for _, in := range published {
		b.Run(in.name, func(b *testing.B) {
			g := readThroughput(b, in.name)
			b.ReportAllocs()
			for b.Loop() {
				got, err := Place(context.Background(), g, Options{})
				if err != nil || got.Status != solver.Optimal {
					b.Fatal(got.Status, err)
				}
			}
		})
	}
}

// BenchmarkBranching has graphs that are longer or wider than the published ones, and
// pools of unlike devices.
func BenchmarkBranching(b *testing.B) {
	for _, in := range []struct {
		name string
		*Problem
	}{
		{"100-blocks-of-4", branching(1, 100, 4, 6, 0.3)},
		{"20-blocks-of-6", branching(1, 20, 6, 4, 0.3)},
		{"40-blocks-of-6", branching(1, 40, 6, 4, 1)},
		{"3-pools-of-4", pooled(branching(1, 40, 4, 4, 0.1), 4, 4, 4)},
		{"3-pools-of-16", pooled(branching(1, 20, 3, 4, 0.1), 16, 16, 16)},
		{"chain-3-pools-16", pooled(branching(1, 60, 1, 3, 0.1), 16, 16, 16)},
	} {
		b.Run(in.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if s, err := Solve(context.Background(), in.Problem, Options{}); err != nil || s.Status != solver.Optimal {
					b.Fatal(s, err)
				}
			}
		})
	}
}
