package catalog

import (
	"slices"

	"partita/inputs"
)

// layers fills the kinds of layer and the kind of each layer.
func (b *builder) layers(known bool) {
	c, m := b.c, &b.out.Model
	attention := b.attention()
	gated := !b.arch.ungated
	if !known && c.HiddenAct != "" && !gatedActivations[c.HiddenAct] {
		gated = false
		b.assume("FFN matrices", "2", "hidden_act "+c.HiddenAct+" is not that of a gated unit")
	}
	only := map[int]bool{}
	for _, l := range c.MLPOnlyLayers {
		only[l] = true
	}
	kinds := map[inputs.LayerKind]int{}
	for l := range c.NumHiddenLayers {
		kind := inputs.LayerKind{Name: "dense", Attention: attention, FFN: inputs.FFN{Intermediate: c.denseWidth(), Gated: gated}}
		if c.routes(l) && !only[l] {
			kind.Name = "moe"
			kind.FFN = inputs.FFN{Intermediate: c.expertWidth(), Gated: gated, Experts: c.NumExperts, TopK: c.NumExpertsPerTok, Shared: c.sharedWidth()}
		}
		if w := b.window(l); w > 0 {
			kind.Name = "window " + kind.Name
			kind.Attention.Window = w
		}
		if kind.FFN.Intermediate == 0 {
			b.problem(c.problem("intermediate_size is missing", "the FFN width of the dense layers", "", "intermediate_size", "first_k_dense_replace"))
			return
		}
		i, seen := kinds[kind]
		if !seen {
			i = len(m.Kinds)
			kinds[kind] = i
			m.Kinds = append(m.Kinds, kind)
		}
		m.Layers = append(m.Layers, i)
	}
}

// attention is the attention of every layer, its window left open.
func (b *builder) attention() inputs.Attention {
	c := b.c
	if c.latent() {
		return inputs.Attention{
			Kind:       inputs.MLA,
			Heads:      c.NumAttentionHeads,
			KVHeads:    c.NumAttentionHeads,
			HeadDim:    c.QKNopeHeadDim + c.QKRopeHeadDim,
			VHeadDim:   c.VHeadDim,
			QLoraRank:  c.QLoraRank,
			KVLoraRank: c.KVLoraRank,
			RopeDim:    c.QKRopeHeadDim,
		}
	}
	return inputs.Attention{
		Kind:     inputs.GQA,
		Heads:    c.NumAttentionHeads,
		KVHeads:  c.NumKeyValueHeads,
		HeadDim:  c.HeadDim,
		VHeadDim: c.HeadDim,
	}
}

// routes reports whether layer l sends tokens to experts, if mlp_only_layers does
// not except it.
func (c *Config) routes(l int) bool {
	return c.routed() &&
		l >= c.FirstKDenseReplace &&
		(c.MoELayerFreq <= 1 || l%c.MoELayerFreq == 0) &&
		(c.DecoderSparseStep <= 1 || (l+1)%c.DecoderSparseStep == 0)
}

func (c *Config) expertWidth() int {
	if c.MoEIntermediateSize > 0 {
		return c.MoEIntermediateSize
	}
	return c.IntermediateSize
}

func (c *Config) denseWidth() int {
	if c.IntermediateSizeMLP > 0 {
		return c.IntermediateSizeMLP
	}
	return c.IntermediateSize
}

// sharedWidth is the width of all shared experts together.
func (c *Config) sharedWidth() int {
	if c.SharedExpertIntermediateSize > 0 {
		return c.SharedExpertIntermediateSize
	}
	return c.NSharedExperts * c.expertWidth()
}

// windowTooLong reports a window that no context outgrows.
func (c *Config) windowTooLong() bool {
	return c.MaxPositionEmbeddings > 0 && c.SlidingWindow >= c.MaxPositionEmbeddings
}

// chunked reports whether a layer attends within fixed chunks.
func (c *Config) chunked() bool { return slices.Contains(c.LayerTypes, "chunked_attention") }

// window is the sliding window of layer l in tokens, 0 for full attention. A
// chunked layer sees at most one chunk: it is planned as a window of that size.
func (b *builder) window(l int) int {
	c := b.c
	if len(c.LayerTypes) > 0 {
		switch c.LayerTypes[l] {
		case "sliding_attention":
			return c.SlidingWindow
		case "chunked_attention":
			return c.AttentionChunkSize
		}
		return 0
	}
	if c.SlidingWindow == 0 || c.windowTooLong() || c.UseSlidingWindow != nil && !*c.UseSlidingWindow {
		return 0
	}
	full := false
	switch b.arch.window {
	case everyLayer:
	case evenLayers:
		full = l%2 == 1
	case allButNth:
		pattern := c.SlidingWindowPattern
		if pattern == 0 {
			pattern = b.arch.pattern
		}
		full = (l+1)%pattern == 0
	case laterLayers:
		// The class ignores the window unless the file asks for it.
		full = c.UseSlidingWindow == nil || l < c.MaxWindowLayers
	}
	if full {
		return 0
	}
	return c.SlidingWindow
}
