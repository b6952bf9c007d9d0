package validate

import (
	"maps"
	"math"
	"strings"

	"partita/formulation/cost"
	"partita/formulation/training"
	"partita/inputs"
	"partita/inputs/measured"
	"partita/inputs/read"
)

// trainMeasures are the metrics of training runs, by their names in tables.
func trainMeasures() map[string]measure {
	const ms, percent, tera = 1e3, 100, 1e-12
	return map[string]measure{
		"iteration_time_s":     {quantity: trainStep, scale: 1},
		"tokens_per_s_per_gpu": {quantity: trainRate, scale: 1, perGPU: true},
		"model_tflops_per_gpu": {quantity: usefulFLOPS, scale: tera, perGPU: true},
		"hw_tflops_per_gpu":    {quantity: allFLOPS, scale: tera, perGPU: true},
		"mfu_pct":              {quantity: usefulFLOPS, scale: percent, ofPeak: true, perGPU: true},
		"hfu_pct":              {quantity: allFLOPS, scale: percent, ofPeak: true, perGPU: true},
		"layer_fwd_ms":         {quantity: layerForward, scale: ms},
		"layer_bwd_ms":         {quantity: layerBackward, scale: ms},
		"layer_total_ms":       {quantity: layerBoth, scale: ms},
	}
}

// trainPrice is the prediction of a run.
type trainPrice struct {
	why               string  // there is none
	seconds           float64 // of a step
	forward, backward float64 // of a layer of the first kind
	tokens            float64 // of each GPU a step
	// FLOP of each GPU a step: of products, of attention with masked pairs, and of what is
	// recomputed.
	products, attention, recomputed float64
	peak                            float64
	held                            heldBytes
	fits                            bool // the GPU that holds most
}

// mapTrained maps a row of a training run, or notes why it is not.
func (o *outcome) mapTrained(k known, r *measured.Row) {
	m, ok := trainMeasures()[r.Metric]
	memory := false
	if !ok {
		m, memory = trainMemoryMeasures()[r.Metric]
	}
	if !ok && !memory {
		o.why = notPredicted(r.Kind, r.Metric)
		return
	}
	if adapters.MatchString(r.Notes) || adapters.MatchString(r.Framework) || adapters.MatchString(r.Model) {
		o.why = "adapters alone were trained (LoRA); the program plans steps that train all weights"
		return
	}
	t, why := k.trainedOf(r)
	layer := layerAlone(m)
	switch {
	case why != "":
	case t.sequence == 0:
		why = "the length of a sequence is not stated"
	case t.global == 0 && !layer && !memory:
		why = "the global batch is not stated"
	}
	if why != "" {
		o.why = why
		return
	}
	if r.Virtual == 0 && t.pp > 1 && !plainPipeline(r) {
		t.virtual = 0 // not stated
	}
	if memory {
		if o.why = memoryUnstated(&t); o.why != "" {
			return
		}
		t.fillPipeline()
	}
	t.twoBoards = says(r, boardsOfFour)
	t.everyOther, t.engine = everyOther(r.Recompute), engineOf(r, t.unfused)
	t.packed = strings.HasSuffix(r.Model, "SFT") && strings.HasPrefix(r.Framework, "NeMo")
	o.measure, o.trained = m, &t
}

// engineOf tells what the engines of published runs lack:
//
//   - Megatron-LM of 2021 and its forks with DeepSpeed: fused attention, overlap of tensor
//     parallelism, gradients added where they are computed. Where it says "backward overlap",
//     as that of 2022 (Korthikanti et al.) has it, the backward pass hides collectives and
//     adds gradients in place.
//   - llm-foundry of 2023 runs eager PyTorch with flash attention in Triton and a fused loss.
//   - torchtitan says whether it compiled and whether its TP was asynchronous.
func engineOf(r *measured.Row, unfused bool) cost.TrainEngine {
	foundry := strings.Contains(r.Framework, "foundry")
	titan := r.Framework == "torchtitan"
	waits := titan && !says(r, asyncTP)
	old := unfused && !says(r, hidesBackward)
	return cost.TrainEngine{
		Unfused: unfused, FirstFlash: foundry, Eager: foundry || titan && begins(r, "eager"),
		Serial: unfused || waits, SerialBackward: old || waits, Apart: old,
		Flat: r.Framework == "DeepSpeed ZeRO-3", FusedLoss: foundry,
	}
}

