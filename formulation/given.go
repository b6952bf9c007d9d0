package formulation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/inputs/profile"
	"partita/results"
)

// Given is a strategy to evaluate: degrees as a file or a command line states them, or
// the stages of a plan. Exactly one of the two is set.
type Given struct {
	Strategy *inputs.Strategy
	Plan     *results.Plan
	// Source is where it stands, such as the path of the plan.
	Source string
}

// ErrNothingGiven is Evaluate's error where there is no strategy to evaluate.
var ErrNothingGiven = errors.New("no strategy is given: neither degrees nor a plan")

// Evaluate maps a strategy onto the GPUs of a condition, prices it by the costs that
// the search goes by, holds it against the requirements and against the proved
// optimum, and tries every single change. A strategy that does not map or fit is an
// answer; the error is for what cannot be read or priced at all.
func Evaluate(ctx context.Context, c *inputs.Condition, g Given, opts Options) (*results.Evaluation, error) {
	if err := noGraph(c, "evaluate", "`partita export PLAN` verifies a saved plan of a graph once more, `partita compare` holds heuristics against the optimum"); err != nil {
		return nil, err
	}
	if trains(c) {
		return evaluateTraining(ctx, c, g, opts)
	}
	if err := pipelinesAlone(c, "evaluate"); err != nil {
		return nil, err
	}
	e, err := evaluateGiven(ctx, c, g, opts)
	if err != nil {
		return nil, err
	}
	return e.out, nil
}

// evaluateGiven is Evaluate with all that it worked on.
func evaluateGiven(ctx context.Context, c *inputs.Condition, g Given, opts Options) (*evaluation, error) {
	if (g.Strategy == nil) == (g.Plan == nil) {
		return nil, ErrNothingGiven
	}
	if s := g.Strategy; s != nil {
		if _, ok := s.Listed(); !ok {
			return nil, fmt.Errorf("strategy: what is listed stage by stage is not for %s", counted(max(1, s.PP), "stage"))
		}
	}
	// The limit is for the searches; what else there is to do takes a fraction of a second.
	limited := ctx
	if opts.TimeLimit > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, opts.TimeLimit)
		defer cancel()
	}
	e := newGivenEvaluation(c, g, opts)
	if err := e.search(limited); err != nil {
		return nil, err
	}
	sub, err := e.subjectOf(g)
	if err != nil {
		return nil, err
	}
	e.countGPUs(sub)
	if sub != nil {
		if err := e.judge(sub); err != nil {
			return nil, err
		}
	}
	e.out.Feasible = sub != nil && len(e.out.Problems) == 0
	if err := e.distance(limited); err != nil {
		return nil, err
	}
	if err := e.advise(ctx, g); err != nil {
		return nil, err
	}
	if err := e.engines(); err != nil {
		return nil, err
	}
	return e, nil
}

// evaluation is one call of Evaluate.
type evaluation struct {
	opts   Options
	asked  *inputs.Condition
	c      *inputs.Condition // with the number of GPUs that the strategy states, where nothing else does
	given  Given
	source string
	out    *results.Evaluation
	needed int // GPUs

	// The optimum, and what makes values comparable to its own.
	run    *run
	sol    *solution
	best   *results.PhasePlan // of the optimum; nil where nothing was found
	yard   yardstick
	unit   float64
	spare  [2]float64
	floor  [2]int64
	perGPU bool

	trial  *trial
	advice []advice // what Changes were made of
}

