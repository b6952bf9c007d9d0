package catalog

import (
	"embed"
	"errors"
	"fmt"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"

	"partita/inputs"
)

//go:embed accelerators.yaml models.yaml
var data embed.FS

// Catalog holds what is known of accelerators and models. It is not changed
// after Load and is safe for concurrent use.
type Catalog struct {
	accelerators []AcceleratorEntry // by name
	models       []ModelEntry       // by name
	devices      index
	shapes       index
}

// Load reads the built-in catalogue. An error means that the catalogue itself is
// at fault: every entry that is wrong is named.
func Load() (*Catalog, error) {
	devices, err := data.ReadFile("accelerators.yaml")
	if err != nil {
		return nil, err
	}
	models, err := data.ReadFile("models.yaml")
	if err != nil {
		return nil, err
	}
	return parse(devices, models)
}

// parse builds a catalogue from the text of its two files.
func parse(devices, models []byte) (*Catalog, error) {
	c := &Catalog{devices: newIndex(true), shapes: newIndex(false)}
	var d struct {
		Accelerators []acceleratorRecord `yaml:"accelerators"`
	}
	if err := strict(devices, &d); err != nil {
		return nil, fmt.Errorf("catalogue of accelerators: %w", err)
	}
	var m struct {
		Models []modelRecord `yaml:"models"`
	}
	if err := strict(models, &m); err != nil {
		return nil, fmt.Errorf("catalogue of models: %w", err)
	}
	var problems []error
	for _, r := range d.Accelerators {
		e, err := r.entry()
		problems = append(problems, err)
		c.accelerators = append(c.accelerators, e)
	}
	for _, r := range m.Models {
		e, err := r.entry()
		problems = append(problems, err)
		c.models = append(c.models, e)
	}
	sort.SliceStable(c.accelerators, func(i, j int) bool {
		return c.accelerators[i].Accelerator.Name < c.accelerators[j].Accelerator.Name
	})
	sort.SliceStable(c.models, func(i, j int) bool { return c.models[i].Model.Name < c.models[j].Model.Name })
	for i, e := range c.accelerators {
		written := e.Accelerator.Aliases
		problems = append(problems, c.devices.add(i, e.Accelerator.Name, written...))
	}
	for i, e := range c.models {
		written := e.Aliases
		if e.HuggingFace != "" {
			written = append([]string{e.HuggingFace}, e.Aliases...)
		}
		problems = append(problems, c.shapes.add(i, e.Model.Name, written...))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return c, nil
}

// strict decodes YAML and refuses fields that are not known.
func strict(text []byte, into any) error {
	d := yaml.NewDecoder(strings.NewReader(string(text)))
	d.KnownFields(true)
	return d.Decode(into)
}

// Accelerator finds a device by any of its names.
func (c *Catalog) Accelerator(name string) (inputs.Accelerator, bool) {
	e, ok := c.AcceleratorEntry(name)
	return e.Accelerator, ok
}

// AcceleratorEntry is Accelerator with what the catalogue knows besides.
func (c *Catalog) AcceleratorEntry(name string) (AcceleratorEntry, bool) {
	i, ok := c.devices.find(name)
	if !ok {
		return AcceleratorEntry{}, false
	}
	return c.accelerators[i].copied(), true
}

// Accelerators lists every device by name.
func (c *Catalog) Accelerators() []inputs.Accelerator {
	out := make([]inputs.Accelerator, len(c.accelerators))
	for i, e := range c.accelerators {
		out[i] = e.copied().Accelerator
	}
	return out
}

// Variants names the other devices that the same words could mean: for "A100"
// the 40 GB and the PCIe parts. Empty where the name leaves no choice.
func (c *Catalog) Variants(name string) []string {
	chosen, ok := c.devices.find(name)
	if !ok {
		return nil
	}
	asked := strings.Fields(wordSet(name))
	var out []string
	for i, e := range c.accelerators {
		if i != chosen && subset(asked, strings.Fields(wordSet(e.Accelerator.Name))) {
			out = append(out, e.Accelerator.Name)
		}
	}
	return out
}

func subset(part, whole []string) bool {
	for _, p := range part {
		found := false
		for _, w := range whole {
			found = found || p == w
		}
		if !found {
			return false
		}
	}
	return true
}

// Model finds a model by any of its names. A number format at the end of the name
// ("Llama-3.1-405B-FP8") replaces the published one.
func (c *Catalog) Model(name string) (inputs.Model, bool) {
	e, ok := c.ModelEntry(name)
	return e.Model, ok
}

// ModelEntry is Model with what the catalogue knows besides.
func (c *Catalog) ModelEntry(name string) (ModelEntry, bool) {
	if i, ok := c.findModel(name); ok {
		return c.models[i].copied(), true
	}
	plain, format, ok := cutFormat(name)
	if !ok {
		return ModelEntry{}, false
	}
	i, ok := c.findModel(plain)
	if !ok {
		return ModelEntry{}, false
	}
	e := c.models[i].copied()
	e.Model.Weights, e.Model.Dense, e.Model.Projections, e.Model.KV = format, "", "", kvFormat(format)
	return e, true
}

// findModel looks a name up with and without the owner before its slash.
func (c *Catalog) findModel(name string) (int, bool) {
	if i, ok := c.shapes.find(name); ok {
		return i, true
	}
	if _, bare, ok := strings.Cut(name, "/"); ok {
		return c.shapes.find(bare)
	}
	return 0, false
}

// Models lists every model by name.
func (c *Catalog) Models() []inputs.Model {
	out := make([]inputs.Model, len(c.models))
	for i, e := range c.models {
		out[i] = e.copied().Model
	}
	return out
}

// Suggest returns up to three names, of accelerators and models, that are close
// to one that is not known; best first.
func (c *Catalog) Suggest(name string) []string {
	return nearest(name, append(append([]spelling(nil), c.devices.spellings...), c.shapes.spellings...))
}

// SuggestAccelerator is Suggest among accelerators alone.
func (c *Catalog) SuggestAccelerator(name string) []string {
	return nearest(name, c.devices.spellings)
}

// SuggestModel is Suggest among models alone.
func (c *Catalog) SuggestModel(name string) []string { return nearest(name, c.shapes.spellings) }
