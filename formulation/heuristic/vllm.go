package heuristic

import (
	"context"
	"fmt"
)

// vllmDefault is what vLLM's documentation tells people to set: tensor parallelism
// over the GPUs of a node, pipeline parallelism across nodes, one instance
// (docs.vllm.ai, "Parallelism and Scaling"). A degree that heads or pools do not
// divide by gives way to the next smaller one. All ranks have one tensor degree.
// Instances are added only where one would have more stages than layers.
func vllmDefault(_ context.Context, env Env) []Proposal {
	list := common(env)
	if len(list) == 0 {
		return []Proposal{{Why: "no tensor degree suits every pool"}}
	}
	t := list[0]
	r, ok := fewest(env, t)
	if !ok {
		return []Proposal{{Why: fmt.Sprintf("TP%d leaves more stages than the model has layers, with as many instances as sequences", t)}}
	}
	stations := uniform(env, tensor(t), r)
	return []Proposal{{
		Replicas: r, Parts: lay(stations, EngineCut(env.Space.Layers(), len(stations))),
		Why: fmt.Sprintf("TP%d inside the node, PP%d across", t, len(stations)),
	}}
}

// EngineCut is the number of layers on each stage where nobody states it: vLLM's own
// cut (get_pp_indices in vllm/distributed/utils.py, 2025). Layers that do not divide go
// one each to the stages before the last, last first, so that the stage with the head
// and then the one with the embedding stay small.
func EngineCut(n, stages int) []int {
	out := make([]int, stages)
	for i := range out {
		out[i] = n / stages
	}
	for i := range n % stages {
		out[stages-2-i]++
	}
	return out
}
