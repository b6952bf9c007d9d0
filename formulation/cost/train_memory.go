package cost

import (
	"math"

	"partita/inputs"
)

// TrainHeld is one stage that a pipeline rank holds.
type TrainHeld struct {
	Counts      []int // layers of each kind
	First, Last bool  // with the embedding, with the head and the loss
	Recompute   inputs.Recompute
	// InFlight is how many micro-batches the stage keeps activations of when it keeps
	// most: min(m, pp − rank) under 1F1B.
	InFlight float64
}

// TrainBytes is the memory of one GPU by use, in bytes.
type TrainBytes struct{ Weights, Gradients, Optimizer, Activations, Reserve int64 }

// Total is the sum of all uses, bytes.
func (b TrainBytes) Total() int64 {
	return b.Weights + b.Gradients + b.Optimizer + b.Activations + b.Reserve
}

// Reserve of training beside what the model needs.
const (
	// trainBuckets are the buffers that gradients are reduced and weights gathered in, in
	// elements of 2 bytes: allgather_bucket_size and reduce_bucket_size of DeepSpeed's
	// ZeRO, 5e8 each. Megatron works in place and needs none.
	trainBuckets = 2 * 5e8
	// lossBytes an element of the logits: 2 as they come, 4 their logarithms of
	// probabilities, 4 the gradient of the loss and 4 that of the logits before it is
	// cast back (cross_entropy of PyTorch in 32 bits). A fused loss needs the logits and
	// their gradient.
	lossBytes, fusedLossBytes = 14, 4
)

// TrainMemory is the memory of one GPU of a pipeline rank that holds the given stages,
// at its peak. Weights are in 16 bits (32 where the model is) whatever they are
// multiplied in; experts are sharded over the ranks that hold the same ones.
//
//	weights N·e/D₃, gradients N·g/D₂, optimizer N·o/D₁; Dᵢ = DP·CP where ZeRO ≥ i, else 1
//	+ what ZeRO 2 and 3 gather at a time, never more than it saved
//	+ activations kept (trainActivations) + the larger of one layer's backward pass and
//	  the loss + reserve                                                             (M6)
//
// It grows with MicroBatch, Sequence, InFlight and layers, and does not grow with ZeRO.
// Routing is taken as balanced.
func (c *Calculator) TrainMemory(pool int, s TrainShape, st TrainStep, held []TrainHeld) TrainBytes {
	p := c.trainStates(s, held)
	weights, weightUnits := p.bytes(c.model.wideBytes, s.ZeRO >= 3), 2*p.largest*c.model.wideBytes
	gradients, gradientUnits := p.bytes(c.gradientBytes, s.ZeRO >= 2), p.largest*c.gradientBytes
	out := TrainBytes{
		Weights:   roundUp(weights + math.Min(weightUnits, p.all()*c.model.wideBytes-weights)),
		Gradients: roundUp(gradients + math.Min(gradientUnits, p.all()*c.gradientBytes-gradients)),
		Optimizer: roundUp(p.bytes(c.optimizerBytes, s.ZeRO >= 1)),
		Reserve:   roundUp(c.trainReserve(pool, s, &p, held)),
	}
	var kept, working float64
	for i := range held {
		k, w := c.trainActivations(s, st, &held[i])
		kept += k
		working = math.Max(working, w)
	}
	out.Activations = roundUp(kept + working)
	return out
}

// trainStates are the parameters of one rank before sharding.
type trainStates struct {
	dense, expert           float64 // elements; experts are held by fewer ranks together
	largest                 float64 // of the units that are gathered at a time
	denseRanks, expertRanks float64 // over how many ranks each may be sharded
}

func (p *trainStates) all() float64 { return p.dense + p.expert }

// bytes of all at so many an element.
func (p *trainStates) bytes(each float64, sharded bool) float64 {
	if !sharded {
		return each * p.all()
	}
	return each * (p.dense/p.denseRanks + p.expert/p.expertRanks)
}

func (c *Calculator) trainStates(s TrainShape, held []TrainHeld) trainStates {
	p := trainStates{denseRanks: float64(s.DP * s.CP)}
	p.expertRanks = math.Max(1, float64(s.GPUs())/float64(s.EP*s.ETP))
	first, last := false, false
	for i := range held {
		h := &held[i]
		first, last = first || h.First, last || h.Last
		dense, expert := c.trainHeld(h.Counts, false, false, s)
		p.dense += dense
		p.expert += expert
		for kind, n := range h.Counts {
			if n > 0 {
				dense, expert := c.trainParameters(&c.kinds[kind], s)
				p.largest = math.Max(p.largest, dense+expert)
			}
		}
	}
	ends, _ := c.trainHeld(nil, first, last, s) // tied weights once on a rank with both ends
	p.dense += ends
	if first || last {
		table, _ := c.trainHeld(nil, true, false, s)
		p.largest = math.Max(p.largest, table)
	}
	return p
}

// trainReserve is what is taken beside tensors of the model, in bytes: the runtime, each
// group that a rank communicates in, and buckets.
func (c *Calculator) trainReserve(pool int, s TrainShape, p *trainStates, held []TrainHeld) float64 {
	first, last := false, false
	for i := range held {
		first, last = first || held[i].First, last || held[i].Last
	}
	groups := 0
	for _, joined := range [...]bool{s.TP > 1, s.DP*s.CP > 1, s.CP > 1, s.EP > 1, !first || !last} {
		if joined {
			groups++
		}
	}
	r := &c.devices[pool].reserves
	bytes := r.runtime + float64(groups)*r.communicator
	if s.DP*s.CP > 1 {
		bytes += 2 * math.Min(trainBuckets, 2*p.all())
	}
	return bytes
}
