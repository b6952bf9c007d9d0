package read

import (
	"fmt"
	"regexp"
	"strings"

	"partita/inputs"
)

// modelReaders read the section Model Configuration. The first one takes prose
// that mentions no other name.
func modelReaders() []reader {
	s := sectionModel
	return []reader{
		{section: s, title: "Layers", names: []string{"layer", "number layer", "layer number", "layer count", "number hidden layer", "structure", "layer structure", "architecture", "model architecture",
			"model structure", "transformer layer", "decoder layer", "block"}, read: readLayers},
		{section: s, title: "Feed-forward block", names: []string{"ffn", "mlp", "moe", "feed forward", "feed forward network", "feed forward block", "mixture expert", "ffn structure", "expert structure",
			"moe configuration", "expert configuration", "moe layer"}, read: readFFN},
		{section: s, title: "Model", names: []string{"model", "model name", "name", "base model", "model type"}, read: readModelName},
		{section: s, title: "Weights", names: []string{"weight", "parameter", "number parameter", "parameter count", "parameter number", "total parameter", "model size", "model weight", "weight size", "size", "model parameter"}, read: readWeights},
		{section: s, title: "Precision", read: readPrecision, names: []string{"precision", "weight precision", "data type", "model precision", "quantization", "number format", "format", "weight format", "inference precision"}},
		entire(s, "KV precision", "model.kv_precision", "kv precision", "kv cache precision", "kv cache", "kv data type", "precision kv cache", "kv cache data type"),
		entire(s, "Activation precision", "model.activation_precision", "activation precision", "activation", "precision activation"),
		single(s, "Token Dimension", "model.hidden", "token dimension", "hidden size", "hidden dimension", "hidden", "embedding dimension", "embedding size", "model dimension", "d model", "model width",
			"dimension token", "embedding", "hidden dim", "hidden width"),
		{section: s, title: "Dimension of attention", names: []string{"dimension mha", "dimension attention", "dimension gqa", "dimension mqa", "dimension mla", "attention", "attention dimension", "mha dimension", "gqa dimension",
			"mha", "gqa", "mqa", "mla", "dimension multi head attention", "multi head attention", "attention type", "attention configuration"}, read: readAttention},
		{section: s, title: "Heads", read: readHeads, names: []string{"head", "attention head", "number head", "number attention head", "head number", "query head", "number query head", "head count"}},
		single(s, "Dimension of each head", "model.head_dim", "head dimension", "dimension head", "head size", "head dim", "dimension per head", "d k"),
		single(s, "KV heads", "model.kv_heads", "kv head", "gqa kv head", "number kv head", "number key value head", "key value head", "kv head number", "gqa group", "kv head count", "mqa kv head", "gqa head"),
		single(s, "KV LoRA rank", "model.kv_lora_rank", "kv lora rank", "kv rank", "kv compression dimension", "mla kv rank"),
		single(s, "Query LoRA rank", "model.q_lora_rank", "q lora rank", "query lora rank", "query compression dimension"),
		single(s, "Rotary dimension", "model.rope_dim", "rope dimension", "rope head dimension", "rotary dimension", "qk rope head dim", "rope dim"),
		single(s, "Value head dimension", "model.v_head_dim", "value head dimension", "v head dim", "v head dimension"),
		single(s, "Sliding window", "model.window", "sliding window", "window", "attention window", "window size"),
		single(s, "Hidden size of MOE", "model.intermediate", "hidden size moe", "moe hidden size", "moe intermediate size", "hidden size mlp", "hidden size ffn", "ffn hidden size", "mlp hidden size",
			"intermediate size", "ffn size", "ffn dimension", "mlp dimension", "expert hidden size", "hidden size expert", "ffn intermediate size", "ffn width", "mlp width", "expert width",
			"moe dimension", "dimension moe", "dimension mlp", "dimension ffn", "hidden dimension moe", "hidden dimension mlp", "hidden dimension ffn", "feed forward dimension",
			"hidden size dense mlp", "feed forward width", "moe width", "expert intermediate size", "mlp size", "expert dimension", "mlp intermediate size"),
		{section: s, title: "Experts", read: readExperts, names: []string{"expert", "number expert", "expert number", "routed expert", "number routed expert", "expert per layer", "expert count", "number expert per layer"}},
		single(s, "Top-K Gate", "model.top_k", "top k gate", "top k", "topk", "gate", "gating", "router", "active expert", "activated expert", "expert per token", "number expert per token", "top k expert",
			"number active expert", "number activated expert", "topk gate", "gate top k", "moe top k", "routing"),
		single(s, "Shared experts", "model.shared_experts", "shared expert", "number shared expert"),
		single(s, "Dense layers", "model.dense_layers", "dense layer", "number dense layer", "leading dense layer", "first dense layer", "first k dense"),
		single(s, "Width of dense layers", "model.dense_intermediate", "dense layer width", "dense intermediate size", "hidden size dense layer", "dense hidden size"),
		single(s, "Vocabulary size", "model.vocab", "vocabulary size", "vocabulary", "vocab size", "number vocabulary"),
		single(s, "Context length", "model.max_context", "context length", "max context length", "context window", "max position embedding", "position embedding", "max context", "context", "longest context"),
		entire(s, "Tied embeddings", "model.tied", "tied embedding", "tie word embedding", "tied weight"),
		{section: s, title: "Gated FFN", names: []string{"gated", "gated ffn", "gated mlp", "activation function", "ffn activation", "ffn type", "mlp type", "expert type"}, read: readGated},
	}
}

