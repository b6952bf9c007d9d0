package encode

import (
	"context"
	"fmt"

	"partita/solver"
	"partita/solver/path"
)

// Prover solves as path.Solve does, by a backend over integer models instead of labels.
func Prover(b solver.Backend) func(context.Context, *path.Problem, path.Options) (path.Result, error) {
	return func(ctx context.Context, p *path.Problem, opts path.Options) (path.Result, error) {
		r, err := Solve(ctx, p, b, Options{Incumbent: opts.Incumbent, Cutoff: opts.Cutoff})
		if err != nil {
			return path.Result{}, err
		}
		if r.Status == solver.NumericalError || r.Status == solver.Unsupported {
			return path.Result{}, fmt.Errorf("%s gave up on the stage graph: %v", b.Name(), r.Status)
		}
		return path.Result{Status: r.Status, Stages: r.Stages, Value: r.Value, Bound: r.Bound, HasBound: r.HasBound, Boxes: r.Nodes}, nil
	}
}
