package catalog

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

// entry is one key and value of a configuration.
type entry struct {
	path  string // "hidden_size", "text_config.hidden_size"
	name  string // the field's first name
	key   *yaml.Node
	value *yaml.Node
}

// parser fills a Config and notes every field.
type parser struct {
	config   Config
	known    map[string]field // by every name
	entries  []entry          // in the order of the file, noted when the Config is complete
	problems []Problem
	warnings []string
}

// nestedNames are the objects that hold the language model of a multimodal one.
var nestedNames = []string{"text_config", "language_config", "llm_config"}

// inheritedNames are the fields that a nested language model takes from the
// object around it.
var inheritedNames = map[string]bool{
	"architectures": true, "model_type": true, "torch_dtype": true,
	"tie_word_embeddings": true, "quantization_config": true, "vocab_size": true,
}

// readConfig parses a configuration and builds its model.
func readConfig(root *yaml.Node) Reading {
	p := parser{known: map[string]field{}}
	p.config.at = map[string]place{}
	for _, f := range fields() {
		for _, name := range append([]string{f.name}, f.also...) {
			p.known[name] = f
		}
	}
	p.object(root)
	built := p.config.Build()
	built.Notes = p.notes()
	for _, late := range built.Problems {
		if !slices.ContainsFunc(p.problems, func(early Problem) bool { return early.Line == late.Line && early.Col == late.Col && late.Line > 0 }) {
			p.problems = append(p.problems, late) // else the value itself is wrong: said once
		}
	}
	built.Problems = p.problems
	built.Warnings = append(p.warnings, built.Warnings...)
	return built
}

// object reads the root of a configuration, and the language model inside it.
func (p *parser) object(root *yaml.Node) {
	if root.Kind != yaml.MappingNode {
		p.wrong(root, "the configuration is "+kindName(root), "an object", "")
		return
	}
	var nested *yaml.Node
	for _, name := range nestedNames {
		if v := lookup(root, name); v != nil && v.Kind == yaml.MappingNode && nested == nil {
			nested = v
			p.fields(v, name+".", nil)
			p.warnings = append(p.warnings, "only the language model under "+name+" is planned; other parts need memory that is not counted")
		}
	}
	if nested == nil {
		p.fields(root, "", nil)
		return
	}
	inner := map[string]bool{}
	for _, e := range p.entries {
		inner[e.name] = true
	}
	p.fields(root, "", func(e *entry) bool { return inheritedNames[e.name] && !inner[e.name] })
}

// fields reads the keys of one object. With a filter, the fields that it refuses
// are noted as not used.
func (p *parser) fields(object *yaml.Node, prefix string, take func(*entry) bool) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(object.Content); i += 2 {
		key, value := object.Content[i], object.Content[i+1]
		e := entry{path: prefix + key.Value, name: key.Value, key: key, value: value}
		if seen[key.Value] {
			p.wrong(key, fmt.Sprintf("%s is stated twice", e.path), "one value", "remove one of the two")
			continue
		}
		seen[key.Value] = true
		f, known := p.known[key.Value]
		if known {
			e.name = f.name
		}
		if take != nil && !take(&e) {
			e.name = ""
			known = false
		}
		p.entries = append(p.entries, e)
		switch {
		case !known:
			p.refuseUnplannable(&e)
		case value.Tag == "!!null": // states nothing
		default:
			p.take(f, &e)
		}
	}
}

// take reads a known field; a second name for one fact must agree with the first.
func (p *parser) take(f field, e *entry) {
	if first, again := p.config.at[f.name]; again && len(f.also) > 0 {
		before := p.config
		f.take(p, e)
		if !sameFact(f.name, &before, &p.config) {
			p.wrong(e.value, fmt.Sprintf("%s contradicts the same fact at line %d", e.path, first.line), "one value", "remove one of the two")
		}
		return
	}
	p.place(e)
	f.take(p, e)
}

func (p *parser) place(e *entry) {
	if _, ok := p.config.at[e.name]; !ok {
		p.config.at[e.name] = place{e.value.Line, e.value.Column}
	}
}

// sameFact compares a fact that has several names before and after its second
// reading; nothing before contradicts nothing.
func sameFact(name string, a, b *Config) bool {
	same := func(x, y int) bool { return x == 0 || x == y }
	switch name {
	case "hidden_act":
		return a.HiddenAct == b.HiddenAct || a.HiddenAct == ""
	case "torch_dtype":
		return a.DType == b.DType || a.DType == ""
	case "num_experts":
		return same(a.NumExperts, b.NumExperts)
	case "num_experts_per_tok":
		return same(a.NumExpertsPerTok, b.NumExpertsPerTok)
	case "n_shared_experts":
		return same(a.NSharedExperts, b.NSharedExperts)
	case "sliding_window_pattern":
		return same(a.SlidingWindowPattern, b.SlidingWindowPattern)
	case "decoder_sparse_step":
		return same(a.DecoderSparseStep, b.DecoderSparseStep)
	}
	return true
}

// refuseUnplannable reports a field that only models of another kind have.
func (p *parser) refuseUnplannable(e *entry) {
	kind, ok := unplannable[e.key.Value]
	if !ok || empty(e.value) {
		return
	}
	p.wrong(e.value, fmt.Sprintf("%s belongs to %s", e.path, kind),
		"a stack of attention and feed-forward layers", "this model cannot be planned from its config.json")
}

// empty reports a value that switches its field off.
func empty(n *yaml.Node) bool {
	switch n.Kind {
	case yaml.ScalarNode:
		return n.Tag == "!!null" || n.Value == "" || n.Value == "0" || n.Value == "false"
	default:
		return len(n.Content) == 0
	}
}

func (p *parser) wrong(at *yaml.Node, text, want, hint string) {
	p.problems = append(p.problems, Problem{Line: at.Line, Col: at.Column, Text: text, Want: want, Hint: hint})
}

// notes tells the use of every field, once the whole Config is known.
func (p *parser) notes() []Note {
	out := make([]Note, 0, len(p.entries))
	for _, e := range p.entries {
		n := Note{Line: e.key.Line, Col: e.key.Column, Text: e.path + ": " + shortText(e.value)}
		f, known := p.known[e.name]
		switch {
		case known && f.name == e.name:
			n.UsedAs = f.use(&p.config)
		case strings.Contains(e.path, ".") || !isNested(e):
			n.UsedAs = "not used: " + unused(e.key.Value)
		default:
			n.UsedAs = "model: the language model, field by field"
		}
		out = append(out, n)
	}
	sort.SliceStable(out, func(i, j int) bool {
		if out[i].Line != out[j].Line {
			return out[i].Line < out[j].Line
		}
		return out[i].Col < out[j].Col
	})
	return out
}

func isNested(e entry) bool {
	for _, name := range nestedNames {
		if e.key.Value == name && e.value.Kind == yaml.MappingNode {
			return true
		}
	}
	return false
}
