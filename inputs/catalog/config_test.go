package catalog

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partita/inputs"
)

// base is a small configuration of a Llama-like model; more fields follow it.
func base(more string) string {
	return `{"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "num_hidden_layers": 6, "num_attention_heads": 4, "num_key_value_heads": 2,
"intermediate_size": 128, "vocab_size": 100, "max_position_embeddings": 4096, "tie_word_embeddings": false, "torch_dtype": "bfloat16"` + more + `}`
}

func as(class, text string) string { return strings.Replace(text, "LlamaForCausalLM", class, 1) }

// pattern writes the kind of each layer: w window, m routed, W both, d dense.
func pattern(m inputs.Model) string {
	var b strings.Builder
	for _, k := range m.Layers {
		kind := m.Kinds[k]
		switch {
		case kind.Attention.Window > 0 && kind.FFN.Experts > 0:
			b.WriteByte('W')
		case kind.Attention.Window > 0:
			b.WriteByte('w')
		case kind.FFN.Experts > 0:
			b.WriteByte('m')
		default:
			b.WriteByte('d')
		}
	}
	return b.String()
}

func TestLayerPatterns(t *testing.T) {
	const experts = `, "num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 32`
	for _, test := range []struct{ name, text, want string }{
		{"plain", base(""), "dddddd"},
		{"window everywhere", as("MistralForCausalLM", base(`, "sliding_window": 512`)), "wwwwww"},
		{"null window", as("MistralForCausalLM", base(`, "sliding_window": null`)), "dddddd"},
		{"window as long as the context", as("Phi3ForCausalLM", base(`, "sliding_window": 4096`)), "dddddd"},
		{"window switched off", as("Qwen2ForCausalLM", base(`, "sliding_window": 512, "use_sliding_window": false, "max_window_layers": 2`)), "dddddd"},
		{"window not asked for", as("Qwen2ForCausalLM", base(`, "sliding_window": 512, "max_window_layers": 2`)), "dddddd"},
		{"window of later layers", as("Qwen2ForCausalLM", base(`, "sliding_window": 512, "use_sliding_window": true, "max_window_layers": 2`)), "ddwwww"},
		{"even layers", as("Gemma2ForCausalLM", base(`, "sliding_window": 512`)), "wdwdwd"},
		{"all but the sixth", as("Gemma3ForCausalLM", base(`, "sliding_window": 512`)), "wwwwwd"},
		{"all but every third", as("Gemma3ForCausalLM", base(`, "sliding_window": 512, "sliding_window_pattern": 3`)), "wwdwwd"},
		{"listed", base(`, "sliding_window": 512, "layer_types": ["full_attention", "sliding_attention", "sliding_attention", "full_attention", "full_attention", "sliding_attention"]`), "dwwddw"},
		{"chunked", base(`, "attention_chunk_size": 512, "layer_types": ["chunked_attention", "chunked_attention", "chunked_attention", "full_attention", "chunked_attention", "full_attention"]`), "wwwdwd"},
		{"experts everywhere", as("MixtralForCausalLM", base(`, "num_local_experts": 8, "num_experts_per_tok": 2`)), "mmmmmm"},
		{"leading dense", as("DeepseekV3ForCausalLM", base(strings.Replace(experts, "num_experts\"", "n_routed_experts\"", 1)+`, "first_k_dense_replace": 2`)), "ddmmmm"},
		{"every second", as("Qwen3MoeForCausalLM", base(experts+`, "decoder_sparse_step": 2`)), "dmdmdm"},
		{"moe frequency", as("DeepseekV2ForCausalLM", base(experts+`, "moe_layer_freq": 3`)), "mddmdd"},
		{"excepted layers", as("Qwen3MoeForCausalLM", base(experts+`, "mlp_only_layers": [0, 5]`)), "dmmmmd"},
		{"experts and windows", as("GptOssForCausalLM", base(`, "num_local_experts": 8, "num_experts_per_tok": 2, "experts_per_token": 2, "sliding_window": 128`)), "WmWmWm"},
	} {
		r := ParseConfig([]byte(test.text))
		if got := pattern(r.Model); got != test.want || len(r.Problems) > 0 {
			t.Errorf("%s: %s, want %s; problems %v", test.name, got, test.want, r.Problems)
		}
	}
}

