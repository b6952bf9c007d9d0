package read

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"partita/inputs/schema"
)

// ConditionSchema is the JSON Schema of a condition in YAML, TOML or JSON, made from the
// table that the reader goes by: keys, their forms, what each is about. A file may state a
// part and leave the rest to others, so nothing is required but something.
//
// It says the same as the reader of a file but for what docs/schema.md lists: the reader
// takes keys in any case and some values in words, and refuses values out of bounds behind
// a unit, contradictions and names that nobody knows.
func ConditionSchema() (*schema.Schema, error) {
	b := schemaBuilder{table: keyTable(), guides: guides()}
	root, err := b.object(reflect.TypeFor[document](), "")
	if err != nil {
		return nil, err
	}
	root.Draft, root.ID = schema.Draft, "urn:partita:condition"
	root.Title = "Deployment condition of partita (YAML, TOML or JSON)"
	root.Description = "GPUs, model, workload and goal of a deployment. Quantities carry their unit; null states nothing."
	root.Type, root.MinProperties = schema.Types{"object"}, 1
	for _, f := range forms() {
		s, err := f.schemaOf()
		if err != nil {
			return nil, err
		}
		root.Defs.Add(f.name, s)
	}
	root.Defs.Add("pool", b.pool)
	return root, nil
}

// schemaBuilder walks the schema of a document.
type schemaBuilder struct {
	table  map[string]key
	guides map[string]guide
	pool   *schema.Schema
}

// object is the schema of an object of the document; its key is where its fields' keys
// are below. A null states nothing.
func (b *schemaBuilder) object(t reflect.Type, at string) (*schema.Schema, error) {
	s := &schema.Schema{Type: schema.Types{"object", "null"}, AdditionalProperties: schema.None()}
	if err := b.fields(s, t, at); err != nil {
		return nil, err
	}
	return s, nil
}

// fields adds the fields of a type in their order, squashed ones included.
func (b *schemaBuilder) fields(s *schema.Schema, t reflect.Type, at string) error {
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("mapstructure")
		if name == ",squash" {
			if err := b.fields(s, f.Type, at); err != nil {
				return err
			}
			continue
		}
		path := f.Tag.Get("key")
		if path == "" {
			path = join(at, name)
		}
		p, err := b.field(f, path)
		if err != nil {
			return err
		}
		s.Properties.Add(name, p)
	}
	return nil
}

// field is the schema of a value: a leaf by its key's form, an object, or the pools.
func (b *schemaBuilder) field(f reflect.StructField, path string) (*schema.Schema, error) {
	switch {
	case f.Type == reflect.TypeFor[leaf]():
		return b.leaf(path)
	case f.Type.Kind() == reflect.Slice: // of pools, each like the cluster
		pool, err := b.object(f.Type.Elem(), "cluster")
		if err != nil {
			return nil, err
		}
		b.pool = pool
		return &schema.Schema{Description: "Pools of unlike GPUs, in place of the fields of one.", Type: schema.Types{"array", "null"},
			Items: &schema.Schema{Ref: "#/$defs/pool"}, MaxItems: maxPools}, nil
	}
	s, err := b.object(f.Type, path)
	if err != nil {
		return nil, err
	}
	scalar := f.Tag.Get("scalar")
	if scalar == "" {
		return s, nil
	}
	p, err := b.leaf(scalarKey(f.Type, scalar, path))
	if err != nil {
		return nil, err
	}
	about := p.Description
	p.Description = ""
	whole := schema.AnyOf(p, s)
	whole.Description = about
	return whole, nil
}

// scalarKey is the key of the field that a scalar in place of an object means.
func scalarKey(t reflect.Type, scalar, path string) string {
	if key := schemaFields(t)[scalar].key; key != "" {
		return key
	}
	return join(path, scalar)
}

// leaf refers to the form of a key.
func (b *schemaBuilder) leaf(path string) (*schema.Schema, error) {
	k, ok := b.table[path]
	if !ok || k.form == "" {
		return nil, fmt.Errorf("the key %q has no form", path)
	}
	s := &schema.Schema{Ref: "#/$defs/" + k.form, Description: b.guides[path].about}
	if s.Description == "" {
		s.Description = strings.ToUpper(k.noun()[:1]) + k.noun()[1:] + "."
	}
	if example := b.guides[path].example; example != "" && !strings.HasPrefix(example, "[") {
		s.Examples = []any{example}
		if n, err := strconv.Atoi(example); err == nil {
			s.Examples = []any{n}
		}
	}
	return s, nil
}
