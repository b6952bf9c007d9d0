package formulation

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/results"
)

// Formulated is a condition whose optimum was searched, ready to be written as integer
// models, one for each outer choice. All models of what decides the optimum are on one
// scale, so that the least of their optima is the optimum of the condition.
type Formulated struct {
	// Status is optimal, feasible (the time ended before the proof), infeasible or
	// unknown (it ended before a plan).
	Status results.Status
	// Reasons says why there is no plan, where there is none.
	Reasons []string
	run     *run
	sol     *solution
	final   *OuterModel
}

// Formulate searches for the optimum of a condition as Optimize does, without a second
// proof: the models are there for others to prove it again.
func Formulate(ctx context.Context, c *inputs.Condition, opts Options) (*Formulated, error) {
	if err := noGraph(c, "model", "the placement of a graph is no path problem over layers: `partita solve` searches it over ideals"); err != nil {
		return nil, err
	}
	if err := noTraining(c, "model", "`partita solve` searches the strategies of a training step"); err != nil {
		return nil, err
	}
	if err := pipelinesAlone(c, "model"); err != nil {
		return nil, err
	}
	if opts.TimeLimit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, opts.TimeLimit)
		defer cancel()
	}
	r, err := newRun(c, opts)
	if err != nil {
		return nil, err
	}
	sol, err := r.solve(ctx)
	if err != nil {
		return nil, err
	}
	f := &Formulated{run: r, sol: sol}
	if sol.final.best != nil && sol.slack == 0 && !sol.unfit {
		f.Status = results.StatusFeasible
		if sol.final.proved {
			f.Status = results.StatusOptimal
		}
		r.explorer.wide = sol.wide
		return f, f.finish()
	}
	rep, err := r.report(ctx, sol, 0)
	if err != nil {
		return nil, err
	}
	f.Status, f.Reasons = rep.Status, rep.Reasons
	if f.Status != results.StatusInfeasible {
		f.Status = results.StatusUnknown
	}
	// A search for the closest plan may have gone over to more GPUs.
	f.run, err = newRun(c, opts)
	return f, err
}

// Optimum is the best value known, in ticks and in the unit of the objective; false
// where there is none.
func (f *Formulated) Optimum() (ticks int64, value float64, ok bool) {
	if f.final == nil {
		return 0, 0, false
	}
	return *f.final.Optimum, float64(*f.final.Optimum) * f.final.TickValue, true
}

// Formula says what the objective is and what it is scaled by; Unit what its values
// are in.
func (f *Formulated) Formula() string {
	if f.sol.pass == nil || f.infeasible() {
		return "any plan: nothing is minimised, for no plan meets the condition"
	}
	return f.run.formula(f.sol)
}

func (f *Formulated) Unit() string {
	if f.sol.pass == nil || f.infeasible() {
		return ""
	}
	return f.run.unitOf(f.sol.pass)
}

// GPUCount says how the number of GPUs was decided.
func (f *Formulated) GPUCount() string { return f.sol.counts.counted }

func (f *Formulated) infeasible() bool { return f.Status == results.StatusInfeasible }

// Final is the outer choice of the best plan; nil where there is no plan.
func (f *Formulated) Final() *OuterModel { return f.final }

// finish makes the final model. What it is worth is told by its own graph: the best
// plan may come from a pass for another value, which breaks ties or stood in for one
// that time ended.
func (f *Formulated) finish() error {
	best := f.sol.final.best
	m := f.model(f.decisive(), best.choice)
	g := m.problem()
	stages, ok := g.Path(best.graph.Parts(best.stages))
	if !ok {
		return fmt.Errorf("the best plan is not among the plans of its own model")
	}
	v, err := g.Problem.Evaluate(stages)
	if err != nil {
		return fmt.Errorf("the best plan in its own model: %w", err)
	}
	m.Rank, m.Level = f.rank()
	m.Optimum, m.Proved, m.Final = &v.Objective, f.Status == results.StatusOptimal, true
	m.Floor = float64(v.Objective) * m.TickValue
	f.final = m
	return nil
}

// decisive is the exploration that the optimum is of: its pass, on its scale.
func (f *Formulated) decisive() *exploration {
	p := *f.sol.pass
	p.scaled = &scaling{f.sol.final.unit, f.sol.final.spare}
	return f.explore(&p)
}

func (f *Formulated) explore(p *pass) *exploration {
	x := &exploration{explorer: f.run.explorer, pass: p, record: newRecorder(p.purpose, len(p.layouts) > f.run.most()), unproved: math.Inf(1)}
	if p.scaled != nil {
		x.unit, x.spare = p.scaled.unit, p.scaled.spare
	} else {
		x.seed(context.Background()) // floors only: it is what fixes the scale
		x.queue = nil
		x.record = newRecorder(p.purpose, len(p.layouts) > f.run.most())
	}
	return x
}

