package published

import (
	"errors"
	"math"
	"path/filepath"
	"testing"

	"partita/inputs/instance"
	"partita/results/verify/placement"
	"partita/solver"
)

// The best values in ms that were known of the published files; all are proved now.
func TestLatency(t *testing.T) {
	for file, known := range map[string]float64{
		"layer-bert24": 100.2185, "layer-gnmt": 244.331, "operator-bert_l-3": 414.441, "operator-resnet50": 839.5363,
	} {
		t.Run(file, func(t *testing.T) {
			list := load(t, filepath.Join("dnn-partitioning", "latency", file+"_inference.json"))
			a := one(t, list[0], Options{Objective: Latency})
			if a.Status != solver.Optimal.String() || a.BestBound == nil || *a.BestBound != *a.Objective || *a.Objective > known*(1+1e-6) {
				t.Errorf("%s: %v (bound %v), known were %g", a.Status, *a.Objective, a.BestBound, known)
			}
			value, err := placement.Latency(list[0].Graph, a.Solution)
			if err != nil || math.Abs(value-*a.Objective) > 1e-9*value {
				t.Errorf("recomputed: %v (%v), not %v", value, err, *a.Objective)
			}
			t.Logf("%.4f ms: %s", *a.Objective, a.Because)
		})
	}
}

func TestLatencyIsOfInference(t *testing.T) {
	list := load(t, filepath.Join("dnn-partitioning", "throughput", "layer-bert24_training.json"))
	_, err := Solve(t.Context(), list[0], Options{Objective: Latency})
	if refused := (*RefusedError)(nil); !errors.As(err, &refused) {
		t.Errorf("a graph of training: %v, want a refusal", err)
	}
}

// Who listens hears of the best value and the bound on the way, of each search.
func TestGraphsTellTheirProgress(t *testing.T) {
	list, err := instance.Load(filepath.Join("..", "..", "examples", "instances", "graph.json"))
	if err != nil {
		t.Fatal(err)
	}
	for goal, want := range map[string]string{Noncontiguous: "largest load 14.6 ms, none below 14.6 ms", Latency: "one sample takes 44.75 ms, none below 44.75 ms"} {
		var lines []string
		one(t, list[0], Options{Objective: goal, Log: func(line string) { lines = append(lines, line) }})
		if len(lines) == 0 || lines[len(lines)-1] != want {
			t.Errorf("%s: %q, want %q at the end", goal, lines, want)
		}
	}
}
