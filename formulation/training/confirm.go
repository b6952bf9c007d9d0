package training

import (
	"context"
	"fmt"
	"math"

	"partita/formulation/encode"
	"partita/solver"
)

// confirm has a second solver prove the final outer choice again, and refute as many of the
// choices that came close as it has time for. Who agreed and who ran out of time is
// recorded; a different optimum is an error, for then one of the solvers is wrong and
// nothing may be called proved.
func (r *run) confirm(ctx context.Context, a *answer, sol *Solution) error {
	if r.o.Backend != "" && r.o.Backend != backendAuto {
		return nil
	}
	name := backendILP
	if r.o.ILP == nil {
		name = backendSAT
	}
	rounded := r.rounded(&a.out.best.split, r.tick*coarser)
	if rounded > tellsApart*a.out.best.seconds {
		r.log(fmt.Sprintf("no second proof: so many micro-batches are more than ticks of %s tell apart", name))
		return nil
	}
	b, err := r.open(name)
	if err != nil {
		return nil // nothing to confirm with: the plan says that only labels proved it
	}
	if c, ok := b.(interface{ Close() error }); ok {
		defer c.Close()
	}
	r.log("second proof by " + name)
	limit := r.o.Confirm
	if limit == 0 {
		limit = DefaultConfirm
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	best := a.out.best
	status, err := r.again(ctx, b, best)
	if err != nil {
		return err
	}
	s := &sol.Solve
	if status != solver.Optimal {
		s.OutOfTime = append(s.OutOfTime, name)
		return nil
	}
	s.AgreedBy = append(s.AgreedBy, name)
	s.Certificate.Quantisation[fmt.Sprintf("step (%s)", name)] = r.tickOf(name)
	prove := r.modelled(b)
	for _, split := range a.out.contested {
		cutoff := min(r.goal.limit(&split, a.slack, a.pass.without...), a.pass.aim.below(&split, best.value))
		l, proved, err := prove(ctx, split, cutoff)
		if l != nil && a.pass.aim.of(&split, r.x.seconds(l)) < best.value {
			return fmt.Errorf("%s finds a layout of %s below the optimum that %s had proved: one of them is wrong, so nothing is reported as optimal", name, split.String(), r.backend)
		}
		if err != nil || !proved {
			return nil // out of time: the plan tells of the final choice alone
		}
	}
	if n := len(a.out.contested); n > 0 {
		s.Certificate.Objective += fmt.Sprintf("; %s refuted the %d other outer choices, too, whose stages had to be searched and whose bounds were the lowest", name, n)
	}
	return nil
}

// tellsApart is the share of a step that a second proof must tell apart at least to be one.
const tellsApart = 1e-3

// rounded is the most seconds that rounding up to ticks, before and after its sends are added,
// lengthens a step of a split by: of each rank once and of the slowest for each micro-batch.
func (r *run) rounded(s *Split, tick float64) float64 {
	return 2 * float64(s.MicroBatches(r.x.global)+s.PP()+2) * tick
}

// again has a backend find the best path of stages of the final choice.
func (r *run) again(ctx context.Context, b solver.Backend, best *found) (solver.Status, error) {
	// A little above the optimum, so that there is a path to find.
	tick := r.tickOf(b.Name())
	n := r.x.network(best.split, tick, best.seconds*(1+tellsApart)+r.rounded(&best.split, tick))
	ours := n.best(far)
	t, status, err := n.bestBy(ctx, encode.Prover(b, r.o.Log), far)
	switch {
	case err != nil:
		r.log(fmt.Sprintf("the second proof could not run: %v", err))
		return solver.Unsupported, nil
	case status == solver.Infeasible:
		return status, fmt.Errorf("%s finds no stages for %s where %s has some: one of them is wrong, so nothing is reported as optimal", b.Name(), best.split.String(), r.backend)
	case t == nil:
		return status, nil
	}
	mine, other := n.value(ours.sum, ours.peak, ours.once), n.value(t.sum, t.peak, t.once)
	if other < mine || status == solver.Optimal && other != mine {
		return status, fmt.Errorf("%s finds %d ticks for %s where %s had proved %d: one of them is wrong, so nothing is reported as optimal", b.Name(), other, best.split.String(), r.backend, mine)
	}
	if math.Abs(r.x.seconds(n.layout(t))-best.seconds) > tellsApart*best.seconds {
		return status, fmt.Errorf("%s: a layout of %d ticks is not worth what it should be", b.Name(), other)
	}
	return status, nil
}
