package formulation

import (
	"context"

	"partita/solver/path"
)

// effort bounds a search by its work instead of by a clock: it ends at the same point
// every time. What comes after its end is as after an interruption.
type effort struct {
	left int64              // path.Result.Work
	end  context.CancelFunc // of the search's context
}

// solve is path.Solve out of what is left.
func (e *effort) solve(ctx context.Context, p *path.Problem, opts path.Options) (path.Result, error) {
	opts.Work = max(1, e.left)
	r, err := path.Solve(ctx, p, opts)
	if e.left -= r.Work; e.left <= 0 {
		e.end()
	}
	return r, err
}
