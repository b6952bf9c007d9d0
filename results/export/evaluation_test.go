package export

import (
	"strings"
	"testing"
	"unicode/utf8"

	"partita/results"
)

// sampleEvaluation is the sample plan's strategy as an evaluation shows it. The figures
// are made up.
func sampleEvaluation() *results.Evaluation {
	ph := &samplePlan().Phases[0]
	u := func(c, m, b, n, busy float64) results.Utilisation {
		return results.Utilisation{Compute: &c, Memory: &m, Bandwidth: &b, Network: &n, Busy: &busy}
	}
	v := &results.Evaluation{
		Condition: "sample", Given: "TP 4/2, PP 2, DP 4, layers 60+20, on A100/L40S on 24 GPUs", Source: "condition.md:40:3", Feasible: true,
		GPUsNeeded: 24, GPUsGiven: ptr(24), Phase: ph, Strategy: &ph.Strategy, Metrics: ph.Metrics, Requirements: ph.Requirements,
		Mapping:     []string{"24 parts: 4 replicas × 2 stages of 6 GPUs together", "layers 60+20; stages hand over through the network"},
		Utilisation: u(0.31, 0.71, 0.52, 0.08, 0.97), Objective: ptr(1.1),
		Readings: []results.Reading{
			{How: "DP as replicas", Strategy: "4 replicas × PP2 × TP4/TP2", GPUs: 24, Possible: true, Evaluated: true},
			{How: "DP as 2 replicas × attention DP 2", Strategy: "2 replicas × PP2 × TP4·DPA2", GPUs: 24, Possible: true},
			{How: "DP inside TP", Strategy: "PP2 × TP1·DPA4", GPUs: 6, Why: "EP 8 does not divide over the 4 GPUs of a stage"},
		},
		Optimum: &results.Optimum{Status: results.StatusOptimal, Strategy: "PP3: A100 TP4 layers 30+30, L40S TP4 layers 20", GPUs: 24, Objective: ptr(1.0421), GapPercent: ptr(5.556),
			Metrics: results.Metrics{TTFTMS: ptr(790.0), TPOTMS: ptr(20.1), TokensPerS: ptr(130000.0)}},
		OptimumGapPercent: ptr(5.556), GapIn: "objective", ChangesTried: 42,
		SameGPUs: &results.Optimum{Status: results.StatusOptimal, Strategy: "PP2", GPUs: 24, GapPercent: ptr(0.0)},
		Changes: []results.Change{
			{Change: "replicas 4 → 2, TP 4/2 → 8/4", Kind: "split", GainPercent: ptr(4.2), Feasible: true, Metrics: results.Metrics{TTFTMS: ptr(700.0), TPOTMS: ptr(21.0), TokensPerS: ptr(128000.0)}},
			{Change: "replicas 4 → 5 (6 GPUs more)", Kind: "gpus", GainPercent: ptr(3.1), Feasible: true},
			{Change: "KV cache in fp8 in place of bf16", Kind: "format", GainPercent: ptr(1.5), Feasible: true},
			{Change: "batch 128 → 64", Kind: "load", GainPercent: ptr(0.4), Feasible: true},
		},
		Engines:     []results.Engine{{Engine: "vllm", Why: "uniform_tp: TP is the same in all stages"}, {Engine: "llama.cpp", Launchable: true, Why: "keeps its rules"}},
		Assumptions: []results.Assumption{{What: "replicas", Value: "4", Because: "so many fill the 24 GPUs"}},
		Warnings:    []string{"no rate of the network between nodes is known"},
	}
	for i := range 2 {
		v.Stages = append(v.Stages, results.EvaluatedStage{Stage: ph.Stages[i], Utilisation: u(0.3, 0.7, 0.5, 0.1, 0.9+0.1*float64(i))})
	}
	return v
}

func evaluationText(t *testing.T, v *results.Evaluation) string {
	t.Helper()
	var b strings.Builder
	if err := EvaluationText(&b, v, Screen{}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if utf8.RuneCountInString(strings.TrimRight(line, "\n")) > 80 {
			t.Errorf("longer than 80 columns: %q", line)
		}
	}
	return b.String()
}