func TestBlocks(t *testing.T) {
	for _, test := range []struct {
		name, text string
		attention  inputs.Attention
		ffn        inputs.FFN
	}{
		{"grouped heads", base(""),
			inputs.Attention{Kind: inputs.GQA, Heads: 4, KVHeads: 2, HeadDim: 16, VHeadDim: 16}, inputs.FFN{Intermediate: 128, Gated: true}},
		{"stated head width", base(`, "head_dim": 32`),
			inputs.Attention{Kind: inputs.GQA, Heads: 4, KVHeads: 2, HeadDim: 32, VHeadDim: 32}, inputs.FFN{Intermediate: 128, Gated: true}},
		{"as many key-value heads", strings.Replace(base(""), `"num_key_value_heads": 2,`, "", 1),
			inputs.Attention{Kind: inputs.GQA, Heads: 4, KVHeads: 4, HeadDim: 16, VHeadDim: 16}, inputs.FFN{Intermediate: 128, Gated: true}},
		{"width of the class", as("Gemma2ForCausalLM", base("")),
			inputs.Attention{Kind: inputs.GQA, Heads: 4, KVHeads: 2, HeadDim: 256, VHeadDim: 256}, inputs.FFN{Intermediate: 128, Gated: true}},
		{"latent", as("DeepseekV3ForCausalLM", base(`, "q_lora_rank": 24, "kv_lora_rank": 8, "qk_rope_head_dim": 4, "qk_nope_head_dim": 12, "v_head_dim": 10`)),
			inputs.Attention{Kind: inputs.MLA, Heads: 4, KVHeads: 4, HeadDim: 16, VHeadDim: 10, QLoraRank: 24, KVLoraRank: 8, RopeDim: 4}, inputs.FFN{Intermediate: 128, Gated: true}},
		{"shared experts by number", as("DeepseekV3ForCausalLM", base(`, "n_routed_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "n_shared_experts": 2`)),
			inputs.Attention{Kind: inputs.GQA, Heads: 4, KVHeads: 2, HeadDim: 16, VHeadDim: 16}, inputs.FFN{Intermediate: 32, Gated: true, Experts: 8, TopK: 2, Shared: 64}},
		{"shared expert by width", as("Qwen2MoeForCausalLM", base(`, "num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "shared_expert_intermediate_size": 48`)),
			inputs.Attention{Kind: inputs.GQA, Heads: 4, KVHeads: 2, HeadDim: 16, VHeadDim: 16}, inputs.FFN{Intermediate: 32, Gated: true, Experts: 8, TopK: 2, Shared: 48}},
		{"two matrices", as("Starcoder2ForCausalLM", base("")),
			inputs.Attention{Kind: inputs.GQA, Heads: 4, KVHeads: 2, HeadDim: 16, VHeadDim: 16}, inputs.FFN{Intermediate: 128}},
		{"two matrices by the activation", as("NovelForCausalLM", base(`, "hidden_act": "relu"`)),
			inputs.Attention{Kind: inputs.GQA, Heads: 4, KVHeads: 2, HeadDim: 16, VHeadDim: 16}, inputs.FFN{Intermediate: 128}},
	} {
		r := ParseConfig([]byte(test.text))
		if len(r.Problems) > 0 || len(r.Model.Kinds) != 1 {
			t.Errorf("%s: problems %v, kinds %v", test.name, r.Problems, r.Model.Kinds)
			continue
		}
		if k := r.Model.Kinds[0]; k.Attention != test.attention || k.FFN != test.ffn {
			t.Errorf("%s: %+v", test.name, k)
		}
	}
}

