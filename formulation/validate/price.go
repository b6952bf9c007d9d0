package validate

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"partita/formulation"
	"partita/inputs"
	"partita/inputs/read"
)

// pricer prices the runs on one deployment. It is not safe for concurrent use.
type pricer struct {
	packs  []read.Override // of knowledge
	reader *read.Reader
	deployment
	profile    *inputs.Profile // constants in use; nil: the built-in ones
	known      map[stepWith]priced
	conditions map[step]stated
	admitted   map[stepIn]admission
}

// stepWith is a step priced with some constants, stepIn one that takes memory by them.
type stepWith struct {
	step
	profile *inputs.Profile
}

type stepIn struct {
	step
	memory inputs.MemoryConstants
}

// stated is a step as a condition; why: it cannot be one.
type stated struct {
	*inputs.Condition
	why string
}

func newPricer(reader *read.Reader, d deployment) *pricer {
	return &pricer{reader: reader, deployment: d, known: map[stepWith]priced{}, conditions: map[step]stated{}, admitted: map[stepIn]admission{}}
}

// use takes the constants for a row of the family.
func (p *pricer) use(constants Constants, family, generation string) {
	p.profile = nil
	if constants != nil {
		p.profile = constants(generation, family)
	}
}

// step is a workload as a condition states it.
type step struct {
	phase         inputs.Phase
	batch         int
	input, output inputs.Range
}

type priced struct {
	*formulation.Prediction
	why string // it cannot be priced
}

// price states a workload on the deployment as a condition and has it priced.
func (p *pricer) price(s step) (priced, error) {
	key := stepWith{s, p.profile}
	if known, ok := p.known[key]; ok {
		return known, nil
	}
	out, err := p.priceOnce(s)
	if err == nil {
		p.known[key] = out
		p.admitted[p.in(s)] = admission{out.why == "" && out.Fits, out.why}
	}
	return out, err
}

func (p *pricer) in(s step) stepIn {
	key := stepIn{step: s}
	if p.profile != nil {
		key.memory = p.profile.Memory
	}
	return key
}

// admission is whether a workload fits; why: it has no price.
type admission struct {
	fits bool
	why  string
}

// admits tells whether a workload fits. No constant of a time changes that, so it is
// remembered from one set of constants to the next.
func (p *pricer) admits(s step) (admission, error) {
	if known, ok := p.admitted[p.in(s)]; ok {
		return known, nil
	}
	_, err := p.price(s)
	return p.admitted[p.in(s)], err
}

func (p *pricer) priceOnce(s step) (priced, error) {
	c, ok := p.conditions[s]
	if !ok {
		var err error
		if c, err = p.state(s); err != nil {
			return priced{}, err
		}
		p.conditions[s] = c
	}
	if c.why != "" {
		return priced{why: c.why}, nil
	}
	out, err := formulation.Predict(withProfile(c.Condition, p.profile), p.layout.strategy())
	if errors.Is(err, formulation.ErrUnpriced) {
		return priced{why: err.Error()}, nil
	}
	return priced{Prediction: out}, err
}

// state reads a workload on the deployment as a condition.
func (p *pricer) state(s step) (stated, error) {
	c, err := p.reader.Load(read.Options{Overrides: append(p.settings(s), p.packs...)})
	var problems inputs.Diagnostics
	if errors.As(err, &problems) {
		return stated{why: "no condition: " + problems[0].Problem}, nil
	}
	if err == nil {
		c.Engine = p.engine // for its memory; its limits are no concern of what did run
	}
	return stated{Condition: c}, err
}

// withProfile is a condition whose devices have the profile; itself where that is nil.
func withProfile(c *inputs.Condition, p *inputs.Profile) *inputs.Condition {
	if p == nil {
		return c
	}
	out := *c
	out.Cluster.Pools = slices.Clone(c.Cluster.Pools)
	for i := range out.Cluster.Pools {
		out.Cluster.Pools[i].Accelerator.Profile = p
	}
	return &out
}

