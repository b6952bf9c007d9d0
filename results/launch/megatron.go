package launch

import (
	"fmt"
	"strconv"
	"strings"

	"partita/inputs"
)

// Megatron-LM's flags and limits are read off its source at commits 0909ddc (examples/
// inference/launch_inference_server.py), 44ec5a9 (run_inference_server.sh), 00caa53
// (megatron/inference/utils.py, core/transformer/pipeline_parallel_layer_layout.py), 000c4ac
// (megatron/training/arguments.py) and 0001dae (docs/mcore-inference-user-guide.md) of
// github.com/NVIDIA/Megatron-LM.
//
//   - ranks count tensor, context, data, then pipeline ranks (order tp-cp-ep-dp-pp): a stage
//     is a run of ranks, and what the degrees leave of it shares the sequences (data
//     parallelism, which is attention data parallelism where experts span it).
//   - --pipeline-model-parallel-layout: stages between "|", E the embedding, t*n n layers, L
//     the head; E first and L last, once each, as many t as layers (parse_str_to_list,
//     validate_layer_layout).
//   - dynamic batching rejects --sequence-parallel unless TP > 1 and EP > 1, where experts
//     want it (user guide, known limitations; arguments.py).
//   - latent attention is cached as latents with --cache-mla-latents, in blocks of 64 tokens,
//     without fused rotary embedding (user guide).
//   - the buffer is the KV cache of one rank in GiB; ranks keep as many blocks as the one with
//     the fewest.
//   - shapes that a plan does not know (rotary base, norms, router scores, windows) are read
//     from the checkpoint, which was trained with them: --use-checkpoint-args.
const (
	megatronPort    = 5000
	megatronMeeting = 29500
)

func writeMegatron(s *Serving) ([]File, error) {
	shape, reasons := s.megatronModel()
	r, err := s.ready("megatron", "Megatron-LM", reasons...)
	if err != nil {
		return nil, err
	}
	all := r.nodes
	checks := []string{"nvidia-smi or rocm-smi counts the GPUs of a node as the plan does, and nothing else holds memory on them.",
		"CHECKPOINT is a Megatron checkpoint of the model in the format torch_dist. What a plan does not know of the model (rotary base, norms, scores of routers, windows) is taken from there."}
	if spread(all) {
		checks = append(checks, fmt.Sprintf("The nodes have the same Megatron-LM and the same checkpoint, and reach each other by the addresses below, on ports %d and up.", megatronMeeting))
	}
	if s.mla() {
		checks = append(checks, "The package flash_mla is there: latent attention needs it.")
	}
	if scale(s.Model) != 1 {
		checks = append(checks, "The condition states parameters that its widths do not add up to: the widths of the feed-forward blocks are the checkpoint's.")
	}
	x := s.start("megatron.sh", "Starts one node's part of a plan on Megatron-LM's inference server, and stays until a server ends.", checks...)
	x.line("MEGATRON=${MEGATRON:?set MEGATRON to the path of a checkout of Megatron-LM}")
	x.line("CHECKPOINT=${CHECKPOINT:?set CHECKPOINT to the path of a Megatron checkpoint of the model}")
	if r.checkpoint.Name != "" {
		x.line("TOKENIZER=${TOKENIZER:-%s}", Word(r.checkpoint.Name))
	} else {
		x.line("TOKENIZER=${TOKENIZER:?set TOKENIZER to a path or Hugging Face id of the tokenizer}")
	}
	x.hostVariables(x.hosts)
	x.line("port=${PORT:-%d} # of the first process of a node", megatronPort)
	x.line("meeting=${MEETING_PORT:-%d} # of the first replica of a node", megatronMeeting)
	x.line("export CUDA_DEVICE_MAX_CONNECTIONS=1 # Megatron asks for it: collectives keep the order of kernels")
	x.line("")
	x.background()
	command := []string{visible(r.vendor) + "=$1", "torchrun", `--nnodes "$4"`, `--node-rank "$5"`, `--nproc-per-node "$2"`,
		`--master-addr "$6"`, `--master-port "$7"`, `"$MEGATRON/examples/inference/launch_inference_server.py"`,
		`--load "$CHECKPOINT"`, "--ckpt-format torch_dist", "--dist-ckpt-strictness log_unexpected", "--use-checkpoint-args"}
	command = append(command, s.megatronDegrees()...)
	command = append(command, shape...)
	command = append(command, s.megatronServing()...)
	command = append(command, "--tokenizer-type HuggingFaceTokenizer", `--tokenizer-model "$TOKENIZER"`, "--no-use-tokenizer-model-from-checkpoint-args",
		"--host 0.0.0.0", "--port $((port + $3))")
	x.function("server GPUS RANKS NUMBER NODES RANK ADDRESS MEETING: start a replica, or a part of one with RANKS ranks. NUMBER counts the processes of this node; the replica meets at ADDRESS.",
		"server", nil, command...)
	number, of := map[string]int{}, counts(all)
	var head node
	meeting := 0
	for _, n := range all {
		if n.Rank == 0 {
			head, meeting = n, number[n.Host]
		}
		what := part(n.Replica, n.Rank, of[n.Replica])
		if n.Rank == 0 {
			what += fmt.Sprintf(": answers requests on port %d", megatronPort+number[n.Host])
		}
		x.call(n.Host, what, fmt.Sprintf(`server %s %d %d %d %d "%s" $((meeting + %d))`,
			n.gpus(), len(n.GPUs), number[n.Host], of[n.Replica], n.Rank, x.address(head.Host), meeting))
		number[n.Host]++
	}
	return []File{x.end("megatron.sh", "")}, nil
}

