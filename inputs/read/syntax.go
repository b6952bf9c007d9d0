package read

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
	"go.yaml.in/yaml/v3"

	"partita/inputs"
)

// yamlTree parses YAML or JSON with places.
func (d *draft) yamlTree(file string, data []byte) (*node, bool) {
	var root yaml.Node
	if err := decodeYAML(data, &root); err != nil {
		at := inputs.Place{File: file, Line: 1}
		if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
			at.Line, _ = strconv.Atoi(m[1])
		}
		d.problem(at, "not valid YAML or JSON: "+strings.TrimPrefix(yamlLine.ReplaceAllString(err.Error(), ""), "yaml: "), "", "")
		return nil, false
	}
	if root.Kind == 0 || len(root.Content) == 0 {
		d.problem(inputs.Place{File: file, Line: 1}, "the file is empty", "a condition", "docs/condition.md shows one")
		return nil, false
	}
	return fromYAML(file, root.Content[0], 0), true
}

// decodeYAML guards against a panic in the parser: what is read is a user's file.
func decodeYAML(data []byte, root *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("the text cannot be parsed")
		}
	}()
	return yaml.Unmarshal(data, root)
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// maxDepth bounds nesting, and with it what aliases can unfold to.
const maxDepth = 16

func fromYAML(file string, y *yaml.Node, depth int) *node {
	at := inputs.Place{File: file, Line: y.Line, Col: y.Column}
	n := &node{at: at, valueAt: at}
	switch y.Kind {
	case yaml.AliasNode:
		// An alias may point into itself; the reader has no use for it.
		n.text = "*" + y.Value
	case yaml.MappingNode:
		n.kind = objectNode
		for i := 0; i+1 < len(y.Content) && depth < maxDepth; i += 2 {
			key, value := y.Content[i], fromYAML(file, y.Content[i+1], depth+1)
			value.at = inputs.Place{File: file, Line: key.Line, Col: key.Column}
			n.names, n.children = append(n.names, key.Value), append(n.children, value)
		}
	case yaml.SequenceNode:
		n.kind = listNode
		for _, c := range y.Content {
			if depth < maxDepth {
				n.children = append(n.children, fromYAML(file, c, depth+1))
			}
		}
	default:
		n.text = y.Value
		if y.Tag == "!!null" {
			n.kind = nullNode
		}
	}
	return n
}

// tomlTree parses TOML with places.
func (d *draft) tomlTree(file string, data []byte) (*node, bool) {
	var decoded map[string]any
	if err := decodeTOML(data, &decoded); err != nil {
		at := inputs.Place{File: file, Line: 1}
		var syntax *toml.DecodeError
		if errors.As(err, &syntax) {
			at.Line, at.Col = syntax.Position()
		}
		d.problem(at, "not valid TOML: "+strings.TrimPrefix(err.Error(), "toml: "), "", "")
		return nil, false
	}
	t := tomlPlaces{file: file, data: data}
	return t.tree(), true
}

func decodeTOML(data []byte, into *map[string]any) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("the text cannot be parsed")
		}
	}()
	return toml.Unmarshal(data, into)
}

// tomlPlaces builds a tree from the TOML parser's nodes; the text was decoded once
// already, so that it is known to be valid.
type tomlPlaces struct {
	file string
	data []byte
	p    unstable.Parser
}

// tree walks all expressions of the file.
func (t *tomlPlaces) tree() *node {
	root := &node{kind: objectNode, at: inputs.Place{File: t.file, Line: 1, Col: 1}}
	t.p.Reset(t.data)
	table := root
	for t.p.NextExpression() {
		e := t.p.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = root
			names, places := t.keyParts(e)
			for i, name := range names {
				table = t.descend(table, name, places[i], e.Kind == unstable.ArrayTable && i == len(names)-1)
			}
		case unstable.KeyValue:
			t.keyValue(table, e)
		}
	}
	return root
}

// keyParts are the names of a dotted key with their places.
func (t *tomlPlaces) keyParts(e *unstable.Node) (names []string, places []inputs.Place) {
	for it := e.Key(); it.Next(); {
		k := it.Node()
		names = append(names, string(k.Data))
		places = append(places, t.place(k))
	}
	return names, places
}

func (t *tomlPlaces) place(n *unstable.Node) inputs.Place {
	if n.Raw.Length == 0 {
		return inputs.Place{File: t.file}
	}
	s := t.p.Shape(n.Raw)
	return inputs.Place{File: t.file, Line: s.Start.Line, Col: s.Start.Column}
}

// descend steps into a table, which is made where it is missing; into the last
// element of a list of tables, or a new one.
func (t *tomlPlaces) descend(n *node, name string, at inputs.Place, element bool) *node {
	next := n.child(name)
	if next == nil {
		next = &node{kind: objectNode, at: at, valueAt: at}
		if element {
			next.kind = listNode
		}
		n.names, n.children = append(n.names, name), append(n.children, next)
	}
	if next.kind != listNode {
		return next
	}
	if element {
		next.children = append(next.children, &node{kind: objectNode, at: at, valueAt: at})
	}
	if len(next.children) == 0 {
		return next
	}
	return next.children[len(next.children)-1]
}

func (t *tomlPlaces) keyValue(table *node, e *unstable.Node) {
	names, places := t.keyParts(e)
	if len(names) == 0 {
		return
	}
	for i, name := range names[:len(names)-1] {
		table = t.descend(table, name, places[i], false)
	}
	last := len(names) - 1
	v := t.value(e.Value(), places[last])
	table.names, table.children = append(table.names, names[last]), append(table.children, v)
}

func (t *tomlPlaces) value(v *unstable.Node, key inputs.Place) *node {
	n := &node{at: key, valueAt: t.place(v)}
	if n.valueAt.Line == 0 {
		n.valueAt = key
	}
	switch v.Kind {
	case unstable.Array:
		n.kind = listNode
		for it := v.Children(); it.Next(); {
			n.children = append(n.children, t.value(it.Node(), key))
		}
	case unstable.InlineTable:
		n.kind = objectNode
		for it := v.Children(); it.Next(); {
			t.keyValue(n, it.Node())
		}
	default:
		n.text = string(v.Data)
	}
	return n
}
