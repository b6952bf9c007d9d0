package read

import (
	"fmt"
	"strings"

	"partita/inputs"
	"partita/inputs/knowledge"
	"partita/inputs/schema"
)

// form is how a value of a structured condition is written, for the schema: as text, as a
// JSON number, as a list. The expressions are those of the parsers less what only prose
// has; a test holds each against its parser.
type form struct {
	name  string
	about string
	// text is an expression that the whole of a text must match; "" takes no text.
	text string
	// words are the closed set that editors offer; texts of any case are taken.
	words []string
	// number bounds a JSON number; nil takes none.
	number *schema.Schema
	// bool takes true and false, any all scalars.
	bool, any bool
	// list takes a list of the form's texts and numbers, up to so many.
	list int
}

// Pieces of the expressions.
const (
	plainNumber = `(?:\d{1,3}(?:[,_]\d{3})+|\d+)`
	// letter is of the Latin script or a Han sign: not every library knows \p{L}.
	letter     = `[A-Za-z\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{24F}\x{4E00}-\x{9FFF}]`
	realNumber = `\+?(?:` + plainNumber + `(?:\.\d+)?|\.\d+)(?:[eE][+-]?[0-5]?\d)?`
	perSecond  = `\s?(?:/\s?s|/\s?sec|/\s?second|ps|p/s| per second)`
	sizeText   = realNumber + `\s*(?:(?i:[kmgtp]i?|e|kilo|mega|giga|tera|kibi|mebi|gibi|tebi)\s*(?:(?i:bytes?)|B)?|(?:[kmgtp]i?|e)\s*b|B|b|(?i:bytes?))`
	byteText   = realNumber + `\s*(?:[kKMGTP]i?(?:B|[bB]ytes?)?|B|[bB]ytes?)` + perSecond
	bitText    = realNumber + `\s*[kKMGTPmgtp]?(?:b|bits?)` + perSecond
	timeUnits  = `s|secs?|seconds?|ms|msecs?|milliseconds?|us|µs|μs|usec|microseconds?|ns|nanoseconds?|mins?|minutes?|h|hr|hours?`
	timeText   = realNumber + `\s*(?i:` + timeUnits + `)\.?`
	tokenText  = realNumber + `\s*(?i:(?:(?:output|generated|total)[ -]tok(?:en)?s?|(?:k|m)?\s?(?:tokens?|toks?|t))\s?(?:/|per\s)\s?(?:an?\s|each\s)?(?:` + timeUnits + `)|(?:k|m)?\s?tps)(?i:\s*(?:/|per)\s*(?:gpu|npu|xpu|card|device)s?)?`
	shareText  = realNumber + `\s*(?i:%|percent|per cent|pct)|\+?(?:0*\.\d+|0+(?:\.\d+)?|0*1(?:\.0+)?)|\+?\d(?:\.\d+)?[eE]-[1-5]?[1-9]`
	priceText  = `(?i:\$?\s*` + plainNumber + `(?:\.\d+)?\s*(?:\$|usd|us dollars?|dollars?)?\s*(?:(?:/|per)\s*(?:gpu|card|device)?[\s/-]*(?:h|hr|hour))?(?:\s*(?:/|per)\s*(?:gpu|card|device))?)`
	countText  = `\+?` + plainNumber + `\s*(?:k|K|[- ]?` + letter + `+)?`
	rangeText  = countText + `|[\[(]?\s*\d[\d,_]*k?\s*(?:~|～|-|–|—|\.\.\.?|…|;|,\s|\s(?:to|and)\s)\s*\d[\d,_]*k?\s*[\])]?|\[\s*\d[\d_]*k?\s*,\s*\d[\d_]*k?\s*\]`
	noneText   = `[-.,;:*()%/ ]*(?i:none|no|n/?a|no requirements?|no limits?|no constraints?|not required|not limited|unlimited|unconstrained|null|nil|any|-+|/)[-.,;:*()%/ ]*`
	upperText  = `(?i:<=?|≤|=<|⩽|at most|no more than|not more than|not exceed(?:ing)?|less than|lower than|below|under|within|up to|max(?:imum)?\.?(?: of)?)\s*`
	lowerText  = `(?i:>=?|≥|=>|⩾|at least|no less than|not less than|greater than|higher than|above|over|min(?:imum)?\.?(?: of)?)\s*`
	degreeUnit = `\s*(?i:[- ]?ways?|x|[- ]?(?:gpus?|npus?|xpus?|cards?|devices?|stages?|replicas?|groups?|ranks?))?\.?`
	oneDegree  = `(?:\d{1,3}(?:,\d{3})+|\d+)` + degreeUnit
	degreeText = oneDegree + `|(?i:none|off|no|disabled|n/a|not used)`
	inListText = `\d+` + degreeUnit + `|(?i:none|off|no|disabled|not used)`
	hostText   = `[^\s,/\[\]](?:[^\s,\[\]]*[^\s,/\[\]])?/\d{1,6}(?:\.\.\d{1,6})?`
	gpuNouns   = `(?i:\s+(?:gpus?|npus?|xpus?|cards?|accelerators?|devices?))?`
	gpuCount   = `(?:` + upperText + `|` + lowerText + `)?` + plainNumber + gpuNouns
	gpuSpan    = `(?i:(?:between|from)\s+\d+\s*(?:and|to|-|–|~)\s*\d+)` + gpuNouns + `|` + plainNumber + `(?:\s*(?:~|～|-|–|—|\.\.\.?|…|,\s)\s*|\s+(?:to|and)\s+)` + plainNumber + gpuNouns + `|\[\s*\d[\d_]*\s*,\s*\d[\d_]*\s*\]`
	linkWord   = `\b(?i:nv\s?-?link(?:\s?bridge)?s?\d?|nvswitch|hccs|infinity fabric|xgmi|mesh|pcie?|infini\s?-?band|ib|[hn]dr|ethernet|roce|\d+gbe)\b`
)

