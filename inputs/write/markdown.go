package write

import (
	"fmt"
	"strings"

	"partita/inputs/read"
)

// bullet is how Markdown states a field.
type bullet struct{ path, name string }

// part is a section of a Markdown condition.
type part struct {
	title   string
	bullets []bullet
}

// parts are the sections with their bullets. A field without one cannot be stated in
// Markdown: what tells pools apart, a config.json. The name is that of the file.
func parts() []part {
	return []part{
		{"Environment Condition", []bullet{
			{"cluster.accelerator", "GPU type"}, {"cluster.count", "GPUs"}, {"cluster.nodes", "Nodes"}, {"cluster.gpus_per_node", "GPUs per node"},
			{"cluster.flops", "Single-card computing power"}, {"cluster.mfu", "MFU utilization"},
			{"cluster.memory_bandwidth", "VRAM bandwidth"}, {"cluster.bandwidth_utilization", "Bandwidth utilization"},
			{"cluster.memory", "Single-card video memory capacity"}, {"cluster.free_memory", "Free memory"}, {"cluster.memory_utilization", "Memory utilization"},
			{"cluster.intra_link", "Intra-node link"}, {"cluster.network", "Network"}, {"cluster.pcie", "PCIe"}, {"cluster.usd_per_hour", "Price"},
			{"engine", "Serving engine"}, {"knowledge", "Knowledge"},
		}},
		{"Model Configuration", []bullet{
			{"model.catalog", "Model"}, {"model.name", "Model name"}, {"model.parameters", "Weights"}, {"model.layers", "Layers"}, {"model.hidden", "Token dimension"},
			{"model.attention", "Attention"}, {"model.heads", "Heads"}, {"model.kv_heads", "KV heads"}, {"model.head_dim", "Dimension of each head"},
			{"model.v_head_dim", "Value head dimension"}, {"model.q_lora_rank", "Query LoRA rank"}, {"model.kv_lora_rank", "KV LoRA rank"},
			{"model.rope_dim", "Rotary dimension"}, {"model.window", "Sliding window"}, {"model.ffn", "Feed-forward block"},
			{"model.intermediate", "Hidden size of MoE"}, {"model.gated", "Gated FFN"}, {"model.experts", "Experts"}, {"model.top_k", "Top-K gate"},
			{"model.shared_experts", "Shared experts"}, {"model.dense_layers", "Dense layers"}, {"model.dense_intermediate", "Width of dense layers"},
			{"model.vocab", "Vocabulary size"}, {"model.tied", "Tied embeddings"}, {"model.max_context", "Context length"},
			{"model.precision", "Precision"}, {"model.activation_precision", "Activation precision"}, {"model.kv_precision", "KV precision"},
		}},
		{"Input Data", []bullet{
			{"workload.phase", "Phase"}, {"workload.batch", "Batch size"}, {"workload.input", "Sequence In"}, {"workload.output", "Sequence Out"},
			{"workload.sequence", "Sequence Length"}, {"workload.prefix_cache_hit", "Prefix cache hit rate"}, {"workload.speculative.draft_tokens", "Draft tokens"},
			{"workload.speculative.acceptance", "Draft acceptance"}, {"workload.speculative.draft_cost", "Draft cost"}, {"workload.global_batch", "Global batch size"}, {"workload.training.micro_batch", "Micro-batch size"},
			{"workload.training.optimizer", "Optimizer"}, {"workload.training.gradient_precision", "Gradient precision"}, {"workload.training.zero", "ZeRO stage"},
			{"workload.training.recompute", "Activation recompute"}, {"workload.training.virtual_stages", "Virtual stages"}, {"workload.training.sequence_parallel", "Sequence parallel"},
		}},
		{"Basic Performance Requirements", []bullet{
			{"goal.requirements.ttft", "Time to first token (TTFT)"}, {"goal.requirements.tpot", "Time per output token (TPOT)"},
			{"goal.requirements.throughput", "Throughput"}, {"goal.requirements.throughput_per_gpu", "Throughput per GPU"},
			{"goal.requirements.output_throughput", "Output throughput"}, {"goal.requirements.output_throughput_per_gpu", "Output throughput per GPU"},
			{"goal.requirements.cost_per_hour", "Cost per hour"}, {"goal.requirements.e2e", "End-to-end latency"},
			{"goal.requirements.step_time", "Step time"},
			{"goal.objective", "Objective"}, {"goal.weights.latency", "Latency weight"}, {"goal.weights.throughput", "Throughput weight"},
			{"goal.balance", "Balance"}, {"goal.allow_idle", "Idle GPUs allowed"}, {"goal.margin", "Margin"}, {"goal.placement", "Placement"},
		}},
		{"Parallelism Strategy", []bullet{
			{"strategy.gpus", "GPUs"}, {"strategy.tp", "TP"}, {"strategy.pp", "PP"}, {"strategy.ep", "EP"}, {"strategy.cp", "CP"}, {"strategy.dp", "DP"}, {"strategy.sp", "SP"},
			{"strategy.micro_batch_size", "Micro-batch size"}, {"strategy.virtual_stages", "Virtual stages"}, {"strategy.zero", "ZeRO stage"},
			{"strategy.sequence_parallel", "Sequence parallel"}, {"strategy.recompute", "Activation recompute"}, {"strategy.layers", "Layers per stage"},
		}},
	}
}

