// Package inputs holds a deployment condition: the hardware, the model, the
// workload and the goal that a plan must meet.
//
// A Condition is plain data and is not changed after it was read. Sub-packages
// read it from files (read), know accelerators and models by name (catalog) and
// carry rules (knowledge). The package imports nothing else of this project.
//
// Units are fixed: bytes, FLOP/s, bytes/s and seconds as float64 or int64, named
// in each field's comment. A rate of a link is per GPU and per direction.
package inputs

// Condition is everything a solve needs to know.
type Condition struct {
	Name     string // names the output folder; the file's base name unless stated
	Cluster  Cluster
	Model    Model
	Workload Workload
	Goal     Goal
	Strategy *Strategy // what the file proposes itself; nil when it proposes nothing
	// Rules bind every plan, in the order they were read. Names are unique.
	Rules []Rule
	// Engine is the serving engine whose limits are among Rules; "" where none was named.
	Engine     string
	Statements []Statement
	// Places tell where values are stated, for what speaks of them later.
	Places      Places
	Assumptions []Assumption
	Warnings    []string
}

// Place is a position in an input file. Line and Col count from 1; 0 means that
// the source has no such position (an environment variable, a flag).
type Place struct {
	File string `json:"file,omitempty"` // path as it was given
	Line int    `json:"line,omitempty"` // from 1
	Col  int    `json:"col,omitempty"`  // from 1, in bytes
}

// Statement is one thing that an input says, and what it was used as.
type Statement struct {
	Place  Place
	Text   string
	UsedAs string // such as "cluster: peak compute of every GPU 400 TFLOP/s"
}

// Assumption is a value that no input stated.
type Assumption struct {
	What    string
	Value   string
	Because string
}

// Cluster is the hardware: pools of identical GPUs and the network between nodes.
type Cluster struct {
	Pools []Pool `json:"pools"` // in the order of the condition
	// Network joins GPUs of different nodes.
	Network Link `json:"network"`
}

// Pool is a set of GPUs that are interchangeable: one accelerator, one usable
// memory size, one kind of node. Two pools may share a host (Host equal).
type Pool struct {
	Name        string      `json:"name"` // unique in the cluster
	Accelerator Accelerator `json:"accelerator"`
	Count       Count       `json:"count"`
	// Nodes lists the GPUs of a stated count by node. Where the count is ranged or
	// unlimited it is empty and nodes of GPUsPerNode are made as needed.
	Nodes       []Node `json:"nodes,omitempty"`
	GPUsPerNode int    `json:"gpus_per_node"`
	// MemoryBytes is what a plan may fill on each GPU before Utilization is
	// applied: the capacity, or the free memory where the input states that.
	MemoryBytes int64 `json:"memory_bytes"`
	// Utilization is the share of MemoryBytes that a plan may use, (0, 1].
	Utilization float64 `json:"utilization"`
	// Intra joins GPUs inside a node.
	Intra Link `json:"intra"`
	// USDPerHour is the price of one GPU; 0 where unknown.
	USDPerHour float64 `json:"usd_per_hour,omitempty"`
}

// Node is one host (or the part of a host that belongs to the pool).
type Node struct {
	Host string   `json:"host"` // "node-0": equal for pools that share a machine
	GPUs []string `json:"gpus"` // identifiers unique in the cluster: "node-0/gpu-3"
}

// Count is how many GPUs of a pool may be used.
// Min == Max: a stated number. Max == 0: unlimited.
type Count struct {
	Min int `json:"min"` // fewest GPUs
	Max int `json:"max"` // most GPUs; 0: unlimited
}

// Stated reports whether the number is given rather than ours to choose.
func (c Count) Stated() bool { return c.Max > 0 && c.Min == c.Max }

// Unlimited reports whether there is no upper end.
func (c Count) Unlimited() bool { return c.Max == 0 }

// LinkKind names the wire; the efficiencies of a link depend on it.
type LinkKind string

// The kinds of link that the cost model knows.
const (
	LinkNVLink     LinkKind = "nvlink"    // NVLink with NVSwitch, or another full-rate fabric
	LinkPair       LinkKind = "pair"      // a bridge between two GPUs; larger groups use PCIe
	LinkMesh       LinkKind = "mesh"      // point-to-point mesh (Infinity Fabric)
	LinkPCIe       LinkKind = "pcie"      // copies pass through host memory
	LinkPCIePeer   LinkKind = "pcie-peer" // PCIe with access from device to device
	LinkEthernet   LinkKind = "ethernet"
	LinkInfiniBand LinkKind = "infiniband"
	LinkUnknown    LinkKind = "unknown"
)