func (s *Serving) mla() bool { return s.Model.Kinds[0].Attention.Kind == inputs.MLA }

// megatronDegrees are the flags of a replica's split.
func (s *Serving) megatronDegrees() []string {
	stage, pp := s.Replicas[0][0], len(s.Replicas[0])
	out := []string{
		fmt.Sprintf("--tensor-model-parallel-size %d", stage.TP),
		fmt.Sprintf("--pipeline-model-parallel-size %d", pp),
		fmt.Sprintf("--context-parallel-size %d", stage.CP),
	}
	if pp > 1 {
		out = append(out, "--pipeline-model-parallel-layout "+Word(pipelineLayout(s.layers())))
	}
	if stage.EP > 1 || stage.DPAttention > 1 {
		out = append(out, fmt.Sprintf("--expert-model-parallel-size %d", stage.EP), fmt.Sprintf("--expert-tensor-parallel-size %d", stage.ETP))
	}
	if stage.EP > 1 && stage.TP > 1 {
		out = append(out, "--sequence-parallel")
	}
	return out
}

// pipelineLayout is --pipeline-model-parallel-layout for the layers of each stage:
// "Et*20|t*20|t*21L"; three stages and more that are alike stand in brackets, of which the
// flag unrolls those before single letters: "Et*7|(t*8|)*14t*7L".
func pipelineLayout(layers []int) string {
	var b strings.Builder
	b.WriteString("E")
	last := len(layers) - 1
	for i := 0; i < last; {
		n := i + 1
		for i > 0 && n < last && layers[n] == layers[i] {
			n++
		}
		stage := "t*" + strconv.Itoa(layers[i]) + "|"
		if n-i < 3 {
			b.WriteString(strings.Repeat(stage, n-i))
		} else {
			fmt.Fprintf(&b, "(%s)*%d", stage, n-i)
		}
		i = n
	}
	return b.String() + "t*" + strconv.Itoa(layers[last]) + "L"
}

// megatronServing are the flags of the workload.
func (s *Serving) megatronServing() []string {
	dp := s.Replicas[0][0].DPAttention
	sequences := divideUp(s.Phase.Strategy.SequencesPerReplica, dp)
	out := []string{
		"--micro-batch-size 1", // asked for, and not used where nothing is trained
		fmt.Sprintf("--seq-length %d", s.contextLength()),
		fmt.Sprintf("--max-position-embeddings %d", max(s.contextLength(), s.Model.MaxContext)),
		fmt.Sprintf("--inference-max-seq-length %d", s.contextLength()),
		fmt.Sprintf("--inference-dynamic-batching-max-requests %d", sequences),
		fmt.Sprintf("--inference-dynamic-batching-max-tokens %d", s.batchedTokens(sequences, dp)),
		fmt.Sprintf("--inference-dynamic-batching-buffer-size-gb %s", s.megatronBuffer()),
		"--attention-backend flash",
	}
	if s.Phase.Phase == inputs.Mixed {
		out = append(out, "--enable-chunked-prefill")
	}
	if s.mla() {
		out = append(out, "--cache-mla-latents", "--inference-dynamic-batching-block-size 64", "--no-rope-fusion")
	}
	switch s.Model.Weights {
	case inputs.BF16:
		out = append(out, "--bf16")
	case inputs.FP16:
		out = append(out, "--fp16")
	}
	return out
}

