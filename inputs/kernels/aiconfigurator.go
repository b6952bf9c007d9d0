package kernels

import (
	"strings"

	"partita/inputs"
)

// Columns and meanings are those of AIConfigurator's collectors and loaders
// (github.com/ai-dynamo/aiconfigurator, collector/ and sdk/perf_database.py): latency in
// milliseconds, heads of one rank, message_size in elements of the format.
func forms() []form {
	return []form{
		{kind: "AIConfigurator GEMM", needs: []string{"gemm_dtype", "m", "n", "k", "latency"}, read: readGEMM},
		{kind: "AIConfigurator attention", needs: []string{"num_key_value_heads", "batch_size", "isl", "num_heads", "head_dim", "kv_cache_dtype", "latency"}, read: readAttention},
		{kind: "AIConfigurator latent attention", needs: []string{"mla_dtype", "kv_cache_dtype", "batch_size", "isl", "latency"}, read: readLatent},
		{kind: "AIConfigurator experts", needs: []string{"moe_dtype", "num_tokens", "hidden_size", "inter_size", "topk", "num_experts", "moe_tp_size", "moe_ep_size", "latency"}, read: readExperts},
		{kind: "AIConfigurator all-reduce", needs: []string{"allreduce_dtype", "num_gpus", "message_size", "latency"}, read: readCustomAllReduce},
		{kind: "AIConfigurator NCCL", needs: []string{"nccl_dtype", "op_name", "num_gpus", "message_size", "latency"}, read: readNCCL},
		{kind: "operator timings", needs: []string{"op"}, may: ownColumns(), exact: true, read: readOwn},
		// Modules of several operators, sparse attention, state spaces, dispatch: known, and of no
		// operator that is priced by itself.
		{kind: "another table of AIConfigurator", needs: []string{"framework", "version", "device", "op_name"}, read: func(r *row) (Sample, string) {
			reason := "operator " + clean(r.text("op_name")) + " is not fitted from"
			if r.p.lacks != "" {
				reason += ": " + r.p.lacks
			}
			return Sample{}, reason
		}},
	}
}

// lacking says which columns keep a table from being one whose first column it has; ""
// where there is none.
func (p *parser) lacking(forms []form) string {
	for _, f := range forms {
		if _, ok := p.column[f.needs[0]]; !ok || f.exact {
			continue
		}
		var missing []string
		for _, name := range f.needs {
			if _, ok := p.column[name]; !ok {
				missing = append(missing, name)
			}
		}
		if len(missing) > 0 {
			return f.kind + " would have " + strings.Join(missing, ", ") + " too"
		}
	}
	return ""
}

// formats are AIConfigurator's modes of quantisation: how weights are stored, and what
// products are made in.
func formats(mode string) (weight, compute inputs.DType, ok bool) {
	switch strings.ToLower(mode) {
	case "float16", "half", "fp16":
		return inputs.FP16, inputs.FP16, true
	case "bfloat16", "bf16":
		return inputs.BF16, inputs.BF16, true
	case "float32", "fp32":
		return inputs.FP32, inputs.FP32, true
	case "fp8", "fp8_static", "fp8_block", "fp8_ootb", "fp8_e4m3":
		return inputs.FP8, inputs.FP8, true
	case "sq", "int8", "w8a8_dynamic":
		return inputs.INT8, inputs.INT8, true
	case "nvfp4":
		return inputs.FP4, inputs.FP4, true
	case "int8_wo":
		return inputs.INT8, inputs.BF16, true
	case "int4_wo":
		return inputs.INT4, inputs.BF16, true
	case "nvfp4_wo", "w4a16_nvfp4", "w4a16_mxfp4":
		return inputs.FP4, inputs.BF16, true
	case "w4afp8", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm":
		return inputs.FP4, inputs.FP8, true
	}
	return "", "", false
}

// format is formats of a cell.
func (r *row) format(name string) (weight, compute inputs.DType, skip string) {
	mode := r.text(name)
	weight, compute, ok := formats(mode)
	if !ok {
		return "", "", "number format " + clean(mode) + " is not known"
	}
	return weight, compute, ""
}

// clean is a word of a table as it may be repeated in a reason.
func clean(s string) string {
	const most = 40
	if letters := []rune(s); len(letters) > most {
		s = string(letters[:most]) + "…"
	}
	return `"` + s + `"`
}

func readGEMM(r *row) (Sample, string) {
	weight, compute, skip := r.format("gemm_dtype")
	return Sample{Op: Matmul, Device: r.text("device"), Weight: weight, Compute: compute, M: r.size("m"), N: r.size("n"), K: r.size("k"), Seconds: r.seconds()}, skip
}

func readAttention(r *row) (Sample, string) {
	s := Sample{
		Op: r.attention("attention"), Device: r.text("device"),
		Batch: r.size("batch_size"), Heads: r.size("num_heads"), KVHeads: r.whole("num_key_value_heads", 0, 0), HeadDim: r.size("head_dim"),
		Window: r.whole("window_size", -1, 0), Seconds: r.seconds(),
	}
	if s.Op == "" {
		return s, "attention of neither prompts nor generated tokens"
	}
	if s.KVHeads == 0 {
		s.KVHeads = s.Heads // as its loader marks heads that share nothing
	}
	s.Window = max(s.Window, 0) // -1: none
	r.lengths(&s)
	var skip, more string
	if s.KV, _, skip = r.format("kv_cache_dtype"); skip != "" {
		return s, skip
	}
	s.Compute = inputs.BF16 // tables of generated tokens need not say
	if r.text("attn_dtype") != "" {
		if _, s.Compute, more = r.format("attn_dtype"); more != "" {
			return s, more
		}
	}
	return s, ""
}

