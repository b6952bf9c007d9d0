package encode

import (
	"context"
	"fmt"

	"partita/solver"
	"partita/solver/path"
)

// Prover solves as path.Solve does, by a backend over integer models instead of labels.
// A backend that breaks down leaves the problem open, with the path and the bound that
// there are; tell, where not nil, receives a line about it.
func Prover(b solver.Backend, tell func(string)) func(context.Context, *path.Problem, path.Options) (path.Result, error) {
	return func(ctx context.Context, p *path.Problem, opts path.Options) (path.Result, error) {
		r, err := Solve(ctx, p, b, Options{Incumbent: opts.Incumbent, Cutoff: opts.Cutoff})
		if err != nil {
			return path.Result{}, err
		}
		switch {
		case r.Status == solver.Unsupported:
			return path.Result{}, fmt.Errorf("%s does not take the stage graph: %s", b.Name(), r.Why)
		case tell != nil && (r.Status == solver.NumericalError || r.Status == solver.Crashed):
			tell(fmt.Sprintf("%s gave up on a choice, which stays open (%v: %s)", b.Name(), r.Status, r.Why))
		}
		return path.Result{Status: r.Status, Stages: r.Stages, Value: r.Value, Bound: r.Bound, HasBound: r.HasBound, Boxes: r.Nodes}, nil
	}
}