// begins reports notes that begin with words, in lower case.
func begins(r *measured.Row, words string) bool {
	return strings.HasPrefix(strings.ToLower(r.Notes), words)
}

// plainPipeline reports a framework whose pipelines have one stage a rank: DeepSpeed's, and
// what a row says of its own schedule.
func plainPipeline(r *measured.Row) bool {
	return strings.Contains(r.Framework, "DeepSpeed") || begins(r, "1f1b")
}

// priceTrained predicts the metric of a row of a training run.
func (o *outcome) priceTrained(p *trainPricer, r *measured.Row, constants Constants) error {
	var of func(string) *inputs.Profile
	if constants != nil {
		of = func(generation string) *inputs.Profile { return constants(generation, r.Family) }
	}
	x, err := p.price(*o.trained, of)
	if err != nil {
		return err
	}
	if o.why = x.why; o.why == "" {
		o.predicted = x.value(o.measure, r)
		if r.Recompute != "" && memoryUnstated(o.trained) == "" && !layerAlone(o.measure) {
			o.runs = &x.fits
		}
	}
	return nil
}

// trainPricer prices training runs. It is not safe for concurrent use.
type trainPricer struct {
	reader *read.Reader
	packs  []read.Override // of knowledge
	known  map[trained]*inputs.Condition
	own    map[trained]*inputs.Profile // of the devices, where packs bring one
}

func newTrainPricer(reader *read.Reader, packs []read.Override) *trainPricer {
	return &trainPricer{reader: reader, packs: packs, known: map[trained]*inputs.Condition{}, own: map[trained]*inputs.Profile{}}
}

// price prices a run with the constants given (nil: those of its generation); where it does
// not say its micro-batch or its virtual stages, by the best of them, as somebody would have
// chosen.
func (p *trainPricer) price(run trained, constants func(generation string) *inputs.Profile) (trainPrice, error) {
	if run.global == 0 {
		run.global = run.micro * run.shape.DP // a layer by itself
	}
	c, ok := p.known[run]
	if !ok {
		var err error
		if c, err = run.condition(p.reader, p.packs); err != nil {
			return trainPrice{why: "no condition: " + err.Error()}, nil
		}
		run.site(c)
		if run.precision == inputs.FP4 {
			c.Model.Weights = inputs.FP4
		}
		if run.packed {
			// NeMo packs examples of fine-tuning into sequences, and counts no attention between
			// them in the utilisation that it prints: each attends within itself.
			for k := range c.Model.Kinds {
				c.Model.Kinds[k].Attention.Window = packedExample
			}
		}
		p.known[run], p.own[run] = c, c.Cluster.Pools[0].Accelerator.Profile
	}
	device := &c.Cluster.Pools[0].Accelerator
	device.Profile = p.own[run]
	if constants != nil {
		device.Profile = constants(device.Generation)
	}
	calc, err := cost.New(c)
	if err != nil {
		return trainPrice{}, err
	}
	var best trainPrice
	for _, x := range run.candidates(len(c.Model.Layers)) {
		out := x.priceOne(c, calc)
		if best.seconds == 0 || out.why == "" && out.seconds < best.seconds {
			best = out
		}
	}
	return best, nil
}

// packedExample stands for the length of a fine-tuning example, in tokens: short beside
// sequences of 4096.
const packedExample = 512

// mostMicroBatch is the largest that is tried where a row does not say it.
const mostMicroBatch = 16

// candidates are the runs that a row may mean.
func (t *trained) candidates(layers int) []trained {
	micro, virtual := []int{t.micro}, []int{t.virtual}
	if t.micro == 0 {
		micro = nil
		for m := 1; m <= mostMicroBatch && t.global%(t.shape.DP*m) == 0; m *= 2 {
			micro = append(micro, m)
		}
	}
	if t.virtual == 0 {
		virtual = []int{1}
		for v := 2; v*t.pp <= layers+2; v++ {
			if layers%(v*t.pp) == 0 || (layers+2)%(v*t.pp) == 0 {
				virtual = append(virtual, v)
			}
		}
	}
	var out []trained
	for _, m := range micro {
		for _, v := range virtual {
			x := *t
			x.micro, x.virtual = m, v
			out = append(out, x)
		}
	}
	return out
}

