// Package scenario reads the config of a batch: base condition files, a matrix of axes
// whose values override fields or add files, named scenarios, filters and settings
// (docs/batch.md). A Batch lists its scenarios in a fixed order, each with a unique
// name that is safe as the name of a folder; a scenario is read into a condition by
// read.Reader, which reports what is wrong with it.
//
// Scenarios are made when they are asked for: a batch of a million holds its axes, not
// a million scenarios.
package scenario

import (
	"path/filepath"

	"partita/inputs"
	"partita/inputs/read"
)

// Batch is the config of a batch.
type Batch struct {
	Name     string
	File     string // as it was given
	Folder   string // where the paths of condition files start
	Settings Settings

	start spec
	axes  []axis
	// kept are the combinations of axes that the filters leave; nil: all of them.
	kept   []int32
	combos int // number of combinations, filtered ones included
	named  []named
	env    []string
}

// Scenario is one condition of a batch: files, and what overrides them.
type Scenario struct {
	Index  int
	Name   string
	Values []Value // what was chosen on each axis; empty for a named scenario
	Files  []string
	Model  string // catalogue name or path of a config.json; "": as the files say
	Set    []read.Override

	modelPlace inputs.Place
	env        []string
}

// Value is what a scenario takes on one axis.
type Value struct{ Axis, Label string }

// spec is what the batch, a value of an axis or a named scenario says: files to start
// from, files to add to those, and overrides.
type spec struct {
	base []string // nil: not stated
	add  []string
	set  []read.Override
}

// named is a scenario that is listed by itself.
type named struct {
	name string
	at   inputs.Place
	spec spec
}

// axis is one dimension of the matrix.
type axis struct {
	name   string
	at     inputs.Place
	values []axisValue
}

// axisValue is one value of an axis. Label is as written, slug is its part of a name.
type axisValue struct {
	label, slug string
	at          inputs.Place
	spec        spec
}

// Len is the number of scenarios.
func (b *Batch) Len() int { return b.matrixLen() + len(b.named) }

// matrixLen is the number of scenarios of the matrix.
func (b *Batch) matrixLen() int {
	if b.kept != nil {
		return len(b.kept)
	}
	return b.combos
}

// Axes are the names of the axes, in order.
func (b *Batch) Axes() []string {
	names := make([]string, len(b.axes))
	for i, a := range b.axes {
		names[i] = a.name
	}
	return names
}

// Scenario is the scenario of an index from 0 to Len()-1: those of the matrix first,
// the last axis changing fastest, then the named ones.
func (b *Batch) Scenario(i int) Scenario {
	s := Scenario{Index: i, env: b.env}
	parts := []spec{b.start}
	if n := b.matrixLen(); i < n {
		chosen := b.choice(i)
		for k, v := range chosen {
			s.Values = append(s.Values, Value{b.axes[k].name, b.axes[k].values[v].label})
			parts = append(parts, b.axes[k].values[v].spec)
		}
		s.Name = b.comboName(chosen)
	} else {
		s.Name = b.named[i-n].name
		parts = append(parts, b.named[i-n].spec)
	}
	s.assemble(parts, b.File)
	return s
}

// choice is the value of each axis of the i-th scenario of the matrix.
func (b *Batch) choice(i int) []int {
	if b.kept != nil {
		i = int(b.kept[i])
	}
	return b.combo(i)
}

// combo is a combination by its number, filtered ones included.
func (b *Batch) combo(i int) []int {
	chosen := make([]int, len(b.axes))
	for k := len(b.axes) - 1; k >= 0; k-- {
		n := len(b.axes[k].values)
		chosen[k] = i % n
		i /= n
	}
	return chosen
}

// assemble puts the parts of a scenario together: the last base counts, added files
// come behind it, and of two overrides of one field the later counts. Places name the
// config as if it stood in its own folder, like the files that it names: results are
// then the same wherever a batch runs.
func (s *Scenario) assemble(parts []spec, config string) {
	for _, p := range parts {
		if p.base != nil {
			s.Files = p.base
		}
	}
	s.Files = append([]string(nil), s.Files...)
	for _, p := range parts {
		s.Files = append(s.Files, p.add...)
		for _, o := range p.set {
			if o.Place.File == config {
				o.Place.File = filepath.Base(config)
			}
			if isModel(o) {
				s.Model, s.modelPlace = o.Value, o.Place
				continue
			}
			s.Set = append(s.Set, o)
		}
	}
}

// isModel reports whether an override names the model, which then replaces that of the
// files instead of contradicting it.
func isModel(o read.Override) bool { return read.Path(o.Key) == "model.catalog" }

// Condition reads the scenario. Its name becomes the condition's.
func (s *Scenario) Condition(r *read.Reader) (*inputs.Condition, error) {
	c, err := r.Load(read.Options{
		Paths: s.Files, Model: s.Model, ModelPlace: s.modelPlace, Overrides: s.Set, Env: s.env,
	})
	if err != nil {
		return nil, err
	}
	c.Name = s.Name
	return c, nil
}
