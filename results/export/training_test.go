package export

import (
	"bytes"
	"strings"
	"testing"

	"partita/inputs"
	"partita/results"
)

// stepPlan is a plan of a training step: two replicas of two ranks with two stages each.
func stepPlan() *results.Plan {
	zero, sp := 1, true
	one := results.PerStage{1}
	ms := func(v float64) *float64 { return &v }
	ph := results.PhasePlan{Phase: inputs.Training,
		Strategy: results.Strategy{Replicas: 2, PP: 2, TP: one, EP: one, CP: one, ETP: one, DPAttention: one, Layers: []int{1, 2, 1, 2}, MicroBatches: 4, MicroBatchSequences: 1, SequencesPerReplica: 4,
			VirtualStages: 2, ZeRO: &zero, SequenceParallel: &sp, Recompute: results.Recomputes{"none", "none", "full", "none"}},
		GPUs:         results.GPUCount{Used: 4, Parts: 4, Match: true},
		Metrics:      results.Metrics{StepMS: ms(2500), MFU: ms(0.412), BubbleShare: ms(0.0125), SyncMS: ms(30), UpdateMS: ms(7), StepInterval: &[2]float64{2300, 2800}},
		Requirements: []results.RequirementResult{{Name: "step_time", Unit: "s", Want: 3, Got: 2.5, Met: true, MarginPercent: 16.7}},
	}
	first := 0
	for r := range 2 {
		first = 0
		for k, n := range ph.Strategy.Layers {
			rank, chunk := k%2, k/2
			ph.Stages = append(ph.Stages, results.Stage{Replica: r, Index: k, FirstLayer: first, LastLayer: first + n - 1, Pool: "h100", GPUs: []string{[]string{"node-0/gpu-0", "node-0/gpu-1", "node-0/gpu-2", "node-0/gpu-3"}[2*rank+r]},
				TP: 1, EP: 1, ETP: 1, CP: 1, DPAttention: 1, Rank: &rank, Chunk: &chunk, Recompute: ph.Strategy.Recompute[k],
				TimeMS: 30, ForwardMS: 10, BackwardMS: 18, SendMS: 2, InFlight: 2.5 - float64(rank), MemoryGiB: 30, CapacityGiB: 40,
				Memory: results.Memory{WeightsGiB: 10, GradientsGiB: 8, OptimizerGiB: 4, ActivationsGiB: 6, ReserveGiB: 2}})
			first += n
		}
	}
	return &results.Plan{Condition: "step", Phases: []results.PhasePlan{ph}, Statements: []results.Statement{}, Assumptions: []results.Assumption{}, Warnings: []string{}, Comparison: []results.Comparison{}}
}

// TestTextsOfAStep: what a person reads speaks of ranks, batches, recompute and the uses of
// memory of training, and of nothing that only serving has.
func TestTextsOfAStep(t *testing.T) {
	r := &results.Report{Plan: stepPlan(), Feasible: true, Status: results.StatusOptimal, Condition: "step"}
	var screen bytes.Buffer
	if err := Summary(&screen, r); err != nil {
		t.Fatal(err)
	}
	page, err := HTML(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		text string
		want []string
	}{
		"summary": {screen.String(), []string{"2 replicas × PP 2 × TP 1 × 2 stages, layers 2/4", "4 micro-batches of 1 sequence in each replica and step", "interleaved (1F1B)", "ZeRO 1 (optimizer state sharded)",
			"none on 2 stages, full on 1 stage", "model FLOP utilisation (MFU)", "41.2 %", "pipeline bubble", "1.3 %", "0, 3", "1–2, 4–5", "2.3 … 2.8 s", "2 replicas are alike"}},
		"report.md": {string(Report(r)), []string{"| 0 | 0, 3 | h100 | node-0/gpu-0 | 20 ms | 36 ms | 4 ms | 60 ms | none on 1 stage, full on 1 stage | 2.5 |", "replica 0 rank 1", "G gradients  O optimizer", "WWWWWWWWWWGGGGGGGGOOOOAAAAAARR"}},
		"page":      {string(page), []string{"Time of a micro-batch", "rank 1", "gradients", "round and round"}},
	} {
		for _, want := range x.want {
			if !strings.Contains(x.text, want) {
				t.Errorf("%s does not say %q:\n%s", name, want, x.text)
			}
		}
		for _, not := range []string{"KV cache", "decode group", "prefill in"} {
			if strings.Contains(x.text, not) {
				t.Errorf("%s says %q", name, not)
			}
		}
	}
}

// TestChunksShareGPUs: pictures and counts take the GPUs of a rank once.
func TestChunksShareGPUs(t *testing.T) {
	p := stepPlan()
	ph := &p.Phases[0]
	if n := gpusOfPlan(ph); n != 4 {
		t.Errorf("%d GPUs, want 4", n)
	}
	if c := gpuMap(p, ph); len(c.Rows) != 4 || len(c.Bars) != 8 {
		t.Errorf("%d rows of GPUs with %d bars, want 4 with 8", len(c.Rows), len(c.Bars))
	}
	if hosts, _ := nodesOf(p, ph); len(hosts) != 1 || len(hosts[0].gpus) != 4 {
		t.Errorf("nodes %+v", hosts)
	}
}

// TestTrainingChoices: choices of a training step name their micro-batches themselves and
// have no decode groups; those of serving say that a line stands for all of them.
func TestTrainingChoices(t *testing.T) {
	choices := []results.OuterChoice{{Replicas: 8, Case: "TP 8, PP 4", Choices: 63}, {Replicas: 8, Case: "TP 8, PP 2", Choices: 1}}
	for _, row := range choiceRows(choices) {
		if row[3] != "" || row[4] != "" {
			t.Errorf("of training: %q", row)
		}
	}
	choices[0].Case = ""
	for _, row := range choiceRows(choices) {
		if row[3] != "all" || row[4] != "all" {
			t.Errorf("of serving: %q", row)
		}
	}
}
