package read

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"partita/inputs"
)

// Survey is a condition together with everything that its inputs could have stated:
// what a commented condition file is written from.
type Survey struct {
	Condition *inputs.Condition
	// Fields are all fields of the structured form (docs/condition.md) in its order.
	Fields []Field
}

// Field is one field of the structured form, with a text that it reads.
type Field struct {
	Path  string // "workload.batch"; of a listed pool "cluster.pools.0.count"
	About string // what it means, how it is written and what holds without it
	Text  string
	// Parts are the texts of a field that holds one figure for each number format;
	// Text is then empty.
	Parts  []Part
	List   bool // Text is a list: "[30 GB, 50 GB]"
	Origin Origin
}

// Part is one named text of a field.
type Part struct{ Name, Text string }

// Origin tells where the text of a field comes from.
type Origin int

// Origins of a field's text.
const (
	Stated  Origin = iota // the inputs say so
	Assumed               // nothing is stated; stating this changes nothing
	Example               // nothing is stated, and nothing stands for it
)

// Look reads a condition as Load does and surveys it. What environment and flags
// replaced is surveyed as replaced: one file with the stated fields reads as the
// same condition, its places, assumptions and warnings aside.
func (r *Reader) Look(opts Options) (*Survey, error) {
	d := r.draft(opts)
	c, err := d.condition(opts)
	if err != nil {
		return nil, err
	}
	d.settle(c)
	v := surveyor{draft: d, condition: c, survey: &Survey{Condition: c}}
	for i := range max(d.pools, 1) {
		v.values = append(v.values, d.effective(c, i))
	}
	v.object(reflect.TypeFor[document](), "", 0, false)
	return v.survey, nil
}

// Fields are all fields of the structured form for a cluster with one pool, each with
// an example.
func Fields() []Field {
	v := surveyor{draft: &draft{facts: map[string]fact{}, table: keyTable()}, values: []map[string]any{nil}, survey: &Survey{}}
	v.object(reflect.TypeFor[document](), "", 0, false)
	return v.survey.Fields
}

// Stated are the paths of what the inputs state, complete to a condition or not.
func (r *Reader) Stated(opts Options) (map[string]bool, error) {
	d := r.draft(opts)
	d.beside(opts)
	paths := map[string]bool{"model.config": d.model != nil, "model.graph": d.graph != nil}
	for path := range d.facts {
		paths[path] = true
	}
	return paths, d.problems.Err()
}

// settle turns facts of several ranks into those that one file can state.
func (d *draft) settle(c *inputs.Condition) {
	d.facts["name"] = fact{value: c.Name}
	var packs []string
	for _, p := range d.packs {
		packs = append(packs, filepath.ToSlash(p.path))
	}
	if len(packs) > 0 {
		d.facts["knowledge"] = fact{value: packs}
	}
	for path, general := range d.facts {
		field, ok := strings.CutPrefix(path, "cluster.")
		if !ok || strings.HasPrefix(field, "pools.") || field == "network" || d.pools == 0 || general.rank == fromFile {
			continue
		}
		for i := range d.pools {
			if own, ok := d.facts[poolPath(i, field)]; !ok || own.rank < general.rank {
				d.facts[poolPath(i, field)] = general
			}
		}
		delete(d.facts, path)
	}
	for i := -1; i < d.pools; i++ {
		count, nodes := "cluster.count", "cluster.nodes"
		if i >= 0 {
			count, nodes = poolPath(i, "count"), poolPath(i, "nodes")
		}
		// A number that replaces the file's is of as many nodes as it takes.
		if d.has(count) && d.has(nodes) && d.facts[count].rank > d.facts[nodes].rank {
			delete(d.facts, nodes)
		}
	}
	if d.graph != nil {
		d.facts["model.graph"] = fact{value: filepath.ToSlash(d.graphSource)}
		return
	}
	if d.model == nil {
		return
	}
	if name, ok := d.facts["model.catalog"]; ok && name.rank > d.modelRank {
		return
	}
	delete(d.facts, "model.catalog")
	d.facts["model.config"] = fact{value: filepath.ToSlash(d.modelSource)}
}

// surveyor collects the fields of the schema. The fields of a pool are all told of the
// first pool; of the others, and of a cluster beside its pools, those that are stated.
type surveyor struct {
	*draft
	condition *inputs.Condition
	values    []map[string]any // effective, by pool
	survey    *Survey
}

