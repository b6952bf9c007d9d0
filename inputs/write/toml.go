package write

import (
	"regexp"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"partita/inputs/read"
)

// tomlFile writes fields in TOML: the values of a table before the tables in it.
func tomlFile(fields []read.Field) []byte {
	var l layout
	l.comment("", heading)
	l.WriteString("\n")
	tomlTable(&l, treeOf(fields), "")
	return []byte(l.String())
}

func tomlTable(l *layout, n *node, path string) {
	for _, c := range n.nodes {
		if c.field != nil {
			tomlField(l, c.field, c.name)
		}
	}
	for _, c := range n.nodes {
		if c.field != nil {
			continue
		}
		at := c.name
		if path != "" {
			at = path + "." + c.name
		}
		if len(c.nodes) > 0 {
			l.WriteString("\n[" + at + "]\n")
			tomlTable(l, c, at)
		}
		for _, item := range c.items {
			l.WriteString("\n[[" + at + "]]\n")
			tomlTable(l, item, at)
		}
	}
}

func tomlField(l *layout, f *read.Field, name string) {
	text := ""
	switch {
	case f.List:
		var items []string
		for _, e := range elements(f) {
			items = append(items, tomlText(e))
		}
		text = listed(items, "", len(name)+3)
	case len(f.Parts) > 0:
		var parts []string
		for _, p := range f.Parts {
			parts = append(parts, p.Name+" = "+tomlText(p.Text))
		}
		text = "{" + strings.Join(parts, ", ") + "}"
	default:
		text = tomlText(f.Text)
	}
	l.line("", sign(f)+name+" = "+text, note(f))
}

// tomlNumber is a number that TOML reads back as it is written.
var tomlNumber = regexp.MustCompile(`^(0|[1-9]\d{0,14})(\.\d{0,14}[1-9])?$`)

// tomlText is a value: a number, or a quoted text.
func tomlText(s string) string {
	if tomlNumber.MatchString(s) {
		return s
	}
	data, err := toml.Marshal(map[string]string{"k": s})
	if err != nil {
		return `"` + strings.ToValidUTF8(s, "�") + `"` // of text that is no UTF-8, which no reader lets in
	}
	return strings.TrimSuffix(strings.TrimPrefix(string(data), "k = "), "\n")
}