// readModelName reads the name of a model; whether the catalogue must know it is
// decided when all shapes are known.
func readModelName(m *markdown, s *stated) {
	name := bareName(s.value)
	if m.catalog != nil {
		if _, ok := m.catalog.Model(name); ok {
			if m.set(s.number, "model.catalog", name, s.at(0), fromFile) {
				s.mask(0, len(s.left))
			}
			return
		}
	}
	if len(name) > 0 {
		if m.set(s.number, "model.name", name, s.at(0), fromFile) {
			s.mask(0, len(s.left))
		}
	}
}

// activeCount are the parameters that a token uses, beside the total.
var (
	activeCount = regexp.MustCompile(`(?i)(\d+(?:\.\d+)?\s?[BMT])\s*(?:parameters?\s*)?(?:are\s+)?(?:active|activated|per token)\b|\b(?:active|activated)\s*(?:parameters?)?\s*:?\s*(\d+(?:\.\d+)?\s?[BMT])\b`)
	totalWord   = regexp.MustCompile(`(?i)\b(in )?total\b`)
)

var (
	activationWord = regexp.MustCompile(`(?i)\bactivations?\b|\bcompute\b`)
	cacheWord      = regexp.MustCompile(`(?i)\bkv\b|\bcache\b`)
	precisionWords = regexp.MustCompile(`(?i)\b(quanti[sz](ation|ed)|weights?|activations?|kv|cache|compute|mixed|precision|inference|format|e4m3|e5m2|block-?wise|awq|gptq|smooth-?quant|w4a16|w8a8|w8a16|per-?channel|per-?tensor)\b`)
)

// readPrecision reads "FP8", "FP8 quantization", "FP8 weights, BF16 activations, FP8 KV cache".
func readPrecision(m *markdown, s *stated) {
	if v, err := inputs.ParseDType(bareName(s.value)); err == nil {
		if m.set(s.number, "model.precision", v, s.at(0), fromFile) {
			s.mask(0, len(s.left))
		}
		return
	}
	words := formatWord.FindAllStringIndex(s.value, -1)
	if len(words) == 0 {
		m.whole(s, "model.precision") // says what it wants
		return
	}
	from := 0
	for i, w := range words {
		// The words of a format reach to the next separator, or the next format.
		end := len(s.value)
		if i+1 < len(words) {
			end = words[i+1][0]
		}
		if sep := strings.IndexAny(s.value[w[1]:end], ",;/+"); sep >= 0 {
			end = w[1] + sep
		}
		path, around := "model.precision", s.value[from:end]
		switch {
		case cacheWord.MatchString(around):
			path = "model.kv_precision"
		case activationWord.MatchString(around):
			path = "model.activation_precision"
		}
		m.setText(s.number, path, s.value[w[0]:w[1]], s.at(w[0]), fromFile)
		s.mask(w[0], w[1])
		from = end
	}
	for s.take(precisionWords) {
	}
}

