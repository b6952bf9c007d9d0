package read

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"partita/inputs"
)

// facts reads a Markdown text and returns the draft.
func facts(t *testing.T, text string) *draft {
	t.Helper()
	d := newDraft()
	readMarkdown(d, testLibrary(t), "c.md", []byte(text))
	return d
}

// show prints a fact as the report does.
func (d *draft) show(path string) string {
	f, ok := d.facts[path]
	if !ok {
		return "-"
	}
	k, _ := d.keyOf(path)
	return k.show(f.value)
}

// One line of each form, and what it states.
func TestMarkdownStatements(t *testing.T) {
	environment, model, input, goals, strategy := "## Environment Condition", "## Model Configuration", "## Input Data", "## Basic Performance Requirements", "## Parallelism Strategy"
	for _, c := range []struct {
		section, line string
		want          map[string]string
	}{
		{environment, "* **GPUs**: Ample GPU resources, no limits.", map[string]string{"cluster.count": "unlimited"}},
		{environment, "* **NPUs **: unlimited", map[string]string{"cluster.count": "unlimited"}},
		{environment, "- XPU cards: as many as needed", map[string]string{"cluster.count": "unlimited"}},
		{environment, "+ Number of GPUs: 16", map[string]string{"cluster.count": "16"}},
		{environment, "1. GPUs: 16 GPUs", map[string]string{"cluster.count": "16"}},
		{environment, "* GPUs: 4..16", map[string]string{"cluster.count": "4-16"}},
		{environment, "* GPUs: up to 16 cards", map[string]string{"cluster.count": "1-16"}},
		{environment, "* GPUs: between 4 and 16 GPUs", map[string]string{"cluster.count": "4-16"}},
		{environment, "* GPUs: from 4 to 16 H100", map[string]string{"cluster.count": "4-16", "cluster.accelerator": "H100"}},
		{environment, "* GPUs: 2 DGX H100 nodes with 8 GPUs each", map[string]string{"cluster.count": "16", "cluster.nodes": "2", "cluster.gpus_per_node": "8", "cluster.accelerator": "H100"}},
		{environment, "* GPUs: 8×H100 (HGX)", map[string]string{"cluster.count": "8", "cluster.accelerator": "H100"}},
		{environment, "* **HCCS**: 392 GB/s bidirectional", map[string]string{"cluster.intra_link": "nvlink 196 GB/s per GPU and direction"}},
		{environment, "* **Ethernet**: 100Gb/s", map[string]string{"cluster.network": "ethernet 12.5 GB/s per GPU and direction"}},
		{environment, "* **Computing power**： 400TFlops；", map[string]string{"cluster.flops": "400 TFLOP/s"}},
		{environment, "* **GPUs**:\u00a0１６", map[string]string{"cluster.count": "16"}},
		{environment, "* GPUs: at least 4", map[string]string{"cluster.count": "at least 4"}},
		{environment, "* **GPUs**: 2 nodes x 8 H100", map[string]string{"cluster.count": "16", "cluster.nodes": "2", "cluster.gpus_per_node": "8", "cluster.accelerator": "H100"}},
		{environment, "* **GPUs**: 2 nodes of 8×H100-80GB", map[string]string{"cluster.count": "16", "cluster.nodes": "2", "cluster.gpus_per_node": "8", "cluster.accelerator": "H100-80GB"}},
		{environment, "* **GPUs**: two nodes with 8 H100 each", map[string]string{"cluster.count": "16", "cluster.nodes": "2", "cluster.gpus_per_node": "8", "cluster.accelerator": "H100"}},
		{environment, "* **GPUs**: 2 nodes with 16 GPUs in total", map[string]string{"cluster.count": "16", "cluster.nodes": "2", "cluster.gpus_per_node": "-"}},
		{environment, "* GPUs: 8xL40S", map[string]string{"cluster.count": "8", "cluster.accelerator": "L40S"}},
		{environment, "* GPUs: 8x L40S", map[string]string{"cluster.count": "8", "cluster.accelerator": "L40S"}},
		{environment, "* GPUs: H100 x 8", map[string]string{"cluster.count": "8", "cluster.accelerator": "H100"}},
		{environment, "* GPUs: 4 NVIDIA GeForce RTX 4090", map[string]string{"cluster.count": "4", "cluster.accelerator": "NVIDIA GeForce RTX 4090"}},
		{environment, "* GPUs: 16 GPUs, 8 GPUs per node", map[string]string{"cluster.count": "16", "cluster.gpus_per_node": "8"}},
		{environment, "* 16 GPUs, 40GB each", map[string]string{"cluster.count": "16", "cluster.memory": "40 GB"}},
		{environment, "* Ample H100 GPUs, no limits", map[string]string{"cluster.count": "unlimited", "cluster.accelerator": "H100"}},
		{environment, "- **GPU resources**: Sufficient GPU resources, no restrictions.", map[string]string{"cluster.count": "unlimited"}},
		{environment, "- GPUs: 8 NPUs with 64GB each", map[string]string{"cluster.count": "8", "cluster.memory": "64 GB"}},
		{environment, "- GPUs: 4 nodes, each with 8 H200 GPUs (141GB)", map[string]string{"cluster.count": "32", "cluster.nodes": "4", "cluster.gpus_per_node": "8", "cluster.accelerator": "H200", "cluster.memory": "141 GB"}},
		{environment, "- VRAM Bandwidth: 1.8 TB/s, bandwidth utilization: 80%", map[string]string{"cluster.memory_bandwidth": "1.8 TB/s", "cluster.bandwidth_utilization": "80 %"}},
		{environment, "- Intra-node: 450GB/s NVLink, inter-node: 400Gbps", map[string]string{"cluster.intra_link": "nvlink 450 GB/s per GPU and direction", "cluster.network": "50 GB/s per GPU and direction"}},
		{environment, "- Network: 400Gbps\n- Inter-node: 400 Gb/s InfiniBand", map[string]string{"cluster.network": "infiniband 50 GB/s per GPU and direction"}},
		{environment, "- CPU: 2 x 64 cores\n- GPUs: 2", map[string]string{"cluster.count": "2"}},
		{environment, "* Nodes: 2", map[string]string{"cluster.nodes": "2"}},
		{environment, "* **Single-card computing power**: 400TFlops.", map[string]string{"cluster.flops": "400 TFLOP/s"}},
		{environment, "* Computing power: 989 TFLOPS (BF16), 1979 TFLOPS (FP8)", map[string]string{"cluster.flops.bf16": "989 TFLOP/s", "cluster.flops.fp8": "1.979 PFLOP/s"}},
		{environment, "* **MFU utilization**: 60%.", map[string]string{"cluster.mfu": "60 %"}},
		{environment, "* **VRAM Bandwidth**: 1.8TBps.", map[string]string{"cluster.memory_bandwidth": "1.8 TB/s"}},
		{environment, "* HBM bandwidth is 2 TB/s", map[string]string{"cluster.memory_bandwidth": "2 TB/s"}},
		{environment, "* **bandwidth utilisation**: 0.8", map[string]string{"cluster.bandwidth_utilization": "80 %"}},
		{environment, "* **Single-card video memory capacity**: 64GB.", map[string]string{"cluster.memory": "64 GB"}},
		{environment, "* NPU memory: 64 GiB", map[string]string{"cluster.memory": "64 GiB"}},
		{environment, "* Memory utilization: 85%", map[string]string{"cluster.memory_utilization": "85 %"}},
		{environment, "* Free memory: [30GB, 50GB]", map[string]string{"cluster.free_memory": "30 GB, 50 GB"}},
		{environment, "* NVLink: 900 GB/s bidirectional", map[string]string{"cluster.intra_link": "nvlink 450 GB/s per GPU and direction"}},
		{environment, "* Interconnect: NVLink 450GB/s", map[string]string{"cluster.intra_link": "nvlink 450 GB/s per GPU and direction"}},
		{environment, "* Network: 100Gb/s RoCE per node", map[string]string{"cluster.network": "ethernet 12.5 GB/s per node and direction"}},
		{environment, "* Price: $2.50 per GPU-hour", map[string]string{"cluster.usd_per_hour": "2.5"}},

		{model, "* **weights**: 10B", map[string]string{"model.parameters": "10B"}},
		{model, "* Parameters: 70B in BF16", map[string]string{"model.parameters": "70B", "model.precision": "bf16"}},
		{model, "* **weights**: FP8", map[string]string{"model.precision": "fp8"}},
		{model, "* Model: Llama-3.1-70B", map[string]string{"model.catalog": "Llama-3.1-70B"}},
		{model, "* **Layers**: 16-layer, Each layer includes Multi-head attention + Mixture of experts, Each layer has 16 experts.",
			map[string]string{"model.layers": "16", "model.attention": "mha", "model.ffn": "moe", "model.experts": "16"}},
		{model, "* **Layers**: 94-layer, Each layer includes GQA + MOE, each layer has 128 experts.", map[string]string{"model.layers": "94", "model.attention": "gqa", "model.ffn": "moe", "model.experts": "128"}},
		{model, "* Layers: 61 layers with MLA and MoE, the first 3 layers are dense, 256 experts, top-8, 1 shared expert",
			map[string]string{"model.layers": "61", "model.attention": "mla", "model.ffn": "moe", "model.dense_layers": "3", "model.experts": "256", "model.top_k": "8", "model.shared_experts": "1"}},
		{model, "* Layers: 32 layers, each with MQA and a dense MLP", map[string]string{"model.layers": "32", "model.attention": "mqa", "model.ffn": "dense"}},
		{model, "* Layers: 16-layer, each layer includes Multi-head attention + Multi-layer perceptron", map[string]string{"model.layers": "16", "model.attention": "mha", "model.ffn": "dense"}},
		{model, "- DeepSeek-V3", map[string]string{"model.catalog": "DeepSeek-V3"}},
		{model, "- **Parameters**: 235B total, 22B active", map[string]string{"model.parameters": "235B"}},
		{model, "- Attention heads: 64 (4 KV heads)", map[string]string{"model.heads": "64", "model.kv_heads": "4"}},
		{model, "- **Dimension of MHA**: 32 heads, each with dimension 128", map[string]string{"model.attention": "mha", "model.heads": "32", "model.head_dim": "128"}},
		{model, "- Precision: FP8 quantization", map[string]string{"model.precision": "fp8"}},
		{model, "- Precision: FP8 weights, BF16 activations, FP8 KV cache", map[string]string{"model.precision": "fp8", "model.activation_precision": "bf16", "model.kv_precision": "fp8"}},
		{model, "* Number of layers: 32", map[string]string{"model.layers": "32"}},
		{model, "* **Token Dimension**: The dimension of each token is 512", map[string]string{"model.hidden": "512"}},
		{model, "* Hidden size: 4096", map[string]string{"model.hidden": "4096"}},
		{model, "* **Dimension of MHA**: The number of heads is 16 and the dimension of each heads is 32", map[string]string{"model.heads": "16", "model.head_dim": "32", "model.attention": "mha"}},
		{model, "* Attention: GQA with 32 heads, 8 KV heads, head dimension 128", map[string]string{"model.heads": "32", "model.kv_heads": "8", "model.head_dim": "128", "model.attention": "gqa"}},
		{model, "* **Hidden size of MOE**: The hidden is of MOE is 1024", map[string]string{"model.intermediate": "1024"}},
		{model, "* Hidden size of MLP: 14336", map[string]string{"model.intermediate": "14336"}},
		{model, "* FFN: dense MLP with SwiGLU", map[string]string{"model.ffn": "dense", "model.gated": "yes"}},
		{model, "* FFN: 2048", map[string]string{"model.intermediate": "2048"}},
		{model, "* FFN type: not gated", map[string]string{"model.gated": "no"}},
		{model, "* **Top-K Gate**: 8", map[string]string{"model.top_k": "8"}},
		{model, "* **GQA kv heads**: 4", map[string]string{"model.kv_heads": "4"}},
		{model, "* **Vocabulary size**: 151,936", map[string]string{"model.vocab": "151936"}},
		{model, "* Precision: `INT4`", map[string]string{"model.precision": "int4"}},
		{model, "* KV cache precision: FP8", map[string]string{"model.kv_precision": "fp8"}},
		{model, "* Attention:\n  - heads: 8\n  - KV heads: 2", map[string]string{"model.heads": "8", "model.kv_heads": "2"}},
		{model, "* **Batch size**: Each batch consists of 128 sequences.", map[string]string{"workload.batch": "128"}},
		{model, "* **Sequence Length**: 128 ~ 10240 tokens per sequences", map[string]string{"workload.sequence": "128-10240"}},

		{input, "* **Sequence Length**: The sequence length for each batch is variable,\n  ranging from [128, 10240].", map[string]string{"workload.sequence": "128-10240"}},
		{input, "* **Sequence In**: 2048", map[string]string{"workload.input": "2048"}},
		{input, "* **Sequence Out**: 2048", map[string]string{"workload.output": "2048"}},
		{input, "* Input/Output length: 2048/512", map[string]string{"workload.input": "2048", "workload.output": "512"}},
		{input, "* Sequence Length: Each sequence consists of 10000 tokens.", map[string]string{"workload.sequence": "10000"}},
		{model, "* **Attention**: 32 heads of 128, 8 KV heads", map[string]string{"model.heads": "32", "model.head_dim": "128", "model.kv_heads": "8"}},
		{model, "* **Heads**: 32 × 128", map[string]string{"model.heads": "32", "model.head_dim": "128"}},
		{model, "* **MLA**: 128 heads, kv_lora_rank 512, q_lora_rank 1536, rope 64", map[string]string{"model.attention": "mla", "model.heads": "128", "model.kv_lora_rank": "512", "model.q_lora_rank": "1536", "model.rope_dim": "64"}},
		{model, "* **Experts**: 256 routed + 1 shared, top-8", map[string]string{"model.experts": "256", "model.shared_experts": "1", "model.top_k": "8"}},
		{model, "* **Precision**: INT4 (AWQ)", map[string]string{"model.precision": "int4"}},
		{input, "* **Sequence Length**：［128，10240］", map[string]string{"workload.sequence": "128-10240"}},
		{input, "* Generation: 512 tokens", map[string]string{"workload.output": "512"}},
		{input, "* ISL: 2k", map[string]string{"workload.input": "2048"}},
		{input, "* Prompt length: min 128, max 512", map[string]string{"workload.input": "128-512"}},
		{input, "* Batch size is 16", map[string]string{"workload.batch": "16"}},
		{input, "| Batch size | 64 requests |", map[string]string{"workload.batch": "64"}},
		{input, "* Phase: decode only", map[string]string{"workload.phase": "decode"}},

		{goals, "- **The time to the first token(TTFT)**: 10s", map[string]string{"goal.requirements.ttft": "≤ 10 s"}},
		{goals, "- TTFT ≤ 2 s", map[string]string{"goal.requirements.ttft": "≤ 2 s"}},
		{goals, "- **Time per output token(TPOT)**:  None", map[string]string{"goal.requirements.tpot": "none"}},
		{goals, "- TPOT: at most 50 ms per token", map[string]string{"goal.requirements.tpot": "≤ 50 ms"}},
		{goals, "- TPOT: 20 tokens/s per user", map[string]string{"goal.requirements.tpot": "≤ 50 ms"}},
		{goals, "- TPOT: at least 20 tokens/s", map[string]string{"goal.requirements.tpot": "≤ 50 ms"}},
		{goals, "- Throughput: at least 100 tokens/s per user", map[string]string{"goal.requirements.tpot": "≤ 10 ms"}},
		{goals, "- **P99 TTFT**: 2 s", map[string]string{"goal.requirements.ttft": "≤ 2 s"}},
		{goals, "- **Throughput per GPU**: 100tokens/ms", map[string]string{"goal.requirements.throughput_per_gpu": "≥ 100000 tokens/s"}},
		{goals, "- Throughput: at least 500 output tokens/s per NPU", map[string]string{"goal.requirements.output_throughput_per_gpu": "≥ 500 tokens/s"}},
		{goals, "- Throughput: 5000 tokens/s", map[string]string{"goal.requirements.throughput": "≥ 5000 tokens/s"}},
		{goals, "- Budget: $120/hour", map[string]string{"goal.requirements.cost_per_hour": "≤ 120 USD/h"}},
		{goals, "- End-to-end latency: 1 min", map[string]string{"goal.requirements.e2e": "≤ 60 s"}},
		{goals, "- TTFT (p99): < 2s", map[string]string{"goal.requirements.ttft": "≤ 2 s"}},
		{goals, "- Throughput: >= 100 tokens/s/GPU", map[string]string{"goal.requirements.throughput_per_gpu": "≥ 100 tokens/s"}},
		{goals, "- Maximize throughput per GPU", map[string]string{"goal.objective": "throughput"}},
		{goals, "- **Fewest GPUs**", map[string]string{"goal.objective": "gpus"}},
		{goals, "- use as few GPUs as possible", map[string]string{"goal.objective": "gpus"}},
		{goals, "- TTFT: 1s\n- No other requirements", map[string]string{"goal.requirements.ttft": "≤ 1 s"}},
		{goals, "- Optimise for throughput", map[string]string{"goal.objective": "throughput"}},
		{goals, "- Minimize: latency", map[string]string{"goal.objective": "latency"}},
		{goals, "- Objective: latency 0.7, throughput 0.3", map[string]string{"goal.objective": "balanced", "goal.weights.latency": "0.7", "goal.weights.throughput": "0.3"}},
		{goals, "- Objective: fewest GPUs", map[string]string{"goal.objective": "gpus"}},
		{goals, "- Balance: 20%", map[string]string{"goal.balance": "20 %"}},
		{goals, "- Idle GPUs allowed: yes", map[string]string{"goal.allow_idle": "yes"}},

		{goals, "- Placement: lanes", map[string]string{"goal.placement": "lanes"}},
		{goals, "- Placement: disaggregated", map[string]string{"goal.placement": "disaggregated"}},
		{goals, "- **PD disaggregation**: yes", map[string]string{"goal.placement": "disaggregated"}},
		{goals, "- PD disaggregation: off", map[string]string{"goal.placement": "pipeline"}},
		{goals, "- Disaggregation: Required.", map[string]string{"goal.placement": "disaggregated"}},
		{goals, "- Disaggregated serving: disable", map[string]string{"goal.placement": "pipeline"}},
		{goals, "- PD disaggregation", map[string]string{"goal.placement": "disaggregated"}},
		{goals, "- Serving: prefill and decode on separate GPUs", map[string]string{"goal.placement": "disaggregated"}},
		{strategy, "- Prefill and decode are disaggregated.", map[string]string{"goal.placement": "disaggregated"}},
		{input, "* **Phase**: prefill and decode disaggregated", map[string]string{"goal.placement": "disaggregated"}},
		{input, "* Phase: prefill and decode", map[string]string{"workload.phase": "mixed"}},

		{strategy, "* **GPUs **: 128", map[string]string{"strategy.gpus": "128"}},
		{strategy, "* **Tensor parallelism**: 16", map[string]string{"strategy.tp": "16"}},
		{strategy, "* Tensor Parallelism (TP): 8-way", map[string]string{"strategy.tp": "8"}},
		{strategy, "* 8-way tensor parallelism", map[string]string{"strategy.tp": "8"}},
		{strategy, "* Pipeline: 2 stages", map[string]string{"strategy.pp": "2"}},
		{strategy, "* TP=8, PP=2, DP 4", map[string]string{"strategy.tp": "8", "strategy.pp": "2", "strategy.dp": "4"}},
		{"**Existing Parallelism Strategy**", "* Expert Parallelism: 16-way (one expert per GPU)\n* Micro-batch size: 4", map[string]string{"strategy.ep": "16", "strategy.micro_batch_size": "4"}},
		{"## Current Parallelism Strategy", "* Sequence parallelism: none", map[string]string{"strategy.sp": "1"}},
	} {
		d := facts(t, c.section+"\n\n"+c.line+"\n")
		if len(d.problems) > 0 {
			t.Errorf("%s: %v", c.line, d.problems)
			continue
		}
		for path, want := range c.want {
			if got := d.show(path); got != want {
				t.Errorf("%s: %s is %q, want %q", c.line, path, got, want)
			}
		}
		for path := range d.facts {
			if _, wanted := c.want[path]; !wanted {
				t.Errorf("%s: states %s too", c.line, path)
			}
		}
		for _, s := range d.statements {
			if s.UsedAs == "" {
				t.Errorf("%s: %q is used as nothing", c.line, s.Text)
			}
		}
	}
}

