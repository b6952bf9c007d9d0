package makespan_test

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"partita/formulation/assignment"
	"partita/formulation/makespan"
	"partita/inputs/opgraph"
	"partita/solver"
)

// published are the latency instances, with the best values that were known of them.
var published = []struct {
	file  string
	known float64 // ms
}{
	{"layer-bert24_inference.json", 100.2185},
	{"layer-gnmt_inference.json", 244.331},
	{"operator-bert_l-3_inference.json", 414.441},
	{"operator-resnet50_inference.json", 839.5363},
}

func load(t testing.TB, objective, file string) *opgraph.Graph {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "instances", "dnn-partitioning", objective, file)
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skip("the published instances are not here: ", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	g, err := opgraph.Parse(file, file, data)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestPublishedInstancesAreProved(t *testing.T) {
	for _, in := range published {
		t.Run(in.file, func(t *testing.T) {
			g := load(t, "latency", in.file)
			r, err := makespan.Solve(context.Background(), g, makespan.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%.4f ms, %v: %s (%d labels)", r.Value, r.Status, r.Because, r.Explored)
			if r.Status != solver.Optimal || r.Bound != r.Value {
				t.Errorf("%v with bound %g and value %g, want a proof", r.Status, r.Bound, r.Value)
			}
			if r.Value > in.known*(1+1e-6) {
				t.Errorf("%g ms is above the known %g", r.Value, in.known)
			}
			if value, ok := latency(g, r.Device); !ok || math.Abs(value-r.Value) > 1e-9*value {
				t.Errorf("the plan is worth %g (allowed: %v), not %g", value, ok, r.Value)
			}
		})
	}
}

// The same graph with its nodes in another order takes other ways through the search, to
// the same optimum.
func TestPublishedInstancesRenumbered(t *testing.T) {
	for _, file := range []string{"layer-gnmt_inference.json", "operator-resnet50_inference.json"} {
		g := load(t, "latency", file)
		value := solve(t, g)
		r := rand.New(rand.NewPCG(4, 2))
		for range 3 {
			turned := renumbered(g, r.Perm(len(g.Nodes)))
			r.Shuffle(len(turned.Edges), func(i, j int) { turned.Edges[i], turned.Edges[j] = turned.Edges[j], turned.Edges[i] })
			if v := solve(t, turned); math.Abs(v-value) > 1e-8*value {
				t.Errorf("%s: %v with nodes renumbered, %v before", file, v, value)
			}
		}
	}
}

func BenchmarkLatency(b *testing.B) {
	for _, in := range published {
		b.Run(in.file, func(b *testing.B) {
			g := load(b, "latency", in.file)
			b.ReportAllocs()
			var r assignment.Result
			for b.Loop() {
				r, _ = makespan.Solve(context.Background(), g, makespan.Options{})
			}
			b.ReportMetric(r.Value, "ms-value")
			b.ReportMetric(r.Bound, "ms-bound")
		})
	}
}
