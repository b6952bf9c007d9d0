package sat

import (
	"context"
	"time"

	"partita/solver"
)

// Backend translates models into clauses for gini, a CDCL solver in Go. It has no
// state and may be used by several goroutines at once.
type Backend struct {
	limit int // encoding.limit; a test sets it to see adders at work
}

// New is the SAT backend.
func New() Backend { return Backend{} }

// Name is "sat".
func (Backend) Name() string { return "sat" }

// Capabilities of the SAT backend.
func (Backend) Capabilities() solver.Capabilities {
	return solver.Capabilities{
		Integers: true, Exact: true, Stateful: true, Conflicts: true,
		Needs: "nothing (pure Go)", GoodAt: "feasibility, side constraints, minimal conflicts",
	}
}

// Solve finds one point within the cutoff: a session of one call.
func (b Backend) Solve(ctx context.Context, m *solver.Model, opts solver.Options) (solver.Result, error) {
	s, err := b.Start(ctx, m)
	if err != nil {
		return solver.Result{}, err
	}
	defer s.Close()
	return s.Solve(ctx, opts)
}

// Start encodes the model. A context that ends meanwhile shows in the first Solve.
func (b Backend) Start(ctx context.Context, m *solver.Model) (solver.Session, error) {
	if m.Err() != nil {
		return nil, m.Err()
	}
	s := &session{m: m, engine: newEngine(), unsupported: unsupported(m)}
	if s.unsupported == "" {
		s.e = b.encode(ctx, m, nil, s.engine.add)
	}
	return s, nil
}

// session is one model in one gini.
type session struct {
	m           *solver.Model
	e           *encoding
	engine      *engine
	objective   *objective
	unsupported string
}

// Solve finds one point within the cutoff. Clauses learned by earlier calls count.
func (s *session) Solve(ctx context.Context, opts solver.Options) (solver.Result, error) {
	started := time.Now()
	r := s.solve(ctx, opts)
	r.Calls, r.Time = 1, time.Since(started)
	return r, nil
}

func (s *session) solve(ctx context.Context, opts solver.Options) solver.Result {
	if s.unsupported != "" {
		return solver.Result{Status: solver.Unsupported, RawStatus: s.unsupported}
	}
	if !s.engine.ready(ctx) {
		return solver.Result{Status: s.stopped(ctx), RawStatus: "stopped"}
	}
	f := s.e.f
	f.ctx = ctx
	var assumptions []lit
	optimising := s.m.Objective().Sense != solver.NoObjective
	if optimising && opts.Cutoff != nil && !f.ended {
		if s.objective == nil {
			s.objective = s.e.newObjective()
		}
		l, possible := s.objective.below(f, *opts.Cutoff)
		if !possible {
			return solver.Result{Status: solver.Infeasible, RawStatus: "the domains exclude the cutoff"}
		}
		if l != 0 {
			assumptions = []lit{l}
		}
	}
	if f.ended { // the formula lacks clauses, now and for good
		return solver.Result{Status: s.stopped(ctx), RawStatus: "stopped while encoding"}
	}
	switch s.engine.solve(ctx, assumptions) {
	case satisfiable:
		r := solver.Result{Point: solver.Feasible, Incumbent: s.e.point(s.engine.holds), RawStatus: "SAT"}
		r.Objective, _ = s.m.Check(r.Incumbent)
		if !optimising {
			r.Status = solver.Optimal
		}
		return r
	case unsatisfiable:
		return solver.Result{Status: solver.Infeasible, RawStatus: "UNSAT"}
	}
	return solver.Result{Status: s.stopped(ctx), RawStatus: "stopped"}
}

// stopped is the status of a call that the context ended, this one's or, for a model
// left half encoded, an earlier one's.
func (s *session) stopped(ctx context.Context) solver.Status {
	if ctx.Err() == nil {
		return solver.Interrupted
	}
	return solver.ContextStatus(ctx)
}

// Close lets the memory go; gini holds nothing else.
func (s *session) Close() { s.engine, s.e, s.objective = nil, nil, nil }
