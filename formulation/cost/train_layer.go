package cost

import "math"

// stream is the time of moving so many bytes through memory.
func (w *trainWork) stream(bytes float64) float64 { return w.d.train.stream.stream(bytes) }

// eagerPasses is how many times the bytes of a fused kernel move where its parts run one by
// one: norm and residual are 4 tensors fused (two read, two written) and 7 apart (sum 3, norm
// in parts 4); gated activations 3 and 5, rotary embedding 2 and 6.
const eagerPasses = 2

// elementwise is stream for the parts of a layer that engines fuse.
func (w *trainWork) elementwise(bytes float64) float64 {
	if w.step.Eager {
		bytes *= eagerPasses
	}
	return w.stream(bytes)
}

// norm is a norm with the residual before it, split by sequence parallelism: two tensors
// read and two written, and twice that for the gradients.
func (w *trainWork) norm() pass {
	bytes := w.tokens / w.split * w.c.model.hidden * trainBytes
	return pass{w.elementwise(4 * bytes), w.elementwise(7 * bytes)}
}

// product is a matrix product with weights k×n and its two gradients:
//
//	forward m×k·k×n;  backward m×n·n×k and k×m·m×n, added to the weights' gradient     (T2)
func (w *trainWork) product(r *trainRoofline, m, k, n float64) pass {
	// Every micro-batch reads and writes the sum of gradients.
	sum := 2 * w.c.gradientBytes * k * n
	if w.step.Apart {
		sum *= 2
	}
	return pass{forward: r.matmul(m, k, n, 0), backward: r.matmul(m, n, k, 0) + r.matmul(k, m, n, sum)}
}

// weights is product with weights in the model's format.
func (w *trainWork) weights(m, k, n float64) pass { return w.product(&w.d.train.matmul, m, k, n) }

// tensorParallel is what summing the result of a row-split product over TP, and handing the
// input of the next column-split one to all its ranks, adds.                          (T3)
//
//	forward   an all-reduce, or a reduce-scatter and an all-gather; what of it the
//	          products around it do not hide is the device's exposed share
//	backward  the same, hidden behind the gradients of weights, which wait for nothing;
//	          with SP the gathering of the output's gradient before the products is not
func (w *trainWork) tensorParallel(gradients float64) pass {
	if w.s.TP <= 1 {
		return pass{}
	}
	bytes := w.tokens * w.c.model.hidden * trainBytes
	exposed := w.d.train.tensorExposed
	if w.step.Serial {
		exposed = 1
	}
	if w.step.SerialBackward {
		gradients = 0
	}
	if !w.s.SP {
		sum := w.d.allReduce(bytes, w.tensor)
		return pass{exposed * sum, math.Max(exposed*sum/2, sum-gradients)}
	}
	gather := w.d.allGather(bytes, w.tensor)
	// Backward: the output's gradient is gathered, the saved input once more, and the
	// input's gradient reduced.
	return pass{exposed * 2 * gather, exposed*gather + math.Max(0, 2*gather-gradients)}
}

// attention is the attention block of a layer around its core.
func (w *trainWork) attention(core pass) pass {
	c, k := w.c, w.k
	n := k.heads / w.t
	all := w.norm()
	projections := w.projections(n)
	all.add(projections)
	all.add(core)
	out := w.weights(w.tokens, n*k.v, c.model.hidden)
	all.add(out)
	all.add(w.tensorParallel((projections.backward + out.backward) / 2))
	return all
}

// projections makes queries, keys and values, rotary embedding included.
func (w *trainWork) projections(n float64) pass {
	k, h := w.k, w.c.model.hidden
	if !k.latent {
		nkv := k.kvHeadsPerRank(w.s.TP)
		all := w.weights(w.tokens, h, n*k.qk+nkv*(k.qk+k.v))
		rotary := w.elementwise(2 * w.tokens * (n + nkv) * k.qk * trainBytes)
		all.add(pass{rotary, rotary})
		return all
	}
	down := k.kvRank + k.rope
	var all pass
	if k.qRank > 0 {
		all.add(w.weights(w.tokens, h, k.qRank+down))
		all.add(w.weights(w.tokens, k.qRank, n*k.qk))
	} else {
		all.add(w.weights(w.tokens, h, n*k.qk+down))
	}
	all.add(w.weights(w.tokens, k.kvRank, n*(k.nope+k.v)))
	// Norms of the latents, rotary parts, and keys put together from both.
	latents := w.stream(2 * w.tokens * (k.qRank + down) * trainBytes)
	keys := w.stream(2 * w.tokens * n * (k.qk + k.rope) * trainBytes)
	all.add(pass{latents + keys, 2*latents + keys})
	return all
}

// attentionCore is attention between its projections.
func (w *trainWork) attentionCore() pass {
	k := w.k
	n := k.heads / w.t
	s := float64(w.step.Sequence)
	rows := w.tokens * n
	var core pass
	if w.step.Unfused {
		core = w.scores(rows, s)
	} else {
		// FLOP of the pairs that the mask leaves: half of all, or a band.             (T4)
		pairs := s * s / 2
		if k.window > 0 && k.window < s {
			pairs = k.window * (s - k.window/2)
		}
		flops := 2 * rows / s * pairs * (k.qk + k.v)
		if w.step.FirstFlash {
			flops *= firstFlash
		}
		io := rows * (k.qk + k.v) * 2 * trainBytes
		core = pass{w.d.train.attention.time(flops, io), w.d.train.attentionBack.time(2.5*flops, 2*io)}
	}
	if w.s.CP > 1 {
		core.add(w.contextRing(core))
	}
	return core
}

