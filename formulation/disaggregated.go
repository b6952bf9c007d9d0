package formulation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"partita/formulation/cost"
	"partita/formulation/poolsplit"
	"partita/inputs"
	"partita/results"
)

// optimizeDisaggregated is Optimize for a condition that keeps prefill and decode apart;
// timed adds the time of the mixed deployment to the comparison.
func optimizeDisaggregated(ctx context.Context, c *inputs.Condition, opts Options, timed bool) (*results.Report, error) {
	start := time.Now()
	if err := errors.Join(checkAsked(c), checkApartAsked(c)); err != nil {
		return nil, err
	}
	if opts.TimeLimit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, opts.TimeLimit)
		defer cancel()
	}
	d, err := newDisaggregation(c, opts)
	if err != nil {
		return nil, err
	}
	found, err := d.solve(ctx)
	if err != nil {
		return nil, err
	}
	return d.report(ctx, found, start, timed)
}

// checkApartAsked returns what a condition asks that two deployments cannot be judged by.
func checkApartAsked(c *inputs.Condition) error {
	var all []error
	place := c.Places["goal.placement"]
	if c.Model.Graph != nil {
		all = append(all, &AskedError{Place: place, What: "placement disaggregated", Why: "the model is an operator graph, which has no tokens to prefill", Remedy: "state the placement pipeline"})
	}
	if c.Workload.Phase != inputs.Mixed {
		at := c.Places["workload.phase"]
		if at == (inputs.Place{}) {
			at = place
		}
		all = append(all, &AskedError{Place: at, What: "placement disaggregated", Why: fmt.Sprintf("the phase is %s alone, and there is nothing to keep it apart from", c.Workload.Phase), Remedy: "state the phase mixed with an output length, or the placement pipeline"})
	}
	if c.Engine == "llamacpp" || c.Engine == "megatron" {
		all = append(all, &AskedError{Place: c.Places["engine"], What: "engine " + c.Engine, Why: "it hands no KV cache from one server to another, as the placement disaggregated asks", Remedy: "state vllm or sglang, no engine, or the placement pipeline"})
	}
	total, limited := 0, true
	for _, p := range c.Cluster.Pools {
		total += p.Count.Max
		limited = limited && !p.Count.Unlimited()
	}
	if limited && total < 2 {
		all = append(all, &AskedError{Place: place, What: "placement disaggregated", Why: "one GPU cannot be split", Remedy: "state two GPUs or more, or the placement pipeline"})
	}
	return errors.Join(all...)
}

// disaggregation is one search for two deployments.
type disaggregation struct {
	c      *inputs.Condition
	opts   Options
	costs  *cost.Calculator
	margin float64
	perGPU bool
	// floor is the balance of both sides where none is stated, in balanceParts.
	floor int64
	// prompt is the KV cache of the longest and of the mean prompt, bytes.
	prompt [2]float64
	sides  map[string]*side
	floors map[string]poolsplit.Point
	fronts map[string]frontAnswer
	rounds map[string]roundAnswer
	plans  []plannedSide // by the IDs of their points
}

// plannedSide is a plan with the choice that it is of.
type plannedSide struct {
	choice *sideChoice
	plan   *sidePlan
}

type frontAnswer struct {
	points []poolsplit.Point
	proved bool
}

type roundAnswer struct {
	point         poolsplit.Point
	found, proved bool
}

func newDisaggregation(c *inputs.Condition, opts Options) (*disaggregation, error) {
	costs, err := cost.New(c)
	if err != nil {
		return nil, err
	}
	d := &disaggregation{c: c, opts: opts, costs: costs, margin: Margin(c), floor: defaultFloor(DefaultBalance), sides: map[string]*side{},
		floors: map[string]poolsplit.Point{}, fronts: map[string]frontAnswer{}, rounds: map[string]roundAnswer{}}
	d.perGPU = !allStated(c)
	counts := make([]int, len(c.Model.Kinds))
	for _, kind := range c.Model.Layers {
		counts[kind]++
	}
	d.prompt = [2]float64{costs.PromptKV(counts, c.Workload.Input.Max), costs.PromptKV(counts, c.Workload.Input.Mid())}
	return d, nil
}

