package training

import (
	"math"
	"strings"
	"testing"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/inputs/catalog"
)

// condition is a step of Llama 3.1 70B on 64 H100, as NVIDIA's NeMo recipe has it.
func condition(t *testing.T) (*inputs.Condition, *cost.Calculator) {
	t.Helper()
	known, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	model, ok := known.Model("Llama-3.1-70B")
	if !ok {
		t.Fatal("the model is not in the catalogue")
	}
	a, ok := known.Accelerator("H100-SXM-80GB")
	if !ok {
		t.Fatal("the device is not in the catalogue")
	}
	c := &inputs.Condition{
		Model: model,
		Cluster: inputs.Cluster{
			Pools: []inputs.Pool{{
				Name: "h100", Accelerator: a, Count: inputs.Count{Min: 64, Max: 64}, GPUsPerNode: 8,
				MemoryBytes: a.MemoryBytes, Utilization: 0.95, Intra: a.Link,
			}},
			Network: inputs.Link{Kind: inputs.LinkInfiniBand, BytesPerSecond: 50e9},
		},
		Workload: inputs.Workload{
			Phase: inputs.Training, Batch: 128, Input: inputs.Range{Min: 8192, Max: 8192},
			Training: &inputs.TrainingStep{OptimizerBytes: 12, GradientBytes: 2},
		},
	}
	calc, err := cost.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return c, calc
}

func layout() *Layout {
	l := &Layout{DP: 2, TP: 4, CP: 2, EP: 1, ETP: 1, SP: true, ZeRO: 1, Virtual: 5, MicroBatch: 1}
	for k := range 20 {
		l.Stages = append(l.Stages, Stage{First: 4 * k, Last: 4*k + 3, Recompute: inputs.SelectiveRecompute})
	}
	return l
}

// TestPriceAddsUp: the step is made of its parts as T11 says, and its utilisation follows
// from it.
func TestPriceAddsUp(t *testing.T) {
	c, calc := condition(t)
	l := layout()
	step, err := Price(c, calc, l)
	if err != nil {
		t.Fatal(err)
	}
	slowest, sum := 0.0, 0.0
	for rank := range step.Ranks {
		tau := 0.0
		for k := rank; k < len(step.Stages); k += l.PP() {
			tau += step.Stages[k].Forward + step.Stages[k].Backward + step.Stages[k].Send
		}
		if math.Abs(tau-step.Ranks[rank].MicroBatch) > 1e-12*tau {
			t.Errorf("rank %d: %g, its stages %g", rank, step.Ranks[rank].MicroBatch, tau)
		}
		slowest, sum = math.Max(slowest, tau), sum+tau
	}
	// 128 sequences over DP 2.
	want := 64*slowest + (sum-slowest)/5 + step.Sync + step.Update
	if math.Abs(step.Seconds-want) > 1e-12*want {
		t.Errorf("%g s, parts %g", step.Seconds, want)
	}
	if step.Stages[19].Send != 0 || step.Stages[3].Send == 0 {
		t.Error("every stage but the last sends")
	}
	// Published: 14.66 s, 54.32 % (NVIDIA dgxc-benchmarking).
	mfu := 128 * calc.TrainFLOPs(l.Work(c)) / step.Seconds / 64 / 989.4e12
	if math.Abs(step.MFU-mfu) > 1e-12 {
		t.Errorf("utilisation %g, want %g", step.MFU, mfu)
	}
	if math.Abs(step.Seconds/14.66-1) > 0.15 {
		t.Errorf("%g s, measured 14.66 s", step.Seconds)
	}
}

// TestPriceOfOneRank: without a pipeline there is no bubble and no send.
func TestPriceOfOneRank(t *testing.T) {
	c, calc := condition(t)
	l := &Layout{DP: 8, TP: 8, CP: 1, EP: 1, ETP: 1, Virtual: 1, MicroBatch: 1, Stages: []Stage{{First: 0, Last: 79}}}
	step, err := Price(c, calc, l)
	if err != nil {
		t.Fatal(err)
	}
	if step.Bubble != 0 || step.Stages[0].Send != 0 || step.Sync == 0 {
		t.Errorf("%+v", step)
	}
}

// TestPriceRecomputes: recompute of one stage takes its forward pass once more, and only
// there.
func TestPriceRecomputes(t *testing.T) {
	c, calc := condition(t)
	plain, err := Price(c, calc, layout())
	if err != nil {
		t.Fatal(err)
	}
	l := layout()
	l.Stages[7].Recompute = inputs.FullRecompute
	full, err := Price(c, calc, l)
	if err != nil {
		t.Fatal(err)
	}
	for k := range full.Stages {
		want := plain.Stages[k].Backward
		if k == 7 {
			want += plain.Stages[k].Forward
		}
		if math.Abs(full.Stages[k].Backward-want) > 1e-9*want {
			t.Errorf("stage %d: %g, want %g", k, full.Stages[k].Backward, want)
		}
	}
}

func TestPriceRefuses(t *testing.T) {
	c, calc := condition(t)
	for _, x := range []struct {
		name   string
		change func(*Layout)
		want   string
	}{
		{"batch", func(l *Layout) { l.MicroBatch = 3 }, "does not divide over DP 2"},
		{"groups", func(l *Layout) { l.MicroBatch = 32 }, "in groups of 4"},
		{"gap", func(l *Layout) { l.Stages[3].First++ }, "layer 12 is next"},
		{"rest", func(l *Layout) { l.Stages[19].Last-- }, "79 layers, the model 80"},
		{"pool", func(l *Layout) { l.Stages[3].Pool = 1 }, "of which there are 1"},
		{"heads", func(l *Layout) { l.TP = 3 }, "attention heads"},
		{"GPUs", func(l *Layout) { l.DP, l.MicroBatch = 4, 1 }, "128 GPUs of pool"},
		{"virtual", func(l *Layout) { l.Virtual = 3 }, "do not lie 3 on each rank"},
		{"one rank", func(l *Layout) { l.Virtual = 20 }, "no pipeline to interleave"},
	} {
		l := layout()
		x.change(l)
		if _, err := Price(c, calc, l); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", x.name, err, x.want)
		}
	}
	serving := *c
	serving.Workload.Training = nil
	if _, err := Price(&serving, calc, layout()); err == nil {
		t.Error("a serving workload has no training step")
	}
}
