package schema

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	js "partita/inputs/schema"
)

//go:embed words.json
var wordsJSON []byte

// typeWords are what the source says of a type.
type typeWords struct {
	Doc    string            `json:"doc,omitempty"`
	Fields map[string]string `json:"fields,omitempty"` // by Go name
	Values []string          `json:"values,omitempty"` // constants of a string type
}

// walk makes schemas of types; structs become definitions that are referred to.
type walk struct {
	words map[string]typeWords
	defs  js.Properties
	seen  map[reflect.Type]bool
}

func newWalk() (*walk, error) {
	w := &walk{seen: map[reflect.Type]bool{}}
	if err := json.Unmarshal(wordsJSON, &w.words); err != nil {
		return nil, fmt.Errorf("words.json: %w", err)
	}
	return w, nil
}

// file is the schema of a whole file.
func (w *walk) file(t reflect.Type) (*js.Schema, error) {
	s, err := w.object(t)
	if err != nil {
		return nil, err
	}
	s.Draft = js.Draft
	s.Defs = w.defs
	return s, nil
}

// nameOf is a type as words.json names it: "results.Plan".
func nameOf(t reflect.Type) string { return t.String() }

// of is the schema of a value of a type.
func (w *walk) of(t reflect.Type) (*js.Schema, error) {
	if s := special(t); s != nil {
		return s, nil
	}
	if t.Implements(reflect.TypeFor[json.Marshaler]()) || reflect.PointerTo(t).Implements(reflect.TypeFor[json.Marshaler]()) {
		return nil, fmt.Errorf("%s writes its own JSON: say in special() what it is", t)
	}
	switch t.Kind() {
	case reflect.Bool:
		return &js.Schema{Type: js.Types{"boolean"}}, nil
	case reflect.Int, reflect.Int64: // all are counts, indices, places and sizes
		return &js.Schema{Type: js.Types{"integer"}, Minimum: js.Bound(0)}, nil
	case reflect.Float64:
		return &js.Schema{Type: js.Types{"number"}}, nil
	case reflect.String:
		s := &js.Schema{Type: js.Types{"string"}}
		for _, v := range w.words[nameOf(t)].Values {
			s.Enum = append(s.Enum, v)
		}
		if t.PkgPath() != "" && s.Enum == nil {
			return nil, fmt.Errorf("%s has no constants in words.json", t)
		}
		return s, nil
	case reflect.Slice, reflect.Array:
		item, err := w.of(t.Elem())
		if err != nil {
			return nil, err
		}
		s := &js.Schema{Type: js.Types{"array"}, Items: item}
		if t.Kind() == reflect.Array {
			s.MinItems, s.MaxItems = t.Len(), t.Len()
		}
		return s, nil
	case reflect.Map:
		return w.mapOf(t)
	case reflect.Struct:
		return w.ref(t)
	}
	return nil, fmt.Errorf("%s: no schema for a %s", t, t.Kind())
}

// mapOf is an object with a value for each key.
func (w *walk) mapOf(t reflect.Type) (*js.Schema, error) {
	key, err := w.of(t.Key())
	if err != nil {
		return nil, err
	}
	value, err := w.of(t.Elem())
	if err != nil {
		return nil, err
	}
	s := &js.Schema{Type: js.Types{"object"}, AdditionalProperties: &js.Rest{Schema: value}}
	if key.Enum != nil {
		s.PropertyNames = key
	}
	return s, nil
}

// ref refers to the definition of a struct, which is made where it is met first.
func (w *walk) ref(t reflect.Type) (*js.Schema, error) {
	if !w.seen[t] {
		w.seen[t] = true
		s, err := w.object(t)
		if err != nil {
			return nil, err
		}
		if w.defs.Find(t.Name()) != nil {
			return nil, fmt.Errorf("two types are called %s", t.Name())
		}
		w.defs.Add(t.Name(), s)
	}
	return &js.Schema{Ref: "#/$defs/" + t.Name()}, nil
}

// object is the schema of a struct: its fields and no others.
func (w *walk) object(t reflect.Type) (*js.Schema, error) {
	s := &js.Schema{Description: w.words[nameOf(t)].Doc, Type: js.Types{"object"}, AdditionalProperties: js.None()}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported():
			continue
		case f.Anonymous && name == "":
			return nil, fmt.Errorf("%s.%s: embedded fields are not described", t, f.Name)
		case name == "":
			return nil, fmt.Errorf("%s.%s has no JSON name", t, f.Name)
		}
		said := strings.Split(options, ",")
		optional := slices.Contains(said, "omitempty") || slices.Contains(said, "omitzero")
		p, err := w.field(t, f, name, optional)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", t, f.Name, err)
		}
		p.Description = w.words[nameOf(t)].Fields[f.Name]
		s.Properties.Add(name, p)
		if !optional || always(t, f.Name) {
			s.Required = append(s.Required, name)
		}
	}
	return s, nil
}

// field is the schema of one field. A pointer that is not left out may be null.
func (w *walk) field(t reflect.Type, f reflect.StructField, name string, optional bool) (*js.Schema, error) {
	typ, null := f.Type, false
	if typ.Kind() == reflect.Pointer {
		typ, null = typ.Elem(), !optional
	}
	s, err := w.of(typ)
	if err != nil {
		return nil, err
	}
	if typ.Kind() == reflect.Float64 || typ.Kind() == reflect.Array {
		figure := s
		if typ.Kind() == reflect.Array {
			figure = s.Items
		}
		figure.Minimum = leastOf(name)
	}
	limit(s, t, f.Name)
	if null {
		if s.Ref != "" {
			s = js.AnyOf(s, &js.Schema{Type: js.Types{"null"}})
		} else {
			s.Type = append(s.Type, "null")
		}
	}
	return s, nil
}
