package cost

import (
	"math"

	"partita/inputs"
)

// trainActivations is what a stage keeps for the backward passes of its micro-batches,
// and what the larger of one layer's backward pass and the loss needs beside, bytes.
func (c *Calculator) trainActivations(s TrainShape, st TrainStep, h *TrainHeld) (kept, working float64) {
	a := c.newTrainSplit(s, st)
	for kind, n := range h.Counts {
		if n == 0 {
			continue
		}
		k := &c.kinds[kind]
		kept += float64(n) * a.layer(k, h.Recompute)
		backward := a.gradients(k)
		if h.Recompute == inputs.FullRecompute {
			backward += a.layer(k, inputs.SelectiveRecompute) // made again by fused attention
		}
		working = math.Max(working, backward)
	}
	if !h.First || !h.Last {
		kept += a.hidden // what is sent to, or came from, another stage
	}
	kept *= h.InFlight
	if h.Last && c.model.vocab > 0 {
		// Input of the final norm, and of the head on all ranks.
		each := float64(lossBytes)
		if st.FusedLoss {
			each = fusedLossBytes
		}
		loss := a.tokens*math.Ceil(c.model.vocab/a.t)*each + a.hidden + a.whole
		working = math.Max(working, loss)
	}
	return kept, working
}

// trainSplit is one micro-batch as one rank sees it.
type trainSplit struct {
	t        float64 // TP
	tokens   float64 // of the micro-batch on a context rank
	sequence float64 // whole length
	element  float64 // bytes
	width    float64 // of a hidden state, elements
	whole    float64 // bytes of a hidden state of all the tokens
	hidden   float64 // the same where it lies between operators: split by SP
	shape    TrainShape
	unfused  bool // attention
}

func (c *Calculator) newTrainSplit(s TrainShape, st TrainStep) trainSplit {
	a := trainSplit{
		t: float64(s.TP), tokens: float64(st.MicroBatch) * float64(ceilDiv(st.Sequence, s.CP)),
		sequence: float64(st.Sequence), element: math.Max(2, c.model.activationBytes), width: c.model.hidden, shape: s, unfused: st.Unfused,
	}
	a.whole = a.tokens * a.width * a.element
	a.hidden = a.whole
	if s.SP {
		a.hidden /= a.t
	}
	return a
}

// layer is what one layer keeps of one micro-batch, in bytes. For plain blocks it is
// Korthikanti et al. 2022, equations 1, 2 and 4 (T tokens, n heads, one byte for each
// dropout mask, 16 bits an element):
//
//	T·h·(10 + 24/t + 5 n s/(h t)), with SP T·h·(34 + 5 n s/h)/t; without the 5 n s where
//	recompute is selective or attention is fused; full: the layer's input, 2 T·h, which
//	SP splits too                                                                    (M7)
//
// Gated blocks keep three widths and are trained without dropout (Llama and what came
// after it). Experts keep the copies of tokens they were sent and their results.
func (a *trainSplit) layer(k *kindFigures, r inputs.Recompute) float64 {
	if r == inputs.FullRecompute {
		return a.hidden
	}
	bytes := 4 * a.hidden // of two norms: input and output
	if k.matrices < 3 {
		bytes += 2 * a.hidden / a.element
	}
	bytes += a.attention(k) + a.feedForward(k)
	if a.unfused && r == inputs.NoRecompute {
		context := a.sequence
		if k.window > 0 {
			context = math.Min(context, k.window)
		}
		// Probabilities, their dropout mask, and what it leaves.
		bytes += (2*a.element + 1) * a.tokens * context * k.heads / a.t
	}
	return bytes
}

// attention keeps queries, keys, values and the result; latents where there are any.
func (a *trainSplit) attention(k *kindFigures) float64 {
	n := k.heads / a.t
	if k.latent {
		return a.element * a.tokens * (k.qRank + k.kvRank + k.rope + n*2*(k.qk+k.v))
	}
	return a.element * a.tokens * (n + k.kvHeadsPerRank(a.shape.TP)) * (k.qk + k.v)
}

// feedForward keeps the widths before and after the activation.
func (a *trainSplit) feedForward(k *kindFigures) float64 {
	if k.experts == 0 {
		return a.element * a.tokens * k.matrices * k.intermediate / a.t
	}
	etp := float64(a.shape.ETP)
	copies := a.tokens * k.topK * etp / a.t
	routed := copies * (2*a.width + k.matrices*k.intermediate/etp)
	shared := a.tokens * k.matrices * k.shared / a.t
	// Scores of the router, in 32 bits.
	return a.element*(routed+shared) + 4*a.tokens*k.experts
}

// gradients is what the backward pass of one layer needs beside what was kept: the
// gradient of its larger block, two hidden states of all the tokens (gathered input,
// gradient), and keys and values of other context ranks with their gradients.
func (a *trainSplit) gradients(k *kindFigures) float64 {
	bytes := 2*a.whole + math.Max(a.attention(k), a.feedForward(k))
	if a.shape.CP > 1 && !k.latent {
		bytes += 2 * a.element * a.tokens * k.kvHeadsPerRank(a.shape.TP) * (k.qk + k.v)
	}
	return bytes
}
