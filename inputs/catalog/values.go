package catalog

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"partita/inputs"
)

// lookup is the value of a key, nil where there is none.
func lookup(object *yaml.Node, name string) *yaml.Node {
	if object == nil || object.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(object.Content); i += 2 {
		if object.Content[i].Value == name {
			return object.Content[i+1]
		}
	}
	return nil
}

// longestText bounds what a note quotes of a list or an object.
const longestText = 60

// shortText writes a value as in the file; lists and objects are cut.
func shortText(n *yaml.Node) string {
	var b strings.Builder
	writeText(&b, n)
	if text := []rune(b.String()); len(text) > longestText {
		return string(text[:longestText-1]) + "…"
	}
	return b.String()
}

func writeText(b *strings.Builder, n *yaml.Node) {
	if b.Len() > 8*longestText {
		return
	}
	switch n.Kind {
	case yaml.MappingNode, yaml.SequenceNode:
		step, ends := 1, "[]"
		if n.Kind == yaml.MappingNode {
			step, ends = 2, "{}"
		}
		b.WriteByte(ends[0])
		for i := 0; i+step <= len(n.Content); i += step {
			if i > 0 {
				b.WriteString(", ")
			}
			if step == 2 {
				b.WriteString(n.Content[i].Value + ": ")
			}
			writeText(b, n.Content[i+step-1])
		}
		b.WriteByte(ends[1])
	default:
		b.WriteString(strings.ToValidUTF8(n.Value, "?"))
	}
}

func kindName(n *yaml.Node) string {
	switch n.Tag {
	case "!!map":
		return "an object"
	case "!!seq":
		return "a list"
	case "!!str":
		return "the text " + strconv.Quote(shortText(n))
	case "!!null":
		return "null"
	}
	return shortText(n)
}

// count takes a whole number between two ends.
func count(low, high int, in func(*Config) *int) func(*parser, *entry) {
	return func(p *parser, e *entry) {
		if n, ok := p.whole(e.value, e.path, low, high); ok {
			*in(&p.config) = n
		}
	}
}

// whole reads a whole number; 4096.0 is one.
func (p *parser) whole(v *yaml.Node, path string, low, high int) (int, bool) {
	f, err := strconv.ParseFloat(v.Value, 64)
	if v.Tag != "!!int" && v.Tag != "!!float" || err != nil || f != float64(int64(f)) {
		p.wrong(v, fmt.Sprintf("%s is %s", path, kindName(v)), fmt.Sprintf("a whole number from %d to %d", low, high), "")
		return 0, false
	}
	if f < float64(low) || f > float64(high) {
		p.wrong(v, fmt.Sprintf("%s is %s", path, v.Value), fmt.Sprintf("a whole number from %d to %d", low, high), "")
		return 0, false
	}
	return int(f), true
}

// counts takes a list of layer numbers.
func counts(high int, in func(*Config) *[]int) func(*parser, *entry) {
	return func(p *parser, e *entry) {
		if e.value.Kind != yaml.SequenceNode {
			p.wrong(e.value, fmt.Sprintf("%s is %s", e.path, kindName(e.value)), "a list of whole numbers", "")
			return
		}
		for _, v := range e.value.Content {
			n, ok := p.whole(v, e.path, 0, high)
			if !ok {
				return // the first wrong item says enough
			}
			*in(&p.config) = append(*in(&p.config), n)
		}
	}
}

// text takes a string.
func text(in func(*Config) *string) func(*parser, *entry) {
	return func(p *parser, e *entry) {
		if e.value.Tag != "!!str" {
			p.wrong(e.value, fmt.Sprintf("%s is %s", e.path, kindName(e.value)), "text", "")
			return
		}
		*in(&p.config) = e.value.Value
	}
}

// texts takes a list of strings.
func texts(in func(*Config) *[]string) func(*parser, *entry) {
	return func(p *parser, e *entry) {
		if e.value.Kind != yaml.SequenceNode {
			p.wrong(e.value, fmt.Sprintf("%s is %s", e.path, kindName(e.value)), "a list of texts", "")
			return
		}
		for _, v := range e.value.Content {
			if v.Tag != "!!str" {
				p.wrong(v, fmt.Sprintf("%s holds %s", e.path, kindName(v)), "text", "")
				return
			}
			*in(&p.config) = append(*in(&p.config), v.Value)
		}
	}
}

// yesNo takes true or false.
func yesNo(in func(*Config) **bool) func(*parser, *entry) {
	return func(p *parser, e *entry) {
		if e.value.Tag != "!!bool" {
			p.wrong(e.value, fmt.Sprintf("%s is %s", e.path, kindName(e.value)), "true or false", "")
			return
		}
		b := strings.EqualFold(e.value.Value, "true")
		*in(&p.config) = &b
	}
}

// checkpointFormats are the number formats as PyTorch and checkpoints name them.
var checkpointFormats = map[string]inputs.DType{
	"bfloat16": inputs.BF16, "bf16": inputs.BF16,
	"float16": inputs.FP16, "fp16": inputs.FP16, "half": inputs.FP16,
	"float32": inputs.FP32, "fp32": inputs.FP32, "float": inputs.FP32,
	"float8_e4m3fn": inputs.FP8, "float8_e4m3": inputs.FP8, "float8": inputs.FP8, "fp8": inputs.FP8,
	"int8": inputs.INT8, "int4": inputs.INT4,
}

func takeDType(p *parser, e *entry) {
	d, ok := checkpointFormats[strings.TrimPrefix(strings.ToLower(e.value.Value), "torch.")]
	if e.value.Tag != "!!str" || !ok {
		p.wrong(e.value, fmt.Sprintf("%s is %s", e.path, kindName(e.value)), "bfloat16, float16, float32 or float8_e4m3fn", "")
		return
	}
	p.config.DType = d
}
