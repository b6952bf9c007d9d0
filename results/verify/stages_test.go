package verify

import (
	"testing"

	"partita/inputs"
	"partita/results"
)

// TestStages: edits of the stages that break the mapping are told from statements of
// the strategy that an edit left behind.
func TestStages(t *testing.T) {
	for name, x := range map[string]struct {
		edit          func(*results.PhasePlan)
		broken, stale int
	}{
		"as it is":      {func(*results.PhasePlan) {}, 0, 0},
		"a layer twice": {func(ph *results.PhasePlan) { ph.Stages[0].LastLayer++ }, 1, 1},
		"one GPU twice": {func(ph *results.PhasePlan) { ph.Stages[0].GPUs[0] = ph.Stages[1].GPUs[0] }, 2, 0},
		"an old degree": {func(ph *results.PhasePlan) { ph.Strategy.TP = results.PerStage{7} }, 0, 1},
		"old layers":    {func(ph *results.PhasePlan) { ph.Strategy.Layers[0]++ }, 0, 1},
		"sequences":     {func(ph *results.PhasePlan) { ph.Strategy.SequencesPerReplica++ }, 0, 1},
		"wrong figures": {func(ph *results.PhasePlan) { ph.Stages[0].TimeMS++; ph.Metrics = results.Metrics{} }, 0, 0},
		"unknown pool":  {func(ph *results.PhasePlan) { ph.Stages[0].Pool = "none" }, 2, 0},
	} {
		p, c, _ := mixedPlan()
		c.Model = inputs.Model{
			Name: "priced", Hidden: 512, Vocab: 100, Layers: c.Model.Layers, Kinds: c.Model.Kinds,
			Weights: inputs.BF16, Activation: inputs.BF16, KV: inputs.BF16,
		}
		for k := range c.Cluster.Pools {
			a := &c.Cluster.Pools[k].Accelerator
			a.MemoryBandwidth, a.FLOPS = 1e12, map[inputs.DType]float64{inputs.BF16: 1e14}
			c.Cluster.Pools[k].MemoryBytes, c.Cluster.Pools[k].Utilization = 1<<36, 1
		}
		x.edit(&p.Phases[0])
		got, err := Stages(p, c)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(got.Broken) != x.broken || len(got.Stale) != x.stale {
			t.Errorf("%s: broken %+v, stale %+v; want %d and %d", name, got.Broken, got.Stale, x.broken, x.stale)
		}
	}
	p, c, _ := mixedPlan()
	if _, err := Stages(nil, c); err == nil {
		t.Error("no plan")
	}
	if _, err := Stages(p, nil); err == nil {
		t.Error("no condition")
	}
	p.Phases = append(p.Phases, p.Phases[0])
	if _, err := Stages(p, c); err == nil {
		t.Error("two phases")
	}
}