func TestEvaluationGolden(t *testing.T) {
	feasible := sampleEvaluation()
	not := sampleEvaluation()
	not.Feasible, not.OptimumGapPercent, not.SameGPUs, not.Optimum.GapPercent, not.GPUsGiven = false, nil, nil, nil, nil
	not.Problems = []results.Problem{
		{Where: "node-4/gpu-0 (replica 0 stage 1)", Sentence: "stage 1 (layers 60–79): each GPU would hold 50.1 GiB", ShortBy: ptr(6.9), Unit: "GiB"},
		{Where: "condition.md:31:3", Sentence: "ttft: 1 s is asked", ShortBy: ptr(0.25), Unit: "s"},
		{Where: "condition.md:40:3", Sentence: "it takes 24 GPUs; 25 are given and all are to be used", ShortBy: ptr(1.0), Unit: "GPUs idle"},
		{Where: "--strategy", Sentence: "60+21 are 81 layers", ShortBy: ptr(1.0), Unit: "layers too many"},
		{Where: "--strategy", Sentence: "8 replicas for 4 sequences", ShortBy: ptr(4.0), Unit: "sequences"},
		{Where: "--strategy", Sentence: "heads do not divide"},
		{Sentence: "cost_per_hour: 60 USD/h", ShortBy: ptr(12.5), Unit: "USD/h"},
	}
	for i := range not.Changes {
		not.Changes[i].GainPercent = nil
	}
	bare := &results.Evaluation{Given: "TP 3", Source: "--strategy", GPUsNeeded: 3, Optimum: &results.Optimum{Status: results.StatusUnknown},
		Problems: []results.Problem{{Where: "--strategy", Sentence: "64 attention heads do not divide over TP 3"}}}
	for name, v := range map[string]*results.Evaluation{"evaluation.txt": feasible, "evaluation-not.txt": not, "evaluation-bare.txt": bare} {
		t.Run(name, func(t *testing.T) { golden(t, name, evaluationText(t, v)) })
	}
}

// TestEvaluationVerdicts: the first line says what it comes to.
func TestEvaluationVerdicts(t *testing.T) {
	for _, x := range []struct {
		edit func(*results.Evaluation)
		want string
	}{
		{func(v *results.Evaluation) { v.OptimumGapPercent = ptr(0.0) }, "as good as the proved optimum"},
		{func(v *results.Evaluation) { v.OptimumGapPercent, v.GapIn = ptr(60.0), "GPUs" }, "60 % more GPUs than the proved optimum"},
		{func(v *results.Evaluation) { v.OptimumGapPercent, v.GapIn = ptr(60.0), "USD/h" }, "60 % dearer than the proved optimum"},
		{func(v *results.Evaluation) { v.OptimumGapPercent = ptr(-1.5) }, "1.5 % better than the proved optimum of the space that is searched"},
		{func(v *results.Evaluation) { v.OptimumGapPercent = nil; v.Requirements = nil }, "no requirement is stated."},
		{func(v *results.Evaluation) { v.Feasible = false }, "Not feasible: 0 problems."},
	} {
		v := sampleEvaluation()
		x.edit(v)
		first, _, _ := strings.Cut(evaluationText(t, v), "\n\n")
		if !strings.Contains(strings.Join(strings.Fields(first), " "), x.want) {
			t.Errorf("%q, want %q", first, x.want)
		}
	}
}

// TestEvaluationEscapes: names of a condition cannot steer a terminal.
func TestEvaluationEscapes(t *testing.T) {
	v := sampleEvaluation()
	v.Given, v.Source, v.Warnings = hostile, hostile, []string{hostile}
	v.Mapping, v.Optimum.Strategy, v.Changes[0].Change = []string{hostile}, hostile, hostile
	v.Stages[0].Pool, v.Engines[0].Why, v.Assumptions[0].Value = hostile, hostile, hostile
	v.Problems = []results.Problem{{Where: hostile, Sentence: hostile}}
	if text := evaluationText(t, v); strings.ContainsRune(text, '\x1b') {
		t.Errorf("an escape sequence reaches the terminal:\n%q", text)
	}
}
