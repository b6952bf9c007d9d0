package write

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"partita/inputs/read"
)

// heading opens a file in YAML or TOML.
const heading = `A deployment condition. A line that begins with # and no space is not stated: it
shows what holds without it, or an example. Delete the sign to state it.`

// yamlFile writes fields in YAML.
func yamlFile(fields []read.Field) []byte {
	var l layout
	l.comment("", heading)
	for i, n := range treeOf(fields).nodes {
		if n.field == nil || i == 0 {
			l.WriteString("\n")
		}
		yamlNode(&l, n, "", "")
	}
	return []byte(l.String())
}

// yamlNode writes a field or an object. The dash of a list stands before the first.
func yamlNode(l *layout, n *node, indent, dash string) {
	if n.field != nil {
		yamlField(l, n.field, n.name, indent+dash)
		return
	}
	l.line(indent, n.name+":", "")
	for _, c := range n.nodes {
		yamlNode(l, c, indent+"  ", "")
	}
	for _, item := range n.items {
		head := headOf(item.nodes)
		if head < 0 {
			l.WriteString(indent + "  - {}\n")
			continue
		}
		yamlNode(l, item.nodes[head], indent+"  ", "- ")
		for i, c := range item.nodes {
			if i != head {
				yamlNode(l, c, indent+"  ", "  ")
			}
		}
	}
}

// headOf is a stated field, -1 where none is: the element of a list begins with it.
func headOf(nodes []*node) int {
	return slices.IndexFunc(nodes, func(n *node) bool { return n.field != nil && n.field.Origin == read.Stated })
}

func yamlField(l *layout, f *read.Field, name, indent string) {
	text, plain := "", strings.Repeat(" ", len(indent))
	switch {
	case f.List:
		var items []string
		for _, e := range elements(f) {
			items = append(items, yamlText(e, true))
		}
		text = listed(items, plain, len(indent)+len(name)+2)
	case len(f.Parts) > 0:
		var parts []string
		for _, p := range f.Parts {
			parts = append(parts, p.Name+": "+yamlText(p.Text, true))
		}
		text = "{" + strings.Join(parts, ", ") + "}"
	default:
		text = yamlText(f.Text, false)
	}
	l.line(indent, sign(f)+name+": "+text, note(f))
}

// sign marks a field that is not stated.
func sign(f *read.Field) string {
	if f.Origin == read.Stated {
		return ""
	}
	return "#"
}

// note is the explanation of a field.
func note(f *read.Field) string {
	if f.Origin == read.Example {
		return f.About + " [example]"
	}
	return f.About
}

// yamlText is a scalar: plain where YAML reads the same text back, else quoted.
func yamlText(s string, inList bool) string {
	plain := s
	if inList {
		plain = "[" + s + "]"
	}
	var doc map[string]any
	if !strings.ContainsAny(s, "\n\r\t#") && yaml.Unmarshal([]byte("k: "+plain), &doc) == nil {
		v := doc["k"]
		if list, ok := v.([]any); ok && inList && len(list) == 1 {
			v = list[0]
		}
		if same(v, s) {
			return s
		}
	}
	quoted, err := yaml.Marshal(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: s})
	if err != nil {
		return fmt.Sprintf("%q", s) // of text that is no UTF-8, which no reader lets in
	}
	return strings.TrimSuffix(string(quoted), "\n")
}

// same reports whether a decoded scalar is read as the text: numbers and yes or no keep
// their spelling only where they have one.
func same(v any, s string) bool {
	switch v.(type) {
	case string, int, bool, float64:
		return fmt.Sprint(v) == s
	}
	return false
}
