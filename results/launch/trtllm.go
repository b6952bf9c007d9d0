package launch

import (
	"bytes"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"partita/inputs"
	"partita/results"
)

// TensorRT-LLM's flags and limits are read off its source (github.com/NVIDIA/TensorRT-LLM):
// tensorrt_llm/commands/serve.py at commit 00209af, mapping.py and llmapi/llm_args.py after
// pull request 9003, which brought pp_partition (November 2025, release 1.2).
//
//   - tp_size counts all GPUs of a stage; enable_attention_dp gives each of them sequences of
//     its own (mapping.py, dp_size); experts have tp_size/ep_size tensor ranks.
//   - pp_partition gives each stage its layers and must add up to the model's (pp_layers).
//   - ranks count through the stages, and rank r takes GPU r % gpus_per_node of those that it
//     sees (mapping.py, local_rank): nodes of one size, nodesOf.
//   - what the YAML says replaces a flag as a whole: all of kv_cache_config is there.
//   - max_batch_size and max_num_tokens are of one attention data-parallel rank.
//   - a replica on several nodes is one MPI world; trtllm-llmapi-launch makes rank 0 the
//     server and the others its workers, and splits the server's words at spaces
//     (tensorrt_llm/llmapi/trtllm-llmapi-launch at commit 020c89e).
const trtPort = 8000

// trtOptions is trtllm.yaml: what has no flag, by the names of TorchLlmArgs.
type trtOptions struct {
	AttentionDP    bool       `yaml:"enable_attention_dp"`
	Partition      []int      `yaml:"pp_partition,omitempty,flow"`
	ChunkedPrefill bool       `yaml:"enable_chunked_prefill"`
	KVCache        trtKVCache `yaml:"kv_cache_config"`
}

type trtKVCache struct {
	DType string  `yaml:"dtype"`
	Share float64 `yaml:"free_gpu_memory_fraction"`
}

func writeTensorRT(s *Serving) ([]File, error) {
	r, err := s.ready("trtllm", "TensorRT-LLM")
	if err != nil {
		return nil, err
	}
	checkpoint := r.checkpoint
	if f := checkpoint.Format; checkpoint.Name != "" && f != s.Model.Weights && s.Model.Weights.Bytes() < 2 {
		// The PyTorch backend takes quantised weights from a checkpoint made for them.
		checkpoint = Checkpoint{Missing: fmt.Sprintf("a checkpoint of %s with %s weights, as NVIDIA's Model Optimizer writes them", quoted(s.Model.Name), s.Model.Weights)}
	}
	options, err := s.trtYAML()
	if err != nil {
		return nil, err
	}
	return []File{s.trtScript(checkpoint, r.nodes), {Name: "trtllm.yaml", Data: options}}, nil
}

// trtYAML is trtllm.yaml.
func (s *Serving) trtYAML() ([]byte, error) {
	o := trtOptions{AttentionDP: s.Replicas[0][0].DPAttention > 1, ChunkedPrefill: s.Phase.Phase == inputs.Mixed}
	if len(s.Replicas[0]) > 1 {
		o.Partition = s.layers()
	}
	o.KVCache = trtKVCache{DType: "auto", Share: 1}
	switch s.Model.KV {
	case inputs.FP8:
		o.KVCache.DType = "fp8"
	case inputs.FP4:
		o.KVCache.DType = "nvfp4"
	}
	for _, stages := range s.Replicas {
		o.KVCache.Share = min(o.KVCache.Share, s.trtShare(stages))
	}
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(&o); err != nil {
		return nil, err
	}
	return b.Bytes(), e.Close()
}

// trtShare is free_gpu_memory_fraction of a replica: the share for the KV cache of what is
// left free by weights and activations. Ranks keep as many blocks as the one with the fewest;
// the share is what every GPU has room for, at most the share of a plan that was made for
// this engine, or what the plan's own sequences take of the fullest where that is more.
func (s *Serving) trtShare(stages []*results.Stage) float64 {
	of := func(gib func(*results.Stage) float64) func(*results.Stage) float64 {
		return func(x *results.Stage) float64 {
			return gib(x) / (s.memory(x) - x.Memory.WeightsGiB - x.Memory.ActivationsGiB)
		}
	}
	fits := least(stages, of(room))
	for _, x := range stages {
		if pool, err := s.pool(x.Pool); err == nil {
			fits = min(fits, pool.Utilization)
		}
	}
	return share(max(fits, most(stages, of(kvGiB))))
}

