package catalog

import "strings"

// field is one field of a configuration: how it is taken and what it is used as.
type field struct {
	name string // the field's first name; others write the same fact
	also []string
	take func(*parser, *entry)
	use  func(*Config) string
}

// Upper ends that keep sums of parameters in range and refuse nonsense. The
// largest published models stay below a tenth of each.
const (
	maxWidth   = 1 << 20
	maxVocab   = 1 << 24
	maxLayers  = 1 << 12
	maxHeads   = 1 << 14
	maxExperts = 1 << 14
	maxTokens  = 1 << 30
)

// fields lists what a plan depends on. Every other field of a configuration is
// noted as not used.
func fields() []field {
	always := func(use string) func(*Config) string { return func(*Config) string { return use } }
	when := func(cond func(*Config) bool, use, otherwise string) func(*Config) string {
		return func(c *Config) string {
			if cond(c) {
				return use
			}
			return "not used: " + otherwise
		}
	}
	routed, latent := (*Config).routed, (*Config).latent
	plain := func(c *Config) bool { return !c.latent() }
	const noExperts, notLatent = "the model routes no experts", "the attention is not latent"
	return []field{
		{name: "architectures", take: texts(func(c *Config) *[]string { return &c.Architectures }), use: always("model: architecture")},
		{name: "model_type", take: text(func(c *Config) *string { return &c.ModelType }), use: always("model: architecture")},
		{name: "hidden_size", take: count(1, maxWidth, func(c *Config) *int { return &c.HiddenSize }), use: always("model: hidden width")},
		{name: "num_hidden_layers", take: count(1, maxLayers, func(c *Config) *int { return &c.NumHiddenLayers }), use: always("model: number of layers")},
		{name: "vocab_size", take: count(1, maxVocab, func(c *Config) *int { return &c.VocabSize }), use: always("model: vocabulary")},
		{name: "max_position_embeddings", take: count(0, maxTokens, func(c *Config) *int { return &c.MaxPositionEmbeddings }), use: always("model: longest context")},
		{name: "tie_word_embeddings", take: yesNo(func(c *Config) **bool { return &c.TieWordEmbeddings }), use: always("model: whether embedding and head share weights")},
		{name: "hidden_act", also: []string{"hidden_activation"}, take: text(func(c *Config) *string { return &c.HiddenAct }), use: always("model: whether the FFN is gated, where the architecture does not tell")},

		{name: "num_attention_heads", take: count(1, maxHeads, func(c *Config) *int { return &c.NumAttentionHeads }), use: always("model: query heads")},
		{name: "num_key_value_heads", take: count(0, maxHeads, func(c *Config) *int { return &c.NumKeyValueHeads }),
			use: when(plain, "model: key and value heads", "latent attention keeps one compressed vector for all heads")},
		{name: "head_dim", take: count(0, maxWidth, func(c *Config) *int { return &c.HeadDim }),
			use: when(plain, "model: width of a head", "latent attention states its widths itself")},
		{name: "q_lora_rank", take: count(0, maxWidth, func(c *Config) *int { return &c.QLoraRank }), use: when(latent, "model: rank of the query projection", notLatent)},
		{name: "kv_lora_rank", take: count(0, maxWidth, func(c *Config) *int { return &c.KVLoraRank }), use: when(latent, "model: latent attention, rank of keys and values", notLatent)},
		{name: "qk_rope_head_dim", take: count(0, maxWidth, func(c *Config) *int { return &c.QKRopeHeadDim }), use: when(latent, "model: rotary width of a head", notLatent)},
		{name: "qk_nope_head_dim", take: count(0, maxWidth, func(c *Config) *int { return &c.QKNopeHeadDim }), use: when(latent, "model: plain width of a head", notLatent)},
		{name: "v_head_dim", take: count(0, maxWidth, func(c *Config) *int { return &c.VHeadDim }), use: when(latent, "model: value width of a head", notLatent)},

		{name: "sliding_window", take: count(0, maxTokens, func(c *Config) *int { return &c.SlidingWindow }), use: useOfWindow},
		{name: "use_sliding_window", take: yesNo(func(c *Config) **bool { return &c.UseSlidingWindow }), use: always("model: whether the sliding window is used")},
		{name: "sliding_window_pattern", also: []string{"_sliding_window_pattern"}, take: count(0, maxLayers, func(c *Config) *int { return &c.SlidingWindowPattern }), use: useOfLayerRule},
		{name: "max_window_layers", take: count(0, maxLayers, func(c *Config) *int { return &c.MaxWindowLayers }), use: useOfLayerRule},
		{name: "attention_chunk_size", take: count(0, maxTokens, func(c *Config) *int { return &c.AttentionChunkSize }),
			use: when((*Config).chunked, "model: window of the chunked layers", "no layer is listed as chunked_attention")},
		{name: "layer_types", take: texts(func(c *Config) *[]string { return &c.LayerTypes }), use: always("model: which layers use the sliding window")},

		{name: "intermediate_size", take: count(0, maxWidth, func(c *Config) *int { return &c.IntermediateSize }), use: useOfIntermediate},
		{name: "intermediate_size_mlp", take: count(0, maxWidth, func(c *Config) *int { return &c.IntermediateSizeMLP }), use: always("model: FFN width of dense layers")},
		{name: "num_experts", also: []string{"num_local_experts", "n_routed_experts", "moe_num_experts"},
			take: count(0, maxExperts, func(c *Config) *int { return &c.NumExperts }), use: always("model: routed experts a layer")},
		{name: "num_experts_per_tok", also: []string{"experts_per_token", "num_experts_per_token", "moe_k"},
			take: count(0, maxExperts, func(c *Config) *int { return &c.NumExpertsPerTok }), use: when(routed, "model: experts a token", noExperts)},
		{name: "moe_intermediate_size", take: count(0, maxWidth, func(c *Config) *int { return &c.MoEIntermediateSize }), use: when(routed, "model: FFN width of an expert", noExperts)},
		{name: "n_shared_experts", also: []string{"num_shared_experts"},
			take: count(0, maxExperts, func(c *Config) *int { return &c.NSharedExperts }), use: when(routed, "model: shared experts a layer", noExperts)},
		{name: "shared_expert_intermediate_size", take: count(0, maxWidth, func(c *Config) *int { return &c.SharedExpertIntermediateSize }),
			use: when(routed, "model: FFN width of the shared expert", noExperts)},
		{name: "first_k_dense_replace", take: count(0, maxLayers, func(c *Config) *int { return &c.FirstKDenseReplace }), use: when(routed, "model: leading dense layers", noExperts)},
		{name: "moe_layer_freq", take: count(0, maxLayers, func(c *Config) *int { return &c.MoELayerFreq }), use: when(routed, "model: which layers route", noExperts)},
		{name: "decoder_sparse_step", also: []string{"interleave_moe_layer_step"},
			take: count(0, maxLayers, func(c *Config) *int { return &c.DecoderSparseStep }), use: when(routed, "model: which layers route", noExperts)},
		{name: "mlp_only_layers", take: counts(maxLayers, func(c *Config) *[]int { return &c.MLPOnlyLayers }), use: when(routed, "model: which layers are dense", noExperts)},

		{name: "torch_dtype", also: []string{"dtype"}, take: takeDType, use: func(c *Config) string {
			if c.Quantization != "" {
				return "model: number format of activations"
			}
			return "model: number format of weights and activations"
		}},
		{name: "quantization_config", take: takeQuantization, use: func(c *Config) string {
			if c.Quantization == "" {
				return "not used: no quantisation stated"
			}
			return "model: number format of weights " + string(c.Quantization)
		}},
	}
}

