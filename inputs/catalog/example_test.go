package catalog_test

import (
	"fmt"
	"log"

	"partita/inputs"
	"partita/inputs/catalog"
)

func Example() {
	c, err := catalog.Load()
	if err != nil {
		log.Fatal(err)
	}
	gpu, _ := c.Accelerator("NVIDIA A100-SXM4-80GB")
	fmt.Printf("%s: %d MiB, %.0f TFLOP/s\n", gpu.Name, gpu.MemoryBytes>>20, gpu.FLOPS[inputs.BF16]/1e12)
	fmt.Println("A100 could also mean", c.Variants("A100"))

	model, _ := c.Model("meta-llama/Llama-3.1-70B-Instruct")
	fmt.Printf("%s: %d layers of width %d in %s\n", model.Name, len(model.Layers), model.Hidden, model.Weights)
	if _, ok := c.Model("Qwen3-30B"); !ok {
		fmt.Println("did you mean", c.SuggestModel("Qwen3-30B")[0])
	}
	// Output:
	// A100-SXM-80GB: 81920 MiB, 312 TFLOP/s
	// A100 could also mean [A100-PCIe-40GB A100-PCIe-80GB A100-SXM-40GB]
	// Llama-3.1-70B: 80 layers of width 8192 in bf16
	// did you mean Qwen3-30B-A3B
}

func ExampleParseConfig() {
	r := catalog.ParseConfig([]byte(`{
  "architectures": ["LlamaForCausalLM"],
  "hidden_size": 4096, "num_hidden_layers": 32, "vocab_size": 32000,
  "num_attention_heads": 32, "num_key_value_heads": 64
}`))
	for _, p := range r.Problems {
		fmt.Printf("%d:%d %s\n", p.Line, p.Col, p.Text)
	}
	// Output:
	// 4:53 64 key-value heads for 32 query heads
	// 0:0 intermediate_size is missing
}
