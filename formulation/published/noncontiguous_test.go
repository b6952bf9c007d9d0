package published

import (
	"path/filepath"
	"slices"
	"testing"

	"partita/solver"
)

// The least loads in ms of the smallest published graphs, proved within a second; what
// local search had reached before is the same or worse.
func TestNoncontiguous(t *testing.T) {
	for file, known := range map[string]float64{
		"layer-bert24_inference": 17.714718750, "layer-bert24_training": 39.789538879, "layer-gnmt_inference": 31.702005859,
		"operator-bert_l-3_inference": 21.908376106, "operator-resnet50_inference": 124.348849774,
	} {
		t.Run(file, func(t *testing.T) {
			list := load(t, filepath.Join("dnn-partitioning", "throughput", file+".json"))
			a := one(t, list[0], Options{Objective: Noncontiguous})
			if a.Status != solver.Optimal.String() || a.BestBound == nil || *a.BestBound != *a.Objective || *a.Objective > known+1e-8 {
				t.Errorf("%s: %v (bound %v), known were %g", a.Status, *a.Objective, a.BestBound, known)
			}
			var nodes []int
			worst := 0.0
			for _, d := range a.Solution.Devices {
				nodes = append(nodes, d.Nodes...)
				worst = max(worst, d.LoadMS)
			}
			slices.Sort(nodes)
			if len(slices.Compact(nodes)) != len(list[0].Graph.Nodes) || worst != *a.Objective {
				t.Errorf("%d nodes placed, largest load %v, value %v", len(nodes), worst, *a.Objective)
			}
		})
	}
}
