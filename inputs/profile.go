package inputs

import "strings"

// Profile is what one generation of devices reaches of its datasheet: the constants of
// the cost model. It is plain data; package inputs/profile has one for each generation,
// and a calibration may bring one of its own (Accelerator.Profile).
//
// A constant is named by the path of its JSON names, such as "operators.gemm16.floor".
// Times are in seconds, shares are of the datasheet figure, (0, 1].
type Profile struct {
	Generation string            `json:"generation"` // of devices, whose constants these are
	Operators  OperatorConstants `json:"operators"`  // of the kernels
	Links      LinkConstants     `json:"links"`      // of links, inside a node and between nodes
	Host       HostConstants     `json:"host"`       // of the serving engine beside the kernels
	Training   TrainingConstants `json:"training"`   // of a training step alone
	Memory     MemoryConstants   `json:"memory"`     // of what a runtime takes of the memory
	// Sources says where each constant is from, by its path or a beginning of it.
	Sources map[string]string `json:"sources,omitempty"`
	// Inherited names the generation that a constant was taken from where it is not the
	// profile's own, by its path.
	Inherited map[string]string `json:"inherited,omitempty"`
}

// OperatorConstants are those of the kernels (docs/cost-model.md, O1 to O11).
type OperatorConstants struct {
	GEMM16 KernelConstants `json:"gemm16"` // products of 16 bits and wider
	GEMM8  KernelConstants `json:"gemm8"`  // of 8 bits, quantising the activations included
	GEMM4  KernelConstants `json:"gemm4"`  // of 4 bits, the same
	// Prefill is attention over new tokens, Decode that of one new token a sequence.
	Prefill KernelConstants  `json:"prefill"`
	Decode  KernelConstants  `json:"decode"`
	Experts GroupedConstants `json:"experts"`
	Stream  StreamConstants  `json:"stream"`
}

// KernelConstants are those of the roofline of one kind of kernel.
type KernelConstants struct {
	Floor     float64 `json:"floor"`     // seconds a launch, ramp-up included
	Compute   float64 `json:"compute"`   // share of the peak FLOP/s
	Bandwidth float64 `json:"bandwidth"` // share of the peak memory bandwidth
}

// GroupedConstants are what the grouped products of routed experts reach beside plain ones.
type GroupedConstants struct {
	Compute   float64 `json:"compute"`   // of what a plain product reaches
	Bandwidth float64 `json:"bandwidth"` // of what a plain product reaches
	// Imbalance multiplies what the busiest rank has above the mean where routing is
	// random (O11); 0: every rank has the mean.
	Imbalance float64 `json:"imbalance"`
}

// StreamConstants are those of operators that only move data: norm, residual, rotary
// embedding, activation function.
type StreamConstants struct {
	Floor     float64 `json:"floor"`     // seconds a launch
	Bandwidth float64 `json:"bandwidth"` // share of the peak memory bandwidth
}

// LinkConstants are those of links by their kind (L1 to L4).
type LinkConstants struct {
	NVLink NodeLinkConstants `json:"nvlink"` // with a switch, or another full-rate fabric
	Mesh   NodeLinkConstants `json:"mesh"`
	// PCIe is without access from device to device: copies pass through host memory.
	PCIe       NodeLinkConstants    `json:"pcie"`
	InfiniBand NetworkLinkConstants `json:"infiniband"`
	Ethernet   NetworkLinkConstants `json:"ethernet"`
}

// NodeLinkConstants are those of a link inside a node. Latencies grow along a straight
// line from 2 devices to 8, shares geometrically over 2, 4 and 8; both stay from there.
type NodeLinkConstants struct {
	// All-reduce in one step, each device reading all others; a share of 0: there is none.
	OneShotLatency2 float64 `json:"one_shot_latency_2"` // seconds, 2 devices
	OneShotLatency8 float64 `json:"one_shot_latency_8"` // seconds, 8 devices
	OneShotShare    float64 `json:"one_shot_share"`     // of the rate
	// All-reduce in two steps or over a ring; all-gather, reduce-scatter and all-to-all
	// take half of its latency.
	RingLatency2 float64 `json:"ring_latency_2"` // seconds, 2 devices
	RingLatency8 float64 `json:"ring_latency_8"` // seconds, 8 devices
	RingShare2   float64 `json:"ring_share_2"`   // of the rate, as bus bandwidth of 2 devices
	RingShare4   float64 `json:"ring_share_4"`   // of 4
	RingShare8   float64 `json:"ring_share_8"`   // of 8
	// All-reduce that the switch sums: each device sends and receives its buffer once,
	// however many there are. A share of 0: the switch does not.
	SwitchLatency float64 `json:"switch_latency"` // seconds
	SwitchShare   float64 `json:"switch_share"`   // of the rate
	SendLatency   float64 `json:"send_latency"`   // seconds, from one device to another
	SendShare     float64 `json:"send_share"`     // of the rate, from one device to another
}

// NetworkLinkConstants are those of a link between nodes.
type NetworkLinkConstants struct {
	Latency float64 `json:"latency"` // seconds a step of a collective, or a send
	Share   float64 `json:"share"`   // of the rate
}

// Source says where the constant of a path is from; "" where nothing is said.
func (p *Profile) Source(path string) string {
	for {
		if text, ok := p.Sources[path]; ok {
			return text
		}
		cut := strings.LastIndexByte(path, '.')
		if cut < 0 {
			return ""
		}
		path = path[:cut]
	}
}