func newGivenEvaluation(c *inputs.Condition, g Given, opts Options) *evaluation {
	e := &evaluation{opts: opts, asked: c, given: g, source: g.Source}
	e.out = &results.Evaluation{
		Condition: c.Name, Source: g.Source, Problems: []results.Problem{}, Readings: []results.Reading{}, Mapping: []string{},
		Stages: []results.EvaluatedStage{}, Requirements: []results.RequirementResult{}, OutsideSearch: []string{},
		Changes: []results.Change{}, Engines: []results.Engine{}, Assumptions: []results.Assumption{}, Warnings: []string{},
	}
	for _, a := range c.Assumptions {
		if strings.HasPrefix(a.What, profile.Assumed) { // the figures rest on them, not on the built-in ones
			e.assume(a.What, a.Value, a.Because)
		}
	}
	e.c = c
	if s := g.Strategy; s != nil {
		e.out.Given = inWords(s)
		if p := &c.Cluster.Pools[0]; s.GPUs > 0 && len(c.Cluster.Pools) == 1 && !p.Count.Stated() && s.GPUs >= p.Count.Min && (p.Count.Unlimited() || s.GPUs <= p.Count.Max) {
			e.c = withGPUs(c, []int{s.GPUs})
			e.assume("number of GPUs", fmt.Sprint(s.GPUs), "the condition leaves it open and the strategy states it")
		}
		if e.source == "" {
			e.source = e.at("")
			e.out.Source = e.source
		}
	}
	if e.out.GPUsGiven, _ = available(e.c.Cluster.Pools, 0); e.out.GPUsGiven != nil {
		return e
	}
	if s := g.Strategy; s != nil && s.GPUs > 0 {
		e.out.GPUsGiven = &s.GPUs
	}
	return e
}

// at is the place of a field of the strategy, of its first field where it was not
// stated, and the source where nothing has one.
func (e *evaluation) at(field string) string {
	if e.given.Strategy == nil {
		return e.source
	}
	if p := e.c.Places["strategy."+field].String(); p != "" {
		return p
	}
	var first inputs.Place
	for path, p := range e.c.Places {
		if strings.HasPrefix(path, "strategy.") && (first.File == "" || before(p, first)) {
			first = p
		}
	}
	if p := first.String(); p != "" {
		return p
	}
	return e.source
}

// before orders places.
func before(a, b inputs.Place) bool {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col)) < 0
}

func (e *evaluation) problem(where string, short *float64, unit, format string, args ...any) {
	e.out.Problems = append(e.out.Problems, results.Problem{Where: where, Sentence: fmt.Sprintf(format, args...), ShortBy: short, Unit: unit})
}

func (e *evaluation) warn(format string, args ...any) {
	e.out.Warnings = append(e.out.Warnings, fmt.Sprintf(format, args...))
}

func (e *evaluation) assume(what, value, because string) {
	e.out.Assumptions = append(e.out.Assumptions, results.Assumption{What: what, Value: value, Because: because})
}

// by is an amount that a problem is short by.
func by[T int | float64](n T) *float64 {
	v := float64(n)
	return &v
}

func joinedNames(names []string) string { return strings.Join(names, "/") }

// mostGivenGPUs bounds the GPUs of a strategy: what the readers of conditions take, so
// that products of degrees stay whole numbers.
const mostGivenGPUs = 1 << 24

// subjectOf makes the stages of what was given; nil, with the problems, where there is
// nothing that can be priced.
func (e *evaluation) subjectOf(g Given) (*subject, error) {
	if g.Plan != nil {
		e.out.Given = "the stages of a plan"
		sub, err := e.fromPlan(g.Plan)
		if sub != nil {
			e.out.Given = oneLine(e.c, sub.proposal())
		}
		return sub, err
	}
	s := g.Strategy
	product := float64(max(1, s.DP)) * float64(max(1, s.Replicas)) * float64(max(1, s.PP)) * float64(max(1, s.SP))
	for _, list := range []inputs.Degrees{s.TP, s.CP, s.DPAttention} {
		most := 1
		for _, d := range list {
			most = max(most, d)
		}
		product *= float64(most)
	}
	if product > mostGivenGPUs {
		e.problem(e.at(""), nil, "", "the degrees make more than %d GPUs", mostGivenGPUs)
		return nil, nil
	}
	stated := 0
	if e.statedGPUs() {
		stated = *e.out.GPUsGiven
	}
	all := newReader(e.c, s, stated).readings()
	for i := range all {
		r := &all[i]
		e.out.Readings = append(e.out.Readings, results.Reading{
			How: r.how, Strategy: r.line(), GPUs: r.gpus(), Possible: r.why == "", Why: r.why, Evaluated: i == 0,
		})
	}
	r := &all[0]
	e.needed = r.gpus()
	if r.why != "" {
		e.problem(e.at(r.blame()), nil, "", "%s", r.why)
	}
	sub := e.fromReading(s, r)
	if r.why != "" {
		return nil, nil
	}
	if s.DP == 0 && s.Replicas == 0 && r.replicas > 1 {
		e.assume("replicas", fmt.Sprint(r.replicas), fmt.Sprintf("data parallelism is not stated; so many fill the %d GPUs", stated))
	}
	return sub, nil
}

