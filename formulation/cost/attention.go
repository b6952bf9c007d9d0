package cost

import (
	"math"

	"partita/inputs"
)

// attention prices the attention block of one layer on one rank: norm, the
// projections, the attention kernel, the output projection and the all-reduce.
func (c *Calculator) attention(d *device, k *kindFigures, s Shape, st Step, w *split) float64 {
	m := &c.model
	ea := m.activationBytes
	// Norm with the residual add: two tensors read, two written.
	t := d.stream.stream(4 * w.tokens * m.hidden * ea)
	if k.latent {
		t += c.latentAttention(d, k, s, st, w)
	} else {
		t += c.headAttention(d, k, s, st, w)
	}
	t += d.projections.matmul(w.tokens, k.heads/w.t*k.v, m.hidden, m.projectionBytes, ea)
	return t + d.allReduce(w.tokens*m.hidden*ea, d.groupOf(s.TP, 1))
}

// headAttention prices attention with keys and values a head (MHA, GQA, MQA).
func (c *Calculator) headAttention(d *device, k *kindFigures, s Shape, st Step, w *split) float64 {
	m := &c.model
	ea := m.activationBytes
	n := k.heads / w.t
	nkv := k.kvHeadsPerRank(s.TP)
	width := n*k.qk + nkv*(k.qk+k.v)
	t := d.projections.matmul(w.tokens, m.hidden, width, m.projectionBytes, ea)
	// Rotary embedding of queries and keys in place, keys and values to the cache.
	t += d.stream.stream(w.tokens * (2*ea*(n+nkv)*k.qk + m.kvBytes*nkv*(k.qk+k.v)))

	if st.Phase == inputs.Decode {
		return t + d.decodeHeads(k, n, nkv, w, st, ea, m.kvBytes)
	}
	t += d.prefillHeads(k, n, nkv, w, st, ea, m.kvBytes)
	return t + c.contextExchange(d, s, st, w, nkv*(k.qk+k.v)*m.kvBytes)
}

// prefillFLOPs of the causal attention of n heads over the new tokens:
//
//	b n (d_qk + d_v) ((s+p)² - p²), halves of 2·2 by causality; with a window at most
//	2 b s w n (d_qk + d_v)                                                          (O4)
//
// Context parallelism splits them evenly (each rank takes early and late tokens).
func (k *kindFigures) prefillFLOPs(n float64, w *split, st Step) float64 {
	s, p := float64(st.New), float64(st.Cached)
	area := (s+p)*(s+p) - p*p
	if k.window > 0 {
		area = math.Min(area, 2*s*k.window)
	}
	return w.sequences * n * (k.qk + k.v) * area * (w.new / s)
}

// latentAttention prices multi-head latent attention: low-rank projections, then
// per-head attention in prefill or attention in the latent space in decode.
func (c *Calculator) latentAttention(d *device, k *kindFigures, s Shape, st Step, w *split) float64 {
	m := &c.model
	ea, ew := m.activationBytes, m.projectionBytes
	n := k.heads / w.t
	down := k.kvRank + k.rope // the latent of a token; replicated over TP
	t := 0.0
	if k.qRank > 0 {
		// Both down projections read the same input and are one product.
		t += d.projections.matmul(w.tokens, m.hidden, k.qRank+down, ew, ea)
		t += d.stream.stream(2 * w.tokens * (k.qRank + down) * ea) // norms of both latents
		t += d.projections.matmul(w.tokens, k.qRank, n*k.qk, ew, ea)
	} else {
		t += d.projections.matmul(w.tokens, m.hidden, n*k.qk+down, ew, ea)
		t += d.stream.stream(2 * w.tokens * down * ea)
	}
	t += d.stream.stream(w.tokens * (2*ea*(n+1)*k.rope + m.kvBytes*down))

	if st.Phase == inputs.Decode {
		// Queries are carried into the latent space and results out of it: the same
		// matrices as the up projection of keys and values, one token each.
		t += d.projections.matmul(w.tokens, n*k.nope, k.kvRank, ew, ea)
		t += d.projections.matmul(w.tokens, k.kvRank, n*k.v, ew, ea)
		return t + d.decodeLatent(k, n, w, st, ea, m.kvBytes)
	}
	// Keys and values of the whole context are made from the latents; context-parallel ranks
	// gather the latents, and each makes all of them.
	t += d.projections.matmul(w.sequences*contextOf(st), k.kvRank, n*(k.nope+k.v), ew, ea)
	t += d.prefillLatent(k, n, w, st, ea, m.kvBytes)
	return t + c.contextExchange(d, s, st, w, down*m.kvBytes)
}

// contextExchange prices gathering the keys and values of the new tokens over the
// context-parallel ranks, which are TP apart.
func (c *Calculator) contextExchange(d *device, s Shape, st Step, w *split, perToken float64) float64 {
	if s.CP <= 1 {
		return 0
	}
	return d.allGather(w.sequences*float64(st.New)*perToken, d.groupOf(s.CP, s.TP))
}

// visible is the context that a token attends to.
func visible(context, window float64) float64 {
	if window > 0 {
		return math.Min(context, window)
	}
	return context
}