// attention is the operator of a row: by its name where the table has one, else by its
// lengths.
func (r *row) attention(word string) Op {
	name := strings.ToLower(r.text("op_name"))
	prefill, decode := PrefillAttention, DecodeAttention
	if word == "mla" {
		prefill, decode = PrefillLatent, DecodeLatent
	}
	switch {
	case strings.Contains(name, "module"), strings.Contains(name, "encoder"), strings.Contains(name, "dsa"):
		return ""
	case strings.Contains(name, "context"), name == "" && !(r.text("isl") == "1" && r.whole("step", 0, 0) > 0):
		return prefill
	case strings.Contains(name, "generation"), name == "":
		return decode
	}
	return ""
}

// lengths are those of a prompt behind step cached tokens, or of one new token.
func (r *row) lengths(s *Sample) {
	isl, step := r.size("isl"), r.whole("step", 0, 0)
	if s.Op == PrefillAttention || s.Op == PrefillLatent {
		s.New, s.Context = isl, step
		return
	}
	s.New, s.Context = 1, isl+step
}

func readLatent(r *row) (Sample, string) {
	s := Sample{Op: r.attention("mla"), Device: r.text("device"), Batch: r.size("batch_size"), Heads: r.whole("num_heads", 1, 0), KVHeads: 1, Seconds: r.seconds()}
	_, module := r.p.column["gemm_type"]
	// Scales a block of weights are of the projections: no attention by itself has them.
	module = module || strings.HasSuffix(strings.ToLower(r.text("mla_dtype")), "_block")
	if s.Op == "" || module {
		return s, "modules of attention with its projections are not fitted from"
	}
	if s.Heads == 0 {
		s.Heads = max(1, latentHeads/r.size0("tp_size"))
	}
	r.lengths(&s)
	var skip string
	if s.KV, _, skip = r.format("kv_cache_dtype"); skip != "" {
		return s, skip
	}
	_, s.Compute, skip = r.format("mla_dtype")
	return s, skip
}

// latentHeads is the number of heads of DeepSeek-V3, whose shape tables of latent attention
// are of; older ones state tp_size in place of heads.
const latentHeads = 128

// size0 is size, and 1 where it is wrong, to divide by.
func (r *row) size0(name string) int { return max(1, r.size(name)) }

func readExperts(r *row) (Sample, string) {
	weight, compute, skip := r.format("moe_dtype")
	s := Sample{
		Op: Experts, Device: r.text("device"), Weight: weight, Compute: compute,
		Tokens: r.size("num_tokens"), Hidden: r.size("hidden_size"), Width: r.size("inter_size"), TopK: r.size("topk"), Experts: r.size("num_experts"),
		ETP: r.size("moe_tp_size"), EP: r.size("moe_ep_size"), Seconds: r.seconds(),
	}
	if d := strings.ToLower(r.text("distribution")); skip == "" && d != "" && d != "balanced" && d != "uniform" {
		// Tables have each shape with several distributions; the cost model adds the imbalance of
		// routing itself (O11).
		skip = "experts with uneven routing"
	}
	if !r.wrong && s.TopK > s.Experts {
		r.problem("topk", "at most num_experts", "")
	}
	return s, skip
}

func readCustomAllReduce(r *row) (Sample, string) {
	s, skip := r.collective(AllReduce, "allreduce_dtype")
	if skip == "" && (strings.HasSuffix(r.text("kernel_source"), "_eager") || strings.HasSuffix(r.text("backend"), "_eager")) {
		// Tables of vLLM and SGLang have each size with a graph too, as engines run it; by itself
		// the host's launch and a copy of the buffer are in its time.
		skip = "all-reduces that the host launches one by one (eager mode)"
	}
	return s, skip
}

func readNCCL(r *row) (Sample, string) {
	s, skip := r.nccl()
	s.Library = true
	return s, skip
}

func (r *row) nccl() (Sample, string) {
	switch name := strings.ToLower(r.text("op_name")); name {
	case "all_reduce":
		return r.collective(AllReduce, "nccl_dtype")
	case "all_gather":
		return r.collective(AllGather, "nccl_dtype")
	case "reduce_scatter":
		return r.collective(ReduceScatter, "nccl_dtype")
	case "alltoall", "all_to_all":
		return r.collective(AllToAll, "nccl_dtype")
	default:
		return Sample{}, "collective " + clean(name) + " is not priced"
	}
}

func (r *row) collective(op Op, format string) (Sample, string) {
	weight, _, skip := r.format(format)
	s := Sample{Op: op, Device: r.text("device"), GPUs: r.whole("num_gpus", 2, 0), Nodes: r.whole("num_nodes", 1, 1), Seconds: r.seconds()}
	s.Bytes = float64(r.size("message_size")) * weight.Bytes()
	s.Compute = weight
	return s, skip
}
