package validate

import (
	"fmt"
	"strings"

	"partita/formulation/cost"
	"partita/formulation/training"
	"partita/inputs"
	"partita/inputs/measured"
	"partita/inputs/read"
)

// trained is a training run of a row: model, GPUs, layout and work. It is comparable.
// What a row does not say is 0 or empty.
type trained struct {
	accelerator string
	nodes       int
	model       modelSizes
	precision   inputs.DType
	shape       cost.TrainShape
	pp, virtual int
	micro       int // sequences of a micro-batch
	global      int // of a step
	sequence    int // tokens
	recompute   inputs.Recompute
	unfused     bool // attention as before flash attention
	gradient    inputs.DType
	everyOther  bool // layers are recomputed, as torchtitan's selective recompute does about
	engine      cost.TrainEngine
	packed      bool // short examples make a sequence, and attend within themselves
	twoBoards   bool // of four GPUs in a node: see site
}

func (t *trained) gpus() int { return t.pp * t.shape.GPUs() }

// trainedOf maps a row of a training run; reason says what keeps it from being mapped.
func (k known) trainedOf(r *measured.Row) (t trained, reason string) {
	a, ok := k.Accelerator(r.GPU)
	if !ok {
		return t, fmt.Sprintf("GPU %q is not in the catalogue", r.GPU)
	}
	t.accelerator = a.Name
	if t.model, reason = k.modelOf(r); reason != "" {
		return t, reason
	}
	if t.precision, ok = formatOf(strings.TrimSuffix(r.Precision, " mixed")); !ok {
		return t, fmt.Sprintf("number format %q is not known", r.Precision)
	}
	if t.shape, reason = trainShapeOf(r); reason != "" {
		return t, reason
	}
	t.pp, t.virtual = max(1, r.PP), max(1, r.Virtual)
	if t.nodes, reason = nodesOf(r, t.gpus()); reason != "" {
		return t, reason
	}
	t.micro, t.global, t.sequence = r.MicroBatch, r.GlobalBatch, int(r.Input)
	f := frameworkOf(r)
	t.unfused, t.gradient = f.unfused, f.gradient
	t.shape.SP = f.sequenceParallel && t.shape.TP > 1
	t.shape.ZeRO = zeroOf(r.Sharding, f.zero)
	t.recompute = recomputeOf(r.Recompute)
	return t, ""
}

// trainShapeOf reads the degrees. TP·PP·CP·DP are the GPUs, over which experts lie.
func trainShapeOf(r *measured.Row) (cost.TrainShape, string) {
	s := cost.TrainShape{TP: max(1, r.TP), CP: max(1, r.CP), DP: r.DP, EP: max(1, r.EP), ETP: 1}
	inside := s.TP * s.CP * max(1, r.PP)
	switch {
	case r.TP == 0 && r.DP == 0 && r.GPUs != 1:
		return s, "the layout is not stated"
	case s.DP == 0 && r.GPUs%inside != 0, s.DP > 0 && r.GPUs > 0 && inside*s.DP != r.GPUs:
		return s, "the degrees do not make the number of GPUs"
	case s.DP == 0:
		s.DP = max(1, r.GPUs/inside)
	}
	if s.GPUs()%s.EP != 0 {
		return s, "the experts do not divide over the GPUs"
	}
	return s, ""
}

// framework is what a training framework does that a row does not say.
type framework struct {
	zero             int          // where the row names no sharding
	gradient         inputs.DType // that gradients are summed in
	sequenceParallel bool         // with tensor parallelism
	unfused          bool
}

