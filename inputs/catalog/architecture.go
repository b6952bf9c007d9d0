package catalog

// windowRule tells which layers of a model use its sliding window, where the
// configuration does not list them.
type windowRule int

const (
	everyLayer  windowRule = iota // all of them
	evenLayers                    // layers 0, 2, 4, …; the odd ones are full
	allButNth                     // all but every sliding_window_pattern-th
	laterLayers                   // layers from max_window_layers on
)

// architecture is what a class of models fixes without its configuration saying
// so: the defaults of its configuration class in the transformers library.
type architecture struct {
	names   []string // in "architectures" and "model_type"
	tied    bool     // embedding and head share weights unless stated
	ungated bool     // two FFN matrices instead of three
	window  windowRule
	// pattern of allButNth, where it is not stated.
	pattern int
	// Sizes that published files leave out; 0: always stated.
	heads, kvHeads, headDim, vocab int
}

// architectures lists the classes that are known. Source: the configuration and
// modeling files of each class in the transformers library (src/transformers/models).
func architectures() []architecture {
	return []architecture{
		{names: []string{"LlamaForCausalLM", "llama"}},
		{names: []string{"MistralForCausalLM", "mistral"}},
		{names: []string{"MixtralForCausalLM", "mixtral"}},
		{names: []string{"Qwen2ForCausalLM", "qwen2"}, window: laterLayers},
		{names: []string{"Qwen2MoeForCausalLM", "qwen2_moe"}, window: laterLayers},
		{names: []string{"Qwen3ForCausalLM", "qwen3"}, window: laterLayers, headDim: 128},
		{names: []string{"Qwen3MoeForCausalLM", "qwen3_moe"}, window: laterLayers},
		{names: []string{"DeepseekForCausalLM", "deepseek"}},
		{names: []string{"DeepseekV2ForCausalLM", "deepseek_v2"}},
		{names: []string{"DeepseekV3ForCausalLM", "deepseek_v3", "kimi_k2"}},
		{names: []string{"GptOssForCausalLM", "gpt_oss"}, window: evenLayers, headDim: 64},
		{names: []string{"Glm4MoeForCausalLM", "glm4_moe"}},
		{names: []string{"GemmaForCausalLM", "gemma"}, tied: true, headDim: 256},
		{names: []string{"Gemma2ForCausalLM", "gemma2"}, tied: true, headDim: 256, window: evenLayers},
		{names: []string{"Gemma3ForCausalLM", "Gemma3ForConditionalGeneration", "gemma3", "gemma3_text"},
			tied: true, window: allButNth, pattern: 6, heads: 8, kvHeads: 4, headDim: 256, vocab: 262208},
		{names: []string{"Phi3ForCausalLM", "phi3"}},
		{names: []string{"PhiForCausalLM", "phi"}, ungated: true},
		{names: []string{"Starcoder2ForCausalLM", "starcoder2"}, ungated: true, tied: true},
		{names: []string{"NemotronForCausalLM", "nemotron"}, ungated: true},
		{names: []string{"GPT2LMHeadModel", "gpt2"}, ungated: true, tied: true},
	}
}

// architecture finds the class of a configuration.
func (c *Config) architecture() (architecture, bool) {
	for _, name := range append(append([]string(nil), c.Architectures...), c.ModelType) {
		for _, a := range architectures() {
			for _, known := range a.names {
				if name == known {
					return a, true
				}
			}
		}
	}
	return architecture{}, false
}

// windowOnRequest reports a class that ignores its window unless asked.
func (c *Config) windowOnRequest() bool {
	a, known := c.architecture()
	return known && a.window == laterLayers && len(c.LayerTypes) == 0
}

// architectureName is the class as the configuration writes it.
func (c *Config) architectureName() string {
	if len(c.Architectures) > 0 {
		return c.Architectures[0]
	}
	return c.ModelType
}

// gatedActivations are those of gated units; a class that is not known and uses
// another one is taken to have two FFN matrices.
var gatedActivations = map[string]bool{"silu": true, "swish": true, "swiglu": true, "geglu": true, "gelu_pytorch_tanh": true}
