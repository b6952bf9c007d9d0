package formulation

import (
	"context"

	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/results"
)

// Session is a series of searches that share what their conditions have in common:
// a batch asks for hundreds of workloads on one cluster and model, and the prices of
// stages, their memory and the splits of the GPUs are then computed once. A report is the
// same, byte for byte, as that of Optimize, whatever was asked before.
//
// A session is not safe for concurrent use: each worker has its own.
type Session struct{ known stagegraph.Cache }

// NewSession makes a session that knows nothing yet.
func NewSession() *Session { return &Session{} }

// Optimize is the package's Optimize, by what the session knows.
func (s *Session) Optimize(ctx context.Context, c *inputs.Condition, opts Options) (*results.Report, error) {
	return optimize(ctx, s.known.Space, c, opts, false)
}
