package cost

import "partita/inputs"

// Shape is how one stage splits its layers over its GPUs:
// TP·CP·DPAttention = EP·ETP = GPUs. Dense stages have EP = 1, ETP = GPUs.
type Shape struct{ TP, CP, DPAttention, EP, ETP int }

// GPUs is the number of GPUs of a stage of this shape.
func (s Shape) GPUs() int { return s.TP * s.CP * s.DPAttention }

// Step is what a stage does at once: Sequences (of one micro-batch or group of a
// replica), each with New new tokens and Cached tokens before them. A mixed step
// is priced by its caller as a decode step plus its share of a prefill step.
type Step struct {
	Phase     inputs.Phase // Prefill or Decode
	Sequences int
	New       int
	Cached    int
}

// Load is what a stage keeps in memory while it serves.
type Load struct {
	Sequences int // in flight in one replica
	Tokens    int // KV tokens each of them may reach
	// Steps are the largest steps that run: activations and logits follow from them.
	Steps []Step
	// Budget is the most new tokens that an attention rank takes into a step of Steps, which
	// is then one of the chunks that a longer one is read in. 0: steps run as they are.
	Budget int
}

// Memory is one GPU's memory by use, in bytes.
type Memory struct{ Weights, KV, Activations, Reserve int64 }

// Total is the sum of all uses, bytes.
func (m Memory) Total() int64 { return m.Weights + m.KV + m.Activations + m.Reserve }
