package cost

import "math"

// feedForward prices the feed-forward block of one layer on one rank.
func (c *Calculator) feedForward(d *device, k *kindFigures, s Shape, w *split) float64 {
	// Norm with the residual add.
	t := d.stream.stream(4 * w.tokens * c.model.hidden * c.model.activationBytes)
	if k.experts > 0 {
		return t + c.expertBlock(d, k, s, w)
	}
	if k.intermediate == 0 {
		return t
	}
	t += c.denseBlock(d, w.tokens, k.intermediate/w.t, k.matrices)
	return t + d.allReduce(w.tokens*c.model.hidden*c.model.activationBytes, d.groupOf(s.TP, 1))
}

// denseBlock prices gate, up, activation and down of the given width on this rank:
//
//	gated: m × h × 2I/t, activation, m × I/t × h; plain: one I/t first              (O9)
func (c *Calculator) denseBlock(d *device, tokens, width, matrices float64) float64 {
	m := &c.model
	in := (matrices - 1) * width
	t := d.dense.matmul(tokens, m.hidden, in, m.denseBytes, m.activationBytes)
	t += d.stream.stream(tokens * (in + width) * m.activationBytes)
	return t + d.dense.matmul(tokens, width, m.hidden, m.denseBytes, m.activationBytes)
}

// expertBlock prices router, dispatch, experts, shared experts and combine. EP·ETP
// spans all GPUs of the stage.
func (c *Calculator) expertBlock(d *device, k *kindFigures, s Shape, w *split) float64 {
	m := &c.model
	ea := m.activationBytes
	// Router: its weights are small, kept in 16 bits and on every rank.
	t := d.wide.matmul(w.tokens, m.hidden, k.experts, m.wideBytes, ea)
	t += d.stream.stream(w.tokens * k.experts * ea) // scores to the top k
	t += c.routed(d, k, s, w)
	if k.shared > 0 {
		t += c.denseBlock(d, w.tokens, k.shared/w.t, k.matrices)
	}

	hidden := m.hidden * ea
	whole := d.groupOf(s.GPUs(), 1)
	if s.DPAttention <= 1 && s.CP <= 1 {
		// Tokens are on every rank: dispatch is local, one all-reduce combines routed
		// and shared experts.
		return t + d.allReduce(w.total*hidden, whole)
	}
	t += c.exchange(d, k, s, w, whole)
	if k.shared > 0 {
		t += d.allReduce(w.tokens*hidden, d.groupOf(s.TP, 1))
	}
	return t
}

// routed prices the routed experts on the rank with most tokens:
//
//	R = tokens copies on the rank; flops 2 R h I (3 gated)/etp
//	bytes e_w h I (3 gated) min(E'/ep, R)/etp + activations                        (O10)
//
// E' are the experts that some token visits (touched).
func (c *Calculator) routed(d *device, k *kindFigures, s Shape, w *split) float64 {
	m := &c.model
	ea := m.activationBytes
	ep, etp := float64(s.EP), float64(s.ETP)
	load := k.rankLoad(w.total, ep, d.imbalance)
	read := math.Min(k.touched(w.total)/ep, load)
	width := k.intermediate / etp
	in := (k.matrices - 1) * width

	t := d.stream.stream(2 * load * m.hidden * ea) // gather by expert
	t += d.experts.time(2*load*m.hidden*in, m.weightBytes*read*m.hidden*in+ea*load*(m.hidden+in))
	t += d.stream.stream(load * (in + width) * ea)
	t += d.experts.time(2*load*width*m.hidden, m.weightBytes*read*width*m.hidden+ea*load*(width+m.hidden))
	return t + d.stream.stream(load*m.hidden*ea+w.tokens*m.hidden*ea) // weighted sum
}

// touched is the number of experts that at least one of so many tokens visits where
// routing is random:
//
//	E' = E (1 - (1 - k/E)^T)
func (k *kindFigures) touched(tokens float64) float64 {
	return k.experts * -math.Expm1(tokens*math.Log1p(-k.topK/k.experts))
}

// rankLoad is the number of token copies on the busiest of ep expert ranks:
//
//	μ = T k/ep;  R = min( μ + i √(2 ln(ep) μ (1 - 1/ep)),  T·min(k, E/ep) )          (O11)
//
// for i = 1 the expected maximum of ep binomial counts (its Gaussian bound) where routing
// is random and balanced. A stated utilisation already contains the imbalance (i = 0).
func (k *kindFigures) rankLoad(tokens, ep, imbalance float64) float64 {
	mean := tokens * k.topK / ep
	if ep <= 1 || imbalance == 0 {
		return mean
	}
	peak := mean + imbalance*math.Sqrt(2*math.Log(ep)*mean*(1-1/ep))
	return math.Max(mean, math.Min(peak, tokens*math.Min(k.topK, k.experts/ep)))
}

// exchange prices taking tokens to their experts and back where attention ranks
// hold different tokens: the cheaper of all-to-all, and all-gather with
// reduce-scatter. Ranks of one tensor-parallel group hold the same tokens, so each
// sends its share and they gather the results.
func (c *Calculator) exchange(d *device, k *kindFigures, s Shape, w *split, whole group) float64 {
	hidden := c.model.hidden * c.model.activationBytes
	copies := w.tokens / w.t * math.Min(k.topK, float64(s.EP)) * float64(s.ETP)
	direct := 2 * d.allToAll(copies*hidden, whole)
	gathered := d.allGather(w.total*hidden, d.groupOf(s.DPAttention*s.CP, s.TP)) + d.allGather(w.total*hidden, whole)
	return math.Min(direct, gathered) + d.allGather(w.tokens*hidden, d.groupOf(s.TP, 1))
}
