package launch

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"partita/inputs"
	"partita/results"
)

// vLLM's flags and limits are read off its source at commit 00193b8 (github.com/vllm-project/
// vllm): vllm/engine/arg_utils.py, vllm/config/parallel.py, vllm/config/scheduler.py, and
// docs/serving/parallelism_scaling.md, data_parallel_deployment.md. --nnodes and --node-rank
// came with pull request 23691, "Support MP Executor for multi node distributed inference"
// (November 2025).

// chunkTokens is the budget of prompt tokens of a step and rank that plans of mixed serving
// are priced with (docs/cost-model.md, C3c): the default of engines on large GPUs.
const chunkTokens = 8192

// vllmServer is one replica of a plan as vLLM runs it: processes on one host or several,
// one of which answers requests.
type vllmServer struct {
	replica   int
	tp, pp    int
	dp        int // attention data-parallel ranks
	experts   bool
	layers    []int // of each stage
	processes []vllmProcess
	flags     []string // of every process
	env       [][2]string
}

// vllmProcess is what one host runs of a replica.
type vllmProcess struct {
	host    string
	devices []Device  // in the order of vLLM's ranks
	needs   []float64 // of each device, in GiB
	// utilization is the share of the GPUs' memory that vLLM may fill.
	utilization string
}

// vllmPlan is a plan as vLLM runs it.
type vllmPlan struct {
	checkpoint Checkpoint
	servers    []vllmServer
	visible    string // environment variable of the GPUs that a process sees
}

// onVLLM is a plan as vLLM runs it. The error is a Refusal of that title where its rule pack,
// its formats or the limits of the way it is started are in the way.
func (s *Serving) onVLLM(title string, limits func(servers []vllmServer) []string) (*vllmPlan, error) {
	checkpoint, err := s.checkpoint()
	if err != nil {
		return nil, err
	}
	servers, reasons, err := s.vllmServers(checkpoint)
	if err != nil {
		return nil, err
	}
	if reasons = append(reasons, s.unlike()...); len(reasons) == 0 {
		reasons = limits(servers)
	}
	if len(reasons) > 0 {
		return nil, &Refusal{Title: title, Reasons: reasons}
	}
	vendors, err := s.vendors() // of one maker, by the rule pack
	if err != nil {
		return nil, err
	}
	return &vllmPlan{checkpoint: checkpoint, servers: servers, visible: visible(vendors[0])}, nil
}

// vllmServers are the replicas of a plan for vLLM. Reasons say why it cannot run them.
func (s *Serving) vllmServers(checkpoint Checkpoint) ([]vllmServer, []string, error) {
	reasons, err := s.limits("vllm")
	if err != nil || len(reasons) > 0 {
		return nil, reasons, err
	}
	flags, reasons := s.vllmFlags(checkpoint)
	if len(reasons) > 0 {
		return nil, reasons, nil
	}
	servers := make([]vllmServer, 0, len(s.Replicas))
	for r, stages := range s.Replicas {
		// The rule pack has all stages of one degree.
		first := stages[0]
		v := vllmServer{replica: r, tp: first.TP, pp: len(stages), dp: first.DPAttention, experts: s.expertParallel(first), flags: flags}
		for _, stage := range stages {
			v.layers = append(v.layers, stage.LastLayer-stage.FirstLayer+1)
			if len(stage.GPUs) != v.tp*v.dp {
				return nil, nil, fmt.Errorf("stage %d of replica %d has %d GPUs for TP %d × DP %d", stage.Index, r, len(stage.GPUs), v.tp, v.dp)
			}
		}
		if v.pp > 1 {
			v.env = append(v.env, [2]string{"VLLM_PP_LAYER_PARTITION", v.partition()})
		}
		ranks, needs, err := s.vllmRanks(stages, v.tp, v.dp)
		if err != nil {
			return nil, nil, err
		}
		v.processes = runs(ranks, needs, func(a, b Device) bool { return a.Host == b.Host })
		if v.shortOfMemory() != "" {
			// GPUs of a host that may be filled unlike far: a process for each kind of them.
			v.processes = runs(ranks, needs, func(a, b Device) bool {
				return a.Host == b.Host && utilization([]Device{a}) == utilization([]Device{b})
			})
		}
		v.even()
		servers = append(servers, v)
	}
	return servers, nil, nil
}