func TestNumberFormats(t *testing.T) {
	for _, test := range []struct {
		more                    string
		weights, activation, kv inputs.DType
	}{
		{``, inputs.BF16, inputs.BF16, inputs.BF16},
		{`, "quantization_config": null`, inputs.BF16, inputs.BF16, inputs.BF16},
		{`, "quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]}`, inputs.FP8, inputs.BF16, inputs.FP8},
		{`, "quantization_config": {"quant_method": "fbgemm_fp8"}`, inputs.FP8, inputs.BF16, inputs.FP8},
		{`, "quantization_config": {"quant_method": "awq", "bits": 4}`, inputs.INT4, inputs.BF16, inputs.FP8},
		{`, "quantization_config": {"quant_method": "gptq", "bits": 8}`, inputs.INT8, inputs.BF16, inputs.INT8},
		{`, "quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": true}`, inputs.INT4, inputs.BF16, inputs.FP8},
		{`, "quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": true}`, inputs.INT8, inputs.BF16, inputs.INT8},
		{`, "quantization_config": {"quant_method": "modelopt", "quant_algo": "NVFP4"}`, inputs.FP4, inputs.BF16, inputs.FP8},
		{`, "quantization_config": {"quant_method": "modelopt", "quant_algo": "FP8"}`, inputs.FP8, inputs.BF16, inputs.FP8},
		{`, "quantization_config": {"quant_method": "mxfp4"}`, inputs.FP4, inputs.BF16, inputs.FP8},
		{`, "quantization_config": {"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "float"}}}}`, inputs.FP8, inputs.BF16, inputs.FP8},
		{`, "quantization_config": {"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "int"}}}}`, inputs.INT8, inputs.BF16, inputs.INT8},
		{`, "quantization_config": {"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "int"}}}}`, inputs.INT4, inputs.BF16, inputs.FP8},
		{`, "quantization_config": {"quant_method": "quark", "global_quant_config": {"weight": {"dtype": "fp8_e4m3"}}}`, inputs.FP8, inputs.BF16, inputs.FP8},
	} {
		r := ParseConfig([]byte(base(test.more)))
		if m := r.Model; len(r.Problems) > 0 || m.Weights != test.weights || m.Activation != test.activation || m.KV != test.kv {
			t.Errorf("%s: weights %s, activations %s, KV %s; problems %v", test.more, m.Weights, m.Activation, m.KV, r.Problems)
		}
	}
	half := ParseConfig([]byte(strings.Replace(base(""), `"torch_dtype": "bfloat16"`, `"dtype": "float16"`, 1)))
	if half.Model.Weights != inputs.FP16 {
		t.Errorf("dtype float16 is %s", half.Model.Weights)
	}
}

func TestPartlyQuantised(t *testing.T) {
	partly := ParseConfig([]byte(base(`, "quantization_config": {"quant_method": "fp8", "modules_to_not_convert": ["model.layers.*.self_attn", "lm_head"]}`)))
	if len(partly.Warnings) != 1 || !strings.Contains(partly.Warnings[0], "self_attn") {
		t.Errorf("warnings %q", partly.Warnings)
	}
	experts := ParseConfig([]byte(base(`, "quantization_config": {"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn", "lm_head"]}`)))
	if m := experts.Model; len(experts.Warnings) != 0 || m.Weights != inputs.FP4 || m.Dense != inputs.BF16 {
		t.Errorf("experts alone quantised: %s beside %s, warnings %q", m.Weights, m.Dense, experts.Warnings)
	}
	head := ParseConfig([]byte(base(`, "quantization_config": {"quant_method": "awq", "bits": 4, "modules_to_not_convert": ["lm_head"]}`)))
	if len(head.Warnings) != 0 {
		t.Errorf("warnings %q", head.Warnings)
	}
}

// Attention that is left out of quantising in every layer is planned in the format of the
// activations; of some layers it is not.
func TestAttentionLeftOut(t *testing.T) {
	every := `"model.layers.0.self_attn.q_proj"`
	for l := 1; l < 6; l++ {
		every += fmt.Sprintf(`, "model.layers.%d.self_attn.q_proj"`, l)
	}
	for _, c := range []struct {
		modules string
		want    inputs.DType
		warned  bool
	}{
		{`"self_attn"`, inputs.BF16, false},
		{every + `, "model.layers.0.self_attn.o_proj", "model.layers.0.mlp.up_proj"`, inputs.BF16, true},
		{`"model.layers.1.self_attn.q_proj"`, "", true},
		{`"lm_head"`, "", false},
	} {
		e := ParseConfig([]byte(base(`, "quantization_config": {"quant_method": "fbgemm_fp8", "modules_to_not_convert": [` + c.modules + `]}`)))
		if e.Model.Weights != inputs.FP8 || e.Model.Projections != c.want || (len(e.Warnings) > 0) != c.warned {
			t.Errorf("%s: %s, attention %q, warnings %q", c.modules, e.Model.Weights, e.Model.Projections, e.Warnings)
		}
	}
}

