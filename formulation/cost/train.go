package cost

import (
	"fmt"
	"math"

	"partita/inputs"
)

// TrainShape is how every pipeline rank of a training layout splits its layers:
// TP·CP·DP GPUs, over which experts lie EP·ETP at a time. Models without experts
// have EP = 1; their ETP means nothing.
type TrainShape struct {
	DP, TP, CP, EP, ETP int
	// ZeRO is what is sharded over data-parallel ranks: 0 nothing, 1 optimizer, 2
	// gradients too, 3 weights too.
	ZeRO int
	// SP splits norms and residuals over the tensor ranks.
	SP bool
}

// GPUs is the number of GPUs of a pipeline rank.
func (s TrainShape) GPUs() int { return s.TP * s.CP * s.DP }

// TrainStep is one micro-batch of a replica: so many sequences of so many tokens.
type TrainStep struct {
	MicroBatch, Sequence int
	// Overlap is the number of micro-batches whose passes the exchange of gradients and of
	// weights runs along with; 0 is 1. Interleaved stages (see Interleaved) have more time.
	Overlap float64
	TrainEngine
}

// TrainEngine is what an engine of training lacks. The zero value has all: flash attention,
// fused or compiled layers, collectives of tensor parallelism along with products. Older
// engines are priced, and none is proposed.
type TrainEngine struct {
	// Unfused attention writes its scores to memory, as before flash attention: it keeps
	// them for the backward pass unless they are recomputed.
	Unfused bool
	// FirstFlash is flash attention of its first version in Triton: FlashAttention-2 is 1.3 to
	// 2.5 times as fast (Dao 2023, section 4.1).
	FirstFlash bool
	// Eager layers run every norm, residual, activation and rotary embedding as kernels of
	// its own.
	Eager bool
	// Serial tensor parallelism waits for its collectives in the forward pass, SerialBackward
	// in the backward pass too, where the gradients of weights could hide them.
	Serial, SerialBackward bool
	// Apart: gradients of a micro-batch are written, and then added to their sum, instead of
	// being added where they are computed.
	Apart bool
	// Flat exchange of weights and gradients crosses nodes over one link instead of those of
	// all GPUs of a node, parameter by parameter (DeepSpeed's ZeRO-3 of 2021).
	Flat bool
	// FusedLoss computes the loss in one kernel, without copies of the logits in 32 bits:
	// what an engine may have beyond the others.
	FusedLoss bool
}

// Interleaved is the Overlap of a pipeline of so many ranks and stages on each: the parts of
// a rank end their backward passes one after the other while the last group of micro-batches
// goes through the others, and begin the forward ones so.
func Interleaved(ranks, virtual int) float64 {
	if virtual <= 1 {
		return 1
	}
	return math.Max(1, float64(ranks)*(1-1/float64(virtual)))
}

// ValidTrainShape reports whether all layers of the model can be split like this,
// and if not, why, as a sentence. KV heads need not divide: they are rounded up per
// rank.
func ValidTrainShape(m *inputs.Model, s TrainShape) (bool, string) {
	if s.DP < 1 || s.TP < 1 || s.CP < 1 || s.EP < 1 || s.ETP < 1 {
		return false, fmt.Sprintf("every degree must be at least 1 (DP %d, TP %d, CP %d, EP %d, expert TP %d)", s.DP, s.TP, s.CP, s.EP, s.ETP)
	}
	if s.ZeRO < 0 || s.ZeRO > 3 {
		return false, fmt.Sprintf("ZeRO stage %d; it is 0 to 3", s.ZeRO)
	}
	if !m.HasExperts() {
		if s.EP > 1 {
			return false, fmt.Sprintf("EP %d needs experts and the model has none", s.EP)
		}
	} else if s.GPUs()%(s.EP*s.ETP) != 0 {
		return false, fmt.Sprintf("experts span %d × %d = %d GPUs, which do not divide TP %d × CP %d × DP %d = %d", s.EP, s.ETP, s.EP*s.ETP, s.TP, s.CP, s.DP, s.GPUs())
	}
	for i := range m.Kinds {
		k := &m.Kinds[i]
		if k.Attention.Heads%s.TP != 0 {
			return false, fmt.Sprintf("%d attention heads do not divide over TP %d", k.Attention.Heads, s.TP)
		}
		f := &k.FFN
		switch {
		case f.Experts == 0 && f.Intermediate%s.TP != 0:
			return false, fmt.Sprintf("feed-forward width %d does not divide over TP %d", f.Intermediate, s.TP)
		case f.Experts == 0:
		case f.Experts%s.EP != 0:
			return false, fmt.Sprintf("%d experts do not divide over EP %d", f.Experts, s.EP)
		case f.Intermediate%s.ETP != 0:
			return false, fmt.Sprintf("expert width %d does not divide over expert TP %d", f.Intermediate, s.ETP)
		case f.Shared%s.TP != 0:
			return false, fmt.Sprintf("width %d of the shared experts does not divide over TP %d", f.Shared, s.TP)
		}
	}
	return true, ""
}
