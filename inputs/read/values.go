package read

import (
	"fmt"
	"regexp"
	"strings"

	"partita/inputs"
)

// bound is a requirement as stated; None says explicitly that there is none.
type bound struct {
	Value float64
	None  bool
}

// wire is a link as stated: its rate may be missing (only the kind is named) or
// be shared by all GPUs of a node.
type wire struct {
	inputs.Link
	PerNode       bool
	Bidirectional bool
}

// hostShare is the part of a machine that belongs to a pool, from an inventory.
type hostShare struct {
	Host string
	GPUs []string
}

// none are the ways to say that there is no requirement.
var none = regexp.MustCompile(`(?i)^\W*(none|no|n/?a|no requirements?|no limits?|no constraints?|not required|not limited|unlimited|unconstrained|null|nil|any|-+|/|无)\W*$`)

// unlimited are the ways to say that the number of GPUs is ours to choose.
var unlimited = regexp.MustCompile(`(?i)\b(ample|unlimited|no limits?|no limitations?|without limits?|no restrictions?|not limited|not restricted|unrestricted|sufficient|enough|plentiful|plenty( of)?|abundant|infinite|as many as needed|any number( of)?)\b`)

// comparison is how a bound may begin.
var comparison = regexp.MustCompile(`(?i)^\s*(?:is|must be|should be|shall be)?\s*(?:(<=?|≤|=<|⩽|at most|no more than|not more than|not exceed(?:ing)?|less than|lower than|below|under|within|up to|max(?:imum)?\.?(?: of)?)|(>=?|≥|=>|⩾|at least|no less than|not less than|greater than|higher than|above|over|min(?:imum)?\.?(?: of)?))\s*(?:to\s)?`)

// boundOf reads a bound of a kind: the number may carry a comparison, which must
// point the right way.
func boundOf(kind inputs.RequirementKind, number func(string) (float64, error)) func(string) (any, error) {
	return func(s string) (any, error) {
		if none.MatchString(s) {
			return bound{None: true}, nil
		}
		if m := comparison.FindStringSubmatch(s); m != nil {
			if upper, want := m[1] != "", wantsUpper(kind, s[len(m[0]):]); upper != want {
				return nil, &inputs.QuantityError{Text: s, Want: fmt.Sprintf("%s as %s", kind, map[bool]string{true: "an upper bound", false: "a lower bound"}[want])}
			}
			s = s[len(m[0]):]
		}
		v, err := number(s)
		if err != nil {
			return nil, err
		}
		return bound{Value: v}, nil
	}
}

// parseGPUCount reads how many GPUs there are: 8, 4..16, up to 16, unlimited.
func parseGPUCount(s string) (any, error) {
	if unlimited.MatchString(s) || none.MatchString(s) {
		return inputs.Count{Min: 1}, nil
	}
	s = betweenWord.ReplaceAllString(s, "$1 to $2")
	low := 0
	if m := comparison.FindStringSubmatch(s); m != nil {
		s = s[len(m[0]):]
		if m[2] != "" {
			n, err := inputs.ParseCount(gpuNoun.ReplaceAllString(s, ""))
			return inputs.Count{Min: n}, err
		}
		low = 1
	}
	r, err := inputs.ParseRange(gpuNoun.ReplaceAllString(s, ""))
	if err != nil || foreignNoun.MatchString(gpuNoun.ReplaceAllString(s, "")) {
		return nil, &inputs.QuantityError{Text: s, Want: "a number of GPUs such as 8, 4..16 or unlimited"}
	}
	if low == 1 {
		r.Min = 1
	}
	return inputs.Count(r), nil
}

// betweenWord opens a range in words: "between 4 and 16".
var betweenWord = regexp.MustCompile(`(?i)^\s*(?:between|from)\s+(\d+)\s*(?:and|to|-|–|~)\s*(\d+)`)

