package read

import (
	"fmt"
	"slices"
	"strings"

	"partita/inputs"
)

// Defaults of a training step: mixed precision as Megatron-LM and most others have it.
const (
	defaultOptimizer = 12 // bytes a parameter: Adam
	defaultGradient  = inputs.FP32

	trainingEngine = "megatron" // the one of the engines that trains too
)

// trains reports whether the condition is of a training step: as stated, else because
// something is stated that only training has.
func (d *draft) trains() (yes bool, because string) {
	if p, ok := get[inputs.Phase](d, "workload.phase"); ok {
		return p == inputs.Training, ""
	}
	if b, ok := get[globalBatch](d, "workload.global_batch"); ok && b.Tokens {
		return true, "a global batch in tokens is stated"
	}
	if b, ok := get[bound](d, "goal.requirements.step_time"); ok && !b.None {
		return true, "a step time is required"
	}
	for _, path := range d.paths("workload.training.") {
		if path != "workload.training.micro_batch" {
			return true, path + " is stated"
		}
	}
	return false, ""
}

// resolveTraining reads the workload of a training step.
func (d *draft) resolveTraining(m inputs.Model, because string) inputs.Workload {
	if because != "" {
		d.assume("phase", string(inputs.Training), because)
	}
	t := &inputs.TrainingStep{}
	w := inputs.Workload{Phase: inputs.Training, Training: t}
	w.Input = d.sequenceLength()
	w.Batch = d.globalBatch(w.Input.Max)
	var ok bool
	if t.OptimizerBytes, ok = get[float64](d, "workload.training.optimizer"); !ok {
		t.OptimizerBytes = defaultOptimizer
		d.assume("optimizer", "Adam: "+showOptimizer(defaultOptimizer), "no optimizer is stated: a master copy and two moments in fp32")
	}
	format, ok := get[inputs.DType](d, "workload.training.gradient_precision")
	if !ok {
		format = defaultGradient
		d.assume("gradient precision", string(format), "it is not stated: mixed-precision training sums gradients in fp32")
	}
	t.GradientBytes = format.Bytes()
	t.MicroBatch, _ = get[int](d, "workload.training.micro_batch")
	t.VirtualStages, _ = get[int](d, "workload.training.virtual_stages")
	if z, ok := get[zeroStage](d, "workload.training.zero"); ok {
		n := int(z)
		t.ZeRO = &n
	}
	if sp, ok := get[bool](d, "workload.training.sequence_parallel"); ok {
		t.SequenceParallel = &sp
	}
	t.Recompute = recomputesOf(d, "workload.training.recompute")
	d.fewLayers(t, len(m.Layers))
	if w.Batch > 0 && t.MicroBatch > 0 && w.Batch%t.MicroBatch != 0 {
		d.problem(d.place("workload.training.micro_batch"), fmt.Sprintf("micro-batches of %d sequences do not divide the global batch of %d", t.MicroBatch, w.Batch), "a divisor of the global batch", "")
	}
	if f, ok := d.facts["workload.output"]; ok {
		d.problem(d.statements[f.statement].Place, "an output length in training, where nothing is generated", "the length of a sequence alone", servesHint(because, "state it as workload.sequence"))
	}
	for _, path := range append(d.paths("workload.speculative."), d.paths("workload.prefix_cache_hit")...) {
		d.problem(d.place(path), path+" in training, which serves no requests", "a workload of training", servesHint(because, "leave it out"))
	}
	if d.has("model.kv_precision") {
		d.warn("the phase is training: nothing is cached, the number format of the KV cache has no effect")
	}
	d.trainingFormat(m)
	if longest := w.Input.Max; m.MaxContext > 0 && longest > m.MaxContext {
		d.warn("sequences have %d tokens, the model's context is %d: quality beyond it is not this program's concern, memory and time are", longest, m.MaxContext)
	}
	return w
}

// servesHint is what to do about a statement of serving: where only another statement makes
// the phase training, it may be that one that is meant otherwise.
func servesHint(because, remedy string) string {
	if because == "" {
		return remedy
	}
	return remedy + "; or state workload.phase: mixed: it is read as training because " + because
}