// scores is attention that writes its scores: two products over all pairs, and scale, mask,
// softmax and dropout over the scores.                                               (T5)
//
//	forward   bytes a score 2 (written) + 4 (softmax) + 5 (dropout, with its mask) + 2 (read)
//	backward  twice the products; 2 + 2 for the gradient, 5 dropout, 6 softmax, 4 read again
func (w *trainWork) scores(rows, s float64) pass {
	r, k := &w.d.train.wide, w.k
	all := rows * s
	flops := all * (k.qk + k.v)
	if math.Mod(k.qk, tensorAlignment) != 0 || math.Mod(k.v, tensorAlignment) != 0 {
		flops *= plainRate
	}
	return pass{r.time(2*flops, 0) + w.stream(13*all), r.time(4*flops, 0) + w.stream(19*all)}
}

const (
	// tensorAlignment: tensor cores take 16-bit operands whose rows are a multiple of 16
	// bytes, 8 elements, apart (cuBLAS); other products run on plain cores. Flash attention
	// pads its heads instead.
	tensorAlignment = 8
	// plainRate is the 16-bit tensor peak over the peak of plain cores (A100 312 to 19.5
	// TFLOP/s, H100 989 to 67).
	plainRate = 16
)

// firstFlash is how many times as long flash attention of the first version takes.
const firstFlash = 1.5

// contextRing is what passing keys and values around the context ranks adds to attention,
// which works on a part while the next one comes; gradients come back the same way.    (T6)
func (w *trainWork) contextRing(core pass) pass {
	k, cp := w.k, float64(w.s.CP)
	perToken := w.k.kvHeadsPerRank(w.s.TP) * (k.qk + k.v)
	if k.latent {
		perToken = k.heads / w.t * (k.qk + k.v) // keys and values are made before they are sent
	}
	bytes := w.tokens * perToken * trainBytes
	latency, perByte := w.d.node.sendLatency, w.d.node.sendPerByte
	if w.s.TP*w.s.CP > w.d.gpusPerNode {
		latency, perByte = w.d.network.sendLatency, w.d.network.sendPerByte
	}
	hop := latency + bytes*perByte
	hidden := func(compute, hop float64) float64 {
		return (cp - 1) * math.Max(latency, hop-compute/cp)
	}
	return pass{hidden(core.forward, hop), hidden(core.backward, 2*hop)}
}

// feedForward is the feed-forward block of a layer.
func (w *trainWork) feedForward() pass {
	all := w.norm()
	k := w.k
	switch {
	case k.experts > 0:
		all.add(w.expertBlock())
	case k.intermediate > 0:
		dense := w.dense(w.tokens, k.intermediate/w.t)
		all.add(dense)
		all.add(w.tensorParallel(dense.backward / 2))
	}
	return all
}

// dense is gate, up, activation and down of the given width on this rank.
func (w *trainWork) dense(tokens, width float64) pass {
	in := (w.k.matrices - 1) * width
	all := w.weights(tokens, w.c.model.hidden, in)
	all.add(w.activation(tokens, in, width))
	all.add(w.weights(tokens, width, w.c.model.hidden))
	return all
}

// activation reads its input and writes its result; backward it reads both the input and
// the result's gradient and writes the input's.
func (w *trainWork) activation(tokens, in, out float64) pass {
	return pass{w.elementwise(tokens * (in + out) * trainBytes), w.elementwise(tokens * (2*in + out) * trainBytes)}
}

// expertBlock is router, dispatch, experts, shared experts and combine; routing is balanced
// and drops nothing. Tensor ranks share the tokens between them before they are sent.  (T7)
func (w *trainWork) expertBlock() pass {
	k, h := w.k, w.c.model.hidden
	own := w.tokens / w.t // tokens that this rank sends
	span := float64(w.s.EP * w.s.ETP)
	load := k.rankLoad(own*span, float64(w.s.EP), w.d.imbalance)
	local := k.experts / float64(w.s.EP)
	width := k.intermediate / float64(w.s.ETP)
	in := (k.matrices - 1) * width

	all := w.product(&w.d.train.wide, own, h, k.experts)
	// Copies are sorted by expert on both sides of the exchange, and summed with weights.
	moved := own * k.topK * h * trainBytes
	sorted := load * h * trainBytes
	sorting := w.stream(2*moved) + w.stream(2*sorted)
	all.add(pass{2 * sorting, 2 * sorting})
	if local > 0 {
		each := load / local // tokens of one expert: its products are of this height
		grouped := w.weights(each, h, in)
		grouped.add(w.weights(each, width, h))
		all.add(pass{local * grouped.forward, local * grouped.backward})
		all.add(w.activation(load, in, width))
	}
	whole := w.d.groupOf(w.s.EP*w.s.ETP, 1)
	exchange := 2 * w.d.allToAll(moved*float64(w.s.ETP), whole)
	all.add(pass{exchange, exchange})
	if k.shared > 0 {
		shared := w.dense(w.tokens, k.shared/w.t)
		all.add(shared)
		all.add(w.tensorParallel(shared.backward / 2))
	}
	return all
}
