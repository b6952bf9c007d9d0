package validate

import (
	"fmt"
	"regexp"
	"strings"

	"partita/inputs"
	"partita/inputs/catalog"
	"partita/inputs/measured"
)

// deployment is the model, the GPUs and the layout of a row. It is comparable: runs on
// the same deployment share prices.
type deployment struct {
	accelerator, model string
	precision          inputs.DType // "": as the catalogue has the model
	gpus, nodes        int          // nodes 0: not stated
	layout
	engine      string       // "": not known
	cache       inputs.DType // of the KV cache; "": as goes with the weights
	longest     int          // context that the engine was started with, tokens; 0: not stated
	utilization string       // share of the memory that the engine was let fill; "": the default
}

// layout is how the GPUs share the work: replicas·PP stages of TP·CP·DPA = EP·ETP GPUs.
type layout struct{ replicas, pp, tp, cp, dpa, ep, etp int }

func (l *layout) gpus() int { return l.replicas * l.pp * l.tp * l.cp * l.dpa }

// strategy states every degree, so that there is one way to read it.
func (l *layout) strategy() *inputs.Strategy {
	return &inputs.Strategy{
		GPUs: l.gpus(), PP: l.pp, Replicas: l.replicas, TP: inputs.Degrees{l.tp}, CP: inputs.Degrees{l.cp},
		DPAttention: inputs.Degrees{l.dpa}, EP: inputs.Degrees{l.ep}, ETP: inputs.Degrees{l.etp},
	}
}

// known finds the models and devices of rows.
type known struct{ *catalog.Catalog }

// deploymentOf maps a row; reason says what keeps it from being mapped.
func (k known) deploymentOf(r *measured.Row) (d deployment, reason string) {
	a, ok := k.Accelerator(r.GPU)
	if !ok {
		return d, fmt.Sprintf("GPU %q is not in the catalogue", r.GPU)
	}
	d.accelerator, d.gpus = a.Name, r.GPUs
	m, ok := k.model(r)
	if !ok {
		name := r.HuggingFace
		if name == "" {
			name = r.Model
		}
		return d, fmt.Sprintf("model %q is not in the catalogue", name)
	}
	d.model = m.Name
	switch format, ok := formatOf(r.Precision); {
	case r.Precision == "":
	case !ok:
		return d, fmt.Sprintf("number format %q is not known", r.Precision)
	case format != m.Weights:
		d.precision = format
	}
	if d.layout, reason = layoutOf(r, m.HasExperts()); reason != "" {
		return d, reason
	}
	if m.HasExperts() && alikePrompts(r) {
		return d, "the prompts of the batch are alike: experts are not visited at random"
	}
	d.gpus = d.layout.gpus()
	if d.nodes, reason = nodesOf(r, d.gpus); reason != "" {
		return d, reason
	}
	d.engine, d.longest = servingEngine(r.Framework), longestOf(r)
	if d.cache = cacheOf(d.engine, d.precision); d.precision == "" {
		d.cache = cacheOf(d.engine, m.Weights)
	}
	if found := utilized.FindStringSubmatch(r.Notes); found != nil {
		d.utilization = found[1]
	}
	return d, ""
}

// nodesOf is how many nodes the GPUs of a row are in; 0: not stated.
func nodesOf(r *measured.Row, gpus int) (nodes int, reason string) {
	if r.Nodes > 0 && gpus%r.Nodes != 0 {
		return 0, "the GPUs do not divide over the nodes"
	}
	return r.Nodes, ""
}

// alikePrompts finds batches of equal prompts, whose tokens all go to the same experts.
// Argonne's benchmark runs TensorRT-LLM's own script, which fills a batch with one dummy
// prompt: Mixtral-8x7B on four H100 takes 6.8 ms a step for 16 sequences, prompts included,
// and 5.5 ms for one, where reading the 92 GB of the experts that 16 different tokens visit
// takes 6.9 ms at the datasheet's 3.35 TB/s. With vLLM on MI250 a batch takes two to three
// times as long as one sequence, as different prompts do; there num_gpus counts cards, each
// of two dies that engines see as two devices, and total_tok_s is input and output over
// the latency of the batch, as everywhere.
func alikePrompts(r *measured.Row) bool {
	return r.Concurrency.Requests > 1 && strings.Contains(r.Source, "LLM-Inference-Bench") && strings.HasPrefix(r.Framework, "TensorRT-LLM")
}

// utilized finds what share of the memory the engine was let fill, in notes.
var utilized = regexp.MustCompile(`(?i)\b(?:gmu|gpu_memory_utilization)(?: default)? (0?\.\d+)\b`)