// settings are the statements of the condition.
func (p *pricer) settings(s step) []read.Override {
	var out []read.Override
	say := func(key, value string) { out = append(out, read.Override{Key: key, Value: value}) }
	say("cluster.accelerator", p.accelerator)
	say("cluster.count", strconv.Itoa(p.gpus))
	if p.nodes > 0 {
		say("cluster.nodes", strconv.Itoa(p.nodes))
	}
	if p.utilization != "" {
		say("cluster.memory_utilization", p.utilization)
	}
	say("model.catalog", p.model)
	if p.precision != "" {
		say("model.precision", string(p.precision))
	}
	if p.cache != "" {
		say("model.kv_precision", string(p.cache))
	}
	say("workload.phase", string(s.phase))
	say("workload.batch", strconv.Itoa(s.batch))
	say("workload.input", inputs.FormatRange(s.input))
	if s.output.Max > 0 {
		say("workload.output", inputs.FormatRange(s.output))
	}
	say("goal.objective", string(inputs.Throughput))
	return out
}

// run is one load on the deployment, priced as far as its metrics ask.
type run struct {
	*pricer
	load
}

// failed says why a run has no value; unfit: it is predicted not to fit.
type failed struct {
	why   string
	unfit bool
}

const (
	notFitting = "predicted not to fit at the stated number of requests"
	noRequests = "the number of requests in flight is not stated"
	atRate     = "requests come at a rate that is not stated"
	overloaded = "more requests come than the deployment serves: the first token waits as long as that lasts"
	noEndTTFT  = "with requests without end the first token waits in a queue"
	noInput    = "the input length is not stated"
	noOutput   = "the output length is not stated"
)

// one is a single request on every replica.
func (r *run) one(phase inputs.Phase, input, output inputs.Range) (priced, error) {
	return r.price(step{phase, r.replicas, input, output})
}

// fits tells whether the run can run at all: where requests wait for room, one of them on
// every replica must fit. Lengths that are not stated are a token.
func (r *run) fits() (bool, string, error) {
	n := r.replicas
	if r.mode == static {
		n = max(n, r.requests)
	}
	input, output := r.input, r.output
	if input.Max == 0 {
		input = inputs.Range{Min: 1, Max: 1}
	}
	if output.Max == 0 {
		output = inputs.Range{Min: 1, Max: 1}
	}
	a, err := r.admits(step{inputs.Mixed, n, input, output})
	return a.fits, a.why, err
}

func verdict(p priced) *failed {
	switch {
	case p.why != "":
		return &failed{why: p.why}
	case p.Prediction != nil && !p.Fits:
		return &failed{why: notFitting, unfit: true}
	}
	return nil
}

// value is the quantity of a measure, in its unit.
func (r *run) value(m measure) (float64, *failed, error) {
	x, bad, err := r.quantity(m.quantity)
	x *= m.scale
	switch {
	case bad != nil || err != nil:
		return 0, bad, err
	case m.perGPU:
		x /= float64(r.gpus)
	case m.perNode && r.nodes == 0:
		return 0, &failed{why: "the number of nodes is not stated"}, nil
	case m.perNode:
		x /= float64(r.nodes)
	}
	if !(x > 0) {
		return 0, nil, fmt.Errorf("%+v: %+v is predicted to be %g", r.deployment, m, x)
	}
	return x, nil, nil
}

func (r *run) quantity(q quantity) (float64, *failed, error) {
	switch q {
	case weights, cacheTokens, longestContext:
		return r.memory(q)
	case promptTime, stepTime:
		return r.alone(q)
	}
	own := *r
	if q == firstToken && own.output.Max == 0 {
		own.output = inputs.Range{Min: 1, Max: 1} // what comes after it does not matter
	}
	x, bad, err := own.serve()
	if bad != nil || err != nil {
		return 0, bad, err
	}
	return x.quantity(q, float64(own.input.Mid()), float64(own.output.Mid()))
}

// alone is a prompt, or a decode step, of all requests and nothing else.
func (r *run) alone(q quantity) (float64, *failed, error) {
	s := step{phase: inputs.Prefill, batch: r.requests, input: r.input}
	switch {
	case r.input.Max == 0:
		return 0, &failed{why: noInput}, nil
	case r.requests == 0:
		return 0, &failed{why: noRequests}, nil
	case q == stepTime:
		s.phase, s.output = inputs.Decode, inputs.Range{Min: 1, Max: 1}
	}
	p, err := r.price(s)
	if bad := verdict(p); err != nil || bad != nil {
		return 0, bad, err
	}
	if q == stepTime {
		return *p.Metrics.TPOTMS / 1e3, nil, nil
	}
	return *p.Metrics.TTFTMS / 1e3, nil, nil
}
