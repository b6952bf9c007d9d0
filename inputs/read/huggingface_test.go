package read

import (
	"slices"
	"strings"
	"testing"

	"partita/inputs"
	"partita/inputs/catalog"
)

const llamaConfig = `{
  "architectures": ["LlamaForCausalLM"],
  "hidden_size": 4096,
  "num_hidden_layers": 32,
	"num_attention_heads": 32,
  "num_key_value_heads": 8,
  "intermediate_size": 14336,
  "vocab_size": 128256,
  "max_position_embeddings": 8192,
  "rope_scaling": null,
  "rope_theta": 500000.0,
  "bos_token_id": 128000,
  "tie_word_embeddings": false,
  "torch_dtype": "bfloat16"
}
`

// The same facts lead to the same model, from a file and from the catalogue.
func TestHuggingFaceAgreesWithCatalogue(t *testing.T) {
	got, statements, problems := HuggingFace("config.json", []byte(llamaConfig))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	c, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	want, _ := c.Model("Llama-3-8B")
	if !slices.Equal(got.Kinds, want.Kinds) || !slices.Equal(got.Layers, want.Layers) || got.Hidden != want.Hidden || got.Vocab != want.Vocab ||
		got.Tied != want.Tied || got.Weights != want.Weights || got.Activation != want.Activation || got.KV != want.KV || got.MaxContext != want.MaxContext {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got.DeclaredParams != 0 || got.FFNScale != 1 {
		t.Errorf("declared %v, scale %v", got.DeclaredParams, got.FFNScale)
	}
	if n := strings.Count(llamaConfig, `": `); len(statements) != n {
		t.Errorf("%d statements for %d fields", len(statements), n)
	}
}

func TestHuggingFaceStatements(t *testing.T) {
	_, statements, _ := HuggingFace("config.json", []byte(llamaConfig))
	for _, want := range []inputs.Statement{
		{Place: inputs.Place{File: "config.json", Line: 3, Col: 3}, Text: "hidden_size: 4096", UsedAs: "model: hidden width"},
		{Place: inputs.Place{File: "config.json", Line: 5, Col: 2}, Text: "num_attention_heads: 32", UsedAs: "model: query heads"},
		{Place: inputs.Place{File: "config.json", Line: 11, Col: 3}, Text: "rope_theta: 500000.0", UsedAs: "not used: the position code costs the same whatever its constants"},
		{Place: inputs.Place{File: "config.json", Line: 12, Col: 3}, Text: "bos_token_id: 128000", UsedAs: "not used: the tokenizer's"},
		{Place: inputs.Place{File: "config.json", Line: 14, Col: 3}, Text: "torch_dtype: bfloat16", UsedAs: "model: number format of weights and activations"},
	} {
		if !slices.Contains(statements, want) {
			t.Errorf("no statement %+v", want)
		}
	}
	for _, s := range statements {
		if s.UsedAs == "" {
			t.Errorf("%s is used as nothing", s.Text)
		}
	}
}

// All problems are told at once, each at its place.
func TestHuggingFaceProblems(t *testing.T) {
	_, _, problems := HuggingFace("dir/config.json", []byte(`{
  "architectures": ["LlamaForCausalLM"],
  "hidden_size": -1,
  "num_hidden_layers": "many",
  "num_attention_heads": 32,
  "num_key_value_heads": 7,
  "vocab_size": 1000
}`))
	got := problems.Error()
	for _, want := range []string{
		"dir/config.json:3:18: hidden_size is -1, want a whole number from 1 to 1048576",
		`dir/config.json:4:24: num_hidden_layers is the text "many"`,
		"dir/config.json:6:26: 32 query heads do not divide into 7 key-value heads",
		"dir/config.json: intermediate_size is missing",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no problem %q in\n%s", want, got)
		}
	}
	if len(problems) != 4 {
		t.Errorf("%d problems, want 4:\n%s", len(problems), got)
	}
}

func TestHuggingFaceWarnings(t *testing.T) {
	m, problems := HuggingFaceConfig("config.json", []byte(strings.Replace(llamaConfig, "LlamaForCausalLM", "NovelForCausalLM", 1)))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if len(m.Warnings) != 1 || !strings.Contains(m.Warnings[0], "config.json: architecture NovelForCausalLM is not known") {
		t.Errorf("warnings %q", m.Warnings)
	}
}

// No text makes the reader panic, and what it accepts can be planned.
func FuzzHuggingFace(f *testing.F) {
	f.Add([]byte(llamaConfig))
	f.Add([]byte(`{"text_config": {"model_type": "gemma3_text", "hidden_size": 2560, "num_hidden_layers": 34, "intermediate_size": 10240, "sliding_window": 1024}, "model_type": "gemma3", "vision_config": {}}`))
	f.Add([]byte(`{"model_type": "deepseek_v3", "hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4, "kv_lora_rank": 8, "qk_rope_head_dim": 2, "qk_nope_head_dim": 4, "v_head_dim": 4, "n_routed_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 16, "n_shared_experts": 1, "first_k_dense_replace": 1, "intermediate_size": 32, "vocab_size": 100, "quantization_config": {"quant_method": "fp8"}}`))
	f.Add([]byte(`{"a": [[[[{"b": null}]]]], "a": 1e400, "layer_types": ["x", 3]}`))
	f.Add([]byte("{\"hidden_size\"\t: 4096.5, \"sliding_window\": 1e3"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, problems := HuggingFaceConfig("config.json", data)
		for _, p := range problems {
			if p.Problem == "" || p.Place.File != "config.json" {
				t.Errorf("problem %+v", p)
			}
		}
		if len(problems) > 0 {
			return
		}
		if m.Model.Hidden <= 0 || m.Model.Vocab <= 0 || len(m.Model.Layers) == 0 || len(m.Model.Kinds) == 0 {
			t.Fatalf("accepted %+v", m.Model)
		}
		for _, k := range m.Model.Layers {
			kind := m.Model.Kinds[k]
			if kind.Attention.Heads <= 0 || kind.Attention.KVHeads <= 0 || kind.Attention.HeadDim <= 0 || kind.FFN.Intermediate <= 0 ||
				kind.Attention.Window < 0 || kind.FFN.TopK > kind.FFN.Experts {
				t.Fatalf("accepted layer %+v", kind)
			}
		}
	})
}