// Link is a connection, rated per GPU and direction.
type Link struct {
	Kind           LinkKind `json:"kind"`             // of wire
	BytesPerSecond float64  `json:"bytes_per_second"` // per GPU and direction; 0: there is none
	// PairBytesPerSecond is the rate between two bridged GPUs where it differs (0: same).
	PairBytesPerSecond float64 `json:"pair_bytes_per_second,omitempty"`
}

// DType is a number format.
type DType string

// Number formats of weights, activations and the KV cache.
const (
	FP32 DType = "fp32"
	BF16 DType = "bf16"
	FP16 DType = "fp16"
	FP8  DType = "fp8"
	INT8 DType = "int8"
	FP4  DType = "fp4"
	INT4 DType = "int4"
)

// Bytes is the storage of one element, in bytes: 0.5 for the 4-bit formats.
func (d DType) Bytes() float64 {
	switch d {
	case FP32:
		return 4
	case FP8, INT8:
		return 1
	case FP4, INT4:
		return 0.5
	default:
		return 2
	}
}

// Accelerator is one kind of device.
type Accelerator struct {
	Name            string   `json:"name"` // as the catalogue calls it
	Aliases         []string `json:"-"`
	Vendor          string   `json:"vendor,omitempty"`        // of the device
	Generation      string   `json:"generation,omitempty"`    // "hopper", "ampere", …: efficiencies are known by generation
	MemoryBytes     int64    `json:"memory_bytes"`            // nominal capacity
	MemoryBandwidth float64  `json:"memory_bytes_per_second"` // bytes/s
	// FLOPS is the dense peak by number format, FLOP/s. A format that is absent
	// is not computed natively.
	FLOPS map[DType]float64 `json:"flops"`
	Link  Link              `json:"link"`                            // inside the node: NVLink or alike; BytesPerSecond 0 where there is none
	PCIe  float64           `json:"pcie_bytes_per_second,omitempty"` // bytes/s per direction
	// Efficiency overrides the constants of the generation; nil uses them.
	Efficiency *Efficiency `json:"efficiency,omitempty"`
	// Profile replaces the constants of the generation; nil: the built-in ones.
	Profile    *Profile `json:"profile,omitempty"`
	USDPerHour float64  `json:"usd_per_hour,omitempty"` // price of one; 0: unknown
	Provenance string   `json:"provenance,omitempty"`   // where the figures are from
}

// Efficiency is a utilisation that an input states ("MFU 60 %, bandwidth
// utilisation 80 %"). Stated utilisation leaves no launch floor: it is the law.
type Efficiency struct {
	Compute   float64 `json:"compute"`             // share of the peak FLOP/s that is reached, (0, 1]
	Bandwidth float64 `json:"bandwidth,omitempty"` // share of the memory bandwidth that is reached, (0, 1]; 0: not stated
}

// Complete reports whether both shares are stated, so that no constant of the cost model is
// left in the operators of a device. False of nil.
func (e *Efficiency) Complete() bool { return e != nil && e.Compute > 0 && e.Bandwidth > 0 }

// AttentionKind tells how keys and values are stored.
type AttentionKind string

// Attention forms. MHA and MQA are GQA with as many, or one, KV heads.
const (
	GQA AttentionKind = "gqa"
	MLA AttentionKind = "mla"
)

// Attention is one attention block. Sizes are whole numbers before any split.
type Attention struct {
	Kind     AttentionKind `json:"kind"`                 // how keys and values are stored
	Heads    int           `json:"heads"`                // query heads
	KVHeads  int           `json:"kv_heads"`             // key and value heads
	HeadDim  int           `json:"head_dim"`             // query/key width a head
	VHeadDim int           `json:"v_head_dim,omitempty"` // value width a head; HeadDim where it does not differ
	// Window limits the context of a sliding-window layer, in tokens; 0: full.
	Window int `json:"window,omitempty"`
	// MLA only, in elements.
	QLoraRank  int `json:"q_lora_rank,omitempty"`
	KVLoraRank int `json:"kv_lora_rank,omitempty"` // rank of the KV projection
	RopeDim    int `json:"rope_dim,omitempty"`     // rotary width
}

