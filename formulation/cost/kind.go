package cost

import "partita/inputs"

// kindFigures are the sizes of one kind of layer, before any split, as the
// operators need them. Widths of the feed-forward block include FFNScale.
type kindFigures struct {
	latent  bool // MLA
	heads   float64
	kvHeads int
	qk      float64 // query/key width a head; rotary part included
	v       float64 // value width a head
	nope    float64 // query/key width without the rotary part (MLA)
	window  float64 // tokens; 0: full context
	qRank   float64 // MLA: rank of the query projection; 0: none
	kvRank  float64
	rope    float64

	intermediate float64 // of the dense block or of one expert
	matrices     float64 // 3 gated, 2 plain
	experts      float64
	topK         float64
	shared       float64
}

func newKindFigures(m *inputs.Model, kind *inputs.LayerKind) kindFigures {
	a, f := &kind.Attention, &kind.FFN
	scale := m.FFNScale
	if scale == 0 {
		scale = 1 // not set by a caller that builds a Model by hand
	}
	k := kindFigures{
		latent:       a.Kind == inputs.MLA,
		heads:        float64(a.Heads),
		kvHeads:      a.KVHeads,
		qk:           float64(a.HeadDim),
		v:            float64(a.VHeadDim),
		window:       float64(a.Window),
		intermediate: float64(f.Intermediate) * scale,
		matrices:     2,
		experts:      float64(f.Experts),
		topK:         float64(f.TopK),
		shared:       float64(f.Shared) * scale,
	}
	if a.VHeadDim == 0 {
		k.v = k.qk
	}
	if f.Gated {
		k.matrices = 3
	}
	if k.latent {
		k.qRank, k.kvRank, k.rope = float64(a.QLoraRank), float64(a.KVLoraRank), float64(a.RopeDim)
		k.nope = k.qk - k.rope
		k.kvHeads = 1 // one latent a token
	}
	return k
}

// kvHeadsPerRank is the number of KV heads a tensor-parallel rank holds: rounded
// up, so heads are replicated where there are fewer than ranks.
func (k *kindFigures) kvHeadsPerRank(tp int) float64 {
	return float64((k.kvHeads + tp - 1) / tp)
}
