package graphplan

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"partita/formulation/ideals"
	"partita/inputs"
	"partita/results"
	"partita/solver"
)

// Options steer Solve. The zero value searches until the proof.
type Options struct {
	// TimeLimit bounds the search; 0: none but the context's.
	TimeLimit time.Duration
	// Log receives a line when the search enters a new part; nil: silence.
	Log func(string)
	// Tell is told where the search stands, the objective in ms a sample; nil: nobody
	// watches.
	Tell func(settled int, incumbent, bound *float64)
	// Timed adds the time of each heuristic to the comparison.
	Timed bool
}

// ErrNoWork says that a graph takes no time at all: any placement passes samples without end.
var ErrNoWork = errors.New("the nodes of the operator graph take no time")

// attempt is a placement of one replica under an outer choice.
type attempt struct {
	choice  choice
	problem *ideals.Problem
	stages  []ideals.Stage
	loads   []float64 // ms by stage
	value   float64   // largest load, ms
}

// attempt is a placement under an outer choice, with the GPUs that it uses: fewer of them
// may lie in one host where all would not.
func (s *space) attempt(ch choice, p *ideals.Problem, stages []ideals.Stage) *attempt {
	used := make([]int, len(ch.gpus))
	for _, st := range stages {
		used[st.Class]++
	}
	if !slices.Equal(used, ch.gpus) {
		of := choice{replicas: ch.replicas, gpus: used, inside: s.inHosts(used) >= ch.replicas}
		if of.inside != ch.inside {
			p = s.problem(of)
		}
		ch = of
	}
	a := &attempt{choice: ch, problem: p, stages: stages, loads: p.Loads(stages)}
	a.value = slices.Max(a.loads)
	return a
}

// perSample is the objective: ms of the deployment a sample.
func (a *attempt) perSample() float64 { return a.value / float64(a.choice.replicas) }

// used is the number of GPUs of all replicas.
func (a *attempt) used() int { return len(a.stages) * a.choice.replicas }

// equalShare: values closer than this are one value, which two orders of summing give.
const equalShare = 1e-9

// search is one call of Solve.
type search struct {
	*space
	opts  Options
	total int // GPUs given
	best  *attempt
	// bound: no plan is below it, ms a sample.
	bound  float64
	outer  results.Outer
	lines  []results.OuterChoice
	parts  int // units of the graph, where all GPUs could not be used
	rules  []proposal
	ctxErr error
}

// candidate is an outer choice with a floor of its objective.
type candidate struct {
	choice  choice
	problem *ideals.Problem
	floor   float64 // ms a sample
}

// Solve finds the plan of a condition whose model is an operator graph. Infeasible is an
// answer; an error means that the condition cannot be priced or a search could not run.
func Solve(ctx context.Context, c *inputs.Condition, opts Options) (*results.Report, error) {
	started := time.Now()
	if opts.TimeLimit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, opts.TimeLimit)
		defer cancel()
	}
	sp, err := newSpace(c)
	if err != nil {
		return nil, err
	}
	s := &search{space: sp, opts: opts, bound: math.Inf(1), lines: []results.OuterChoice{}}
	for _, n := range sp.given() {
		s.total += n
	}
	var list []candidate
	for _, ch := range sp.choices() {
		p := sp.problem(ch)
		list = append(list, candidate{ch, p, floor(p) / float64(ch.replicas)})
	}
	slices.SortStableFunc(list, func(a, b candidate) int {
		switch {
		case a.floor != b.floor && a.floor < b.floor:
			return -1
		case a.floor != b.floor:
			return 1
		}
		return b.choice.replicas - a.choice.replicas
	})
	s.rules = s.propose(ctx, list)
	for i := range list {
		if err := s.try(ctx, &list[i]); err != nil {
			return nil, err
		}
		s.tell()
	}
	s.ctxErr = ctx.Err()
	if s.best != nil && !(s.best.value > 0) {
		return nil, ErrNoWork
	}
	return s.report(time.Since(started))
}