// priceOne prices a run all of whose degrees are stated. Where every other layer is
// recomputed, the step lies half way between none and all.
func (t *trained) priceOne(c *inputs.Condition, calc *cost.Calculator) trainPrice {
	if !t.everyOther {
		return t.priceUniform(c, calc)
	}
	x := *t
	x.everyOther = false
	x.recompute = inputs.FullRecompute
	full := x.priceUniform(c, calc)
	x.recompute = inputs.NoRecompute
	none := x.priceUniform(c, calc)
	none.seconds = (none.seconds + full.seconds) / 2
	none.recomputed = full.recomputed / 2
	none.held.all, none.held.tensors = (none.held.all+full.held.all)/2, (none.held.tensors+full.held.tensors)/2
	none.fits = none.held.fits(c)
	return none
}

func (t *trained) priceUniform(c *inputs.Condition, calc *cost.Calculator) trainPrice {
	l, why := t.layout(len(c.Model.Layers))
	if why != "" {
		return trainPrice{why: why}
	}
	l.Engine = t.engine
	step, err := training.Price(c, calc, l)
	if err != nil {
		return trainPrice{why: err.Error()}
	}
	work := l.Work(c)
	each := float64(c.Workload.Batch) / float64(l.GPUs())
	out := trainPrice{
		seconds: step.Seconds, tokens: each * float64(work.Sequence),
		attention: each * calc.TrainAttentionFLOPs(work), peak: calc.PeakFLOPS(0),
	}
	out.held = heldOf(c, calc, l)
	out.fits = out.held.fits(c)
	out.products = each*calc.TrainFLOPs(work) - out.attention
	out.forward, out.backward = calc.TrainLayer(0, 0, l.Shape(), work, t.recompute)
	head := 6 * each * float64(work.Sequence) * float64(c.Model.Vocab) * float64(c.Model.Hidden)
	switch t.recompute {
	case inputs.FullRecompute:
		out.recomputed = (out.products - head + out.attention) / 3
	case inputs.SelectiveRecompute:
		out.recomputed = out.attention / 3
	}
	return out
}

// limitedPart is an H100 of 500 W, whose peaks in the catalogue are those of the whole power.
const limitedPart = "H100-96GB-HBM2e"

// site states where published runs were made, which no column says: between nodes InfiniBand
// of 200 Gb/s a GPU with A100 and 400 Gb/s with what came later; with GB200 an NVLink domain
// of 64 of its 72 GPUs (NVIDIA's reference designs: DGX A100, DGX H100, GB200 NVL72). BLOOM was
// trained on nodes of 8 A100 "using NVLink 4 inter-gpu connects" (model card): two boards of
// four, each pair of GPUs joined by 4 links, and PCIe between the boards, over which TP 8 goes.
//
// torchtitan's H100 are limited to 500 of 700 W, and power goes with the cube of the clock.
func (t *trained) site(c *inputs.Condition) {
	pool := &c.Cluster.Pools[0]
	rate := 50e9
	switch {
	case t.twoBoards:
		rate, pool.GPUsPerNode, pool.Nodes = 31.5e9, 4, nil // counted, not listed
	case strings.HasPrefix(pool.Accelerator.Name, "A100"):
		rate = 25e9
	}
	if strings.HasPrefix(pool.Accelerator.Name, limitedPart) {
		limit := math.Cbrt(500.0 / 700)
		pool.Accelerator.FLOPS = maps.Clone(pool.Accelerator.FLOPS)
		for format := range pool.Accelerator.FLOPS {
			pool.Accelerator.FLOPS[format] *= limit
		}
	}
	c.Cluster.Network = inputs.Link{Kind: inputs.LinkInfiniBand, BytesPerSecond: rate}
	if strings.HasPrefix(pool.Accelerator.Name, "GB200") {
		pool.GPUsPerNode, pool.Nodes = 64, nil
	}
}

// value is the metric of a run.
func (t *trainPrice) value(m measure, r *measured.Row) float64 {
	attention := t.attention
	if strings.Contains(r.Framework, "Bridge") {
		attention /= 2 // its tables count the pairs that the mask leaves
	}
	scale := m.scale
	if m.ofPeak {
		scale /= t.peak
	}
	switch m.quantity {
	case trainMemory:
		return t.held.printed(r) * scale
	case trainStep:
		return t.seconds * scale
	case trainRate:
		return t.tokens / t.seconds * scale
	case usefulFLOPS:
		return (t.products + attention) / t.seconds * scale
	case allFLOPS:
		return (t.products + attention + t.recomputed) / t.seconds * scale
	case layerForward:
		return t.forward * scale
	case layerBackward:
		return t.backward * scale
	case layerBoth:
		return (t.forward + t.backward) * scale
	}
	return 0
}
