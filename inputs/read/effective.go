package read

import (
	"cmp"

	"partita/inputs"
)

// effective are the values that hold in a condition, by the path of their key: what
// is stated and what stands for the rest. Stating one of them that is not stated
// changes nothing. Fields of the cluster are those of one pool. What has no value
// that could be stated (a utilisation that is no figure of its own, the imbalance
// that gives way) is left out.
func (d *draft) effective(c *inputs.Condition, pool int) map[string]any {
	values := map[string]any{"cluster.network": wire{Link: c.Cluster.Network}}
	if len(c.Cluster.Pools) == max(d.pools, 1) { // else a pool was split or merged
		d.effectivePool(values, c.Cluster.Pools[pool], c.Model, pool)
	}
	for _, r := range requirements() {
		values[r.path()] = bound{None: true}
	}
	values["goal.objective"], values["goal.allow_idle"] = c.Goal.Objective, c.Goal.AllowIdle
	if c.Model.Graph != nil { // no shapes, no workload, nothing to weigh
		values["model.name"], values["model.precision"] = c.Model.Name, c.Model.Weights
		return values
	}
	d.effectiveModel(values, c.Model)
	w := c.Workload
	values["goal.placement"] = cmp.Or(c.Goal.Placement, inputs.Pipeline)
	if t := w.Training; t != nil {
		effectiveTraining(values, w)
		return values
	}
	values["workload.phase"], values["workload.batch"], values["workload.input"] = w.Phase, w.Batch, w.Input
	values["workload.sequence"] = w.Input
	if d.has("workload.input") {
		values["workload.sequence"] = inputs.Range{Min: w.Input.Min + w.Output.Min, Max: w.Input.Max + w.Output.Max}
	}
	if w.Output.Max > 0 {
		values["workload.output"] = w.Output
	}
	if w.PrefixCacheHit > 0 {
		values["workload.prefix_cache_hit"] = w.PrefixCacheHit
	}
	if s := w.Speculative; s.DraftTokens > 0 {
		values["workload.speculative.draft_tokens"], values["workload.speculative.acceptance"], values["workload.speculative.draft_cost"] = s.DraftTokens, s.Acceptance, s.DraftCost
	}
	values["goal.weights.latency"], values["goal.weights.throughput"] = c.Goal.LatencyWeight, c.Goal.ThroughputWeight
	return values
}

// effectiveTraining are the values that hold in a training step. What the search decides
// has none.
func effectiveTraining(values map[string]any, w inputs.Workload) {
	t := w.Training
	values["workload.phase"], values["workload.sequence"] = w.Phase, w.Input
	values["workload.global_batch"] = globalBatch{Count: float64(w.Batch)}
	values["workload.training.optimizer"] = t.OptimizerBytes
	format := inputs.FP32
	if t.GradientBytes == inputs.BF16.Bytes() {
		format = inputs.BF16
	}
	values["workload.training.gradient_precision"] = format
}

func (d *draft) effectivePool(values map[string]any, p inputs.Pool, m inputs.Model, pool int) {
	a := p.Accelerator
	set := func(field string, v any, known bool) {
		if known {
			values["cluster."+field] = v
		}
	}
	_, _, named := poolFact[string](d, pool, "accelerator")
	_, _, counted := poolFact[inputs.Count](d, pool, "count")
	_, _, byNodes := poolFact[int](d, pool, "nodes")
	_, _, byHost := poolFact[[]hostShare](d, pool, "hosts")
	_, _, onHost := poolFact[string](d, pool, "host")
	set("name", p.Name, true)
	set("accelerator", a.Name, named)
	set("count", p.Count, true)
	// Beside no count they would be one.
	whole := p.Count.Stated() && p.Count.Max == len(p.Nodes)*p.GPUsPerNode
	set("nodes", len(p.Nodes), whole && (counted || byNodes) && !onHost)
	set("gpus_per_node", p.GPUsPerNode, counted && (whole || !byNodes) || byHost)
	set("memory", a.MemoryBytes, true)
	set("free_memory", []int64{p.MemoryBytes}, true)
	set("memory_utilization", p.Utilization, true)
	set("memory_bandwidth", a.MemoryBandwidth, true)
	if e := a.Efficiency; e != nil {
		set("mfu", e.Compute, true)
		set("bandwidth_utilization", e.Bandwidth, e.Bandwidth > 0)
	}
	set("intra_link", wire{Link: p.Intra}, p.Intra.Kind != inputs.LinkPair && p.Intra.PairBytesPerSecond == 0)
	set("pcie", a.PCIe, a.PCIe > 0)
	set("usd_per_hour", p.USDPerHour, p.USDPerHour > 0)
	for _, format := range []inputs.DType{m.Weights, m.Activation} {
		set("flops."+string(format), a.FLOPS[format], a.FLOPS[format] > 0)
	}
}

func (d *draft) effectiveModel(values map[string]any, m inputs.Model) {
	set := func(field string, v any, known bool) {
		if known {
			values["model."+field] = v
		}
	}
	kind := m.Kinds[m.Layers[len(m.Layers)-1]]
	a, f := kind.Attention, kind.FFN
	byName := d.model != nil || !d.has("model.layers") && !d.has("model.hidden")
	mla := a.Kind == inputs.MLA
	set("name", m.Name, true)
	set("layers", len(m.Layers), true)
	set("hidden", m.Hidden, true)
	set("attention", attentionForm(a), true)
	set("heads", a.Heads, true)
	set("kv_heads", a.KVHeads, !mla || byName)
	width := a.HeadDim
	if mla && !byName {
		width -= a.RopeDim // stated shapes count the part without position
	}
	set("head_dim", width, true)
	set("v_head_dim", a.VHeadDim, true)
	set("q_lora_rank", a.QLoraRank, a.QLoraRank > 0)
	set("kv_lora_rank", a.KVLoraRank, mla)
	set("rope_dim", a.RopeDim, mla)
	set("window", a.Window, a.Window > 0)
	set("ffn", map[bool]string{true: "moe", false: "dense"}[f.Experts > 0], true)
	set("intermediate", f.Intermediate, true)
	set("gated", f.Gated, true)
	set("experts", f.Experts, f.Experts > 0)
	set("top_k", f.TopK, f.Experts > 0)
	set("shared_experts", sharedExperts(f), f.Experts > 0)
	set("shared_width", f.Shared, f.Experts > 0)
	dense, first := 0, m.Kinds[m.Layers[0]].FFN
	for f.Experts > 0 && m.Kinds[m.Layers[dense]].FFN.Experts == 0 {
		dense++
	}
	set("dense_layers", dense, f.Experts > 0)
	set("dense_intermediate", first.Intermediate, dense > 0)
	set("vocab", m.Vocab, m.Vocab > 0)
	set("tied", m.Tied, true)
	set("max_context", m.MaxContext, m.MaxContext > 0)
	set("precision", m.Weights, true)
	set("activation_precision", m.Activation, true)
	set("kv_precision", m.KV, true)
}

// attentionForm names the form of an attention block as a condition does.
func attentionForm(a inputs.Attention) string {
	switch {
	case a.Kind == inputs.MLA:
		return "mla"
	case a.KVHeads == 1 && a.Heads > 1:
		return "mqa"
	case a.KVHeads == a.Heads:
		return "mha"
	}
	return "gqa"
}

// sharedExperts is a number of shared experts that have the width together.
func sharedExperts(f inputs.FFN) int {
	if f.Intermediate == 0 {
		return 0
	}
	return f.Shared / f.Intermediate
}