// The same statements in every dress state the same.
func TestMarkdownForms(t *testing.T) {
	want := facts(t, "## Environment Condition\n* **GPUs**: 8 x H100\n## Input Data\n* **Batch size**: 4\n").facts
	for name, text := range map[string]string{
		"bold title":      "## **Environment Condition**\n- **GPUs**: 8 x H100\n---\n## **Input Data**\n- **Batch size**: 4",
		"one level":       "# Environment Condition\n+ GPUs: 8 x H100\n# Input Data\n+ Batch size: 4",
		"bold lines":      "**Environment Condition**\n\n* GPUs: 8 x H100\n\n**Input Data:**\n* Batch size: 4",
		"bare lines":      "Environment Condition:\n* GPUs: 8 x H100\nInput Data\n* Batch size: 4",
		"numbered titles": "## 1. Environment Condition\n1. GPUs: 8 x H100\n## 2. Input Data\n1) Batch size: 4",
		"fenced":          "```\n## Environment Condition\n* **GPUs**: 8 x H100\n## Input Data\n* **Batch size**: 4\n```\n",
		"tilde fence":     "~~~markdown\n## Environment Condition\n* **GPUs**: 8 x H100\n## Input Data\n* **Batch size**: 4\n~~~",
		"parts fenced":    "## Environment Condition\n```text\n* **GPUs**: 8 x H100\n```\n## Input Data\n```\n* **Batch size**: 4\n```",
		"windows":         "\ufeff## Environment Condition\r\n* **GPUs**: 8 x H100\r\n## Input Data\r\n* **Batch size**: 4\r\n",
		"underlined":      "Environment Condition\n=====\n* GPUs: 8 x H100\n\nInput Data\n---\n* Batch size: 4",
		"table":           "## Environment Condition\n| What | Value |\n|---|---|\n| **GPUs** | 8 x H100 |\n## Input Data\n| Batch size | 4 |",
		"quoted":          "> ## Environment Condition\n> * **GPUs**: 8 x H100\n> ## Input Data\n> * **Batch size**: 4",
		"full width":      "## Environment Condition\n* GPUs：8 x H100\n## Input Data\n* Batch size：4",
		"colon inside":    "## Environment Condition\n* **GPUs:** 8 x H100\n## Input Data\n* **Batch size: 4**",
		"comment":         "<!-- GPUs: 9 -->\n## Environment Condition\n* **GPUs**: 8 x H100 <!-- why\nnot -->\n## Input Data\n* **Batch size**: 4",
		"other section":   "## Environment Condition\n* **GPUs**: 8 x H100\n* **Batch size**: 4",
		"said twice":      "## Environment Condition\n* **GPUs**: 8 x H100\n* NPUs: 8\n## Input Data\n* **Batch size**: 4\n* Batch size: 4 sequences",
	} {
		d := facts(t, text)
		if len(d.problems) > 0 {
			t.Errorf("%s: %v", name, d.problems)
			continue
		}
		if len(d.facts) != len(want) {
			t.Errorf("%s: %d facts, want %d", name, len(d.facts), len(want))
		}
		for path, f := range want {
			if fmt.Sprint(d.facts[path].value) != fmt.Sprint(f.value) {
				t.Errorf("%s: %s is %v, want %v", name, path, d.facts[path].value, f.value)
			}
		}
	}
}

