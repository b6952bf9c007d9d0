package read

import (
	"fmt"
	"strings"

	"partita/inputs"
)

// maxLayers bounds the stage graph; the deepest published models have a few hundred layers.
const maxLayers = 4096

// attention is the stated attention block.
func (d *draft) attention(hidden int) (inputs.Attention, bool) {
	a := inputs.Attention{Kind: inputs.GQA}
	form, _ := get[string](d, "model.attention")
	heads, okHeads := get[int](d, "model.heads")
	width, okWidth := get[int](d, "model.head_dim")
	switch {
	case okHeads && !okWidth:
		width = hidden / heads
		if hidden%heads != 0 || width == 0 {
			d.problem(d.place("model.heads"), fmt.Sprintf("hidden size %d does not divide by %d heads", hidden, heads), "the width of a head", "state the dimension of each head")
			return a, false
		}
		d.assume("width of a head", fmt.Sprint(width), "hidden size ÷ heads; no width is stated")
	case !okHeads:
		if !okWidth {
			// 128 is the width of nearly all published models above 3B parameters.
			width = min(128, hidden)
			d.assume("width of a head", fmt.Sprint(width), "no heads are stated")
		}
		if hidden%width != 0 {
			d.missing("the number of heads", "such as `**Heads**: 32`", "")
			return a, false
		}
		heads = hidden / width
		d.assume("heads", fmt.Sprint(heads), "hidden size ÷ width of a head; no number is stated")
	}
	a.Heads, a.HeadDim, a.VHeadDim = heads, width, width
	a.Window, _ = get[int](d, "model.window")
	if v, ok := get[int](d, "model.v_head_dim"); ok {
		a.VHeadDim = v
	}
	if form == "mla" || d.has("model.kv_lora_rank") {
		return d.latent(a), true
	}
	kv, okKV := get[int](d, "model.kv_heads")
	switch {
	case okKV && kv > heads:
		d.problem(d.place("model.kv_heads"), fmt.Sprintf("%d KV heads, but only %d heads", kv, heads), "at most as many KV heads as heads", "")
		return a, false
	case okKV && (form == "mha" && kv != heads || form == "mqa" && kv != 1):
		d.problem(d.place("model.kv_heads"), fmt.Sprintf("%d KV heads contradict %s with %d heads (%s)", kv, strings.ToUpper(form), heads, d.place("model.attention")),
			map[string]string{"mha": fmt.Sprintf("%d KV heads, or GQA", heads), "mqa": "1 KV head, or GQA"}[form], "")
		return a, false
	case okKV:
		a.KVHeads = kv
	case form == "mqa":
		a.KVHeads = 1
	case form == "gqa":
		// Llama, Qwen and Mistral models use 8 KV heads from 7B to 405B.
		a.KVHeads = min(8, heads)
		d.assume("KV heads", fmt.Sprint(a.KVHeads), "GQA without a number of KV heads: what most published models use")
	default:
		a.KVHeads = heads
		if form == "" {
			d.assume("KV heads", fmt.Sprint(heads), "no form of attention is stated: multi-head attention")
		}
	}
	return a, true
}

// latent completes multi-head latent attention with the widths of DeepSeek-V2 and V3.
func (d *draft) latent(a inputs.Attention) inputs.Attention {
	a.Kind = inputs.MLA
	width := func(path, what string, standard int) int {
		if v, ok := get[int](d, path); ok {
			return v
		}
		d.assume(what, fmt.Sprint(standard), "MLA without it: the width of DeepSeek-V2 and V3")
		return standard
	}
	a.KVLoraRank = width("model.kv_lora_rank", "KV projection rank", 512)
	a.RopeDim = width("model.rope_dim", "rotary width", 64)
	a.QLoraRank, _ = get[int](d, "model.q_lora_rank")
	a.KVHeads = a.Heads
	if !d.has("model.v_head_dim") {
		a.VHeadDim = a.HeadDim
	}
	a.HeadDim += a.RopeDim // the stated width is the part without position
	return a
}

