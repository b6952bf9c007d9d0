package verify

import (
	"math"

	"partita/formulation/cost"
	"partita/inputs"
)

// chunkTokens is the prefill budget of a step, in tokens a rank (docs/cost-model.md, C3c).
const chunkTokens = 8192

// served recomputes the average step of a group of mixed serving (C3c), the way of a
// request to its first token (C2m), and the prompt in it, of one stage, in seconds.
func (a *audit) served(k stageKey, q sequences) (step, first, kernel float64) {
	longest := a.cond.Workload.Input.Max
	prompt := a.prompts(1, longest)
	yield := a.yield()
	host := a.prices.HostStep
	step = host(k.pool, q.b1)/yield + a.overParts(k, func(price func(cost.Step) float64) float64 {
		average, _, _ := a.average(k.shape, q.replica, q.m1, price)
		return average / yield
	})
	own := max(1, float64(prompt.New)/chunkTokens) // steps of the prompt
	meets := own                                   // steps that a request meets
	if q.replica > 1 {
		meets += 1.5 // what is left of one in progress, and the next
	}
	first = meets*host(k.pool, q.replica) + a.overParts(k, func(price func(cost.Step) float64) float64 {
		p := price(prompt)
		if q.replica == 1 {
			return p
		}
		average, along, left := a.average(k.shape, q.replica, 1, price)
		return p + own*along + average + left
	})
	if k.first == 0 {
		first += a.prices.HostRequest(k.pool, longest)
	}
	kernel = a.overParts(k, func(price func(cost.Step) float64) float64 { return price(prompt) })
	return step, first, kernel
}

// average is the average step of a group of a replica with n sequences in m groups, what
// decoding adds to a step with a chunk, and what is left of a step when a request comes.
func (a *audit) average(s cost.Shape, n, m int, price func(cost.Step) float64) (step, along, left float64) {
	w := &a.cond.Workload
	in := w.Input.Mid()
	b := ceil(n, m)
	decode := a.decoding(b, price)
	if n == 1 || w.Phase == inputs.Decode {
		return decode, decode, 0
	}
	read := a.prompts(1, in).New
	arrivals, size := a.arrivals(s, n, m)
	lower := int(math.Floor(size))
	prompts := func(k int) float64 { return price(a.prompts(k, in)) }
	chunk := prompts(lower)
	if part := size - float64(lower); part > 0 {
		chunk = (1-part)*chunk + part*prompts(lower+1)
	}
	passes := max(1, float64(read)/chunkTokens) // steps of a prompt
	plain := func(tokens int) float64 { return price(cost.Step{Phase: inputs.Decode, Sequences: tokens, New: 1}) }
	tokens, decoded := lower*min(read, chunkTokens), b*(1+w.Speculative.DraftTokens)
	along = decode - plain(decoded) + max(0, plain(tokens+decoded)-plain(tokens))

	share := arrivals / size
	more := share * max(0, chunk+passes*(along-decode))
	step = decode + more
	if mixed := min(1, share*passes); step > 0 { // share of the steps with a chunk
		long := decode + more/mixed
		left = ((1-mixed)*decode*decode + mixed*long*long) / step / 2
	}
	return step, along, left
}

// arrivals is how many prompts come while a step of one of m groups runs, and how many
// are read in one chunk.
func (a *audit) arrivals(s cost.Shape, n, m int) (come, size float64) {
	w := &a.cond.Workload
	read := a.prompts(1, w.Input.Mid()).New
	come = a.yield() * float64(n-1) / float64(w.Output.Mid()) / float64(m)
	most := min(n, s.DPAttention*max(1, chunkTokens/max(read, 1)))
	return come, min(max(come, 1), float64(most))
}

// held is how many prompts memory is kept for in mixed serving: those of a micro-batch, and
// no fewer than a step of all n sequences is priced with.
func (a *audit) held(s cost.Shape, n, b0 int) int {
	if n > 1 {
		_, size := a.arrivals(s, n, 1)
		b0 = max(b0, int(math.Ceil(size)))
	}
	return b0
}

// prompts is a step of k prompts of so many tokens, without those that are in the cache.
func (a *audit) prompts(k, tokens int) cost.Step {
	cached := int(math.Floor(a.cond.Workload.PrefixCacheHit * float64(tokens)))
	cached = max(0, min(cached, tokens-1))
	return cost.Step{Phase: inputs.Prefill, Sequences: k, New: tokens - cached, Cached: cached}
}

// decoding is the time of a step of b sequences (C3b): verifying a draft, and proposing it.
func (a *audit) decoding(b int, price func(cost.Step) float64) float64 {
	w := &a.cond.Workload
	st := cost.Step{Phase: inputs.Decode, Sequences: b, New: 1, Cached: w.Input.Mid() + ceil(w.Output.Mid(), 2)}
	draft := float64(w.Speculative.DraftTokens) * w.Speculative.DraftCost
	if draft > 0 {
		draft *= price(st)
	}
	st.New += w.Speculative.DraftTokens
	return price(st) + draft
}

// yield is how many tokens of a sequence a step decodes: (1 − α^(γ+1))/(1 − α).
func (a *audit) yield() float64 {
	s := &a.cond.Workload.Speculative
	if s.Acceptance == 1 {
		return float64(s.DraftTokens) + 1
	}
	return (1 - math.Pow(s.Acceptance, float64(s.DraftTokens)+1)) / (1 - s.Acceptance)
}
