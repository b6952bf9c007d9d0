package formulation

import (
	"context"
	"fmt"
	"time"

	"partita/formulation/encode"
	"partita/solver"
	"partita/solver/path"
)

// Names of the backends, as flags and plans write them.
const (
	backendAuto   = "auto"
	backendLabels = "labels"
	backendILP    = "ilp"
	backendSAT    = "sat"
)

// prover makes the function that proves outer choices, and its name.
func (o *Options) prover() (prover, string, error) {
	switch o.Backend {
	case "", backendAuto, backendLabels:
		if o.effort != nil {
			return o.effort.solve, backendLabels, nil
		}
		return path.Solve, backendLabels, nil
	case backendILP, backendSAT:
		b, err := o.backend(o.Backend)
		if err != nil {
			return nil, "", err
		}
		return encode.Prover(b, o.log), o.Backend, nil
	}
	return nil, "", fmt.Errorf("backend %q: want auto, labels, ilp or sat", o.Backend)
}

// backend makes a backend by name; the error says what this program lacks.
func (o *Options) backend(name string) (solver.Backend, error) {
	open := o.SAT
	if name == backendILP {
		open = o.ILP
	}
	if open == nil {
		return nil, fmt.Errorf("backend %q is not built in", name)
	}
	b, err := open()
	if err != nil {
		return nil, fmt.Errorf("backend %q: %w", name, err)
	}
	return b, nil
}

// confirm has a second solver prove the final outer choice again: it must produce
// a plan of the same value itself and refute anything better. Who agreed and who
// ran out of time is recorded; a different optimum is an error, for then one of
// the solvers is wrong and nothing may be called proved.
func (r *run) confirm(ctx context.Context, sol *solution) error {
	if r.opts.Backend != "" && r.opts.Backend != backendAuto {
		return nil
	}
	name := backendILP
	if r.opts.ILP == nil {
		name = backendSAT
	}
	b, err := r.opts.backend(name)
	if err != nil {
		return nil // nothing to confirm with: the plan says that only labels proved it
	}
	if c, ok := b.(interface{ Close() error }); ok {
		defer c.Close()
	}
	r.opts.log("second proof by " + name)
	limit := r.opts.Confirm
	if limit == 0 {
		limit = DefaultConfirm
		if end, ok := ctx.Deadline(); ok && r.opts.TimeLimit > 0 {
			limit = max(limit, time.Until(end)/2) // who gives time wants it used
		}
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	start := time.Now()
	best := sol.final.best
	res, err := encode.Solve(ctx, best.graph.Problem, b, encode.Options{Incumbent: best.stages})
	if err != nil {
		// The first proof stands; that nobody repeated it is said.
		sol.reasons = append(sol.reasons, fmt.Sprintf("warning: the second proof by %s could not run: %v", name, err))
		return nil
	}
	v, err := best.graph.Problem.Evaluate(best.stages)
	if err != nil {
		return fmt.Errorf("second proof: %w", err)
	}
	switch {
	case res.Status == solver.Optimal && res.Value.Objective == v.Objective:
		sol.final.agreed = append(sol.final.agreed, name)
	case res.Stages != nil && res.Value.Objective < v.Objective:
		return fmt.Errorf("%s found a plan of %d ticks where %s had proved %d: one of them is wrong, so nothing is reported as optimal (%v)", name, res.Value.Objective, r.backend, v.Objective, time.Since(start).Round(time.Millisecond))
	case res.Status == solver.Infeasible:
		return fmt.Errorf("%s finds no plan where %s has one: one of them is wrong, so nothing is reported as optimal", name, r.backend)
	case res.Status == solver.TimeLimit, res.Status == solver.Interrupted:
		sol.final.late = append(sol.final.late, name)
	default:
		sol.reasons = append(sol.reasons, fmt.Sprintf("warning: the second proof by %s broke off (%v: %s)", name, res.Status, res.Why))
	}
	return nil
}
