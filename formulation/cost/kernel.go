package cost

import "math"

// The attention kernels of one rank with n query heads, without the projections beside
// them. Bytes of an element: ea of activations, ekv of the cache.

// decodeHeads prices attention of one new token a sequence, with keys and values a head:
//
//	kv = min(context, window); flops 2 b n (d_qk+d_v) kv
//	bytes b (e_a n (d_qk+d_v) + n_kv (d_qk+d_v) kv e_kv)                             (O6)
func (d *device) decodeHeads(k *kindFigures, n, nkv float64, w *split, st Step, ea, ekv float64) float64 {
	kv := visible(contextOf(st), k.window)
	flops := 2 * w.tokens * n * (k.qk + k.v) * kv
	bytes := ea*w.tokens*n*(k.qk+k.v) + w.sequences*kv*nkv*(k.qk+k.v)*ekv
	return d.decode.time(flops, bytes)
}

// prefillHeads prices causal attention over the new tokens (O4), with keys and values a
// head; it reads what of the context a window leaves (O5).
func (d *device) prefillHeads(k *kindFigures, n, nkv float64, w *split, st Step, ea, ekv float64) float64 {
	read := contextOf(st)
	if k.window > 0 {
		read = math.Min(read, float64(st.New)+k.window)
	}
	bytes := ea*w.tokens*n*(k.qk+k.v) + w.sequences*read*nkv*(k.qk+k.v)*ekv
	return d.prefill.time(k.prefillFLOPs(n, w, st), bytes)
}

// decodeLatent prices attention of one new token in the latent space:
//
//	flops 2 b n (2·kv_lora + rope) ctx
//	bytes b (e_a n (2·kv_lora + rope) + ctx (kv_lora + rope) e_kv)                   (O8)
func (d *device) decodeLatent(k *kindFigures, n float64, w *split, st Step, ea, ekv float64) float64 {
	kv := visible(contextOf(st), k.window)
	flops := 2 * w.tokens * n * (2*k.kvRank + k.rope) * kv
	bytes := ea*w.tokens*n*(2*k.kvRank+k.rope) + w.sequences*kv*(k.kvRank+k.rope)*ekv
	return d.decode.time(flops, bytes)
}

// prefillLatent prices causal attention over the new tokens, whose keys and values were
// made from the latents (O7).
func (d *device) prefillLatent(k *kindFigures, n float64, w *split, st Step, ea, ekv float64) float64 {
	bytes := ea*w.tokens*n*(k.qk+k.v) + ea*w.sequences*contextOf(st)*n*(k.qk+k.v) + w.sequences*contextOf(st)*(k.kvRank+k.rope)*ekv
	return d.prefill.time(k.prefillFLOPs(n, w, st), bytes)
}

// contextOf is the number of tokens that the last new one of a sequence attends to.
func contextOf(st Step) float64 { return float64(st.Cached) + float64(st.New) }
