package kernels

import (
	"strings"

	"partita/inputs"
)

// ownColumns are the columns of a table of one's own beside op and the time.
func ownColumns() []string {
	return []string{
		"device", "dtype", "weight_dtype", "kv_dtype", "m", "n", "k", "batch", "new", "context", "heads", "kv_heads", "head_dim", "window",
		"tokens", "hidden", "width", "experts", "top_k", "ep", "etp", "gpus", "nodes", "bytes", "notes",
	}
}

func readOwn(r *row) (Sample, string) {
	s := Sample{Device: r.text("device"), Seconds: r.seconds()}
	names := make([]string, 0, len(Ops()))
	for _, op := range Ops() {
		names = append(names, string(op))
		if strings.EqualFold(r.text("op"), string(op)) {
			s.Op = op
		}
	}
	if s.Op == "" {
		hint := ""
		if near := inputs.Nearest(strings.ToLower(r.text("op")), names); near != "" {
			hint = "did you mean " + near + "?"
		}
		r.problem("op", "one of "+strings.Join(names, ", "), hint)
		return s, ""
	}
	s.Compute = r.dtype("dtype", inputs.BF16)
	switch s.Op {
	case Matmul:
		s.Weight = r.dtype("weight_dtype", s.Compute)
		s.M, s.N, s.K = r.size("m"), r.size("n"), r.size("k")
	case PrefillAttention, DecodeAttention, PrefillLatent, DecodeLatent:
		r.ownAttention(&s)
	case Experts:
		s.Weight = r.dtype("weight_dtype", s.Compute)
		s.Tokens, s.Hidden, s.Width, s.Experts, s.TopK = r.size("tokens"), r.size("hidden"), r.size("width"), r.size("experts"), r.size("top_k")
		s.EP, s.ETP = r.whole("ep", 1, 1), r.whole("etp", 1, 1)
		if !r.wrong && s.TopK > s.Experts {
			r.problem("top_k", "at most experts", "")
		}
	case Stream:
		s.Bytes = float64(r.size("bytes"))
	case Send:
		s.Bytes, s.GPUs, s.Nodes = float64(r.size("bytes")), 2, r.whole("nodes", 1, 1)
	default:
		s.Bytes, s.GPUs, s.Nodes = float64(r.size("bytes")), r.size("gpus"), r.whole("nodes", 1, 1)
		if !r.wrong && (s.GPUs < 2 || s.GPUs%s.Nodes != 0) {
			r.problem("gpus", "at least 2, and as many on every node", "")
		}
	}
	return s, ""
}

func (r *row) ownAttention(s *Sample) {
	s.KV = r.dtype("kv_dtype", s.Compute)
	s.Batch, s.Heads, s.Window = r.size("batch"), r.size("heads"), r.whole("window", 0, 0)
	s.KVHeads = r.whole("kv_heads", 1, s.Heads)
	if s.Op == PrefillLatent || s.Op == DecodeLatent {
		s.KVHeads = 1
	} else {
		s.HeadDim = r.size("head_dim")
	}
	if s.Op == PrefillAttention || s.Op == PrefillLatent {
		s.New, s.Context = r.size("new"), r.whole("context", 0, 0)
		return
	}
	s.New, s.Context = 1, r.size("context")
}

// dtype is a number format by its own name.
func (r *row) dtype(name string, absent inputs.DType) inputs.DType {
	text := inputs.DType(strings.ToLower(r.text(name)))
	switch text {
	case "":
		return absent
	case inputs.FP32, inputs.BF16, inputs.FP16, inputs.FP8, inputs.INT8, inputs.FP4, inputs.INT4:
		return text
	}
	r.problem(name, "one of fp32, bf16, fp16, fp8, int8, fp4, int4", "")
	return absent
}
