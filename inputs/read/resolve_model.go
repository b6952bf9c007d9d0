package read

import (
	"fmt"
	"math"
	"sort"

	"partita/inputs"
)

// resolveModel builds the model: from a config.json or the catalogue where one is
// named, else from the stated shapes. Stated shapes must agree with what a name
// stands for, unless a flag states them.
func (d *draft) resolveModel(lib library) inputs.Model {
	m, source, ok := d.namedModel(lib)
	if ok {
		d.checkShapes(&m, source)
	} else if m, ok = d.inlineModel(); !ok {
		return m
	}
	d.formats(&m, source != "")
	d.declared(&m)
	d.checkModel(m)
	return m
}

// namedModel is the model of a config.json or of the catalogue.
func (d *draft) namedModel(lib library) (m inputs.Model, source string, ok bool) {
	name, named := get[string](d, "model.catalog")
	if d.model != nil {
		if named && d.facts["model.catalog"].rank >= d.modelRank {
			// A flag may replace the file's model; two files may not both name one.
			if d.facts["model.catalog"].rank == d.modelRank {
				d.problem(d.place("model.catalog"), fmt.Sprintf("the model is given here (%s) and by %s", name, d.modelSource), "one model", "keep one of them")
			}
		} else {
			if named {
				d.used(d.facts["model.catalog"].statement, "replaced by "+d.modelSource)
			}
			return *d.model, d.modelSource, true
		}
	}
	if named {
		found, known := lib.Model(name)
		if !known {
			d.problem(d.place("model.catalog"), fmt.Sprintf("model %q is not in the catalogue", name), "a known model", suggestedModel(lib, name)+"; or state its shapes, or give its config.json")
			return m, "", false
		}
		return found, "the catalogue's " + found.Name, true
	}
	// A name beside shapes only names them; alone it should have been known.
	if n, stated := get[string](d, "model.name"); stated && !d.has("model.layers") && !d.has("model.hidden") {
		if found, known := lib.Model(n); known {
			return found, "the catalogue's " + found.Name, true
		}
		d.problem(d.place("model.name"), fmt.Sprintf("model %q is not in the catalogue", n), "a known model", suggestedModel(lib, n)+"; or state its shapes, or give its config.json")
		d.unnamed = true
	}
	return m, "", false
}

// checkShapes holds stated shapes against those of a named model. A flag or the
// environment changes the shape; a file that disagrees contradicts itself.
func (d *draft) checkShapes(m *inputs.Model, source string) {
	integer := func(path string, get1 func() int, put func(int)) {
		v, ok := get[int](d, path)
		if !ok || v == get1() {
			return
		}
		if f := d.facts[path]; f.rank > fromFile && put != nil {
			put(v)
			return
		}
		k, _ := d.keyOf(path)
		d.problem(d.place(path), fmt.Sprintf("%s %d contradicts %s (%d)", k.noun(), v, source, get1()), "shapes that agree with the named model",
			"leave out the shape, or leave out the name and state all shapes")
	}
	main := &m.Kinds[m.Layers[len(m.Layers)-1]]
	integer("model.layers", func() int { return len(m.Layers) }, nil)
	integer("model.hidden", func() int { return m.Hidden }, func(v int) { m.Hidden = v })
	integer("model.heads", func() int { return main.Attention.Heads }, nil)
	integer("model.kv_heads", func() int { return main.Attention.KVHeads }, nil)
	integer("model.head_dim", func() int { return main.Attention.HeadDim }, nil)
	integer("model.intermediate", func() int { return main.FFN.Intermediate }, nil)
	integer("model.experts", func() int { return main.FFN.Experts }, nil)
	integer("model.top_k", func() int { return main.FFN.TopK }, func(v int) {
		for i := range m.Kinds {
			if m.Kinds[i].FFN.Experts > 0 {
				m.Kinds[i].FFN.TopK = v
			}
		}
	})
	integer("model.vocab", func() int { return m.Vocab }, func(v int) { m.Vocab = v })
	if v, ok := get[int](d, "model.max_context"); ok {
		m.MaxContext = v // what is served, which need not be what the model could
	}
	if name, ok := get[string](d, "model.name"); ok {
		m.Name = name
	}
	var rest []string
	for path := range d.facts {
		switch path {
		case "model.attention", "model.ffn", "model.gated", "model.tied", "model.window", "model.dense_layers", "model.dense_intermediate", "model.shared_experts",
			"model.shared_width", "model.q_lora_rank", "model.kv_lora_rank", "model.rope_dim", "model.v_head_dim":
			rest = append(rest, path)
		}
	}
	sort.Strings(rest)
	for _, path := range rest {
		d.used(d.facts[path].statement, "not used: "+source+" has its own shapes")
	}
}