// Pools as bullets and in one line are the same pools.
func TestMarkdownPools(t *testing.T) {
	for _, text := range []string{
		"## Environment\n* GPUs: 8×A100-80 + 8×L40S + 16×T4\n",
		"## Environment\n* GPUs: 8xA100-80 + 8x L40S + 16xT4\n",
		"## Environment\n* GPUs:\n  - 8×A100-80\n  - 8×L40S\n  - 16 x T4\n",
		"## Environment\n* Pool 1: 8×A100-80\n* Pool 2: 8×L40S\n* Pool 3: 16 T4\n",
		"## Environment\n* 8 A100-80\n* 8 L40S\n* 16 T4\n",
	} {
		d := facts(t, text)
		if len(d.problems) > 0 || d.pools != 3 {
			t.Errorf("%s: %d pools, %v", text, d.pools, d.problems)
			continue
		}
		for i, want := range []string{"8 A100-80", "8 L40S", "16 T4"} {
			if got := d.show(poolPath(i, "count")) + " " + d.show(poolPath(i, "accelerator")); got != want {
				t.Errorf("%s: pool %d is %s, want %s", text, i, got, want)
			}
		}
	}
}

// Every problem has its place, text and remedy, and all come at once.
func TestMarkdownProblems(t *testing.T) {
	for _, c := range []struct{ text, at, part string }{
		{"## Environment Condition\n* **GPUs**: 8 x H900", "2:17", "H900"},
		{"## Environment Condition\n* **GPUs**: 8 x H900", "2:17", "did you mean H100"},
		{"## Input Data\n* **Batch sise**: 4", "2:3", `did you mean "Batch size"?`},
		{"## Input Data\n* **Colour**: green", "2:3", "this section knows Batch size"},
		{"## Environment\n* MFU: 160%", "2:8", "at most 100 %"},
		{"## Environment\n* VRAM bandwidth: 1.8Tbps", "2:19", "a lower-case b means bits"},
		{"## Modle Configuration\n* Layers: 3", "1:1", `did you mean "model configuration"?`},
		{"## Input\n* Batch: 3\n## Shopping\n* Batch: 3", "3:1", "unknown section"},
		{"## Model\n* **Layers**: 16-layer, each layer is painted blue", "2:39", "painted blue"},
		{"## Model\n* Precision: FP7", "2:14", "FP16"},
		{"## Model\n* Layers: 16\n* Layers: 17", "3:11", "contradicts 16 (c.md:2:3)"},
		{"## Model\n* weights: 10", "2:12", "10B"},
		{"## Input\n* Batch size: 128 sequences, doubled at night", "2:30", "doubled at night"},
		{"## Input\n* Batch size: 128 or 256", "2:22", "more than one"},
		{"## Input\n* Batch size: -4", "2:15", "out of bounds"},
		{"## Input\n* Sequence length: 10240 ~ 128", "2:20", "[128, 10240]"},
		{"## Input\n* Batch size: not 4", "2:15", "not"},
		{"## Input\n* Batch size:", "2:3", "no value"},
		{"## Goal\n* TTFT: at least 10s", "2:9", "an upper bound"},
		{"## Goal\n* Throughput: at most 10 tokens/s", "2:15", "a lower bound"},
		{"## Goal\n* TPOT: fast", "2:9", "or None"},
		{"## Input\n* Request rate: 10 requests/s", "2:3", "sequences in flight"},
		{"## Goal\n* be nice", "2:3", "latency, throughput"},
		{"## Strategy\n* TP: many", "2:7", "8-way"},
		{"## Strategy\n* TP: 8\n* 4-way tensor parallelism", "3:3", "contradicts 8"},
		{"## Goal\n* TTFT: 1-2 s", "2:9", "no single value"},
		{"## Goal\n* TPTO: 1 s", "2:3", `did you mean "TPOT"?`},
		{"## Goal\n* Throughput: at most 20 tokens/s per user", "2:15", "a lower bound"},
		{"## Input\n* Batch size: 1-128", "2:15", "no sequences in flight"},
		{"## Environment\n* GPUs: one DGX H100", "2:9", "2 nodes of 8×H100"},
		{"## Environment\n* GPUs: 8 x Llama-3.1-70B", "2:13", "partita catalog gpus"},
		{"## Environment\n* **GPUs**： 8 x H900；", "2:17", "**GPUs**： 8 x H900；"}, // as written
		{"", "1:1", "no statement"},
	} {
		d := facts(t, c.text)
		found := false
		for _, p := range d.problems {
			at := fmt.Sprintf("%d:%d", p.Place.Line, p.Place.Col)
			found = found || at == c.at && strings.Contains(p.Error(), c.part)
		}
		if !found {
			t.Errorf("%q: want a problem at %s with %q, got\n%v", c.text, c.at, c.part, d.problems)
		}
	}
	all := facts(t, "## Input\n* Batch size: many\n* Colour: green\n* Output length: 0\n")
	if len(all.problems) != 3 {
		t.Errorf("want three problems at once, got\n%v", all.problems)
	}
}

