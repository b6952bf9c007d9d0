// Package schema is JSON Schema (draft 2020-12) as plain data: the part of it that the
// files of this program need, written in the order in which a person reads it.
package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Draft names the version of JSON Schema.
const Draft = "https://json-schema.org/draft/2020-12/schema"

// Schema is a schema, or a part of one. What is not stated is absent.
type Schema struct {
	Draft       string `json:"$schema,omitempty"`
	ID          string `json:"$id,omitempty"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`

	Ref   string `json:"$ref,omitempty"`
	Type  Types  `json:"type,omitempty"`
	Const any    `json:"const,omitempty"`
	Enum  []any  `json:"enum,omitempty"`
	// Examples help editors to complete what is not a closed set.
	Examples []any `json:"examples,omitempty"`

	Pattern          string   `json:"pattern,omitempty"`
	Minimum          *float64 `json:"minimum,omitempty"`
	ExclusiveMinimum *float64 `json:"exclusiveMinimum,omitempty"`
	Maximum          *float64 `json:"maximum,omitempty"`
	ExclusiveMaximum *float64 `json:"exclusiveMaximum,omitempty"`

	AnyOf []*Schema `json:"anyOf,omitempty"`

	Items    *Schema `json:"items,omitempty"`
	MinItems int     `json:"minItems,omitempty"`
	MaxItems int     `json:"maxItems,omitempty"`

	Properties           Properties `json:"properties,omitzero"`
	PropertyNames        *Schema    `json:"propertyNames,omitempty"`
	Required             []string   `json:"required,omitempty"`
	AdditionalProperties *Rest      `json:"additionalProperties,omitempty"`
	MinProperties        int        `json:"minProperties,omitempty"`

	Defs Properties `json:"$defs,omitzero"`
}

// Types are the JSON types that a value may have: one is written as a word, several as a
// list.
type Types []string

// MarshalJSON writes the types.
func (t Types) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

// Rest says what the properties that are not named may be: nothing, or Schema.
type Rest struct{ Schema *Schema }

// MarshalJSON writes false where there may be none.
func (r *Rest) MarshalJSON() ([]byte, error) {
	if r.Schema == nil {
		return []byte("false"), nil
	}
	return json.Marshal(r.Schema)
}

// None are no further properties.
func None() *Rest { return &Rest{} }

// Properties are named schemas in order.
type Properties struct{ list []Property }

// Property is a schema with its name.
type Property struct {
	Name   string
	Schema *Schema
}

// Add appends a property.
func (p *Properties) Add(name string, s *Schema) { p.list = append(p.list, Property{name, s}) }

// All are the properties in order.
func (p Properties) All() []Property { return p.list }

// IsZero reports whether there are none.
func (p Properties) IsZero() bool { return len(p.list) == 0 }

// Find is the property of a name, nil where there is none.
func (p Properties) Find(name string) *Schema {
	for _, q := range p.list {
		if q.Name == name {
			return q.Schema
		}
	}
	return nil
}

// MarshalJSON writes an object in the order of the properties.
func (p Properties) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, q := range p.list {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(q.Name)
		if err != nil {
			return nil, err
		}
		value, err := unescaped(q.Schema)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.Name, err)
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	return append(append([]byte{'{'}, b.Bytes()...), '}'), nil
}

// unescaped is a value as JSON with <, > and & as they are.
func unescaped(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// JSON is the schema as a file: indented, with a final newline.
func (s *Schema) JSON() ([]byte, error) {
	data, err := unescaped(s)
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", "  "); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// Bound is a number where a schema takes one.
func Bound(v float64) *float64 { return &v }

// AnyOf is a schema that any of several meets; of one it is that one.
func AnyOf(of ...*Schema) *Schema {
	if len(of) == 1 {
		return of[0]
	}
	return &Schema{AnyOf: of}
}
