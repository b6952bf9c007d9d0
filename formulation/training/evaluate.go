package training

import (
	"context"
	"fmt"
	"math"
	"slices"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/results"
)

// Evaluation is what becomes of a layout that somebody proposes.
type Evaluation struct {
	Step *Step // nil: it cannot be priced
	// Problems are none where it maps onto the GPUs, fits and keeps the rules.
	Problems []results.Problem
	Optimum  *Solution
}

// Evaluate prices a layout and holds it against the memory of its GPUs, the rules and the
// optimum; what is required of its figures is for whoever makes them. What is wrong with it is an answer; an error means that the
// condition cannot be priced.
func Evaluate(ctx context.Context, c *inputs.Condition, l *Layout, o Options) (*Evaluation, error) {
	calc, err := cost.New(c)
	if err != nil {
		return nil, err
	}
	o.Pinned = nil
	r, err := newRun(c, calc, o)
	if err != nil {
		return nil, err
	}
	e := &Evaluation{}
	if e.Step, err = Price(c, calc, l); err != nil {
		e.problem("strategy", err.Error(), nil, "")
	} else {
		r.judge(e, l, calc)
	}
	if e.Optimum, err = solveWith(ctx, c, calc, o); err != nil {
		return nil, err
	}
	return e, nil
}

func (e *Evaluation) problem(where, sentence string, short *float64, unit string) {
	e.Problems = append(e.Problems, results.Problem{Where: where, Sentence: sentence, ShortBy: short, Unit: unit})
}

// judge lists what is wrong with a layout that can be priced.
func (r *run) judge(e *Evaluation, l *Layout, calc *cost.Calculator) {
	c := r.x.c
	s := SplitOf(l, len(c.Cluster.Pools))
	r.judgeCount(e, &s)
	if !r.x.packable(s.Ranks, s.RankGPUs(), l.TP) {
		e.problem("strategy", fmt.Sprintf("tensor groups of %d GPUs do not all lie inside a node", l.TP), nil, "")
	}
	const gib = 1 << 30
	for i, m := range Memory(c, calc, l) {
		pool := l.Stages[i].Pool
		if room := calc.Capacity(pool); m.Total() > room {
			short := float64(m.Total()-room) / gib
			e.problem(fmt.Sprintf("rank %d on pool %s", i, c.Cluster.Pools[pool].Name),
				fmt.Sprintf("a GPU takes %.1f GiB (weights %.1f, gradients %.1f, optimizer %.1f, activations %.1f, reserve %.1f) of %.1f GiB", float64(m.Total())/gib,
					float64(m.Weights)/gib, float64(m.Gradients)/gib, float64(m.Optimizer)/gib, float64(m.Activations)/gib, float64(m.Reserve)/gib, float64(room)/gib), &short, "GiB")
		}
	}
	if rule, broken := r.x.broken(l); broken {
		e.problem("strategy", fmt.Sprintf("breaks rule %q: %s", rule.Name, rule.Expr), nil, "")
	}
}

// judgeCount holds the GPUs of a layout against those of stated pools.
func (r *run) judgeCount(e *Evaluation, s *Split) {
	for k := range r.x.c.Cluster.Pools {
		p := &r.x.c.Cluster.Pools[k]
		used := s.Ranks[k] * s.RankGPUs()
		if p.Count.Stated() && used < p.Count.Max && !r.x.c.Goal.AllowIdle {
			short := float64(p.Count.Max - used)
			e.problem("pool "+p.Name, fmt.Sprintf("%d of %d GPUs are used", used, p.Count.Max), &short, "GPUs")
		}
	}
}

// Complete is the fastest layout of a strategy that says not everything. Degrees that it
// does not state are 1, but for data parallelism, which takes the rest of a stated number
// of GPUs; micro-batch, ZeRO, virtual stages, sequence parallelism, recompute and the cut
// are the best. Where none fits memory it is the one that would be the fastest with more,
// and fits is false. The sentences say why there is none at all.
func Complete(ctx context.Context, c *inputs.Condition, s *inputs.Strategy, o Options) (l *Layout, fits bool, why []string, err error) {
	calc, err := cost.New(c)
	if err != nil {
		return nil, false, nil, err
	}
	full, gpus, why := completed(c, s)
	if len(why) > 0 {
		return nil, false, why, nil
	}
	o.Pinned = full
	o.Backend = backendLabels
	for _, costs := range []costs{calc, roomy{calc}} {
		r, err := newRun(c, costs, o)
		if err != nil {
			return nil, false, nil, err
		}
		out, err := r.pass(ctx, &pass{purpose: stepTime, aim: r.goal.seconds(), levels: [][]int{gpus}, free: true})
		if err != nil {
			return nil, false, nil, err
		}
		if out.best != nil {
			_, short := costs.(roomy)
			return out.best.layout, !short, nil, nil
		}
	}
	return nil, false, []string{unmade(c, full)}, nil
}

