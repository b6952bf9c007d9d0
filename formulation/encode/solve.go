package encode

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"partita/solver"
	"partita/solver/path"
)

// Options of one solve.
type Options struct {
	// Incumbent is a path that satisfies the problem, to start from; nil: none is
	// known. It is an error if it does not satisfy it.
	Incumbent []path.Stage
	// Cutoff asks only for paths with an objective below it; nil: all. Where none is
	// the answer is Infeasible with Bound = Cutoff.
	Cutoff *int64
	// Seed is handed to the backend.
	Seed int64
}

// Result is the answer of one solve.
type Result struct {
	// Status: Optimal when the backend has produced a path of the best value itself
	// and no better one exists; Infeasible; TimeLimit and Interrupted with what there
	// is until then, and so NumericalError, Crashed and Unsupported where the backend
	// said so of a box that cannot be split.
	Status solver.Status
	// Why is what the backend said where it gave up; empty otherwise.
	Why    string
	Stages []path.Stage // nil where no path is known
	Value  path.Value
	// Bound is a value that no path beats, where HasBound.
	Bound    int64
	HasBound bool
	Calls    int // raw backend calls
	Nodes    int // boxes looked at
}

// Solve finds the path with the smallest objective and proves it: best-first search
// over boxes of bottleneck times, the backend deciding each box that pricing leaves
// open. The error says what is wrong with the problem or the backend; a context that
// ends is an answer.
func Solve(ctx context.Context, p *path.Problem, b solver.Backend, opts Options) (Result, error) {
	n, err := newNetworkIn(ctx, p)
	switch {
	case err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return Result{Status: solver.ContextStatus(ctx)}, nil
	case err != nil:
		return Result{}, err
	}
	s := &search{n: n, w: n.newWork(), b: b, seed: opts.Seed, cutoff: path.NoLimit, constraints: constraints(p), objective: newObjective(p)}
	if opts.Cutoff != nil {
		// No objective is outside ±largestValue (validate); prices of more overflow.
		s.cutoff = max(-largestValue, min(*opts.Cutoff, largestValue+1))
	}
	if opts.Incumbent != nil {
		v, err := p.Evaluate(opts.Incumbent)
		if err != nil {
			return Result{}, fmt.Errorf("the incumbent handed to %s is no solution: %w", b.Name(), err)
		}
		if v.Objective < s.cutoff {
			s.best, s.value, s.cutoff = slices.Clone(opts.Incumbent), v, v.Objective
		}
	}
	status, err := s.run(ctx)
	if err != nil {
		return Result{}, err
	}
	r := Result{Status: status, Why: s.why, Stages: s.best, Value: s.value, Bound: s.bound, HasBound: s.hasBound, Calls: s.calls, Nodes: s.nodes}
	switch {
	case status == solver.Optimal:
		r.Bound, r.HasBound = s.value.Objective, true
	case status == solver.Infeasible && opts.Cutoff != nil:
		r.Bound, r.HasBound = *opts.Cutoff, true
	}
	return r, nil
}

// search is the state of one solve.
type search struct {
	n           *network
	w           *work
	b           solver.Backend
	seed        int64
	constraints []constraint
	objective   objectiveConstraint
	times       [2][]int64 // distinct times of each phase, ascending

	best   []path.Stage
	value  path.Value
	cutoff int64 // objective to beat; path.NoLimit without an incumbent
	// own is the smallest objective of a path that the backend itself has produced.
	own    int64
	hasOwn bool
	// quiet: paths that pricing meets on the way are not offered.
	quiet bool

	open     queue
	made     int
	calls    int
	nodes    int
	bound    int64
	hasBound bool
	why      string // what ended the search, if a backend did
}

// stop is why a search ends before its proof.
type stop struct {
	status solver.Status
	why    string // what the backend said, where it gave up
}

func (e stop) Error() string { return e.status.String() }

// gaveUp says whether the backend broke off over one box, out of patience or by a
// crash, while the whole search has time: a smaller box may be easier.
func gaveUp(ctx context.Context, err error) bool {
	early := stop{}
	return ctx.Err() == nil && errors.As(err, &early) && (early.status == solver.TimeLimit || early.status == solver.Crashed)
}

func (s *search) run(ctx context.Context) (solver.Status, error) {
	err := s.prove(ctx)
	if early := (stop{}); errors.As(err, &early) {
		if s.open.Len() > 0 && s.open[0].bound > -unreachable {
			s.bound, s.hasBound = min(s.open[0].bound, s.cutoff), true
		}
		s.why = early.why
		return early.status, nil
	}
	switch {
	case err != nil:
		return solver.Unknown, err
	case s.best == nil:
		return solver.Infeasible, nil
	}
	return solver.Optimal, nil
}

// prove closes every box, and has the backend reproduce the incumbent: one that it was
// given at once, if that goes quickly, the final one at the latest in the end.
func (s *search) prove(ctx context.Context) error {
	if ctx.Err() != nil {
		return stop{status: solver.ContextStatus(ctx)}
	}
	s.n.distinctTimes(&s.times) // a moment's work with a million arcs
	if ctx.Err() != nil {
		return stop{status: solver.ContextStatus(ctx)}
	}
	root := s.root()
	if root == nil {
		return nil
	}
	given := s.best != nil
	open := s.tighten(root, firstSteps) // a bound first: it is there if the rest is cut short
	if open && !given {
		s.firstIncumbent(root)
		open = s.tighten(root, laterSteps)
	}
	if open {
		s.push(root)
	}
	if given {
		quick, cancel := context.WithTimeout(ctx, patience)
		err := s.reproduce(quick)
		cancel()
		if err != nil && !gaveUp(ctx, err) {
			return err
		}
	}
	for s.open.Len() > 0 {
		b := heap.Pop(&s.open).(*box)
		if b.bound >= s.cutoff {
			break // best first: so are all others
		}
		if ctx.Err() != nil {
			s.push(b)
			return stop{status: solver.ContextStatus(ctx)}
		}
		s.nodes++
		if err := s.settle(ctx, b); err != nil {
			return err
		}
	}
	if s.best != nil && (!s.hasOwn || s.own > s.value.Objective) {
		s.push(&box{bound: s.value.Objective}) // proved, but not yet on the backend's word
		return s.reproduce(ctx)
	}
	return nil
}

