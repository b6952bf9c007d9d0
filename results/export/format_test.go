package export

import (
	"math"
	"testing"

	"partita/inputs"
	"partita/results"
)

func TestFigures(t *testing.T) {
	for _, tc := range []struct{ got, want string }{
		{figure(0), "0"}, {figure(1234.56), "1,235"}, {figure(-98765.4), "-98,770"}, {figure(0.123456), "0.1235"},
		{figure(1e6), "1,000,000"}, {figure(1.5e-7), "1.5e-07"}, {figure(math.NaN()), "unknown"}, {figure(math.Inf(1)), "unknown"},
		{duration(0), "0 ms"}, {duration(1e-8), "10 ps"}, {duration(0.05), "50 µs"}, {duration(12.3456), "12.35 ms"}, {duration(65432.1), "65.43 s"},
		{gibibytes(0.05), "51.2 MiB"}, {gibibytes(72), "72 GiB"},
		{inUnit(0.25, "s"), "250 ms"}, {inUnit(1.0421, ""), "1.042"}, {inUnit(100, "tokens/ms"), "100 tokens/ms"},
		{plural(1, "replica"), "1 replica"}, {plural(4096, "GPU"), "4,096 GPUs"}, {plural(2, "micro-batch"), "2 micro-batches"},
		{perStage([]int{8, 8}), "8"}, {perStage([]int{8, 4, 4}), "8/4/4"}, {perStage(nil), "unknown"},
		{perStage([]int{5, 5, 5, 5, 5, 5, 5, 5, 4}), "5 on 8 stages, 4 on 1 stage"},
		{gpuRange([]string{"n/gpu-0", "n/gpu-1", "n/gpu-3", "m/gpu-4", "odd"}), "n/gpu-0…1, n/gpu-3, m/gpu-4, odd"},
		{runs([]int{0, 1, 2, 5, 7, 8}), "0–2, 5, 7–8"},
		{sentence([]string{"a", "b", "c"}), "a, b and c"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
}

// Replicas that differ in more than their GPUs are shown apart.
func TestReplicaClasses(t *testing.T) {
	ph := &samplePlan().Phases[0]
	if c := replicaClasses(ph); len(c) != 1 || len(c[0].replicas) != 4 {
		t.Fatalf("four replicas alike: got %d classes", len(c))
	}
	ph.Stages[5].TimeMS++ // replica 2
	c := replicaClasses(ph)
	if len(c) != 2 || runs(c[0].replicas) != "0–1, 3" || runs(c[1].replicas) != "2" {
		t.Errorf("replica 2 differs: got %d classes, first %v", len(c), c[0].replicas)
	}
}

// A memory bar has its width whatever the figures are.
func TestMemoryBar(t *testing.T) {
	for _, tc := range []struct {
		s    results.Stage
		want string
	}{
		{results.Stage{CapacityGiB: 40, MemoryGiB: 20, Memory: results.Memory{WeightsGiB: 10, KVGiB: 5, ActivationsGiB: 3, ReserveGiB: 2}},
			"replica 0 stage 0      |WWWWWWWWWWKKKKKAAARR....................|    50 % of 40 GiB"},
		{results.Stage{CapacityGiB: 1, MemoryGiB: 4, Memory: results.Memory{WeightsGiB: 4}},
			"replica 0 stage 0      |WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW|   400 % of 1 GiB"},
		{results.Stage{}, "replica 0 stage 0  no capacity"},
	} {
		if got := memoryBar(&tc.s, usesOf(&results.PhasePlan{})); got != tc.want {
			t.Errorf("got  %s\nwant %s", got, tc.want)
		}
	}
}

func TestVerdict(t *testing.T) {
	open := sampleReport()
	open.Status = results.StatusFeasible
	s := &open.Plan.Phases[0].Solve
	s.Status, s.BestBound, s.Gap = "time_limit", ptr(1.0), ptr(0.0404)
	alone := sampleReport()
	alone.Plan.Phases[0].Solve.Backend, alone.Plan.Phases[0].Solve.AgreedBy = "ilp", []string{"ilp"}
	alone.Plan.Phases[0].Phase = inputs.Decode
	for _, tc := range []struct {
		r    *results.Report
		want string
	}{
		{sampleReport(), "Proved optimal under the stated cost model, and verified."},
		{open, "Found, not proved optimal: objective 1.042, no plan is below 1 (gap 4.04 %)."},
		{alone, "Optimal under the stated cost model on lp_solve's word alone, a refuted cutoff that no other solver confirmed, and verified."},
		{&results.Report{Status: results.StatusInfeasible}, "Proved infeasible: no plan meets the condition, and none comes close enough to show."},
	} {
		if got := verdict(tc.r); got != tc.want {
			t.Errorf("got  %s\nwant %s", got, tc.want)
		}
	}
}

// Whether the parts match the GPUs is one question, whether all GPUs are used another.
func TestGPULine(t *testing.T) {
	for _, c := range []struct {
		gpus results.GPUCount
		want string
	}{
		{results.GPUCount{Available: ptr(16), Used: 16, Parts: 16, Match: true}, "16 GPUs used of 16 given; 16 parts counted from the stages: as many as GPUs are used"},
		{results.GPUCount{Available: ptr(16), Used: 6, Parts: 6, Why: "idle GPUs allowed"}, "6 GPUs used of 16 given, 10 idle; 6 parts counted from the stages: as many as GPUs are used (idle GPUs allowed)"},
		{results.GPUCount{Available: ptr(16), Used: 6, Parts: 6, Match: true}, "6 GPUs used of at most 16; 6 parts counted from the stages: as many as GPUs are used"},
		{results.GPUCount{Available: ptr(1), Used: 7, Parts: 7}, "7 GPUs used of 1 given, 6 too many; 7 parts counted from the stages: as many as GPUs are used"},
		{results.GPUCount{Used: 4, Parts: 3}, "4 GPUs used, the number was ours to choose; 3 parts counted from the stages: not as many as GPUs are used"},
	} {
		if got := gpuLine(&c.gpus); got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
}
