package verify

import (
	"partita/formulation/cost"
	"partita/inputs"
	"partita/results"
)

// pricer is what verification needs of the cost model: the price of a layer and
// of a transfer, and the memory of a stage. Seconds and bytes. cost.Calculator has
// these; tests use prices that can be worked out by hand.
type pricer interface {
	Layer(pool, kind int, s cost.Shape, st cost.Step) float64
	Embedding(pool int, s cost.Shape, st cost.Step) float64
	Head(pool int, s cost.Shape, st cost.Step) float64
	Send(from, to int, s cost.Shape, st cost.Step, sameHost bool) float64
	// HostStep and HostRequest are what the host adds to a step of so many sequences, and
	// to a request of so many tokens.
	HostStep(pool, sequences int) float64
	HostRequest(pool, tokens int) float64
	StageMemory(pool int, counts []int, first, last bool, s cost.Shape, l cost.Load) cost.Memory
	KVTokens(pool int, counts []int, first, last bool, s cost.Shape, l cost.Load) int64
	Capacity(pool int) int64
	// Invalid says why a layer kind cannot be split that way; empty where it can.
	Invalid(kind int, s cost.Shape) string
}

// stageKey is all that the price of a stage depends on: replicas that are alike
// are priced once.
type stageKey struct {
	pool, next  int // next is -1 on the last stage
	first, last int
	shape       cost.Shape
	oneHost     bool
}

// stagePrice is the recomputed cost of one stage.
type stagePrice struct {
	prefill float64 // τ0, seconds (C2); 0 in decode alone
	kernel  float64 // of it the prompt by itself, in mixed serving
	rate    float64 // τ1, seconds (C3)
	decode  float64 // a decode step of the whole replica at context I, seconds: prefill alone, for information
	memory  cost.Memory
	fits    int64 // capacity, bytes
	tokens  int64 // KV tokens that the stage can hold
}

// key describes stage i of a replica; all its placement rules hold.
func (a *audit) key(stages []*results.Stage, i int) stageKey {
	s := stages[i]
	k := stageKey{
		pool: a.pools[s.Pool], next: -1, first: s.FirstLayer, last: s.LastLayer,
		shape: shapeOf(s), oneHost: a.oneHost,
	}
	if i+1 < len(stages) {
		k.next = a.pools[stages[i+1].Pool]
	}
	return k
}

// overParts is (C1): the sum of what time makes of the layers, of embedding and head where
// they live, and of the transfer to the next stage.
func (a *audit) overParts(k stageKey, time func(price func(cost.Step) float64) float64) float64 {
	m := &a.cond.Model
	var seconds float64
	for l := k.first; l <= k.last; l++ {
		seconds += time(func(st cost.Step) float64 { return a.prices.Layer(k.pool, m.Layers[l], k.shape, st) })
	}
	if k.first == 0 {
		seconds += time(func(st cost.Step) float64 { return a.prices.Embedding(k.pool, k.shape, st) })
	}
	if k.last == len(m.Layers)-1 {
		seconds += time(func(st cost.Step) float64 { return a.prices.Head(k.pool, k.shape, st) })
	}
	if k.next >= 0 {
		seconds += time(func(st cost.Step) float64 { return a.prices.Send(k.pool, k.next, k.shape, st, k.oneHost) })
	}
	return seconds
}

// stepTime is the time of a step by itself, with the host's part in it.
func (a *audit) stepTime(k stageKey, st cost.Step) float64 {
	return a.overParts(k, func(price func(cost.Step) float64) float64 { return price(st) }) + a.prices.HostStep(k.pool, st.Sequences)
}

// price recomputes (C2), (C3) and (C8) for one stage.
func (a *audit) price(k stageKey, q sequences) stagePrice {
	w := &a.cond.Workload
	in, out := w.Input.Mid(), w.Output.Mid()
	latency := cost.Step{Phase: inputs.Prefill, Sequences: q.b0, New: w.Input.Max} // whose memory is kept, whatever is cached
	decode := cost.Step{Phase: inputs.Decode, Sequences: q.b1, New: 1 + w.Speculative.DraftTokens, Cached: in + ceil(out, 2)}

	var p stagePrice
	load := cost.Load{Sequences: q.replica, Tokens: w.Input.Max + w.Output.Max}
	switch w.Phase {
	case inputs.Prefill:
		p.prefill = a.stepTime(k, a.prompts(q.b0, w.Input.Max))
		p.rate = a.stepTime(k, a.prompts(q.b0, in))
		p.decode = a.stepTime(k, cost.Step{Phase: inputs.Decode, Sequences: q.replica, New: 1, Cached: in})
		load.Tokens = w.Input.Max
		load.Steps = []cost.Step{latency}
	case inputs.Decode:
		p.rate = (a.overParts(k, func(price func(cost.Step) float64) float64 { return a.decoding(q.b1, price) }) + a.prices.HostStep(k.pool, q.b1)) / a.yield()
		load.Steps = []cost.Step{decode}
	default:
		p.rate, p.prefill, p.kernel = a.served(k, q)
		latency.Sequences = a.held(k.shape, q.replica, q.b0)
		load.Steps, load.Budget = []cost.Step{latency, decode}, chunkTokens
	}
	counts := a.kinds(&results.Stage{FirstLayer: k.first, LastLayer: k.last})
	first, last := k.first == 0, k.last == len(a.cond.Model.Layers)-1
	p.memory = a.prices.StageMemory(k.pool, counts, first, last, k.shape, load)
	p.fits = a.prices.Capacity(k.pool)
	p.tokens = a.prices.KVTokens(k.pool, counts, first, last, k.shape, load)
	return p
}
