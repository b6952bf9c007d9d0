package launch

import (
	"fmt"
	"slices"
	"strings"

	"partita/inputs"
	"partita/results"
)

// Training on Megatron-LM: pretrain_gpt.py under torchrun. Flags and limits are read off
// github.com/NVIDIA/Megatron-LM at commits 000c4ac (megatron/training/arguments.py), 00caa53
// (core/transformer/pipeline_parallel_layer_layout.py) and aa5bf2c (pretrain_gpt.py), and off the
// page on Megatron-FSDP in its user guide (docs.nvidia.com/megatron-core/developer-guide).
//
//   - ranks count tensor, context, expert, data, then pipeline ranks (--use-tp-pp-dp-mapping
//     would change that): those of one pipeline rank, replica by replica, stand together.
//   - a layout of pp·v stages gives stage k to rank k mod pp, as the plan does.
//   - --use-distributed-optimizer shards the optimizer over cp and the replicas (ZeRO 1);
//     gradients and weights are sharded by --use-megatron-fsdp, which is documented beside
//     tensor, expert and context parallelism, and not beside pipelines.
//   - --recompute-granularity holds for all ranks; "full" without a method does nothing.
//   - the vocabulary is padded to a multiple of TP times --make-vocab-size-divisible-by.
//   - with experts and TP > 1 the MoE layer takes no training without --sequence-parallel.
//   - CUDA_DEVICE_MAX_CONNECTIONS=1 is asked for, but by Megatron-FSDP, which rejects it.
//
// What a plan does not know of the model or the recipe (rotary base, learning rate, data) are
// words of whoever trains, behind the plan's: the last of two values of a flag holds.
func trainMegatron(s *Serving) ([]File, error) {
	shape, reasons := s.megatronModel()
	r, err := s.ready("megatron", "Megatron-LM", append(reasons, s.megatronUntrained()...)...)
	if err != nil {
		return nil, err
	}
	all, err := s.nodesOf(s.trainingRanks())
	if err != nil {
		return nil, err
	}
	st := &s.Phase.Strategy
	checks := []string{"nvidia-smi or rocm-smi counts the GPUs of a node as the plan does, and nothing else holds memory on them.",
		"MODEL_FLAGS says of the model what a plan does not know: --rotary-base, --norm-epsilon, --use-rope-scaling, --add-qkv-bias … Flags of it, and of TRAIN_FLAGS, that the plan has given come last and hold."}
	if s.Model.Kinds[0].FFN.Gated {
		checks = append(checks, "Layers with gated feed-forward blocks are taken to have RMSNorm, rotary positions and no biases.")
	}
	if m := s.Phase.Metrics.StepMS; m != nil {
		checks = append(checks, fmt.Sprintf("Without DATA it runs 20 steps on made-up data and prints the time of each: the plan predicts %s ms.", figure(*m)))
	}
	if len(all) > 1 {
		checks = append(checks, fmt.Sprintf("The nodes have the same Megatron-LM and reach each other by the addresses below, on port %d.", megatronMeeting))
	}
	x := s.start("megatron.sh", "Starts one node's part of a training run on Megatron-LM (pretrain_gpt.py), and stays until it ends.", checks...)
	x.line("MEGATRON=${MEGATRON:?set MEGATRON to the path of a checkout of Megatron-LM}")
	x.hostVariables(x.hosts)
	x.line("meeting=${MEETING_PORT:-%d} # of the first node", megatronMeeting)
	if s.sharded() {
		x.line("unset CUDA_DEVICE_MAX_CONNECTIONS # Megatron-FSDP rejects 1")
	} else {
		x.line("export CUDA_DEVICE_MAX_CONNECTIONS=1 # Megatron asks for it: collectives keep the order of kernels")
	}
	x.line("")
	x.comment("Data, recipe and checkpoints, in words with spaces between: DATA is what --data-path takes, TRAIN_FLAGS the recipe.")
	x.line(`read -r -a model <<<"${MODEL_FLAGS:-}"`)
	x.line(`if [ -n "${DATA:-}" ]; then`)
	x.line("\tread -r -a data <<<\"$DATA\"")
	x.line("\tdata=(--data-path \"${data[@]}\" --split '99,1,0' --tokenizer-type HuggingFaceTokenizer)")
	if r.checkpoint.Name != "" {
		x.line("\tTOKENIZER=${TOKENIZER:-%s}", Word(r.checkpoint.Name))
	} else {
		x.line("\tTOKENIZER=${TOKENIZER:?set TOKENIZER to a path or Hugging Face id of the tokenizer}")
	}
	x.line("\tdata+=(--tokenizer-model \"$TOKENIZER\")")
	x.line("\tread -r -a recipe <<<\"${TRAIN_FLAGS:?set TRAIN_FLAGS to the recipe: --train-iters, --lr, --lr-decay-style, --save …}\"")
	x.line("else")
	x.line("\tdata=(--mock-data --tokenizer-type NullTokenizer --vocab-size %d)", s.Model.Vocab-1)
	x.line("\tread -r -a recipe <<<\"${TRAIN_FLAGS:---train-iters 20 --lr 1e-5 --eval-iters 0 --log-interval 1 --log-throughput}\"")
	x.line("fi")
	x.line("")
	x.background()
	command := []string{visible(r.vendor) + "=$1", "torchrun", fmt.Sprintf("--nnodes %d", len(all)), `--node-rank "$2"`, fmt.Sprintf("--nproc-per-node %d", len(all[0].GPUs)),
		fmt.Sprintf(`--master-addr "%s"`, x.address(all[0].Host)), `--master-port "$meeting"`, `"$MEGATRON/pretrain_gpt.py"`}
	command = append(command, s.megatronSplit()...)
	command = append(command, shape...)
	command = append(command, s.megatronRecipe()...)
	command = append(command, `"${data[@]}"`, `"${model[@]}"`, `"${recipe[@]}"`)
	x.function("train GPUS NODE: start the ranks of one node, which all meet at the first.", "train", nil, command...)
	for _, n := range all {
		x.call(n.Host, s.ranksOf(n, st), fmt.Sprintf("train %s %d", n.gpus(), n.Rank))
	}
	x.cases("")
	x.line(`for _ in "${servers[@]}"; do wait -n; done`)
	return []File{x.file("megatron.sh")}, nil
}