func (s *Serving) trtScript(checkpoint Checkpoint, all []node) File {
	checks := []string{"nvidia-smi counts the GPUs of a node as the plan does, and nothing else holds memory on them.",
		"trtllm.yaml lies beside this script."}
	if spread(all) {
		checks = append(checks, "A replica on several nodes is one MPI world, which mpirun (Open MPI) starts over ssh from its first node: TensorRT-LLM, the weights and trtllm.yaml are on all of them under the same paths. MPIRUN_OPTIONS are passed on, such as '--allow-run-as-root -x HF_TOKEN'. Under Slurm, srun --mpi=pmix with as many tasks in the same order does the same.")
	}
	x := s.start("trtllm.sh", "Starts one node's part of a plan on TensorRT-LLM (trtllm-serve, version 1.2 or later), and stays until a server ends.", checks...)
	x.modelVariable(checkpoint)
	x.hostVariables(x.hosts)
	x.line("port=${PORT:-%d} # of the first replica of a node", trtPort)
	x.line("beside=.")
	x.line("if [[ $0 == */* ]]; then beside=${0%%/*}; fi")
	stage := s.Replicas[0][0]
	dp := stage.DPAttention
	sequences := divideUp(s.Phase.Strategy.SequencesPerReplica, dp)
	x.line("serve=(")
	x.line("\ttrtllm-serve \"$MODEL\"")
	x.line("\t--backend pytorch")
	x.line("\t--tp_size %d", len(stage.GPUs))
	x.line("\t--pp_size %d", len(s.Replicas[0]))
	if stage.EP > 1 {
		x.line("\t--ep_size %d", stage.EP)
	}
	x.line("\t--max_batch_size %d", sequences)
	x.line("\t--max_num_tokens %d", s.batchedTokens(sequences, dp))
	x.line("\t--max_seq_len %d", s.contextLength())
	x.line("\t--extra_llm_api_options \"$beside/trtllm.yaml\"")
	x.line("\t--host 0.0.0.0")
	x.line(")")
	x.line("")
	x.background()
	of := counts(all)
	x.trtFunctions(all, of)

	onHost := map[int]map[string]int{} // ranks of a replica on a host
	for _, n := range all {
		if onHost[n.Replica] == nil {
			onHost[n.Replica] = map[string]int{}
		}
		onHost[n.Replica][n.Host] += len(n.GPUs)
	}
	number := map[string]int{}
	for i, n := range all {
		if n.Rank > 0 {
			continue
		}
		words := fmt.Sprintf("server %d %s", number[n.Host], n.gpus())
		if of[n.Replica] > 1 {
			words = fmt.Sprintf("world %d %d", number[n.Host], len(n.GPUs))
			for _, m := range all[i : i+of[n.Replica]] {
				words += fmt.Sprintf(" \\\n\t\t\"%s\" %d %s", x.address(m.Host), onHost[n.Replica][m.Host], m.gpus())
			}
		}
		x.call(n.Host, fmt.Sprintf("replica %d: answers requests on port %d", n.Replica, trtPort+number[n.Host]), words)
		number[n.Host]++
	}
	return x.end("trtllm.sh", "mpirun on the first node of a replica starts the ranks of this node")
}

// trtFunctions writes the functions that start a replica on one node, and one on several.
func (x *starter) trtFunctions(all []node, of map[int]int) {
	alone := slices.ContainsFunc(all, func(n node) bool { return of[n.Replica] == 1 })
	if alone {
		x.function("server NUMBER GPUS: start a replica on this node. NUMBER counts the servers of this node.", "server", nil,
			"CUDA_VISIBLE_DEVICES=$2", `"${serve[@]}" --port $((port + $1))`)
	}
	if !spread(all) {
		return
	}
	x.comment("world NUMBER RANKS, then ADDRESS SLOTS GPUS for each part: start a replica of parts with RANKS ranks each, which see GPUS. SLOTS are the ranks of the replica at that address.")
	x.line("world() {")
	x.line("\t# trtllm-llmapi-launch splits the words that it is given at spaces.")
	x.line("\tif [[ $MODEL$beside == *[[:space:]]* ]]; then")
	x.line("\t\techo 'MODEL and the folder of this script must be paths without spaces' >&2")
	x.line("\t\texit 2")
	x.line("\tfi")
	x.line("\tlocal number=$1 ranks=$2")
	x.line("\tlocal -a options=() parts=()")
	x.line("\tshift 2")
	x.line("\tread -r -a options <<<\"${MPIRUN_OPTIONS:-}\"")
	x.line("\twhile [ $# -gt 0 ]; do")
	x.line("\t\tif [ ${#parts[@]} -gt 0 ]; then parts+=(:); fi")
	x.line("\t\tparts+=(-n \"$ranks\" --host \"$1:$2\" env \"CUDA_VISIBLE_DEVICES=$3\")")
	x.line("\t\tparts+=(trtllm-llmapi-launch \"${serve[@]}\" --gpus_per_node \"$ranks\" --port $((port + number)))")
	x.line("\t\tshift 3")
	x.line("\tdone")
	x.line("\tmpirun \"${options[@]}\" \"${parts[@]}\" &")
	x.line("\tservers+=($!)")
	x.line("}")
	x.line("")
}