// model finds the model by its identifier, else by its name. The number format is the
// row's own, so one at the end of the name does not matter.
func (k known) model(r *measured.Row) (inputs.Model, bool) {
	for _, name := range []string{r.HuggingFace, r.Model} {
		if name == "" {
			continue
		}
		if e, ok := k.ModelEntry(name); ok {
			if own, ok := k.ModelEntry(e.Name); ok {
				return own.Model, true
			}
		}
	}
	return inputs.Model{}, false
}

// formatOf is the format of the weights behind what sources call it. Mixed precision of
// 16 bits is 16 bits.
func formatOf(text string) (inputs.DType, bool) {
	t := strings.ToUpper(text)
	switch {
	case t == "FP4" || t == "NVFP4" || t == "MXFP4":
		return inputs.FP4, true
	case t == "FP8" || strings.HasPrefix(t, "FP8") || t == "MXFP8":
		return inputs.FP8, true
	case t == "INT8" || t == "W8A8":
		return inputs.INT8, true
	case t == "INT4" || t == "W4A16":
		return inputs.INT4, true
	case t == "FP16":
		return inputs.FP16, true
	case strings.Contains(t, "BF16"):
		return inputs.BF16, true
	}
	return "", false
}

// Words in notes that tell what no column does.
const (
	attentionDP = "dp_attention=true" // attention is data parallel over all GPUs of the engine
	staticBatch = "static batch"      // all requests begin together and none follows
	byItself    = "batch-1"           // a static batch of one: no server is in front of the engine
	noEnd       = "infinite rate"     // as many requests as the engine takes
	mostTokens  = "max throughput"    // the same
	shorter     = "0.8-1.0x of isl/osl"
	// Of training.
	halfGradient  = "fp16-style grad"   // BF16 gradients are summed in 16 bits
	asyncTP       = "async tp"          // torchtitan hides tensor parallelism's collectives
	boardsOfFour  = "nvlink joins four" // NVLink inside boards of four GPUs, PCIe between them
	hidesBackward = "backward overlap"  // Megatron-LM on A100 hides collectives behind the backward pass
)

// adapters finds that adapters alone are trained: LoRA, QLoRA; no "exploration".
var adapters = regexp.MustCompile(`(?i)(?:\b|_|q)lora(?:\b|_)`)

// sourceWords are words that stand for notes which the rows of a published table do not
// have: what was different there from other runs of the same framework on the same GPUs is
// told by the papers, and by no column. docs/validation.md lists them.
func sourceWords(r *measured.Row) string {
	switch {
	case strings.Contains(r.Source, "bigscience-workshop/bigscience"):
		return boardsOfFour // see site
	case strings.Contains(r.Source, "arXiv 2205.05198"):
		return hidesBackward // Korthikanti et al.: see engineOf
	}
	return ""
}

// says finds words, in lower case, in what a row says in words of its own.
func says(r *measured.Row, words string) bool {
	return strings.Contains(strings.ToLower(r.Notes), words) || strings.Contains(strings.ToLower(r.Framework), words) ||
		sourceWords(r) == words
}

// layoutOf reads the degrees of a row. TP·PP·CP·DP are its GPUs; experts lie over
// TP·CP·DP.
func layoutOf(r *measured.Row, moe bool) (layout, string) {
	if r.TP == 0 && r.GPUs != 1 {
		return layout{}, "the layout is not stated"
	}
	l := layout{replicas: 1, pp: max(1, r.PP), tp: max(1, r.TP), cp: max(1, r.CP), dpa: 1, ep: max(1, r.EP)}
	inside := l.pp * l.tp * l.cp
	switch {
	case says(r, attentionDP):
		// The column tp is the GPUs of the engine, over which attention is data parallel.
		if r.GPUs == 0 || r.GPUs%inside != 0 {
			return layout{}, "the degrees do not make the number of GPUs"
		}
		l.replicas, l.dpa, l.tp = r.GPUs/inside, l.tp, 1
	case r.DP > 0:
		if r.GPUs > 0 && inside*r.DP != r.GPUs {
			return layout{}, "the degrees do not make the number of GPUs"
		}
		l.replicas = r.DP
		if per := l.tp * l.cp; l.ep > per {
			// One group of experts spans several attention ranks.
			if l.ep%per != 0 || r.DP%(l.ep/per) != 0 {
				return layout{}, "the experts do not divide over the GPUs"
			}
			l.dpa = l.ep / per
			l.replicas = r.DP / l.dpa
		}
	case r.GPUs > 0:
		if r.GPUs%inside != 0 {
			return layout{}, "the degrees do not make the number of GPUs"
		}
		l.replicas = r.GPUs / inside
	}
	if l.ep > 1 && !moe {
		return layout{}, "experts are spread, and the model has none"
	}
	stage := l.tp * l.cp * l.dpa
	if stage%l.ep != 0 {
		return layout{}, "the experts do not divide over the GPUs"
	}
	l.etp = stage / l.ep
	return l, ""
}