// readWeights reads a parameter count, a number format, or both: "10B", "FP8", "70B in BF16".
func readWeights(m *markdown, s *stated) {
	if text, _, ok := s.capture(activeCount); ok {
		m.used(s.number, "active parameters "+strings.TrimSpace(text)+": not used, they follow from the shapes and top-k")
		s.take(totalWord)
	}
	counts := findAll(s.prose, parseLargeCount)
	format := formatWord.FindString(s.value)
	if format != "" {
		off := strings.Index(s.value, format)
		m.setText(s.number, "model.precision", format, s.at(off), fromFile)
		s.mask(off, off+len(format))
		if len(counts) == 0 {
			return
		}
	}
	if len(counts) != 1 {
		m.problem(s.at(0), fmt.Sprintf("no single parameter count in %q", s.text), "a parameter count such as 10B or 770M", "")
		return
	}
	s.mask(counts[0].start, counts[0].end)
	m.set(s.number, "model.parameters", counts[0].value, s.at(counts[0].start), fromFile)
}

// parseLargeCount reads a parameter count; a number below a million without a unit
// is a slip ("10" for 10B).
func parseLargeCount(s string) (float64, error) {
	f, err := inputs.ParseParameters(s)
	if err == nil && f < 1e6 {
		return 0, &inputs.QuantityError{Text: s, Want: "a parameter count such as 10B or 770M"}
	}
	return f, err
}

