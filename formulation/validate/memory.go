package validate

import (
	"regexp"
	"strconv"
	"strings"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/inputs/measured"
)

// servingEngine is the serving engine behind a framework's name, as a condition names it; ""
// for one that is not known.
func servingEngine(framework string) string {
	f := strings.ToLower(framework)
	switch {
	case strings.Contains(f, "vllm"):
		return "vllm"
	case strings.Contains(f, "sglang"):
		return "sglang"
	case strings.HasPrefix(f, "trt"), strings.Contains(f, "tensorrt"):
		return "trtllm" // MLPerf's and NIM's name what it is built on
	}
	return ""
}

// cacheOf is the format of the KV cache where it is not the one that goes with the weights:
// vLLM keeps the 16 bits of the activations beside weights of 8 bits, and of 4-bit integers,
// unless it is asked (vllm/config/cache.py, cache_dtype "auto").
func cacheOf(engine string, weights inputs.DType) inputs.DType {
	if engine == "vllm" && (weights == inputs.FP8 || weights == inputs.INT8 || weights == inputs.INT4) {
		return inputs.BF16
	}
	return ""
}

// profiled is the step that an engine measures its activations by when it starts, as vLLM
// does: a number of tokens over as many sequences as run at most. vLLM 0.2 to 0.8 takes the
// tokens of the longest context, and where that is above 32k chunks of it.
const (
	mostProfiled    = 32768
	profiledChunk   = 2048
	profiledBatches = 256 // max_num_seqs
)

func profiledStep(context int) cost.Step {
	if context > mostProfiled {
		context = profiledChunk
	}
	return cost.Step{Phase: inputs.Prefill, Sequences: profiledBatches, New: max(1, context/profiledBatches)}
}

// longestOf finds the longest context that an engine was started with, in notes; 0: not said.
func longestOf(r *measured.Row) int {
	g := longest.FindStringSubmatch(r.Notes)
	if g == nil {
		return 0
	}
	n, _ := strconv.Atoi(g[1])
	return n
}

var longest = regexp.MustCompile(`(?i)\bmax_model_len (\d+)\b`)

// memory is what the weights take, how many tokens the cache of a replica holds, or how long
// a context it has room for in thousands of 1024, doubling.
func (r *run) memory(q quantity) (float64, *failed, error) {
	short := inputs.Range{Min: 1, Max: 1}
	if q == weights {
		p, err := r.one(inputs.Mixed, short, short)
		if err != nil || p.why != "" {
			return 0, &failed{why: p.why}, err
		}
		return float64(p.Weights), nil, nil
	}
	s, err := r.state(step{inputs.Mixed, r.replicas, short, short})
	if err != nil || s.why != "" {
		return 0, &failed{why: s.why}, err
	}
	calc, err := cost.New(withProfile(s.Condition, r.profile))
	if err != nil {
		return 0, nil, err
	}
	context := s.Model.MaxContext
	if r.longest > 0 {
		context = r.longest
	}
	tokens := float64(r.cacheTokens(calc, &s.Model, context))
	if q == longestContext {
		longest := 0
		for n := 1; n<<10 <= context; n *= 2 {
			if r.cacheTokens(calc, &s.Model, n<<10) >= int64(n)<<10 {
				longest = n
			}
		}
		tokens = float64(longest)
	}
	if tokens <= 0 {
		return 0, &failed{why: notFitting, unfit: true}, nil
	}
	return tokens, nil, nil
}

// cacheTokens is the least over equal stages.
func (r *run) cacheTokens(calc *cost.Calculator, m *inputs.Model, context int) int64 {
	shape := cost.Shape{TP: r.tp, CP: r.cp, DPAttention: r.dpa, EP: r.ep, ETP: r.etp}
	load := cost.Load{Steps: []cost.Step{profiledStep(context)}}
	least := int64(-1)
	for i := range r.pp {
		counts := make([]int, len(m.Kinds))
		for _, kind := range m.Layers[i*len(m.Layers)/r.pp : (i+1)*len(m.Layers)/r.pp] {
			counts[kind]++
		}
		n := calc.KVTokens(0, counts, i == 0, i == r.pp-1, shape, load)
		if least < 0 || n < least {
			least = n
		}
	}
	return least
}
