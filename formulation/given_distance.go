package formulation

import (
	"context"
	"fmt"

	"partita/formulation/heuristic"
	"partita/results"
)

// distance holds the strategy against the proved optimum, on the same costs: it is a
// path in the same graph, so the gap is exact. What comes first in the condition, the
// number of GPUs or their price where they are ours to choose, comes first here.
func (e *evaluation) distance(ctx context.Context) error {
	o := &results.Optimum{Status: results.StatusUnknown}
	e.out.Optimum = o
	meets := false
	if e.best == nil {
		if !e.sol.stopped || e.sol.refuted {
			o.Status = results.StatusInfeasible
		}
		return nil
	}
	meets, o.Status = e.run.verdict(e.sol, e.best)
	best := e.sol.final.best
	o.Strategy = oneLine(e.run.goal.c, heuristic.Proposal{Replicas: best.choice.Layout.Replicas, Parts: best.graph.Parts(best.stages)})
	o.GPUs, o.Metrics = e.best.GPUs.Used, e.best.Metrics
	if meets {
		v := best.value
		o.Objective = &v
	}
	if !e.out.Feasible || e.trial == nil {
		return nil
	}
	e.offered()
	if !meets {
		if o.Status == results.StatusInfeasible {
			e.warn("the search proved that no plan meets the condition, and this strategy does: it lies outside what is searched")
		}
		return nil
	}
	gap, in := e.gap(best.value)
	o.GapPercent = &gap
	if why := e.trial.beaten(); gap < 0 && why != "" {
		e.out.OutsideSearch = append(e.out.OutsideSearch, why)
	}
	e.out.GapIn = in
	if o.Status == results.StatusOptimal {
		e.out.OptimumGapPercent = &gap
	}
	return e.sameGPUs(ctx, o)
}

// gap is how much worse than the optimum the strategy is, in percent of what is decided
// first and tells them apart.
func (e *evaluation) gap(best float64) (percent float64, in string) {
	p := e.out.Phase
	if len(e.sol.counts.list) > 1 {
		if a, b := p.Metrics.USDPerHour, e.best.Metrics.USDPerHour; e.byPrice() && a != nil && b != nil {
			if *a != *b {
				return 100 * (*a - *b) / *b, "USD/h"
			}
		} else if p.GPUs.Used != e.best.GPUs.Used {
			return 100 * float64(p.GPUs.Used-e.best.GPUs.Used) / float64(e.best.GPUs.Used), "GPUs"
		}
	}
	return 100 * (e.trial.value - best) / best, "objective"
}

func (e *evaluation) byPrice() bool { return e.c.Goal.Objective == "cost" }

// offered names the shapes that the search does not consider.
func (e *evaluation) offered() {
	for i, pt := range e.trial.sub.parts {
		if !e.run.space.Offers(pt.Pool, pt.Shape) {
			e.out.OutsideSearch = append(e.out.OutsideSearch, fmt.Sprintf("stage %d: %s on %s is a shape that is not searched", i, degreesOf(pt.Shape), counted(pt.Shape.GPUs(), "GPU")))
			return // one says it
		}
	}
}

// beaten says why a strategy of searched shapes can come out better than the optimum: a
// stage runs slower than it could, which evens the stages out; "" where none does.
func (t *trial) beaten() string {
	stage, by, ok := t.pipe.Beaten(t.choice.Micro, t.choice.Groups, t.terms().scale)
	if !ok {
		return ""
	}
	return fmt.Sprintf("stage %d runs slower than %s on the same GPUs would, in both phases, which keeps the balance; the search leaves such stages out", stage, degreesOf(by))
}

func (t *trial) terms() *terms { return t.bench.x.termsOf(t.layout) }

// sameGPUs finds the optimum on exactly as many GPUs, where the number is ours to
// choose and the condition's optimum has another.
func (e *evaluation) sameGPUs(ctx context.Context, o *results.Optimum) error {
	if !e.perGPU || e.out.Phase.GPUs.Used == o.GPUs {
		return nil
	}
	counts := e.trial.sub.counts(len(e.c.Cluster.Pools))
	for _, n := range counts {
		if n == 0 {
			return nil // a pool that is left out cannot be stated
		}
	}
	other := &evaluation{opts: e.opts, c: withGPUs(e.c, counts), given: e.given, source: e.source, out: &results.Evaluation{Feasible: true}}
	if err := other.search(ctx); err != nil {
		return err
	}
	if other.best == nil {
		return nil
	}
	sub := e.trial.sub
	sub.micro, sub.groups = e.trial.choice.Micro, e.trial.choice.Groups
	b, err := other.newBench(other.c, sub.parts)
	if err != nil {
		return err
	}
	t, err := b.try(sub)
	if err != nil {
		return err
	}
	meets, status := other.run.verdict(other.sol, other.best)
	best := other.sol.final.best
	same := &results.Optimum{
		Status: status, GPUs: other.best.GPUs.Used, Metrics: other.best.Metrics,
		Strategy: oneLine(other.c, heuristic.Proposal{Replicas: best.choice.Layout.Replicas, Parts: best.graph.Parts(best.stages)}),
	}
	if meets {
		v, gap := best.value, 100*(t.value-best.value)/best.value
		same.Objective, same.GapPercent = &v, &gap
	}
	e.out.SameGPUs = same
	return nil
}
