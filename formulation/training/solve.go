package training

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/results"
	"partita/solver"
)

// Options steer Solve. The zero value proves the optimum by labels and has it confirmed by
// a second solver where one is given.
type Options struct {
	// Backend proves the optimum: "auto" (labels, then once more by ILP, or SAT where there
	// is none), "labels", "ilp" or "sat". Empty: auto.
	Backend string
	// TimeLimit bounds the whole search; 0: none but the context's.
	TimeLimit time.Duration
	// Confirm bounds the second proof under auto; 0: DefaultConfirm.
	Confirm time.Duration
	// Margin is by how much requirements must be beaten.
	Margin float64
	// Pinned is a strategy, or part of one, that is not to be chosen; nil: all is ours.
	Pinned *inputs.Strategy
	// ILP and SAT make the backends; nil: not built in.
	ILP, SAT func() (solver.Backend, error)
	// Log receives a line when the search enters a new part; nil: silence.
	Log func(string)
}

// DefaultConfirm is the time a second solver has: what a person waits for without noticing.
const DefaultConfirm = 500 * time.Millisecond

// Solution is where a search ended.
type Solution struct {
	// Status is that of the search: optimal, feasible (found, not proved), infeasible
	// (proved: no layout meets everything), unknown.
	Status results.Status
	// Feasible: the layout meets every requirement on the GPUs given. Otherwise it is the
	// closest one.
	Feasible bool
	Layout   *Layout // nil where there is none
	Seconds  float64 // of a step of the layout: what Price says of it
	// Condition is what the layout is for: the one asked for, or one with more GPUs of the
	// same kinds where it fits on no fewer.
	Condition *inputs.Condition
	// GPUs says how their number came about.
	GPUs string
	// Solve is what was proved; its time is left to the caller.
	Solve results.Solve
	// Nearest holds, of requirements that the closest layout misses, the value that a
	// layout exists for, the others as they are.
	Nearest map[inputs.RequirementKind]float64
	// Reasons say in sentences what is short where nothing fits, Warnings what else to know.
	Reasons, Warnings []string
	// Comparison holds what people do by rule of thumb, on the same prices.
	Comparison []results.Comparison

	aim    aim // what the layout is the least in
	in     string
	ranked bool // GPUs, or their price, were decided before it
	goal   *goal
}

// Value is what a layout that takes so many seconds a step is worth in the objective of the
// solution, which has a layout.
func (s *Solution) Value(l *Layout, seconds float64) float64 {
	split := SplitOf(l, len(s.Condition.Cluster.Pools))
	return s.aim.of(&split, seconds)
}

// equalGap, in percent: two sums of the same times.
const equalGap = 1e-6

// Gap is how much worse a layout that takes so many seconds a step is than that of the
// solution, in percent of what is decided first and tells them apart: "USD/h" or "GPUs"
// where it is these, else what is minimised. Below 0 for what lies outside of the layouts
// that are searched.
func (s *Solution) Gap(l *Layout, seconds float64) (percent float64, in string) {
	pools := len(s.Condition.Cluster.Pools)
	theirs, ours := SplitOf(l, pools), SplitOf(s.Layout, pools)
	over := func(a, b float64) float64 {
		if gap := 100 * (a/b - 1); math.Abs(gap) > equalGap {
			return gap
		}
		return 0
	}
	if s.ranked {
		if s.Condition.Goal.Objective == inputs.Cost {
			if gap := over(s.goal.hourly(&theirs), s.goal.hourly(&ours)); gap != 0 {
				return gap, "USD/h"
			}
		}
		if a, b := theirs.GPUs(), ours.GPUs(); a != b {
			return over(float64(a), float64(b)), "GPUs"
		}
	}
	return over(s.Value(l, seconds), s.Solve.Objective), s.in
}

// Solve finds the best layout of a training step and proves it. Infeasible is an answer:
// the solution then has the layout that misses the requirements by least. An error means
// that the condition cannot be priced or that a backend could not run.
func Solve(ctx context.Context, c *inputs.Condition, o Options) (*Solution, error) {
	calc, err := cost.New(c)
	if err != nil {
		return nil, err
	}
	return solveWith(ctx, c, calc, o)
}

