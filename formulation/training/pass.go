package training

import (
	"cmp"
	"context"
	"math"
	"slices"

	"partita/inputs"
)

// pass is one search over outer choices.
type pass struct {
	purpose string
	aim     aim
	levels  [][]int // GPUs of each pool, exactly: any of these
	slack   float64
	without []inputs.RequirementKind
	free    bool // requirements do not count
	any     bool // the first plan will do
}

// found is a layout with what it comes to in a pass.
type found struct {
	split   Split
	layout  *Layout
	seconds float64
	value   float64
}

// outcome is where a pass ended.
type outcome struct {
	best   *found
	bound  float64 // no layout of the pass is below it
	proved bool
	record *recorder
	// contested are the choices that only the search of their stages refuted, the one whose
	// bound is lowest first.
	contested []Split
}

// choice is an outer choice with its bound in the terms of the pass.
type choice struct {
	split Split
	bound float64
	limit float64 // seconds that its requirements leave
}

// Reasons that settle outer choices, as certificates tell them.
const (
	whyWork    = "counting work bounds its step from below"
	whyStages  = "none of its stages are below the best plan: all paths of stages searched"
	whyNone    = "none of its stages fit into memory and meet the requirements: all paths of stages searched"
	whyMemory  = "its layers do not fit into memory with any recompute"
	whyRequire = "counting work shows that it misses a requirement"
	whyTime    = "time ran out"
)

// mostContested is how many choices are kept for a second solver to refute.
const mostContested = 64

// run searches a pass: all choices bounded by counting work, then one after the other from
// the lowest bound until none is below the best plan.
func (r *run) pass(ctx context.Context, p *pass) (*outcome, error) {
	out := &outcome{bound: math.Inf(1), record: newRecorder(p.purpose)}
	for _, l := range r.known {
		r.seed(p, out, l)
	}
	begun, err := r.beginWith(ctx, p, out)
	if err != nil {
		return nil, err
	}
	choices, all := r.choices(ctx, p, out, begun)
	r.setTick(choices)
	if !all {
		out.bound = math.Inf(-1) // of what was not even listed nothing is known
	}
	for i, c := range choices {
		if out.best != nil && (p.any || c.bound >= out.best.value) {
			for _, rest := range choices[i:] {
				out.record.pruned(&rest.split, rest.bound, whyWork)
			}
			break
		}
		if ctx.Err() != nil {
			out.bound = min(out.bound, c.bound)
			for _, rest := range choices[i:] {
				out.record.open(&rest.split, rest.bound)
			}
			return out, nil
		}
		if err := r.settle(ctx, p, out, &c); err != nil {
			return nil, err
		}
	}
	if out.best == nil {
		out.proved = math.IsInf(out.bound, 1)
		return out, nil
	}
	out.bound = min(out.bound, out.best.value)
	out.proved = out.bound >= out.best.value
	return out, nil
}

// beginWith searches the stages of the choices to begin with, and returns these.
func (r *run) beginWith(ctx context.Context, p *pass, out *outcome) ([]Split, error) {
	var begun []Split
	for i := range r.first {
		s := r.first[i]
		if !p.has(&s) || slices.ContainsFunc(begun, func(o Split) bool { return o.equal(&s) }) || p.any && out.best != nil || ctx.Err() != nil {
			continue
		}
		begun = append(begun, s)
		if c, open := r.choice(p, out, s); open {
			r.setTick([]choice{c})
			if err := r.settle(ctx, p, out, &c); err != nil {
				return nil, err
			}
		}
	}
	return begun, nil
}

// has reports whether a split uses GPUs that the pass is about.
func (p *pass) has(s *Split) bool {
	return slices.ContainsFunc(p.levels, func(gpus []int) bool {
		for k, n := range gpus {
			if n != s.Ranks[k]*s.RankGPUs() {
				return false
			}
		}
		return true
	})
}

// choice bounds a split by counting work; false where that settles it.
func (r *run) choice(p *pass, out *outcome, s Split) (c choice, open bool) {
	c = choice{split: s, limit: math.Inf(1)}
	if !p.free {
		c.limit = r.goal.limit(&s, p.slack, p.without...)
	}
	floor := r.x.floor(&s)
	c.bound = p.aim.of(&s, floor)
	switch {
	case floor >= c.limit:
		out.record.infeasible(&s, whyRequire)
	case out.best != nil && c.bound >= out.best.value:
		out.record.pruned(&s, c.bound, whyWork)
	default:
		return c, true
	}
	return c, false
}