// any is the exploration that refutes a condition without a plan.
func (f *Formulated) any() *exploration {
	num, den, stated := f.run.balanceFloor()
	if !stated {
		num = 0 // no plan at any balance
	}
	counts := f.run.goal.layoutsOf()
	return f.explore(&pass{purpose: "any plan", anyPlan: true, layouts: counts.all(), num: num, den: den})
}

// rank is the level of the best plan among those that are tried in turn, and its name.
func (f *Formulated) rank() (int, string) {
	what := f.sol.level.what
	return max(0, slices.IndexFunc(f.sol.counts.list, func(l level) bool { return l.what == what })), what
}

// Pick narrows the outer choices: 0 takes any number.
type Pick struct{ Replicas, MicroBatches, DecodeGroups int }

func (p *Pick) admits(ch stagegraph.Choice) bool {
	same := func(want, got int) bool { return want == 0 || want == got }
	return p == nil || same(p.Replicas, ch.Layout.Replicas) && same(p.MicroBatches, ch.Micro) && same(p.DecodeGroups, ch.Groups)
}

// asksMicro: numbers of micro-batches that make no difference are looked at too.
func (p *Pick) asksMicro() bool { return p != nil && p.MicroBatches > 0 }

// PickError says that no outer choice is as asked for, and what there is.
type PickError struct {
	Pick                                 Pick
	Replicas, MicroBatches, DecodeGroups []int // that can be had, each given those before it
}

func (e *PickError) Error() string {
	for _, d := range []struct {
		what  string
		asked int
		have  []int
	}{{"replicas", e.Pick.Replicas, e.Replicas}, {"micro-batches", e.Pick.MicroBatches, e.MicroBatches}, {"decode groups", e.Pick.DecodeGroups, e.DecodeGroups}} {
		if d.asked == 0 || slices.Contains(d.have, d.asked) {
			continue
		}
		if len(d.have) == 1 && d.have[0] == 0 {
			return fmt.Sprintf("%d %s: the workload has no such phase", d.asked, d.what)
		}
		return fmt.Sprintf("%d %s: no outer choice has so many; want one of %s (numbers that leave the largest part as large are left out)", d.asked, d.what, listed(d.have))
	}
	return "no outer choice is as asked for"
}

// listed writes numbers in words, the middle of a long list left out.
func listed(numbers []int) string {
	const most = 24
	var words []string
	for i, n := range numbers {
		if len(numbers) > most && i == most-1 {
			words = append(words, "…", fmt.Sprint(numbers[len(numbers)-1]))
			break
		}
		words = append(words, fmt.Sprint(n))
	}
	return strings.Join(words, ", ")
}

// Pick is the best of the outer choices that are as asked, with its optimum, or one of
// them where none of them has a plan. The error is a *PickError where there is none.
func (f *Formulated) Pick(ctx context.Context, pick Pick) (*OuterModel, error) {
	if f.Status == results.StatusUnknown {
		return nil, nil
	}
	x := f.any()
	if !f.infeasible() {
		x = f.decisive()
	}
	first, err := f.matching(x, pick)
	if err != nil {
		return nil, err
	}
	p := *x.pass
	p.only, p.tolerance, p.known = &pick, 0, nil
	p.layouts = slices.DeleteFunc(slices.Clone(p.layouts), func(l *stagegraph.Layout) bool { return pick.Replicas > 0 && l.Replicas != pick.Replicas })
	p.scaled = &scaling{x.unit, x.spare}
	out, err := f.run.run(ctx, &p)
	if err != nil {
		return nil, err
	}
	choice := first
	if out.best != nil {
		choice = out.best.choice
	}
	m := f.model(x, choice)
	m.Rank, m.Level = f.rank()
	if out.best != nil {
		m.Optimum, m.Proved = &out.best.ticks, out.proved
	} else {
		m.Proved = out.proved
	}
	m.Final = f.final != nil && m.Spec.sameOuter(&f.final.Spec)
	return m, nil
}

// matching is the first outer choice that is as asked.
func (f *Formulated) matching(x *exploration, pick Pick) (stagegraph.Choice, error) {
	e := &PickError{Pick: pick}
	note := func(list *[]int, n int) {
		if at, there := slices.BinarySearch(*list, n); !there {
			*list = slices.Insert(*list, at, n)
		}
	}
	var first *stagegraph.Choice
	for _, l := range x.pass.layouts {
		note(&e.Replicas, l.Replicas)
		if pick.Replicas > 0 && l.Replicas != pick.Replicas {
			continue
		}
		for _, micro := range x.goal.micros(l) {
			note(&e.MicroBatches, micro)
			if pick.MicroBatches > 0 && micro != pick.MicroBatches {
				continue
			}
			for _, groups := range x.goal.groups(l) {
				note(&e.DecodeGroups, groups)
				if ch := (stagegraph.Choice{Layout: l, Micro: micro, Groups: groups}); first == nil && pick.admits(ch) {
					first = &ch
				}
			}
		}
	}
	if first == nil {
		return stagegraph.Choice{}, e
	}
	return *first, nil
}
