package formulation_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"partita/inputs"
)

// loaded draws a tiny condition of serving under load: many sequences with short answers,
// so that several prompts share a step, prompts longer than a step's budget, drafts,
// prompts in the cache, latent attention, experts, engines and devices with their own host
// constants.
func (d draw) loaded() *inputs.Condition {
	c := d.condition()
	w := &c.Workload
	if w.Phase != inputs.Prefill || d.chance(30) {
		w.Batch = pick(d, 2, 3, 5, 7, 9, 13, 24)
	}
	if d.chance(40) {
		w.Input = inputs.Range{Min: pick(d, 1, 30, 700, 9000, 17000)}
		w.Input.Max = w.Input.Min + pick(d, 0, 1, 500, 9000)
	}
	if w.Phase != inputs.Prefill {
		w.Output = inputs.Range{Min: pick(d, 1, 2, 3, 5, 9, 40)}
		w.Output.Max = w.Output.Min + pick(d, 0, 0, 1, 6)
		if d.chance(40) {
			w.Speculative = inputs.Speculative{DraftTokens: pick(d, 1, 3, 7), Acceptance: pick(d, 0, 0.5, 0.9, 1), DraftCost: pick(d, 0, 0.05, 0.4)}
		}
	}
	if d.chance(40) {
		w.PrefixCacheHit = pick(d, 0.3, 0.9, 0.999)
	}
	if d.chance(25) {
		for k := range c.Model.Kinds {
			a := &c.Model.Kinds[k].Attention
			*a = inputs.Attention{Kind: inputs.MLA, Heads: a.Heads, HeadDim: 192, VHeadDim: 128, KVLoraRank: 512, RopeDim: 64, QLoraRank: pick(d, 0, 1536)}
		}
	}
	c.Engine = pick(d, "", "", "vllm", "trtllm", "sglang")
	for k := range c.Cluster.Pools {
		p := &c.Cluster.Pools[k]
		p.Accelerator.Generation = pick(d, "hopper", "ampere", "blackwell", "cdna3")
		if d.chance(60) {
			p.Accelerator.Efficiency = nil
		}
		p.MemoryBytes += int64(pick(d, 0.0, 0.3, 1, 4) * (1 << 30))
	}
	if d.chance(60) {
		c.Goal.Margin = ptr(pick(d, 0, 0.1, 0.3))
	}
	return c
}

// loadedCase compares one condition of serving under load, with or without rules.
func loadedCase(t *testing.T, seed uint64) string {
	t.Helper()
	d := newDraw(seed + 1<<42)
	c := d.loaded()
	var laws []law
	if d.chance(15) {
		laws = append(laws, d.law())
	}
	return oracleOf(t, fmt.Sprintf("load %d", seed), d, c, laws)
}

// Conditions that were once answered wrongly: memory kept for fewer prompts than a step is
// priced with, or for more than its budget, and a model that fits one stage as a whole
// though none of its layers fits beside another stage.
func TestLoadOfWhatWasWrong(t *testing.T) {
	for _, seed := range []uint64{83, 90, 8561} {
		loadedCase(t, seed)
	}
}

// Every tiny condition of serving under load: the optimum is the best of all plans.
func TestOptimumUnderLoad(t *testing.T) {
	seeds := uint64(150)
	if n, err := strconv.ParseUint(os.Getenv("PARTITA_ORACLE"), 10, 64); err == nil {
		seeds = n
	}
	seen := map[string]int{}
	for seed := range seeds {
		seen[loadedCase(t, seed)]++
	}
	t.Logf("%v", seen)
	for _, outcome := range []string{"met", "closest", "more GPUs"} {
		if seen[outcome] < int(seeds/60) {
			t.Errorf("%d cases end as %q: the generator says too little (%v)", seen[outcome], outcome, seen)
		}
	}
}
