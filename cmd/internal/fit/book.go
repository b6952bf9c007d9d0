package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
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

func (b *book) add(f profile.Fit) {
	b.fits = slices.DeleteFunc(b.fits, func(o profile.Fit) bool { return o.Generation == f.Generation })
	b.fits = append(b.fits, f)
	sort.Slice(b.fits, func(i, j int) bool { return b.fits[i].Generation < b.fits[j].Generation })
}

// base is the profile that the constants of a generation start from: what is written by
// hand, and what was fitted of the generations it inherits from, without a family where
// one is named.
func (b *book) base(generation, family string) (*inputs.Profile, error) {
	others := slices.DeleteFunc(slices.Clone(b.fits), func(f profile.Fit) bool { return f.Generation == generation })
	return profile.Resolve(others, generation, family)
}

// fitGeneration fits a generation on all its families, and without each.
func fitGeneration(ctx context.Context, w io.Writer, bench *validate.Bench, b *book, g generation, held bool) (*profile.Fit, error) {
	if len(g.constants) > mostConstants {
		return nil, fmt.Errorf("%d constants are declared; at most %d may be fitted", len(g.constants), mostConstants)
	}
	d, err := dataOf(ctx, bench, g.name)
	if err != nil {
		return nil, err
	}
	p, err := b.problem(d, g, "")
	if err != nil {
		return nil, err
	}
	before, err := p.model(ctx, p.start)
	if err != nil {
		return nil, err
	}
	all, err := p.supportedFit(ctx, p.start)
	if err != nil {
		return nil, err
	}
	after, err := p.model(ctx, all.values)
	if err != nil {
		return nil, err
	}
	families := d.families()
	fmt.Fprintf(w, "\n%s: %d constants fitted on %d rows of %d families\n", g.name, len(g.constants)-len(all.unsupported), len(d.rows), len(families))
	for i, c := range g.constants {
		fmt.Fprintf(w, "  %-34s %10.4g -> %.4g\n", c.path, p.start[i], all.values[i])
	}
	if len(all.unsupported) > 0 {
		fmt.Fprintf(w, "  not decided by these rows, left as they are: %s\n", names(g.constants, all.unsupported))
	}
	fit := &profile.Fit{Generation: g.name, Families: families, Constants: fitted(g.constants, all), Without: map[string]map[string]float64{}}
	fmt.Fprintf(w, "  %-18s %5s   %-21s %-21s %s\n", "family", "rows", "before (med p90 bias)", "fitted", "left out")
	for _, family := range families {
		n, m0, q0, b0 := summary(d.rows, before, family)
		_, m1, q1, b1 := summary(d.rows, after, family)
		line := fmt.Sprintf("  %-18s %5d   %5.1f %6.1f %+7.1f %6.1f %6.1f %+7.1f", family, n, m0, q0, b0, m1, q1, b1)
		if held {
			s, r, err := b.leaveOut(ctx, d, g, family, all)
			if err != nil {
				return nil, fmt.Errorf("without %s: %w", family, err)
			}
			fit.Without[family] = s
			_, m, q, bias := summary(d.rows, r, family)
			line += fmt.Sprintf(" %6.1f %6.1f %+7.1f", m, q, bias)
			for k := range r {
				if d.rows[k].family == family {
					before[k] = r[k] // reused below for the total of what was left out
				}
			}
		}
		fmt.Fprintln(w, line)
	}
	n, m1, q1, b1 := summary(d.rows, after, "")
	line := fmt.Sprintf("  %-18s %5d   %21s %6.1f %6.1f %+7.1f", "all", n, "", m1, q1, b1)
	if held {
		_, m, q, bias := summary(d.rows, before, "")
		line += fmt.Sprintf(" %6.1f %6.1f %+7.1f", m, q, bias)
	}
	fmt.Fprintln(w, line)
	return fit, nil
}

// problem starts the constants of a generation where its base has them.
func (b *book) problem(d *data, g generation, family string) (*problem, error) {
	base, err := b.base(g.name, family)
	if err != nil {
		return nil, err
	}
	p := &problem{constants: g.constants, rows: d.rows, model: d.model(base, g.constants)}
	for _, c := range g.constants {
		v, ok := profile.Value(base, c.path)
		if !ok {
			return nil, fmt.Errorf("no constant %q", c.path)
		}
		p.start = append(p.start, v)
	}
	return p, nil
}

// leaveOut fits without a family and prices all rows with what it finds.
func (b *book) leaveOut(ctx context.Context, d *data, g generation, family string, all *solution) (map[string]float64, []float64, error) {
	p, err := b.problem(d, g, family)
	if err != nil {
		return nil, nil, err
	}
	p.rows = without(d.rows, family)
	s := &solution{values: p.start}
	if left := len(d.families()) - 1; left > 0 {
		if s, err = p.supportedFit(ctx, all.values); err != nil {
			return nil, nil, err
		}
	}
	r, err := p.model(ctx, s.values)
	if err != nil {
		return nil, nil, err
	}
	if len(d.families()) == 1 {
		return map[string]float64{}, r, nil
	}
	return fitted(g.constants, s), r, nil
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
		for _, family := range sortedKeys(f.Without) {
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
	for _, path := range sortedKeys(values) {
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

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