// run is one call of Solve.
type run struct {
	x       *space
	goal    *goal
	o       Options
	prove   prover
	backend string
	tick    float64   // seconds
	known   []*Layout // layouts of earlier passes, to begin with
	first   []Split   // choices whose stages are searched before all others
	refused []int     // splits that each rule takes out
}

func newRun(c *inputs.Condition, costs costs, o Options) (*run, error) {
	x, err := newSpace(c, costs, o.Pinned)
	if err != nil {
		return nil, err
	}
	r := &run{x: x, goal: newGoal(x, o.Margin), o: o, refused: make([]int, x.rules.Len())}
	if r.prove, r.backend, err = r.prover(); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *run) log(line string) {
	if r.o.Log != nil {
		r.o.Log(line)
	}
}

// answer is where the levels of a condition ended.
type answer struct {
	out     *outcome
	pass    *pass
	passes  []results.CertificatePass
	counted string
	ranked  bool    // by the number of GPUs, or their price, before the aim of the pass
	slack   float64 // share by which the requirements had to give way
	norms   [2]float64
	stopped bool
	cut     bool // numbers of GPUs that are not tried may have a better one
	refuted bool // that no layout meets everything is proved
	unfit   bool // for more GPUs than given
	nearest map[inputs.RequirementKind]float64
	reasons []string
	warned  []string
}

func solveWith(ctx context.Context, c *inputs.Condition, costs costs, o Options) (*Solution, error) {
	if o.TimeLimit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.TimeLimit)
		defer cancel()
	}
	r, err := newRun(c, costs, o)
	if err != nil {
		return nil, err
	}
	most, _ := r.goal.mostTogether()
	a, err := r.solve(ctx)
	if err != nil {
		return nil, err
	}
	if a.cut {
		a.warned = append(a.warned, fmt.Sprintf("GPU count: numbers of GPUs of several pools are searched up to %d together where some are unlimited, which proves nothing of more; state ranges to have them looked at", most))
	}
	if err := r.x.rules.Err(); err != nil {
		return nil, err
	}
	sol := r.solution(a)
	if sol.Layout != nil && sol.Solve.Status == string(results.StatusOptimal) {
		if err := r.confirm(ctx, a, sol); err != nil {
			return nil, err
		}
	}
	if errors.Is(ctx.Err(), context.Canceled) && sol.Solve.Status == "time_limit" {
		sol.Solve.Status = "interrupted"
	}
	return sol, nil
}

// solve goes through the levels; where none has a layout that meets everything it finds
// the closest one.
func (r *run) solve(ctx context.Context) (*answer, error) {
	lv := r.goal.levels()
	r.begin(lv.all())
	a, err := r.through(ctx, lv, 0)
	if a != nil || err != nil {
		return a, err
	}
	r.log("no layout meets everything")
	fits, err := r.placeable(ctx, lv.all())
	switch {
	case err != nil:
		return nil, err
	case ctx.Err() != nil:
		return &answer{stopped: true}, nil
	case fits:
		return r.closest(ctx, lv)
	case !r.goal.perGPU && !r.x.c.Goal.AllowIdle:
		if a, err := r.onFewer(ctx); a != nil || err != nil {
			return a, err
		}
	}
	a, err = r.enlarged(ctx)
	if a != nil && lv.cut {
		a.cut, a.refuted = true, false
	}
	return a, err
}

// mostBegun is for how many numbers of GPUs rules of thumb are asked where to begin.
const mostBegun = 256

// begin has the choices of rules of thumb searched first: with a good layout at hand most
// others are told off by counting work.
func (r *run) begin(vectors [][]int) {
	r.first = nil
	for _, gpus := range vectors[:min(len(vectors), mostBegun)] {
		for _, p := range r.x.thumbs(gpus) {
			if p.layout != nil && p.why == "" && r.x.within(&p.split) {
				r.first = append(r.first, p.split)
			}
		}
	}
}

