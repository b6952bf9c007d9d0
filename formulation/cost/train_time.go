package cost

import (
	"math"

	"partita/inputs"
)

// Bytes of an element in a training step. Weights and activations are exchanged in 16 bits,
// whatever format they are multiplied in (mixed precision; FP8 recipes of Transformer Engine
// keep 16-bit weights and gradients).
const (
	trainBytes    = 2
	logitGradient = 4 // logits and their gradient are worked on in 32 bits
)

// trainWork is what one rank works on in one micro-batch.
type trainWork struct {
	c      *Calculator
	d      *device
	k      *kindFigures
	s      TrainShape
	step   TrainStep
	t      float64 // TP
	tokens float64 // of this rank, before sequence parallelism
	split  float64 // ranks that norms and residuals are split over
	tensor group
}

func (c *Calculator) trainWork(pool, kind int, s TrainShape, st TrainStep) trainWork {
	d := &c.devices[pool]
	w := trainWork{
		c: c, d: d, s: s, step: st, t: float64(s.TP),
		tokens: float64(st.MicroBatch) * float64(ceilDiv(st.Sequence, s.CP)),
		split:  1, tensor: d.groupOf(s.TP, 1),
	}
	if kind >= 0 {
		w.k = &c.kinds[kind]
	}
	if s.SP {
		w.split = w.t
	}
	return w
}

// pass is the time of a block in both directions, in seconds, and how much of it nothing
// else of the layer can hide behind.
type pass struct{ forward, backward float64 }

func (p *pass) add(q pass) { p.forward += q.forward; p.backward += q.backward }

// TrainLayer is the time of one layer of the given kind on one micro-batch, in seconds,
// forward and backward, with what the collectives of TP, SP, CP and EP, and under ZeRO 3 the
// gathering of weights, add to the computation. The backward pass includes what r recomputes.
//
//	forward   norms, projections, attention, feed-forward                             (T1)
//	backward  the gradient of each product towards its input and towards its weights:
//	          twice the FLOP; of flash attention 5/2, its scores being computed again
func (c *Calculator) TrainLayer(pool, kind int, s TrainShape, st TrainStep, r inputs.Recompute) (forward, backward float64) {
	if st.MicroBatch <= 0 || st.Sequence <= 0 {
		return 0, 0
	}
	w := c.trainWork(pool, kind, s, st)
	core := w.attentionCore()
	all := w.attention(core)
	all.add(w.feedForward())
	if r == inputs.SelectiveRecompute && st.Unfused {
		all.backward += core.forward
	}
	if r == inputs.FullRecompute {
		// The backward pass of stored scores and of recomputed ones is the same.
		all.backward += all.forward
	}
	if s.ZeRO >= 3 {
		all = w.sharded(all)
	}
	return all.forward, all.backward
}

// sharded adds what gathering the layer's weights before each pass over it, and reducing
// its gradients after, leaves beside the computation that they run along with.       (T9)
func (w *trainWork) sharded(p pass) pass {
	dense, experts := w.c.trainParameters(w.k, w.s)
	gather := w.overWeights(dense, experts, trainBytes)
	reduce := w.overWeights(dense, experts, w.c.gradientBytes)
	return pass{
		forward:  w.d.train.beside(p.forward, gather),
		backward: w.d.train.beside(p.backward, gather+reduce),
	}
}

// overWeights is the time of one reduce-scatter or all-gather of so many dense and expert
// parameters of a rank, over the ranks that have the same. Where there are none nothing is
// exchanged, and nothing waits for that.
func (w *trainWork) overWeights(dense, experts, bytes float64) float64 {
	t := 0.0
	if dense > 0 {
		t += w.d.trainGather(dense*bytes, w.d.groupOf(w.s.CP*w.s.DP, w.s.TP), w.step.Flat)
	}
	if experts > 0 {
		t += w.d.trainGather(experts*bytes, w.d.groupOf(w.s.GPUs()/(w.s.EP*w.s.ETP), w.s.EP*w.s.ETP), w.step.Flat)
	}
	return t
}

