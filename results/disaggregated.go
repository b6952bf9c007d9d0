package results

// Disaggregated is a deployment of two: the GPUs of the first phase of the plan prefill,
// those of the second decode, and the KV cache of every prompt goes from one to the other.
// What a phase says of itself leaves the other out; what is said here is of both together,
// and the requirements of either phase hold the whole against what was asked.
type Disaggregated struct {
	// PrefillBatch is the number of prompts in flight on the prefill side, over all replicas.
	// The batch of the workload is in flight on the decode side.
	PrefillBatch int `json:"prefill_batch"`
	// Rates in requests/s: of either side alone, of the link, and of the deployment, which
	// is the least of them. LimitedBy names that one: prefill, decode or transfer.
	RequestsPerS         float64    `json:"requests_per_s"`
	PrefillRequestsPerS  float64    `json:"prefill_requests_per_s"`
	DecodeRequestsPerS   float64    `json:"decode_requests_per_s"`
	TransferRequestsPerS float64    `json:"transfer_requests_per_s"`
	LimitedBy            string     `json:"limited_by"`
	Transfer             KVTransfer `json:"transfer"`
	GPUs                 GPUCount   `json:"gpus"` // of both sides
	Metrics              Metrics    `json:"metrics"`
	// Solve is the proof that no other split of the GPUs is better; those of the phases are
	// proofs about their side of this one.
	Solve Solve `json:"solve"`
}

// KVTransfer is the way of a prompt's KV cache. All ranks send and receive at once; the one
// with most to send, or to receive, decides.
type KVTransfer struct {
	// Link is "node" where all GPUs of both sides are on one host, else "network".
	Link string `json:"link"`
	// PromptGiB is the cache of the longest prompt, GPUGiB the largest part of it on a GPU
	// of either side.
	PromptGiB float64 `json:"prompt_gib"`
	GPUGiB    float64 `json:"gpu_gib"`
	// TimeMS is what the transfer of the longest prompt adds to its first token, ms.
	TimeMS float64 `json:"time_ms"`
	// Utilisation is the share of the time that the busiest link sends, at the rate of the
	// deployment; at most 1.
	Utilisation float64 `json:"utilisation"`
}