// The given conditions are read to the last statement.
func TestGivenConditions(t *testing.T) {
	folder := filepath.Join("..", "..", "..", "shared", "conditions")
	if _, err := os.Stat(folder); err != nil {
		t.Skip("the folder of given conditions is not here: " + folder)
	}
	load := func(t *testing.T, name, model string) *inputs.Condition {
		t.Helper()
		c, err := Load(Options{Paths: []string{filepath.Join(folder, name)}, Model: model})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range c.Statements {
			if s.UsedAs == "" {
				t.Errorf("%d: %q is used as nothing", s.Place.Line, s.Text)
			}
		}
		return c
	}
	t.Run("10B", func(t *testing.T) {
		c := load(t, "moe-10b-16experts.md", "")
		if len(c.Statements) != 17 || c.Name != "moe-10b-16experts" || len(c.Warnings) != 1 {
			t.Errorf("%d statements, name %q, warnings %q", len(c.Statements), c.Name, c.Warnings)
		}
		if c.Workload != (inputs.Workload{Phase: inputs.Prefill, Batch: 128, Input: inputs.Range{Min: 128, Max: 10240}}) {
			t.Errorf("workload %+v", c.Workload)
		}
		p := c.Cluster.Pools[0]
		if !p.Count.Unlimited() || p.Accelerator.FLOPS[inputs.FP16] != 400e12 || *p.Accelerator.Efficiency != (inputs.Efficiency{Compute: .6, Bandwidth: .8}) || p.MemoryBytes != 64e9 {
			t.Errorf("pool %+v", p)
		}
		if r := c.Goal.Requirements; len(r) != 2 || r[0].Kind != inputs.TTFT || r[0].Value != 10 || r[1].Kind != inputs.TokensPerSGPU || r[1].Value != 1e5 {
			t.Errorf("requirements %+v", r)
		}
		// 16 layers of 16 gated experts 512·1024 and 4·512² of attention: 0.42B.
		if m := c.Model; m.DeclaredParams != 10e9 || m.FFNScale < 24.5 || m.FFNScale > 25 || m.Kinds[0].FFN.TopK != 2 {
			t.Errorf("model %+v", m)
		}
	})
	t.Run("30B", func(t *testing.T) {
		c := load(t, "moe-30b-64experts.md", "")
		if len(c.Statements) != 14 || c.Workload.Batch != 128 || c.Workload.Input != (inputs.Range{Min: 128, Max: 10240}) || len(c.Goal.Requirements) != 0 {
			t.Errorf("%d statements, %+v, %+v", len(c.Statements), c.Workload, c.Goal)
		}
	})
	t.Run("235B", func(t *testing.T) {
		c := load(t, "qwen3-235b-given-strategy.md", "")
		if s := c.Strategy; s == nil || s.GPUs != 128 || s.TP.At(0) != 16 || s.PP != 4 || s.EP.At(0) != 32 || s.DP != 4 || s.SP != 1 || s.Replicas != 0 {
			t.Errorf("strategy %+v", c.Strategy)
		} else if at := c.Places["strategy.tp"]; at.Line != 39 {
			t.Errorf("TP was stated at %+v", at)
		}
		if c.Workload.Phase != inputs.Mixed || c.Workload.Input.Max != 2048 || c.Workload.Output.Max != 2048 {
			t.Errorf("workload %+v", c.Workload)
		}
		if m := c.Model; m.FFNScale != 1 || m.Kinds[0].Attention.KVHeads != 4 || m.KV != inputs.FP8 || m.Vocab != 151936 || len(m.Layers) != 94 {
			t.Errorf("model %s", m.Name)
		}
	})
	t.Run("hardware", func(t *testing.T) {
		c := load(t, "hardware-env-8xh100.json", "Llama-3-70B")
		p := c.Cluster.Pools[0]
		if len(c.Cluster.Pools) != 1 || p.Count != (inputs.Count{Min: 8, Max: 8}) || p.Intra.BytesPerSecond != 450e9 || p.Nodes[0].GPUs[7] != "node-0/gpu-7" {
			t.Errorf("pools %+v", c.Cluster.Pools)
		}
	})
}

// What is allowed is not asked for: no placement is read out of it.
func TestAllowedIsNoPlacement(t *testing.T) {
	d := facts(t, "## Basic Performance Requirements\n* PD disaggregation: allowed\n")
	if len(d.problems) != 1 || !strings.Contains(d.problems[0].Problem, `"allowed" is not understood`) {
		t.Errorf("%v", d.problems)
	}
}