// trainingRanks are the stages whose GPUs, one after the other, are the ranks of a training
// step: of each pipeline rank the first chunk, replica by replica.
func (s *Serving) trainingRanks() []*results.Stage {
	var out []*results.Stage
	for rank := range s.Phase.Strategy.PP {
		for _, stages := range s.Replicas {
			if rank < len(stages) {
				out = append(out, stages[rank])
			}
		}
	}
	return out
}

// ranksOf says which ranks a node has.
func (s *Serving) ranksOf(n node, st *results.Strategy) string {
	size := len(n.GPUs)
	first, last := n.Rank*size, (n.Rank+1)*size-1
	each := len(s.Replicas[0][0].GPUs) * st.Replicas // ranks of a pipeline rank
	line := fmt.Sprintf("ranks %d to %d", first, last)
	if st.PP > 1 {
		if a, b := first/each, last/each; a == b {
			line += fmt.Sprintf(", of pipeline rank %d", a)
		} else {
			line += fmt.Sprintf(", of pipeline ranks %d to %d", a, b)
		}
	}
	return line
}

// sharded reports whether gradients or weights are: on Megatron-FSDP.
func (s *Serving) sharded() bool { z := s.Phase.Strategy.ZeRO; return z != nil && *z >= 2 }

// experts reports whether the model has any.
func (s *Serving) experts() bool {
	return slices.ContainsFunc(kinds(s.Model), func(k inputs.LayerKind) bool { return k.FFN.Experts > 0 })
}

// megatronUntrained says what of a training step Megatron-LM has no flags for.
func (s *Serving) megatronUntrained() []string {
	var why []string
	add := func(format string, args ...any) { why = append(why, fmt.Sprintf(format, args...)) }
	st, t, m := &s.Phase.Strategy, s.Workload.Training, s.Model
	stage := s.Replicas[0][0]
	if t == nil || st.VirtualStages < 1 || st.PP*st.VirtualStages != len(s.Replicas[0]) || st.ZeRO == nil {
		return []string{"the plan does not say what a training step is"}
	}
	if s.sharded() && st.PP > 1 {
		add("its distributed optimizer shards optimizer state alone (ZeRO 1), and Megatron-FSDP, which shards more, is not documented for pipelines: workload.training.zero: 1 finds the best plan without")
	}
	if _, one := st.Recompute.Uniform(); !one {
		add("--recompute-granularity is one for all stages, and the plan's differ: workload.training.recompute states one")
	}
	if st.MicroBatches*st.MicroBatchSequences*st.Replicas != s.Workload.Batch {
		add("%d replicas with %d micro-batches of %d sequences are not the global batch of %d", st.Replicas, st.MicroBatches, st.MicroBatchSequences, s.Workload.Batch)
	}
	if st.VirtualStages > 1 && st.MicroBatches%st.PP != 0 {
		add("interleaved stages take micro-batches in groups of as many as pipeline ranks, and %d are no multiple of %d", st.MicroBatches, st.PP)
	}
	if stage.CP > 1 && s.Workload.Input.Max%(2*stage.CP) != 0 {
		add("sequences of %d tokens do not divide into twice the context-parallel degree %d", s.Workload.Input.Max, stage.CP)
	}
	sp := st.SequenceParallel != nil && *st.SequenceParallel
	experts := s.experts()
	if experts && stage.TP > 1 && !sp {
		add("it trains experts beside tensor parallelism only with sequence parallelism")
	}
	if experts && m.Weights == inputs.FP16 {
		add("its grouped products of experts are in BF16 alone")
	}
	if t.OptimizerBytes != 12 {
		add("its Adam keeps 12 bytes of state a parameter, and the plan counts on %s: other optimizers are not written here", figure(t.OptimizerBytes))
	}
	if t.GradientBytes != 4 && (t.GradientBytes != 2 || m.Weights == inputs.FP16) {
		add("it sums gradients in 4 bytes, or those of BF16 in 2, and the plan counts on %s", figure(t.GradientBytes))
	}
	if !slices.Contains([]inputs.DType{inputs.BF16, inputs.FP16, inputs.FP8}, m.Weights) {
		add("it multiplies in BF16, FP16 or FP8, and the plan in %s", m.Weights)
	}
	if scale(m) != 1 {
		add("the condition states parameters that the widths of the model do not add up to, and --ffn-hidden-size is a width")
	}
	if slices.ContainsFunc(kinds(m), func(k inputs.LayerKind) bool { return k.Attention.Window > 0 }) {
		add("the model has layers with a window of attention, which are not written here")
	}
	return why
}

