package cost

import (
	"math"

	"partita/inputs"
)

// engineMemory is how a serving engine shares out a device's memory.
type engineMemory struct {
	capacity int64 // what a plan may fill, bytes
	// slack is left free for each byte of the KV cache.
	slack   float64
	sampler float64 // bytes a logit that choosing tokens takes
}

// newEngineMemory resolves the rules of an engine on a pool of devices:
//
//   - vLLM fills a share of the device, gpu_memory_utilization, with all that it takes
//     (vllm/worker/worker.py, determine_num_available_blocks). Its sampler sorts.
//   - TensorRT-LLM gives the KV cache a share of what weights, activations and runtime
//     leave free, free_gpu_memory_fraction, and the rest stays free. Its sampler keeps
//     logits and probabilities.
//
// Every other engine, and none named, is taken as the first: it is the safe choice.
func newEngineMemory(engine string, pool *inputs.Pool, k *inputs.MemoryConstants) engineMemory {
	if engine == "trtllm" {
		return engineMemory{capacity: pool.MemoryBytes, slack: 1/pool.Utilization - 1, sampler: 2 * logitBytes}
	}
	return engineMemory{
		capacity: int64(math.Floor(float64(pool.MemoryBytes) * pool.Utilization)),
		sampler:  math.Max(logitBytes, k.Sampler),
	}
}

// slackOf is what stays free beside so many bytes of KV cache, in bytes.
func (e *engineMemory) slackOf(kv int64) int64 {
	if e.slack == 0 {
		return 0
	}
	return roundUp(e.slack * float64(kv))
}

// reserves are what a pool's devices take beside tensors, bytes.
type reserves struct {
	runtime      float64 // driver's context, libraries' workspaces, and what the driver hides
	communicator float64 // each group that a GPU communicates in
}

func newReserves(pool *inputs.Pool, k *inputs.MemoryConstants) reserves {
	memory := float64(pool.MemoryBytes)
	return reserves{
		runtime:      k.Runtime + k.HiddenShare*memory,
		communicator: math.Min(k.Communicator, k.CommunicatorShare*memory),
	}
}

// serving is what is kept free on each GPU of a stage: one group where the stage has
// several GPUs, another where there are other stages.
func (r *reserves) serving(gpus int, pipeline bool) int64 {
	groups := 0.0
	if gpus > 1 {
		groups++
	}
	if pipeline {
		groups++
	}
	return roundUp(r.runtime + groups*r.communicator)
}