// fewLayers refuses virtual stages and lists of stages that the model has too few layers for.
func (d *draft) fewLayers(t *inputs.TrainingStep, layers int) {
	if layers == 0 {
		return // the model is not known, which is said
	}
	if n := t.VirtualStages; n > 1 && 2*n > layers {
		d.problem(d.place("workload.training.virtual_stages"), fmt.Sprintf("%d virtual stages on each of two or more pipeline ranks, and the model has %d layers", n, layers), fmt.Sprintf("at most %d", max(1, layers/2)), "every stage has a layer")
	}
	if n := len(t.Recompute); n > layers {
		d.problem(d.place("workload.training.recompute"), fmt.Sprintf("recompute of %d stages, and the model has %d layers", n, layers), "one for all stages, or one for each", "every stage has a layer")
	}
}

// trainingFormat refuses number formats that nothing trains in.
func (d *draft) trainingFormat(m inputs.Model) {
	if m.Weights == "" || slices.Contains([]inputs.DType{inputs.BF16, inputs.FP16, inputs.FP8, inputs.FP32}, m.Weights) {
		return
	}
	at, hint := d.place("model.precision"), ""
	if !d.has("model.precision") {
		at, hint = d.place("workload.phase"), "the model is published in it: state model.precision"
	}
	d.problem(at, fmt.Sprintf("training in %s", m.Weights), "bf16, fp16, fp8 or fp32", hint)
}

// sequenceLength is the one length of the sequences that a step trains on.
func (d *draft) sequenceLength() inputs.Range {
	sequence, whole := get[inputs.Range](d, "workload.sequence")
	input, prompt := get[inputs.Range](d, "workload.input")
	path := "workload.sequence"
	switch {
	case whole && prompt && sequence != input:
		d.problem(d.place("workload.input"), fmt.Sprintf("input length %s contradicts the sequence length %s (%s)", inputs.FormatRange(input), inputs.FormatRange(sequence), d.place("workload.sequence")),
			"one length: in training a sequence is all input", "delete one of the statements")
	case !whole && prompt:
		sequence, path = input, "workload.input"
	case !whole:
		d.missing("the sequence length of training", "tokens of a sequence", "workload.sequence: 4096")
		return inputs.Range{}
	}
	if sequence.Min != sequence.Max {
		d.problem(d.place(path), fmt.Sprintf("a range of lengths %s in training", inputs.FormatRange(sequence)), "one length: sequences are packed to it", "")
	}
	d.used(d.facts[path].statement, fmt.Sprintf("training: sequences of %d tokens", sequence.Max))
	return inputs.Range{Min: sequence.Max, Max: sequence.Max}
}

// globalBatch is the number of sequences of a step.
func (d *draft) globalBatch(length int) int {
	plain, hasPlain := get[int](d, "workload.batch")
	if hasPlain {
		d.used(d.facts["workload.batch"].statement, fmt.Sprintf("training: global batch %d sequences", plain))
	}
	b, stated := get[globalBatch](d, "workload.global_batch")
	switch {
	case !stated && !hasPlain:
		d.missing("the global batch of training", "sequences of a step", "workload.global_batch: 512, or 4M tokens")
		return 0
	case !stated:
		return plain
	case b.Tokens && length <= 0:
		return 0 // the length is missing, which is said
	}
	n, why := b.sequences(length)
	if why != "" {
		d.assume("global batch", fmt.Sprintf("%d sequences", n), why)
	}
	at := d.place("workload.global_batch")
	switch {
	case n == 0:
		low := int(b.Count) / length
		near := fmt.Sprintf("state %d tokens", (low+1)*length)
		if low > 0 {
			near = fmt.Sprintf("state %d or %d tokens", low*length, (low+1)*length)
		}
		d.problem(at, fmt.Sprintf("a global batch of %s is no whole number of sequences of %d tokens", b.text(), length), "sequences, or a multiple of their length", near)
	case hasPlain && plain != n:
		d.problem(at, fmt.Sprintf("a global batch of %d sequences contradicts the batch of %d (%s)", n, plain, d.place("workload.batch")), "one number of sequences", "delete one of the statements")
	case b.Tokens:
		d.used(d.facts["workload.global_batch"].statement, fmt.Sprintf("training: %d sequences", n))
	}
	return n
}

