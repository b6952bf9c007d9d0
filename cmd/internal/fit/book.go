package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"sort"
	"strconv"

	"partita/formulation/validate"
	"partita/inputs"
	"partita/inputs/profile"
)

// book is what was fitted, by generation.
type book struct{ fits []profile.Fit }

// add puts a part of what was fitted of a generation beside its other parts.
func (b *book) add(f profile.Fit) {
	at := slices.IndexFunc(b.fits, func(o profile.Fit) bool { return o.Generation == f.Generation })
	if at < 0 {
		b.fits = append(b.fits, f)
		sort.Slice(b.fits, func(i, j int) bool { return b.fits[i].Generation < b.fits[j].Generation })
		return
	}
	o := b.fits[at]
	// A family that had no say in a part has its constants as they were fitted on all.
	of := func(f *profile.Fit, family string) map[string]float64 {
		if own, ok := f.Without[family]; ok {
			return own
		}
		return f.Constants
	}
	merged := profile.Fit{Generation: f.Generation, Constants: union(o.Constants, f.Constants), Without: map[string]map[string]float64{}}
	for _, family := range append(slices.Clone(o.Families), f.Families...) {
		if !slices.Contains(merged.Families, family) {
			merged.Families = append(merged.Families, family)
			merged.Without[family] = union(of(&o, family), of(&f, family))
		}
	}
	slices.Sort(merged.Families)
	b.fits[at] = merged
}

// union has the constants of two parts, which have none in common.
func union(a, b map[string]float64) map[string]float64 {
	out := map[string]float64{}
	maps.Copy(out, a)
	maps.Copy(out, b)
	return out
}

// forget takes constants out, and families that no constant is left of.
func (b *book) forget(g generation) {
	for i := range b.fits {
		f := &b.fits[i]
		if f.Generation != g.name {
			continue
		}
		drop := func(m map[string]float64) map[string]float64 {
			out := maps.Clone(m)
			for _, c := range g.constants {
				delete(out, c.path)
			}
			return out
		}
		f.Constants = drop(f.Constants)
		kept := map[string]map[string]float64{}
		for family, m := range f.Without {
			// What is as fitted on all rows came of another part.
			if m = drop(m); !maps.Equal(m, f.Constants) {
				kept[family] = m
			}
		}
		f.Without = kept
		f.Families = slices.DeleteFunc(slices.Clone(f.Families), func(family string) bool { return kept[family] == nil })
	}
	b.fits = slices.DeleteFunc(b.fits, func(f profile.Fit) bool { return len(f.Constants) == 0 })
}

// base is the profile that the constants of a part start from: what is written by hand, and
// what was fitted of other parts and of the generations it inherits from, without a family
// where one is named.
func (b *book) base(g generation, family string) (*inputs.Profile, error) {
	others := &book{fits: slices.Clone(b.fits)}
	others.forget(g)
	return profile.Resolve(others.fits, g.name, family)
}

// fitGeneration fits a generation on all its families, and without each.
func fitGeneration(ctx context.Context, w io.Writer, bench *validate.Bench, b *book, g generation) (*profile.Fit, error) {
	declaredOf := 0
	for _, o := range declared() {
		if o.name == g.name {
			declaredOf += len(o.constants)
		}
	}
	if declaredOf > mostConstants {
		return nil, fmt.Errorf("%d constants are declared; at most %d may be fitted", declaredOf, mostConstants)
	}
	d, err := dataOf(ctx, bench, g.name, g.part)
	if err != nil {
		return nil, err
	}
	p, err := b.problem(d, g, "")
	if err != nil {
		return nil, err
	}
	all, err := p.supportedFit(ctx, p.start)
	if err != nil {
		return nil, err
	}
	before, err := p.every(ctx, p.start)
	if err != nil {
		return nil, err
	}
	after, err := p.every(ctx, all.values)
	if err != nil {
		return nil, err
	}
	families := d.families()
	fmt.Fprintf(w, "\n%s, %s: %d constants fitted on %d rows of %d families\n", g.name, g.part.name, len(g.constants)-len(all.unsupported), len(d.rows), len(families))
	for i, c := range g.constants {
		fmt.Fprintf(w, "  %-34s %10.4g -> %.4g\n", c.path, p.start[i], all.values[i])
	}
	if len(all.unsupported) > 0 {
		fmt.Fprintf(w, "  not decided by these rows, left as they are: %s\n", names(g.constants, all.unsupported))
	}
	fit := &profile.Fit{Generation: g.name, Families: families, Constants: fitted(g.constants, all), Without: map[string]map[string]float64{}}
	unseen := slices.Clone(after)
	for _, family := range families {
		constants, r, err := b.leaveOut(ctx, d, g, family)
		if err != nil {
			return nil, fmt.Errorf("without %s: %w", family, err)
		}
		fit.Without[family] = constants
		for k := range r {
			if d.rows[k].family == family {
				unseen[k] = r[k]
			}
		}
	}
	d.print(w, g.part, before, after, unseen)
	return fit, nil
}

