package read

import (
	"fmt"
	"strings"

	"partita/inputs"
)

// key is one thing a condition can state: how its text is read, shown and bounded.
type key struct {
	path  string
	what  string // what it is used as, before the value
	parse func(string) (any, error)
	show  func(any) string
	check func(any) string // what is wanted where the value is out of bounds, else ""
	note  string           // behind the value in what it was used as
	form  string           // how it is written, by the name of a form
}

// as is the key with its form.
func (k key) as(form string) key {
	k.form = form
	return k
}

// use is what a statement with this value was used as.
func (k key) use(v any) string { return k.what + " " + k.show(v) + k.note }

// noun is the thing stated, without the part of the condition it belongs to.
func (k key) noun() string {
	if _, noun, ok := strings.Cut(k.what, ": "); ok {
		return noun
	}
	return k.what
}

// keyOf finds the key of a path. A field of a listed pool ("cluster.pools.0.count")
// is the field of the cluster ("cluster.count").
func (d *draft) keyOf(path string) (key, bool) {
	if rest, ok := strings.CutPrefix(path, "cluster.pools."); ok {
		_, field, _ := strings.Cut(rest, ".")
		if field == "network" {
			return key{}, false
		}
		path = "cluster." + field
	}
	k, ok := d.table[path]
	return k, ok
}

// keyTable is the keys by path.
func keyTable() map[string]key {
	table := map[string]key{}
	for _, k := range keys() {
		table[k.path] = k
	}
	return table
}

// typed turns a parser and a printer of one type into those of a key.
func typed[T any](path, what string, parse func(string) (T, error), show func(T) string, check func(T) string) key {
	k := key{path: path, what: what,
		parse: func(s string) (any, error) { return parse(s) },
		show:  func(v any) string { t, _ := v.(T); return show(t) }}
	if check != nil {
		k.check = func(v any) string { t, _ := v.(T); return check(t) }
	}
	return k
}

// loose is a key whose parser decides the type.
func loose(path, what string, parse func(string) (any, error)) key {
	return key{path: path, what: what, parse: parse, show: showAny}
}

func plain[T any](v T) string { return fmt.Sprint(v) }

// showAny prints the values that have no unit of their own.
func showAny(v any) string {
	switch v := v.(type) {
	case inputs.Count:
		switch {
		case v.Unlimited() && v.Min > 1:
			return fmt.Sprintf("at least %d", v.Min)
		case v == (inputs.Count{}):
			return "0"
		case v.Unlimited():
			return "unlimited"
		default:
			return inputs.FormatRange(inputs.Range(v))
		}
	case wire:
		if v.BytesPerSecond == 0 {
			return string(v.Kind)
		}
		text := inputs.FormatBandwidth(v.BytesPerSecond)
		if v.Kind != inputs.LinkUnknown {
			text = string(v.Kind) + " " + text
		}
		if v.PerNode {
			return text + " per node and direction"
		}
		return text + " per GPU and direction"
	case []int64:
		sizes := make([]string, len(v))
		for i, n := range v {
			sizes[i] = inputs.FormatBytes(n)
		}
		return strings.Join(sizes, ", ")
	case []hostShare:
		return hostsText(v)
	case bool:
		if v {
			return "yes"
		}
		return "no"
	}
	return fmt.Sprint(v)
}

// Bounds of values. Counts of GPUs and tokens are kept below 2^24 and 2^31 so that
// products of a deployment stay within int64.
func atLeast(low int) func(int) string { return within(low, 1<<24) }

func within(low, high int) func(int) string {
	return func(n int) string {
		if n < low || n > high {
			return fmt.Sprintf("a whole number from %d to %d", low, high)
		}
		return ""
	}
}

func share(f float64) string {
	if f <= 0 || f > 1 {
		return "a share above 0 and at most 100 %"
	}
	return ""
}

func shareOrZero(f float64) string {
	if f < 0 || f >= 1 {
		return "a share from 0 to below 100 %"
	}
	return ""
}

func positive(f float64) string {
	if f <= 0 {
		return "a value above 0"
	}
	return ""
}

func notNegative(f float64) string {
	if f < 0 {
		return "a value of 0 or more"
	}
	return ""
}

func lengths(r inputs.Range) string {
	if r.Min < 1 || r.Max > 1<<24 {
		return "lengths from 1 to 16777216 tokens"
	}
	return ""
}