// through is the best layout of the first level that has one; nil where none does.
func (r *run) through(ctx context.Context, lv levels, slack float64) (*answer, error) {
	var above results.Outer
	for _, l := range lv.list {
		a, err := r.level(ctx, l, slack)
		if err != nil {
			return nil, err
		}
		a.counted, a.ranked, a.slack = lv.counted, len(lv.list) > 1, slack
		if a.out.best != nil || !a.out.proved {
			a.stopped, a.cut = !a.out.proved, l.open
			if above.Infeasible > 0 {
				a.passes = append([]results.CertificatePass{{
					Purpose: fmt.Sprintf("levels better than %s: none has a layout", l.what), Outer: above, Choices: []results.OuterChoice{},
				}}, a.passes...)
			}
			return a, nil
		}
		above.Infeasible += a.out.record.outer.Infeasible
	}
	return nil, nil
}

// level finds the best layout of a level in the objective of the condition.
func (r *run) level(ctx context.Context, l level, slack float64) (*answer, error) {
	step := &pass{purpose: stepTime, aim: r.goal.seconds(), levels: l.vectors, slack: slack}
	work := &pass{purpose: gpuTime, aim: r.goal.work(), levels: l.vectors, slack: slack}
	kind := r.x.c.Goal.Objective
	open := r.goal.perGPU && len(l.vectors) > 1
	switch {
	case open && kind == inputs.Throughput:
		return r.one(ctx, work)
	case open && kind != inputs.Latency && kind != inputs.GPUs && kind != inputs.Cost:
		return r.combined(ctx, step, work)
	}
	return r.one(ctx, step)
}

func (r *run) one(ctx context.Context, p *pass) (*answer, error) {
	r.log(p.purpose)
	out, err := r.pass(ctx, p)
	if err != nil {
		return nil, err
	}
	return &answer{out: out, pass: p, passes: []results.CertificatePass{out.record.pass(out.best)}}, nil
}

// combined minimises w_ℓ·T/T* + w_c·W/W*, W being GPU-seconds of a step, where the number
// of GPUs is ours to choose.
func (r *run) combined(ctx context.Context, step, work *pass) (*answer, error) {
	a, err := r.one(ctx, step)
	if err != nil || a.out.best == nil || !a.out.proved {
		return a, err
	}
	b, err := r.one(ctx, work)
	if err != nil || b.out.best == nil || !b.out.proved {
		return b, err
	}
	wl, wc := r.goal.weights()
	norms := [2]float64{a.out.best.value, b.out.best.value}
	both := *step
	both.purpose = combined
	both.aim = aim{slope: func(s *Split) float64 { return wl/norms[0] + wc*float64(s.GPUs())/norms[1] }}
	r.known = append(r.known, a.out.best.layout, b.out.best.layout)
	c, err := r.one(ctx, &both)
	if err != nil {
		return nil, err
	}
	c.norms = norms
	c.passes = append(append(a.passes, b.passes...), c.passes...)
	return c, nil
}

// weights are w_ℓ and w_c of the combined objective; equal where none is stated.
func (g *goal) weights() (latency, throughput float64) {
	latency, throughput = g.x.c.Goal.LatencyWeight, g.x.c.Goal.ThroughputWeight
	if latency <= 0 && throughput <= 0 {
		return 1, 1
	}
	return latency, throughput
}

// placeable reports whether any layout fits, requirements aside.
func (r *run) placeable(ctx context.Context, vectors [][]int) (bool, error) {
	out, err := r.pass(ctx, &pass{purpose: fitting, aim: r.goal.seconds(), levels: vectors, free: true, any: true})
	if err != nil || out.best == nil {
		return false, err
	}
	r.known = append(r.known, out.best.layout)
	return true, nil
}

// onFewer solves for the largest number of GPUs that some layout can use; nil where there
// is none.
func (r *run) onFewer(ctx context.Context) (*answer, error) {
	for l := range r.goal.smaller() {
		ok, err := r.placeable(ctx, l.vectors)
		if err != nil || ctx.Err() != nil {
			return &answer{stopped: true}, err
		}
		if !ok {
			continue
		}
		lv := levels{list: []level{l}, counted: "stated, but no layout can use all of them; " + l.what + " is the largest number that can be used (proved)"}
		a, err := r.through(ctx, lv, 0)
		if a == nil && err == nil {
			a, err = r.closest(ctx, lv)
		}
		if a != nil {
			a.warned = append(a.warned, "GPU count: "+lv.counted)
		}
		return a, err
	}
	return nil, nil
}