// print is the table of errors: before the fit, after it, and by constants that did not see
// the family.
func (d *data) print(w io.Writer, of part, before, after, unseen []float64) {
	fmt.Fprintf(w, "  %-18s %-21s %5s   %-21s %-21s %s\n", "family", "metric", "rows", "before: med p90 bias", "fitted", "left out")
	for _, family := range append(d.families(), "") {
		for _, total := range of.totals {
			figures := func(r []float64) string {
				_, median, p90, bias := d.summary(r, family, total)
				return fmt.Sprintf("%5.1f %6.1f %+7.1f", median, p90, bias)
			}
			if n, _, _, _ := d.summary(after, family, total); n > 0 {
				fmt.Fprintf(w, "  %-18s %-21.21s %5d   %s %s %s\n", family, total, n, figures(before), figures(after), figures(unseen))
			}
		}
	}
}

// fitting is a problem with a model of the rows that are scored, which may be more than
// those that count, or others.
type fitting struct {
	problem
	every model
}

// problem starts the constants of a generation where its base has them; without a family
// where one is named, whose rows are then those that are scored.
func (b *book) problem(d *data, g generation, family string) (*fitting, error) {
	base, err := b.base(g, family)
	if err != nil {
		return nil, err
	}
	p := &fitting{problem{constants: g.constants, rows: d.rows, model: d.model(base, g.constants, nil)},
		d.model(base, g.constants, func(o *observation) bool { return family == "" || o.family == family })}
	if family != "" {
		p.rows = without(d.rows, family, g.part)
	}
	for _, c := range g.constants {
		v, ok := profile.Value(base, c.path)
		if !ok {
			return nil, fmt.Errorf("no constant %q", c.path)
		}
		p.start = append(p.start, v)
	}
	return p, nil
}

// leaveOut fits without a family and prices its rows with what it finds.
func (b *book) leaveOut(ctx context.Context, d *data, g generation, family string) (map[string]float64, []float64, error) {
	p, err := b.problem(d, g, family)
	if err != nil {
		return nil, nil, err
	}
	if !slices.ContainsFunc(p.rows, func(o observation) bool { return o.weight > 0 }) {
		r, err := p.every(ctx, p.start)
		return map[string]float64{}, r, err
	}
	// From where all fits start: what the fit of all rows found has seen the family.
	s, err := p.supportedFit(ctx, p.start)
	if err != nil {
		return nil, nil, err
	}
	r, err := p.every(ctx, s.values)
	return fitted(g.constants, s), r, err
}

// fitted are the constants that the rows decided, to four digits.
func fitted(constants []constant, s *solution) map[string]float64 {
	out := map[string]float64{}
	for i, c := range constants {
		if !slices.Contains(s.unsupported, i) {
			out[c.path] = round(s.values[i])
		}
	}
	return out
}

func round(v float64) float64 {
	out, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', 3, 64), 64)
	if err != nil || math.IsNaN(out) {
		return v
	}
	return out
}

// text is the content of fitted.yaml.
func (b *book) text() []byte {
	var out bytes.Buffer
	out.WriteString(`# Written by ` + "`make fit`" + `. Constants here replace those of profiles.yaml. ` + "`without`" + ` has
# what was fitted with one family of measurements left out: what that family is scored
# with, since those constants never saw it.
generations:
`)
	if len(b.fits) == 0 {
		return append(bytes.TrimSuffix(out.Bytes(), []byte("\n")), " []\n"...)
	}
	for _, f := range b.fits {
		fmt.Fprintf(&out, "  - generation: %s\n    families: [%s]\n    constants:\n", f.Generation, join(f.Families))
		writeConstants(&out, "      ", f.Constants)
		fmt.Fprintf(&out, "    without:\n")
		for _, family := range slices.Sorted(maps.Keys(f.Without)) {
			if len(f.Without[family]) == 0 {
				fmt.Fprintf(&out, "      %s: {}\n", family)
				continue
			}
			fmt.Fprintf(&out, "      %s:\n", family)
			writeConstants(&out, "        ", f.Without[family])
		}
	}
	return out.Bytes()
}

func writeConstants(out *bytes.Buffer, indent string, values map[string]float64) {
	for _, path := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(out, "%s%s: %s\n", indent, path, number(values[path]))
	}
}

// number writes a figure so that YAML reads a number.
func number(v float64) string {
	if v >= 1e-3 && v < 1e6 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprintf("%.3e", v)
}

func join(list []string) string {
	out := ""
	for i, s := range list {
		if i > 0 {
			out += ", "
		}
		out += strconv.Quote(s)
	}
	return out
}