// object surveys an object of the schema.
func (s *surveyor) object(t reflect.Type, path string, pool int, statedOnly bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("mapstructure")
		switch {
		case name == ",squash":
			s.object(f.Type, path, 0, s.pools > 0)
		case f.Tag.Get("key") != "": // another name of a field that is told
		case f.Type == reflect.TypeFor[[]poolDoc]():
			for p := range s.pools {
				s.object(f.Type.Elem(), join(path, name)+"."+strconv.Itoa(p), p, p > 0)
			}
		case f.Type == reflect.TypeFor[flopsDoc]():
			s.peaks(join(path, name), s.values[pool], statedOnly)
		case f.Type.Kind() == reflect.Struct:
			s.object(f.Type, join(path, name), pool, statedOnly)
		default:
			s.value(join(path, name), s.values[pool], statedOnly)
		}
	}
}

func (s *surveyor) add(f Field) { s.survey.Fields = append(s.survey.Fields, f) }

// generalPath is the path of a field whatever pool it is of.
func generalPath(path string) string {
	if rest, ok := strings.CutPrefix(path, poolPrefix); ok {
		_, field, _ := strings.Cut(rest, ".")
		return "cluster." + field
	}
	return path
}

// value surveys a field with one value.
func (s *surveyor) value(path string, values map[string]any, statedOnly bool) {
	general := generalPath(path)
	k, guide := s.table[general], guides()[general]
	f := Field{Path: path, About: guide.about, Text: guide.example, Origin: Example}
	if stated, ok := s.facts[path]; ok {
		f.Text, f.Origin = k.text(stated.value), Stated
	} else if v, ok := values[general]; ok {
		f.Text, f.Origin = k.text(v), Assumed
	} else if path == "model.parameters" && s.condition != nil && s.graph == nil {
		f.Text = roundParameters(countParameters(s.condition.Model).total())
	}
	if f.Origin != Stated && statedOnly {
		return
	}
	f.List = strings.HasPrefix(f.Text, "[") && strings.HasSuffix(f.Text, "]")
	s.add(f)
}

// peaks surveys the peak compute: one figure, or one for each number format.
func (s *surveyor) peaks(path string, values map[string]any, statedOnly bool) {
	text := s.table["cluster.flops"].text
	parts := func(from func(format string) (any, bool)) (list []Part) {
		for _, format := range dtypes() {
			if v, ok := from(string(format)); ok {
				list = append(list, Part{string(format), text(v)})
			}
		}
		return list
	}
	f := Field{Path: path, About: guides()["cluster.flops"].about, Origin: Stated}
	f.Parts = parts(func(format string) (any, bool) { v, ok := s.facts[path+"."+format]; return v.value, ok })
	if v, ok := s.facts[path]; ok {
		f.Parts = append([]Part{{"any", text(v.value)}}, f.Parts...)
	}
	switch {
	case len(f.Parts) == 1 && f.Parts[0].Name == "any":
		f.Text, f.Parts = f.Parts[0].Text, nil
	case len(f.Parts) > 0:
	case statedOnly:
		return
	default:
		f.Origin = Assumed
		f.Parts = parts(func(format string) (any, bool) { v, ok := values["cluster.flops."+format]; return v, ok })
		if len(f.Parts) == 0 {
			f.Origin, f.Text = Example, guides()["cluster.flops"].example
		}
	}
	s.add(f)
}

// text is a value as the key reads it back.
func (k key) text(v any) string {
	switch v := v.(type) {
	case bound:
		return strings.TrimLeft(k.show(v), "≤≥ ")
	case wire:
		if v.Bidirectional {
			v.BytesPerSecond *= 2
		}
		text := ""
		if v.Kind != inputs.LinkUnknown {
			text = string(v.Kind) + " "
		}
		if v.BytesPerSecond > 0 {
			text += inputs.FormatBandwidth(v.BytesPerSecond)
		}
		if v.Bidirectional {
			text += " bidirectional"
		}
		if v.PerNode {
			text += " per node"
		}
		return strings.TrimSpace(text)
	case []int64:
		if text := showAny(v); len(v) > 1 {
			return "[" + text + "]"
		}
	case []any: // one for each stage
		if len(v) > 1 {
			return "[" + strings.ReplaceAll(k.show(v), "/", ", ") + "]"
		}
	case string:
		return v
	}
	if k.show == nil {
		return fmt.Sprint(v)
	}
	return k.show(v)
}
