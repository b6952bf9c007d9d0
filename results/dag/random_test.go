package dag

import (
	"testing"

	"pgregory.net/rapid"

	"partita/inputs"
)

// draws makes plans up: any model, any split of it that divides, any batch.
func draws(t *rapid.T) made {
	oneOf := func(name string, from ...int) int { return rapid.SampledFrom(from).Draw(t, name) }
	phase := rapid.SampledFrom([]inputs.Phase{inputs.Prefill, inputs.Decode, inputs.Mixed}).Draw(t, "phase")
	kinds := []inputs.LayerKind{grouped(), mixture()}
	kinds[0].Attention.KVHeads = oneOf("KV heads", 1, 2, 3, 8)
	kinds[0].Attention.Window = oneOf("window", 0, 3, 1000)
	kinds[0].FFN.Gated = rapid.Bool().Draw(t, "gated")
	kinds[0].FFN.Intermediate = oneOf("width", 0, 48, 96)
	kinds[1].Attention.QLoraRank = oneOf("latent of queries", 0, 32)
	kinds[1].FFN.TopK = oneOf("top k", 1, 2, 5)
	kinds[1].FFN.Shared = oneOf("shared", 0, 48)
	if rapid.Bool().Draw(t, "dense latent") {
		kinds[1].FFN.Experts = 0
	} else if rapid.Bool().Draw(t, "grouped experts") {
		kinds[1].Attention = kinds[0].Attention
	}
	d := made{phase: phase, input: rapid.IntRange(1, 50).Draw(t, "input"), output: rapid.IntRange(1, 20).Draw(t, "output"),
		replicas: rapid.IntRange(1, 3).Draw(t, "replicas")}
	d.batch = d.replicas * rapid.IntRange(1, 9).Draw(t, "batch of a replica")
	d.batch += rapid.IntRange(0, d.replicas-1).Draw(t, "rest")
	most := ceil(d.batch, d.replicas)
	if phase != inputs.Decode {
		d.micro = rapid.IntRange(1, most).Draw(t, "micro-batches")
	}
	if phase != inputs.Prefill {
		d.groups = rapid.IntRange(1, most).Draw(t, "groups")
	}
	for range rapid.IntRange(1, 3).Draw(t, "stages") {
		s := split{layers: rapid.IntRange(1, 4).Draw(t, "layers"), tp: oneOf("tp", 1, 2, 4, 8), cp: 1, dp: 1, ep: 1}
		if phase == inputs.Prefill {
			s.cp = oneOf("cp", 1, 2, 3, 4)
		}
		if kinds[1].FFN.Experts > 0 {
			s.dp = oneOf("dp", 1, 2, 3, 4)
			var degrees []int
			gpus := s.tp * s.cp * s.dp
			for ep := 1; ep <= gpus; ep++ {
				if gpus%ep == 0 && kinds[1].FFN.Experts%ep == 0 && kinds[1].FFN.Intermediate%(gpus/ep) == 0 {
					degrees = append(degrees, ep)
				}
			}
			if len(degrees) == 0 {
				s.cp, s.dp, degrees = 1, 1, []int{s.tp}
			}
			s.ep = rapid.SampledFrom(degrees).Draw(t, "ep")
		}
		for range s.layers {
			d.model.Layers = append(d.model.Layers, oneOf("kind", 0, 1))
		}
		d.stages = append(d.stages, s)
	}
	layers := d.model.Layers
	d.model = model(kinds, layers...)
	d.model.Hidden = oneOf("hidden", 64, 61)
	d.model.Vocab = oneOf("vocabulary", 0, 100, 103)
	return d
}

func TestRandomPlansKeepTheRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := draws(t)
		valid(t, "whole", d.plan(), Options{})
		valid(t, "folded", d.plan(), Options{Folded: true})
		same(t, "folded", d.plan())
	})
}