// Patterns of the prose about a layer.
var (
	layerCount   = regexp.MustCompile(`(?i)\b(\d[\d,]*)\s*[- ]?\s*(?:hidden |decoder |transformer |identical |total )*layers?\b|\blayers?\s*(?:is|=|:)\s*(\d[\d,]*)|^\s*(\d[\d,]*)\s*$`)
	denseCount   = regexp.MustCompile(`(?i)\b(?:first|leading)\s+(\d+)\s+(?:layers?\s+(?:are|is|use)\s+(?:a\s+)?)?dense(?:\s+(?:layers?|mlp|ffn))?|\b(\d+)\s+dense\s+layers?`)
	mlaWords     = regexp.MustCompile(`(?i)\b(?:mla|multi[- ]?head latent attention)\b(?:\s*\(mla\))?`)
	gqaWords     = regexp.MustCompile(`(?i)\b(?:gqa|group(?:ed)?[- ]?query[- ]attention)\b(?:\s*\(gqa\))?`)
	mqaWords     = regexp.MustCompile(`(?i)\b(?:mqa|multi[- ]?query[- ]attention)\b(?:\s*\(mqa\))?`)
	mhaWords     = regexp.MustCompile(`(?i)\b(?:mha|multi[- ]?head(?:ed)?(?:[- ]self)?[- ]attention)\b(?:\s*\(mha\))?`)
	moeWords     = regexp.MustCompile(`(?i)\b(?:moe|mixture[- ]of[- ]experts?)\b(?:\s*\(moe\))?`)
	denseWords   = regexp.MustCompile(`(?i)\b(?:dense\s+)?(?:mlp|ffn|feed[- ]?forward(?:\s+network)?)\b|\bdense\b|\bmulti[- ]?layer perceptron\b`)
	gatedWords   = regexp.MustCompile(`(?i)\b(?:swiglu|geglu|gated(?:\s+(?:ffn|mlp))?|silu|swish)\b`)
	plainWords   = regexp.MustCompile(`(?i)\b(?:not gated|non-gated|ungated|no gate|gelu|relu)\b`)
	expertCount  = regexp.MustCompile(`(?i)\b(\d+)\s*(?:routed(?:\s+experts?)?|experts?)\b|\bexperts?\s*(?:is|=|:|per layer)\s*(\d+)`)
	sharedCount  = regexp.MustCompile(`(?i)\b(\d+)\s*shared(?:\s+experts?)?\b|\bshared\s+experts?\s*(?:is|=|:)\s*(\d+)`)
	topKCount    = regexp.MustCompile(`(?i)\btop[- ]?k?\s*[-=:]?\s*(?:is\s*)?(\d+)(?:\s*(?:gate|gating|routing|experts?))?\b|\b(\d+)\s*(?:experts?\s+)?(?:are\s+)?(?:active|activated|selected|chosen)(?:\s+experts?)?(?:\s+per\s+token)?\b|\b(\d+)\s*experts?\s+per\s+token\b`)
	kvHeads      = regexp.MustCompile(`(?i)\b(\d+)\s*(?:kv|key[- /]?value)[- ]?heads?\b|\b(?:kv|key[- /]?value)[- ]?heads?\s*(?:is|are|=|:|of)?\s*(\d+)|\b(\d+)\s*(?:kv |query )?groups?\b`)
	headCount    = regexp.MustCompile(`(?i)\b(?:number of |query |attention |q )*heads?\s*(?:is|are|=|:)\s*(\d+)|\b(\d+)\s*(?:query |attention |q )?heads?\b`)
	headWidth    = regexp.MustCompile(`(?i)\b(?:dimensions?|dims?|size|width)\s+(?:of\s+|for\s+|per\s+)?(?:each\s+|every\s+|the\s+|a\s+|one\s+)*heads?\s*(?:is|are|=|:|of)?\s*(\d+)|\bheads?[- _]?(?:dimensions?|dims?|size|width)\s*(?:is|are|=|:|of)?\s*(\d+)|\b(\d+)\s*(?:dimensions?|dims?)?\s*(?:per|for each|each) heads?\b|\bheads? of (?:dimension |size |width )?(\d+)\b|\beach (?:head )?(?:of |with |has )*(?:dimension|dim|size|width)?\s*(?:is\s*|of\s*)?(\d+)\b`)
	headsOfWidth = regexp.MustCompile(`(?i)\b(\d+)\s*(?:query\s+|attention\s+|q\s+)?heads?\s*(?:of|[x×*])\s*(?:dimension\s+|dim\s+|size\s+|width\s+)?(\d+)\b`)
	kvRank       = regexp.MustCompile(`(?i)\bkv[_ -]?lora[_ -]?rank\s*(?:is|=|:|of)?\s*(\d+)\b`)
	queryRank    = regexp.MustCompile(`(?i)\bq(?:uery)?[_ -]?lora[_ -]?rank\s*(?:is|=|:|of)?\s*(\d+)\b`)
	ropeWidth    = regexp.MustCompile(`(?i)\b(?:qk[_ -])?rope(?:[_ -]head)?(?:[_ -](?:dim|dimension|width))?\s*(?:is|=|:|of)?\s*(\d+)\b`)
	ffnWidth     = regexp.MustCompile(`(?i)\b(?:hidden|intermediate|ffn)?\s*(?:size|dim(?:ension)?|width)\s*(?:is|=|:|of)?\s*(\d+)`)
	hiddenOf     = regexp.MustCompile(`(?i)\bhidden (?:size|dim(?:ension)?)\s*(?:is|=|:|of)?\s*(\d+)`)
)

// pattern is a phrase about the model and the key its number goes to.
type pattern struct {
	re   *regexp.Regexp
	path string
}

// architecture takes what prose says about the forms of attention and
// feed-forward blocks, and the counts that come with them.
func (m *markdown) architecture(s *stated, counts []pattern) {
	if g := headsOfWidth.FindSubmatchIndex(s.left); g != nil { // "32 heads of 128", "32 × 128"
		m.setText(s.number, "model.heads", s.value[g[2]:g[3]], s.at(g[2]), fromFile)
		m.setText(s.number, "model.head_dim", s.value[g[4]:g[5]], s.at(g[4]), fromFile)
		s.mask(g[0], g[1])
	}
	for _, c := range counts {
		for {
			text, offset, ok := s.capture(c.re)
			if !ok || !m.setText(s.number, c.path, text, s.at(offset), fromFile) {
				break
			}
		}
	}
	for _, f := range []struct {
		re          *regexp.Regexp
		path, value string
	}{
		{mlaWords, "model.attention", "mla"}, {gqaWords, "model.attention", "gqa"}, {mqaWords, "model.attention", "mqa"}, {mhaWords, "model.attention", "mha"},
		{plainWords, "model.gated", "no"}, {gatedWords, "model.gated", "yes"}, {moeWords, "model.ffn", "moe"}, {denseWords, "model.ffn", "dense"},
	} {
		if text, offset, ok := s.capturePattern(f.re); ok && text != "" {
			m.setText(s.number, f.path, f.value, s.at(offset), fromFile)
			for s.take(f.re) {
			}
		}
	}
}