// root is the box of all paths, nil where there is none.
func (s *search) root() *box {
	b := &box{arcs: make([]int32, len(s.n.arcs))}
	for i := range b.arcs {
		b.arcs[i] = int32(i)
	}
	for p, t := range s.times {
		if len(t) == 0 {
			return nil
		}
		b.window[p] = window{t[0], t[len(t)-1]}
	}
	b.bound = -unreachable
	if !s.filter(b) {
		return nil
	}
	return b
}

// settle closes a box, improves the incumbent, or puts the box back in parts.
func (s *search) settle(ctx context.Context, b *box) error {
	before := b.bound
	if !s.tighten(b, ascentSteps(b)) {
		return nil
	}
	if ctx.Err() != nil {
		s.push(b)
		return stop{status: solver.ContextStatus(ctx)}
	}
	if b.bound > before && s.open.Len() > 0 && s.open[0].bound < b.bound {
		// Another box is more promising by now; this one waits with its better bound.
		if b.bound < s.cutoff && !b.waited {
			b.waited = true
			s.push(b)
			return nil
		}
	}
	k := s.knownOf(b, s.cutoff)
	if c, ok := s.coverOf(b, k); ok {
		return s.halve(ctx, b, k, c)
	}
	if p, at, ok := s.presplit(b); ok {
		s.split(b, p, at)
		return nil
	}
	return s.decide(ctx, b, k)
}

// halve settles a box whose objective is the bottleneck alone, by bisection: a box is
// split, its lower half is refuted by its cover or gives a path. Only where the cover
// has a path and no path of the box comes of it, the box itself goes to the backend.
func (s *search) halve(ctx context.Context, b *box, k known, c cover) error {
	phase, at, splits := s.bisect(b)
	if splits && !b.half {
		s.split(b, phase, at)
		return nil
	}
	before := s.cutoff
	limited, cancel := context.WithTimeout(ctx, patience)
	closed, err := s.refute(limited, b, k, c)
	cancel()
	if err != nil && !gaveUp(ctx, err) {
		s.push(b)
		return err
	}
	if closed {
		return nil
	}
	if s.cutoff == before {
		s.beam(b)
	}
	if s.cutoff < before || splits {
		b.half = false
		s.push(b)
		return nil
	}
	return s.decide(ctx, b, k)
}

// patience is how long the backend may think about a box that can be split: nearly
// every call takes under a second, and on the others lp_solve is as a rule lost in one
// branch for minutes, while each half of the box is easy.
const patience = 2500 * time.Millisecond

// decide has the backend look for a better path in the box, and branches where the
// one it finds is better only in the terms of the box.
func (s *search) decide(ctx context.Context, b *box, k known) error {
	limited, cancel := ctx, context.CancelFunc(func() {})
	phase, at, splits := s.bisect(b)
	if splits {
		limited, cancel = context.WithTimeout(ctx, patience)
	}
	stages, err := s.call(limited, b, k)
	cancel()
	switch {
	case splits && gaveUp(ctx, err):
		s.split(b, phase, at)
		return nil
	case err != nil:
		s.push(b) // it is still open: its bound counts
		return err
	case stages == nil:
		return nil
	}
	v, bad := s.n.p.Evaluate(stages)
	if bad == nil && s.offer(stages, v) {
		s.push(b)
		return nil
	}
	return s.branch(b, stages)
}

// reproduce has the backend find a path as good as the incumbent: its own word for
// the value. The box is that of the bottlenecks of the incumbent.
func (s *search) reproduce(ctx context.Context) error {
	b := s.root()
	if b == nil {
		return fmt.Errorf("the incumbent is not a path of the network")
	}
	for p := range b.window {
		b.window[p] = window{s.value.Peak[p], s.value.Peak[p]}
	}
	s.cutoff, s.quiet = s.value.Objective+1, true
	open := s.tighten(b, firstSteps)
	s.cutoff, s.quiet = s.value.Objective, false
	if !open {
		return fmt.Errorf("the incumbent of value %d is not in its own box", s.value.Objective)
	}
	stages, err := s.call(ctx, b, s.knownOf(b, s.value.Objective+1))
	if err != nil {
		return err
	}
	if stages == nil {
		return stop{solver.NumericalError, "it denies a path that is there"}
	}
	if v, bad := s.n.p.Evaluate(stages); bad == nil {
		s.offer(stages, v)
	}
	return nil
}

// offer takes the path as incumbent if it is better.
func (s *search) offer(stages []path.Stage, v path.Value) bool {
	if v.Objective >= s.cutoff {
		return false
	}
	s.best, s.value, s.cutoff = stages, v, v.Objective
	return true
}

// foundArcs offers a path given by its arcs, last first, and says whether the problem
// allows it.
func (s *search) foundArcs(arcs []int32) bool {
	stages := make([]path.Stage, 0, len(arcs))
	for _, i := range slices.Backward(arcs) {
		stages = append(stages, s.n.arcs[i].stage())
	}
	v, err := s.n.p.Evaluate(stages)
	if err == nil && !s.quiet {
		s.offer(stages, v)
	}
	return err == nil
}