// expertParallel reports whether vLLM has to be told to give each rank whole experts.
// Without it every rank holds a part of each (tensor parallelism over TP × DP ranks).
func (s *Serving) expertParallel(stage *results.Stage) bool {
	return stage.EP > 1
}

// partition is the number of layers of each stage as VLLM_PP_LAYER_PARTITION takes it
// (vllm/distributed/utils.py, get_pp_indices).
func (v *vllmServer) partition() string {
	words := make([]string, len(v.layers))
	for i, n := range v.layers {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, ",")
}

// degrees are the flags of a replica's shape.
func (v *vllmServer) degrees() []string {
	out := []string{"--tensor-parallel-size", strconv.Itoa(v.tp), "--pipeline-parallel-size", strconv.Itoa(v.pp)}
	if v.dp > 1 {
		out = append(out, "--data-parallel-size", strconv.Itoa(v.dp))
	}
	if v.experts {
		out = append(out, "--enable-expert-parallel")
	}
	return out
}

// vllmRanks are the GPUs of a replica in the order of vLLM's ranks: data-parallel ranks
// outermost, in each the stages, in each stage the tensor ranks (vllm/distributed/
// parallel_state.py, initialize_model_parallel: "ExternalDP x DP x PP x PCP x TP"). A stage
// lists its GPUs with the tensor ranks innermost. With each comes what it needs, in GiB.
func (s *Serving) vllmRanks(stages []*results.Stage, tp, dp int) (ranks []Device, needs []float64, err error) {
	byStage := make([][]Device, len(stages))
	for i, stage := range stages {
		if byStage[i], err = s.devices(stage); err != nil {
			return nil, nil, err
		}
	}
	for d := range dp {
		for i, stage := range stages {
			for _, device := range byStage[i][d*tp : (d+1)*tp] {
				ranks, needs = append(ranks, device), append(needs, stage.MemoryGiB)
			}
		}
	}
	return ranks, needs, nil
}

// runs cuts ranks into processes, between two of them that are not alike.
func runs(ranks []Device, needs []float64, alike func(a, b Device) bool) []vllmProcess {
	var out []vllmProcess
	for i, d := range ranks {
		if i == 0 || !alike(ranks[i-1], d) {
			out = append(out, vllmProcess{host: d.Host})
		}
		p := &out[len(out)-1]
		p.devices, p.needs = append(p.devices, d), append(p.needs, needs[i])
	}
	for i := range out {
		out[i].utilization = utilization(out[i].devices)
	}
	return out
}

// utilization is --gpu-memory-utilization for some GPUs: what a plan may fill of the least
// of them, as a share of the whole memory of the device, which is how vLLM counts (vllm/
// config/cache.py, gpu_memory_utilization). It is rounded down: never more than the plan's.
func utilization(devices []Device) string {
	least := 1.0
	for _, d := range devices {
		least = min(least, float64(d.Pool.MemoryBytes)*d.Pool.Utilization/float64(d.memory()))
	}
	// A hair is added before rounding down, so that 0.9 stays 0.9.
	return strconv.FormatFloat(math.Floor(least*1e4+1e-6)/1e4, 'f', -1, 64)
}

// memory is the whole memory of a device, in bytes: the nominal one, unless a plan has more.
func (d Device) memory() int64 {
	return max(d.Pool.Accelerator.MemoryBytes, d.Pool.MemoryBytes)
}