// FFN is the feed-forward block of a layer.
type FFN struct {
	Intermediate int  `json:"intermediate"`      // width (of one expert where Experts > 0)
	Gated        bool `json:"gated"`             // three matrices instead of two
	Experts      int  `json:"experts,omitempty"` // routed experts; 0: dense
	TopK         int  `json:"top_k,omitempty"`   // routed experts a token is sent to
	Shared       int  `json:"shared,omitempty"`  // width of all shared experts together; 0: none
}

// LayerKind is one kind of layer; layers of one kind cost the same.
type LayerKind struct {
	Name      string    `json:"name"` // "dense", "moe"
	Attention Attention `json:"attention"`
	FFN       FFN       `json:"ffn"`
}

// HasExperts reports whether some kind of layer has routed experts.
func (m *Model) HasExperts() bool {
	for i := range m.Kinds {
		if m.Kinds[i].FFN.Experts > 0 {
			return true
		}
	}
	return false
}

// Model is a decoder-only transformer, or an operator graph.
type Model struct {
	// Graph is set for a model given as operators; of the other fields it then has the
	// name, the number formats and the provenance alone.
	Graph   *Graph      `json:"graph,omitempty"`
	Name    string      `json:"name"`    // as the catalogue or the condition calls it
	Hidden  int         `json:"hidden"`  // size of the hidden state, elements
	Vocab   int         `json:"vocab"`   // 0: unknown, embedding and head are then left out
	Tied    bool        `json:"tied"`    // embedding and head share weights
	Kinds   []LayerKind `json:"kinds"`   // of layer, in the order they are met
	Layers  []int       `json:"layers"`  // kind of each layer, first to last
	Weights DType       `json:"weights"` // storage and matmul format of the weights
	// Dense is the format of the matrices beside the routed experts where those alone are
	// quantised; empty: Weights.
	Dense DType `json:"dense,omitempty"`
	// Projections is the format of attention's matrices where those are left out of
	// quantising; empty: as Dense.
	Projections DType `json:"projections,omitempty"`
	Activation  DType `json:"activation"`            // format of the activations
	KV          DType `json:"kv"`                    // format of the KV cache
	MaxContext  int   `json:"max_context,omitempty"` // tokens; 0: not stated
	// DeclaredParams is the parameter count an input states; 0: not stated.
	DeclaredParams float64 `json:"declared_params,omitempty"`
	// FFNScale multiplies FFN and expert widths so that the parameters add up to
	// DeclaredParams; 1 where nothing was declared or the figures agree.
	FFNScale   float64 `json:"ffn_scale,omitempty"`
	Provenance string  `json:"provenance,omitempty"` // where the shapes are from
}

// Phase is the kind of work a deployment does.
type Phase string

// Phases of serving.
const (
	Prefill Phase = "prefill"
	Decode  Phase = "decode"
	Mixed   Phase = "mixed" // both on the same GPUs, prefill chunked into decode steps
)

// Phases of an operator graph, which has no tokens: samples pass through it. Training is a
// phase of a model of layers too, with Workload.Training.
const (
	Inference Phase = "inference"
	Training  Phase = "training" // with a backward pass
)

// Range is an inclusive range of whole numbers.
type Range struct {
	Min int `json:"min"` // lower end
	Max int `json:"max"` // upper end
}

// Mid is the middle of the range, rounded up.
func (r Range) Mid() int { return (r.Min + r.Max + 1) / 2 }

// Workload is what is served, or trained.
type Workload struct {
	Phase Phase `json:"phase"` // of serving, or training
	Batch int   `json:"batch"` // sequences in flight over all replicas; of a training step: the global batch
	// Input is the prompt length in tokens: the upper end decides memory and TTFT,
	// the middle throughput. In training it is the length of a sequence.
	Input Range `json:"input"`
	// Output is the number of generated tokens; zero where none are stated.
	Output Range `json:"output"`
	// PrefixCacheHit is the share of the prompt tokens whose keys and values are in the
	// cache when a request comes, [0, 1).
	PrefixCacheHit float64 `json:"prefix_cache_hit,omitempty"`
	// Speculative is speculative decoding; the zero value is none.
	Speculative Speculative `json:"speculative,omitzero"`
	// Training is set in the training phase and nil in serving.
	Training *TrainingStep `json:"training,omitempty"`
}

