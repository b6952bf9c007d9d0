package read_test

import (
	"fmt"
	"strings"
	"testing"

	"partita/inputs/read"
)

func ExampleLoad() {
	c, err := read.Load(read.Options{
		Paths: []string{"-"},
		Stdin: strings.NewReader("## Environment Condition\n" +
			"* **GPUs**: 2 nodes of 8×H100-80GB\n" +
			"## Model Configuration\n" +
			"* **Model**: Llama-3.1-70B\n" +
			"## Basic Performance Requirements\n" +
			"* **Time to first token (TTFT)**: 2s\n"),
		Overrides: []read.Override{{Key: "workload.batch", Value: "64"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range c.Statements {
		fmt.Printf("%s → %s\n", s.Text, s.UsedAs)
	}
	// Output:
	// **GPUs**: 2 nodes of 8×H100-80GB → cluster: accelerator H100-80GB; cluster: number of GPUs 16; cluster: number of nodes 2; cluster: GPUs of a node 8
	// **Model**: Llama-3.1-70B → model: from the catalogue, Llama-3.1-70B
	// **Time to first token (TTFT)**: 2s → requirement: ttft ≤ 2 s
	// workload.batch: 64 → workload: sequences in flight 64
}

func ExampleDiagnostics() {
	_, err := read.Load(read.Options{Paths: []string{"-"}, Stdin: strings.NewReader("## Input Data\n* **Batch sise**: 64\n")})
	fmt.Println(err)
	// Output:
	// -:2:3: unknown statement "Batch sise" in "**Batch sise**: 64", want a known name; did you mean "Batch size"?
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := read.Load(read.Options{Paths: []string{"../../examples/qwen3-235b-unlimited-64gb.md"}}); err != nil {
			b.Fatal(err)
		}
	}
}