// keys lists everything a condition can state. The YAML schema, the environment,
// the flags and the Markdown readers all end here.
func keys() []key {
	count := func(path, what string, low int) key {
		k := typed(path, what, inputs.ParseCount, plain[int], atLeast(low))
		if low == 0 {
			return k.as("countFromZero")
		}
		return k.as("count")
	}
	text := func(path, what string) key { return loose(path, what, parseText).as("text") }
	ks := []key{
		text("name", "name of the condition"),
		{path: "knowledge", what: "knowledge: packs", parse: parsePaths, show: showPaths, form: "paths"},
		loose("engine", "knowledge: limits of the engine", parseEngine).as("engine"),
		text("cluster.name", "cluster: pool named"),
		text("cluster.accelerator", "cluster: accelerator"),
		{path: "cluster.count", what: "cluster: number of GPUs", parse: parseGPUCount, show: showAny, check: checkCount, form: "gpuCount"},
		count("cluster.nodes", "cluster: number of nodes", 1),
		count("cluster.gpus_per_node", "cluster: GPUs of a node", 1),
		text("cluster.host", "cluster: host"),
		typed("cluster.memory", "cluster: memory of every GPU", inputs.ParseBytes, inputs.FormatBytes, checkSize).as("size"),
		{path: "cluster.free_memory", what: "cluster: free memory of each GPU", parse: parseSizes, show: showAny, check: checkSizes, form: "sizes"},
		typed("cluster.memory_utilization", "cluster: share of the memory a plan may fill", inputs.ParseShare, inputs.FormatShare, share).as("share"),
		typed("cluster.flops", "cluster: peak compute of every GPU", inputs.ParseFLOPS, inputs.FormatFLOPS, positive).as("compute"),
		typed("cluster.mfu", "cluster: share of the peak compute that is reached", inputs.ParseShare, inputs.FormatShare, share).as("share"),
		typed("cluster.memory_bandwidth", "cluster: memory bandwidth of every GPU", parseByteRate, inputs.FormatBandwidth, positive).as("byteRate"),
		typed("cluster.bandwidth_utilization", "cluster: share of the memory bandwidth that is reached", inputs.ParseShare, inputs.FormatShare, share).as("share"),
		{path: "cluster.intra_link", what: "cluster: link inside a node", parse: parseLink, show: showAny, check: checkLink, form: "link"},
		{path: "cluster.network", what: "cluster: network between nodes", parse: parseLink, show: showAny, check: checkLink, form: "link"},
		typed("cluster.pcie", "cluster: PCIe of every GPU, per direction", inputs.ParseBandwidth, inputs.FormatBandwidth, positive).as("rate"),
		typed("cluster.usd_per_hour", "cluster: price of one GPU in USD per hour", inputs.ParsePrice, plain[float64], notNegative).as("price"),
		loose("cluster.hosts", "cluster: GPUs by host", parseHosts).as("hosts"),

		text("model.catalog", "model: from the catalogue,"),
		text("model.config", "model: config.json"),
		text("model.graph", "model: operator graph"),
		text("model.name", "model: name"),
		count("model.layers", "model: number of layers", 1),
		count("model.hidden", "model: hidden size", 1),
		loose("model.attention", "model: attention", parseAttention).as("attention"),
		count("model.heads", "model: query heads", 1),
		count("model.kv_heads", "model: KV heads", 1),
		count("model.head_dim", "model: width of a head", 1),
		count("model.v_head_dim", "model: value width of a head", 1),
		count("model.q_lora_rank", "model: rank of the query projection (MLA)", 1),
		count("model.kv_lora_rank", "model: rank of the KV projection (MLA)", 1),
		count("model.rope_dim", "model: rotary width (MLA)", 1),
		count("model.window", "model: sliding window in tokens", 1),
		loose("model.ffn", "model: feed-forward block", parseFFN).as("block"),
		count("model.intermediate", "model: feed-forward width (of one expert where there are experts)", 1),
		loose("model.gated", "model: gated feed-forward block (three matrices):", parseBool).as("yesNo"),
		count("model.experts", "model: routed experts a layer", 1),
		count("model.top_k", "model: experts a token is sent to", 1),
		count("model.shared_experts", "model: shared experts a layer", 0),
		count("model.shared_width", "model: width of all shared experts together", 0),
		count("model.dense_layers", "model: leading dense layers", 0),
		count("model.dense_intermediate", "model: width of the dense layers", 1),
		count("model.vocab", "model: vocabulary size", 1),
		loose("model.tied", "model: embedding and head share weights:", parseBool).as("yesNo"),
		count("model.max_context", "model: longest context in tokens", 1),
		typed("model.parameters", "model: declared parameters", inputs.ParseParameters, inputs.FormatParameters, positive).as("parameters"),
		typed("model.precision", "model: number format of the weights", inputs.ParseDType, plain[inputs.DType], nil).as("numberFormat"),
		typed("model.activation_precision", "model: number format of the activations", inputs.ParseDType, plain[inputs.DType], nil).as("numberFormat"),
		typed("model.kv_precision", "model: number format of the KV cache", inputs.ParseDType, plain[inputs.DType], nil).as("numberFormat"),

		loose("workload.phase", "workload: phase", parsePhase).as("phase"),
		count("workload.batch", "workload: sequences in flight", 1),
		typed("workload.input", "workload: input length in tokens", inputs.ParseRange, inputs.FormatRange, lengths).as("lengths"),
		typed("workload.output", "workload: output length in tokens", inputs.ParseRange, inputs.FormatRange, lengths).as("lengths"),
		typed("workload.sequence", "workload: sequence length in tokens", inputs.ParseRange, inputs.FormatRange, lengths).as("lengths"),

		typed("workload.prefix_cache_hit", "workload: share of the prompts that is in the cache", inputs.ParseShare, inputs.FormatShare, shareOrZero).as("shareBelowOne"),
		typed("workload.speculative.draft_tokens", "workload: tokens that a draft proposes a step", inputs.ParseCount, plain[int], within(1, mostDraft)).as("count"),
		typed("workload.speculative.acceptance", "workload: chance that a proposed token is taken", inputs.ParseShare, inputs.FormatShare, share).as("share"),
		typed("workload.speculative.draft_cost", "workload: cost of proposing a token", inputs.ParseShare, inputs.FormatShare, shareOrZero).as("shareBelowOne"),

		loose("goal.objective", "goal: objective", parseObjective).as("objective"),
		typed("goal.weights.latency", "goal: weight of latency", inputs.ParseReal, plain[float64], notNegative).as("real"),
		typed("goal.weights.throughput", "goal: weight of throughput", inputs.ParseReal, plain[float64], notNegative).as("real"),
		typed("goal.balance", "goal: largest imbalance of the stages", inputs.ParseShare, inputs.FormatShare, shareOrZero).as("shareBelowOne"),
		loose("goal.allow_idle", "goal: GPUs may stay unused:", parseBool).as("yesNo"),
		loose("goal.placement", "goal: placement", parsePlacement).as("placement"),
		typed("goal.margin", "goal: margin by which a requirement must be met", inputs.ParseShare, inputs.FormatShare, shareOrZero).as("shareBelowOne"),
	}
	ks = append(ks, trainingKeys()...)
	for _, r := range requirements() {
		ks = append(ks, r.key())
	}
	listed := map[string]bool{}
	for _, f := range stageFields() {
		ks = append(ks, f.key())
		listed[f.field] = true
	}
	for _, s := range strategyFields() {
		if listed[s.field] {
			continue
		}
		k := count("strategy."+s.field, "given strategy: "+s.what, 1)
		k.parse = degreeOf(s.field)
		k.form = "degree"
		if s.field == "gpus" {
			k.form = "gpusOfStrategy"
		}
		k.note = strategyNote
		ks = append(ks, k)
	}
	for _, dtype := range dtypes() {
		ks = append(ks, typed("cluster.flops."+string(dtype), "cluster: peak compute of every GPU in "+string(dtype),
			inputs.ParseFLOPS, inputs.FormatFLOPS, positive).as("compute"))
	}
	return ks
}

