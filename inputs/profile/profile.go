package profile

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"partita/inputs"
)

//go:embed profiles.yaml fitted.yaml
var files embed.FS

// Unknown names the profile of a device whose generation is not known.
const Unknown = "unknown"

// unknownUses is the generation whose constants stand in for an unknown one.
const unknownUses = "hopper"

// record is one generation of profiles.yaml.
type record struct {
	Name      string            `yaml:"name"`
	From      string            `yaml:"from"`
	Constants map[string]any    `yaml:"constants"`
	Sources   map[string]string `yaml:"sources"`
}

// Fit is what was fitted of a generation: one entry of fitted.yaml.
type Fit struct {
	Generation string             `yaml:"generation"`
	Families   []string           `yaml:"families"` // of measurements, fitted on
	Constants  map[string]float64 `yaml:"constants"`
	// Without has the constants that were fitted without one of the families.
	Without map[string]map[string]float64 `yaml:"without"`
}

// book is the content of both files.
type book struct {
	records []record
	fits    []Fit
	all     map[string]*inputs.Profile // by generation
	// unseen are the profiles without a family that was fitted on, made when first asked for.
	unseen func() map[unseenKey]*inputs.Profile
}

type unseenKey struct{ generation, family string }

// builtIn reads the embedded files once. They are part of the program, so an error is a
// fault of the program; a test reads them.
var builtIn = sync.OnceValue(func() *book {
	profiles, err := files.ReadFile("profiles.yaml")
	if err != nil {
		panic(err)
	}
	fitted, err := files.ReadFile("fitted.yaml")
	if err != nil {
		panic(err)
	}
	b, err := parse(profiles, fitted)
	if err != nil {
		panic(fmt.Sprintf("built-in profiles: %v", err))
	}
	return b
})

// Of is the profile of a generation: of the longest known beginning of its name, so that
// "gaudi3" and "blackwell ultra" find their family. Where none is known it is that of
// Hopper under the name Unknown. It is shared and must not be changed.
func Of(generation string) *inputs.Profile { return builtIn().of(generation) }

// Without is the profile of a generation with the constants that were fitted without a
// family of measurements; Of's where that family was not fitted on. It is shared and must
// not be changed.
func Without(generation, family string) *inputs.Profile {
	b := builtIn()
	name := b.find(generation)
	if p := b.unseen()[unseenKey{cmp.Or(name, unknownUses), family}]; p != nil {
		return named(p, name, generation)
	}
	return b.of(generation)
}

// Resolve is the profile of a generation with other fits than the built-in ones, without a
// family of measurements where one is named.
func Resolve(fits []Fit, generation, family string) (*inputs.Profile, error) {
	b := book{records: builtIn().records, fits: fits}
	return b.resolve(generation, family)
}

// Fits lists what was fitted, in the order of generations.
func Fits() []Fit { return builtIn().fits }

func (b *book) of(generation string) *inputs.Profile {
	name := b.find(generation)
	return named(b.all[cmp.Or(name, unknownUses)], name, generation)
}

// named is a profile as its own generation's, or as a stand-in for an unknown one, whose
// switch is not known to sum.
func named(p *inputs.Profile, found, asked string) *inputs.Profile {
	if found != "" {
		return p
	}
	out := *p
	out.Generation = Unknown
	out.Sources = maps.Clone(p.Sources)
	for path, constant := range map[string]*float64{"switch_latency": &out.Links.NVLink.SwitchLatency, "switch_share": &out.Links.NVLink.SwitchShare} {
		*constant, out.Sources["links.nvlink."+path] = 0, "not known of this device to sum in its switch"
	}
	return &out
}

// find is the generation that a name belongs to; "" where none is known.
func (b *book) find(generation string) string {
	key, best := strings.ToLower(strings.TrimSpace(generation)), ""
	for i := range b.records {
		if name := b.records[i].Name; strings.HasPrefix(key, name) && len(name) > len(best) {
			best = name
		}
	}
	return best
}

// parse reads both files and resolves every generation.
func parse(profiles, fitted []byte) (*book, error) {
	var p struct {
		Generations []record `yaml:"generations"`
	}
	var f struct {
		Generations []Fit `yaml:"generations"`
	}
	if err := strict(profiles, &p); err != nil {
		return nil, fmt.Errorf("profiles.yaml: %w", err)
	}
	if err := strict(fitted, &f); err != nil {
		return nil, fmt.Errorf("fitted.yaml: %w", err)
	}
	b := &book{records: p.Generations, fits: f.Generations, all: map[string]*inputs.Profile{}}
	var problems []error
	for _, r := range b.records {
		resolved, err := b.resolve(r.Name, "")
		if err != nil {
			problems = append(problems, fmt.Errorf("generation %q: %w", r.Name, err))
			continue
		}
		b.all[r.Name] = resolved
	}
	for _, fit := range b.fits {
		if b.record(fit.Generation) == nil {
			problems = append(problems, fmt.Errorf("fitted.yaml: no generation %q", fit.Generation))
		}
	}
	b.unseen = sync.OnceValue(b.makeUnseen)
	return b, errors.Join(problems...)
}

func (b *book) makeUnseen() map[unseenKey]*inputs.Profile {
	out := map[unseenKey]*inputs.Profile{}
	for _, r := range b.records {
		for _, f := range b.fits {
			for family := range f.Without {
				p, err := b.resolve(r.Name, family)
				if err != nil {
					panic(fmt.Sprintf("built-in profiles: %v", err)) // resolved before, with other numbers
				}
				out[unseenKey{r.Name, family}] = p
			}
		}
	}
	return out
}

func strict(text []byte, into any) error {
	d := yaml.NewDecoder(strings.NewReader(string(text)))
	d.KnownFields(true)
	return d.Decode(into)
}

func (b *book) record(name string) *record {
	for i := range b.records {
		if b.records[i].Name == name {
			return &b.records[i]
		}
	}
	return nil
}

func (b *book) fit(name string) *Fit {
	for i := range b.fits {
		if b.fits[i].Generation == name {
			return &b.fits[i]
		}
	}
	return nil
}