func useOfWindow(c *Config) string {
	switch {
	case c.SlidingWindow == 0:
		return "model: no sliding window"
	case c.UseSlidingWindow != nil && !*c.UseSlidingWindow:
		return "not used: use_sliding_window is false"
	case c.UseSlidingWindow == nil && c.windowOnRequest():
		return "not used: the architecture uses it only where use_sliding_window is true"
	case c.windowTooLong():
		return "not used: the window is not shorter than the longest context"
	}
	return "model: sliding window of attention"
}

func useOfLayerRule(c *Config) string {
	if len(c.LayerTypes) > 0 {
		return "not used: layer_types lists the layers one by one"
	}
	return "model: which layers use the sliding window"
}

func useOfIntermediate(c *Config) string {
	switch {
	case !c.routed():
		return "model: FFN width"
	case c.MoEIntermediateSize == 0:
		return "model: FFN width of an expert"
	}
	return "model: FFN width of dense layers, if there are any"
}

// unplannable are fields of models that are not a stack of attention and FFN
// layers with a KV cache each; a plan made for them would be wrong.
var unplannable = map[string]string{
	"is_encoder_decoder":      "an encoder-decoder model",
	"ssm_cfg":                 "a state-space model",
	"mamba_d_state":           "a hybrid of attention and state-space layers",
	"hybrid_override_pattern": "a hybrid of attention and state-space layers",
	"layers_block_type":       "a hybrid of attention and state-space layers",
	"attn_layer_period":       "a hybrid of attention and state-space layers",
	"full_attention_interval": "a hybrid of full and linear attention",
	"linear_num_key_heads":    "a hybrid of full and linear attention",
	"linear_attn_config":      "a hybrid of full and linear attention",
	"attn_type_list":          "a hybrid of full and linear attention",
	"block_configs":           "a model whose layers differ one by one",
	"cross_attention_layers":  "a model with cross-attention layers",
	"num_kv_shared_layers":    "a model whose layers share their KV cache",
	"zero_expert_num":         "a model with experts that compute nothing",
}

// unused gives the reason why a field that is often met changes no plan.
func unused(name string) string {
	switch {
	case name == "num_nextn_predict_layers":
		return "multi-token-prediction layers are not served"
	case strings.HasSuffix(name, "_token_id") || strings.HasSuffix(name, "_token_index"):
		return "the tokenizer's"
	case strings.HasPrefix(name, "rope_") || name == "partial_rotary_factor" || name == "original_max_position_embeddings":
		return "the position code costs the same whatever its constants"
	case strings.HasSuffix(name, "bias") || strings.HasSuffix(name, "_bias"):
		return "biases are below 0.1 % of the weights"
	case name == "index_topk":
		return "attention is planned as full, not as the sparse selection"
	case strings.HasSuffix(name, "_config") || strings.HasPrefix(name, "vision") || strings.HasPrefix(name, "image") || strings.HasPrefix(name, "mm_"):
		return "only the language model is planned"
	case strings.Contains(name, "dropout") || strings.HasPrefix(name, "initializer") || strings.Contains(name, "aux_loss") || name == "pretraining_tp":
		return "it matters in training alone"
	case name == "transformers_version" || name == "auto_map" || strings.HasPrefix(name, "_"):
		return "it describes the file"
	}
	return "no cost in the model depends on it"
}
