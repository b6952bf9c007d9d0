package scenario

import (
	"fmt"
	"strings"

	"partita/inputs"
	"partita/inputs/read"
)

// filter is one entry of include or exclude: it fits a combination where every mask
// has the value that the combination takes on its axis.
type filter struct{ masks []mask }

// mask says of each value of an axis whether it fits.
type mask struct {
	axis int
	fits []bool
}

func (f *filter) fit(chosen []int) bool {
	for _, m := range f.masks {
		if !m.fits[chosen[m.axis]] {
			return false
		}
	}
	return true
}

// filters keeps the combinations that some entry of include fits (all, without one) and
// no entry of exclude does. An entry that fits nothing is a slip and told.
func (r *reader) filters(b *Batch, include, exclude read.Value) {
	in, out := r.entries(b, include), r.entries(b, exclude)
	if len(in)+len(out) == 0 || len(r.problems) > 0 {
		return
	}
	used := map[*filter]bool{}
	any := func(list []*filter, chosen []int) bool {
		found := false
		for _, f := range list {
			if f.fit(chosen) {
				used[f], found = true, true
			}
		}
		return found
	}
	kept := []int32{}
	for i := range b.combos {
		chosen := b.combo(i)
		excluded := any(out, chosen)
		if included := any(in, chosen); (included || len(in) == 0) && !excluded {
			kept = append(kept, int32(i))
		}
	}
	b.kept = kept
	r.unused(include, in, used)
	r.unused(exclude, out, used)
}

func (r *reader) unused(v read.Value, entries []*filter, used map[*filter]bool) {
	for i, f := range entries {
		if !used[f] {
			r.problem(entryValues(v)[i].ValuePlace(), "the filter fits no combination of the matrix", "values that the axes have", "")
		}
	}
}

// entryValues are the entries of include or exclude: a list, or one alone.
func entryValues(v read.Value) []read.Value {
	if v.IsList() {
		return v.Items()
	}
	return []read.Value{v}
}

func (r *reader) entries(b *Batch, v read.Value) []*filter {
	if v.Empty() {
		return nil
	}
	var out []*filter
	for _, entry := range entryValues(v) {
		if !entry.IsObject() || len(entry.Fields()) == 0 {
			r.problems = append(r.problems, entry.Wrong("axes or fields with the values they must have, such as {batch: [16, 32]}"))
			continue
		}
		f := &filter{}
		r.conditions(b, entry, "", f)
		out = append(out, f)
	}
	return out
}

// conditions reads the keys of an entry: axes, paths of fields, or objects in objects.
func (r *reader) conditions(b *Batch, entry read.Value, path string, f *filter) {
	for _, field := range entry.Fields() {
		key := strings.TrimPrefix(path+"."+field.Key(), ".")
		if field.IsObject() {
			r.conditions(b, field, key, f)
			continue
		}
		wanted := r.wanted(field)
		if m, ok := r.mask(b, key, field.Place(), wanted); ok {
			f.masks = append(f.masks, m)
		}
	}
}

// wanted is the values of a key of a filter: one, or a list of them.
func (r *reader) wanted(v read.Value) []string {
	items := []read.Value{v}
	if v.IsList() {
		items = v.Items()
	}
	var out []string
	for _, item := range items {
		text, ok := item.Text()
		if !ok {
			r.problems = append(r.problems, item.Wrong("a value, or a list of values"))
			continue
		}
		out = append(out, text)
	}
	return out
}

// mask reads one key of a filter: the name of an axis, or a field that an axis sets.
func (r *reader) mask(b *Batch, key string, at inputs.Place, wanted []string) (mask, bool) {
	path := read.Path(key)
	for k, a := range b.axes {
		if !strings.EqualFold(a.name, key) {
			continue
		}
		m := mask{axis: k, fits: make([]bool, len(a.values))}
		for i, av := range a.values {
			for _, w := range wanted {
				m.fits[i] = m.fits[i] || strings.EqualFold(av.label, w) || strings.EqualFold(av.slug, w) ||
					len(av.spec.set) == 1 && read.SameValue(av.spec.set[0].Key, av.spec.set[0].Value, w)
			}
		}
		return m, true
	}
	for k, a := range b.axes {
		m := mask{axis: k, fits: make([]bool, len(a.values))}
		sets := false
		for i, av := range a.values {
			value, ok := valueOf(av.spec, path)
			sets = sets || ok
			if !ok {
				value, ok = valueOf(b.start, path)
			}
			for _, w := range wanted {
				m.fits[i] = m.fits[i] || ok && read.SameValue(path, value, w)
			}
		}
		if sets {
			return m, true
		}
	}
	names := strings.Join(b.Axes(), ", ")
	if names == "" {
		names = "none"
	}
	r.problem(at, fmt.Sprintf("%q is neither an axis nor a field that one sets", key), "an axis ("+names+") or one of their fields", "")
	return mask{}, false
}

// valueOf is the value that a spec gives a field.
func valueOf(s spec, path string) (value string, ok bool) {
	for _, o := range s.set {
		if read.Path(o.Key) == path {
			value, ok = o.Value, true
		}
	}
	return value, ok
}
