package sat

import (
	"context"
	"runtime"
	"time"

	"github.com/irifrance/gini"
	"github.com/irifrance/gini/inter"
	"github.com/irifrance/gini/z"
)

// engine is gini behind literals in DIMACS numbering. This file is the only one that
// knows it.
type engine struct {
	g    *gini.Gini
	dead bool // refuted without assumptions: gini must not be asked again
	// stopping, where not nil, delivers once an abandoned search has ended.
	stopping <-chan int
}

func newEngine() *engine { return &engine{g: gini.New()} }

// add takes one clause over; the slice stays the caller's.
func (e *engine) add(clause []lit) {
	for _, l := range clause {
		e.g.Add(z.Dimacs2Lit(int(l)))
	}
	e.g.Add(z.LitNull)
}

// verdict of one call.
type verdict int8

const (
	unknown       verdict = 0
	satisfiable   verdict = 1
	unsatisfiable verdict = -1
)

// solve decides the clauses under assumptions; unknown means that the context ended.
// gini cannot be told to watch a context, so the wait looks in on it.
func (e *engine) solve(ctx context.Context, assumptions []lit) verdict {
	const (
		yields = 100                    // small models are done before a timer would fire
		first  = 100 * time.Microsecond // then wait, twice as long each time
		last   = 5 * time.Millisecond   // the context is noticed well within 100 ms
	)
	if e.dead {
		return unsatisfiable
	}
	if !e.ready(ctx) {
		return unknown
	}
	// A tautology adds nothing, but makes gini go back to level 0. Left where the last
	// refutation ended, it may derive a contradiction at level 0 and search on
	// regardless (irifrance/gini v1.0.1, cleanupSolve).
	e.add([]lit{1, -1})
	for _, l := range assumptions {
		e.g.Assume(z.Dimacs2Lit(int(l)))
	}
	run := e.g.GoSolve()
	for range yields {
		if answer, done := run.Test(); done {
			return e.conclude(verdict(answer))
		}
		runtime.Gosched()
	}
	timer := time.NewTimer(first)
	defer timer.Stop()
	for pause := first; ; pause = min(2*pause, last) {
		if answer, done := run.Test(); done {
			return e.conclude(verdict(answer))
		}
		select {
		case <-ctx.Done():
			return e.stop(run)
		case <-timer.C:
			timer.Reset(pause)
		}
	}
}

// stop asks gini to stop. It looks up every 20,000 propagations, which takes it more
// than a second on long clauses; the caller does not wait for that.
func (e *engine) stop(run inter.Solve) verdict {
	const patience = 20 * time.Millisecond
	stopped := make(chan int, 1)
	go func() { stopped <- run.Stop() }()
	select {
	case answer := <-stopped:
		return e.conclude(verdict(answer))
	case <-time.After(patience):
		e.stopping = stopped
		return unknown
	}
}

// ready waits until a search that was told to stop has stopped; nothing may be added
// or asked before. False: the context ended first.
func (e *engine) ready(ctx context.Context) bool {
	if e.stopping == nil {
		return ctx.Err() == nil
	}
	select {
	case <-ctx.Done():
		return false
	case answer := <-e.stopping:
		e.stopping = nil
		e.conclude(verdict(answer))
		return true
	}
}

// conclude notes a refutation that needs no assumption. gini forgets a conflict at
// level 0 when a clause is added, and would search on an inconsistent trail.
func (e *engine) conclude(v verdict) verdict {
	if v == unsatisfiable && len(e.failed()) == 0 {
		e.dead = true
	}
	return v
}

// failed is the set of assumptions that the last refutation used.
func (e *engine) failed() []lit {
	if e.dead {
		return nil
	}
	var out []lit
	for _, m := range e.g.Why(nil) {
		out = append(out, lit(m.Dimacs()))
	}
	return out
}

// holds reads the assignment of the last satisfiable call. A variable that occurs in
// no clause is false.
func (e *engine) holds(l lit) bool {
	m := z.Dimacs2Lit(int(l))
	if m.Var() > e.g.MaxVar() {
		return l < 0
	}
	return e.g.Value(m)
}