// try settles an outer choice.
func (s *search) try(ctx context.Context, c *candidate) error {
	line := results.OuterChoice{Replicas: c.choice.replicas, GPUsPerReplica: c.choice.gpus, Choices: 1}
	keep := func(outcome string, bound float64, why string) {
		line.Outcome, line.Why = outcome, why
		if !math.IsInf(bound, 0) {
			line.Bound = &bound
		}
		s.lines = append(s.lines, line)
	}
	if s.best != nil && s.usesAll(s.best) && c.floor >= s.best.perSample()*(1-equalShare) {
		s.outer.Pruned++
		s.bound = min(s.bound, c.floor)
		keep("pruned", c.floor, "the longest node, or the work shared out over all GPUs, takes no less")
		return nil
	}
	if ctx.Err() != nil {
		s.outer.Open++
		s.bound = min(s.bound, c.floor)
		keep("open", c.floor, "time ran out")
		return nil
	}
	s.log(fmt.Sprintf("replicas %d, GPUs of each by pool %v", c.choice.replicas, c.choice.gpus))
	r := float64(c.choice.replicas)
	var opts ideals.Options
	if s.best != nil && s.usesAll(s.best) {
		opts.Below = s.best.value / float64(s.best.choice.replicas) * r
	}
	found, err := ideals.Solve(ctx, c.problem, opts)
	if err != nil {
		return fmt.Errorf("placing the graph on %v GPUs: %w", c.choice.gpus, err)
	}
	if found.Status == solver.Infeasible && opts.Below > 0 {
		s.beaten(c, found.Because, keep, &line)
		return nil
	}
	if found.Status == solver.Infeasible {
		s.outer.Infeasible++
		keep("infeasible", math.Inf(1), "the memory of these GPUs does not hold the graph")
		return nil
	}
	bound := max(c.floor, found.Bound/r)
	if found.Status == solver.Optimal {
		bound = found.Value / r
	}
	proved := found.Status == solver.Optimal
	if found.Stages != nil {
		a := s.attempt(c.choice, c.problem, found.Stages)
		full, exact := s.full(ctx, c, a)
		// What all GPUs take more is not proved to be the least: the bound is of fewer too.
		proved = proved && s.usesAll(full) && (exact || full.value <= a.value*(1+equalShare))
		if exact && proved {
			bound = full.perSample()
		}
		s.offer(full)
		v := full.perSample()
		line.Value = &v
	}
	s.bound = min(s.bound, bound)
	if proved {
		s.outer.Solved++
		keep("solved", bound, found.Because)
		return nil
	}
	if s.best != nil && s.usesAll(s.best) && bound >= s.best.perSample()*(1-equalShare) {
		s.outer.Pruned++
		keep("pruned", bound, "what is proved of it is no better than the plan")
		return nil
	}
	s.outer.Open++
	switch {
	case found.Status != solver.Optimal:
		keep("open", bound, "time ran out")
	default:
		keep("open", bound, "proved for fewer GPUs than given; with all of them no better plan was found")
	}
	return nil
}

// beaten settles a choice that has nothing better than the incumbent: the incumbent is its
// optimum where it is of this choice.
func (s *search) beaten(c *candidate, why string, keep func(string, float64, string), line *results.OuterChoice) {
	v := s.best.perSample()
	s.bound = min(s.bound, v)
	if s.best.choice.replicas == c.choice.replicas && slices.Equal(s.best.choice.gpus, c.choice.gpus) {
		s.outer.Solved++
		line.Value = &v
		keep("solved", v, why)
		return
	}
	s.outer.Pruned++
	keep("pruned", v, why)
}

// usesAll reports whether an attempt uses the GPUs that it has to.
func (s *search) usesAll(a *attempt) bool { return s.c.Goal.AllowIdle || a.used() == s.total }

// full makes a placement use every GPU of its choice where it has to: the order of its
// stages, and two more, are cut into as many stages as there are GPUs. Where none of them
// can be, the placement with most GPUs is returned. It is exact where there is one order
// alone: the graph is a chain.
func (s *search) full(ctx context.Context, c *candidate, a *attempt) (full *attempt, exact bool) {
	if s.usesAll(a) {
		return a, false
	}
	u := unitsOf(c.problem)
	s.parts = max(s.parts, len(u.nodes))
	best := a
	for _, limit := range []float64{a.value * (1 + equalShare), math.Inf(1)} {
		for _, order := range [][]int{u.along(a.stages), u.byFile(), u.inDepth()} {
			stages, _ := u.line(order).cut(ctx, limit)
			if stages == nil {
				continue
			}
			b := s.attempt(c.choice, c.problem, stages)
			if b.used() > best.used() || b.used() == best.used() && b.value < best.value {
				best = b
			}
			if s.usesAll(best) && best.value <= a.value*(1+equalShare) {
				return best, false
			}
		}
	}
	return best, u.chain() && ctx.Err() == nil
}

// offer takes an attempt that is better than the incumbent: one that uses more GPUs where
// all have to be used, then the one of less time a sample, then of less latency.
func (s *search) offer(a *attempt) {
	b := s.best
	switch {
	case b == nil:
	case !s.c.Goal.AllowIdle && a.used() != b.used():
		if a.used() < b.used() {
			return
		}
	case a.perSample() < b.perSample()*(1-equalShare):
	case a.perSample() > b.perSample()*(1+equalShare):
		return
	default:
		if s.latency(a) >= s.latency(b)*(1-equalShare) {
			return
		}
	}
	s.best = a
}

func (s *search) log(line string) {
	if s.opts.Log != nil {
		s.opts.Log(line)
	}
}

func (s *search) tell() {
	if s.opts.Tell == nil {
		return
	}
	var incumbent, bound *float64
	if s.best != nil {
		v := s.best.perSample()
		incumbent = &v
	}
	s.opts.Tell(len(s.lines), incumbent, bound)
}

// interrupted reports whether it was not time that ran out.
func (s *search) interrupted() bool { return errors.Is(s.ctxErr, context.Canceled) }
