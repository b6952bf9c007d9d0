package results

import (
	"slices"

	"partita/inputs"
)

// Apart is the phase of two deployments seen as one: no plan has a phase of that name.
const Apart inputs.Phase = "prefill and decode apart"

// Disaggregated is a deployment of two: the GPUs of the first phase of the plan prefill,
// those of the second decode, and the KV cache of every prompt goes from one to the other.
// What a phase says of itself leaves the other out; what is said here is of both together,
// and the requirements of either phase hold the whole against what was asked.
type Disaggregated struct {
	// PrefillBatch is the number of prompts in flight on the prefill side, over all replicas.
	// The batch of the workload is in flight on the decode side.
	PrefillBatch int `json:"prefill_batch"`
	// RequestsPerS is the rate of the deployment in requests/s: the least of the next three.
	RequestsPerS         float64    `json:"requests_per_s"`
	PrefillRequestsPerS  float64    `json:"prefill_requests_per_s"`  // requests/s that the prefill side takes
	DecodeRequestsPerS   float64    `json:"decode_requests_per_s"`   // requests/s that the decode side takes
	TransferRequestsPerS float64    `json:"transfer_requests_per_s"` // requests/s that the link between them carries
	LimitedBy            string     `json:"limited_by"`              // which of them is the least: prefill, decode or transfer
	Transfer             KVTransfer `json:"transfer"`                // of a prompt's KV cache
	GPUs                 GPUCount   `json:"gpus"`                    // of both sides
	Metrics              Metrics    `json:"metrics"`                 // of both sides together
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

// Whole is the deployment as it is judged: the only one of most plans, or what both sides
// come to, with the GPUs, requirements and proof of both together and no strategy of its
// own. Nil of a plan without phases.
func (p *Plan) Whole() *PhasePlan {
	u := p.Disaggregated
	switch {
	case len(p.Phases) == 0:
		return nil
	case u == nil:
		return &p.Phases[0]
	}
	whole := &PhasePlan{Phase: Apart, GPUs: u.GPUs, Metrics: u.Metrics, Solve: u.Solve, Requirements: []RequirementResult{}}
	for i := range p.Phases {
		whole.Stages = slices.Concat(whole.Stages, p.Phases[i].Stages)
		whole.Requirements = slices.Concat(whole.Requirements, p.Phases[i].Requirements)
	}
	return whole
}

// BatchOf is the number of sequences that a phase of the plan has in flight, over all
// replicas: the batch of the workload, or on a prefill side of its own what is in flight
// there. The plan has a deployment.
func (p *Plan) BatchOf(ph *PhasePlan) int {
	if p.Disaggregated != nil && ph.Phase == inputs.Prefill {
		return p.Disaggregated.PrefillBatch
	}
	return p.Deployment.Workload.Batch
}
