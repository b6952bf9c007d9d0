package scenario

import (
	"fmt"
	"path"
	"strings"

	"partita/inputs"
	"partita/inputs/read"
)

// matrix reads the axes. Every combination of their values is a scenario.
func (r *reader) matrix(b *Batch, v read.Value) {
	if v.Empty() {
		return
	}
	if !v.IsList() {
		r.problems = append(r.problems, v.Wrong("a list of axes, such as - {field: workload.batch, values: [16, 32]}"))
		return
	}
	combos := 1
	owner := map[string]int{} // the axis that sets a field
	names := map[string]inputs.Place{}
	for _, item := range v.Items() {
		a, ok := r.axis(item)
		if !ok {
			continue
		}
		key := strings.ToLower(slug(a.name))
		if first, twice := names[key]; twice {
			r.problem(a.at, fmt.Sprintf("two axes are named %s", a.name), "a name of its own for each axis", "the first is at "+first.String()+"; `axis:` names one")
		}
		names[key] = a.at
		r.ownFields(b, &a, owner)
		b.axes = append(b.axes, a)
		if combos *= len(a.values); combos > mostScenarios {
			r.problem(a.at, fmt.Sprintf("the matrix has more than %d combinations", mostScenarios), "fewer values, or several batches", "")
			combos = mostScenarios // told once
			b.axes = nil
			return
		}
	}
	if len(b.axes) > 0 {
		b.combos = combos
	}
}

// ownFields refuses a field, or a base, that two axes decide: which of them counts
// would be told by their order alone.
func (r *reader) ownFields(b *Batch, a *axis, owner map[string]int) {
	own := len(b.axes)
	reported := map[string]bool{}
	take := func(field string, at inputs.Place) {
		if other, taken := owner[field]; taken && other != own && !reported[field] {
			reported[field] = true
			r.problem(at, fmt.Sprintf("axes %s and %s both set %s", b.axes[other].name, a.name, field), "one axis a field", "values of one axis can set several fields together")
			return
		}
		owner[field] = own
	}
	for _, v := range a.values {
		if v.spec.base != nil {
			take("base", v.at)
		}
		for _, o := range v.spec.set {
			take(read.Path(o.Key), o.Place)
		}
	}
}

// axis reads one axis: a field with its values, or values that set several fields or
// add files.
func (r *reader) axis(v read.Value) (axis, bool) {
	fields := r.object(v, "axis", "field", "values")
	if fields == nil {
		return axis{}, false
	}
	before := len(r.problems)
	a := axis{name: r.text(fields["axis"]), at: v.Place()}
	field := r.text(fields["field"])
	if field != "" {
		r.problems = append(r.problems, read.CheckOverrides([]read.Override{{Key: field, Place: fields["field"].ValuePlace()}})...)
	}
	if a.name == "" {
		a.name = field[strings.LastIndexByte(field, '.')+1:]
	}
	if slug(a.name) == "" {
		r.problem(a.at, fmt.Sprintf("an axis is named %q", a.name), "a field, or `axis:` with a name that has a letter or digit", "")
	}
	values := fields["values"]
	if !values.Present() {
		r.problem(v.Place(), "an axis has no values", "values, a list", "")
		return a, false
	}
	switch {
	case !values.IsList():
		r.problems = append(r.problems, values.Wrong("a list of values"))
		return a, false
	case len(values.Items()) == 0:
		r.problem(values.ValuePlace(), "an axis has an empty list of values", "at least one value", "")
		return a, false
	}
	seen := map[string]inputs.Place{}
	for _, item := range values.Items() {
		av, ok := r.axisValue(item, field)
		if !ok {
			continue
		}
		if first, twice := seen[av.label]; twice {
			r.problem(av.at, fmt.Sprintf("axis %s has %q twice", a.name, av.label), "each value once, told apart by `label:`", "the first is at "+first.String())
		}
		seen[av.label] = av.at
		a.values = append(a.values, av)
	}
	nameValues(a.values)
	return a, len(r.problems) == before || len(a.values) > 0
}

// axisValue reads a value of an axis: of its field as it stands, or an object with a
// label and what it sets.
func (r *reader) axisValue(v read.Value, field string) (axisValue, bool) {
	out := axisValue{at: v.ValuePlace()}
	value := v
	if v.IsObject() {
		fields := r.object(v, "label", "value", "base", "add", "set")
		if fields == nil {
			return out, false
		}
		out.label, out.spec = r.text(fields["label"]), r.spec(fields)
		value = fields["value"]
		if !value.Present() && out.spec.base == nil && len(out.spec.add)+len(out.spec.set) == 0 && out.label == "" {
			r.problem(out.at, "a value of an axis says nothing", "value, set, base or add", "")
			return out, false
		}
	}
	if value.Present() {
		text, ok := value.Text()
		switch {
		case !ok:
			r.problems = append(r.problems, value.Wrong("a value"))
			return out, false
		case field == "":
			r.problem(value.ValuePlace(), fmt.Sprintf("%q is a value of no field", text), "`field:` on the axis, or `set:` here", "")
			return out, false
		}
		out.spec.set = append(out.spec.set, read.Override{Key: field, Value: text, Place: value.ValuePlace()})
		if out.label == "" {
			out.label = text
		}
		r.once(out.spec.set)
	}
	if out.label == "" {
		out.label = madeLabel(out.spec)
	}
	return out, true
}

// madeLabel is a label for a value that has none: the names of its files and its values.
func madeLabel(s spec) string {
	var parts []string
	for _, f := range append(append([]string(nil), s.base...), s.add...) {
		parts = append(parts, strings.TrimSuffix(path.Base(f), path.Ext(f)))
	}
	for _, o := range s.set {
		parts = append(parts, o.Value)
	}
	return strings.Join(parts, "+")
}
