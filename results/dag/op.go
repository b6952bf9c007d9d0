package dag

// Op is what a node does.
type Op string

// Operators on a GPU that compute.
const (
	Embedding         Op = "embedding"
	RMSNorm           Op = "rms_norm"
	QKVProjection     Op = "qkv_projection"
	QKVDownProjection Op = "qkv_down_projection"
	QUpProjection     Op = "q_up_projection"
	KVUpProjection    Op = "kv_up_projection"
	QAbsorption       Op = "q_absorption"
	VUpProjection     Op = "v_up_projection"
	LatentNorm        Op = "latent_norm"
	Rotary            Op = "rotary"
	KVWrite           Op = "kv_write"
	KVRead            Op = "kv_read"
	AttentionScores   Op = "attention_scores"
	Softmax           Op = "softmax"
	WeightedSum       Op = "weighted_sum"
	OutputProjection  Op = "output_projection"
	ResidualAdd       Op = "residual_add"
	FFNGate           Op = "ffn_gate"
	FFNUp             Op = "ffn_up"
	Activation        Op = "activation"
	FFNDown           Op = "ffn_down"
	ExpertGate        Op = "expert_gate"
	ExpertUp          Op = "expert_up"
	ExpertActivation  Op = "expert_activation"
	ExpertDown        Op = "expert_down"
	SharedGate        Op = "shared_gate"
	SharedUp          Op = "shared_up"
	SharedActivation  Op = "shared_activation"
	SharedDown        Op = "shared_down"
	SharedAdd         Op = "shared_add"
	LMHead            Op = "lm_head"
	Sampling          Op = "sampling"
	// Operator is one of an operator graph, whatever it does.
	Operator Op = "operator"
)

// Operators that route, take apart or put together. Split and Concat are on a GPU where
// stages meet, and between GPUs where replicas and ranks part.
const (
	Gate      Op = "gate" // the router's scores
	TopK      Op = "top_k"
	Dispatch  Op = "dispatch"
	Combine   Op = "combine"
	Split     Op = "split"
	Slice     Op = "slice"
	Concat    Op = "concat"
	LastToken Op = "last_token"
)

// Operators that communicate.
const (
	Input            Op = "input"
	Output           Op = "output"
	Send             Op = "send"
	Receive          Op = "receive"
	AllReduce        Op = "all_reduce"
	AllGather        Op = "all_gather"
	ReduceScatter    Op = "reduce_scatter"
	AllToAllDispatch Op = "all_to_all_dispatch"
	AllToAllCombine  Op = "all_to_all_combine"
	LastTokenGather  Op = "last_token_gather"
	// Of an all-gather and a reduce-scatter where one rank has all tokens, the others none.
	Broadcast Op = "broadcast"
	Reduce    Op = "reduce"
)

// Shapes of nodes, as DOT names them.
const (
	Box           = "box"           // computation
	Ellipse       = "ellipse"       // communication
	Parallelogram = "parallelogram" // routing, taking apart, putting together
)

// Shape is the shape of the op's nodes.
func (o Op) Shape() string {
	switch o {
	case Gate, TopK, Dispatch, Combine, Split, Slice, Concat, LastToken:
		return Parallelogram
	case Input, Output, Send, Receive, AllReduce, AllGather, ReduceScatter, AllToAllDispatch, AllToAllCombine, LastTokenGather, Broadcast, Reduce:
		return Ellipse
	}
	return Box
}
