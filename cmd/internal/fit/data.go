package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"partita/formulation/validate"
	"partita/inputs"
	"partita/inputs/measured"
	"partita/inputs/profile"
)

// data are the rows of one generation that are fitted on.
type data struct {
	bench      *validate.Bench
	generation string
	at         []int // rows of the table
	rows       []observation
	measured   []float64
	totals     []string // kind of metric
	lines      []int    // of the table
}

// goldCounts is how much a row of the gold tier counts beside one of the core tier, where
// both count.
const goldCounts = 3

// half is the number of rows at which a family has half of its full say: a handful of rows
// says less than a table, a large table no more than a middling one.
const half = 10

// dataOf selects the rows of a generation that have a prediction, and weighs them: each
// family by its say, and in it each kind of metric alike.
func dataOf(ctx context.Context, bench *validate.Bench, generation string, of part) (*data, error) {
	cases, err := bench.Price(ctx, nil, nil)
	if err != nil {
		return nil, err
	}
	d := &data{bench: bench, generation: generation}
	type group struct{ family, total string }
	count, weight := map[group]float64{}, map[group]float64{}
	families := map[string]float64{}
	gold := map[string]bool{} // families that have rows of the gold tier
	for _, c := range cases {
		gold[c.Row.Family] = gold[c.Row.Family] || c.Row.Tier == "gold"
	}
	tiers := func(r *measured.Row) float64 {
		switch {
		case r.Tier == "gold":
			return goldCounts
		case of.goldOnly && gold[r.Family]:
			return 0
		}
		return 1
	}
	for i, c := range cases {
		if c.Predicted <= 0 || profile.Of(c.Generation).Generation != generation || !slices.Contains(of.totals, c.Total) ||
			of.unfit != nil && of.unfit(c.Row) {
			continue
		}
		d.at = append(d.at, i)
		d.lines = append(d.lines, c.Row.Place.Line)
		d.totals = append(d.totals, c.Total)
		d.measured = append(d.measured, c.Row.Value)
		g := group{c.Row.Family, c.Total}
		count[g]++
		weight[g] += tiers(c.Row)
		families[c.Row.Family]++
	}
	for _, i := range d.at {
		c := cases[i]
		g := group{c.Row.Family, c.Total}
		n := families[c.Row.Family]
		// Rows of one table share their errors: its say grows with their number up to a
		// point. A kind of metric has the part of it that its rows have.
		say := of.fullSay * n / (n + half) * count[g] / n
		d.rows = append(d.rows, observation{c.Row.Family, say * tiers(c.Row) / max(1, weight[g])})
	}
	if len(d.rows) == 0 {
		return nil, fmt.Errorf("no measured row of %s has a prediction", generation)
	}
	return d, nil
}

// families lists the families, sorted.
func (d *data) families() []string {
	var out []string
	for _, r := range d.rows {
		if !slices.Contains(out, r.family) {
			out = append(out, r.family)
		}
	}
	sort.Strings(out)
	return out
}

// model prices the rows with values of constants on top of a profile: those that are asked
// for; nil: those that count.
func (d *data) model(base *inputs.Profile, constants []constant, asked func(*observation) bool) model {
	wanted := map[int]bool{} // by line of the table
	for k := range d.rows {
		if o := &d.rows[k]; asked == nil && o.weight > 0 || asked != nil && asked(o) {
			wanted[d.lines[k]] = true
		}
	}
	return func(ctx context.Context, values []float64) ([]float64, error) {
		set := map[string]float64{}
		for i, c := range constants {
			set[c.path] = values[i]
		}
		p, err := profile.With(base, set, "being fitted")
		if err != nil {
			return nil, err
		}
		cases, err := d.bench.Price(ctx, func(string, string) *inputs.Profile { return p }, func(r *measured.Row) bool { return wanted[r.Place.Line] })
		if err != nil {
			return nil, err
		}
		out := make([]float64, len(d.at))
		for k, i := range d.at {
			out[k] = math.Log(cases[i].Predicted / d.measured[k])
			if cases[i].Predicted <= 0 {
				out[k] = math.NaN()
			}
		}
		return out, nil
	}
}

// without are the weights with a family left out, and those that share its source.
func without(rows []observation, family string, of part) []observation {
	source := func(family string) string {
		if of.source == nil {
			return family
		}
		return of.source(family)
	}
	out := slices.Clone(rows)
	for i := range out {
		if source(out[i].family) == source(family) {
			out[i].weight = 0
		}
	}
	return out
}

// summary is the median and the 90th percentile of the absolute errors of rows, in %, and
// the median error; only of a family and of a kind of metric where they are named.
func (d *data) summary(r []float64, family, total string) (n int, median, p90, bias float64) {
	var all []float64
	for i, e := range r {
		if math.IsNaN(e) || family != "" && d.rows[i].family != family || total != "" && d.totals[i] != total {
			continue
		}
		all = append(all, math.Exp(e)-1)
	}
	median, p90, bias = validate.ErrorsOf(all)
	return len(all), median, p90, bias
}

func names(constants []constant, at []int) string {
	var out []string
	for _, i := range at {
		out = append(out, constants[i].path)
	}
	return strings.Join(out, ", ")
}