// inlineModel builds the model from stated shapes.
func (d *draft) inlineModel() (inputs.Model, bool) {
	if d.unnamed || d.has("model.catalog") {
		return inputs.Model{}, false
	}
	m := inputs.Model{Provenance: "stated shapes", FFNScale: 1, Name: "stated"}
	if n, ok := get[string](d, "model.name"); ok {
		m.Name = n
	}
	layers, okLayers := get[int](d, "model.layers")
	var okHidden bool
	if m.Hidden, okHidden = get[int](d, "model.hidden"); !okHidden {
		heads, h := get[int](d, "model.heads")
		width, w := get[int](d, "model.head_dim")
		if h && w {
			m.Hidden, okHidden = heads*width, true
			d.assume("hidden size", fmt.Sprint(m.Hidden), "heads times their width; no hidden size is stated")
		}
	}
	if !okLayers && !okHidden {
		d.missing("the model", "a model of the catalogue, a config.json, or layers, hidden size, heads and widths", "`model: Llama-3.1-70B` or --model config.json")
		return m, false
	}
	if !okLayers {
		d.missing("the number of layers", "such as `**Layers**: 32`", "")
	}
	if !okHidden {
		d.missing("the hidden size", "such as `**Token Dimension**: 4096`", "")
	}
	if !okLayers || !okHidden {
		return m, false
	}
	kind := inputs.LayerKind{Name: "dense"}
	attention, ok := d.attention(m.Hidden)
	ffn, okFFN := d.feedForward(m.Hidden)
	if !ok || !okFFN {
		return m, false
	}
	kind.Attention, kind.FFN = attention, ffn
	if ffn.Experts > 0 {
		kind.Name = "moe"
	}
	m.Kinds = []inputs.LayerKind{kind}
	m.Layers = make([]int, min(layers, maxLayers))
	if layers > maxLayers {
		d.problem(d.place("model.layers"), fmt.Sprintf("%d layers", layers), fmt.Sprintf("at most %d", maxLayers), "")
	}
	d.denseLayers(&m)
	if m.Vocab, ok = get[int](d, "model.vocab"); !ok {
		d.assume("vocabulary", "embedding and output head are left out", "no vocabulary size is stated")
	}
	m.Tied, _ = get[bool](d, "model.tied")
	m.MaxContext, _ = get[int](d, "model.max_context")
	return m, true
}

// formats sets the number formats. The KV cache follows the weights down to 8 bits.
func (d *draft) formats(m *inputs.Model, named bool) {
	precision, stated := get[inputs.DType](d, "model.precision")
	switch {
	case stated:
		if m.Weights != precision {
			m.Activation, m.KV, m.Dense, m.Projections = "", "", "", ""
		}
		m.Weights = precision
	case !named || m.Weights == "":
		m.Weights = inputs.BF16
		d.assume("number format", string(m.Weights), "no precision is stated")
	default:
		d.assume("number format", string(m.Weights), "no precision is stated: as the model is published")
	}
	if a, ok := get[inputs.DType](d, "model.activation_precision"); ok {
		m.Activation = a
	} else if m.Activation == "" {
		m.Activation = m.Weights
		if m.Weights.Bytes() < 2 {
			m.Activation = inputs.BF16
			d.assume("number format of the activations", string(m.Activation), "weights in "+string(m.Weights)+": activations between operators stay in 16 bits")
		}
	}
	if kv, ok := get[inputs.DType](d, "model.kv_precision"); ok {
		m.KV = kv
		return
	}
	m.KV = m.Weights
	if m.Weights.Bytes() < 1 {
		m.KV = inputs.FP8
	}
	if yes, _ := d.trains(); yes {
		return // nothing is cached
	}
	d.assume("number format of the KV cache", string(m.KV), "that of the weights, down to FP8")
}

// declared holds a declared parameter count against the shapes. The declared
// count governs: feed-forward and expert widths are scaled until the total agrees.
func (d *draft) declared(m *inputs.Model) {
	if m.FFNScale == 0 {
		m.FFNScale = 1
	}
	params, ok := get[float64](d, "model.parameters")
	if !ok {
		return
	}
	m.DeclaredParams = params
	derived := countParameters(*m)
	statement := d.facts["model.parameters"].statement
	if math.Abs(params-derived.total()) <= negligible*params {
		d.used(statement, fmt.Sprintf("agrees with the shapes (%s)", roundParameters(derived.total())))
		return
	}
	scale := (params - derived.Other) / derived.FFN
	if scale <= 0 || math.IsInf(scale, 0) {
		d.problem(d.place("model.parameters"), fmt.Sprintf("%s parameters are declared, attention and embedding alone have %s by their shapes",
			inputs.FormatParameters(params), roundParameters(derived.Other)), "a count that the shapes allow", "correct the count or the shapes")
		return
	}
	m.FFNScale = scale
	d.used(statement, fmt.Sprintf("governs: feed-forward and expert widths are scaled by %.4g", scale))
	d.warn("%s parameters are declared (%s), the shapes add up to %s: the declared count governs, feed-forward and expert widths are scaled by %.4g "+
		"(bytes, traffic and FLOPs alike); the shapes govern attention, KV cache and communication",
		inputs.FormatParameters(params), d.place("model.parameters"), roundParameters(derived.total()), scale)
}

// roundParameters prints a derived count with three digits.
func roundParameters(n float64) string {
	switch {
	case n >= 1e12:
		return fmt.Sprintf("%.3gT", n/1e12)
	case n >= 1e8:
		return fmt.Sprintf("%.3gB", n/1e9)
	default:
		return fmt.Sprintf("%.3gM", n/1e6)
	}
}

// checkModel warns of shapes that are legal but unlikely to be meant.
func (d *draft) checkModel(m inputs.Model) {
	for _, kind := range m.Kinds {
		a := kind.Attention
		if a.Kind == inputs.GQA && a.KVHeads > 0 && a.Heads%a.KVHeads != 0 {
			d.problem(d.place("model.kv_heads"), fmt.Sprintf("%d heads do not divide over %d KV heads", a.Heads, a.KVHeads), "a divisor of the heads", "")
		}
		if a.Kind == inputs.GQA && a.Heads*a.HeadDim != m.Hidden && d.has("model.heads") && d.model == nil && !d.has("model.catalog") {
			d.warn("heads × width of a head = %d, the hidden size is %d: the projections are taken as stated", a.Heads*a.HeadDim, m.Hidden)
		}
	}
}
