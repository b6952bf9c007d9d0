package formulation

import (
	"context"
	"fmt"
	"slices"

	"partita/inputs"
)

// answer is whether some plan meets what is asked.
type answer struct {
	yes bool
	// known: yes, with a plan at hand, or proved to be no.
	known bool
	admission
	// run and workload are where the plan was found.
	run          *run
	batch, input int
	variant
}

// mostBoxes bounds the workloads that are tried where sequences and prompt lengths are
// left out and rates are asked: a rate wants many and long ones, a limit few and short.
const mostBoxes = 64

// meets decides whether some plan meets what is asked, for some of the workloads that
// the asks admit. What was decided is remembered.
func (e *explainer) meets(ctx context.Context, a asks) (answer, error) {
	key := e.key(a)
	if x, ok := e.answers[key]; ok {
		return x, nil
	}
	share, cancel := part(ctx, questionShare)
	defer cancel()
	x, err := e.ask(share, a)
	if err == nil && (x.known || ctx.Err() == nil) {
		e.answers[key] = x
	}
	return x, err
}

// key tells questions apart.
func (e *explainer) key(a asks) string { return fmt.Sprint(e.settling, a) }

// questionShare is the part of the time left that one question may take: one that is not
// decided by then is not likely to be.
const questionShare = 3

// ask is meets. A range of workloads is refuted as a whole where no plan with the costs
// of its lower end and the rates of its upper end exists; else it is halved.
func (e *explainer) ask(ctx context.Context, a asks) (answer, error) {
	known := true
	for _, v := range e.variants(a) {
		open := []box{e.boxOf(a)}
		for tried := 0; len(open) > 0; tried++ {
			if tried >= mostBoxes || ctx.Err() != nil {
				known = false
				break
			}
			b := open[len(open)-1]
			open = open[:len(open)-1]
			x, err := e.possible(ctx, a, b, v)
			switch {
			case err != nil:
				return answer{}, err
			case x.yes && b.point():
				return x, nil
			case !x.known:
				known = false
			case x.yes:
				if tried == 0 { // the workload of the lower end with as many sequences as cost no more
					r := x.plan.choice.Layout.Replicas
					n := (b.batch.Min + r - 1) / r
					x, err = e.possible(ctx, a, at(min(b.batch.Max, n*r), b.input.Min), v)
					if err != nil || x.yes {
						return x, err
					}
				}
				open = append(open, b.halves()...)
			}
		}
		for _, b := range e.evenInside(a) {
			if x, err := e.possible(ctx, a, b, v); err != nil || x.yes {
				return x, err
			}
		}
	}
	return answer{known: known && ctx.Err() == nil}, nil
}

// evenInside are workloads inside a range that are tried where even stages are asked:
// stages that are uneven at the ends of a range may be even between them, which no bound
// of its ends tells.
func (e *explainer) evenInside(a asks) []box {
	whole := e.boxOf(a)
	if whole.point() || e.condition(a, whole.batch.Min, whole.input.Min, variant{more: -1}).Goal.Balance == nil {
		return nil
	}
	var out []box
	for _, n := range ends(whole.batch) {
		for _, in := range ends(whole.input) {
			out = append(out, at(n, in))
		}
	}
	return out
}

// ends are the ends of a range and its middle.
func ends(r inputs.Range) []int { return slices.Compact([]int{r.Min, (r.Min + r.Max) / 2, r.Max}) }

func at(batch, input int) box {
	return box{inputs.Range{Min: batch, Max: batch}, inputs.Range{Min: input, Max: input}}
}

// halves splits the wider side of a box; the upper half comes last, to be tried first.
func (b box) halves() []box {
	low, high := b, b
	r, l, h := b.batch, &low.batch, &high.batch
	if float64(b.input.Max+1)/float64(b.input.Min+1) > float64(r.Max+1)/float64(r.Min+1) {
		r, l, h = b.input, &low.input, &high.input
	}
	mid := (r.Min + r.Max) / 2
	l.Max, h.Min = mid, mid+1
	return []box{low, high}
}

// possible decides whether a plan exists with the costs of the lower end of a box and
// the rates of its upper end. For a single workload that is whether one exists.
func (e *explainer) possible(ctx context.Context, a asks, b box, v variant) (answer, error) {
	r, err := e.runOn(a, b, v)
	if err != nil {
		return answer{}, err
	}
	x, err := e.admits(ctx, r, b, v)
	return answer{yes: x.plan != nil, known: x.settled, admission: x, run: r, batch: b.batch.Max, input: b.input.Max, variant: v}, err
}

// admits asks a run whether there is a plan. Where not all stated GPUs can work, as many
// have to as can, or while values are settled, as many as solve would take.
func (e *explainer) admits(ctx context.Context, r *run, b box, v variant) (admission, error) {
	if _, asked := mustWork(e.base); e.usable == 0 || !asked || v.more >= 0 || r.goal.c.Goal.AllowIdle {
		return r.admitted(ctx, r.goal.layoutsOf())
	}
	switch {
	case e.settling && b.point():
		return r.admits(ctx)
	case e.settling || r.goal.perGPU:
		return r.admitted(ctx, r.goal.besideStated())
	}
	return r.admitted(ctx, r.goal.atLeast(e.usable))
}

// runOn prepares a search of a box.
func (e *explainer) runOn(a asks, b box, v variant) (*run, error) {
	c := e.condition(a, b.batch.Min, b.input.Min, v)
	space, err := e.known.Space(c)
	if err != nil {
		return nil, err
	}
	if !b.point() {
		c = e.condition(a, b.batch.Max, b.input.Max, v)
	}
	return newRunOn(e.known.Space, space, c, e.opts)
}
