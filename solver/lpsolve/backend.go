package lpsolve

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"partita/solver"
)

// ErrAbsent is New's answer in a program built without lp_solve.
var ErrAbsent = errors.New(`lp_solve is not linked in; install it (Debian: liblpsolve55-dev) and build with -tags lpsolve, ` +
	`CGO_CFLAGS=-I/usr/include/lpsolve and CGO_LDFLAGS="-llpsolve55 -lm -ldl -lcolamd"`)

// Backend is lp_solve. It may be used by several goroutines at once; each call in
// flight has a worker of its own.
type Backend struct {
	workers pool
	local   bool // no worker to be had: solve in this process
}

// New is the lp_solve backend, or ErrAbsent. Close it to end its idle workers; they
// also end with the process.
func New() (*Backend, error) {
	if !Available() {
		return nil, ErrAbsent
	}
	return &Backend{local: !hooked.Load()}, nil
}

// Close ends the idle workers. The backend remains usable.
func (b *Backend) Close() error {
	b.workers.close()
	return nil
}

// Name is "lpsolve".
func (b *Backend) Name() string { return "lpsolve" }

// Capabilities of lp_solve, whether it is linked in or not.
func (b *Backend) Capabilities() solver.Capabilities { return Capabilities() }

// Capabilities of lp_solve, whether it is linked in or not.
func Capabilities() solver.Capabilities {
	return solver.Capabilities{
		Integers: true, Unbounded: true, Optimises: true,
		Needs:  "cgo, liblpsolve55, build tag lpsolve",
		GoodAt: "side constraints over path models",
	}
}

// Solve makes one call of lp_solve. Where the model has no objective any point
// counts, a suboptimal one included.
func (b *Backend) Solve(ctx context.Context, m *solver.Model, opts solver.Options) (solver.Result, error) {
	if m.Err() != nil {
		return solver.Result{}, m.Err()
	}
	started := time.Now()
	r, err := b.solve(ctx, m, opts)
	r.Calls, r.Time = 1, time.Since(started)
	return r, err
}

func (b *Backend) solve(ctx context.Context, m *solver.Model, opts solver.Options) (solver.Result, error) {
	if r, settled := settle(m, opts); settled {
		return r, nil
	}
	if ctx.Err() != nil {
		return solver.Result{Status: solver.ContextStatus(ctx)}, nil
	}
	p, unsupported := newProgram(m, opts)
	if unsupported != "" {
		return solver.Result{Status: solver.Unsupported, RawStatus: unsupported}, nil
	}
	for rejected := 0; ; rejected++ {
		p.TimeoutSeconds = timeout(ctx)
		a, err := b.run(ctx, p)
		switch {
		case err != nil && ctx.Err() != nil:
			return solver.Result{Status: solver.ContextStatus(ctx), RawStatus: "stopped"}, nil
		case errors.As(err, &crash{}):
			return solver.Result{Status: solver.Crashed, RawStatus: err.Error()}, nil
		case err != nil:
			return solver.Result{}, err
		case a.Fault != "":
			return solver.Result{Status: solver.Crashed, RawStatus: a.Fault}, nil
		}
		r, wrong := interpret(ctx, m, opts, p, a)
		if rejected > 0 {
			r.RawStatus += fmt.Sprintf(" after %d rejected points", rejected)
		}
		if wrong == nil || rejected == maxRejected || !p.forbid(wrong) {
			return r, nil
		}
	}
}

// maxRejected is how many wrong points one call puts up with. They come where a
// coefficient times lp_solve's integrality tolerance (1e-7) reaches 1; more than a
// few mean that the model is out of its reach.
const maxRejected = 32

func (b *Backend) run(ctx context.Context, p program) (answer, error) {
	if b.local {
		return runHere(ctx, p)
	}
	return b.workers.run(ctx, p)
}