// gpuNoun may follow a number of GPUs, foreignNoun tells that something else is counted.
var (
	gpuNoun     = regexp.MustCompile(`(?i)\s*\b(gpus?|npus?|xpus?|cards?|accelerators?|devices?)\s*$`)
	foreignNoun = regexp.MustCompile(`(?i)\d[\s-]*\pL{3,}`)
)

// linkWords name the kind of a link.
var linkWords = []struct {
	word *regexp.Regexp
	kind inputs.LinkKind
}{
	{regexp.MustCompile(`(?i)\bnv\s?-?link(\s?bridge)?s?\d?\b|\bnvswitch\b|\bhccs\b`), inputs.LinkNVLink},
	{regexp.MustCompile(`(?i)\binfinity fabric\b|\bxgmi\b|\bmesh\b`), inputs.LinkMesh},
	{regexp.MustCompile(`(?i)\bpcie?(\s?(gen)?\s?[3456](\.0)?(\s?x\s?16)?)?(,?\s+with\s+|[\s-]+)(p2p|peer([\s-]to[\s-]peer)?)(\s+access)?\b`), inputs.LinkPCIePeer},
	{regexp.MustCompile(`(?i)\bpcie?(\s?(gen)?\s?[3456](\.0)?(\s?x\s?16)?)?(?:,?\s+(without|no)\s+(p2p|peer([\s-]to[\s-]peer)?)(\s+access)?)?(?:\b|$)`), inputs.LinkPCIe},
	{regexp.MustCompile(`(?i)\binfini\s?-?band\b|\bib\b|\b[hn]dr\b`), inputs.LinkInfiniBand},
	{regexp.MustCompile(`(?i)\bethernet\b|\broce(\s?v2)?\b|\bethernet\b|\b\d+gbe\b`), inputs.LinkEthernet},
}

// bothWays and perNode qualify the rate of a link.
var (
	bothWays = regexp.MustCompile(`(?i)\b(bi-?directional|both directions|duplex total|aggregate of both directions)\b`)
	oneWay   = regexp.MustCompile(`(?i)\b(uni-?directional|(per|each|in each) direction|one[- ]way|per gpu and direction|and direction)\b`)
	perNode  = regexp.MustCompile(`(?i)\b(per|each|every|shared by (a|the)) (node|server|machine|host)\b`)
	perGPU   = regexp.MustCompile(`(?i)\b(per|each|every|for each|of each) (gpu|npu|xpu|card|device)\b`)
)

// parseLink reads a link: "NVLink 450GB/s", "100Gb/s InfiniBand", "900 GB/s bidirectional".
func parseLink(s string) (any, error) {
	p := newProse(s)
	w := wire{Link: inputs.Link{Kind: inputs.LinkUnknown}}
	for _, l := range linkWords {
		if p.take(l.word) && w.Kind == inputs.LinkUnknown {
			w.Kind = l.kind
		}
	}
	w.Bidirectional = p.take(bothWays)
	w.PerNode = p.take(perNode)
	p.take(oneWay)
	p.take(perGPU)
	rates := findAll(p, inputs.ParseBandwidth)
	if len(rates) > 1 || len(rates) == 0 && w.Kind == inputs.LinkUnknown {
		return nil, &inputs.QuantityError{Text: s, Want: "a link such as NVLink 450GB/s or 100Gb/s Ethernet"}
	}
	for _, r := range rates {
		p.mask(r.start, r.end)
		w.BytesPerSecond = r.value
	}
	if w.Bidirectional {
		w.BytesPerSecond /= 2
	}
	if rest, _, ok := p.leftover(); !ok {
		return nil, &inputs.QuantityError{Text: rest, Want: "a link such as NVLink 450GB/s or 100Gb/s Ethernet"}
	}
	return w, nil
}

