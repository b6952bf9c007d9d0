package read

import (
	"fmt"
	"math"
	"reflect"
	"sort"
	"strconv"
	"strings"
)

// leaf is a value of a structured condition as text; the key it belongs to parses it.
// A list of scalars is kept as "[a, b]".
type leaf string

// document is the schema of a structured condition (docs/condition.md). The tag
// `scalar` names the field that a scalar in place of the object means, `key` the
// key where it is not the field's path.
type document struct {
	Name      leaf        `mapstructure:"name"`
	Knowledge leaf        `mapstructure:"knowledge"`
	Engine    leaf        `mapstructure:"engine"`
	Cluster   clusterDoc  `mapstructure:"cluster"`
	Model     modelDoc    `mapstructure:"model" scalar:"catalog"`
	Workload  workloadDoc `mapstructure:"workload"`
	Goal      goalDoc     `mapstructure:"goal"`
	Strategy  strategyDoc `mapstructure:"strategy"`
}

type clusterDoc struct {
	poolDoc `mapstructure:",squash"`
	GPU     leaf      `mapstructure:"gpu" key:"cluster.accelerator"`
	GPUs    leaf      `mapstructure:"gpus" key:"cluster.count"`
	Pools   []poolDoc `mapstructure:"pools"`
	Network leaf      `mapstructure:"network"`
}

type poolDoc struct {
	Name                 leaf     `mapstructure:"name"`
	Accelerator          leaf     `mapstructure:"accelerator"`
	Count                leaf     `mapstructure:"count"`
	Nodes                leaf     `mapstructure:"nodes"`
	GPUsPerNode          leaf     `mapstructure:"gpus_per_node"`
	Host                 leaf     `mapstructure:"host"`
	Hosts                leaf     `mapstructure:"hosts"`
	FLOPS                flopsDoc `mapstructure:"flops" scalar:"any"`
	Memory               leaf     `mapstructure:"memory"`
	FreeMemory           leaf     `mapstructure:"free_memory"`
	MemoryUtilization    leaf     `mapstructure:"memory_utilization"`
	MemoryBandwidth      leaf     `mapstructure:"memory_bandwidth"`
	MFU                  leaf     `mapstructure:"mfu"`
	BandwidthUtilization leaf     `mapstructure:"bandwidth_utilization"`
	IntraLink            leaf     `mapstructure:"intra_link"`
	PCIe                 leaf     `mapstructure:"pcie"`
	USDPerHour           leaf     `mapstructure:"usd_per_hour"`
}

// flopsDoc is a peak compute: one figure, or one for each number format.
type flopsDoc struct {
	Any  leaf `mapstructure:"any" key:"cluster.flops"`
	FP32 leaf `mapstructure:"fp32"`
	BF16 leaf `mapstructure:"bf16"`
	FP16 leaf `mapstructure:"fp16"`
	FP8  leaf `mapstructure:"fp8"`
	INT8 leaf `mapstructure:"int8"`
	FP4  leaf `mapstructure:"fp4"`
	INT4 leaf `mapstructure:"int4"`
}

type modelDoc struct {
	Catalog             leaf `mapstructure:"catalog"`
	Config              leaf `mapstructure:"config"`
	Graph               leaf `mapstructure:"graph"`
	Name                leaf `mapstructure:"name"`
	Layers              leaf `mapstructure:"layers"`
	Hidden              leaf `mapstructure:"hidden"`
	Attention           leaf `mapstructure:"attention"`
	Heads               leaf `mapstructure:"heads"`
	KVHeads             leaf `mapstructure:"kv_heads"`
	HeadDim             leaf `mapstructure:"head_dim"`
	VHeadDim            leaf `mapstructure:"v_head_dim"`
	QLoraRank           leaf `mapstructure:"q_lora_rank"`
	KVLoraRank          leaf `mapstructure:"kv_lora_rank"`
	RopeDim             leaf `mapstructure:"rope_dim"`
	Window              leaf `mapstructure:"window"`
	FFN                 leaf `mapstructure:"ffn"`
	Intermediate        leaf `mapstructure:"intermediate"`
	Gated               leaf `mapstructure:"gated"`
	Experts             leaf `mapstructure:"experts"`
	TopK                leaf `mapstructure:"top_k"`
	SharedExperts       leaf `mapstructure:"shared_experts"`
	SharedWidth         leaf `mapstructure:"shared_width"`
	DenseLayers         leaf `mapstructure:"dense_layers"`
	DenseIntermediate   leaf `mapstructure:"dense_intermediate"`
	Vocab               leaf `mapstructure:"vocab"`
	Tied                leaf `mapstructure:"tied"`
	MaxContext          leaf `mapstructure:"max_context"`
	Parameters          leaf `mapstructure:"parameters"`
	Precision           leaf `mapstructure:"precision"`
	ActivationPrecision leaf `mapstructure:"activation_precision"`
	KVPrecision         leaf `mapstructure:"kv_precision"`
}

