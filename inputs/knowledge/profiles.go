package knowledge

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"partita/inputs"
	"partita/inputs/profile"
)

// Profile is a set of constants of the cost model that were measured: for the devices of a
// name, or of a generation. Constants that it does not state stay built in.
type Profile struct {
	Name                    string
	Accelerator, Generation string
	Constants               map[string]float64 // by path, as inputs/profile names them
	Sources                 map[string]string  // of a path or a beginning of one
	Place                   inputs.Place
	statement               int
}

// profile reads one entry of profiles.
func (p *parser) profile(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		p.problem(p.at(n), "the profile is no object", "an object with accelerator or generation, and constants", "partita calibrate -o writes one")
		return
	}
	before := len(p.pack.Problems)
	x := Profile{Place: p.at(n), Constants: map[string]float64{}, Sources: map[string]string{}}
	p.object(n, " of a profile", map[string]func(key, value *yaml.Node){
		"name":        func(_, v *yaml.Node) { x.Name = v.Value },
		"accelerator": func(_, v *yaml.Node) { x.Accelerator = v.Value },
		"generation":  func(_, v *yaml.Node) { x.Generation = v.Value },
		"constants":   func(_, v *yaml.Node) { p.constants(v, "", x.Constants) },
		"sources":     func(_, v *yaml.Node) { p.sources(v, x.Sources) },
	})
	if (x.Accelerator == "") == (x.Generation == "") {
		p.problem(p.at(n), "the profile is of no device", "one of accelerator and generation", "")
	}
	if len(x.Constants) == 0 && len(p.pack.Problems) == before {
		p.problem(p.at(n), "the profile has no constants", "constants: such as operators.gemm16.compute: 0.72", "partita calibrate -o writes one")
	}
	if len(p.pack.Problems) > before {
		return
	}
	var list []string
	for _, path := range profile.Paths() {
		if v, ok := x.Constants[path]; ok {
			list = append(list, fmt.Sprintf("%s %g", path, v))
		}
	}
	text := fmt.Sprintf("profile of %s%s: %s", x.Accelerator, x.Generation, strings.Join(list, ", "))
	if x.Name != "" {
		text = fmt.Sprintf("profile %q of %s%s: %s", x.Name, x.Accelerator, x.Generation, strings.Join(list, ", "))
	}
	x.statement = p.say(p.at(n), text, "")
	p.pack.Profiles = append(p.pack.Profiles, x)
}

// constants reads values by path; what lies below a path may be written as a mapping.
func (p *parser) constants(n *yaml.Node, prefix string, into map[string]float64) {
	if n.Kind != yaml.MappingNode {
		p.problem(p.at(n), "constants are no object", "a value for each path, such as operators.gemm16.compute: 0.72", "")
		return
	}
	known := profile.Paths()
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		path := prefix + key.Value
		below := slices.ContainsFunc(known, func(k string) bool { return strings.HasPrefix(k, path+".") })
		if below && value.Kind == yaml.MappingNode {
			p.constants(value, path+".", into)
			continue
		}
		if !slices.Contains(known, path) {
			hint := "docs/calibrate.md tells what they are"
			if near := inputs.Nearest(path, known); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			p.problem(p.at(key), fmt.Sprintf("no constant %q", short(path)), "the path of a constant of the cost model", hint)
			continue
		}
		if _, twice := into[path]; twice {
			p.problem(p.at(key), path+" is stated twice", "one value", "")
			continue
		}
		v, err := strconv.ParseFloat(value.Value, 64)
		want, right := "a time in seconds from 0 to 1", v >= 0 && v <= 1
		switch {
		case profile.IsShare(path):
			want, right = "a share of the datasheet figure, above 0 and at most 1", v > 0 && v <= 1
		case !profile.IsTime(path):
			want, right = "a number of at least 0", v >= 0
		}
		if err != nil || !right || math.IsInf(v, 0) || value.Kind != yaml.ScalarNode {
			p.problem(p.at(value), fmt.Sprintf("%s is %q", path, short(value.Value)), want, "")
			continue
		}
		into[path] = v
	}
}

// sources reads texts by path.
func (p *parser) sources(n *yaml.Node, into map[string]string) {
	if n.Kind != yaml.MappingNode {
		p.problem(p.at(n), "sources are no object", "a text for each path or beginning of one", "")
		return
	}
	known := profile.Paths()
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !slices.ContainsFunc(known, func(k string) bool { return k == key.Value || strings.HasPrefix(k, key.Value+".") }) {
			p.problem(p.at(key), fmt.Sprintf("no constants below %q", short(key.Value)), "a path of constants, or a beginning of one", "")
			continue
		}
		into[key.Value] = value.Value
	}
}

// profile states constants of devices.
func (a *Applied) profile(x Profile, s *inputs.Statement) {
	origin := x.Place.String()
	if x.Name != "" {
		origin = fmt.Sprintf("profile %q, %s", x.Name, origin)
	}
	sources := map[string]string{}
	for path := range x.Constants {
		sources[path] = origin
		if text := (&inputs.Profile{Sources: x.Sources}).Source(path); text != "" {
			sources[path] += " (" + short(text) + ")"
		}
	}
	extended, names := a.Catalog.WithProfile(x.Accelerator, x.Generation, x.Constants, sources)
	if len(names) > 0 {
		a.Catalog = extended
		s.UsedAs = "catalogue: constants of " + short(strings.Join(names, ", ")) + ", in place of the built-in ones"
		return
	}
	a.Problems = append(a.Problems, a.notKnown(x.Place, x.Accelerator, x.Generation))
}

// notKnown is the problem of an entry for a device or generation that is not there.
func (a *Applied) notKnown(at inputs.Place, accelerator, generation string) inputs.Diagnostic {
	d := inputs.Diagnostic{Place: at, Problem: fmt.Sprintf("accelerator %q is not known", accelerator), Want: "a name of the catalogue or of these packs"}
	near := a.Catalog.SuggestAccelerator(accelerator)
	if accelerator == "" {
		d.Problem, d.Want = fmt.Sprintf("generation %q is not known", generation), "one of "+strings.Join(a.Catalog.Generations(), ", ")
		near = nil
		if best := inputs.Nearest(strings.ToLower(generation), a.Catalog.Generations()); best != "" {
			near = []string{best}
		}
	}
	if len(near) > 0 {
		d.Hint = "did you mean " + strings.Join(near, ", ") + "?"
	}
	return d
}