// readLayers reads "16-layer, Each layer includes Multi-head attention + Mixture of
// experts, Each layer has 16 experts."
func readLayers(m *markdown, s *stated) {
	m.architecture(s, []pattern{
		{denseCount, "model.dense_layers"}, {sharedCount, "model.shared_experts"}, {topKCount, "model.top_k"}, {kvHeads, "model.kv_heads"},
		{headWidth, "model.head_dim"}, {headCount, "model.heads"}, {expertCount, "model.experts"}, {hiddenOf, "model.hidden"}, {layerCount, "model.layers"},
	})
}

// readFFN reads "dense MLP with SwiGLU", "16 experts, top-2"; a bare number is the width.
func readFFN(m *markdown, s *stated) {
	if n, err := inputs.ParseCount(strings.TrimSpace(s.value)); err == nil {
		if m.set(s.number, "model.intermediate", n, s.at(0), fromFile) {
			s.mask(0, len(s.left))
		}
		return
	}
	m.architecture(s, []pattern{
		{denseCount, "model.dense_layers"}, {sharedCount, "model.shared_experts"}, {topKCount, "model.top_k"}, {expertCount, "model.experts"}, {ffnWidth, "model.intermediate"},
	})
}

// readExperts reads a number of experts, with others behind it: "256 routed + 1 shared, top-8".
func readExperts(m *markdown, s *stated) {
	if len(findAll(newProse(s.value), inputs.ParseCount)) == 1 {
		m.one(s, "model.experts")
		return
	}
	readFFN(m, s)
}

// readAttention reads "The number of heads is 16 and the dimension of each heads is
// 32"; the statement's name may tell the form ("Dimension of MHA").
func readAttention(m *markdown, s *stated) {
	name := newProse(s.key)
	for _, f := range []struct {
		re    *regexp.Regexp
		value string
	}{{mlaWords, "mla"}, {gqaWords, "gqa"}, {mqaWords, "mqa"}, {mhaWords, "mha"}} {
		if name.take(f.re) {
			m.setText(s.number, "model.attention", f.value, s.keyAt, fromFile)
		}
	}
	m.architecture(s, []pattern{{kvRank, "model.kv_lora_rank"}, {queryRank, "model.q_lora_rank"}, {ropeWidth, "model.rope_dim"},
		{kvHeads, "model.kv_heads"}, {headWidth, "model.head_dim"}, {headCount, "model.heads"}, {hiddenOf, "model.hidden"}})
}

// leadingNumber is a bare number before further words: "64 (4 KV heads)".
var leadingNumber = regexp.MustCompile(`^\s*(?:is|are|=)?\s*(\d[\d,]*)\b`)

// headsByWidth is heads and their width without the noun: "32 × 128".
var headsByWidth = regexp.MustCompile(`^\s*(\d+)\s*[x×*]\s*(\d+)\s*\.?\s*$`)

// readHeads reads a number of heads, with KV heads or a width behind it.
func readHeads(m *markdown, s *stated) {
	if g := headsByWidth.FindSubmatchIndex(s.left); g != nil {
		m.setText(s.number, "model.heads", s.value[g[2]:g[3]], s.at(g[2]), fromFile)
		m.setText(s.number, "model.head_dim", s.value[g[4]:g[5]], s.at(g[4]), fromFile)
		s.mask(g[0], g[1])
		return
	}
	if text, at, ok := s.capture(leadingNumber); ok {
		m.setText(s.number, "model.heads", text, s.at(at), fromFile)
	}
	m.architecture(s, []pattern{{kvHeads, "model.kv_heads"}, {headWidth, "model.head_dim"}, {headCount, "model.heads"}})
}

// readGated reads whether the feed-forward block has a gate.
func readGated(m *markdown, s *stated) {
	if v, err := parseBool(strings.TrimSpace(s.value)); err == nil {
		m.set(s.number, "model.gated", v, s.at(0), fromFile)
		s.mask(0, len(s.left))
		return
	}
	m.architecture(s, nil)
}
