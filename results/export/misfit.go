package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"partita/inputs"
	"partita/results"
)

// misfits are the places where a JSON text, which is known to be one, does not fit a type:
// fields that the type does not have, or that are given twice, and values of another type.
// encoding/json tells the first alone, of a field not where it is, and takes names in any
// case and the last of two.
func misfits(data []byte, t reflect.Type) inputs.Diagnostics {
	w := &jsonWalk{data: data, d: json.NewDecoder(bytes.NewReader(data))}
	w.d.UseNumber()
	w.value(t, "")
	return w.problems
}

// mostMisfits is how many places are told: of a file that is something else there may be
// thousands.
const mostMisfits = 20

// jsonWalk goes through a text beside the type that it should fit.
type jsonWalk struct {
	data     []byte
	d        *json.Decoder
	problems inputs.Diagnostics
}

// next is where the next value begins.
func (w *jsonWalk) next() int64 {
	at := w.d.InputOffset()
	for at < int64(len(w.data)) && strings.IndexByte(" \t\r\n:,", w.data[at]) >= 0 {
		at++
	}
	return at
}

func (w *jsonWalk) problem(at int64, problem, want, hint string) {
	if len(w.problems) < mostMisfits {
		w.problems = append(w.problems, inputs.Diagnostic{Place: placeAt(w.data, at), Problem: problem, Want: want, Hint: hint})
	}
}

// value takes one value that should be of a type.
func (w *jsonWalk) value(t reflect.Type, path string) {
	at := w.next()
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if at < int64(len(w.data)) && w.data[at] == 'n' { // null fits everything
		_, _ = w.d.Token()
		return
	}
	if t == reflect.TypeFor[results.PerStage]() || t == reflect.TypeFor[results.Recomputes]() { // those that read themselves
		var raw json.RawMessage
		if w.d.Decode(&raw) == nil && json.Unmarshal(raw, reflect.New(t).Interface()) != nil {
			want := "a whole number, or a list with one a stage"
			if t != reflect.TypeFor[results.PerStage]() {
				want = "none, selective or full, or a list with one a stage"
			}
			w.problem(at, named(path)+written(raw), want, "")
		}
		return
	}
	want := kindOf(t)
	if at < int64(len(w.data)) && (t.Kind() == reflect.Struct || t.Kind() == reflect.Map) && w.data[at] == '{' {
		w.object(t, path)
		return
	}
	if at < int64(len(w.data)) && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) && w.data[at] == '[' {
		_, _ = w.d.Token()
		for i := 0; w.d.More(); i++ {
			w.value(t.Elem(), fmt.Sprintf("%s[%d]", path, i))
		}
		_, _ = w.d.Token()
		return
	}
	var raw json.RawMessage
	if w.d.Decode(&raw) != nil {
		return
	}
	if composite := raw[0] == '{' || raw[0] == '['; composite || json.Unmarshal(raw, reflect.New(t).Interface()) != nil {
		w.problem(at, named(path)+written(raw), want, "")
	}
}

// object takes the fields of an object.
func (w *jsonWalk) object(t reflect.Type, path string) {
	_, _ = w.d.Token()
	seen := map[string]int64{}
	for w.d.More() {
		at := w.next()
		token, err := w.d.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return
		}
		below := strings.TrimPrefix(path+"."+name, ".")
		if first, twice := seen[name]; twice {
			w.problem(at, fmt.Sprintf("field %q is given twice", plain(below)), "one value", "the first is in line "+fmt.Sprint(placeAt(w.data, first).Line))
		}
		seen[name] = at
		if t.Kind() == reflect.Map {
			w.value(t.Elem(), below)
			continue
		}
		if field, known := fieldOf(t, name); known {
			w.value(field, below)
			continue
		}
		hint := ""
		if best := inputs.Nearest(name, jsonNames(t)); best != "" {
			hint = fmt.Sprintf("did you mean %q?", best)
		}
		w.problem(at, fmt.Sprintf("unknown field %q", plain(below)), "a field of the plan", hint)
		var skipped json.RawMessage
		if w.d.Decode(&skipped) != nil {
			return
		}
	}
	_, _ = w.d.Token()
}

// fieldOf is the type of a field by its JSON name.
func fieldOf(t reflect.Type, name string) (reflect.Type, bool) {
	for i := range t.NumField() {
		if tag, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); tag != "-" && tag == name {
			return t.Field(i).Type, true
		}
	}
	return nil, false
}

func jsonNames(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		if tag, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); tag != "-" && tag != "" {
			names = append(names, tag)
		}
	}
	return names
}

// kindOf is what is wanted of a type, in words.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.String:
		return "a text"
	case reflect.Slice, reflect.Array:
		return "a list"
	}
	return "an object"
}

func named(path string) string {
	if path == "" {
		return ""
	}
	return plain(path) + ": "
}

// written is a value in a message: short ones as they stand.
func written(raw json.RawMessage) string {
	switch {
	case raw[0] == '{':
		return "an object"
	case raw[0] == '[':
		return "a list"
	}
	return clipped(plain(string(raw)), 60)
}
