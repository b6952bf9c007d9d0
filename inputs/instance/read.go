package instance

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"partita/inputs"
	"partita/inputs/opgraph"
)

// Largest figures that are read: far above every published instance, and small enough
// that a wrong file neither fills the memory nor overflows a sum.
const (
	mostLayers   = 1024
	mostMachines = 1 << 20
	mostStages   = 256
	mostGPUs     = 1024
	mostPrice    = 1e6
	mostTokens   = 1e15
)

// Load reads all instances of a file. The error is inputs.Diagnostics where the file
// can be read but is none: all its problems.
func Load(path string) ([]*Instance, error) {
	data, err := inputs.ReadTable(path)
	if err != nil {
		return nil, inputs.Diagnostics{{Place: inputs.Place{File: path}, Problem: err.Error(), Want: "a file of placement instances, in JSON"}}
	}
	return Parse(path, data)
}

// Parse reads the instances of a JSON text; file names it in problems. What they are is
// told by their content: an object with nodes and edges is an operator graph (named by
// the file), one with a list of instances holds chains (machines) and rentals (segments).
func Parse(file string, data []byte) ([]*Instance, error) {
	if opgraph.Is(data) {
		name := filepath.Base(file)
		name = strings.TrimSuffix(name, filepath.Ext(name))
		g, err := opgraph.Parse(file, name, data)
		if err != nil {
			return nil, err
		}
		return []*Instance{{Name: name, Graph: g}}, nil
	}
	root, err := parseTree(file, data)
	if err != nil {
		return nil, err
	}
	r := &reader{}
	list := r.file(root)
	if err := r.problems.Err(); err != nil {
		return nil, err
	}
	return list, nil
}

// reader turns values into instances and notes every problem on the way.
type reader struct {
	problems inputs.Diagnostics
}

func (r *reader) problem(at inputs.Place, problem, want, hint string) {
	r.problems = append(r.problems, inputs.Diagnostic{Place: at, Problem: problem, Want: want, Hint: hint})
}

func (r *reader) file(root *value) []*Instance {
	const hint = "an operator graph has nodes and edges"
	list := root.field("instances")
	switch {
	case !root.object:
		r.problem(root.at, "a file of instances begins with "+root.kind(), "an object with instances", hint)
		return nil
	case list == nil:
		r.problem(root.at, "no instances", `a list "instances"`, hint)
		return nil
	}
	r.known(root, "a file of instances", "format", "unit", "efficiency", "about", "instances")
	var out []*Instance
	named := map[string]bool{}
	for _, v := range r.list(root, "instances", "instances", true) {
		if !v.object {
			r.problem(v.at, "an instance that is "+v.kind(), "an object", "")
			continue
		}
		i := &Instance{Name: r.text(v, "name", true), About: r.text(v, "about", false)}
		if named[i.Name] && i.Name != "" {
			r.problem(v.field("name").at, fmt.Sprintf("two instances have the name %q", i.Name), "a name of its own for each", "")
		}
		named[i.Name] = true
		machines, segments := v.field("machines"), v.field("segments")
		switch {
		case machines != nil && segments == nil:
			i.Chain = r.chain(v)
		case segments != nil && machines == nil:
			i.Rental = r.rental(v)
		default:
			r.problem(v.at, "an instance with neither machines nor segments, or with both", "machines for a chain, segments for a rental", "")
		}
		out = append(out, i)
	}
	return out
}

// known notes the fields of an object that are none of those that are read, so that a
// slip is not taken for a default.
func (r *reader) known(v *value, what string, names ...string) {
	for i, name := range v.names {
		if slices.Contains(names, name) {
			continue
		}
		hint := ""
		if near := inputs.Nearest(name, names); near != "" {
			hint = "did you mean " + near + "?"
		}
		r.problem(v.items[i].at, fmt.Sprintf("%q is no field of %s", name, what), strings.Join(names, ", "), hint)
	}
}

// list is a list of an object, each with at least one element.
func (r *reader) list(v *value, name, what string, needed bool) []*value {
	f := v.field(name)
	switch {
	case f == nil && needed:
		r.problem(v.at, name+" is missing", "a list of "+what, "")
	case f == nil:
	case !f.list:
		r.problem(f.at, name+" is "+f.kind(), "a list of "+what, "")
	case len(f.items) == 0 && needed:
		r.problem(f.at, name+" is empty", "at least one", "")
	default:
		return f.items
	}
	return nil
}

func (r *reader) text(v *value, name string, needed bool) string {
	f := v.field(name)
	switch {
	case f == nil && needed:
		r.problem(v.at, name+" is missing", "a text", "")
	case f != nil:
		s, ok := f.scalar.(string)
		if !ok || needed && s == "" {
			r.problem(f.at, name+" is "+f.kind(), "a text", "")
		}
		return s
	}
	return ""
}

// whole is a whole number from low to high.
func (r *reader) whole(v *value, name string, low, high int) int {
	want := fmt.Sprintf("a whole number from %d to %d", low, high)
	f := v.field(name)
	if f == nil {
		r.problem(v.at, name+" is missing", want, "")
		return low
	}
	if x, ok := number(f); ok && x == math.Trunc(x) && x >= float64(low) && x <= float64(high) {
		return int(x)
	}
	r.problem(f.at, name+" is "+f.kind(), want, "")
	return low
}

// positive is a number above 0, at most high; 0 where an unneeded one is missing or null.
func (r *reader) positive(v *value, name string, high float64, unit string, needed bool) float64 {
	f := v.field(name)
	if f == nil || f.scalar == nil && !f.list && !f.object && !needed {
		if needed {
			r.problem(v.at, name+" is missing", unit+" above 0", "")
		}
		return 0
	}
	return r.positiveOf(f, name, high, unit)
}

func (r *reader) positiveOf(f *value, name string, high float64, unit string) float64 {
	if x, ok := number(f); ok && x > 0 && x <= high {
		return x
	}
	r.problem(f.at, name+" is "+f.kind(), fmt.Sprintf("%s above 0 and at most %g", unit, high), "")
	return 0
}

// number is the number that a value is.
func number(v *value) (float64, bool) {
	n, ok := v.scalar.(json.Number)
	if !ok {
		return 0, false
	}
	x, err := n.Float64()
	return x, err == nil
}

// section is an object of an object, nil where there is none.
func (r *reader) section(v *value, name string) *value {
	f := v.field(name)
	if f == nil || f.scalar == nil && !f.list && !f.object {
		return nil
	}
	if !f.object {
		r.problem(f.at, name+" is "+f.kind(), "an object", "")
		return nil
	}
	return f
}