// recomputesOf is a recompute of all stages or of each.
func recomputesOf(d *draft, path string) []inputs.Recompute {
	list, _ := get[[]any](d, path)
	var out []inputs.Recompute
	for _, x := range list {
		if r, ok := x.(inputs.Recompute); ok {
			out = append(out, r)
		}
	}
	return out
}

// serveTraining accounts for what is stated in the words of training where the phase is
// one of serving: sizes of batches have a meaning there too, the rest has none.
func (d *draft) serveTraining() {
	for _, x := range [][2]string{{"workload.global_batch", "workload.batch"}, {"workload.training.micro_batch", "strategy.micro_batch_size"}} {
		from, to := x[0], x[1]
		f, ok := d.facts[from]
		if !ok {
			continue
		}
		var v any = f.value
		if b, isBatch := v.(globalBatch); isBatch {
			if b.Tokens {
				continue // told below
			}
			v = int(b.Count)
		} else {
			v = []any{v}
		}
		place := d.statements[f.statement].Place
		delete(d.facts, from)
		d.set(f.statement, to, v, place, f.rank)
	}
	phase, _ := get[inputs.Phase](d, "workload.phase")
	for _, path := range append(d.paths("workload.training."), d.paths("workload.global_batch")...) {
		d.problem(d.place(path), path+" is of training, the phase is "+string(phase), "a workload of serving", "state workload.phase: training, or leave it out")
	}
	for _, field := range trainingFields() {
		if path := "strategy." + field; d.has(path) {
			d.problem(d.place(path), path+" is of training", "a strategy of serving", "state workload.phase: training, or leave it out")
		}
	}
}

// trainingFields are those of a strategy that only training has.
func trainingFields() []string {
	return []string{"virtual_stages", "zero", "sequence_parallel", "recompute"}
}

// checkTrainingStrategy reads the rest of a strategy for training and holds it against the
// workload.
func (d *draft) checkTrainingStrategy(s *inputs.Strategy, w *inputs.Workload) {
	if list := listed[int](d, "virtual_stages"); len(list) > 0 {
		s.VirtualStages = list[0]
	}
	if list := listed[zeroStage](d, "zero"); len(list) > 0 {
		n := int(list[0])
		s.ZeRO = &n
	}
	if list := listed[bool](d, "sequence_parallel"); len(list) > 0 {
		s.SequenceParallel = &list[0]
	}
	s.Recompute = recomputesOf(d, "strategy.recompute")
	bad := func(field, problem, want, hint string) { d.problem(d.place("strategy."+field), problem, want, hint) }
	for _, field := range []string{"dp_attention", "decode_groups"} {
		if d.has("strategy." + field) {
			bad(field, "strategy."+field+" is of serving", "a strategy of training", "leave it out")
		}
	}
	for _, x := range []struct {
		field string
		list  inputs.Degrees
	}{{"tp", s.TP}, {"ep", s.EP}, {"etp", s.ETP}, {"cp", s.CP}} {
		field, list := x.field, x.list
		if slices.ContainsFunc(list, func(n int) bool { return n != list[0] }) {
			bad(field, fmt.Sprintf("strategy: %s differs from stage to stage", field), "one degree for all: ranks of a training step are alike", "")
		}
	}
	if s.Replicas > 0 && s.DP > 0 && s.Replicas != s.DP {
		bad("replicas", fmt.Sprintf("strategy: %d replicas contradict dp %d", s.Replicas, s.DP), "one number: a replica of training is a data-parallel rank", "")
	}
	if s.SP > 1 && s.SP != s.TP.At(0) {
		bad("sp", fmt.Sprintf("strategy: sequence parallelism %d beside tensor parallelism %d", s.SP, s.TP.At(0)), "the tensor degree: it splits over the same GPUs", "")
	}
	if s.SP > 1 && s.SequenceParallel != nil && !*s.SequenceParallel {
		bad("sp", fmt.Sprintf("strategy: sequence parallelism %d contradicts sequence_parallel: no", s.SP), "one of them", "")
	}
	d.divides(s, w)
	t := w.Training
	for _, x := range []struct {
		field     string
		stated    bool
		have, ask any
	}{
		{"micro_batch_size", s.MicroBatchSize > 0 && t.MicroBatch > 0, s.MicroBatchSize, t.MicroBatch},
		{"virtual_stages", s.VirtualStages > 0 && t.VirtualStages > 0, s.VirtualStages, t.VirtualStages},
		{"zero", s.ZeRO != nil && t.ZeRO != nil, at(s.ZeRO), at(t.ZeRO)},
		{"sequence_parallel", s.SequenceParallel != nil && t.SequenceParallel != nil, at(s.SequenceParallel), at(t.SequenceParallel)},
	} {
		if x.stated && x.have != x.ask {
			bad(x.field, fmt.Sprintf("strategy: %s %s contradicts the %s of the workload", strings.ReplaceAll(x.field, "_", " "), showAny(x.have), showAny(x.ask)), "what the workload asks for", "")
		}
	}
}

