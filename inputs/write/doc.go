// Package write writes a surveyed condition (read.Reader.Look) as a file that people
// go on editing: every field of the schema is there, what is stated as a line of its
// own, the rest as a comment with what holds without it.
//
//	text, err := write.Condition(survey.Fields, write.YAML)
//
// In YAML and TOML a field that is not stated is a line `#key: value`, which becomes a
// statement by deleting the sign; in Markdown it is a bullet in an HTML comment.
// Comments that explain begin with a sign and a space.
package write

import (
	"fmt"
	"slices"
	"strings"

	"partita/inputs/read"
)

// Form is a form of condition files.
type Form string

// Forms that can be written. JSON has no comments.
const (
	YAML     Form = "yaml"
	TOML     Form = "toml"
	Markdown Form = "markdown"
)

// Forms lists the forms in the order of the documents.
func Forms() []Form { return []Form{YAML, TOML, Markdown} }

// FormOf is the form of files with a name's extension, false where it tells none.
func FormOf(name string) (Form, bool) {
	for form, extensions := range map[Form][]string{YAML: {".yaml", ".yml"}, TOML: {".toml"}, Markdown: {".md", ".markdown"}} {
		for _, extension := range extensions {
			if strings.HasSuffix(strings.ToLower(name), extension) {
				return form, true
			}
		}
	}
	return "", false
}

// Extension is the usual extension of a form, with its dot.
func (f Form) Extension() string {
	return map[Form]string{YAML: ".yaml", TOML: ".toml", Markdown: ".md"}[f]
}

// Condition writes fields in a form. The error names what the form cannot say: only
// Markdown has such.
func Condition(fields []read.Field, form Form) ([]byte, error) {
	switch form {
	case YAML:
		return yamlFile(fields), nil
	case TOML:
		return tomlFile(fields), nil
	case Markdown:
		return markdownFile(fields)
	}
	return nil, fmt.Errorf("no form %q of a condition, want one of %v", form, Forms())
}

// node is an object of the file: its own fields and the objects and lists in it, in
// their order.
type node struct {
	name  string
	field *read.Field
	nodes []*node // of an object
	items []*node // of a list of objects
}

// treeOf arranges fields by their paths.
func treeOf(fields []read.Field) *node {
	root := &node{}
	for i := range fields {
		at := root
		for name := range strings.SplitSeq(fields[i].Path, ".") {
			at = at.child(name)
		}
		at.field = &fields[i]
	}
	return root
}

// child is the object of a name, or the element of a list by its number, made where
// it is not there.
func (n *node) child(name string) *node {
	into := &n.nodes
	if name != "" && name[0] >= '0' && name[0] <= '9' {
		into = &n.items
	}
	if at := slices.IndexFunc(*into, func(c *node) bool { return c.name == name }); at >= 0 {
		return (*into)[at]
	}
	c := &node{name: name}
	*into = append(*into, c)
	return c
}

// elements are the texts of a list.
func elements(f *read.Field) []string {
	return strings.Split(strings.TrimSuffix(strings.TrimPrefix(f.Text, "["), "]"), ", ")
}