// settle answers what must not reach lp_solve: no column at all, a row that cannot
// hold, an objective without variables (its cutoff row would be empty).
func settle(m *solver.Model, opts solver.Options) (solver.Result, bool) {
	if _, clash := m.Contradiction(); clash {
		return solver.Result{Status: solver.Infeasible, RawStatus: "a row without variables cannot hold"}, true
	}
	obj := m.Objective()
	if opts.Cutoff != nil && obj.Sense != solver.NoObjective && len(obj.Terms) == 0 {
		c := *opts.Cutoff
		if obj.Sense == solver.Min && obj.Constant >= c || obj.Sense == solver.Max && obj.Constant <= c {
			return solver.Result{Status: solver.Infeasible, RawStatus: "a constant objective does not beat the cutoff"}, true
		}
		opts.Cutoff = nil
	}
	if m.NumVariables() == 0 {
		return solver.Result{Status: solver.Optimal, Point: solver.Feasible, Objective: obj.Constant, RawStatus: "no variables"}, true
	}
	return solver.Result{}, false
}

// timeout is lp_solve's limit for the time the context has left, 0 for none. It is
// rounded down, so that lp_solve ends by itself and hands over what it has found; a
// worker that is killed takes its point along. Below one second only the context
// ends the call on time.
func timeout(ctx context.Context) int {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return max(1, int(min(time.Until(deadline).Seconds(), math.MaxInt32)))
}

// Return codes of solve(), lp_solve 5.5 reference guide.
const (
	codeOptimal    = 0
	codeSuboptimal = 1
	codeInfeasible = 2
	codeUnbounded  = 3
	codeTimeout    = 7
)

// interpret reads an answer. A point is taken from any code that has one, rounded,
// and kept only if it satisfies the model and beats the cutoff exactly; what the code
// then says about it is a claim for solver.Solve to try. wrong is a point that did
// not pass.
func interpret(ctx context.Context, m *solver.Model, opts solver.Options, p program, a answer) (r solver.Result, wrong []int64) {
	r.RawStatus = a.Name
	if point, integral := round(a.Values); integral && len(point) == m.NumVariables() {
		value, violations := m.Check(point)
		switch {
		case len(violations) > 0:
			r.RawStatus = fmt.Sprintf("%s, but %s", a.Name, violations[0])
			wrong = point
		case !beats(m.Objective(), value, opts.Cutoff):
			r.RawStatus = fmt.Sprintf("%s, but %d does not beat the cutoff", a.Name, value)
			wrong = point
		default:
			r.Point, r.Incumbent, r.Objective = solver.Feasible, point, value
		}
	}
	switch {
	case a.Code == codeInfeasible:
		r.Status, wrong = solver.Infeasible, nil
	case a.Code == codeUnbounded && p.Decision:
		r.Status = solver.NumericalError // the made-up cost is bounded
	case a.Code == codeUnbounded:
		r.Status, wrong = solver.Unbounded, nil
	case a.Code == codeTimeout, a.Code == codeSuboptimal && !p.Decision:
		r.Status = solver.TimeLimit
		if ctx.Err() != nil {
			r.Status = solver.ContextStatus(ctx)
		}
		wrong = nil
	case r.Point == solver.Feasible && (a.Code == codeOptimal || p.Decision):
		r.Status = solver.Optimal
	default:
		r.Status = solver.NumericalError
	}
	return r, wrong
}

func beats(obj solver.Objective, value int64, cutoff *int64) bool {
	switch {
	case cutoff == nil || obj.Sense == solver.NoObjective:
		return true
	case obj.Sense == solver.Max:
		return value > *cutoff
	}
	return value < *cutoff
}

func round(values []float64) ([]int64, bool) {
	if len(values) == 0 {
		return nil, false
	}
	point := make([]int64, len(values))
	for i, v := range values {
		x := math.Round(v)
		if math.IsNaN(x) || math.Abs(x) > exactly {
			return nil, false // 1e30: there is no point
		}
		point[i] = int64(x)
	}
	return point, true
}
