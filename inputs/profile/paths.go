package profile

import (
	"fmt"
	"reflect"
	"strings"

	"partita/inputs"
)

// Paths lists the paths of all constants, in the order of inputs.Profile.
func Paths() []string {
	var out []string
	walk(reflect.ValueOf(&inputs.Profile{}).Elem(), "", func(path string, _ reflect.Value) { out = append(out, path) })
	return out
}

// Value is the constant of a path.
func Value(p *inputs.Profile, path string) (value float64, ok bool) {
	walk(reflect.ValueOf(p).Elem(), "", func(at string, v reflect.Value) {
		if at == path {
			value, ok = v.Float(), true
		}
	})
	return value, ok
}

// With is a copy of a profile with other values of some constants, by path, that come
// from the source given. The error names a path that no constant has.
func With(p *inputs.Profile, values map[string]float64, source string) (*inputs.Profile, error) {
	out := *p
	out.Sources, out.Inherited = clone(p.Sources), clone(p.Inherited)
	found := 0
	walk(reflect.ValueOf(&out).Elem(), "", func(path string, v reflect.Value) {
		if x, ok := values[path]; ok {
			v.SetFloat(x)
			out.Sources[path] = source
			delete(out.Inherited, path)
			found++
		}
	})
	if found < len(values) {
		for path := range values {
			if _, ok := Value(p, path); !ok {
				return nil, fmt.Errorf("no constant %q", path)
			}
		}
	}
	return &out, nil
}

func clone(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// walk visits the constants below a structure: all numbers, by their JSON names.
func walk(v reflect.Value, prefix string, visit func(path string, v reflect.Value)) {
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		path := prefix + name
		switch f := v.Field(i); f.Kind() {
		case reflect.Struct:
			walk(f, path+".", visit)
		case reflect.Float64:
			visit(path, f)
		}
	}
}
