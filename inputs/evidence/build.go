package evidence

import (
	"cmp"
	"math"
	"slices"
)

// Case is one measured run.
type Case struct {
	Metric     Metric
	Generation string
	Model      string // Dense or Experts
	Family     string // table that it is from
	Ratio      float64
}

const (
	// leastCases and leastFamilies are what a regime of its own takes: fewer rows have no
	// quantile of 5 %, and one table says nothing on the next.
	leastCases    = 20
	leastFamilies = 2
	// full is the number of cases from which a table counts as whole: a handful of rows must
	// not weigh as much as hundreds.
	full = 20
	// coverage is the share of the cases of families left out that the widening is chosen to
	// hold. An interval made of few families tells less of the next than of one another: 95 %
	// was chosen on the published table, so that about nine of ten runs are held of tables
	// that had no part in the interval, 82 to 97 % by metric (docs/validation.md, column "in").
	coverage = 0.95
	// narrowest is the least half width of an interval, as a share: the same layout differs
	// by so much between two releases of one framework.
	narrowest = 0.03
)

// Build makes the regimes that the cases support, in a fixed order.
func Build(cases []Case) []Regime {
	type key struct {
		metric            Metric
		generation, model string
	}
	groups := map[key][]Case{}
	for _, c := range cases {
		if !(c.Ratio > 0) || math.IsInf(c.Ratio, 0) {
			continue
		}
		for _, of := range chain(c.Generation, c.Model) {
			k := key{c.Metric, of[0], of[1]}
			groups[k] = append(groups[k], c)
		}
	}
	var out []Regime
	for k, g := range groups {
		families := familiesOf(g)
		if len(g) < leastCases || len(families) < leastFamilies {
			continue
		}
		r := Regime{Metric: k.metric, Generation: k.generation, Model: k.model, Cases: len(g), Families: families}
		for _, c := range g {
			if c.Model == Experts {
				r.Routed++
			}
		}
		for i := range Levels {
			r.Ratios = append(r.Ratios, rounded(quantile(g, float64(i)/(Levels-1))))
		}
		r.Low, r.High = interval(g, families)
		r.Low, r.High = rounded(r.Low), rounded(r.High)
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b Regime) int {
		return cmp.Or(cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Generation, b.Generation), cmp.Compare(a.Model, b.Model))
	})
	return out
}

// rounded keeps four decimals: far below what the evidence tells.
func rounded(x float64) float64 { return math.Round(x*1e4) / 1e4 }

func familiesOf(cases []Case) []string {
	var out []string
	for _, c := range cases {
		if !slices.Contains(out, c.Family) {
			out = append(out, c.Family)
		}
	}
	slices.Sort(out)
	return out
}

// quantile of the ratios, where every family has the same weight unless it is small.
func quantile(cases []Case, q float64) float64 {
	count := map[string]int{}
	for _, c := range cases {
		count[c.Family]++
	}
	values := make([]weighted, len(cases))
	for i, c := range cases {
		values[i] = weighted{c.Ratio, weightOf(count[c.Family])}
	}
	return weightedQuantile(values, q)
}

// weightOf a case of a family of n.
func weightOf(n int) float64 { return 1 / float64(max(n, full)) }

type weighted struct{ value, weight float64 }

// weightedQuantile interpolates between the middles of the weights.
func weightedQuantile(values []weighted, q float64) float64 {
	slices.SortFunc(values, func(a, b weighted) int { return cmp.Or(cmp.Compare(a.value, b.value), cmp.Compare(a.weight, b.weight)) })
	total := 0.0
	for _, v := range values {
		total += v.weight
	}
	at, before := q*total, 0.0
	last, lastAt := values[0].value, 0.0
	for _, v := range values {
		middle := before + v.weight/2
		if at <= middle {
			if middle <= lastAt {
				return v.value
			}
			return last + (v.value-last)*max(0, (at-lastAt)/(middle-lastAt))
		}
		last, lastAt = v.value, middle
		before += v.weight
	}
	return last
}

// interval is the range of 5 to 95 %, widened on both sides alike (of logarithms) until such
// a range holds the share coverage of the cases of families that it is not made from.
func interval(cases []Case, families []string) (low, high float64) {
	var needed []weighted
	for _, f := range families {
		var rest, own []Case
		for _, c := range cases {
			if c.Family == f {
				own = append(own, c)
			} else {
				rest = append(rest, c)
			}
		}
		if len(rest) == 0 {
			continue
		}
		lo, middle, hi := spread(rest)
		for _, c := range own {
			x := math.Log(c.Ratio) - middle
			needed = append(needed, weighted{max(x-hi, -x-lo), weightOf(len(own))})
		}
	}
	more := 0.0
	if len(needed) > 0 {
		more = max(0, weightedQuantile(needed, coverage))
	}
	lo, middle, hi := spread(cases)
	return math.Exp(middle - lo - more), math.Exp(middle + hi + more)
}

// spread is the logarithm of the median ratio and the distances to 5 and 95 %.
func spread(cases []Case) (low, middle, high float64) {
	middle = math.Log(quantile(cases, 0.5))
	low = middle - math.Log(quantile(cases, 0.05))
	high = math.Log(quantile(cases, 0.95)) - middle
	return max(low, narrowest), middle, max(high, narrowest)
}

// Leave builds regimes of the cases without one family and finds the one that speaks for
// a case of it; nil where none does.
func Leave(cases []Case, family string) func(c *Case) *Regime {
	var rest []Case
	for _, c := range cases {
		if c.Family != family {
			rest = append(rest, c)
		}
	}
	all := Build(rest)
	return func(c *Case) *Regime { return find(all, c.Metric, c.Generation, c.Model) }
}