type workloadDoc struct {
	Phase    leaf `mapstructure:"phase"`
	Batch    leaf `mapstructure:"batch"`
	Input    leaf `mapstructure:"input"`
	Output   leaf `mapstructure:"output"`
	Sequence leaf `mapstructure:"sequence"`

	PrefixCacheHit leaf           `mapstructure:"prefix_cache_hit"`
	Speculative    speculativeDoc `mapstructure:"speculative"`

	GlobalBatch leaf        `mapstructure:"global_batch"`
	Training    trainingDoc `mapstructure:"training"`
}

type speculativeDoc struct {
	DraftTokens leaf `mapstructure:"draft_tokens"`
	Acceptance  leaf `mapstructure:"acceptance"`
	DraftCost   leaf `mapstructure:"draft_cost"`
}

type trainingDoc struct {
	MicroBatch        leaf `mapstructure:"micro_batch"`
	Optimizer         leaf `mapstructure:"optimizer"`
	GradientPrecision leaf `mapstructure:"gradient_precision"`
	ZeRO              leaf `mapstructure:"zero"`
	Recompute         leaf `mapstructure:"recompute"`
	VirtualStages     leaf `mapstructure:"virtual_stages"`
	SequenceParallel  leaf `mapstructure:"sequence_parallel"`
}

type goalDoc struct {
	Objective    leaf            `mapstructure:"objective"`
	Weights      weightsDoc      `mapstructure:"weights"`
	Requirements requirementsDoc `mapstructure:"requirements"`
	Balance      leaf            `mapstructure:"balance"`
	AllowIdle    leaf            `mapstructure:"allow_idle"`
	Margin       leaf            `mapstructure:"margin"`
	Placement    leaf            `mapstructure:"placement"`
}

type weightsDoc struct {
	Latency    leaf `mapstructure:"latency"`
	Throughput leaf `mapstructure:"throughput"`
}

type requirementsDoc struct {
	TTFT                   leaf `mapstructure:"ttft"`
	TPOT                   leaf `mapstructure:"tpot"`
	Throughput             leaf `mapstructure:"throughput"`
	ThroughputPerGPU       leaf `mapstructure:"throughput_per_gpu"`
	OutputThroughput       leaf `mapstructure:"output_throughput"`
	OutputThroughputPerGPU leaf `mapstructure:"output_throughput_per_gpu"`
	CostPerHour            leaf `mapstructure:"cost_per_hour"`
	E2E                    leaf `mapstructure:"e2e"`
	SamplesPerS            leaf `mapstructure:"samples_per_s"`
	StepTime               leaf `mapstructure:"step_time"`
}

type strategyDoc struct {
	GPUs leaf `mapstructure:"gpus"`
	TP   leaf `mapstructure:"tp"`
	PP   leaf `mapstructure:"pp"`
	EP   leaf `mapstructure:"ep"`
	CP   leaf `mapstructure:"cp"`
	DP   leaf `mapstructure:"dp"`
	SP   leaf `mapstructure:"sp"`

	ETP          leaf `mapstructure:"etp"`
	DPAttention  leaf `mapstructure:"dp_attention"`
	Replicas     leaf `mapstructure:"replicas"`
	Layers       leaf `mapstructure:"layers"`
	Pool         leaf `mapstructure:"pool"`
	MicroBatches leaf `mapstructure:"micro_batches"`

	MicroBatchSize leaf `mapstructure:"micro_batch_size"`
	DecodeGroups   leaf `mapstructure:"decode_groups"`

	VirtualStages    leaf `mapstructure:"virtual_stages"`
	ZeRO             leaf `mapstructure:"zero"`
	SequenceParallel leaf `mapstructure:"sequence_parallel"`
	Recompute        leaf `mapstructure:"recompute"`
}

