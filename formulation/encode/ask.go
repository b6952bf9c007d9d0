package encode

import (
	"context"
	"fmt"

	"partita/solver"
	"partita/solver/path"
)

// knownOf is what the model of a box takes for granted.
func (s *search) knownOf(b *box, cutoff int64) known {
	k := known{p: s.n.p, cutoff: cutoff}
	for f := range k.sum {
		k.low[f] = b.window[f].lo
		var sum form
		sum.time[f] = 1
		k.sum[f] = max(k.low[f], s.n.shortest(b.arcs, &sum, s.w.dist, s.w.via))
	}
	return k
}

// call asks the backend for a path of the box with an objective under the cutoff; nil
// where it says that there is none.
func (s *search) call(ctx context.Context, b *box, k known) ([]path.Stage, error) {
	m := newBuilder("box", s.n, b.arcs, k)
	m.visits = !s.b.Capabilities().Optimises
	m.add(s.constraints)
	if s.n.ended() {
		return nil, stop{status: solver.ContextStatus(s.n.ctx)}
	}
	d, err := m.decoder()
	if err != nil {
		return nil, err
	}
	point, err := s.ask(ctx, m.m)
	if err != nil || point == nil {
		return nil, err
	}
	stages, err := d.Stages(point)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.b.Name(), err)
	}
	if v, bad := s.n.p.Evaluate(stages); bad == nil {
		s.credit(v.Objective)
	}
	return stages, nil
}

// credit notes the value of a path that the backend itself has produced.
func (s *search) credit(value int64) {
	if !s.hasOwn || value < s.own {
		s.own, s.hasOwn = value, true
	}
}

// ask makes one call of the backend: a point of the model, nil where it says that
// there is none, or a stop.
func (s *search) ask(ctx context.Context, m *solver.Model) ([]int64, error) {
	s.calls++
	r, err := s.b.Solve(ctx, m, solver.Options{Seed: s.seed})
	switch {
	case err != nil:
		return nil, err
	case r.Point == solver.Feasible:
		if _, broken := m.Check(r.Incumbent); broken != nil {
			return nil, stop{solver.NumericalError, "its point breaks the model: " + broken[0].String()}
		}
		return r.Incumbent, nil
	case r.Status == solver.Infeasible:
		return nil, nil
	case r.Status == solver.TimeLimit || r.Status == solver.Interrupted:
		if ctx.Err() != nil {
			return nil, stop{status: solver.ContextStatus(ctx)}
		}
	}
	return nil, stop{r.Status, r.RawStatus}
}
