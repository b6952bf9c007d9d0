package validate

import (
	"context"

	"partita/inputs/catalog"
	"partita/inputs/evidence"
	"partita/inputs/measured"
	"partita/results"
)

// evidence is what ratios of a quantity tell about; false where they tell about none.
func (q quantity) evidence() (evidence.Metric, bool) {
	switch q {
	case timePerToken, stepTime:
		return evidence.TPOT, true
	case firstToken, promptTime:
		return evidence.TTFT, true
	case wholeRequest:
		return evidence.EndToEnd, true
	case outputRate, totalRate, requestRate:
		return evidence.Rate, true
	case trainStep, trainRate, usefulFLOPS, allFLOPS:
		return evidence.Step, true
	}
	return "", false
}

// inverse reports whether a quantity is a rate of what its evidence has as a time.
func (q quantity) inverse() bool {
	switch q {
	case trainRate, usefulFLOPS, allFLOPS:
		return true
	}
	return false
}

// evident is a row that counts as a case, by its place in the table.
type evident struct {
	row int
	evidence.Case
}

// evidentRows are the cases of a table: of each run and metric the first row that has a
// prediction, which constants made that did not see its family.
func evidentRows(lib *catalog.Catalog, rows []measured.Row, found []outcome) []evident {
	type key struct {
		run    string
		metric evidence.Metric
	}
	var out []evident
	seen := map[key]bool{}
	for i := range rows {
		r, o := &rows[i], &found[i]
		metric, ok := o.quantity.evidence()
		if k := (key{r.Run, metric}); !ok || o.why != "" || r.Run != "" && seen[k] {
			continue
		} else {
			seen[k] = true
		}
		c := evidence.Case{Metric: metric, Family: r.Family, Ratio: r.Value / o.unseen()}
		c.Generation, c.Model = o.regime(lib)
		if o.quantity.inverse() {
			c.Ratio = 1 / c.Ratio
		}
		out = append(out, evident{i, c})
	}
	return out
}

// regime is the generation of a row's device and the kind of its model.
func (o *outcome) regime(lib *catalog.Catalog) (generation, kind string) {
	device, model, kind := o.accelerator, o.deployment.model, evidence.Dense
	if t := o.trained; t != nil {
		device, model = t.accelerator, t.model.catalog
	}
	if m, ok := lib.Model(model); ok && m.HasExperts() {
		kind = evidence.Experts
	}
	a, _ := lib.Accelerator(device)
	return a.Generation, kind
}

// Evidence is what the rows of a table say on how far predictions are off, by constants
// that were fitted without the family of a row.
func Evidence(ctx context.Context, rows []measured.Row) ([]evidence.Regime, error) {
	bench, err := NewBench(rows)
	if err != nil {
		return nil, err
	}
	found, err := bench.both(ctx)
	if err != nil {
		return nil, err
	}
	var cases []evidence.Case
	for _, x := range evidentRows(bench.lib.Catalog, rows, found) {
		cases = append(cases, x.Case)
	}
	return evidence.Build(cases), nil
}

// unseen is the prediction of constants that were fitted without the family of the row:
// of those in use where it had no part in them, 0 where there is none.
func (o *outcome) unseen() float64 {
	if o.heldOut > 0 {
		return o.heldOut
	}
	return o.predicted
}

// scoreIntervals says, of each row of cases, whether its interval holds it where the
// family is not among the evidence, and how often requirements that are met by a margin
// would have been kept.
func scoreIntervals(out *results.Validation, rows []measured.Row, found []outcome, all []evident) {
	cases := make([]evidence.Case, len(all))
	for i := range all {
		cases[i] = all[i].Case
	}
	without := map[string]func(*evidence.Case) *evidence.Regime{}
	type tally struct{ inside, of int }
	type key struct{ family, metric string }
	tallies := map[key]*tally{}
	count := func(k key, inside bool) {
		if tallies[k] == nil {
			tallies[k] = &tally{}
		}
		tallies[k].of++
		if inside {
			tallies[k].inside++
		}
	}
	for i := range all {
		c := &all[i]
		if without[c.Family] == nil {
			without[c.Family] = evidence.Leave(cases, c.Family)
		}
		r := without[c.Family](&c.Case)
		if r == nil {
			continue
		}
		inside := r.Low <= c.Ratio && c.Ratio <= r.High
		count(key{c.Family, rows[c.row].Metric}, inside)
		count(key{metric: found[c.row].quantity.total()}, inside)
	}
	for _, scores := range [][]results.PredictionScore{out.Prediction, out.Totals} {
		for i := range scores {
			if t := tallies[key{scores[i].Family, scores[i].Metric}]; t != nil {
				share := float64(t.inside) / float64(t.of)
				scores[i].Inside = &share
			}
		}
	}
	out.Claims = claims(found, all)
}

// margins that requirements are met by, in the table of claims; the second is the default.
var margins = []float64{0, 0.1, 0.2, 0.3}

// claims is how often a requirement that a prediction meets by just a margin would have
// been kept by the measurement.
func claims(found []outcome, all []evident) []results.ClaimScore {
	out := []results.ClaimScore{}
	type key struct {
		total  string
		margin float64
	}
	index := map[key]int{}
	for i := range all {
		o := &found[all[i].row]
		for _, m := range margins {
			k := key{o.quantity.total(), m}
			at, ok := index[k]
			if !ok {
				at = len(out)
				index[k] = at
				out = append(out, results.ClaimScore{Metric: k.total, MarginPercent: 100 * m})
			}
			out[at].N++
			if rate := all[i].Metric == evidence.Rate; rate && all[i].Ratio >= 1-m || !rate && all[i].Ratio <= 1/(1-m) {
				out[at].Held++
			}
		}
	}
	return out
}