// roomy has GPUs of any memory.
type roomy struct{ costs }

func (roomy) Capacity(int) int64 { return math.MaxInt64 }

// completed fills in the degrees of a strategy, and counts its GPUs by pool.
func completed(c *inputs.Condition, s *inputs.Strategy) (full *inputs.Strategy, gpus []int, why []string) {
	x := *s
	one := func(d *inputs.Degrees, name string) int {
		if len(*d) == 0 {
			*d = inputs.Degrees{1}
		}
		for _, v := range *d {
			if v != (*d)[0] {
				why = append(why, fmt.Sprintf("%s differs from stage to stage, which training does not", name))
				break
			}
		}
		return (*d)[0]
	}
	x.TP, x.CP, x.EP, x.ETP = slices.Clone(x.TP), slices.Clone(x.CP), slices.Clone(x.EP), slices.Clone(x.ETP)
	each := one(&x.TP, "TP") * one(&x.CP, "CP")
	one(&x.EP, "EP")
	one(&x.ETP, "expert TP")
	x.PP = max(1, x.PP)
	stated, total := true, 0
	for _, p := range c.Cluster.Pools {
		stated = stated && p.Count.Stated()
		total += p.Count.Max
	}
	if x.DP = max(x.DP, x.Replicas); x.DP == 0 {
		if x.DP = 1; stated && total%(each*x.PP) == 0 {
			x.DP = total / (each * x.PP)
		}
	}
	gpus = make([]int, len(c.Cluster.Pools))
	rank := x.DP * each
	switch {
	case len(gpus) == 1:
		gpus[0] = rank * x.PP
	case len(x.Pools) >= x.PP:
		for _, name := range x.Pools[:x.PP] {
			k := slices.IndexFunc(c.Cluster.Pools, func(p inputs.Pool) bool { return p.Name == name })
			if k < 0 {
				return nil, nil, append(why, fmt.Sprintf("there is no pool %q", name))
			}
			gpus[k] += rank
		}
	case stated && rank*x.PP == total:
		for k := range gpus {
			gpus[k] = c.Cluster.Pools[k].Count.Max
		}
	default:
		why = append(why, fmt.Sprintf("it takes %d GPUs of %d in several pools: state the pool of each rank", rank*x.PP, total))
	}
	for k, n := range gpus {
		if p := &c.Cluster.Pools[k]; !p.Count.Unlimited() && n > p.Count.Max {
			why = append(why, fmt.Sprintf("it takes %d GPUs of pool %s, which has %d", n, p.Name, p.Count.Max))
		}
	}
	return &x, gpus, why
}

// unmade says what keeps a complete strategy from being a layout.
func unmade(c *inputs.Condition, s *inputs.Strategy) string {
	shape := cost.TrainShape{DP: s.DP, TP: s.TP[0], CP: s.CP[0], EP: s.EP[0], ETP: s.ETP[0]}
	if ok, why := cost.ValidTrainShape(&c.Model, shape); !ok {
		return why
	}
	switch batch := c.Workload.Batch; {
	case batch%s.DP != 0:
		return fmt.Sprintf("a global batch of %d sequences does not divide over DP %d", batch, s.DP)
	case s.PP > len(c.Model.Layers):
		return fmt.Sprintf("%d pipeline ranks, and the model has %d layers", s.PP, len(c.Model.Layers))
	case s.CP[0] > 1 && c.Workload.Input.Max%(2*s.CP[0]) != 0:
		return fmt.Sprintf("sequences of %d tokens do not split into 2 × CP %d equal parts", c.Workload.Input.Max, s.CP[0])
	}
	return "no layout has what it states of micro-batches, virtual stages, recompute, layers and pools, keeps the rules and has tensor groups inside nodes"
}
