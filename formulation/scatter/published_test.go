package scatter

import (
	"context"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"partita/formulation/assignment"
	"partita/inputs/opgraph"
)

// gapOf is the share of the value that the bound leaves open; false where one is missing.
func gapOf(r assignment.Result) (float64, bool) {
	if r.Device == nil || math.IsInf(r.Bound, 0) {
		return 0, false
	}
	return max(0, (r.Value-r.Bound)/r.Value), true
}

// bestKnown are the loads in ms that a local search of the instances' keepers reached.
var bestKnown = map[string]float64{
	"layer-bert24_inference":       17.714718750,
	"layer-bert24_training":        39.789538879,
	"layer-gnmt_inference":         31.702005859,
	"layer-inceptionv3_inference":  51.551863586,
	"layer-resnet50_inference":     33.699587891,
	"layer-resnet50_training":      77.312542972,
	"operator-bert_l-12_inference": 135.629989782,
	"operator-bert_l-3_inference":  21.908376106,
	"operator-bert_l-3_training":   54.207399192,
	"operator-bert_l-6_inference":  29.382678274,
	"operator-resnet50_inference":  124.348849774,
}

// published reads the published throughput graphs, by name; it skips where they are not
// there.
func published(t testing.TB) map[string]*opgraph.Graph {
	t.Helper()
	files, err := filepath.Glob("../../../shared/instances/dnn-partitioning/throughput/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("../shared/instances is not there")
	}
	graphs := map[string]*opgraph.Graph{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if graphs[name], err = opgraph.Parse(file, name, data); err != nil {
			t.Fatal(err)
		}
	}
	return graphs
}

// TestPublishedGraphs: a small part of the usual effort is at or below what is known of
// every graph, and within a few percent of the bound.
func TestPublishedGraphs(t *testing.T) {
	for name, g := range published(t) {
		t.Run(name, func(t *testing.T) {
			known, there := bestKnown[name]
			if !there {
				t.Fatal("no value is known")
			}
			r := solved(t, g, Options{Work: 40_000_000})
			if !possible(g, r.Device) || slices.Max(assignment.Loads(g, r.Device)) != r.Value {
				t.Fatal("the assignment breaks a rule, or its load is another")
			}
			if r.Value > known+1e-8 {
				t.Errorf("load %.9f; %.9f is known", r.Value, known)
			}
			if gap, ok := gapOf(r); !ok || gap > 0.1 {
				t.Errorf("%v: load %.6f, bound %.6f, gap %.1f%%", r.Status, r.Value, r.Bound, 100*gap)
			}
		})
	}
}

// BenchmarkScatter solves every published throughput graph with the usual effort. Beside
// the time it shows the value and the gap.
func BenchmarkScatter(b *testing.B) {
	graphs := published(b)
	for _, name := range slices.Sorted(maps.Keys(graphs)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var r assignment.Result
			for b.Loop() {
				var err error
				if r, err = Solve(context.Background(), graphs[name], Options{}); err != nil {
					b.Fatal(err)
				}
			}
			gap, _ := gapOf(r)
			b.ReportMetric(r.Value, "load_ms")
			b.ReportMetric(r.Bound, "bound_ms")
			b.ReportMetric(100*gap, "gap_%")
		})
	}
}
