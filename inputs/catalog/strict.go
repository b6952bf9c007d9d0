package catalog

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"partita/inputs"
)

// decodeStrict decodes a node into a struct, field by field: unknown and doubled keys
// and values of the wrong type are problems with the place of each.
func decodeStrict(n *yaml.Node, into any) []Problem {
	v := reflect.ValueOf(into).Elem()
	if n.Kind != yaml.MappingNode {
		return []Problem{{Line: n.Line, Col: n.Column, Text: "the entry is " + kindName(n), Want: "an object with " + strings.Join(fieldNames(v.Type()), ", ")}}
	}
	var out []Problem
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := func(at *yaml.Node, text, want, hint string) {
			out = append(out, Problem{Line: at.Line, Col: at.Column, Text: text, Want: want, Hint: hint})
		}
		if line, twice := seen[key.Value]; twice {
			at(key, fmt.Sprintf("%q is stated twice", key.Value), "one value", fmt.Sprintf("the first is in line %d", line))
			continue
		}
		seen[key.Value] = key.Line
		f, known := fieldOf(v, key.Value)
		if !known {
			names, hint := fieldNames(v.Type()), ""
			if best := inputs.Nearest(key.Value, names); best != "" {
				hint = fmt.Sprintf("did you mean %q?", best)
			}
			at(key, fmt.Sprintf("unknown key %q", key.Value), "one of "+strings.Join(names, ", "), hint)
			continue
		}
		switch {
		case f.Type() == reflect.TypeFor[yaml.Node]():
			f.Set(reflect.ValueOf(*value))
		case f.Kind() == reflect.Struct:
			out = append(out, decodeStrict(value, f.Addr().Interface())...)
		default:
			if err := decodeNode(value, f.Addr().Interface()); err != nil {
				at(value, fmt.Sprintf("%s is %s", key.Value, kindName(value)), wanted(f.Type()), "")
			}
		}
	}
	return out
}

// decodeNode guards against a panic in the parser: what is read is a user's file.
func decodeNode(n *yaml.Node, into any) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the value cannot be read")
		}
	}()
	return n.Decode(into)
}

// wanted is what a field of a type takes, in words.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int64, reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list of texts"
	case reflect.Map:
		return "an object of numbers by number format"
	}
	return "text"
}

// fieldName is the name of a field in YAML.
func fieldName(f reflect.StructField) string {
	if tag, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); tag != "" {
		return tag
	}
	return strings.ToLower(f.Name)
}

func fieldOf(v reflect.Value, name string) (reflect.Value, bool) {
	for i := range v.NumField() {
		if fieldName(v.Type().Field(i)) == name {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func fieldNames(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		names = append(names, fieldName(t.Field(i)))
	}
	slices.Sort(names)
	return names
}
