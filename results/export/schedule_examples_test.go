package export_test

import (
	"math"
	"path/filepath"
	"testing"

	"partita/formulation"
	"partita/inputs/read"
	"partita/results/export"
)

// The schedules of the examples end where the metrics say, as nearly as the formula of the
// cost model is to a schedule of stages that are not alike.
func TestSchedulesOfExamplesAgreeWithTheMetrics(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("..", "..", "examples", "training-*"))
	if err != nil || len(paths) < 3 {
		t.Fatalf("%d examples, %v", len(paths), err)
	}
	for _, path := range paths {
		c, err := read.Load(read.Options{Paths: []string{path}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := formulation.Optimize(t.Context(), c, formulation.Options{Backend: "labels"})
		if err != nil {
			t.Fatal(err)
		}
		ph := &r.Plan.Phases[0]
		if ph.Strategy.PP == 1 {
			continue
		}
		drawn, want := export.DrawnStep(ph), *ph.Metrics.StepMS
		t.Logf("%s: %.1f ms drawn, %.1f ms", filepath.Base(path), drawn, want)
		if math.Abs(drawn/want-1) > 0.05 {
			t.Errorf("%s: a step is drawn with %v ms, the metric is %v ms", path, drawn, want)
		}
	}
}