// apartSolution is where a search for two deployments ended.
type apartSolution struct {
	level   *apartLevel
	result  poolsplit.Result
	aim     aim
	counted string
	sizes   string
	passes  []results.CertificatePass
	// open: numbers of GPUs that are not tried may be as good, or better.
	open bool
	// empty are the searches of levels without a plan; refuted: that none has one is proved.
	empty   []results.CertificatePass
	refuted bool
}

// solve goes through the levels: the first that has a plan which meets everything, else
// the plan that misses by least. A default balance that no such plan meets is lowered as
// little as it must be.
func (d *disaggregation) solve(ctx context.Context) (*apartSolution, error) {
	choice := d.splitLevels()
	out := &apartSolution{counted: choice.counted, sizes: choice.sizes}
	done, proved, err := d.throughLevels(ctx, out, choice)
	if done || err != nil {
		return out, err
	}
	l, err := d.newLevel(ctx, choice.all())
	if err != nil {
		return nil, err
	}
	known, none, err := d.lower(ctx, l, true)
	if err != nil {
		return nil, err
	}
	if known != nil {
		out.empty = nil
		if ctx.Err() != nil {
			out.takes(l, known)
			return out, nil
		}
		if done, also, err := d.throughLevels(ctx, out, choice); done || err != nil {
			out.result.Proved = out.result.Proved && none && proved
			return out, err
		} else {
			proved = proved && also
		}
		d.floor = defaultFloor(DefaultBalance)
	}
	out.refuted = proved && none && !choice.cut && ctx.Err() == nil
	d.opts.log("the closest plan")
	out.open = choice.cut
	if len(choice.levels) > 1 {
		out.counted = "decided: the plan that misses the requirements by least"
	}
	return out, d.closest(ctx, out, l)
}

// throughLevels searches the levels for the first with a plan that meets everything.
// proved: those before it, or all, have none.
func (d *disaggregation) throughLevels(ctx context.Context, out *apartSolution, choice *splitChoice) (done, proved bool, err error) {
	proved = true
	for _, lv := range choice.levels {
		if ctx.Err() != nil {
			break
		}
		d.opts.log("splits of " + lv.what)
		l, err := d.newLevel(ctx, lv.splits)
		if err != nil {
			return false, false, err
		}
		done, err := d.passes(ctx, out, l, 0, true)
		if err != nil || done {
			// A level that was not settled may have had a plan: this one is then not the first.
			out.result.Proved = out.result.Proved && proved
			out.open = lv.open
			return done, proved, err
		}
		proved = proved && out.result.Proved
		out.empty, out.passes = append(out.empty, out.passes...), nil
	}
	return false, proved && ctx.Err() == nil, nil
}

// lower lowers the default balance to the most that some plan reaches, in steps of 0.1 %:
// one that meets the requirements, or any; known is the last that was found. Nil: it is not
// lowered, for a balance is stated, or there is no plan for any. proved is false where time
// ran out.
func (d *disaggregation) lower(ctx context.Context, l *apartLevel, strict bool) (known *poolsplit.Result, proved bool, err error) {
	if d.c.Goal.Balance != nil {
		return nil, true, nil
	}
	own := d.floor
	proved = true
	l.problem.Value = l.value(aim{purpose: forLatency, strict: strict})
	reaches := func(floor int64) (bool, error) {
		d.floor = floor
		r, err := poolsplit.Search(ctx, &l.problem, l, nil)
		proved = proved && (r.Best != nil || r.Proved)
		if r.Best != nil {
			known = &r
		}
		return r.Best != nil, err
	}
	ok, err := reaches(0)
	if !ok || err != nil {
		d.floor = own
		return nil, proved, err
	}
	d.opts.log("the balance that some plan meets")
	low, high := int64(0), own
	for high-low > 1 && ctx.Err() == nil {
		mid := (low + high) / 2
		if ok, err = reaches(mid); err != nil {
			return nil, false, err
		}
		if ok {
			low = mid
		} else {
			high = mid
		}
	}
	// One step more: a plan on the very edge may be rounded off it by other ticks.
	d.floor = max(0, low-1)
	return known, proved, nil
}

