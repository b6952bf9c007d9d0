package catalog

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"

	"partita/inputs"
	"partita/inputs/profile"
)

// ReadAccelerator reads one entry of a list of accelerators in a user's file, in the form
// of the catalogue; vendor, generation and source may be left out. origin is its place.
func ReadAccelerator(n *yaml.Node, origin string) (AcceleratorEntry, []Problem) {
	var r acceleratorRecord
	if problems := decodeStrict(n, &r); len(problems) > 0 {
		return AcceleratorEntry{}, problems
	}
	e, wrong := r.figures()
	var problems []Problem
	for _, text := range wrong {
		problems = append(problems, Problem{Line: n.Line, Col: n.Column, Text: fmt.Sprintf("accelerator %q: %s", r.Name, text), Hint: "docs/knowledge.md shows an entry"})
	}
	e.Provenance = joined("; ", origin, r.Source, r.Notes)
	return e, problems
}

// ReadModel reads one entry of a list of models in a user's file: a name, the fields of a
// config.json, and what else is known.
func ReadModel(n *yaml.Node, origin string) (ModelEntry, []Problem) {
	var r modelRecord
	if problems := decodeStrict(n, &r); len(problems) > 0 {
		return ModelEntry{}, problems
	}
	var problems []Problem
	wrong := func(text, want string) {
		problems = append(problems, Problem{Line: n.Line, Col: n.Column, Text: text, Want: want, Hint: "docs/knowledge.md shows an entry"})
	}
	if r.Name == "" {
		wrong("the model has no name", "name")
	}
	if r.Config.Kind == 0 {
		wrong(fmt.Sprintf("model %q has no config", r.Name), "the fields of its config.json")
		return ModelEntry{}, problems
	}
	if !(r.Params >= 0) || r.Params > 1e18 {
		wrong(fmt.Sprintf("model %q: params is %g", r.Name, r.Params), "the number of parameters, such as 8030261248")
	}
	config := &r.Config
	if config.Kind == yaml.AliasNode {
		config = config.Alias
	}
	read := readConfig(config)
	problems = append(problems, read.Problems...)
	m := read.Model
	m.Name, m.DeclaredParams = r.Name, r.Params
	m.Provenance = joined("; ", origin, r.Count, r.Notes)
	return ModelEntry{Model: m, Aliases: r.Aliases, HuggingFace: r.HF, Family: r.Family, Published: r.Params, Notes: r.Notes}, problems
}

func joined(by string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), by)
}

// Extend is the catalogue with more entries. One whose name, however it is written, names
// an entry already takes its place, with the other names that led there; a further name
// that another entry has goes over to it. It returns for each entry what it replaces, in words; "" for nothing.
func (c *Catalog) Extend(devices []AcceleratorEntry, models []ModelEntry) (out *Catalog, replacedDevices, replacedModels []string) {
	out = &Catalog{accelerators: slices.Clone(c.accelerators), models: slices.Clone(c.models)}
	var first []string // names that take precedence, latest entries first
	for _, e := range devices {
		old := renamed(c.accelerator, e.Accelerator.Name, e.Accelerator.Aliases)
		if at, known := indexOf(out.accelerators, e.Accelerator.Name, func(x AcceleratorEntry) string { return x.Accelerator.Name }); known {
			old = joined("; ", inPlaceOf(out.accelerators[at].Provenance), old)
			e.Accelerator.Aliases = append(slices.Clone(e.Accelerator.Aliases), out.accelerators[at].Accelerator.Aliases...)
			out.accelerators[at] = e
		} else {
			out.accelerators = append(out.accelerators, e)
		}
		replacedDevices = append(replacedDevices, old)
		first = append([]string{e.Accelerator.Name}, first...)
	}
	for _, e := range models {
		old := renamed(c.model, e.Model.Name, e.Aliases)
		if at, known := indexOf(out.models, e.Model.Name, func(x ModelEntry) string { return x.Model.Name }); known {
			old = joined("; ", inPlaceOf(out.models[at].Provenance), old)
			e.Aliases = append(append(slices.Clone(e.Aliases), out.models[at].HuggingFace), out.models[at].Aliases...)
			out.models[at] = e
		} else {
			out.models = append(out.models, e)
		}
		replacedModels = append(replacedModels, old)
		first = append([]string{e.Model.Name}, first...)
	}
	out.enter(first)
	return out, replacedDevices, replacedModels
}

func inPlaceOf(provenance string) string {
	return "takes the place of an entry of that name (" + provenance + ")"
}