// Each contradiction is one problem, at the line of the field.
func TestProblems(t *testing.T) {
	const experts = `, "num_experts": 8, "moe_intermediate_size": 32`
	for _, test := range []struct {
		text string
		line int
		want string
	}{
		{base(",\n\"num_experts\": 8, \"n_routed_experts\": 16, \"num_experts_per_tok\": 2"), 3, "n_routed_experts contradicts the same fact at line 3"},
		{base(",\n\"dtype\": \"float16\""), 3, "dtype contradicts the same fact at line 2"},
		{base(",\n\"vocab_size\": 100"), 3, "vocab_size is stated twice"},
		{base(experts), 2, "num_experts_per_tok is missing"},
		{base(experts + ",\n\"num_experts_per_tok\": 9"), 3, "9 experts a token of 8"},
		{base(",\n\"num_experts_per_tok\": 2"), 3, "their number is missing"},
		{base(",\n\"layer_types\": [\"full_attention\"]"), 3, "layer_types lists 1 layers, num_hidden_layers says 6"},
		{base(",\n\"layer_types\": [\"linear_attention\",\"linear_attention\",\"linear_attention\",\"linear_attention\",\"linear_attention\",\"full_attention\"]"), 3, `layer_types holds "linear_attention"`},
		{base(",\n\"layer_types\": [\"sliding_attention\",\"full_attention\",\"full_attention\",\"full_attention\",\"full_attention\",\"full_attention\"]"), 3, "sliding_window is missing"},
		{base(",\n\"kv_lora_rank\": 8, \"qk_rope_head_dim\": 4, \"qk_nope_head_dim\": 4"), 3, "v_head_dim is missing"},
		{base(",\n\"first_k_dense_replace\": 7"), 3, "first_k_dense_replace 7 exceeds the 6 layers"},
		{base(",\n\"mlp_only_layers\": [6]"), 3, "mlp_only_layers names layer 6 of 6"},
		{base(",\n\"is_encoder_decoder\": true"), 3, "an encoder-decoder model"},
		{base(",\n\"linear_num_key_heads\": 16"), 3, "a hybrid of full and linear attention"},
		{base(",\n\"head_dim\": 12.5"), 3, "head_dim is 12.5"},
		{base(",\n\"head_dim\": true"), 3, "head_dim is true"},
		{base(",\n\"head_dim\": 1e99"), 3, "head_dim is 1e99"},
		{base(",\n\"use_sliding_window\": 1"), 3, "use_sliding_window is 1"},
		{base(",\n\"quantization_config\": {\"quant_method\": \"novel\"}"), 3, `weights of method "novel"`},
		{base(",\n\"quantization_config\": {\"quant_method\": \"gptq\", \"bits\": 3}"), 3, `weights of method "gptq"`},
		{strings.Replace(base(""), "bfloat16", "complex64", 1), 2, "complex64"},
		{strings.Replace(base(""), `"num_attention_heads": 4`, `"num_attention_heads": 3`, 1), 1, "3 query heads do not divide into 2"},
		{strings.Replace(base(""), `"num_key_value_heads": 2`, `"num_key_value_heads": 8`, 1), 1, "8 key-value heads for 4 query heads"},
		{strings.Replace(base(""), `"hidden_size": 64`, `"hidden_size": 66`, 1), 1, "hidden_size 66 does not divide into 4 heads"},
		{strings.Replace(base(""), `"hidden_size": 64, `, ``, 1), 0, "hidden_size is missing"},
		{strings.Replace(base(""), `"intermediate_size": 128`, `"intermediate_size": 0`, 1), 2, "intermediate_size is missing"},
		{"[1, 2]", 1, "the configuration is a list"},
		{"", 1, "the JSON ends early"},
		{"{\n\"a\": 1,\n", 3, "the JSON ends early"},
		{"{\n\"a\": nope}", 2, "not JSON"},
		{"{}\n{}", 2, "text after the end"},
		{strings.Repeat("[", 100), 1, "nested too deeply"},
	} {
		r := ParseConfig([]byte(test.text))
		i := slices.IndexFunc(r.Problems, func(p Problem) bool { return strings.Contains(p.Text, test.want) })
		if i < 0 {
			t.Errorf("no problem %q in %v", test.want, r.Problems)
			continue
		}
		if p := r.Problems[i]; p.Line != test.line || p.Line > 0 && p.Col == 0 {
			t.Errorf("%q is at %d:%d, want line %d", test.want, p.Line, p.Col, test.line)
		}
	}
}