// choices lists and bounds the outer choices of a pass but those that it has begun with,
// the lowest bound first; false where time ran out before all were. Those that a plan
// known already beats are told off at once.
func (r *run) choices(ctx context.Context, p *pass, out *outcome, begun []Split) (list []choice, all bool) {
	all = true
	for _, gpus := range p.levels {
		n := 0
		for s := range r.x.splits(gpus, r.refused) {
			if n++; n%4096 == 0 && ctx.Err() != nil {
				all = false
				break
			}
			if slices.ContainsFunc(begun, func(o Split) bool { return o.equal(&s) }) {
				continue
			}
			if c, open := r.choice(p, out, s); open {
				list = append(list, c)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b choice) int { return cmp.Compare(a.bound, b.bound) })
	return list, all
}

// settle searches the stages of a choice.
func (r *run) settle(ctx context.Context, p *pass, out *outcome, c *choice) error {
	cutoff := c.limit
	if out.best != nil {
		cutoff = min(cutoff, p.aim.below(&c.split, out.best.value))
	}
	if !r.x.mayFit(&c.split) {
		out.record.infeasible(&c.split, whyMemory)
		return nil
	}
	l, proved, err := r.prove(ctx, c.split, cutoff)
	switch {
	case err != nil:
		return err
	case l != nil:
		seconds := r.x.seconds(l)
		take(out, &found{split: c.split, layout: l, seconds: seconds, value: p.aim.of(&c.split, seconds)})
		if !proved {
			out.bound = min(out.bound, c.bound)
		}
	case !proved:
		out.bound = min(out.bound, c.bound)
		out.record.open(&c.split, c.bound)
	case out.best == nil || cutoff == c.limit:
		out.record.infeasible(&c.split, whyNone)
		r.contest(out, c)
	case c.split.equal(&out.best.split):
		out.record.solved(&c.split, out.best.value) // known from an earlier pass
	default:
		out.record.pruned(&c.split, p.aim.of(&c.split, cutoff), whyStages)
		r.contest(out, c)
	}
	return nil
}

func (r *run) contest(out *outcome, c *choice) {
	if len(out.contested) < mostContested {
		out.contested = append(out.contested, c.split)
	}
}

// take makes a layout the best of a pass where it is.
func take(out *outcome, f *found) {
	out.record.solved(&f.split, f.value)
	if out.best == nil || f.value < out.best.value {
		out.best = f
	}
}

// seed takes a layout that is known from elsewhere as the best of a pass, if it is one of
// the pass's own.
func (r *run) seed(p *pass, out *outcome, l *Layout) {
	s := SplitOf(l, len(r.x.c.Cluster.Pools))
	if !p.has(&s) {
		return
	}
	seconds := r.x.seconds(l)
	if !p.free && seconds >= r.goal.limit(&s, p.slack, p.without...) {
		return
	}
	if value := p.aim.of(&s, seconds); out.best == nil || value < out.best.value {
		out.best = &found{split: s, layout: l, seconds: seconds, value: value}
	}
}

// ticksOfStep is about how many ticks a step is made of. Rounding up the time of each of m
// micro-batches lengthens a step by m ticks at most, which must tell apart what a requirement
// tells apart; and sums of v steps must be whole numbers that a float64 holds.
const ticksOfStep = 1e12

// coarser is how many ticks one is of models for solvers in floating point, which tell apart
// 1e7 of a step.
const coarser = 1e5

// setTick chooses the tick of a search, a power of ten in seconds, by its lowest bound.
func (r *run) setTick(list []choice) {
	if r.tick > 0 || len(list) == 0 {
		return
	}
	least := math.Inf(1)
	for i := range list {
		least = min(least, r.x.floor(&list[i].split))
	}
	r.tick = 1e-11
	if least > 0 && !math.IsInf(least, 1) {
		r.tick = math.Pow(10, math.Floor(math.Log10(least/ticksOfStep)))
	}
}
