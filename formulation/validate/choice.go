package validate

import (
	"cmp"
	"fmt"
	"slices"

	"partita/inputs/evidence"
	"partita/inputs/measured"
	"partita/results"
)

// question is a choice among layouts that were measured on the same work: one group of
// the table, split by all that is no layout.
type question struct {
	family, group, metric            string
	accelerator, model, format, from string
	load
}

// option is a layout of a question.
type option struct {
	layout
	run       trained   // of training: the layout and what else was chosen
	measured  []float64 // of several runs
	predicted float64   // by constants that did not see the family; 0: predicted not to fit
}

// choice is a question with its options, and what is better.
type choice struct {
	question
	measure
	options []option
}

// choices collects the questions of a table. Rows that were not mapped or not priced are
// no options.
func choices(rows []measured.Row, found []outcome) []choice {
	index := map[question]int{}
	var all []choice
	for i := range rows {
		r, o := &rows[i], &found[i]
		if r.Group == "" || !o.mapped && o.trained == nil || !o.measure.quantity.chosenBy() || o.why != "" && !o.unfit {
			continue
		}
		q, x := o.question(r)
		at, ok := index[q]
		if !ok {
			at = len(all)
			index[q] = at
			all = append(all, choice{question: q, measure: o.measure})
		}
		c := &all[at]
		k := slices.IndexFunc(c.options, func(y option) bool { return x.layout == y.layout && x.run == y.run })
		if k < 0 {
			k = len(c.options)
			c.options = append(c.options, x)
		}
		c.options[k].measured = append(c.options[k].measured, r.Value)
	}
	all = slices.DeleteFunc(all, func(c choice) bool { return len(c.options) < 2 })
	for i := range all {
		slices.SortFunc(all[i].options, func(a, b option) int {
			return cmp.Or(a.layout.compare(&b.layout), a.run.compare(&b.run))
		})
	}
	return all
}

// question is what a row answers, and the option that it measures. Training runs of one
// question may be of different frameworks, which go with their sharding.
func (o *outcome) question(r *measured.Row) (question, option) {
	if t := o.trained; t != nil {
		work := fmt.Sprintf("%+v, %d sequences of %d", t.model, t.global, t.sequence)
		return question{r.Family, r.Group, r.Metric, t.accelerator, work, r.Precision, "", load{}}, option{
			layout: layout{replicas: t.shape.DP, pp: t.pp, tp: t.shape.TP, cp: t.shape.CP, dpa: 1, ep: t.shape.EP, etp: t.shape.ETP},
			run:    *t, predicted: o.unseen(),
		}
	}
	d := &o.deployment
	return question{r.Family, r.Group, r.Metric, d.accelerator, d.model, r.Precision, r.Framework, o.load}, option{layout: d.layout, predicted: o.unseen()}
}

// compare orders what training runs of one layout differ in: smaller micro-batches first.
func (t *trained) compare(u *trained) int {
	return cmp.Or(cmp.Compare(t.micro, u.micro), cmp.Compare(t.virtual, u.virtual), cmp.Compare(t.shape.ZeRO, u.shape.ZeRO),
		cmp.Compare(t.recompute, u.recompute))
}

// compare orders layouts: fewer GPUs first, then smaller degrees.
func (l *layout) compare(m *layout) int {
	return cmp.Or(cmp.Compare(l.gpus(), m.gpus()), cmp.Compare(l.tp, m.tp), cmp.Compare(l.pp, m.pp),
		cmp.Compare(l.ep, m.ep), cmp.Compare(l.dpa, m.dpa), cmp.Compare(l.cp, m.cp), cmp.Compare(l.replicas, m.replicas))
}

// worth is a value of an option made comparable, less is better: a rate counts by GPU
// where layouts take different numbers of them.
func (c *choice) worth(value float64, o *option) float64 {
	if !c.quantity.more() {
		return value
	}
	if !c.perGPU {
		value /= float64(o.gpus())
	}
	return 1 / value
}

