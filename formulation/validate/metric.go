package validate

import "strings"

// quantity is what a metric measures.
type quantity int

const (
	timePerToken quantity = iota + 1
	firstToken
	wholeRequest
	outputRate
	totalRate
	requestRate
	promptTime // of a batch, nothing decoded
	stepTime   // of one decode step
	weights
	cacheTokens
	longestContext
	overflow // the deployment does not fit
	// Of a kernel or a link by itself.
	matmulRate // FLOP/s
	reduceTime // of an all-reduce
	reduceRate // of an all-reduce, as bytes/s
	sendRate   // from one device to another, bytes/s
	// Of training.
	trainMemory // of the GPU that holds most
	trainStep   // time of a step
	trainRate   // tokens/s that train on each GPU
	usefulFLOPS // of each GPU, nothing that is computed twice counted twice
	allFLOPS    // and what is recomputed
	layerForward
	layerBackward
	layerBoth
)

// measure is how a metric follows from a prediction: a quantity in seconds, 1/s, bytes or
// tokens, times scale; of each GPU or node where said.
type measure struct {
	quantity        quantity
	scale           float64
	perGPU, perNode bool
	ofPeak          bool // as a share of the peak FLOP/s
}

// measures are the metrics that the program predicts, by their names in tables.
func measures() map[string]measure {
	const ms, gib = 1e3, 1.0 / (1 << 30)
	return map[string]measure{
		"tpot_ms": {quantity: timePerToken, scale: ms}, "tpot_ms_mean": {quantity: timePerToken, scale: ms}, "tpot_ms_median": {quantity: timePerToken, scale: ms},
		"itl_ms": {quantity: timePerToken, scale: ms}, "itl_ms_mean": {quantity: timePerToken, scale: ms}, "itl_ms_median": {quantity: timePerToken, scale: ms},
		"ttft_ms": {quantity: firstToken, scale: ms}, "ttft_ms_mean": {quantity: firstToken, scale: ms}, "ttft_ms_median": {quantity: firstToken, scale: ms},
		"e2e_s_mean": {quantity: wholeRequest, scale: 1}, "e2e_s_median": {quantity: wholeRequest, scale: 1},
		"e2e_latency_s": {quantity: wholeRequest, scale: 1}, "e2e_batch_latency_s": {quantity: wholeRequest, scale: 1},
		"output_tok_s": {quantity: outputRate, scale: 1}, "output_tok_s_per_gpu": {quantity: outputRate, scale: 1, perGPU: true}, "output_tok_s_per_node": {quantity: outputRate, scale: 1, perNode: true},
		"total_tok_s": {quantity: totalRate, scale: 1}, "total_tok_s_per_gpu": {quantity: totalRate, scale: 1, perGPU: true}, "total_tok_s_per_node": {quantity: totalRate, scale: 1, perNode: true},
		"req_s":      {quantity: requestRate, scale: 1},
		"prefill_ms": {quantity: promptTime, scale: ms}, "decode_ms_per_token": {quantity: stepTime, scale: ms},
		"weights_gib_per_gpu": {quantity: weights, scale: gib},
		"kv_cache_tokens":     {quantity: cacheTokens, scale: 1}, "kv_blocks_16": {quantity: cacheTokens, scale: 1.0 / 16}, "cuda_blocks_16": {quantity: cacheTokens, scale: 1.0 / 16},
		"max_context_k_tokens": {quantity: longestContext, scale: 1},
		"does_not_fit":         {quantity: overflow}, "oom": {quantity: overflow},
	}
}

// more reports whether a larger value of the quantity is better.
func (q quantity) more() bool {
	switch q {
	case outputRate, totalRate, requestRate, trainRate, usefulFLOPS, allFLOPS:
		return true
	}
	return false
}

// chosenBy reports whether layouts are chosen by the quantity.
func (q quantity) chosenBy() bool {
	switch q {
	case weights, cacheTokens, longestContext, trainMemory, overflow, matmulRate, reduceTime, reduceRate, sendRate:
		return false
	}
	return true
}

// total is what a quantity is counted under over all families.
func (q quantity) total() string {
	switch q {
	case timePerToken, stepTime:
		return "time per output token"
	case firstToken, promptTime:
		return "time to first token"
	case wholeRequest:
		return "time of a request"
	case trainMemory:
		return "memory of training"
	case weights, cacheTokens, longestContext:
		return "memory"
	case trainStep, trainRate, usefulFLOPS, allFLOPS:
		return "training step"
	case layerForward, layerBackward, layerBoth:
		return "training layer"
	case matmulRate:
		return "matrix products"
	case reduceTime, reduceRate, sendRate:
		return "links"
	}
	return "tokens or requests per second"
}

// notPredicted says why a metric that has no measure is not predicted.
func notPredicted(kind, metric string) string {
	switch {
	case kind == "training":
		return "metric " + metric + " of training is not predicted"
	case kind == "microbench":
		return "metric " + metric + " of a kernel or a link is not predicted"
	case strings.HasSuffix(metric, "_p99") || strings.HasSuffix(metric, "_p95") || strings.HasSuffix(metric, "_p90"):
		return "a percentile of a distribution is not predicted"
	case metric == "non_torch_gib", metric == "activation_peak_gib", metric == "kv_cache_gib_per_gpu":
		return "constants of memory were taken from this run"
	case strings.HasPrefix(metric, "max_allocated_"):
		return "memory of one rank: the length of a sequence is not stated"
	case strings.HasPrefix(metric, "theoretical_"):
		return "what a formula says is no measurement"
	}
	return "metric " + metric + " is not predicted"
}
