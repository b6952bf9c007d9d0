package validate

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"partita/inputs/catalog"
	"partita/inputs/measured"
	"partita/inputs/read"
	"partita/results"
)

// outcome is what became of a row.
type outcome struct {
	deployment
	load
	measure
	mapped    bool     // to a deployment
	micro     *micro   // a kernel or a link by itself; nil: a deployment or a training run
	trained   *trained // a training run
	predicted float64  // in the unit of the row; 0: see why
	heldOut   float64  // by constants fitted without the family; 0: it had no part, or see why
	failed
	runs *bool // whether it is predicted to fit; nil: not known
}

// Run predicts every row of a table and scores what comes of it. The result does not
// depend on how many processors work on it.
func Run(ctx context.Context, rows []measured.Row, opts Options) (*results.Validation, error) {
	bench, err := NewBenchWith(rows, opts.Knowledge)
	if err != nil {
		return nil, err
	}
	found, err := bench.both(ctx)
	if err != nil {
		return nil, err
	}
	out := score(bench.lib.Catalog, rows, found)
	if opts.Each {
		out.Each = each(rows, found)
	}
	return out, nil
}

// Options steer Run. The zero value scores.
type Options struct {
	Each bool // tell what became of every row
	// Knowledge names packs with devices, models and constants.
	Knowledge []read.Override
}

// each is what became of every row, in the order of the table.
func each(rows []measured.Row, found []outcome) []results.ValidatedRow {
	out := make([]results.ValidatedRow, len(rows))
	for i := range rows {
		r, o := &rows[i], &found[i]
		x := results.ValidatedRow{Line: r.Place.Line, ID: r.ID, Family: r.Family, Metric: r.Metric, Measured: r.Value, Skipped: o.why}
		switch {
		case o.why != "":
		case o.quantity == overflow:
			x.Fits = o.runs
		default:
			off := 100 * (o.predicted/r.Value - 1)
			x.Predicted, x.ErrorPct = &o.predicted, &off
			if o.heldOut > 0 {
				x.HeldOut = &o.heldOut
			}
		}
		out[i] = x
	}
	return out
}

// mapRow maps a row, or notes why it is not.
func (o *outcome) mapRow(k known, r *measured.Row) {
	if r.Unseen {
		o.why = "from memory: no evidence"
		return
	}
	if r.Kind == "microbench" {
		o.mapAlone(k, r)
		return
	}
	if _, memory := trainMemoryMeasures()[r.Metric]; memory || r.Kind == "training" {
		o.mapTrained(k, r)
		return
	}
	m, ok := measures()[r.Metric]
	if !ok {
		o.why = notPredicted(r.Kind, r.Metric)
		return
	}
	o.measure, o.load = m, loadOf(r)
	if o.deployment, o.why = k.deploymentOf(r); o.why == "" {
		o.mapped = true
	}
}

// price predicts the metric of a row that is mapped.
func (o *outcome) price(p *pricer) error {
	r := &run{p, o.load}
	fits, why, err := r.fits()
	switch {
	case err != nil:
		return err
	case why != "":
		o.why = why
		return nil
	}
	o.runs = &fits
	if o.quantity == overflow {
		return nil
	}
	x, bad, err := r.value(o.measure)
	if bad != nil {
		o.failed = *bad
	}
	o.predicted = x
	return err
}

// score counts what was found.
func score(lib *catalog.Catalog, rows []measured.Row, found []outcome) *results.Validation {
	out := &results.Validation{Rows: len(rows)}
	type key struct{ family, metric string }
	off, total, why := map[key][]errorPair{}, map[key][]errorPair{}, map[string]int{}
	runs, seen := map[key][]float64{}, map[[2]string]bool{}
	for i := range rows {
		r, o := &rows[i], &found[i]
		if o.why != "" {
			why[o.why]++
			continue
		}
		out.Scored++
		if o.quantity == overflow {
			continue
		}
		e := errorPair{o.predicted/r.Value - 1, o.unseen()/r.Value - 1, o.heldOut > 0}
		k, t := key{r.Family, r.Metric}, key{metric: o.quantity.total()}
		off[k], total[t] = append(off[k], e), append(total[t], e)
		if once := [2]string{r.Run, t.metric}; !seen[once] {
			seen[once] = true
			runs[t] = append(runs[t], e.unseen)
		}
	}
	list := func(all map[key][]errorPair) []results.PredictionScore {
		scores := []results.PredictionScore{}
		for k, e := range all {
			scores = append(scores, scoreErrors(k.family, k.metric, e))
		}
		slices.SortFunc(scores, func(a, b results.PredictionScore) int {
			return cmp.Or(strings.Compare(a.Family, b.Family), strings.Compare(a.Metric, b.Metric))
		})
		return scores
	}
	out.Prediction, out.Totals = list(off), list(total)
	for i := range out.Totals {
		t := &out.Totals[i]
		if of := runs[key{metric: t.Metric}]; len(of) < t.N && toldTwice(t.Metric) {
			t.ByRun = &results.RunFigures{N: len(of)}
			t.ByRun.MedianAbsPct, t.ByRun.P90AbsPct, t.ByRun.BiasPct = ErrorsOf(of)
		}
	}
	out.Choice, out.ChoiceTotals = scoreQuestions(choices(rows, found))
	out.Memory = confusion(rows, found)
	scoreIntervals(out, rows, found, evidentRows(lib, rows, found))
	out.Skipped = []results.Skipped{}
	for reason, n := range why {
		out.Skipped = append(out.Skipped, results.Skipped{Reason: reason, Rows: n})
	}
	slices.SortFunc(out.Skipped, func(a, b results.Skipped) int {
		return cmp.Or(-cmp.Compare(a.Rows, b.Rows), strings.Compare(a.Reason, b.Reason))
	})
	return out
}