// feedForward is the stated feed-forward block.
func (d *draft) feedForward(hidden int) (inputs.FFN, bool) {
	f := inputs.FFN{Gated: true}
	form, hasForm := get[string](d, "model.ffn")
	experts, hasExperts := get[int](d, "model.experts")
	if hasForm && form == "dense" && hasExperts && !d.has("model.dense_layers") {
		d.problem(d.place("model.experts"), fmt.Sprintf("%d experts contradict a dense feed-forward block (%s)", experts, d.place("model.ffn")), "one form of the block", "")
		return f, false
	}
	if form == "moe" && !hasExperts {
		d.missing("the number of experts", "such as `each layer has 16 experts`", "")
		return f, false
	}
	if gated, ok := get[bool](d, "model.gated"); ok {
		f.Gated = gated
	} else {
		d.assume("feed-forward block", "gated, three matrices", "not stated; two matrices where the file says `not gated`")
	}
	var ok bool
	if f.Intermediate, ok = get[int](d, "model.intermediate"); !ok {
		if hasExperts && !d.has("model.parameters") {
			d.missing("the width of an expert", "such as `**Hidden size of MOE**: 1024`", "")
			return f, false
		}
		f.Intermediate = standardWidth(hidden, f.Gated)
		d.assume("feed-forward width", fmt.Sprint(f.Intermediate), "not stated: 4 times the hidden size, 8/3 where gated, rounded up to 256; a declared parameter count scales it")
	}
	if !hasExperts {
		if k, stated := get[int](d, "model.top_k"); stated {
			d.problem(d.place("model.top_k"), fmt.Sprintf("top-%d gate, but no experts are stated", k), "a number of experts", "")
			return f, false
		}
		return f, true
	}
	f.Experts = experts
	if f.TopK, ok = get[int](d, "model.top_k"); !ok {
		f.TopK = min(defaultTopK, experts)
		d.assume("experts a token is sent to", fmt.Sprint(f.TopK), "no top-k is stated")
	}
	if f.TopK > experts {
		d.problem(d.place("model.top_k"), fmt.Sprintf("a token is sent to %d of %d experts", f.TopK, experts), "at most all experts", "")
		return f, false
	}
	if shared, stated := get[int](d, "model.shared_width"); stated {
		f.Shared = shared
	} else if n, stated := get[int](d, "model.shared_experts"); stated {
		f.Shared = n * f.Intermediate
		if f.Shared > 1<<24 {
			d.problem(d.place("model.shared_experts"), fmt.Sprintf("%d shared experts of width %d", n, f.Intermediate), "a total width up to 16777216", "")
			return f, false
		}
	}
	return f, true
}

// standardWidth is the width of a transformer's feed-forward block: 4h, or 8h/3 with
// a gate so that the parameters stay the same, rounded up to 256 as published models do.
func standardWidth(hidden int, gated bool) int {
	if !gated {
		return 4 * hidden
	}
	return (8*hidden/3 + 255) / 256 * 256
}

// denseLayers makes the leading layers of a mixture-of-experts model dense.
func (d *draft) denseLayers(m *inputs.Model) {
	n, ok := get[int](d, "model.dense_layers")
	if !ok || n == 0 || m.Kinds[0].FFN.Experts == 0 {
		return
	}
	if n >= len(m.Layers) {
		d.problem(d.place("model.dense_layers"), fmt.Sprintf("%d dense layers of %d", n, len(m.Layers)), "fewer dense layers than layers", "")
		return
	}
	moe := m.Kinds[0]
	dense := inputs.LayerKind{Name: "dense", Attention: moe.Attention, FFN: inputs.FFN{Gated: moe.FFN.Gated}}
	if dense.FFN.Intermediate, ok = get[int](d, "model.dense_intermediate"); !ok {
		dense.FFN.Intermediate = moe.FFN.TopK*moe.FFN.Intermediate + moe.FFN.Shared
		d.assume("width of the dense layers", fmt.Sprint(dense.FFN.Intermediate), "not stated: as many active parameters as the experts of a token")
	}
	m.Kinds = []inputs.LayerKind{dense, moe}
	for i := range m.Layers {
		if i >= n {
			m.Layers[i] = 1
		}
	}
}