// Speculative is decoding in which a draft proposes tokens that one step of the model
// verifies all at once.
type Speculative struct {
	DraftTokens int     `json:"draft_tokens"` // proposed for each step; 0: none
	Acceptance  float64 `json:"acceptance"`   // chance that a proposed token is taken, those before it taken too
	DraftCost   float64 `json:"draft_cost"`   // of proposing a token, as a share of a decode step of the model
}

// Cached is how many tokens of a prompt are in the cache; at least one is not.
func (w *Workload) Cached(prompt int) int {
	return min(int(w.PrefixCacheHit*float64(prompt)), max(0, prompt-1))
}

// TokensPerStep is how many tokens of a sequence a step decodes on average: those of the
// draft until the first that is not taken, and the model's own after them.
//
//	1 + α + α² + … + α^γ
func (s Speculative) TokensPerStep() float64 {
	sum, p := 1.0, 1.0
	for range s.DraftTokens {
		p *= s.Acceptance
		sum += p
	}
	return sum
}

// ObjectiveKind names what is minimised.
type ObjectiveKind string

// Objectives. Each single term breaks ties by the other.
const (
	Balanced   ObjectiveKind = "balanced"
	Latency    ObjectiveKind = "latency"
	Throughput ObjectiveKind = "throughput"
	GPUs       ObjectiveKind = "gpus"
	Cost       ObjectiveKind = "cost"
)

// RequirementKind names a metric that a requirement bounds.
type RequirementKind string

// Requirements. Times are upper bounds, rates lower bounds.
const (
	TTFT            RequirementKind = "ttft"               // seconds
	TPOT            RequirementKind = "tpot"               // seconds per output token
	TokensPerSecond RequirementKind = "throughput"         // tokens/s of the deployment
	TokensPerSGPU   RequirementKind = "throughput_per_gpu" // tokens/s of each GPU used
	OutputPerSecond RequirementKind = "output_throughput"  // generated tokens/s
	OutputPerSGPU   RequirementKind = "output_throughput_per_gpu"
	CostUSDPerHour  RequirementKind = "cost_per_hour" // US dollars
	EndToEnd        RequirementKind = "e2e"           // seconds for a whole request
	SamplesPerS     RequirementKind = "samples_per_s" // samples/s of an operator graph
	StepTime        RequirementKind = "step_time"     // seconds of one training step
)

// Upper reports whether the requirement is an upper bound.
func (k RequirementKind) Upper() bool {
	switch k {
	case TTFT, TPOT, CostUSDPerHour, EndToEnd, StepTime:
		return true
	}
	return false
}

// Requirement is one bound that a plan must meet.
type Requirement struct {
	Kind  RequirementKind `json:"kind"`  // which metric
	Value float64         `json:"value"` // in the unit of its kind
	Place Place           `json:"place"`
	Text  string          `json:"text,omitempty"` // as it was stated
}

// PlacementKind says how layers may lie on the GPUs.
type PlacementKind string

// Placements. Pipeline is the default: each replica is a series of stages.
const (
	Pipeline PlacementKind = "pipeline"
	Lanes    PlacementKind = "lanes" // single GPUs that may hold the same layers
	// Disaggregated: some GPUs prefill, the others decode, each with a strategy of their own.
	Disaggregated PlacementKind = "disaggregated"
)

// Goal is what a plan is judged by.
type Goal struct {
	Objective        ObjectiveKind `json:"objective"`              // what is minimised
	Placement        PlacementKind `json:"placement,omitempty"`    // empty: pipeline
	LatencyWeight    float64       `json:"latency_weight"`         // w_ℓ of the balanced objective
	ThroughputWeight float64       `json:"throughput_weight"`      // w_c
	Requirements     []Requirement `json:"requirements,omitempty"` // all must be met
	// Balance is the stated ε of the balance constraint; nil: default 0.25, which
	// gives way where no plan meets it.
	Balance *float64 `json:"balance,omitempty"`
	// AllowIdle lets GPUs of a stated number stay unused.
	AllowIdle bool `json:"allow_idle"`
	// Margin is the share by which a requirement must be beaten to count as met;
	// nil: 0.10, or 0 where the input states its own utilisation.
	Margin *float64 `json:"margin,omitempty"`
}
