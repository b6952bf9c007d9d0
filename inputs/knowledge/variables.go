package knowledge

import (
	"math"
)

// Variables of rules, in the order of the table. Those of one level are neighbours.
const (
	phase = iota
	batch
	inputTokens
	outputTokens
	model
	totalLayers
	hidden
	vocab
	heads
	kvHeads
	headDim
	attention
	ffn
	experts
	topK
	expertWidth
	sharedWidth
	precision
	activationPrecision
	kvPrecision
	pools

	tp
	ep
	etp
	cp
	dp
	stageGPUs
	stageNodes
	pool
	accelerator
	vendor
	generation
	memoryGiB
	memoryBandwidth
	gpusPerNode
	nativePrecision
	usdPerHour

	layers
	moeLayers
	firstStage
	lastStage

	firstLayer
	lastLayer

	replicas
	sequences

	gpus
	replicaGPUs

	microBatches
	decodeGroups

	pp

	sameTP
	sameEP
	sameCP
	sameDP
	sameStageGPUs
	samePool
	sameAccelerator
	sameVendor

	numVariables
)

// Level is a set of variables: those that become known together as a plan is decided.
type Level uint64

// The levels, from what a condition states to what a whole pipeline has.
const (
	// OfCondition: the model, the workload and the cluster.
	OfCondition Level = 1<<tp - 1
	// OfWorkload is the part of it that hundreds of requests to one deployment differ in;
	// the phase is not.
	OfWorkload Level = 1<<batch | 1<<inputTokens | 1<<outputTokens
	// OfShape: the pool of a stage and how it splits its layers.
	OfShape Level = 1<<layers - 1<<tp
	// OfNodes is the part of it that ranks of a training step differ in by where they lie.
	OfNodes Level = 1 << stageNodes
	// OfLayers: how many layers a stage has, and whether it is at an end.
	OfLayers Level = 1<<firstLayer - 1<<layers
	// OfPlace: which layers they are.
	OfPlace Level = 1<<replicas - 1<<firstLayer
	// OfReplicas: how many replicas there are.
	OfReplicas Level = 1<<gpus - 1<<replicas
	// OfGPUs: how many GPUs all replicas have.
	OfGPUs Level = 1<<microBatches - 1<<gpus
	// OfMicro and OfGroups: into how many parts the sequences of a replica are split.
	OfMicro  Level = 1 << microBatches
	OfGroups Level = 1 << decodeGroups
	OfParts        = OfMicro | OfGroups
	// OfPipeline: the number of stages.
	OfPipeline Level = 1<<sameTP - 1<<pp
	// OfAll: what all stages have in common.
	OfAll Level = 1<<numVariables - 1<<sameTP
	// OfStage: what may differ from stage to stage.
	OfStage = OfShape | OfLayers | OfPlace
)

// kind is the type of a variable.
type kind int

const (
	wholeNumber kind = iota
	realNumber
	text
	yesNo
)

func (k kind) String() string { return [...]string{"int", "double", "string", "bool"}[k] }

// Variable is a name that a rule may use.
type Variable struct {
	Name string
	Type string // as CEL writes it: int, double, string, bool
	Unit string // "" for what has none
	// Of says what the value belongs to: condition, stage, plan.
	Of    string
	About string

	kind kind
}

// Variables lists all of them, in the order of the documents.
func Variables() []Variable {
	rows := variableRows()
	out := make([]Variable, len(rows))
	for i, r := range rows {
		out[i] = Variable{Name: r.name, Type: r.kind.String(), Unit: r.unit, Of: levelName(i), About: r.about, kind: r.kind}
	}
	return out
}

func levelName(v int) string {
	switch l := Level(1) << v; {
	case l&OfCondition != 0:
		return "condition"
	case l&OfStage != 0:
		return "stage"
	}
	return "plan"
}

type variableRow struct {
	name  string
	kind  kind
	unit  string
	about string
}