// cost is the measured worth of an option.
func (c *choice) cost(i int) float64 { return c.worth(meanOf(c.options[i].measured), &c.options[i]) }

// regret is by how much the best measured option is better than one, as a share.
func (c *choice) regret(i int) float64 {
	best := c.cost(0)
	for k := range c.options {
		best = min(best, c.cost(k))
	}
	return c.cost(i)/best - 1
}

// answer is the option with the best prediction; -1 where none is predicted to fit. Of
// equals the first counts.
func (c *choice) answer() int {
	best, least := -1, 0.0
	for i := range c.options {
		o := &c.options[i]
		if o.predicted == 0 {
			continue
		}
		if w := c.worth(o.predicted, o); best < 0 || w < least {
			best, least = i, w
		}
	}
	return best
}

// rule chooses without a model of costs: the first of the options in its order.
type rule struct {
	name  string
	order func(c *choice, a, b *layout) int
}

// rules of thumb; docs/validate.md says what each chooses. Every measured layout did run,
// so that what does not fit is no option.
func rules() []rule {
	largest := func(_ *choice, a, b *layout) int { return cmp.Or(-cmp.Compare(a.tp, b.tp), a.compare(b)) }
	smallest := func(_ *choice, a, b *layout) int { return cmp.Or(cmp.Compare(a.tp, b.tp), a.compare(b)) }
	return []rule{
		{"large TP", largest},
		{"small TP", smallest}, // the default of engines where it is 1
		{"TP by metric", func(c *choice, a, b *layout) int {
			if c.quantity.more() {
				return smallest(c, a, b)
			}
			return largest(c, a, b)
		}},
		{"most GPUs", func(_ *choice, a, b *layout) int {
			return cmp.Or(-cmp.Compare(a.gpus(), b.gpus()), cmp.Compare(a.ep, b.ep), a.compare(b))
		}},
		{"spread", func(_ *choice, a, b *layout) int {
			return cmp.Or(-cmp.Compare(a.dpa, b.dpa), -cmp.Compare(a.ep, b.ep), a.compare(b))
		}},
	}
}

func (r *rule) choose(c *choice) int {
	best := 0
	for i := range c.options {
		if r.order(c, &c.options[i].layout, &c.options[best].layout) < 0 {
			best = i
		}
	}
	return best
}

// tie is the regret within which a choice counts as the best: the same layout differs by
// so much between two releases of a framework.
const tie = 0.03

// scoreChoices scores the answers to questions beside every rule.
func scoreChoices(all []choice) results.ChoiceScore {
	out := results.ChoiceScore{Groups: len(all), Rules: []results.RuleScore{}}
	var ours []float64
	var answered []*choice
	for i := range all {
		c := &all[i]
		k := c.answer()
		if k < 0 {
			out.NoAnswer++
			continue
		}
		answered = append(answered, c)
		ours = append(ours, c.regret(k))
	}
	out.ChoiceFigures = figuresOf(ours)
	for _, r := range rules() {
		var theirs []float64
		for _, c := range answered {
			theirs = append(theirs, c.regret(r.choose(c)))
		}
		out.Rules = append(out.Rules, results.RuleScore{Name: r.name, ChoiceFigures: figuresOf(theirs)})
	}
	out.Rule = slices.MinFunc(out.Rules, func(a, b results.RuleScore) int { return cmp.Compare(a.MeanRegretPct, b.MeanRegretPct) })
	return out
}

func figuresOf(regrets []float64) results.ChoiceFigures {
	best := 0
	for i := range regrets {
		if regrets[i] <= tie {
			best++
		}
	}
	return results.ChoiceFigures{
		Top1: float64(best) / float64(max(1, len(regrets))), MeanRegretPct: 100 * meanOf(regrets), P90RegretPct: 100 * evidence.Quantile(regrets, 0.9),
	}
}
