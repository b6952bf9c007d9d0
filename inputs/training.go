package inputs

// Recompute names the activations of a layer that are computed again in the backward pass
// instead of being kept.
type Recompute string

// Kinds of activation recompute (Korthikanti et al. 2022, "Reducing Activation
// Recomputation in Large Transformer Models").
const (
	NoRecompute        Recompute = "none"      // everything is kept
	SelectiveRecompute Recompute = "selective" // the attention scores, as flash attention does
	FullRecompute      Recompute = "full"      // the whole layer, from its input
)

// TrainingStep is what a training workload says beside Workload: its Batch is the global batch
// in sequences, its Input the length of a sequence in tokens. What is left open is decided
// by the search.
type TrainingStep struct {
	// OptimizerBytes a parameter: 12 for Adam with an fp32 master copy and two moments.
	OptimizerBytes float64 `json:"optimizer_bytes"`
	// GradientBytes a parameter, in the format that gradients are summed in: 2 or 4.
	GradientBytes float64 `json:"gradient_bytes"`
	// MicroBatch is the number of sequences that a replica works on at once; 0: open.
	MicroBatch int `json:"micro_batch,omitempty"`
	// VirtualStages is how many parts of the model each pipeline rank holds (interleaved
	// 1F1B); 1: plain 1F1B, 0: open.
	VirtualStages int `json:"virtual_stages,omitempty"`
	// ZeRO is the stage of sharding over data-parallel ranks (0 none, 1 optimizer, 2
	// gradients too, 3 weights too); nil: open.
	ZeRO *int `json:"zero,omitempty"`
	// Recompute of every stage, or one a stage; empty: open, stage by stage.
	Recompute []Recompute `json:"recompute,omitempty"`
	// SequenceParallel splits norms and residuals over the tensor ranks; nil: open.
	SequenceParallel *bool `json:"sequence_parallel,omitempty"`
}
