package formulation

import (
	"errors"

	"partita/inputs"
	"partita/results"
)

// Prediction is what a given strategy comes to under a condition.
type Prediction struct {
	// Fits tells whether every GPU holds what it must with all sequences in flight; the
	// metrics hold either way.
	Fits    bool
	GPUs    int
	Metrics results.Metrics
	// Weights are the bytes of weights on the GPU that holds most of them.
	Weights int64
	// Round is the time of a round in seconds (docs/cost-model.md, C5 and C6).
	Round float64
}

// ErrUnpriced is Predict's error for a strategy that does not map onto the condition;
// the text says why.
var ErrUnpriced = errors.New("the strategy cannot be priced")

// Predict prices a strategy as Evaluate does, without the search that Evaluate holds it
// against. Micro-batches and decode groups that the strategy does not state are those of
// the most tokens a second, the balance of the stages aside.
func Predict(c *inputs.Condition, s *inputs.Strategy) (*Prediction, error) {
	if err := noGraph(c, "validate", "measurements are of models of layers"); err != nil {
		return nil, err
	}
	e := newGivenEvaluation(c, Given{Strategy: s}, Options{})
	e.floor = [2]int64{0, 1}
	e.yard = yardstick{kind: inputs.Throughput}
	sub, err := e.subjectOf(e.given)
	if err != nil {
		return nil, err
	}
	if n := c.Workload.Batch; sub != nil && sub.replicas > n {
		e.problem(e.at("dp"), by(sub.replicas-n), "sequences", "%d replicas for %s", sub.replicas, counted(n, "sequence"))
	}
	if len(e.out.Problems) > 0 {
		return nil, unpricedError{e.out.Problems[0].Sentence}
	}
	if err := e.scaled(sub); err != nil {
		return nil, err
	}
	b, err := e.newBench(e.roomy(sub), sub.parts)
	if err != nil {
		return nil, err
	}
	t, err := b.try(*sub)
	if err != nil {
		return nil, unpricedError{err.Error()}
	}
	out := &Prediction{Fits: !t.full}
	r := &run{explorer: b.x.explorer}
	seconds := b.space.Seconds(t.choice, sub.parts)
	_, out.Round = b.goal.metrics(t.choice, seconds)
	plan := results.PhasePlan{}
	for _, n := range sub.counts(b.space.Pools()) {
		plan.GPUs.Used += n
	}
	r.metricsOf(&plan, t.choice, sub.parts, seconds)
	out.GPUs, out.Metrics = plan.GPUs.Used, plan.Metrics
	for _, pt := range sub.parts {
		out.Weights = max(out.Weights, b.space.Memory(t.choice, pt).Weights)
	}
	return out, nil
}

// unpricedError is an ErrUnpriced with its reason.
type unpricedError struct{ why string }

func (u unpricedError) Error() string        { return u.why }
func (u unpricedError) Is(target error) bool { return target == ErrUnpriced }
