package export

import (
	"fmt"

	"partita/inputs"
	"partita/results"
)

func ptr[T any](v T) *T { return &v }

// hostile is a name that means something to every format there is.
const hostile = "\"; rm -rf ~; <script>alert(1)</script>| `id` $(id)\x1b[31m"

// samplePlan is four replicas of two unlike stages on 4 × 4 big and 4 × 2 small
// GPUs. The figures are made up; they hang together as those of a plan do.
func samplePlan() *results.Plan {
	ph := results.PhasePlan{
		Phase: inputs.Mixed,
		Strategy: results.Strategy{Replicas: 4, PP: 2, TP: results.PerStage{4, 2}, EP: results.PerStage{1}, CP: results.PerStage{1},
			DPAttention: results.PerStage{1}, ETP: results.PerStage{4, 2}, MicroBatches: 2, DecodeGroups: 1,
			SequencesPerReplica: 32, MicroBatchSequences: 16, GroupSequences: 32, Layers: []int{60, 20}},
		GPUs:    results.GPUCount{Available: ptr(24), Used: 24, Parts: 24, Match: true},
		Balance: results.Balance{TimeMaxOverMean: 1.0312, MemoryMaxOverMean: 1.3333, TimeMinOverMax: 0.9123, Floor: 0.75},
		Metrics: results.Metrics{
			TTFTMS: ptr(812.345), TTFTInterval: &[2]float64{650, 975}, TPOTMS: ptr(22.3456), TPOTInterval: &[2]float64{17.9, 26.8},
			TokensPerS: ptr(123456.7), TokensPerSPerGPU: ptr(5144.03), OutputTokensPerS: ptr(5728.19), E2EMS: ptr(6510.4),
			USDPerHour: ptr(60.0), USDPerMillion: ptr(0.135), KVTokens: ptr(int64(1234567)),
		},
		Solve: results.Solve{Status: "optimal", Objective: 1.0421, ObjectiveUnit: "weighted ratios", BestBound: ptr(1.0421), Gap: ptr(0.0), Backend: "labels",
			TimeMS: 1000, AgreedBy: []string{"labels", "ilp"}, OutOfTime: []string{"sat"}, Outer: results.Outer{Solved: 3, Infeasible: 2, Pruned: 27},
			Certificate: results.Certificate{
				Objective:    "latency and throughput against the best of each alone",
				Quantisation: map[string]float64{"prefill": 1e-5, "decode": 1e-6},
				Balance:      "the default of 0.25 holds", GPUCount: "all 24 GPUs are used, as given",
				Rules: []results.RuleAccount{
					{Name: "ports", Place: "site.yaml:3:11", Expr: "tp <= 4 || cp == 1", Because: hostile, Candidates: 948, OuterChoices: 1},
					{Name: "alike", Expr: "same_tp"},
				},
				LeftOut: []string{"replicas that differ from each other"},
				Passes: []results.CertificatePass{{Purpose: "objective", Best: ptr(1.0421), Outer: results.Outer{Solved: 3, Infeasible: 2, Pruned: 27},
					Choices: []results.OuterChoice{
						{Replicas: 4, GPUsPerReplica: []int{4, 2}, Case: "TP 4, 2 stages", MicroBatches: 2, DecodeGroups: 1, Choices: 1, Outcome: "solved", Value: ptr(1.0421)},
						{Replicas: 1, Choices: 12, Outcome: "pruned", Bound: ptr(1.3), Why: "its bound is above the incumbent"},
						{Replicas: 8, Choices: 2, Outcome: "infeasible", Why: "weights do not fit on three GPUs"},
					}}},
			}},
		Requirements: []results.RequirementResult{
			{Name: "ttft", Unit: "s", Want: 1, Got: 0.812345, Met: true, MarginPercent: 18.7655, AskedMarginPercent: ptr(10.0), Place: "condition.md:31:3"},
			{Name: "throughput_per_gpu", Unit: "tokens/s/GPU", Want: 4000, Got: 5144.03, Met: true, MarginPercent: 22.24, AskedMarginPercent: ptr(10.0)},
		},
	}
	for r := range 4 {
		for i := range 2 {
			s := results.Stage{Replica: r, Index: i, FirstLayer: 60 * i, LastLayer: 59 + 20*i, Pool: "A100", TP: 4, EP: 1, ETP: 4, CP: 1, DPAttention: 1,
				TimeMS: 11.687, PrefillMS: 280.1, MemoryGiB: 54, CapacityGiB: 72, Memory: results.Memory{WeightsGiB: 26.5, KVGiB: 24, ActivationsGiB: 1.5, ReserveGiB: 2}}
			if i == 1 {
				s.Pool, s.TP, s.ETP, s.TimeMS, s.PrefillMS, s.MemoryGiB, s.CapacityGiB = "L40S", 2, 2, 10.662, 251, 27, 43.2
				s.Memory = results.Memory{WeightsGiB: 17.7, KVGiB: 7.25, ActivationsGiB: 0.05, ReserveGiB: 2}
			}
			for j := range s.TP {
				s.GPUs = append(s.GPUs, fmt.Sprintf("node-%d/gpu-%d", r+4*i, j))
			}
			ph.Stages = append(ph.Stages, s)
		}
	}
	return &results.Plan{
		FormatVersion: results.FormatVersion, Condition: "sample", Phases: []results.PhasePlan{ph},
		Comparison: []results.Comparison{
			{Heuristic: "vLLM default", Feasible: true, Objective: ptr(1.25), GapPercent: ptr(19.95), Strategy: "TP 4 × PP 2", TimeMS: 0.4},
			{Heuristic: "Megatron rule of thumb", WhyInfeasible: "stage 1 needs 61 GiB of 43.2 GiB", Strategy: "TP 8", TimeMS: 0.2},
		},
		Verification: &results.Verification{OK: true, Parts: 24, GPUs: 24, Checks: []results.Check{
			{Rule: "no GPU is in two places", OK: true, Want: "each GPU on one stage of one replica", Got: "24 different GPUs"}}},
		Statements: []results.Statement{
			{File: "condition.md", Line: 3, Text: "* **GPUs**: 16×A100-80 | 8×L40S", UsedAs: "cluster: two pools"},
			{File: "condition.md", Line: 12, Text: "Model: " + hostile, UsedAs: "model: name"}},
		Assumptions: []results.Assumption{{What: "memory utilisation", Value: "0.90", Because: "none was stated"}},
		Warnings:    []string{"BF16 runs as FP16 on T4"},
	}
}

func sampleReport() *results.Report {
	return &results.Report{Plan: samplePlan(), Feasible: true, Status: results.StatusOptimal,
		Binding: []string{"stage 0 is limited by memory bandwidth"}}
}

// closestReport is the sample as the plan that misses its requirements by least.
func closestReport() *results.Report {
	r := sampleReport()
	r.Feasible, r.Status = false, results.StatusInfeasible
	v := r.Plan.Verification
	v.Checks = append(v.Checks, results.Check{Rule: "requirement ttft", Want: "≤ 1 s", Got: "2.4 s", Waived: true})
	r.Reasons = []string{"ttft ≤ 1 s is out of reach with 24 GPUs: 2.4 s is the best"}
	q := &r.Plan.Phases[0].Requirements[0]
	q.Got, q.Met, q.MarginPercent, q.Nearest = 2.4, false, -140, ptr(2.4)
	return r
}