// takes is for a search that ended before its objective was looked at: what is known then.
func (s *apartSolution) takes(l *apartLevel, r *poolsplit.Result) {
	s.level, s.result, s.aim = l, *r, aim{purpose: forLatency}
	s.result.Proved = false
	s.passes = append(s.passes, l.account(s.aim, r))
}

// closest finds the plan that misses the requirements by least; where no split of all
// stated GPUs holds the model on both sides, on as many GPUs as can be used.
func (d *disaggregation) closest(ctx context.Context, out *apartSolution, l *apartLevel) error {
	found, err := d.leastMiss(ctx, out, l)
	if err != nil || found || ctx.Err() != nil || d.c.Goal.AllowIdle {
		return err
	}
	if !allStated(d.c) {
		all, _ := d.candidates(true)
		if l, err = d.newLevel(ctx, all); err != nil {
			return err
		}
		if found, err = d.leastMiss(ctx, out, l); found {
			out.counted += "; no split uses all GPUs of the stated numbers, so some stay idle"
		}
		return err
	}
	for _, lv := range d.fewerLevels() {
		if l, err = d.newLevel(ctx, lv.splits); err != nil {
			return err
		}
		if found, err = d.leastMiss(ctx, out, l); err != nil || found || ctx.Err() != nil {
			out.open = out.open || lv.open
			most := "the largest number that can be used"
			if out.open {
				most = "the largest number of those tried that can be used"
			}
			out.counted = fmt.Sprintf("stated, but no split of all GPUs has a plan on both sides; %s is %s", lv.what, most)
			return err
		}
	}
	return nil
}

// leastMiss finds the least share by which requirements are missed, and the best plan that
// misses them by no more.
func (d *disaggregation) leastMiss(ctx context.Context, out *apartSolution, l *apartLevel) (bool, error) {
	search := func() (poolsplit.Result, error) {
		l.problem.Value = l.value(aim{purpose: forLatency})
		return poolsplit.Search(ctx, &l.problem, l, nil)
	}
	r, err := search()
	if err != nil {
		return false, err
	}
	if r.Best == nil && ctx.Err() == nil {
		known, proved, err := d.lower(ctx, l, false)
		if err != nil {
			return false, err
		}
		if known != nil && ctx.Err() != nil {
			out.takes(l, known)
			return true, nil
		}
		if known != nil {
			if r, err = search(); err != nil {
				return false, err
			}
		}
		r.Proved = r.Proved && proved
	}
	if r.Best == nil {
		out.level, out.result = l, r
		return false, nil
	}
	_, err = d.passes(ctx, out, l, r.Best.Value[0], false)
	out.result.Proved = out.result.Proved && r.Proved
	return err == nil, err
}

// passes are the searches of a level: the best latency and the best throughput alone give
// the scale of the objective, then the objective itself.
func (d *disaggregation) passes(ctx context.Context, out *apartSolution, l *apartLevel, missed float64, strict bool) (bool, error) {
	out.level = l
	var known *poolsplit.Best
	search := func(a aim) error {
		a.missed, a.strict = missed, strict
		l.problem.Value = l.value(a)
		r, err := poolsplit.Search(ctx, &l.problem, l, known)
		if err != nil {
			return err
		}
		out.result, out.aim = r, a
		if r.Best != nil {
			known = r.Best
		}
		out.passes = append(out.passes, l.account(a, &r))
		return nil
	}
	switch d.c.Goal.Objective {
	case inputs.Latency:
		err := search(aim{purpose: forLatency})
		return err == nil && out.result.Best != nil, err
	case inputs.Throughput:
		err := search(aim{purpose: forThroughput})
		return err == nil && out.result.Best != nil, err
	}
	var norms [2]float64
	normed := true
	for i, purpose := range []string{forLatency, forThroughput} {
		if err := search(aim{purpose: purpose}); err != nil || out.result.Best == nil {
			return false, err
		}
		norms[i] = out.result.Best.Value[1]
		normed = normed && out.result.Proved
	}
	err := search(aim{purpose: forBoth, norms: norms})
	out.result.Proved = out.result.Proved && normed // by other norms another plan may be the best
	return err == nil, err
}
