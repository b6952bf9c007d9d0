package dagcheck

// op is what a node does.
type op uint16

// Operators that rules speak of by name. Every other one of the list is of a kind only.
const (
	noOp op = iota
	opInput
	opOutput
	opSend
	opReceive
	opAllReduce
	opAllGather
	opReduceScatter
	opSplit
	opSlice
	opConcat
	opGate
	opTopK
	opDispatch
	opCombine
	opResidualAdd
	opSharedAdd
	opKVWrite
	opKVRead
	opSoftmax
	opNorm
	opExpert
	opOperator // of an operator graph
	opAllToAll
	opOtherCompute
	opOtherRoute
	opOtherMove
	firstUnknown
)

// opNames lists what each operator is called: the name in graphs of partita first, then
// what others call it.
var opNames = [firstUnknown][]string{
	opInput:         {"input"},
	opOutput:        {"output"},
	opSend:          {"send", "p2p_send"},
	opReceive:       {"receive", "recv", "p2p_receive"},
	opAllReduce:     {"all_reduce", "allreduce"},
	opAllGather:     {"all_gather", "allgather"},
	opReduceScatter: {"reduce_scatter", "reducescatter"},
	opSplit:         {"split", "scatter"},
	opSlice:         {"slice"},
	opConcat:        {"concat", "aggregate", "gather"},
	opGate:          {"gate", "router"},
	opTopK:          {"top_k", "topk"},
	opDispatch:      {"dispatch"},
	opCombine:       {"combine"},
	opResidualAdd:   {"residual_add"},
	opSharedAdd:     {"shared_add"},
	opKVWrite:       {"kv_write"},
	opKVRead:        {"kv_read"},
	opSoftmax:       {"softmax"},
	opNorm:          {"rms_norm", "latent_norm", "layer_norm"},
	opExpert:        {"expert_gate", "expert_up", "expert_activation", "expert_down"},
	opOperator:      {"operator"},
	opAllToAll:      {"all_to_all_dispatch", "all_to_all_combine", "all_to_all"},
	opOtherCompute: {"embedding", "qkv_projection", "qkv_down_projection", "q_up_projection", "kv_up_projection", "q_absorption",
		"v_up_projection", "rotary", "attention_scores", "weighted_sum", "output_projection", "ffn_gate", "ffn_up", "activation",
		"ffn_down", "shared_gate", "shared_up", "shared_activation", "shared_down", "lm_head", "sampling"},
	opOtherRoute: {"last_token"},
	opOtherMove:  {"last_token_gather", "broadcast", "reduce"},
}

var opByName = func() map[string]op {
	m := map[string]op{}
	for o, names := range opNames {
		for _, name := range names {
			m[name] = op(o)
		}
	}
	return m
}()

// String is the operator's own name, or what its kind is called.
func (o op) String() string {
	switch {
	case o == noOp || o >= firstUnknown:
		return "operator"
	case o == opOtherCompute:
		return "computation"
	case o == opOtherRoute:
		return "routing"
	case o == opOtherMove:
		return "communication"
	}
	return opNames[o][0]
}

// shape is the outline that an operator's nodes have; noShape where it is unknown.
func (o op) shape() shape {
	switch o {
	case opInput, opOutput, opSend, opReceive, opAllReduce, opAllGather, opReduceScatter, opAllToAll, opOtherMove:
		return ellipse
	case opSplit, opSlice, opConcat, opGate, opTopK, opDispatch, opCombine, opOtherRoute:
		return parallelogram
	case opResidualAdd, opSharedAdd, opKVWrite, opKVRead, opSoftmax, opNorm, opExpert, opOperator, opOtherCompute:
		return box
	}
	return noShape
}
