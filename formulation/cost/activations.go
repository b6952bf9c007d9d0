package cost

import (
	"math"

	"partita/inputs"
)

// Bytes of a logit: engines convert them to 32 bits before sampling.
const logitBytes = 4

// Activations is the working memory of one GPU, in bytes, for the largest of the
// load's steps:
//
//	2 hidden states (residual and operator input) + the largest operator's own
//	tensors + one hidden state to communicate from; or on the last stage a hidden state
//	and what choosing tokens takes, bytes a logit of one position a sequence, of
//	every token of a draft                                                         (M3)
//
// kinds tells which kinds of layer the stage holds. Steps are cut into chunks where the load
// states a budget; else one that is too large to fit asks for more micro-batches.
func (c *Calculator) Activations(pool int, kinds []bool, last bool, s Shape, l Load) int64 {
	counts := make([]int, len(kinds))
	for kind, present := range kinds {
		if present {
			counts[kind] = 1
		}
	}
	return c.StageMemory(pool, counts, false, last, s, l).Activations
}

// stepBytes is the memory of one step whose largest operator has the given elements.
// Logits are made, gathered, when the layers are done.
func (c *Calculator) stepBytes(operator float64, last bool, s Shape, w *split, sampler float64) float64 {
	m := &c.model
	hidden := w.tokens * m.hidden
	elements := 2*hidden + operator
	if s.GPUs() > 1 || !last {
		elements += hidden
	}
	bytes := elements * m.activationBytes
	if last {
		bytes = math.Max(bytes, hidden*m.activationBytes+w.sequences*m.vocab*sampler)
	}
	return bytes
}

// operatorElements is the largest operator of a layer: what it makes beside its
// input, in elements on one rank.
func (c *Calculator) operatorElements(k *kindFigures, s Shape, st Step, w *split) float64 {
	n := k.heads / w.t
	var attention float64
	if k.latent {
		// Queries, latents, keys and values of the context, result.
		down := k.kvRank + k.rope
		attention = w.tokens * (k.qRank + down + n*(k.qk+k.v))
		if st.Phase != inputs.Decode {
			attention += w.sequences * (float64(st.Cached) + float64(st.New)) * n * (k.qk + k.v)
		} else {
			attention += w.tokens * n * (2*k.kvRank + k.rope)
		}
	} else {
		attention = w.tokens * (n*(k.qk+k.v) + k.kvHeadsPerRank(s.TP)*(k.qk+k.v))
		if s.CP > 1 {
			// Keys and values of the other context ranks.
			attention += w.sequences * float64(st.New) * k.kvHeadsPerRank(s.TP) * (k.qk + k.v)
		}
	}
	width := k.intermediate / w.t
	ffn := w.tokens * k.matrices * width
	if k.experts > 0 {
		// Copies of tokens sorted by expert, the experts' width, their results; the
		// memory is laid out for balanced routing.
		load := w.total * k.topK / float64(s.EP)
		ffn = load * (2*c.model.hidden + k.matrices*k.intermediate/float64(s.ETP))
		ffn = math.Max(ffn, w.tokens*k.matrices*k.shared/w.t)
	}
	return math.Max(attention, ffn)
}
