package graphplan

import (
	"context"
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"partita/inputs"
	"partita/inputs/opgraph"
	"partita/results"
	"partita/results/verify"
)

// publishedCondition is a published graph on GPUs that are alike, with the memory of the
// published accelerators, or on two pools of them.
func publishedCondition(t testing.TB, name string, counts ...int) *inputs.Condition {
	t.Helper()
	path := "../../../shared/instances/dnn-partitioning/throughput/" + name + ".json"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Skip("the published instances are not beside the project")
	}
	m, err := opgraph.ParseModel(path, data)
	if err != nil {
		t.Fatal(err)
	}
	c := &inputs.Condition{Name: name, Model: inputs.Model{Name: name, Graph: m.Graph, Weights: inputs.BF16, Activation: inputs.BF16, KV: inputs.BF16, FFNScale: 1},
		Workload: inputs.Workload{Phase: inputs.Inference}, Goal: inputs.Goal{Objective: inputs.Throughput}}
	if m.Graph.Training() {
		c.Workload.Phase = inputs.Training
	}
	for k, n := range counts {
		pool := fmt.Sprintf("pool-%d", k)
		p := inputs.Pool{Name: pool, Count: inputs.Count{Min: n, Max: n}, GPUsPerNode: n, Utilization: 1, MemoryBytes: 17185374208 + testReserve,
			Accelerator: inputs.Accelerator{Name: pool, MemoryBandwidth: 1e12, FLOPS: map[inputs.DType]float64{inputs.BF16: 1e14}}}
		node := inputs.Node{Host: pool}
		for i := range n {
			node.GPUs = append(node.GPUs, fmt.Sprintf("%s/gpu-%d", pool, i))
		}
		p.Nodes = []inputs.Node{node}
		c.Cluster.Pools = append(c.Cluster.Pools, p)
	}
	return c
}

// A training graph has one replica, so its plan is the published contiguous placement on
// accelerators alone, with all of them used.
func TestPublishedTrainingGraphs(t *testing.T) {
	for _, row := range []struct {
		name string
		gpus int
		want float64 // ms, of the published table: with one core beside, which none of them uses
	}{
		{"layer-bert24_training", 6, 41.745812500},
		{"operator-bert_l-3_training", 3, 65.303149122},
	} {
		c := publishedCondition(t, row.name, row.gpus)
		rep, err := Solve(context.Background(), c, Options{})
		if err != nil {
			t.Fatal(err)
		}
		sound(t, c, rep)
		if got := rep.Plan.Phases[0].Solve.Objective; rep.Status != results.StatusOptimal || math.Abs(got-row.want) > 1e-8*row.want {
			t.Errorf("%s: %s, %.9f ms, want %.9f", row.name, rep.Status, got, row.want)
		}
	}
}

func sound(t *testing.T, c *inputs.Condition, rep *results.Report) {
	t.Helper()
	if rep.Plan == nil {
		t.Fatalf("%s: no plan, status %s", c.Name, rep.Status)
	}
	rep.Plan = rep.WithOutcome()
	v, err := verify.Check(rep.Plan, c)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range verify.Violations(v) {
		t.Errorf("%s: %s: want %s, got %s", c.Name, x.Rule, x.Want, x.Got)
	}
}

// The hardest graphs on unlike pools are proved, and nothing beats the proof.
func TestPublishedGraphsOnUnlikePools(t *testing.T) {
	for _, name := range []string{"layer-inceptionv3_inference", "layer-gnmt_inference", "operator-bert_l-12_inference"} {
		c := publishedCondition(t, name, 3, 6)
		for v := range c.Model.Graph.Nodes { // the second pool is slower, and not by one factor
			n := &c.Model.Graph.Nodes[v]
			n.TimesMS = map[string]float64{"pool-1": *n.TimeMS * (2 + float64(v%5)/4)}
		}
		rep, err := Solve(context.Background(), c, Options{})
		if err != nil {
			t.Fatal(err)
		}
		sound(t, c, rep)
		if rep.Status != results.StatusOptimal {
			t.Errorf("%s: %s", name, rep.Status)
		}
		for _, h := range rep.Plan.Comparison {
			if h.Feasible && *h.Objective < rep.Plan.Phases[0].Solve.Objective*(1-1e-9) {
				t.Errorf("%s: %s has %g, the optimum is %g", name, h.Heuristic, *h.Objective, rep.Plan.Phases[0].Solve.Objective)
			}
		}
	}
}

// A search that is stopped says so and has what the rules found, with a bound; one that was
// stopped before it began has nothing.
func TestStoppedSearch(t *testing.T) {
	c := publishedCondition(t, "layer-inceptionv3_inference", 3, 6)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	rep, err := Solve(ctx, c, Options{})
	if err != nil || rep.Plan != nil || rep.Status != results.StatusUnknown {
		t.Fatalf("cancelled before the start: %+v, %v", rep, err)
	}
	ctx, cancel = context.WithCancel(context.Background())
	defer cancel()
	settled := 0
	rep, err = Solve(ctx, c, Options{Tell: func(n int, _, _ *float64) {
		if settled = n; n == 1 {
			cancel()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	sound(t, c, rep)
	s := &rep.Plan.Phases[0].Solve
	if settled < 2 || s.Status != "interrupted" || rep.Status != results.StatusFeasible || s.Outer.Open == 0 || s.BestBound == nil || *s.BestBound > s.Objective {
		t.Errorf("%d settled, %s, %+v", settled, rep.Status, s)
	}
}

func BenchmarkPublishedGraphs(b *testing.B) {
	for _, name := range []string{"layer-inceptionv3_inference", "operator-bert_l-12_inference"} {
		b.Run(name, func(b *testing.B) {
			c := publishedCondition(b, name, 3, 6)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Solve(context.Background(), c, Options{TimeLimit: time.Minute}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
