package cost

import (
	"math"
)

// LayerKV is the KV cache of one layer of the given kind on each GPU, in bytes:
//
//	⌈B/dp_attention⌉ · ⌈min(tokens, window)/cp⌉ · ⌈n_kv/tp⌉ (d_qk + d_v) e_kv
//	MLA: (kv_lora + rope) e_kv a token, on every TP rank                            (M2)
func (c *Calculator) LayerKV(_, kind int, s Shape, l Load) int64 {
	k := &c.kinds[kind]
	sequences := float64(ceilDiv(l.Sequences, s.DPAttention))
	return roundUp(sequences * k.keptTokens(l.Tokens, s.CP) * k.kvTokenBytes(c.model.kvBytes, s.TP))
}

// keptTokens is the number of tokens of one sequence that a rank keeps.
func (k *kindFigures) keptTokens(tokens, cp int) float64 {
	if k.window > 0 && float64(tokens) > k.window {
		tokens = int(k.window)
	}
	return float64(ceilDiv(tokens, cp))
}

// kvTokenBytes is the cache of one token of one layer on one rank, in bytes.
func (k *kindFigures) kvTokenBytes(elementBytes float64, tp int) float64 {
	if k.latent {
		return (k.kvRank + k.rope) * elementBytes
	}
	return k.kvHeadsPerRank(tp) * (k.qk + k.v) * elementBytes
}

// KVTokens is the number of tokens whose KV a stage can hold next to its weights,
// activations and reserve, over all its ranks (every attention rank and every
// context rank holds its own). Layers with a window keep what the load's sequences
// need of it; the rest is for the layers that keep the whole context. Where all
// layers have a window a token counts in each of them. 0 where nothing is left.
func (c *Calculator) KVTokens(pool int, counts []int, first, last bool, s Shape, l Load) int64 {
	used := c.StageMemory(pool, counts, first, last, s, Load{Steps: l.Steps, Budget: l.Budget})
	free := float64(c.Capacity(pool)-used.Weights-used.Activations-used.Reserve) / (1 + c.devices[pool].memory.slack)
	var full, windowed, windowKept float64
	for kind, n := range counts {
		if n == 0 {
			continue
		}
		k := &c.kinds[kind]
		perToken := float64(n) * k.kvTokenBytes(c.model.kvBytes, s.TP)
		if k.window > 0 {
			windowed += perToken
			windowKept += float64(n) * float64(c.LayerKV(pool, kind, s, l))
		} else {
			full += perToken
		}
	}
	perToken := full
	if full > 0 {
		free -= windowKept
	} else {
		perToken = windowed
	}
	if free <= 0 || perToken == 0 {
		return 0
	}
	ranks := float64(max(1, s.DPAttention) * max(1, s.CP))
	return int64(math.Floor(free/perToken) * ranks)
}