func dtypes() []inputs.DType {
	return []inputs.DType{inputs.FP32, inputs.BF16, inputs.FP16, inputs.FP8, inputs.INT8, inputs.FP4, inputs.INT4}
}

func checkCount(v any) string {
	c, _ := v.(inputs.Count)
	if c.Min < 1 || c.Min > 1<<24 || c.Max > 1<<24 || c.Max < 0 {
		return "a number of GPUs from 1 to 16777216"
	}
	return ""
}

// checkSize refuses sizes that no memory of one GPU has: below 1 MB or above 1 PB.
func checkSize(n int64) string {
	if n < 1e6 || n > 1e15 {
		return "a size from 1MB to 1PB"
	}
	return ""
}

func checkSizes(v any) string {
	sizes, _ := v.([]int64)
	for _, n := range sizes {
		if want := checkSize(n); want != "" {
			return want
		}
	}
	return ""
}

func checkLink(v any) string {
	w, _ := v.(wire)
	if w.BytesPerSecond < 0 {
		return "a rate above 0"
	}
	return ""
}

// parseByteRate reads a memory bandwidth: nobody gives one in bits, so a lower-case
// b is a slip that must not cost a factor of eight unseen.
func parseByteRate(s string) (float64, error) {
	if inputs.IsBitRate(s) {
		return 0, &inputs.QuantityError{Text: s, Want: "bytes per second such as 1.8TB/s (a lower-case b means bits)"}
	}
	return inputs.ParseBandwidth(s)
}
