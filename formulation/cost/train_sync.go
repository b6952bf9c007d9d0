package cost

import "math"

// trainParameters is the number of parameters of one layer on a rank, those of experts
// apart: they are the same on other ranks.
func (c *Calculator) trainParameters(k *kindFigures, s TrainShape) (dense, experts float64) {
	h := c.model.hidden
	dense = k.attentionElements(h, s.TP) + 2*h
	if k.experts == 0 {
		return dense + k.matrices*h*k.intermediate/float64(s.TP), 0
	}
	dense += k.matrices*h*k.shared/float64(s.TP) + h*k.experts
	return dense, k.experts / float64(s.EP) * k.matrices * h * k.intermediate / float64(s.ETP)
}

// trainHeld is the number of parameters that a rank holds.
func (c *Calculator) trainHeld(counts []int, first, last bool, s TrainShape) (dense, experts float64) {
	for kind, n := range counts {
		d, e := c.trainParameters(&c.kinds[kind], s)
		dense += float64(n) * d
		experts += float64(n) * e
	}
	table := math.Ceil(c.model.vocab/float64(s.TP)) * c.model.hidden
	if first {
		dense += table
	}
	if last {
		dense += c.model.hidden
		if !first || !c.model.tied {
			dense += table
		}
	}
	return dense, experts
}

// TrainSync is the time of a step that a rank spends on gradients and weights of the ranks
// that hold the same layers, beside its computation, in seconds.                     (T8)
//
//	ZeRO 0       all-reduce of gradients, along with the backward pass of the last
//	             micro-batch, or of the last ones (TrainStep.Overlap)
//	ZeRO 1       reduce-scatter of gradients, there; all-gather of the updated weights,
//	             along with the forward pass of the first
//	ZeRO 2       the reduce-scatter along with every micro-batch
//	ZeRO 3       layers are gathered and reduced in TrainLayer; what remains is the table
//	             and the head, and the first gather and last reduction, which wait for nothing
//
// counts are the layers of each kind on the rank, first and last tell whether it has the
// embedding and the head.
func (c *Calculator) TrainSync(pool int, counts []int, first, last bool, s TrainShape, st TrainStep, microBatches int) float64 {
	w := c.trainWork(pool, -1, s, st)
	if s.ZeRO >= 3 {
		counts = nil
	}
	dense, experts := c.trainHeld(counts, first, last, s)
	reduce := w.overWeights(dense, experts, c.gradientBytes)
	gather := w.overWeights(dense, experts, trainBytes)
	if s.ZeRO == 0 {
		gather = w.overWeights(dense, experts, c.gradientBytes) // the other half of an all-reduce
	}
	var forward, backward float64
	for kind, n := range counts {
		f, b := c.TrainLayer(pool, kind, s, st, "")
		forward += float64(n) * f
		backward += float64(n) * b
	}
	along := math.Min(math.Max(1, st.Overlap), float64(microBatches))
	exposed := func(compute, collective float64) float64 {
		return w.d.train.beside(compute, collective) - compute
	}
	switch s.ZeRO {
	case 0:
		return exposed(along*backward, reduce+gather)
	case 2:
		return float64(microBatches)*exposed(backward, reduce) + exposed(along*forward, gather)
	case 3:
		return float64(microBatches) * (reduce + 2*gather)
	}
	return exposed(along*backward, reduce) + exposed(along*forward, gather)
}

// TrainUpdate is the time of the optimizer's update of the parameters of a rank, in seconds:
// its state is read and written once, gradients are read twice (for their norm and for the
// update), weights written; and of what the host does once a step.                   (T10)
func (c *Calculator) TrainUpdate(pool int, counts []int, first, last bool, s TrainShape) float64 {
	d := &c.devices[pool]
	dense, experts := c.trainHeld(counts, first, last, s)
	if s.ZeRO >= 1 {
		dense /= float64(s.CP * s.DP)
		experts /= float64(s.GPUs() / (s.EP * s.ETP))
	}
	bytes := (dense + experts) * (2*c.optimizerBytes + 2*c.gradientBytes + trainBytes)
	return d.train.stream.stream(bytes) + d.train.stepSeconds
}