// markdownFile writes fields in Markdown.
func markdownFile(fields []read.Field) ([]byte, error) {
	byPath := map[string]*read.Field{}
	left := map[string]bool{} // stated, and not written yet
	for i := range fields {
		f := &fields[i]
		byPath[f.Path] = f
		left[f.Path] = f.Origin == read.Stated && f.Path != "name"
	}
	var l layout
	l.WriteString("<!-- A deployment condition. A bullet in a comment is not stated: it shows what holds\n" +
		"without it, or an example. Delete the signs around it to state it. -->\n")
	for _, p := range parts() {
		l.WriteString("\n## " + p.title + "\n\n")
		if p.title == "Environment Condition" {
			for _, text := range pools(byPath, left) {
				l.WriteString("* **GPUs**: " + text + "\n")
			}
		}
		for _, b := range p.bullets {
			f := byPath[b.path]
			if f == nil { // pools are listed, and this is not stated for all of them
				continue
			}
			delete(left, b.path)
			line := "* **" + b.name + "**: " + markdownText(f)
			if f.Origin != read.Stated {
				line = "<!--" + line + "-->"
			}
			l.WriteString(line + " <!-- " + note(f) + " -->\n")
		}
	}
	var cannot []string
	for i := range fields {
		if left[fields[i].Path] {
			cannot = append(cannot, fields[i].Path)
		}
	}
	if len(cannot) > 0 {
		return nil, fmt.Errorf("a condition in Markdown cannot state %s: choose yaml or toml", strings.Join(cannot, ", "))
	}
	return []byte(l.String()), nil
}

// markdownText is the value of a field as a bullet states it.
func markdownText(f *read.Field) string {
	if len(f.Parts) == 0 {
		return f.Text
	}
	var all []string
	for _, p := range f.Parts {
		all = append(all, p.Text+" ("+strings.ToUpper(p.Name)+")")
	}
	return strings.Join(all, ", ")
}

// pools are the texts of listed pools, one a bullet: "2 nodes of 8 × H100-SXM-80GB".
func pools(byPath map[string]*read.Field, left map[string]bool) []string {
	var texts []string
	for i := 0; ; i++ {
		value := func(field string) string {
			path := fmt.Sprintf("cluster.pools.%d.%s", i, field)
			f := byPath[path]
			if f == nil || f.Origin != read.Stated {
				return ""
			}
			delete(left, path)
			return f.Text
		}
		accelerator := value("accelerator")
		if accelerator == "" {
			return texts
		}
		count, nodes, perNode, memory := value("count"), value("nodes"), value("gpus_per_node"), value("memory")
		text := accelerator
		switch {
		case nodes != "" && perNode != "":
			text = nodes + " nodes of " + perNode + " × " + accelerator
		case nodes != "" || perNode != "":
			// The half of it that is stated would be read as another number.
			left[fmt.Sprintf("cluster.pools.%d.nodes", i)] = nodes != ""
			left[fmt.Sprintf("cluster.pools.%d.gpus_per_node", i)] = perNode != ""
		case count != "":
			text = count + " × " + accelerator
		}
		if memory != "" {
			text += " " + memory
		}
		texts = append(texts, text)
	}
}
