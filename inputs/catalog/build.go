package catalog

import (
	"fmt"
	"strconv"

	"partita/inputs"
)

// builder turns a complete Config into a model and collects what is to be said of it.
type builder struct {
	c    *Config
	arch architecture
	out  Reading
}

// Build makes the model of a configuration. Missing and contradictory fields are
// Problems, all of them at once; what the architecture decides without the file
// saying so is an Assumption. Notes is left empty.
func (c Config) Build() Reading {
	b := builder{c: &c}
	var known bool
	b.arch, known = c.architecture()
	if !known {
		b.warnUnknown()
	}
	b.fillDefaults()
	b.require()
	if len(b.out.Problems) > 0 {
		return b.out
	}
	m := &b.out.Model
	m.Name = c.architectureName()
	m.Hidden, m.Vocab, m.MaxContext = c.HiddenSize, c.VocabSize, c.MaxPositionEmbeddings
	m.Tied = b.tied()
	m.FFNScale = 1
	b.formats()
	b.layers(known)
	return b.out
}

func (b *builder) warnUnknown() {
	name := b.c.architectureName()
	if name == "" {
		b.out.Warnings = append(b.out.Warnings, "the configuration names no architecture; its fields are read as those of a Llama-like model")
		return
	}
	b.out.Warnings = append(b.out.Warnings, fmt.Sprintf("architecture %s is not known; its fields are read as those of a Llama-like model", name))
}

func (b *builder) problem(p Problem) { b.out.Problems = append(b.out.Problems, p) }

func (b *builder) assume(what, value, because string) {
	b.out.Assumptions = append(b.out.Assumptions, inputs.Assumption{What: "model: " + what, Value: value, Because: because})
}

// fillDefaults sets sizes that the file leaves out and the architecture fixes.
func (b *builder) fillDefaults() {
	class := "default of " + b.c.architectureName()
	fill := func(size *int, name string, value int) {
		if *size == 0 && value > 0 && !b.c.stated(name) {
			*size = value
			b.assume(name, strconv.Itoa(value), class)
		}
	}
	fill(&b.c.NumAttentionHeads, "num_attention_heads", b.arch.heads)
	fill(&b.c.NumKeyValueHeads, "num_key_value_heads", b.arch.kvHeads)
	fill(&b.c.HeadDim, "head_dim", b.arch.headDim)
	fill(&b.c.VocabSize, "vocab_size", b.arch.vocab)
	if !b.c.latent() && b.c.NumKeyValueHeads == 0 && b.c.NumAttentionHeads > 0 {
		b.c.NumKeyValueHeads = b.c.NumAttentionHeads
		b.assume("num_key_value_heads", strconv.Itoa(b.c.NumKeyValueHeads), "not stated: as many as query heads")
	}
}

// require reports what is missing and what contradicts itself.
func (b *builder) require() {
	c := b.c
	need := func(size int, name, what string) {
		if size == 0 && !c.stated(name) {
			b.problem(Problem{Text: name + " is missing", Want: what, Hint: "is this the config.json of a language model?"})
		}
	}
	need(c.HiddenSize, "hidden_size", "the hidden width")
	need(c.NumHiddenLayers, "num_hidden_layers", "the number of layers")
	need(c.NumAttentionHeads, "num_attention_heads", "the number of query heads")
	need(c.VocabSize, "vocab_size", "the size of the vocabulary")
	if c.latent() {
		b.requireLatent()
	} else {
		b.requireHeads()
	}
	b.requireFFN()
	b.requireLayers()
}

func (b *builder) requireLatent() {
	c := b.c
	for _, f := range []struct {
		size int
		name string
	}{{c.QKRopeHeadDim, "qk_rope_head_dim"}, {c.QKNopeHeadDim, "qk_nope_head_dim"}, {c.VHeadDim, "v_head_dim"}} {
		if f.size == 0 {
			b.problem(c.problem(f.name+" is missing", "a positive width", "latent attention (kv_lora_rank) needs it", f.name, "kv_lora_rank"))
		}
	}
}

func (b *builder) requireHeads() {
	c := b.c
	heads, kv := c.NumAttentionHeads, c.NumKeyValueHeads
	switch {
	case heads == 0 || kv == 0:
	case kv > heads:
		b.problem(c.problem(fmt.Sprintf("%d key-value heads for %d query heads", kv, heads), "at most as many", "", "num_key_value_heads", "num_attention_heads"))
	case heads%kv != 0:
		b.problem(c.problem(fmt.Sprintf("%d query heads do not divide into %d key-value heads", heads, kv), "a divisor of the query heads", "", "num_key_value_heads", "num_attention_heads"))
	}
	if c.HeadDim == 0 && heads > 0 && c.HiddenSize > 0 {
		if c.HiddenSize%heads != 0 {
			b.problem(c.problem(fmt.Sprintf("hidden_size %d does not divide into %d heads and head_dim is missing", c.HiddenSize, heads),
				"head_dim", "", "hidden_size"))
			return
		}
		c.HeadDim = c.HiddenSize / heads
	}
}