// parseSizes reads one size or a list: "[30GB, 50GB]" is one for each GPU.
func parseSizes(s string) (any, error) {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		s = s[1 : len(s)-1]
	}
	var sizes []int64
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' }) {
		n, err := inputs.ParseBytes(part)
		if err != nil {
			return nil, err
		}
		sizes = append(sizes, n)
	}
	if len(sizes) == 0 {
		return nil, &inputs.QuantityError{Text: s, Want: "a size such as 64GB or a list such as [30GB, 50GB]"}
	}
	return sizes, nil
}

// parseBool reads yes or no.
func parseBool(s string) (any, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "yes", "on", "1", "allowed", "enable", "enabled", "required":
		return true, nil
	case "false", "no", "off", "0", "none", "disable", "disabled":
		return false, nil
	}
	return nil, &inputs.QuantityError{Text: s, Want: "yes or no"}
}

// parseAttention reads the form of attention; MHA and MQA fix the KV heads.
func parseAttention(s string) (any, error) {
	switch phrase(s) {
	case "mha", "multi head attention", "multi head":
		return "mha", nil
	case "gqa", "grouped query attention", "group query attention":
		return "gqa", nil
	case "mqa", "multi query attention":
		return "mqa", nil
	case "mla", "multi head latent attention", "latent attention":
		return "mla", nil
	}
	return nil, &inputs.QuantityError{Text: s, Want: "MHA, GQA, MQA or MLA"}
}

// parseFFN reads the form of the feed-forward block.
func parseFFN(s string) (any, error) {
	switch phrase(s) {
	case "moe", "mixture expert", "sparse":
		return "moe", nil
	case "dense", "mlp", "ffn", "dense mlp", "dense ffn":
		return "dense", nil
	}
	return nil, &inputs.QuantityError{Text: s, Want: "dense or moe"}
}

// parsePhase reads the phase of serving.
func parsePhase(s string) (any, error) {
	switch phrase(s) {
	case "prefill", "prefill only":
		return inputs.Prefill, nil
	case "decode", "decoding", "decode only", "generation":
		return inputs.Decode, nil
	case "mixed", "prefill decode", "prefill and decode", "both", "serving":
		return inputs.Mixed, nil
	case "training", "train", "pretraining", "pre training", "finetuning", "fine tuning":
		return inputs.Training, nil
	}
	return nil, &inputs.QuantityError{Text: s, Want: "prefill, decode, mixed or training"}
}

func parsePlacement(s string) (any, error) {
	switch phrase(s) {
	case "pipeline":
		return inputs.Pipeline, nil
	case "lane", "lanes":
		return inputs.Lanes, nil
	}
	if keepsApart(s) {
		return inputs.Disaggregated, nil
	}
	return nil, &inputs.QuantityError{Text: s, Want: "pipeline, lanes or disaggregated"}
}

// parseObjective reads what is optimised; prose such as "minimise latency" counts.
func parseObjective(s string) (any, error) {
	found := map[inputs.ObjectiveKind]bool{}
	// "throughput per GPU" is about throughput.
	for _, w := range strings.Fields(strings.ReplaceAll(phrase(s), "per gpu", "")) {
		switch w {
		case "latency", "ttft", "tpot", "delay":
			found[inputs.Latency] = true
		case "throughput":
			found[inputs.Throughput] = true
		case "balanced", "balance", "both":
			found[inputs.Balanced] = true
		case "gpu":
			found[inputs.GPUs] = true
		case "cost", "price", "cheapest":
			found[inputs.Cost] = true
		}
	}
	if found[inputs.Latency] && found[inputs.Throughput] {
		delete(found, inputs.Latency)
		delete(found, inputs.Throughput)
		found[inputs.Balanced] = true
	}
	if len(found) == 1 {
		for kind := range found {
			return kind, nil
		}
	}
	return nil, &inputs.QuantityError{Text: s, Want: "one of balanced, latency, throughput, gpus, cost"}
}

// parseText takes any non-empty text.
func parseText(s string) (any, error) {
	if s = strings.TrimSpace(s); s != "" {
		return s, nil
	}
	return nil, &inputs.QuantityError{Text: s, Want: "a name"}
}
