package read

import "partita/inputs"

// parameterCount is what the shapes of a model add up to, by what a declared count
// scales and what it does not.
type parameterCount struct {
	FFN   float64 // feed-forward and expert matrices
	Other float64 // attention, router, norms, embedding and head
}

// total is the number of all parameters.
func (p parameterCount) total() float64 { return p.FFN + p.Other }

// countParameters adds up a model's matrices by their shapes, without any scale.
// Biases are left out: they are below a thousandth of every model that has them.
func countParameters(m inputs.Model) parameterCount {
	h := float64(m.Hidden)
	per := make([]parameterCount, len(m.Kinds))
	for i, kind := range m.Kinds {
		per[i] = parameterCount{FFN: ffnParameters(h, kind.FFN), Other: attentionParameters(h, kind.Attention) + 2*h}
		if kind.FFN.Experts > 0 {
			per[i].Other += h * float64(kind.FFN.Experts) // router
		}
	}
	var sum parameterCount
	for _, kind := range m.Layers {
		sum.FFN += per[kind].FFN
		sum.Other += per[kind].Other
	}
	embeddings := 2.0
	if m.Tied {
		embeddings = 1
	}
	sum.Other += embeddings*float64(m.Vocab)*h + h
	return sum
}

// ffnParameters counts the matrices of one feed-forward block: up and down, and the
// gate where there is one; for every routed expert, and for the shared ones.
func ffnParameters(h float64, f inputs.FFN) float64 {
	matrices := 2.0
	if f.Gated {
		matrices = 3
	}
	width := float64(f.Intermediate) * float64(max(f.Experts, 1))
	return matrices * h * (width + float64(f.Shared))
}

// attentionParameters counts the projections of one attention block.
func attentionParameters(h float64, a inputs.Attention) float64 {
	n, d, v := float64(a.Heads), float64(a.HeadDim), float64(a.VHeadDim)
	if a.Kind == inputs.MLA {
		query, rope, rank := n*d, float64(a.RopeDim), float64(a.KVLoraRank)
		q := h * query
		if a.QLoraRank > 0 {
			q = float64(a.QLoraRank) * (h + query)
		}
		// HeadDim holds the rotary part too; the KV projection restores the rest and the values.
		return q + h*(rank+rope) + rank*n*(d-rope+v) + n*v*h
	}
	return h*n*d + h*float64(a.KVHeads)*(d+v) + n*v*h
}