// schemaField is a field of the schema by its name in a file.
type schemaField struct {
	typ    reflect.Type
	scalar string // for an object: the field that a scalar means, "" where none may stand
	key    string // key where it is not the path
	index  []int
}

// schemaFields are the fields of an object of the schema, squashed ones included.
func schemaFields(t reflect.Type) map[string]schemaField {
	fields := map[string]schemaField{}
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("mapstructure")
		if tag == ",squash" {
			for name, inner := range schemaFields(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				fields[name] = inner
			}
			continue
		}
		fields[tag] = schemaField{f.Type, f.Tag.Get("scalar"), f.Tag.Get("key"), []int{i}}
	}
	return fields
}

// fieldNames lists the fields of an object, sorted.
func fieldNames(t reflect.Type) []string {
	var names []string
	for name := range schemaFields(t) {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// decodeLeaf is a decode hook: scalars and lists of scalars become the text of a
// leaf, a scalar in place of an object becomes that object, and a map with whole
// numbers for keys ("cluster.pools.0.count" from a flag) becomes a list.
func decodeLeaf(from, to reflect.Type, data any) (any, error) {
	switch {
	case to == reflect.TypeFor[leaf]():
		text, ok := leafText(data)
		if !ok {
			return nil, fmt.Errorf("a value, not an object")
		}
		return leaf(text), nil
	case to == reflect.TypeFor[flopsDoc]() && from.Kind() != reflect.Map:
		return map[string]any{"any": data}, nil
	case to == reflect.TypeFor[modelDoc]() && from.Kind() != reflect.Map:
		return map[string]any{"catalog": data}, nil
	case to == reflect.TypeFor[[]poolDoc]() && from.Kind() == reflect.Map:
		return indexed(data)
	}
	return data, nil
}

// indexed turns {"0": a, "2": b} into a list with a gap.
func indexed(data any) (any, error) {
	byIndex, ok := data.(map[string]any)
	if !ok {
		return data, nil
	}
	list := []any{}
	for name, v := range byIndex {
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i >= maxPools {
			return nil, fmt.Errorf("pool %q, want a number from 0 to %d", name, maxPools-1)
		}
		for len(list) <= i {
			list = append(list, map[string]any{})
		}
		list[i] = v
	}
	return list, nil
}

// maxPools bounds the pools of a cluster; a handful is usual.
const maxPools = 256

// leafText is the text of a scalar or of a list of scalars.
func leafText(data any) (string, bool) {
	switch v := data.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case float64:
		if a := math.Abs(v); a >= 1e-9 && a < 1e21 { // as it is written: 1e+06 is no degree
			return strconv.FormatFloat(v, 'f', -1, 64), true
		}
		return strconv.FormatFloat(v, 'g', -1, 64), true
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			text, ok := leafText(e)
			if _, list := e.([]any); !ok || list {
				return "", false
			}
			parts[i] = text
		}
		return "[" + strings.Join(parts, ", ") + "]", true
	case map[string]any:
		return "", false
	}
	return fmt.Sprint(data), true
}

// leaves calls visit for every value of a document with its path in the file and its key.
func leaves(doc *document, visit func(path, key, text string)) {
	var walk func(v reflect.Value, path, key string)
	walk = func(v reflect.Value, path, key string) {
		switch {
		case v.IsZero(): // an override states one leaf of a hundred
		case v.Type() == reflect.TypeFor[leaf]():
			visit(path, key, v.String())
		case v.Kind() == reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i), join(path, strconv.Itoa(i)), join(key, strconv.Itoa(i)))
			}
		default:
			fields := schemaFields(v.Type())
			for _, name := range fieldNames(v.Type()) {
				f := fields[name]
				at := join(key, name)
				if f.key != "" {
					// cluster.flops.any → cluster.flops; in a pool: cluster.pools.0.flops
					at = join(strings.TrimSuffix(strings.TrimSuffix(key, ".flops"), "cluster"), strings.TrimPrefix(f.key, "cluster."))
					if key == "cluster" || key == "cluster.flops" {
						at = f.key
					}
				}
				walk(v.FieldByIndex(f.index), join(path, name), at)
			}
		}
	}
	walk(reflect.ValueOf(doc).Elem(), "", "")
}

// join appends a name to a path.
func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