func (b *builder) requireFFN() {
	c := b.c
	if !c.routed() {
		if c.IntermediateSize == 0 {
			b.problem(c.problem("intermediate_size is missing", "the FFN width", "", "intermediate_size"))
		}
		if c.NumExpertsPerTok > 0 || c.MoEIntermediateSize > 0 {
			b.problem(c.problem("experts are described, but their number is missing", "num_experts, num_local_experts or n_routed_experts", "",
				"num_experts", "num_experts_per_tok", "moe_intermediate_size"))
		}
		return
	}
	switch k := c.NumExpertsPerTok; {
	case k == 0:
		b.problem(c.problem("num_experts_per_tok is missing", "how many experts a token takes", "", "num_experts_per_tok", "num_experts"))
	case k > c.NumExperts:
		b.problem(c.problem(fmt.Sprintf("%d experts a token of %d", k, c.NumExperts), "at most as many as there are", "", "num_experts_per_tok"))
	}
	if c.expertWidth() == 0 {
		b.problem(c.problem("moe_intermediate_size and intermediate_size are missing", "the FFN width of an expert", "", "moe_intermediate_size", "num_experts"))
	}
}

// requireLayers checks the fields that tell layers apart.
func (b *builder) requireLayers() {
	c := b.c
	if n := len(c.LayerTypes); n > 0 && c.NumHiddenLayers > 0 && n != c.NumHiddenLayers {
		b.problem(c.problem(fmt.Sprintf("layer_types lists %d layers, num_hidden_layers says %d", n, c.NumHiddenLayers), "one entry a layer", "", "layer_types"))
	}
	reported := map[string]bool{}
	for _, t := range c.LayerTypes {
		switch {
		case t == "full_attention" || reported[t]:
		case t == "sliding_attention" && c.SlidingWindow == 0:
			b.problem(c.problem("layer_types has sliding layers, but sliding_window is missing", "the window in tokens", "", "sliding_window", "layer_types"))
		case t == "chunked_attention" && c.AttentionChunkSize == 0:
			b.problem(c.problem("layer_types has chunked layers, but attention_chunk_size is missing", "the chunk in tokens", "", "attention_chunk_size", "layer_types"))
		case t != "sliding_attention" && t != "chunked_attention":
			b.problem(c.problem(fmt.Sprintf("layer_types holds %q", t), "full_attention, sliding_attention or chunked_attention",
				"other layers keep no KV cache and cannot be planned", "layer_types"))
		}
		reported[t] = true
	}
	if c.NumHiddenLayers > 0 && c.FirstKDenseReplace > c.NumHiddenLayers {
		b.problem(c.problem(fmt.Sprintf("first_k_dense_replace %d exceeds the %d layers", c.FirstKDenseReplace, c.NumHiddenLayers), "at most the number of layers", "", "first_k_dense_replace"))
	}
	for _, l := range c.MLPOnlyLayers {
		if c.NumHiddenLayers > 0 && l >= c.NumHiddenLayers {
			b.problem(c.problem(fmt.Sprintf("mlp_only_layers names layer %d of %d", l, c.NumHiddenLayers), "layers from 0", "", "mlp_only_layers"))
			break
		}
	}
}

// tied reports whether embedding and head share weights.
func (b *builder) tied() bool {
	if b.c.TieWordEmbeddings != nil {
		return *b.c.TieWordEmbeddings
	}
	b.assume("tie_word_embeddings", strconv.FormatBool(b.arch.tied), "not stated: default of the architecture")
	return b.arch.tied
}

// formats decides the number formats. Quantised weights keep activations at the
// format of the checkpoint.
func (b *builder) formats() {
	c, m := b.c, &b.out.Model
	if c.DType == "" {
		c.DType = inputs.BF16
		if c.Quantization == "" {
			b.assume("torch_dtype", string(inputs.BF16), "not stated: the format of nearly all published checkpoints")
		}
	}
	m.Weights, m.Activation = c.DType, c.DType
	if c.Quantization != "" {
		m.Weights = c.Quantization
		if c.ExpertsOnly {
			m.Dense = c.DType
		}
		if c.WideAttention < 0 || c.WideAttention > 0 && c.WideAttention == c.NumHiddenLayers {
			m.Projections = c.DType
		}
		if c.DType.Bytes() < inputs.BF16.Bytes() {
			m.Activation = inputs.BF16
		}
	}
	m.KV = kvFormat(m.Weights)
}