// toldTwice reports a total under which several rows of a run are one figure in several units:
// input and output tokens are of one rate, FLOP/s and MFU of one step. The weights and the
// cache of a run are two.
func toldTwice(total string) bool {
	return total == outputRate.total() || total == trainStep.total()
}

// errorPair is the error of a row with the constants in use and with those that did not
// see its family, and whether the two differ.
type errorPair struct {
	all, unseen float64
	fitted      bool
}

func scoreErrors(family, metric string, e []errorPair) results.PredictionScore {
	s := results.PredictionScore{Family: family, Metric: metric, N: len(e)}
	all, unseen, fitted := make([]float64, len(e)), make([]float64, len(e)), false
	for i := range e {
		all[i], unseen[i] = e[i].all, e[i].unseen
		fitted = fitted || e[i].fitted
	}
	s.MedianAbsPct, s.P90AbsPct, s.BiasPct = ErrorsOf(all)
	if fitted {
		s.HeldOut = &results.ErrorFigures{}
		s.HeldOut.MedianAbsPct, s.HeldOut.P90AbsPct, s.HeldOut.BiasPct = ErrorsOf(unseen)
	}
	return s
}

// scoreQuestions scores by family and metric; then by what is measured and over all.
func scoreQuestions(all []choice) (scores, totals []results.ChoiceScore) {
	scores, totals = []results.ChoiceScore{}, []results.ChoiceScore{}
	type key struct{ family, metric string }
	of, total := map[key][]choice{}, map[key][]choice{}
	for i := range all {
		k, t := key{all[i].family, all[i].metric}, key{metric: all[i].quantity.total()}
		of[k], total[t] = append(of[k], all[i]), append(total[t], all[i])
	}
	if len(all) > 0 {
		total[key{metric: everything}] = all
	}
	list := func(into *[]results.ChoiceScore, groups map[key][]choice) {
		for k, g := range groups {
			s := scoreChoices(g)
			s.Family, s.Metric = k.family, k.metric
			*into = append(*into, s)
		}
		slices.SortFunc(*into, func(a, b results.ChoiceScore) int {
			return cmp.Or(strings.Compare(a.Family, b.Family), strings.Compare(a.Metric, b.Metric))
		})
	}
	list(&scores, of)
	list(&totals, total)
	return scores, totals
}

// everything is the total over all quantities.
const everything = "all"

// confusion counts runs, by the first row of each.
func confusion(rows []measured.Row, found []outcome) results.MemoryScore {
	out := results.MemoryScore{Families: []results.FamilyConfusion{}}
	counted := map[string]bool{}
	of := map[string]*results.Confusion{}
	for i := range rows {
		r, o := &rows[i], &found[i]
		if o.runs == nil || counted[r.Run] {
			continue
		}
		counted[r.Run] = true
		if of[r.Family] == nil {
			of[r.Family] = &results.Confusion{}
		}
		for _, c := range []*results.Confusion{&out.Confusion, of[r.Family]} {
			switch {
			case o.quantity != overflow && *o.runs:
				c.RanFits++
			case o.quantity != overflow:
				c.RanOOM++
			case *o.runs:
				c.OOMFits++
			default:
				c.OOMPredicted++
			}
		}
	}
	for family, c := range of {
		out.Families = append(out.Families, results.FamilyConfusion{Family: family, Confusion: *c})
	}
	slices.SortFunc(out.Families, func(a, b results.FamilyConfusion) int { return strings.Compare(a.Family, b.Family) })
	return out
}