func variableRows() [numVariables]variableRow {
	return [numVariables]variableRow{
		phase:               {"phase", text, "", `"prefill", "decode", "mixed" or "training"`},
		batch:               {"batch", wholeNumber, "sequences", "in flight over all replicas"},
		inputTokens:         {"input_tokens", wholeNumber, "tokens", "longest prompt"},
		outputTokens:        {"output_tokens", wholeNumber, "tokens", "most generated tokens of a sequence; 0 for prefill alone"},
		model:               {"model", text, "", "name of the model"},
		totalLayers:         {"total_layers", wholeNumber, "layers", "of the model"},
		hidden:              {"hidden", wholeNumber, "elements", "hidden size"},
		vocab:               {"vocab", wholeNumber, "tokens", "vocabulary; 0 where it is not known"},
		heads:               {"heads", wholeNumber, "heads", "query heads; the fewest where layers differ"},
		kvHeads:             {"kv_heads", wholeNumber, "heads", "KV heads; 1 for latent attention; the fewest where layers differ"},
		headDim:             {"head_dim", wholeNumber, "elements", "width of a query head"},
		attention:           {"attention", text, "", `"gqa" (also MHA and MQA) or "mla" (latent)`},
		ffn:                 {"ffn", wholeNumber, "elements", "width of the dense feed-forward blocks; 0 where there are none"},
		experts:             {"experts", wholeNumber, "experts", "routed experts of an MoE layer; 0 for a dense model"},
		topK:                {"top_k", wholeNumber, "experts", "that a token is sent to; 0 for a dense model"},
		expertWidth:         {"expert_width", wholeNumber, "elements", "feed-forward width of one expert; 0 for a dense model"},
		sharedWidth:         {"shared_width", wholeNumber, "elements", "width of all shared experts together; 0 where there are none"},
		precision:           {"precision", text, "", `number format of the weights: "fp32", "bf16", "fp16", "fp8", "int8", "fp4", "int4"`},
		activationPrecision: {"activation_precision", text, "", "number format of the activations"},
		kvPrecision:         {"kv_precision", text, "", "number format of the KV cache"},
		pools:               {"pools", wholeNumber, "pools", "that the cluster has"},

		tp:              {"tp", wholeNumber, "GPUs", "tensor-parallel degree of attention and dense layers"},
		ep:              {"ep", wholeNumber, "ranks", "expert-parallel degree; 1: every GPU holds a part of every expert"},
		etp:             {"etp", wholeNumber, "GPUs", "that one expert is split over; tp·cp·dp = ep·etp"},
		cp:              {"cp", wholeNumber, "GPUs", "context-parallel degree (also called sequence parallel); 1 where tokens are decoded"},
		dp:              {"dp", wholeNumber, "ranks", "attention data-parallel degree inside the stage; copies of the whole model are replicas"},
		stageGPUs:       {"stage_gpus", wholeNumber, "GPUs", "of the stage: tp·cp·dp"},
		stageNodes:      {"stage_nodes", wholeNumber, "nodes", "that the stage spans"},
		pool:            {"pool", text, "", "name of the stage's pool"},
		accelerator:     {"accelerator", text, "", "name of its device"},
		vendor:          {"vendor", text, "", `maker of its device, such as "NVIDIA"; "" where it is not known`},
		generation:      {"generation", text, "", `generation of its device, such as "hopper"; "" where it is not known`},
		memoryGiB:       {"memory_gib", realNumber, "GiB", "memory of one of its GPUs"},
		memoryBandwidth: {"memory_bandwidth", realNumber, "GB/s", "memory bandwidth of one of its GPUs"},
		gpusPerNode:     {"gpus_per_node", wholeNumber, "GPUs", "of its pool on one node; of the largest where they differ"},
		nativePrecision: {"native_precision", yesNo, "", "its device computes in the number format of the weights"},
		usdPerHour:      {"usd_per_hour", realNumber, "US dollars", "price of one of its GPUs an hour; 0 where it is not known"},

		layers:     {"layers", wholeNumber, "layers", "of the stage"},
		moeLayers:  {"moe_layers", wholeNumber, "layers", "of them with routed experts"},
		firstStage: {"first_stage", yesNo, "", "it holds the embedding and the first layer"},
		lastStage:  {"last_stage", yesNo, "", "it holds the last layer and the head"},

		firstLayer: {"first_layer", wholeNumber, "", "number of its first layer, counted from 0"},
		lastLayer:  {"last_layer", wholeNumber, "", "number of its last layer, counted from 0"},

		replicas:  {"replicas", wholeNumber, "replicas", "copies of the whole model, each with its own pipeline"},
		sequences: {"sequences", wholeNumber, "sequences", "most sequences of one replica: batch/replicas, rounded up"},

		gpus:        {"gpus", wholeNumber, "GPUs", "used by all replicas"},
		replicaGPUs: {"replica_gpus", wholeNumber, "GPUs", "used by one replica"},

		microBatches: {"micro_batches", wholeNumber, "micro-batches", "prefill micro-batches of a replica; 0 for decode alone"},
		decodeGroups: {"decode_groups", wholeNumber, "groups", "that the sequences of a replica take turns in; 0 for prefill alone"},

		pp: {"pp", wholeNumber, "stages", "pipeline-parallel degree: stages of a replica"},

		sameTP:          {"same_tp", yesNo, "", "all stages have the same tp"},
		sameEP:          {"same_ep", yesNo, "", "all stages have the same ep"},
		sameCP:          {"same_cp", yesNo, "", "all stages have the same cp"},
		sameDP:          {"same_dp", yesNo, "", "all stages have the same dp"},
		sameStageGPUs:   {"same_stage_gpus", yesNo, "", "all stages have the same number of GPUs"},
		samePool:        {"same_pool", yesNo, "", "all stages are on one pool"},
		sameAccelerator: {"same_accelerator", yesNo, "", "all stages are on one kind of device"},
		sameVendor:      {"same_vendor", yesNo, "", "all stages are on devices of one maker"},
	}
}

// value is the value of a variable in 64 bits: a whole number or a truth as it is, a
// real number by its bits, a text by its number in Rules.texts.
type value = int64

func realOf(f float64) value { return value(math.Float64bits(f)) }

func truth(b bool) value {
	if b {
		return 1
	}
	return 0
}