// megatronBuffer is the KV cache of a rank in GiB: what every GPU has room for.
func (s *Serving) megatronBuffer() string {
	gib := least(s.Replicas[0], room)
	for _, stages := range s.Replicas {
		gib = min(gib, least(stages, room))
	}
	return strconv.FormatFloat(float64(int(max(gib, 0.01)*100))/100, 'f', -1, 64)
}

// megatronModel are the flags of the model's shape. Reasons say what the flags cannot tell.
func (s *Serving) megatronModel() (flags, reasons []string) {
	m := s.Model
	a := m.Kinds[m.Layers[0]].Attention
	dense, expert, shared, topK, experts := 0, 0, 0, 0, 0
	var pattern []int
	for _, k := range kinds(m) {
		b := k.Attention
		a.Window, b.Window = 0, 0
		if a != b {
			reasons = append(reasons, "its flags know one attention block, and the model's layers differ in theirs (--num-attention-heads, --num-query-groups)")
			return nil, reasons
		}
		f := k.FFN
		same := func(have *int, want int, flag string) {
			if *have != 0 && *have != want {
				reasons = append(reasons, fmt.Sprintf("%s is one for all layers, and the model has %d and %d", flag, *have, want))
			}
			*have = want
		}
		if f.Experts == 0 {
			pattern = append(pattern, 0)
			same(&dense, f.Intermediate, "--ffn-hidden-size")
			continue
		}
		pattern = append(pattern, 1)
		same(&experts, f.Experts, "--num-experts")
		same(&topK, f.TopK, "--moe-router-topk")
		same(&expert, f.Intermediate, "--moe-ffn-hidden-size")
		if f.Shared > 0 {
			same(&shared, f.Shared, "--moe-shared-expert-intermediate-size")
		}
	}
	if len(reasons) > 0 {
		return nil, reasons[:1]
	}
	add := func(flag string, value int) { flags = append(flags, fmt.Sprintf("%s %d", flag, value)) }
	add("--num-layers", len(m.Layers))
	add("--hidden-size", m.Hidden)
	add("--num-attention-heads", a.Heads)
	if a.Kind == inputs.MLA {
		flags = append(flags, "--multi-latent-attention")
		if a.QLoraRank > 0 {
			add("--q-lora-rank", a.QLoraRank)
		}
		add("--kv-lora-rank", a.KVLoraRank)
		add("--qk-head-dim", a.HeadDim-a.RopeDim)
		add("--qk-pos-emb-head-dim", a.RopeDim)
		add("--v-head-dim", max(a.VHeadDim, 1))
	} else {
		add("--kv-channels", a.HeadDim)
		if a.KVHeads != a.Heads {
			flags = append(flags, "--group-query-attention")
			add("--num-query-groups", a.KVHeads)
		}
	}
	known := scale(m) == 1
	if dense > 0 && known {
		add("--ffn-hidden-size", dense)
	}
	if m.Kinds[m.Layers[0]].FFN.Gated {
		flags = append(flags, "--swiglu")
	}
	if !m.Tied {
		flags = append(flags, "--untie-embeddings-and-output-weights")
	}
	if experts > 0 {
		add("--num-experts", experts)
		add("--moe-router-topk", topK)
		if known {
			add("--moe-ffn-hidden-size", expert)
			if shared > 0 {
				add("--moe-shared-expert-intermediate-size", shared)
			}
		}
		flags = append(flags, "--moe-layer-freq "+Word(layerPattern(pattern)), "--moe-token-dispatcher-type alltoall", "--moe-grouped-gemm")
	}
	return flags, nil
}

// layerPattern is --moe-layer-freq: which layers have experts, as an expression of Python
// over lists: "[0]*3+[1]*58".
func layerPattern(layers []int) string {
	var out []string
	for i := 0; i < len(layers); {
		n := i
		for n < len(layers) && layers[n] == layers[i] {
			n++
		}
		out = append(out, fmt.Sprintf("[%d]*%d", layers[i], n-i))
		i = n
	}
	return strings.Join(out, "+")
}
