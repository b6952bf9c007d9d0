package profile

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"partita/inputs"
)

// fittedSource is the source of a constant of fitted.yaml.
const fittedSource = "fitted on published measurements: "

// resolve is the profile of a generation: each constant from the nearest generation that
// states it, along `from`; fits without a family where one is named.
func (b *book) resolve(name, family string) (*inputs.Profile, error) {
	chain, err := b.chain(name)
	if err != nil {
		return nil, err
	}
	out := &inputs.Profile{Generation: name, Sources: map[string]string{}, Inherited: map[string]string{}}
	if name == "" {
		out.Generation = Unknown
	}
	values, problems := map[string]float64{}, []error{}
	for _, r := range chain {
		own := map[string]float64{}
		if err := flatten(r.Constants, "", own); err != nil {
			problems = append(problems, err)
		}
		source := inputs.Profile{Sources: r.Sources}
		fitted := b.fitted(r.Name, family)
		for path, v := range fitted.Constants {
			own[path] = v
		}
		for _, path := range slices.Sorted(maps.Keys(own)) {
			if _, ok := values[path]; ok {
				continue // a nearer generation states it
			}
			values[path] = own[path]
			text := source.Source(path)
			if _, ok := fitted.Constants[path]; ok {
				text = fittedSource + strings.Join(fitted.sayOn(path), ", ")
			}
			if text == "" {
				problems = append(problems, fmt.Errorf("%s of %q has no source", path, r.Name))
			}
			out.Sources[path] = text
			if r.Name != out.Generation {
				out.Inherited[path] = r.Name
			}
		}
	}
	walk(reflect.ValueOf(out).Elem(), "", func(path string, v reflect.Value) {
		x, ok := values[path]
		if !ok {
			problems = append(problems, fmt.Errorf("%s is not stated", path))
		}
		v.SetFloat(x)
		delete(values, path)
	})
	for _, path := range slices.Sorted(maps.Keys(values)) {
		problems = append(problems, fmt.Errorf("no constant %q", path))
	}
	return out, errors.Join(problems...)
}

// chain is a generation and those that it inherits from, nearest first.
func (b *book) chain(name string) ([]*record, error) {
	if name == "" {
		name = unknownUses
	}
	var out []*record
	for name != "" {
		r := b.record(name)
		if r == nil {
			return nil, fmt.Errorf("no generation %q", name)
		}
		if slices.Contains(out, r) {
			return nil, fmt.Errorf("%q inherits from itself", name)
		}
		out = append(out, r)
		name = r.From
	}
	return out, nil
}

// fitted is what was fitted of a generation, without a family where one is named.
func (b *book) fitted(generation, family string) Fit {
	f := b.fit(generation)
	if f == nil {
		return Fit{}
	}
	out := *f
	if without := f.Without[family]; family != "" && without != nil {
		out.Constants = without
		out.Families = slices.DeleteFunc(slices.Clone(f.Families), func(s string) bool { return s == family })
	}
	return out
}

// sayOn lists the families that had a say on a constant: without one of them it is another,
// or not fitted.
func (f *Fit) sayOn(path string) []string {
	var out []string
	for _, family := range f.Families {
		if v, ok := f.Without[family][path]; !ok || v != f.Constants[path] {
			out = append(out, family)
		}
	}
	return out
}

// flatten makes paths of nested mappings.
func flatten(tree map[string]any, prefix string, into map[string]float64) error {
	var problems []error
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		path := prefix + key
		switch v := tree[key].(type) {
		case map[string]any:
			problems = append(problems, flatten(v, path+".", into))
		case float64:
			into[path] = v
		case int:
			into[path] = float64(v)
		default:
			problems = append(problems, fmt.Errorf("%s is %v, not a number", path, v))
		}
	}
	return errors.Join(problems...)
}
