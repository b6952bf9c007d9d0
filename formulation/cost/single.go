package cost

import (
	"fmt"

	"partita/inputs"
)

// Single prices operators of one device one by one, as they are timed: what measurements of
// kernels and collectives are held against, and what constants are fitted with. Its prices
// are those that a layer is made of.
type Single struct {
	d       device
	weights inputs.DType // as stored
}

// singleActivation is an element of what operators read and write beside weights and
// cache: 16 bits, whatever the products are made in.
const singleActivation = 2

// NewSingle is for one device whose weights are stored in the given format. Products are
// made in that format where the device computes it, else in the next wider one it has, as
// plans have them (Products tells).
func NewSingle(a *inputs.Accelerator, weights inputs.DType) (*Single, error) {
	if len(a.FLOPS) == 0 {
		return nil, fmt.Errorf("no peak FLOP/s of %q is known", a.Name)
	}
	pool := inputs.Pool{
		Name: a.Name, Accelerator: *a, MemoryBytes: max(1, a.MemoryBytes), Utilization: 1,
		GPUsPerNode: maxTabled, Count: inputs.Count{Min: 1, Max: 1}, Intra: a.Link,
	}
	d, _, err := newDevice(&inputs.Cluster{Pools: []inputs.Pool{pool}}, &pool, &inputs.Model{Weights: weights, Activation: inputs.BF16}, "")
	if err != nil {
		return nil, err
	}
	return &Single{d, weights}, nil
}

// Products tells the format that products of the weights are made in, and the path of the
// constants of their kernels.
func (s *Single) Products() (format inputs.DType, path string) {
	format = s.d.precision.matmul
	path, _ = matmulConstants(&s.d.constants.Operators, kernelsOf(s.weights, format))
	return format, path
}

// Matmul prices activations m×k times weights k×n of so many bytes an element, in seconds.
func (s *Single) Matmul(m, n, k, weightBytes float64) float64 {
	return s.d.matmul.matmul(m, k, n, weightBytes, singleActivation)
}

// SingleAttention is one attention kernel on one rank. Latent attention has the sizes of
// DeepSeek-V3 (latent 512, rotary 64, heads of 128) and needs Heads alone.
type SingleAttention struct {
	Latent                        bool
	Heads, KVHeads, Width, Window int // Width: of keys and of values, a head
	Sequences, New, Cached        int
	CacheBytes                    float64 // an element of the cache
}

// Attention prices the kernel, in seconds: of one new token a sequence in decode, causal in
// prefill.
func (s *Single) Attention(phase inputs.Phase, a SingleAttention) float64 {
	k, st, w := a.figures(phase)
	n, nkv := float64(a.Heads), float64(a.KVHeads)
	switch {
	case phase == inputs.Decode && a.Latent:
		return s.d.decodeLatent(&k, n, &w, st, singleActivation, a.CacheBytes)
	case phase == inputs.Decode:
		return s.d.decodeHeads(&k, n, nkv, &w, st, singleActivation, a.CacheBytes)
	case a.Latent:
		return s.d.prefillLatent(&k, n, &w, st, singleActivation, a.CacheBytes)
	}
	return s.d.prefillHeads(&k, n, nkv, &w, st, singleActivation, a.CacheBytes)
}

// Sizes of DeepSeek-V3's latent attention (its config.json).
const (
	latentRank  = 512
	latentRope  = 64
	latentWidth = 128
)

func (a *SingleAttention) figures(phase inputs.Phase) (kindFigures, Step, split) {
	k := kindFigures{latent: a.Latent, heads: float64(a.Heads), kvHeads: a.KVHeads, qk: float64(a.Width), v: float64(a.Width), window: float64(a.Window)}
	if a.Latent {
		k.kvRank, k.rope, k.nope, k.v = latentRank, latentRope, latentWidth, latentWidth
		k.qk = k.nope + k.rope
	}
	st := Step{Phase: phase, Sequences: a.Sequences, New: a.New, Cached: a.Cached}
	return k, st, splitStep(Shape{TP: 1, CP: 1, DPAttention: 1, EP: 1, ETP: 1}, st)
}

// SingleExperts are the routed experts of one rank with the gather and the weighted sum
// beside them: Tokens of the whole expert-parallel group, each sent to TopK of Experts of
// Width before ETP splits them.
type SingleExperts struct {
	Tokens, Hidden, Width, Experts, TopK, EP, ETP int
	WeightBytes                                   float64
}

// Experts prices gated experts, in seconds.
func (s *Single) Experts(e SingleExperts) float64 {
	c := Calculator{model: modelFigures{hidden: float64(e.Hidden), weightBytes: e.WeightBytes, activationBytes: singleActivation}}
	k := kindFigures{intermediate: float64(e.Width), matrices: 3, experts: float64(e.Experts), topK: float64(e.TopK)}
	w := split{t: 1, sequences: float64(e.Tokens), new: 1, tokens: float64(e.Tokens), total: float64(e.Tokens)}
	return c.routed(&s.d, &k, Shape{TP: 1, CP: 1, DPAttention: e.EP * e.ETP, EP: e.EP, ETP: e.ETP}, &w)
}

// Stream prices an operator that moves so many bytes, in seconds.
func (s *Single) Stream(bytes float64) float64 { return s.d.stream.stream(bytes) }

// Collectives inside a node over n devices, in seconds: bytes are those of each one's buffer
// of an all-reduce and an all-to-all, and of all parts together of an all-gather.

// Library is the device with the collectives of a library (NCCL, RCCL): all-reduces in one
// step are the engines' own.
func (s *Single) Library() *Single {
	w := *s.d.node
	w.oneShot = [maxTabled + 1]float64{}
	out := *s
	out.d.node = &w
	return &out
}

// AllReduce prices the sum of a buffer.
func (s *Single) AllReduce(bytes float64, n int) float64 {
	return s.d.allReduce(bytes, group{size: n, perNode: n})
}

// AllGather prices an all-gather; a reduce-scatter costs the same.
func (s *Single) AllGather(bytes float64, n int) float64 {
	return s.d.allGather(bytes, group{size: n, perNode: n})
}

// AllToAll prices sending a buffer in equal parts.
func (s *Single) AllToAll(bytes float64, n int) float64 {
	return s.d.allToAll(bytes, group{size: n, perNode: n})
}

// Send prices a copy to another device of the node, in seconds.
func (s *Single) Send(bytes float64) float64 {
	return s.d.node.sendLatency + bytes*s.d.node.sendPerByte
}
