package cost

import (
	"math"

	"partita/inputs"
)

// trainRoofline prices matrix products of training, which are large: compute and traffic
// add up, and a product takes half a wave of tiles more than its size on average.
//
//	t = t0 + 2k(mn + w)/(ηf F) + bytes/(ηb B)        w = half a wave of tiles, elements  (T0)
type trainRoofline struct {
	roofline
	wave float64
}

func (r *trainRoofline) matmul(m, k, n, extra float64) float64 {
	flops := 2 * k * (m*n + r.wave)
	bytes := trainBytes * (m*k + k*n + m*n)
	return r.floor + flops*r.secondsPerFLOP + (bytes+extra)*r.secondsPerByte
}

// trainRates is what a device reaches in training.
type trainRates struct {
	matmul, wide             trainRoofline
	attention, attentionBack roofline
	stream                   roofline
	// tensorExposed is the share of TP collectives that the products around do not hide.
	tensorExposed float64
	// dataExposed is the share of DP collectives that nothing hides, however long the
	// computation beside them: the first and the last part, and what both slow each other.
	dataExposed float64
	stepSeconds float64
}

// beside is the time of computation with a collective along with it.
func (r *trainRates) beside(compute, collective float64) float64 {
	hidden := (1 - r.dataExposed) * collective
	return math.Max(compute, hidden) + collective - hidden
}

// attentionBackward is what the backward pass of flash attention reaches of what the forward
// one does: .78 to .85 of it (FlashAttention-2 on A100, FlashAttention-3 on H100, as their
// papers print them).
const attentionBackward = 0.8

// trainRates resolves what the device reaches in training. A stated utilisation is the
// law here too: it leaves no floors, no waves and no step of the host.
func (d *device) trainRates() trainRates {
	g := &d.constants.Training
	if d.stated {
		return trainRates{
			matmul: trainRoofline{roofline: d.matmul}, wide: trainRoofline{roofline: d.wide},
			attention: d.prefill, attentionBack: d.prefill, stream: d.stream,
			tensorExposed: g.TensorExposed, dataExposed: g.DataExposed,
		}
	}
	rate := func(share, peak float64) roofline {
		return roofline{floor: d.stream.floor, secondsPerFLOP: 1 / (share * peak), secondsPerByte: d.stream.secondsPerByte, compute: share, bandwidth: d.stream.bandwidth}
	}
	share := g.GEMM16
	switch bytes := d.precision.matmul.Bytes(); {
	case bytes < 1:
		share = g.GEMM4
	case bytes < 2:
		share = g.GEMM8
	}
	const tile = 128 * 256 // elements of a tile of a product's result
	wave := g.Processors * tile / 2
	return trainRates{
		matmul:        trainRoofline{rate(share, d.precision.matmulPeak), wave},
		wide:          trainRoofline{rate(g.GEMM16, d.precision.widePeak), wave},
		attention:     rate(g.Attention, d.precision.widePeak),
		attentionBack: rate(g.Attention*attentionBackward, d.precision.widePeak),
		stream:        d.stream,
		tensorExposed: g.TensorExposed, dataExposed: g.DataExposed,
		stepSeconds: g.Step,
	}
}

// trainGather is the time of an all-gather or reduce-scatter of so many bytes over data
// parallel ranks: a ring through all nodes, whose latency grows with each (a tree, as of
// small all-reduces, does not serve them). A flat ring uses one link of each node.
func (d *device) trainGather(bytes float64, g group, flat bool) float64 {
	k := g.nodes()
	if k <= 1 {
		return d.allGather(bytes, g)
	}
	inside := d.allGather(bytes, group{g.perNode, g.perNode})
	q, links := float64(k), float64(g.perNode)
	if flat {
		links = 1
	}
	return inside + (q-1)*(d.network.hopLatency+bytes/links/q*d.network.secondsPerByte[tabled(k)])
}

// metered keeps what the meter reads of each operator; collectives are all exposed to a
// reading of the network, and none to others.
func (r *trainRates) metered(m Meter) trainRates {
	out := trainRates{tensorExposed: 1, dataExposed: 1}
	for _, p := range []struct{ to, from *roofline }{
		{&out.matmul.roofline, &r.matmul.roofline}, {&out.wide.roofline, &r.wide.roofline},
		{&out.attention, &r.attention}, {&out.attentionBack, &r.attentionBack}, {&out.stream, &r.stream},
	} {
		*p.to = p.from.metered(m)
	}
	return out
}

// trainFormats are the bytes of a parameter's gradient and of its optimizer state; those of
// Adam with 32-bit sums where a condition is of no training. An optimizer may keep nothing:
// 0 beside the bytes of a gradient is what is stated.
func trainFormats(t *inputs.TrainingStep) (gradient, optimizer float64) {
	if t == nil || t.GradientBytes <= 0 && t.OptimizerBytes <= 0 {
		return 4, 12
	}
	if t.GradientBytes <= 0 {
		return 4, t.OptimizerBytes
	}
	return t.GradientBytes, t.OptimizerBytes
}

// PeakFLOPS is the peak of a GPU of the pool in the format that it multiplies weights in,
// FLOP/s.
func (c *Calculator) PeakFLOPS(pool int) float64 { return c.devices[pool].precision.matmulPeak }
