package knowledge

import (
	"fmt"
	"strings"

	"partita/inputs"
	"partita/inputs/catalog"
)

// Applied is what packs amount to together.
type Applied struct {
	Catalog    *catalog.Catalog
	Rules      []inputs.Rule
	Statements []inputs.Statement
	Problems   inputs.Diagnostics
}

// Apply adds packs to a catalogue, in their order: a later entry takes the place of an
// earlier or built-in one of its name, which its statement says. Rules of all packs bind,
// so that no two may have one name.
func Apply(c *catalog.Catalog, packs []Pack) Applied {
	out := Applied{Catalog: c}
	first := map[string]inputs.Place{} // of each rule's name
	for _, p := range packs {
		out.Problems = append(out.Problems, p.Problems...)
		var devices []catalog.AcceleratorEntry
		for _, e := range p.accelerators {
			devices = append(devices, e.value)
		}
		var models []catalog.ModelEntry
		for _, e := range p.models {
			models = append(models, e.value)
		}
		statements := append([]inputs.Statement(nil), p.Statements...)
		if len(devices)+len(models) > 0 {
			extended, oldDevices, oldModels := out.Catalog.Extend(devices, models)
			out.Catalog = extended
			for i, e := range p.accelerators {
				statements[e.statement].UsedAs = entered(oldDevices[i])
			}
			for i, e := range p.models {
				statements[e.statement].UsedAs = entered(oldModels[i])
			}
		}
		for _, e := range p.Efficiencies {
			out.efficiency(e, &statements[e.statement])
		}
		for _, x := range p.Profiles {
			out.profile(x, &statements[x.statement])
		}
		for _, r := range p.Rules {
			if at, twice := first[r.Name]; twice {
				out.Problems = append(out.Problems, inputs.Diagnostic{Place: r.Place, Problem: fmt.Sprintf("rule %q is stated twice", r.Name), Want: "a name of its own", Hint: "the first is at " + at.String()})
				continue
			}
			first[r.Name] = r.Place
			out.Rules = append(out.Rules, r)
		}
		out.Statements = append(out.Statements, statements...)
	}
	return out
}

// entered says what became of an entry for the catalogue.
func entered(old string) string {
	switch {
	case old == "":
		return "catalogue: added"
	case strings.HasPrefix(old, "takes the place"):
		return "catalogue: " + short(old)
	}
	return "catalogue: added; " + short(old)
}

// efficiency states a utilisation of devices.
func (a *Applied) efficiency(e Efficiency, s *inputs.Statement) {
	origin := e.Place.String()
	if e.Source != "" {
		origin += " (" + e.Source + ")"
	}
	extended, names := a.Catalog.WithEfficiency(e.Accelerator, e.Generation, e.Efficiency, origin)
	if len(names) > 0 {
		a.Catalog = extended
		s.UsedAs = "catalogue: utilisation of " + short(strings.Join(names, ", ")) + ", in place of the built-in efficiencies"
		return
	}
	a.Problems = append(a.Problems, a.notKnown(e.Place, e.Accelerator, e.Generation))
}