// vllmFlags are the flags that all replicas share, besides their degrees.
func (s *Serving) vllmFlags(checkpoint Checkpoint) (flags, reasons []string) {
	dtype, why := s.vllmDType()
	if why != "" {
		reasons = append(reasons, why)
	}
	flags = append(flags, "--dtype", dtype)
	if s.Model.Weights == inputs.FP8 && checkpoint.Format != inputs.FP8 {
		flags = append(flags, "--quantization", "fp8")
	}
	switch kv := s.Model.KV; {
	case kv == inputs.FP8:
		flags = append(flags, "--kv-cache-dtype", "fp8")
	case kv.Bytes() == 2 && dtype == "float32":
		flags = append(flags, "--kv-cache-dtype", "bfloat16")
	case kv.Bytes() == 2, kv == inputs.FP32 && dtype == "float32": // auto: as --dtype
	default: // FP32 beside narrower activations; the rule pack knows the other formats
		reasons = append(reasons, fmt.Sprintf("it keeps the KV cache in FP8 or as wide as the activations, not in %s (vllm/config/cache.py, CacheDType)", kv))
	}
	dp := s.Replicas[0][0].DPAttention
	sequences := divideUp(s.Phase.Strategy.SequencesPerReplica, dp)
	flags = append(flags,
		"--max-model-len", strconv.Itoa(s.contextLength()),
		"--max-num-seqs", strconv.Itoa(sequences),
		"--max-num-batched-tokens", strconv.Itoa(s.batchedTokens(sequences, dp)))
	return flags, reasons
}

// vllmDType is the format that vLLM computes in: of 16-bit or wider weights, else of the
// activations. GPUs before compute capability 8.0 have no BF16, and vLLM refuses it there
// (vllm/platforms/cuda.py, check_if_supports_dtype); plans count FP16 on them.
func (s *Serving) vllmDType() (name, why string) {
	format := s.Model.Weights
	if format.Bytes() < 2 {
		format = s.Model.Activation
	}
	switch format {
	case inputs.FP32:
		return "float32", ""
	case inputs.FP16:
		return "float16", ""
	case inputs.BF16:
		for _, stages := range s.Replicas {
			for _, stage := range stages {
				if pool, err := s.pool(stage.Pool); err == nil && before80(pool.Accelerator.Generation) {
					return "float16", ""
				}
			}
		}
		return "bfloat16", ""
	}
	return "auto", "" // 8-bit activations: the checkpoint says how they are scaled
}

// before80 reports whether NVIDIA devices of a generation have a compute capability below 8.0.
func before80(generation string) bool { return generation == "volta" || generation == "turing" }

// contextLength is the longest sequence that the workload holds, in tokens: a prompt and
// what is generated behind it, at least one token.
func (s *Serving) contextLength() int {
	return s.Workload.Input.Max + max(1, s.Workload.Output.Max)
}

// batchedTokens is the most tokens of a step on one data-parallel rank, which vLLM wants to
// be no less than its sequences. A mixed step reads prompts in chunks of the budget that the
// plan was priced with, or of its micro-batch where that is smaller, for which alone there is
// room; prefill alone reads whole micro-batches; decode alone adds a token to every sequence.
func (s *Serving) batchedTokens(sequences, dp int) int {
	micro := divideUp(s.Phase.Strategy.MicroBatchSequences, dp) * s.Workload.Input.Max
	switch s.Phase.Phase {
	case inputs.Prefill:
		return max(micro, sequences)
	case inputs.Decode:
		return sequences
	}
	return max(min(micro, chunkTokens), sequences)
}

func divideUp(a, b int) int { return (a + b - 1) / max(b, 1) }

// shortOfMemory says which GPU of a replica is left less than the plan has on it by the share
// of its process, which is that of the GPU that may be filled least; "" where none is.
func (v *vllmServer) shortOfMemory() string {
	for _, p := range v.processes {
		share, err := strconv.ParseFloat(p.utilization, 64)
		if err != nil {
			return err.Error()
		}
		if why := p.short(share); why != "" {
			return fmt.Sprintf("replica %d: %s", v.replica, why)
		}
	}
	return ""
}

