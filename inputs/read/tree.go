package read

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"partita/inputs"
)

// node is one value of a structured file with its place; viper keeps none.
type node struct {
	at       inputs.Place // of the key, or of the value in a list
	valueAt  inputs.Place
	kind     nodeKind
	text     string // scalars as written
	names    []string
	children []*node
	planted  bool // by an override, which may name one element of a list by its index
}

type nodeKind int

const (
	scalarNode nodeKind = iota
	nullNode
	objectNode
	listNode
)

// child finds a field of an object, without regard to case as viper does.
func (n *node) child(name string) *node {
	for i, field := range n.names {
		if strings.EqualFold(field, name) {
			return n.children[i]
		}
	}
	return nil
}

// find follows a path such as cluster.pools.0.count as far as it goes.
func (n *node) find(path string) *node {
	for name := range strings.SplitSeq(path, ".") {
		var next *node
		switch n.kind {
		case objectNode:
			next = n.child(name)
		case listNode:
			if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(n.children) {
				next = n.children[i]
			}
		}
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

// checkSchema reports every unknown or doubled key and every value of the wrong
// form. It reports true where the tree fits the schema.
func (d *draft) checkSchema(n *node, t reflect.Type, path, scalar string) bool {
	switch {
	case t == reflect.TypeFor[leaf]():
		return d.checkLeaf(n, path)
	case n.kind == nullNode:
		return true
	case t.Kind() == reflect.Slice:
		return d.checkList(n, t.Elem(), path)
	case n.kind == scalarNode && scalar != "":
		return true
	case n.kind != objectNode:
		d.bad = append(d.bad, path)
		d.problem(n.valueAt, fmt.Sprintf("%s: %s", path, n.describe()), "an object with "+strings.Join(fieldNames(t), ", "), "")
		return false
	}
	fields := schemaFields(t)
	ok := true
	seen := map[string]inputs.Place{}
	for i, written := range n.names {
		name, child := strings.ToLower(written), n.children[i]
		if first, twice := seen[name]; twice {
			d.bad = append(d.bad, join(path, name))
			d.problems = append(d.problems, givenTwice(child, join(path, written), first))
			ok = false
			continue
		}
		seen[name] = child.at
		f, known := fields[name]
		if !known {
			d.bad = append(d.bad, join(path, name))
			d.problems = append(d.problems, unknownKey(child, join(path, written), fieldNames(t), didYouMean(name, t)))
			ok = false
			continue
		}
		ok = d.checkSchema(child, f.typ, join(path, name), f.scalar) && ok
	}
	return ok
}

func givenTwice(n *node, path string, first inputs.Place) Diagnostic {
	return Diagnostic{Place: n.at, Problem: fmt.Sprintf("key %q is given twice", path), Want: "one value", Hint: "the first is at " + first.String()}
}

func unknownKey(n *node, path string, known []string, hint string) Diagnostic {
	return Diagnostic{Place: n.at, Problem: fmt.Sprintf("unknown key %q", path), Want: "one of " + strings.Join(known, ", "), Hint: hint}
}

// checkList checks a list of objects; a flag may give single elements by index.
func (d *draft) checkList(n *node, element reflect.Type, path string) bool {
	if n.kind == objectNode && n.planted {
		ok := true
		for i, name := range n.names {
			if index, err := strconv.Atoi(name); err != nil || index < 0 || index >= maxPools {
				d.problem(n.children[i].at, fmt.Sprintf("%s: no pool is named %q, and it is no index", path, name), "the name of one pool, or its number from 0", d.poolHint())
				ok = false
				continue
			}
			ok = d.checkSchema(n.children[i], element, join(path, name), "") && ok
		}
		return ok
	}
	if n.kind != listNode {
		d.bad = append(d.bad, path)
		d.problem(n.valueAt, fmt.Sprintf("%s: %s", path, n.describe()), "a list", "")
		return false
	}
	if len(n.children) > maxPools {
		d.bad = append(d.bad, path)
		d.problem(n.valueAt, fmt.Sprintf("%s: %d entries", path, len(n.children)), fmt.Sprintf("at most %d", maxPools), "")
		return false
	}
	ok := true
	for i, child := range n.children {
		ok = d.checkSchema(child, element, join(path, strconv.Itoa(i)), "") && ok
	}
	return ok
}

// checkLeaf accepts a scalar or a list of scalars.
func (d *draft) checkLeaf(n *node, path string) bool {
	fits := n.kind == scalarNode || n.kind == nullNode || n.kind == listNode
	if n.kind == listNode {
		for _, c := range n.children {
			fits = fits && c.kind == scalarNode
		}
	}
	if !fits {
		d.bad = append(d.bad, path)
		d.problem(n.valueAt, fmt.Sprintf("%s: %s", path, n.describe()), "a value", "")
	}
	return fits
}

// describe names the form of a value.
func (n *node) describe() string {
	switch n.kind {
	case objectNode:
		return "an object"
	case listNode:
		return "a list"
	case nullNode:
		return "nothing"
	}
	return fmt.Sprintf("%q", n.text)
}

// didYouMean is a hint with the nearest field of an object, or where else the name belongs.
func didYouMean(name string, t reflect.Type) string {
	if best := inputs.Nearest(name, fieldNames(t)); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	for _, k := range keys() {
		if k.path == name || strings.HasSuffix(k.path, "."+name) {
			return fmt.Sprintf("did you mean %q?", k.path)
		}
	}
	return ""
}