// statedGPUs reports whether the number of GPUs is given, by the condition or by the
// strategy.
func (e *evaluation) statedGPUs() bool {
	if e.out.GPUsGiven == nil {
		return false
	}
	for _, p := range e.c.Cluster.Pools {
		if !p.Count.Stated() {
			return e.given.Strategy != nil && e.given.Strategy.GPUs > 0
		}
	}
	return true
}

// search finds the optimum that the strategy is held against.
func (e *evaluation) search(ctx context.Context) error {
	r, err := newRun(e.c, e.opts)
	if err != nil {
		return err
	}
	e.run, e.perGPU = r, r.goal.perGPU
	num, den, _ := r.balanceFloor()
	e.floor = [2]int64{num, den}
	e.out.Warnings = append(e.out.Warnings, e.c.Warnings...)
	e.out.Warnings = append(e.out.Warnings, r.space.Costs.Warnings()...)
	wl, wc := r.goal.weights()
	e.yard = yardstick{kind: e.c.Goal.Objective, weights: [2]float64{wl, wc}}
	if e.sol, err = r.solve(ctx); err != nil {
		return err
	}
	best := e.sol.final.best
	if best == nil {
		return nil
	}
	if e.best, err = r.phasePlan(e.sol, 0); err != nil {
		return err
	}
	e.yard.norms, e.unit, e.spare = e.sol.norms, e.sol.final.unit, best.graph.Scale
	e.floor = [2]int64{e.sol.num, e.sol.den}
	return nil
}

// scaled gives values a scale where no optimum does: the strategy's own latency and
// throughput are what the objective weighs against.
func (e *evaluation) scaled(sub *subject) error {
	if e.unit > 0 && (e.yard.norms[0] > 0 || e.yard.kind == inputs.Latency || e.yard.kind == inputs.Throughput) {
		return nil
	}
	e.yard.norms, e.unit, e.spare = [2]float64{1, 1}, 1e-6, [2]float64{1e-6, 1e-6}
	b, err := e.newBench(e.roomy(sub), sub.parts)
	if err != nil {
		return err
	}
	t, err := b.try(*sub)
	if err != nil {
		return err
	}
	ttft, round := b.goal.metrics(t.choice, b.space.Seconds(t.choice, sub.parts))
	l := b.goal.latency().of(ttft, round)
	c := b.goal.throughput(t.layout.Used()*t.layout.Replicas).of(ttft, round)
	e.yard.norms = [2]float64{l, c}
	worth := 1.0 // of the strategy itself, in the unit of the value
	switch e.yard.kind {
	case inputs.Latency:
		worth = l
	case inputs.Throughput:
		worth = c
	}
	e.unit = worth / objectiveTicks
	return nil
}

// roomy is the condition with as many GPUs of each pool as the strategy takes at least.
func (e *evaluation) roomy(sub *subject) *inputs.Condition {
	counts := sub.counts(len(e.c.Cluster.Pools))
	out := e.c
	for k, n := range counts {
		if most := e.c.Cluster.Pools[k].Count.Max; most > 0 && n > most {
			only := make([]int, len(counts))
			only[k] = n
			out = withGPUs(out, only)
		}
	}
	return out
}

// shapeOfStage is the shape of a stage of a plan.
func shapeOfStage(s *results.Stage) cost.Shape {
	return cost.Shape{TP: s.TP, CP: s.CP, DPAttention: s.DPAttention, EP: s.EP, ETP: s.ETP}
}

// line is a reading in one line.
func (r *reading) line() string {
	var each []string
	for i, sh := range r.shapes {
		text := degreesOf(sh)
		if sh.EP > 1 && sh.ETP > 1 {
			text += fmt.Sprintf("·ETP%d", sh.ETP)
		}
		if i == 0 || text != each[len(each)-1] {
			each = append(each, text)
		}
	}
	line := fmt.Sprintf("PP%d × %s", len(r.shapes), strings.Join(each, "/"))
	if r.replicas > 1 {
		line = fmt.Sprintf("%d replicas × %s", r.replicas, line)
	}
	return line
}

// blame is the field that a reading that cannot be fails by.
func (r *reading) blame() string {
	if r.invalid {
		return "tp"
	}
	return "ep"
}