// frameworkOf tells what the frameworks of published runs do:
//
//   - Megatron-LM and Megatron-DeepSpeed on A100 and before (2021, 2022): attention writes
//     its scores, gradients of FP16 runs are summed in FP16, no distributed optimizer;
//     sequence parallelism where the row says so.
//   - Megatron-LM later: flash attention, sequence parallelism with TP, 32-bit gradients,
//     distributed optimizer. NeMo and Megatron-Bridge sum in 16 bits in the recipes that they
//     publish speeds of (grad_reduce_in_fp32 is off).
//   - FSDP (torchtitan, llm-foundry): 32-bit weights and gradients, 16 bytes a parameter
//     with Adam, all sharded: as many as 2 + 2 + 12.
func frameworkOf(r *measured.Row) framework {
	early := strings.HasPrefix(r.GPU, "A100") || strings.HasPrefix(r.GPU, "V100")
	name := strings.ToLower(r.Framework)
	switch {
	case early && (strings.Contains(name, "megatron") || strings.Contains(name, "deepspeed")):
		f := framework{unfused: true, gradient: inputs.FP16, sequenceParallel: strings.Contains(r.Recompute, "sequence parallel")}
		if r.Precision == "BF16" && !says(r, halfGradient) {
			f.gradient = inputs.FP32
		}
		return f
	case strings.Contains(name, "megatron-lm"):
		return framework{zero: 1, gradient: inputs.FP32, sequenceParallel: true}
	case strings.Contains(name, "torchtitan"), strings.Contains(name, "foundry"):
		return framework{zero: 3, gradient: inputs.BF16, sequenceParallel: true}
	}
	return framework{zero: 1, gradient: inputs.BF16, sequenceParallel: true}
}

// zeroOf is what a source calls sharding, as a stage of ZeRO.
func zeroOf(text string, otherwise int) int {
	switch t := strings.ToUpper(text); {
	case strings.Contains(t, "DIST-OPTIM"), strings.HasPrefix(t, "ZERO-1"):
		return 1
	case strings.Contains(t, "SHARD_GRAD_OP"), strings.HasPrefix(t, "ZERO-2"):
		return 2
	case strings.HasPrefix(t, "FSDP"), strings.HasPrefix(t, "ZERO-3"):
		return 3
	}
	return otherwise
}

// recomputeOf is what a source says of recompute. What some call selective keeps other
// tensors than the scores alone: see everyOther.
func recomputeOf(text string) inputs.Recompute {
	t := strings.ToLower(text)
	switch {
	case strings.Contains(t, "full"):
		return inputs.FullRecompute
	case strings.Contains(t, "selective"), strings.Contains(t, "sac"):
		return inputs.SelectiveRecompute
	}
	return inputs.NoRecompute
}

// everyOther reports torchtitan's selective recompute, which keeps every other product of a
// layer: less than what the program calls selective.
func everyOther(text string) bool {
	return text == "selective AC" || text == "per-op SAC"
}

// condition states the run as a condition.
func (t *trained) condition(reader *read.Reader, packs []read.Override) (*inputs.Condition, error) {
	out := t.model.settings()
	say := func(key string, value any) { out = append(out, read.Override{Key: key, Value: fmt.Sprint(value)}) }
	say("cluster.accelerator", t.accelerator)
	say("cluster.count", t.gpus())
	if t.nodes > 0 {
		say("cluster.nodes", t.nodes)
	}
	precision := t.precision
	if precision == inputs.FP4 {
		precision = inputs.FP8 // no condition trains in 4 bits; its caller puts them in
	}
	say("model.precision", precision)
	say("workload.phase", inputs.Training)
	say("workload.global_batch", t.global)
	say("workload.sequence", t.sequence)
	say("workload.training.gradient_precision", t.gradient)
	return reader.Load(read.Options{Overrides: append(out, packs...)})
}

// layout is the strategy of the run for a model of so many layers. Stages that cannot be
// equal are made so by counting embedding and head as a layer each; else the surplus lies in
// the middle.
func (t *trained) layout(layers int) (*training.Layout, string) {
	n := t.pp * t.virtual
	if layers < n && layers+2 != n {
		return nil, "there are fewer layers than stages"
	}
	l := &training.Layout{
		DP: t.shape.DP, TP: t.shape.TP, CP: t.shape.CP, EP: t.shape.EP, ETP: t.shape.ETP, SP: t.shape.SP, ZeRO: t.shape.ZeRO,
		Virtual: t.virtual, MicroBatch: t.micro,
	}
	counts := make([]int, n)
	for k := range counts {
		counts[k] = layers / n
	}
	if surplus := layers % n; n > 2 && (layers+2)%n == 0 {
		for k := 1; k < n-1; k++ {
			counts[k] = (layers + 2) / n
		}
		counts[0], counts[n-1] = (layers+2)/n-1, (layers+2)/n-1
	} else {
		for k := range surplus {
			counts[(n-surplus)/2+k]++
		}
	}
	next := 0
	for _, c := range counts {
		l.Stages = append(l.Stages, training.Stage{First: next, Last: next + c - 1, Recompute: t.recompute})
		next += c
	}
	return l, ""
}
