package solver

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Options of one solve. The time limit is the deadline of the context.
type Options struct {
	// Cutoff is a value to beat: only points with a strictly better objective are
	// looked for (objective < *Cutoff when minimising, > when maximising). If there
	// is none the answer is Infeasible with BestBound = *Cutoff. Nil: none. Ignored
	// where the model has no objective.
	Cutoff *int64
	// Hint is an assignment by variable index. Solve takes it as its first incumbent
	// if it passes the exact check and beats the cutoff, and forgets it otherwise.
	Hint []int64
	// Seed varies choices that do not change the answer, where a backend has any.
	Seed int64
}

// Backend is one solver behind an adapter. Its answers are claims: Solve checks them.
type Backend interface {
	// Name is what reports call the backend.
	Name() string
	// Capabilities says what it takes and what its word is worth.
	Capabilities() Capabilities
	// Solve makes one raw call: find a point within the cutoff, the best one where
	// Capabilities.Optimises. It stops soon after the context ends. The caller has
	// seen to Model.Err; an error means that the backend could not run.
	Solve(ctx context.Context, m *Model, opts Options) (Result, error)
}

// Incremental is a Backend that keeps what it learned about one model from call to
// call.
type Incremental interface {
	Backend
	Start(ctx context.Context, m *Model) (Session, error)
}

// Session is one model inside an incremental backend; not for concurrent use.
type Session interface {
	// Solve is a raw call like Backend.Solve. The cutoffs of successive calls may
	// move in both directions.
	Solve(ctx context.Context, opts Options) (Result, error)
	Close()
}

// Conflicter names what clashes in a model without solution.
type Conflicter interface {
	Backend
	// Conflict is a minimal subset of groups that no point satisfies together with
	// the rows outside groups: leave out any one of them and there is a point. It is
	// empty where those other rows already clash. ErrNoConflict: the model has a
	// point. The objective plays no part.
	Conflict(ctx context.Context, m *Model, groups []Constraint) ([]Constraint, error)
}

// ErrNoConflict is the answer of Conflict on a model that can be satisfied.
var ErrNoConflict = errors.New("no conflict: the constraints can be satisfied together")

// Decide answers whether the model has a feasible point, whatever its objective is:
// Optimal with the point, Infeasible, or why it stopped.
func Decide(ctx context.Context, m *Model, b Backend) (Result, error) {
	feasibility := *m
	feasibility.objective = Objective{}
	result, err := Solve(ctx, &feasibility, b, Options{})
	if err == nil && result.Point == Feasible {
		result.Objective, _ = m.Check(result.Incumbent)
	}
	return result, err
}

// Solve is the loop that every backend goes through: find a point, check it exactly,
// cut off (look only for better ones), until the backend refutes the cutoff. Optimal
// is said only then, or where the incumbent meets a bound that follows from the
// domains alone. What the refutation is worth is Capabilities.Exact.
//
// When the context ends first the result holds the incumbent and the best bound
// proved until then, with TimeLimit or Interrupted; on a context that has already
// ended the backend is not called.
func Solve(ctx context.Context, m *Model, b Backend, opts Options) (Result, error) {
	if m.err != nil {
		return Result{}, m.err
	}
	started := time.Now()
	l := loop{m: m, b: b, opts: opts}
	err := l.run(ctx)
	l.result.Time = time.Since(started)
	if err != nil {
		return l.result, fmt.Errorf("%s on model %q: %w", b.Name(), m.name, err)
	}
	return l.result, nil
}

// ContextStatus is the status of a solve that its context ended.
func ContextStatus(ctx context.Context) Status {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return TimeLimit
	}
	return Interrupted
}