// TrainEmbedding is the time of looking up one micro-batch's tokens, in seconds, and of
// adding up the table's gradient. The table is split over TP by vocabulary.
func (c *Calculator) TrainEmbedding(pool int, s TrainShape, st TrainStep) (forward, backward float64) {
	m := &c.model
	if m.vocab == 0 || st.MicroBatch <= 0 || st.Sequence <= 0 {
		return 0, 0
	}
	w := c.trainWork(pool, -1, s, st)
	rows := w.tokens * m.hidden
	sum := w.d.allReduce(rows*trainBytes, w.tensor)
	if s.SP {
		sum /= 2 // a reduce-scatter
	}
	forward = w.stream(2*rows*trainBytes) + sum
	// The gradient's rows are read, and those of the table read and written.
	backward = w.stream(rows * (trainBytes + 2*c.gradientBytes))
	if s.SP {
		backward += w.d.allGather(rows*trainBytes, w.tensor)
	}
	return forward, backward
}

// TrainHead is the time of the final norm, the logits of every token and the loss, in
// seconds. The head is split over TP by vocabulary; only sums are exchanged of the loss.
func (c *Calculator) TrainHead(pool int, s TrainShape, st TrainStep) (forward, backward float64) {
	m := &c.model
	if st.MicroBatch <= 0 || st.Sequence <= 0 {
		return 0, 0
	}
	w := c.trainWork(pool, -1, s, st)
	all := w.norm()
	if m.vocab > 0 {
		columns := math.Ceil(m.vocab / w.t)
		all.add(w.product(&w.d.train.wide, w.tokens, m.hidden, columns))
		// Forward: to 32 bits, and largest, exponentials and their sum over them. Backward:
		// the difference to the target in 32 bits, and back to 16.
		logits := w.tokens * columns
		all.add(pass{w.stream(logits * (trainBytes + 4*logitGradient)), w.stream(logits * (trainBytes + 3*logitGradient))})
		if s.SP {
			gather := w.d.allGather(w.tokens*m.hidden*trainBytes, w.tensor)
			all.add(pass{gather, gather}) // backward: the reduce-scatter of its gradient
		} else {
			all.backward += w.d.allReduce(w.tokens*m.hidden*trainBytes, w.tensor)
		}
	}
	return all.forward, all.backward
}

// TrainSend is the time of handing one micro-batch's hidden state from one pipeline rank to
// the next, in seconds; its gradient on the way back costs the same. Tensor ranks send a
// share each: what sequence parallelism leaves them, or a slice that is gathered again on
// the other side.
func (c *Calculator) TrainSend(from, to int, sameNode bool, s TrainShape, st TrainStep) float64 {
	if st.MicroBatch <= 0 || st.Sequence <= 0 {
		return 0
	}
	w := c.trainWork(from, -1, s, st)
	network := w.d.network
	l := sendLink{network.sendLatency, network.sendPerByte}
	if sameNode {
		l = c.sends[from*len(c.devices)+to]
	}
	bytes := w.tokens * c.model.hidden * trainBytes
	t := l.latency + bytes/w.t*l.perByte
	if !s.SP {
		t += w.d.allGather(bytes, w.tensor)
	}
	return t
}

// TrainFLOPs is the number of FLOP of one sequence, forward and backward, that model FLOP
// utilisation counts: 6 for each parameter of a product and token, and for attention 6 n
// (d_qk + d_v) for each pair of tokens. All pairs are counted, masked ones too, and nothing
// is counted twice that is computed twice (PaLM, appendix B; Megatron-LM; llm-foundry).
func (c *Calculator) TrainFLOPs(st TrainStep) float64 {
	return c.trainProductFLOPs(st) + c.TrainAttentionFLOPs(st)
}

// TrainAttentionFLOPs is the part of TrainFLOPs that attention has. Sources that leave out
// masked pairs count half of it.
func (c *Calculator) TrainAttentionFLOPs(st TrainStep) float64 {
	total := 0.0
	s := float64(st.Sequence)
	for _, kind := range c.layers {
		k := &c.kinds[kind]
		total += 6 * s * visible(s, k.window) * k.heads * (k.qk + k.v)
	}
	return total
}

func (c *Calculator) trainProductFLOPs(st TrainStep) float64 {
	m := &c.model
	parameters := m.vocab * m.hidden
	for _, kind := range c.layers {
		k := &c.kinds[kind]
		parameters += k.attentionElements(m.hidden, 1)
		if k.experts > 0 {
			parameters += k.matrices*m.hidden*(k.topK*k.intermediate+k.shared) + m.hidden*k.experts
		} else {
			parameters += k.matrices * m.hidden * k.intermediate
		}
	}
	return 6 * float64(st.Sequence) * parameters
}