// bounded is a JSON number between two bounds; whole ones only where asked.
func bounded(typ string, low, high float64) *schema.Schema {
	s := &schema.Schema{Type: schema.Types{typ}, Minimum: schema.Bound(low)}
	if high > 0 {
		s.Maximum = schema.Bound(high)
	}
	return s
}

func above(low, high float64) *schema.Schema {
	s := bounded("number", 0, high)
	s.Minimum, s.ExclusiveMinimum = nil, schema.Bound(low)
	return s
}

// forms lists how values are written, by name.
func forms() []form {
	const most = 1 << 24
	whole := func(low float64) *schema.Schema { return bounded("integer", low, most) }
	belowOne := &schema.Schema{Type: schema.Types{"number"}, Minimum: schema.Bound(0), ExclusiveMaximum: schema.Bound(1)}
	var formats []string
	engines, also := knowledge.EngineNames()
	for _, d := range dtypes() {
		formats = append(formats, string(d))
	}
	return []form{
		{name: "text", about: "a name", text: `[^]*\S[^]*`, any: true},
		{name: "paths", about: "paths, or names of built-in packs", text: `[^]*[^\s,\[\]][^]*`, any: true, list: 1 << 10},
		{name: "count", about: "a whole number from 1", text: countText, number: whole(1)},
		{name: "countFromZero", about: "a whole number from 0", text: countText, number: whole(0)},
		{name: "gpuCount", about: "a number of GPUs: 8, 4..16 or unlimited", number: whole(1), list: 2,
			text: gpuCount + `|` + gpuSpan + `|[^]*\b(?i:ample|unlimited|no limits?|no limitations?|without limits?|not limited|unrestricted|sufficient|enough|plenty|as many as needed|any number)\b[^]*|` + noneText},
		{name: "lengths", about: "a number of tokens or a range: 2048, [128, 10240], 128..10240", text: rangeText, number: whole(1), list: 2},
		{name: "size", about: "a size with its unit: 64GB, 80GiB", text: sizeText},
		{name: "sizes", about: "a size with its unit, or one for each GPU: [30GB, 50GB]", text: listOf(strings.ReplaceAll(sizeText, plainNumber, `(?:\d{1,3}(?:_\d{3})+|\d+)`), `[,;]`), list: most},
		{name: "share", about: "a share above 0: 60% or 0.6", text: shareText, number: above(0, 1)},
		{name: "shareBelowOne", about: "a share from 0 to below 100%: 20% or 0.2", text: shareText, number: belowOne},
		{name: "compute", about: "a compute rate with its unit: 400TFLOPS", text: realNumber + `\s*(?i:(?:k|m|g|t|p|e|kilo|mega|giga|tera|peta|exa)?\s?(?:flops?|ops?)(?:/s(?:ec)?|ps| per second)?)`},
		{name: "byteRate", about: "bytes a second: 1.8TB/s", text: byteText},
		{name: "rate", about: "a transfer rate: 64GB/s, or 400Gb/s in bits", text: byteText + `|` + bitText},
		{name: "link", about: "a link: NVLink 450GB/s, 100Gb/s Ethernet", text: `[^]*(?:` + linkWord + `|` + byteText + `|` + bitText + `)[^]*`},
		{name: "hosts", about: "GPUs by host: [node-0/0..7, node-1/0..7]", text: listOf(hostText, `,`), list: most},
		{name: "price", about: "US dollars an hour: 2.5, $2.50/h", text: priceText, number: bounded("number", 0, 0)},
		{name: "parameters", about: "a parameter count: 10B, 770M", text: realNumber + `\s*(?i:(?:k|m|b|t|thousand|million|billion|trillion)?[- ]?(?:params?|parameters?|weights?)?)`, number: above(0, 0)},
		{name: "real", about: "a number from 0", text: realNumber, number: bounded("number", 0, 0)},
		{name: "yesNo", about: "yes or no", text: `(?i:true|yes|on|1|allowed|enabled?|required|false|no|off|0|none|disabled?)`, bool: true, number: bounded("integer", 0, 1)},
		{name: "numberFormat", about: "a number format", words: formats, text: `(?i:fp|float|f)[-_ ]?(?:32|16|8|4)|(?i:bf|bfloat)[-_ ]?16|(?i:int|i)[-_ ]?[48]|(?i:w8a8|w4a16|awq|gptq|nvfp4|mxfp4|half|single)`},
		{name: "attention", about: "a form of attention", words: []string{"mha", "gqa", "mqa", "mla"}},
		{name: "block", about: "a feed-forward block", words: []string{"dense", "moe"}},
		{name: "phase", about: "a phase of serving, or training", words: []string{string(inputs.Prefill), string(inputs.Decode), string(inputs.Mixed), string(inputs.Training)}},
		{name: "engine", about: "a serving engine", words: engines, text: `(?i:` + strings.ReplaceAll(strings.Join(also, "|"), ".", `\.`) + `)`},
		{name: "objective", about: "what is minimised", text: `(?i:latency|throughput|cost)`,
			words: []string{string(inputs.Balanced), string(inputs.Latency), string(inputs.Throughput), string(inputs.GPUs), string(inputs.Cost)}},
		{name: "placement", about: "how layers may lie on GPUs", words: []string{string(inputs.Pipeline), string(inputs.Lanes), string(inputs.Disaggregated)}},
		{name: "atMostTime", about: "a time at most: 2s, 500ms; none", text: `(?:` + upperText + `)?` + timeText + `|` + noneText},
		{name: "atMostTokenTime", about: "a time per output token at most: 50ms; none", text: `(?:` + upperText + `)?` + timeText + `(?i:\s*(?:/|per)\s*(?:output\s)?tok(?:en)?s?)?|(?:` + lowerText + `)?` + tokenRateOfUser + `|` + noneText},
		{name: "atLeastTokens", about: "tokens a second at least: 5000, 5000 tokens/s; none", text: `(?:` + lowerText + `)?(?:` + tokenText + `|` + realNumber + `)|` + noneText, number: above(0, 0)},
		{name: "atLeastSamples", about: "samples a second at least: 300, 300 samples/s; none", text: `(?:` + lowerText + `)?` + realNumber + `(?i:\s*samples?\s*(?:/|per )\s*s(?:ec(?:ond)?)?)?|` + noneText, number: above(0, 0)},
		{name: "atMostPrice", about: "US dollars an hour at most: 20, $20/h; none", text: `(?:` + upperText + `)?` + priceText + `|` + noneText, number: above(0, 0)},
		{name: "degree", about: "a degree of parallelism: 8", text: degreeText, number: whole(1)},
		{name: "gpusOfStrategy", about: "a number of GPUs", text: oneDegree, number: whole(1)},
		{name: "degrees", about: "a degree of parallelism, or one for each stage: 8, [8, 4], 8/4", text: listOf(inListText, `[/,]`), number: whole(1), list: maxStages},
		{name: "layerCounts", about: "the layers of each stage: [16, 16], 16+16", text: listOf(inListText, `[+/,]`), number: whole(1), list: maxStages},
		{name: "globalBatch", about: "sequences of a training step, or its tokens: 2048, 16M tokens", text: globalBatchText, number: whole(1)},
		{name: "optimizer", about: "an optimizer, or the bytes of state it keeps for each parameter: adamw, 12 bytes", text: optimizerBytesText, words: optimizerNames(), number: bounded("number", 0, maxOptimizerBytes)},
		{name: "zero", about: "what is sharded over the data-parallel ranks: 0 nothing, 1 the optimizer, 2 gradients too, 3 weights too", text: zeroText, number: bounded("integer", 0, 3)},
		{name: "recomputes", about: "activations computed again, of all stages or of each: none, selective, full", text: listOf(recomputeText, `[/,]`), list: maxStages},
		{name: "pools", about: "the pool of each stage: a100, [a100, l40s]", text: `[^]*[^\s/,\[\]][^]*`, any: true, list: maxStages},
	}
}