// A multimodal model is planned by its language model.
func TestNestedLanguageModel(t *testing.T) {
	r := ParseConfig([]byte(`{
  "architectures": ["Gemma3ForConditionalGeneration"],
  "hidden_size": 7,
  "torch_dtype": "bfloat16",
  "text_config": {
    "hidden_size": 2560, "num_hidden_layers": 34, "intermediate_size": 10240, "sliding_window": 1024, "model_type": "gemma3_text"
  },
  "vision_config": {"hidden_size": 1152}
}`))
	m, ok := load(t).Model("Gemma-3-4B")
	if !ok || len(r.Problems) > 0 {
		t.Fatal(r.Problems)
	}
	if r.Model.Hidden != 2560 || !slices.Equal(r.Model.Kinds, m.Kinds) || !slices.Equal(r.Model.Layers, m.Layers) || r.Model.Vocab != m.Vocab || !r.Model.Tied || r.Model.Weights != inputs.BF16 {
		t.Errorf("%+v, want %+v", r.Model, m)
	}
	if len(r.Warnings) != 1 || len(r.Assumptions) != 5 { // four defaults of the class, and tying
		t.Errorf("warnings %q, assumptions %v", r.Warnings, r.Assumptions)
	}
	var uses []string
	for _, n := range r.Notes {
		uses = append(uses, fmt.Sprintf("%d %s → %s", n.Line, n.Text, n.UsedAs))
	}
	all := strings.Join(uses, "\n")
	for _, want := range []string{
		"3 hidden_size: 7 → not used: ",
		"4 torch_dtype: bfloat16 → model: number format",
		"5 text_config: {hidden_size: 2560",
		"6 text_config.hidden_size: 2560 → model: hidden width",
		"8 vision_config: {hidden_size: 1152} → not used: only the language model is planned",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no note %q in\n%s", want, all)
		}
	}
}

// Whatever the shapes, the model has the layers, sizes and parameters stated.
func TestBuildKeepsShapes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string, low, high int) int { return rapid.IntRange(low, high).Draw(t, name) }
		kv := draw("kv", 1, 8)
		c := Config{
			Architectures: []string{"Qwen3MoeForCausalLM"}, HiddenSize: draw("hidden", 1, 512), NumHiddenLayers: draw("layers", 1, 40),
			NumAttentionHeads: kv * draw("group", 1, 8), NumKeyValueHeads: kv, HeadDim: draw("head", 1, 256),
			IntermediateSize: draw("ffn", 1, 4096), VocabSize: draw("vocab", 1, 1000),
			NumExperts: draw("experts", 0, 16), MoEIntermediateSize: draw("width", 1, 64), FirstKDenseReplace: draw("dense", 0, 3),
		}
		c.FirstKDenseReplace = min(c.FirstKDenseReplace, c.NumHiddenLayers)
		if c.NumExperts > 0 {
			c.NumExpertsPerTok = draw("topk", 1, c.NumExperts)
		} else {
			c.MoEIntermediateSize = 0
		}
		r := c.Build()
		if len(r.Problems) > 0 {
			t.Fatal(r.Problems)
		}
		m := r.Model
		if len(m.Layers) != c.NumHiddenLayers || m.Hidden != c.HiddenSize || m.Vocab != c.VocabSize {
			t.Fatalf("%+v", m)
		}
		routed := 0
		for _, k := range m.Layers {
			if m.Kinds[k].FFN.Experts > 0 {
				routed++
			}
		}
		if want := c.NumHiddenLayers - c.FirstKDenseReplace; c.NumExperts > 0 && routed != want || c.NumExperts == 0 && routed != 0 {
			t.Fatalf("%d routed layers", routed)
		}
		c.NumHiddenLayers++
		if more := c.Build().Model; parameters(more) <= parameters(m) {
			t.Fatal("a further layer adds no parameters")
		}
	})
}
