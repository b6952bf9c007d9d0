package read

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/viper"

	"partita/inputs"
)

// Source is a YAML, TOML or JSON file that is no condition, such as the config of a
// batch. Its text is read twice, as that of a condition: by viper for the values, and
// once more for the places of keys and values, which viper does not keep.
type Source struct {
	// Viper holds the values, keys parted by "::", for settings that the environment
	// and flags may replace.
	Viper *viper.Viper
	root  Value
}

// ParseSource reads a file. The extension tells the format; without one that is known
// it is YAML, which includes JSON. All that is wrong comes as Diagnostics.
func ParseSource(file string, data []byte) (*Source, Diagnostics) {
	d := newFiles("").draft()
	if at, ok := notText(file, data); ok {
		d.problem(at, "the file is not text", "YAML, TOML or JSON in UTF-8", "")
		return nil, d.problems
	}
	format := "yaml"
	switch strings.ToLower(filepath.Ext(file)) {
	case ".toml":
		format = "toml"
	case ".json":
		format, data = "json", untabbed(data)
	}
	n, ok := d.tree(file, format, data)
	if !ok {
		return nil, d.problems
	}
	v := newViper()
	v.SetConfigType(format)
	if err := v.ReadConfig(bytes.NewReader(data)); err != nil {
		d.problem(inputs.Place{File: file}, "not valid "+strings.ToUpper(format)+": "+strings.ReplaceAll(err.Error(), "\n", " "), "", "")
		return nil, d.problems
	}
	return &Source{Viper: v, root: Value{n: n, v: v.AllSettings()}}, nil
}

// Root is the file as one object.
func (s *Source) Root() Value { return s.root }

// Value is one value of a Source with its place. The zero Value is absent.
type Value struct {
	n    *node
	v    any    // as viper decoded it
	name string // its key as written, or its number in a list
	path string // for diagnostics
}

// Present reports whether the value is stated, be it as nothing.
func (v Value) Present() bool { return v.n != nil }

// Key is the name of the value as written; "" in a list.
func (v Value) Key() string { return v.name }

// Place is where the key stands, or the value in a list.
func (v Value) Place() inputs.Place { return v.n.at }

// ValuePlace is where the value stands.
func (v Value) ValuePlace() inputs.Place { return v.n.valueAt }

// Empty reports whether nothing is stated: no value, or one that is null.
func (v Value) Empty() bool { return v.n == nil || v.n.kind == nullNode }

// IsObject reports whether the value has keys of its own.
func (v Value) IsObject() bool { return v.n != nil && v.n.kind == objectNode }

// IsList reports whether the value is a list.
func (v Value) IsList() bool { return v.n != nil && v.n.kind == listNode }

// Text is a scalar, or a list of scalars as "[a, b]", as a condition would read it.
func (v Value) Text() (string, bool) {
	if v.Empty() || v.n.kind == objectNode {
		return "", false
	}
	return leafText(v.v)
}

// Wrong is a problem of the value: what it is instead of what was wanted.
func (v Value) Wrong(want string) Diagnostic {
	return Diagnostic{Place: v.n.valueAt, Problem: v.path + ": " + v.n.describe(), Want: want}
}

// Items are the elements of a list.
func (v Value) Items() []Value {
	if !v.IsList() {
		return nil
	}
	decoded, _ := v.v.([]any)
	out := make([]Value, 0, len(v.n.children))
	for i, n := range v.n.children {
		item := Value{n: n, path: join(v.path, fmt.Sprint(i))}
		if i < len(decoded) {
			item.v = decoded[i]
		}
		out = append(out, item)
	}
	return out
}

// Fields are the keys of an object in the order of the file, whatever their names.
func (v Value) Fields() []Value {
	if !v.IsObject() {
		return nil
	}
	decoded, _ := v.v.(map[string]any)
	out := make([]Value, 0, len(v.n.children))
	for i, n := range v.n.children {
		name := v.n.names[i]
		out = append(out, Value{n: n, v: decoded[strings.ToLower(name)], name: name, path: join(v.path, name)})
	}
	return out
}

// Object is the fields of an object by their names in lower case. Keys that are not
// among the known ones, and keys given twice, are problems.
func (v Value) Object(known ...string) (map[string]Value, Diagnostics) {
	if !v.IsObject() {
		return nil, Diagnostics{v.Wrong("an object with " + strings.Join(known, ", "))}
	}
	var problems Diagnostics
	fields := map[string]Value{}
	for _, f := range v.Fields() {
		name := strings.ToLower(f.name)
		first, twice := fields[name]
		switch {
		case !contains(known, name):
			hint := ""
			if best := inputs.Nearest(name, known); best != "" {
				hint = fmt.Sprintf("did you mean %q?", best)
			}
			problems = append(problems, unknownKey(f.n, f.path, known, hint))
		case twice:
			problems = append(problems, givenTwice(f.n, f.path, first.n.at))
		default:
			fields[name] = f
		}
	}
	return fields, problems
}