// renamed says which names of a new entry meant another one, "" where none did.
func renamed(find func(string) string, name string, aliases []string) string {
	var said []string
	for _, n := range append([]string{name}, aliases...) {
		if before := find(n); before != "" && squeeze(before) != squeeze(name) && core(before) != core(name) {
			said = append(said, n+" meant "+before+" before")
		}
	}
	return joined("; ", said...)
}

// accelerator and model are the entry that a name leads to, "" for none.
func (c *Catalog) accelerator(name string) string {
	a, _ := c.Accelerator(name)
	return a.Name
}

func (c *Catalog) model(name string) string {
	m, _ := c.Model(name)
	return m.Name
}

// indexOf finds an entry whose name is written like this.
func indexOf[E any](list []E, name string, of func(E) string) (int, bool) {
	for i, e := range list {
		if squeeze(of(e)) == squeeze(name) || core(of(e)) == core(name) {
			return i, true
		}
	}
	return -1, false
}

// enter sorts the entries and makes their indices; names of the entries listed first are
// entered before all others, and a name that is taken stays with who has it.
func (c *Catalog) enter(first []string) {
	c.devices, c.shapes = newIndex(true), newIndex(false)
	sort.SliceStable(c.accelerators, func(i, j int) bool { return c.accelerators[i].Accelerator.Name < c.accelerators[j].Accelerator.Name })
	sort.SliceStable(c.models, func(i, j int) bool { return c.models[i].Model.Name < c.models[j].Model.Name })
	rank := func(name string) int {
		if i := slices.Index(first, name); i >= 0 {
			return i
		}
		return len(first)
	}
	byRank := func(n int, name func(int) string) []int {
		order := make([]int, n)
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return rank(name(a)) - rank(name(b)) })
		return order
	}
	for _, i := range byRank(len(c.accelerators), func(i int) string { return c.accelerators[i].Accelerator.Name }) {
		e := &c.accelerators[i]
		c.devices.claim(i, e.Accelerator.Name, e.Accelerator.Aliases...)
	}
	for _, i := range byRank(len(c.models), func(i int) string { return c.models[i].Model.Name }) {
		e := &c.models[i]
		names := append([]string{e.HuggingFace}, e.Aliases...)
		c.shapes.claim(i, e.Model.Name, slices.DeleteFunc(names, func(s string) bool { return s == "" })...)
	}
}

// WithEfficiency is the catalogue with the utilisation of some devices stated: those of a
// name, or where it is empty of a generation. It returns the devices concerned, by name.
func (c *Catalog) WithEfficiency(name, generation string, e inputs.Efficiency, origin string) (*Catalog, []string) {
	out := *c
	out.accelerators = slices.Clone(c.accelerators)
	var names []string
	for _, i := range c.concerned(name, generation) {
		a := &out.accelerators[i]
		own := e
		a.Efficiency = &own
		a.Provenance = joined("; ", a.Provenance, "utilisation: "+origin)
		names = append(names, a.Accelerator.Name)
	}
	return &out, names
}

// WithProfile is the catalogue with constants of the cost model for some devices: those of a
// name, or where it is empty of a generation. Values and sources are by path; constants that
// are not stated stay as they were. It returns the devices concerned, by name.
func (c *Catalog) WithProfile(name, generation string, values map[string]float64, sources map[string]string) (*Catalog, []string) {
	out := *c
	out.accelerators = slices.Clone(c.accelerators)
	var names []string
	for _, i := range c.concerned(name, generation) {
		a := &out.accelerators[i]
		own := a.Profile
		if own == nil {
			own = profile.Of(a.Generation)
		}
		for _, path := range slices.Sorted(maps.Keys(values)) {
			next, err := profile.With(own, map[string]float64{path: values[path]}, sources[path])
			if err != nil {
				continue // readers of packs refuse paths that no constant has
			}
			own = next
		}
		a.Profile = own
		names = append(names, a.Accelerator.Name)
	}
	return &out, names
}

// concerned are the indices of the devices of a name, or where it is empty of a generation.
func (c *Catalog) concerned(name, generation string) []int {
	wanted, named := c.devices.find(name)
	var out []int
	for i := range c.accelerators {
		if name != "" && (!named || i != wanted) || name == "" && !strings.EqualFold(c.accelerators[i].Generation, generation) {
			continue
		}
		out = append(out, i)
	}
	return out
}

// Generations lists the generations of the devices, sorted.
func (c *Catalog) Generations() []string {
	var out []string
	for _, e := range c.accelerators {
		if e.Generation != "" && !slices.Contains(out, e.Generation) {
			out = append(out, e.Generation)
		}
	}
	slices.Sort(out)
	return out
}