// tokenRateOfUser is the time per output token as the rate that a user sees.
const tokenRateOfUser = realNumber + `\s*(?i:(?:k|m)?\s?(?:tokens?|toks?|t)\s?(?:/|per\s)\s?(?:an?\s|each\s)?(?:` + timeUnits + `)|(?:k|m)?\s?tps)(?i:\s*(?:/|per)\s*(?:user|sequence|request)s?)?`

// listOf is one value or several with separators, in brackets or not.
func listOf(value, separator string) string {
	list := `(?:` + value + `)(?:\s*` + separator + `\s*(?:` + value + `))*`
	return list + `|\[\s*` + list + `\s*\]`
}

// schemaOf is the schema of a form. An empty text and null state nothing.
func (f form) schemaOf() (*schema.Schema, error) {
	single, err := f.single()
	if err != nil {
		return nil, err
	}
	all := append([]*schema.Schema{}, single...)
	if f.list > 0 {
		items := schema.AnyOf(single...)
		all = append(all, &schema.Schema{Type: schema.Types{"array"}, Items: items, MinItems: 1, MaxItems: f.list})
	}
	all = append(all, &schema.Schema{Const: ""}, &schema.Schema{Type: schema.Types{"null"}})
	s := schema.AnyOf(all...)
	s.Description = f.about
	return s, nil
}

// single are the ways to write one value.
func (f form) single() ([]*schema.Schema, error) {
	var all []*schema.Schema
	if f.words != nil {
		words := &schema.Schema{}
		for _, w := range f.words {
			words.Enum = append(words.Enum, w)
		}
		all = append(all, words)
	}
	text := f.text
	if f.words != nil {
		text = strings.TrimPrefix(text+`|(?i:`+strings.Join(f.words, "|")+`)`, "|")
	}
	if text != "" {
		pattern, err := schema.Pattern(`\s*(?:` + strings.ReplaceAll(text, `[^]`, `[\x00-\x{10FFFF}]`) + `)\s*`)
		if err != nil {
			return nil, fmt.Errorf("form %s: %w", f.name, err)
		}
		all = append(all, &schema.Schema{Type: schema.Types{"string"}, Pattern: pattern})
	}
	switch {
	case f.any:
		all = append(all, &schema.Schema{Type: schema.Types{"number", "boolean"}})
	case f.number != nil:
		all = append(all, f.number)
	}
	if f.bool {
		all = append(all, &schema.Schema{Type: schema.Types{"boolean"}})
	}
	return all, nil
}
