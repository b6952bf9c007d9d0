package cost

import "math"

// KVHeads is the number of KV heads that ranks of a stage share: the fewest where layers
// differ, 1 for latent attention, which every rank holds whole.
func (c *Calculator) KVHeads() int {
	heads := 0
	for i := range c.kinds {
		n := 1
		if k := &c.kinds[i]; !k.latent {
			n = int(k.kvHeadsPerRank(1))
		}
		if heads == 0 || n < heads {
			heads = n
		}
	}
	return heads
}

// PromptKV is the KV cache of a whole prompt, in bytes: all layers and heads, once. counts
// holds the number of layers of each kind.
func (c *Calculator) PromptKV(counts []int, tokens int) float64 {
	sum := 0.0
	for kind, n := range counts {
		k := &c.kinds[kind]
		sum += float64(n) * k.keptTokens(tokens, 1) * k.kvTokenBytes(c.model.kvBytes, 1)
	}
	return sum
}

// Handover is the link over which the cache of a prompt goes from GPUs that prefill to GPUs
// that decode: seconds until the first byte arrives, and seconds for a byte of one GPU in
// one direction. All ranks send at the same time. It is that of a send between stages.
func (c *Calculator) Handover(from, to int, sameHost bool) (latency, perByte float64) {
	if sameHost {
		l := c.sends[from*len(c.devices)+to]
		return l.latency, l.perByte
	}
	a, b := c.devices[from].network, c.devices[to].network
	return math.Max(a.sendLatency, b.sendLatency), math.Max(a.sendPerByte, b.sendPerByte)
}
