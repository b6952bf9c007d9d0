package cost

import "math"

// LayerWeights is the weight memory of one layer of the given kind on each GPU of a
// stage of this shape, in bytes:
//
//	attention heads and dense width over TP, experts over EP and ETP; norms, router
//	and latent down projections on every GPU                                       (M1)
//
// It does not depend on the pool: a device that lacks the format stores it as it is.
func (c *Calculator) LayerWeights(_, kind int, s Shape) int64 {
	k := &c.kinds[kind]
	m := &c.model
	matrices := 0.0
	wide := 2 * m.hidden // two norms
	experts := 0.0
	if k.experts > 0 {
		routed := k.experts / float64(s.EP) * k.matrices * m.hidden * k.intermediate / float64(s.ETP)
		experts = routed * m.weightBytes
		matrices += k.matrices * m.hidden * k.shared / float64(s.TP)
		wide += m.hidden * k.experts
	} else {
		matrices += k.matrices * m.hidden * k.intermediate / float64(s.TP)
	}
	return roundUp(k.attentionElements(m.hidden, s.TP)*m.projectionBytes + matrices*m.denseBytes + experts + wide*m.wideBytes)
}

// attentionElements is the number of elements of the attention matrices on one rank.
func (k *kindFigures) attentionElements(hidden float64, tp int) float64 {
	n := k.heads / float64(tp)
	out := n * k.v * hidden
	if !k.latent {
		return hidden*(n*k.qk+k.kvHeadsPerRank(tp)*(k.qk+k.v)) + out
	}
	up := k.kvRank * n * (k.nope + k.v)
	down := hidden * (k.kvRank + k.rope)
	if k.qRank > 0 {
		return hidden*k.qRank + k.qRank*n*k.qk + down + up + out
	}
	return hidden*n*k.qk + down + up + out
}

// EmbeddingWeights is the embedding table on each GPU of a stage, in bytes, split
// over TP by vocabulary. Quantised models keep it in 16 bits.
func (c *Calculator) EmbeddingWeights(s Shape) int64 {
	m := &c.model
	return roundUp(math.Ceil(m.vocab/float64(s.TP)) * m.hidden * m.wideBytes)
}

// HeadWeights is the final norm and the output head on each GPU of a stage, in
// bytes. Where the same stage holds the embedding too, tied weights are not counted
// a second time.
func (c *Calculator) HeadWeights(s Shape, alsoEmbedding bool) int64 {
	norm := roundUp(c.model.hidden * c.model.wideBytes)
	if c.model.tied && alsoEmbedding {
		return norm
	}
	return norm + c.EmbeddingWeights(s)
}

// beyond is more memory than any GPU has (1 PiB), and small enough that a stage of
// thousands of layers adds up without overflow.
const beyond = 1 << 50

// roundUp makes whole bytes of a demand: up, and saturating at beyond, so that no
// overflow makes something fit.
func roundUp(bytes float64) int64 {
	if bytes >= beyond {
		return beyond
	}
	return int64(math.Ceil(bytes))
}