// short is shortOfMemory of a process that may fill a share of each of its GPUs.
func (p *vllmProcess) short(share float64) string {
	for i, d := range p.devices {
		// A share is rounded to four places.
		if total := float64(d.memory()) / (1 << 30); p.needs[i] > (share+1e-4)*total {
			return fmt.Sprintf("a GPU of the pool %s needs %.1f GiB, and one --gpu-memory-utilization for all that a process holds leaves it %s × %.1f GiB",
				quoted(d.Pool.Name), p.needs[i], strconv.FormatFloat(share, 'f', -1, 64), total)
		}
	}
	return ""
}

// even cuts the processes of a replica into ones of as many ranks, which vLLM's launcher wants,
// where hosts have unlike numbers of them: several processes on a host, each with whole tensor
// groups, so that none is cut inside a host.
func (v *vllmServer) even() {
	size := 0
	for _, p := range v.processes {
		size = gcd(size, len(p.devices))
	}
	if v.dp > 1 || size%v.tp != 0 || size*len(v.processes) == v.tp*v.pp {
		return
	}
	var out []vllmProcess
	for _, p := range v.processes {
		for i := 0; i < len(p.devices); i += size {
			devices := p.devices[i : i+size]
			out = append(out, vllmProcess{host: p.host, devices: devices, needs: p.needs[i : i+size], utilization: utilization(devices)})
		}
	}
	v.processes = out
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// mixed reports whether a process holds GPUs that may be filled further than its share.
func (v *vllmServer) mixed() bool {
	return slices.ContainsFunc(v.processes, func(p vllmProcess) bool {
		return slices.ContainsFunc(p.devices, func(d Device) bool { return utilization([]Device{d}) != p.utilization })
	})
}

// oneLauncher says why a replica cannot be spread over hosts by vLLM's multiprocessing; ""
// where it can. Processes, one or a few that follow each other on a host, have the same number
// of ranks, one after the other (local_world_size = world_size // nnodes), and data-parallel
// ranks are whole in one, or have processes of their own (nnodes_within_dp; both in
// vllm/config/parallel.py).
func (v *vllmServer) oneLauncher() string {
	if why := v.shortOfMemory(); why != "" || len(v.processes) == 1 {
		return why
	}
	each := len(v.processes[0].devices)
	seen := map[string]bool{}
	for i, p := range v.processes {
		beside := i > 0 && v.processes[i-1].host == p.host // several processes of one host
		if seen[p.host] && !beside && v.dp > 1 {
			return fmt.Sprintf("stages of replica %d that are split over data-parallel ranks span hosts: each of its %d data-parallel ranks has to be on hosts of its own, or whole on one", v.replica, v.dp)
		}
		if seen[p.host] && !beside {
			return fmt.Sprintf("the ranks of replica %d come back to host %s: vLLM's multiprocessing gives each host ranks that follow each other", v.replica, quoted(p.host))
		}
		seen[p.host] = true
		if len(p.devices) != each {
			return fmt.Sprintf("replica %d has %d GPUs on host %s and %d on %s: vLLM's multiprocessing gives every host as many ranks", v.replica, each, quoted(v.processes[0].host), len(p.devices), quoted(p.host))
		}
	}
	if whole := v.tp * v.pp; v.dp > 1 && each%whole != 0 && whole%each != 0 {
		return fmt.Sprintf("replica %d has %d GPUs a host for data-parallel ranks of %d: each has to be whole on a host, or on hosts of its own", v.replica, each, whole)
	}
	return ""
}

// network are the flags by which the processes of a replica find each other; address is a
// word of its shell or manifest, of the host of process 0.
func (v *vllmServer) network(process, address, port, rpc string) []string {
	var out []string
	n := len(v.processes)
	if v.tp*v.pp > 1 || n > 1 {
		out = append(out, "--distributed-executor-backend", "mp")
	}
	if n == 1 {
		return out
	}
	out = append(out, "--nnodes", strconv.Itoa(n), "--node-rank", process, "--master-addr", address, "--master-port", port)
	if v.dp > 1 {
		out = append(out, "--data-parallel-address", address, "--data-parallel-rpc-port", rpc)
	}
	return out
}
