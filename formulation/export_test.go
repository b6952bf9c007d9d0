package formulation

import (
	"context"
	"slices"

	"partita/inputs"
)

// Edge is edge, and Outward is outward.
var (
	Edge    = edge
	Outward = outward
)

// asksOf are asks by the names of demands.
func (e *explainer) asksOf(left []string, value map[string]float64) asks {
	a := asStated(e.demands)
	for i, d := range e.demands {
		if slices.Contains(left, d.name) {
			a = a.without(i)
		}
		if v, ok := value[d.name]; ok {
			a = a.with(i, v)
		}
	}
	return a
}

// Changed is a condition with demands left out and others at another value, by name, as an
// explanation changes it; heads by the degree they are padded for.
func Changed(c *inputs.Condition, left []string, value map[string]float64) *inputs.Condition {
	e := newExplainer(c, Options{})
	a := e.asksOf(left, value)
	b := e.boxOf(a)
	return e.condition(a, b.batch.Max, b.input.Max, e.variants(a)[0])
}

// Workloads are the numbers of sequences and the prompt lengths that are admitted where
// demands are left out.
func Workloads(c *inputs.Condition, left []string) (batch, input inputs.Range) {
	e := newExplainer(c, Options{})
	b := e.boxOf(e.asksOf(left, nil))
	return b.batch, b.input
}

// Meeting is a condition without some demands, at a workload for which a plan was found;
// false where none exists, or it is not known.
func Meeting(ctx context.Context, c *inputs.Condition, left []string) (*inputs.Condition, bool, error) {
	e := newExplainer(c, Options{})
	if _, err := e.first(ctx); err != nil {
		return nil, false, err
	}
	a := e.asksOf(left, nil)
	x, err := e.ask(ctx, a)
	if err != nil || !x.yes {
		return nil, false, err
	}
	return e.condition(a, x.batch, x.input, x.variant), true, nil
}

// Started is the number of demands that the search for a conflict begins with, and of all
// of them: cores of SAT and floors leave out the rest.
func Started(ctx context.Context, c *inputs.Condition, opts Options) (kept, all int, err error) {
	e := newExplainer(c, opts)
	a, err := e.start(ctx, asStated(e.demands))
	for _, left := range a.left {
		if !left {
			kept++
		}
	}
	return kept, len(e.demands), err
}

// DemandNames lists the demands of a condition.
func DemandNames(c *inputs.Condition) []string {
	var out []string
	for _, d := range demandsOf(c) {
		out = append(out, d.name)
	}
	return out
}