// at is what a pointer points at, the zero value for none.
func at[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// divides: replicas share the global batch evenly, each in whole micro-batches.
func (d *draft) divides(s *inputs.Strategy, w *inputs.Workload) {
	dp, field := max(s.DP, s.Replicas, 1), "dp"
	if s.DP == 0 {
		field = "replicas"
	}
	size := max(s.MicroBatchSize, w.Training.MicroBatch, 1)
	switch {
	case w.Batch <= 0:
	case w.Batch%dp != 0:
		d.problem(d.place("strategy."+field), fmt.Sprintf("strategy: %d data-parallel ranks do not divide the global batch of %d sequences", dp, w.Batch), "a divisor", "")
	case w.Batch%(dp*size) != 0:
		path := "strategy.micro_batch_size"
		if s.MicroBatchSize == 0 {
			path = "strategy." + field
		}
		d.problem(d.place(path), fmt.Sprintf("strategy: micro-batches of %d sequences on %d data-parallel ranks do not divide the global batch of %d", size, dp, w.Batch), "micro-batch × dp that divides it", "")
	case s.MicroBatches > 0 && (s.MicroBatchSize > 0 || w.Training.MicroBatch > 0) && s.MicroBatches*dp*size != w.Batch:
		d.problem(d.place("strategy.micro_batches"), fmt.Sprintf("strategy: %d micro-batches of %d sequences on %d data-parallel ranks are %d sequences, the global batch has %d", s.MicroBatches, size, dp, s.MicroBatches*dp*size, w.Batch), "the global batch", "")
	case s.MicroBatches > 0 && w.Batch%(dp*s.MicroBatches) != 0:
		d.problem(d.place("strategy.micro_batches"), fmt.Sprintf("strategy: %d micro-batches on %d data-parallel ranks do not divide the global batch of %d", s.MicroBatches, dp, w.Batch), "a divisor", "")
	}
}

// checkTrainingGoal refuses what is asked of serving alone.
func (d *draft) checkTrainingGoal(g inputs.Goal, because string) {
	for _, r := range g.Requirements {
		switch r.Kind {
		case inputs.StepTime, inputs.TokensPerSecond, inputs.TokensPerSGPU, inputs.CostUSDPerHour:
		case inputs.SamplesPerS: // told with its own hint
		default:
			d.problem(r.Place, fmt.Sprintf("requirement %s in training, which serves no requests", r.Kind), "step_time, throughput, throughput_per_gpu or cost_per_hour", servesHint(because, "leave it out"))
		}
	}
	if engine, ok := get[string](d, "engine"); ok && engine != trainingEngine {
		d.problem(d.place("engine"), fmt.Sprintf("the engine %s serves requests, the phase is training", engine), trainingEngine+", or none", "leave it out")
	}
	if g.Placement != "" && g.Placement != inputs.Pipeline {
		d.problem(d.place("goal.placement"), fmt.Sprintf("placement %s in training, which serves no requests", g.Placement), "pipeline", servesHint(because, "leave it out"))
	}
}