// megatronSplit are the flags of how a training step is split.
func (s *Serving) megatronSplit() []string {
	st, stage := &s.Phase.Strategy, s.Replicas[0][0]
	out := []string{
		fmt.Sprintf("--tensor-model-parallel-size %d", stage.TP),
		fmt.Sprintf("--pipeline-model-parallel-size %d", st.PP),
		fmt.Sprintf("--context-parallel-size %d", stage.CP),
	}
	if st.PP > 1 {
		out = append(out, "--pipeline-model-parallel-layout "+Word(pipelineLayout(s.layers())))
	}
	if s.experts() {
		out = append(out, fmt.Sprintf("--expert-model-parallel-size %d", stage.EP), fmt.Sprintf("--expert-tensor-parallel-size %d", stage.ETP))
	}
	if st.SequenceParallel != nil && *st.SequenceParallel && stage.TP > 1 {
		out = append(out, "--sequence-parallel")
	}
	out = append(out, fmt.Sprintf("--micro-batch-size %d", st.MicroBatchSequences), fmt.Sprintf("--global-batch-size %d", s.Workload.Batch))
	if *st.ZeRO > 0 {
		out = append(out, "--use-distributed-optimizer")
	}
	if s.sharded() {
		sharding := []string{2: "optim_grads", 3: "optim_grads_params"}[*st.ZeRO]
		out = append(out, "--use-megatron-fsdp", "--data-parallel-sharding-strategy "+sharding, "--no-gradient-accumulation-fusion", "--ckpt-format fsdp_dtensor")
	}
	if st.Replicas*stage.CP > 1 {
		out = append(out, "--overlap-grad-reduce")
		if *st.ZeRO > 0 {
			out = append(out, "--overlap-param-gather")
		}
	}
	switch recompute, _ := st.Recompute.Uniform(); recompute {
	case inputs.SelectiveRecompute:
		out = append(out, "--recompute-granularity selective")
	case inputs.FullRecompute:
		out = append(out, "--recompute-granularity full", "--recompute-method uniform", "--recompute-num-layers 1")
	}
	return out
}

// megatronRecipe are the flags of the sequences, the number formats and the optimizer, and
// what models of a kind have in common.
func (s *Serving) megatronRecipe() []string {
	m, length := s.Model, s.Workload.Input.Max
	out := []string{
		fmt.Sprintf("--seq-length %d", length),
		fmt.Sprintf("--max-position-embeddings %d", max(length, m.MaxContext)),
	}
	switch m.Weights {
	case inputs.FP16:
		out = append(out, "--fp16")
	case inputs.FP8: // products alone: weights are kept in 16 bits, as the plan counts them
		out = append(out, "--bf16", "--fp8-format hybrid")
	default:
		out = append(out, "--bf16")
	}
	if s.Workload.Training.GradientBytes == 2 {
		out = append(out, "--grad-reduce-in-bf16")
	}
	out = append(out, "--optimizer adam")
	if m.Kinds[m.Layers[0]].FFN.Gated {
		out = append(out, "--normalization RMSNorm", "--position-embedding-type rope", "--disable-bias-linear", "--attention-dropout 0", "--hidden-dropout 0")
	}
	tp := s.Replicas[0][0].TP
	if unit := 128; m.Vocab%tp == 0 { // no more rows of the embedding than the plan counts
		for (m.Vocab/tp)%unit != 0 {
			unit /= 2
		}
		out = append(out, fmt.Sprintf("--make-vocab-size-divisible-by %d", unit))
	}
	return out
}

// figure writes a figure of a plan with as many digits as say something.
func figure(v float64) string {
	text := fmt.Sprintf("%.4g", v)
	if v >= 1000 && v < 1e15 {
		text = fmt.Sprintf("%.0f", v)
	}
	return strings.TrimSuffix(text, ".0")
}
