package validate

import (
	"math"

	"partita/inputs"
)

// state is what serving comes to: times in seconds, of one request, and requests a second
// over the whole deployment.
type state struct {
	tpot, ttft, rate float64
	noTTFT           string // why no first token is predicted
}

// quantity is one of a state, for so many tokens in and out of a request.
func (x *state) quantity(q quantity, in, out float64) (float64, *failed, error) {
	switch q {
	case timePerToken:
		return x.tpot, nil, nil
	case outputRate:
		return x.rate * out, nil, nil
	case totalRate:
		return x.rate * (in + out), nil, nil
	case requestRate:
		return x.rate, nil, nil
	}
	if x.noTTFT != "" {
		return 0, &failed{why: x.noTTFT}, nil
	}
	if q == firstToken {
		return x.ttft, nil, nil
	}
	return x.ttft + (out-1)*x.tpot, nil, nil
}

// serve is the state in which a load is served.
func (r *run) serve() (state, *failed, error) {
	switch {
	case r.input.Max == 0:
		return state{}, &failed{why: noInput}, nil
	case r.mode == byRate && r.rate == 0:
		return state{}, &failed{why: atRate}, nil
	case r.mode == unstated:
		return state{}, &failed{why: noRequests}, nil
	case r.output.Max == 0:
		return state{}, &failed{why: noOutput}, nil
	}
	switch r.mode {
	case most:
		return r.atMost(mostSequences*r.replicas, noEndTTFT)
	case static:
		return r.batch()
	case byRate:
		return r.open()
	}
	return r.closed()
}

// steady is serving with so many requests in flight, each followed by the next. By
// Little's law they are served at their number over the time of one.
func (r *run) steady(n int) (state, priced, error) {
	p, err := r.price(step{inputs.Mixed, n, r.input, r.output})
	if err != nil || p.Prediction == nil {
		return state{}, p, err
	}
	ttft, err := r.firstAt(n)
	if err != nil {
		return state{}, p, err
	}
	x := state{tpot: *p.Metrics.TPOTMS / 1e3, ttft: ttft}
	x.rate = float64(n) / (x.ttft + float64(r.output.Mid()-1)*x.tpot)
	return x, p, nil
}

// firstAt is the time to the first token of a prompt of the mean length.
func (r *run) firstAt(n int) (float64, error) {
	p, err := r.price(step{inputs.Mixed, n, mean(r.input), r.output})
	if err != nil || p.Prediction == nil {
		return 0, err
	}
	return *p.Metrics.TTFTMS / 1e3, nil
}

// admitted is the most requests, up to a number, that the memory holds: an engine takes a
// request in only where its whole context has room, and lets the others wait.
func (r *run) admitted(most int) (int, *failed, error) {
	at := func(n int) step { return step{inputs.Mixed, n, r.input, r.output} }
	first, err := r.price(at(r.replicas))
	if bad := verdict(first); err != nil || bad != nil {
		return 0, bad, err
	}
	low, high := 1, max(2, most/r.replicas+1)
	if room := int(*first.Metrics.KVTokens) / (r.input.Max + r.output.Max); room+1 < high {
		high = max(2, room+1)
	}
	for try := high - 1; high-low > 1; try = (low + high) / 2 {
		a, err := r.admits(at(try * r.replicas))
		if err != nil {
			return 0, nil, err
		}
		if a.fits {
			low = try
		} else {
			high = try
		}
	}
	return low * r.replicas, nil, nil
}

// atMost is serving with as many requests as memory holds, up to a number.
func (r *run) atMost(most int, why string) (state, *failed, error) {
	n, bad, err := r.admitted(most)
	if bad != nil || err != nil {
		return state{}, bad, err
	}
	x, _, err := r.steady(n)
	x.noTTFT = why
	return x, nil, err
}

// closed is serving with a number of requests that the client keeps in flight. Those that
// memory does not hold wait until others end.
func (r *run) closed() (state, *failed, error) {
	n := r.requests
	if n < r.replicas {
		return state{}, &failed{why: "fewer requests than replicas"}, nil
	}
	x, p, err := r.steady(n)
	if err != nil || p.why != "" || p.Fits {
		return x, verdict(p), err
	}
	n, bad, err := r.admitted(n)
	if bad != nil || err != nil {
		return state{}, bad, err
	}
	x, _, err = r.steady(n)
	x.ttft += float64(r.requests-n) / x.rate
	return x, nil, err
}

// batch is requests that begin together, with none to follow: their prompts first, then
// one decode step after the other.
func (r *run) batch() (state, *failed, error) {
	if r.requests < r.replicas {
		return state{}, &failed{why: "fewer requests than replicas"}, nil
	}
	p, err := r.price(step{inputs.Decode, r.requests, r.input, r.output})
	if bad := verdict(p); err != nil || bad != nil {
		return state{}, bad, err
	}
	q, err := r.price(step{phase: inputs.Prefill, batch: r.requests, input: mean(r.input)})
	if bad := verdict(q); err != nil || bad != nil {
		return state{}, bad, err
	}
	x := state{tpot: *p.Metrics.TPOTMS / 1e3, ttft: *q.Metrics.TTFTMS / 1e3}
	x.rate = float64(r.requests) / (x.ttft + float64(r.output.Mid()-1)*x.tpot)
	return x, nil, nil
}

// open is serving of requests that come at a rate, whatever is in flight: a request finds
// as many as come while one is there (Little's law). Where more come than are served the
// deployment is full, and the queue grows as long as they come.
func (r *run) open() (state, *failed, error) {
	limit := mostSequences * r.replicas
	if r.total > 0 {
		limit = min(limit, r.total)
	}
	n, bad, err := r.admitted(limit)
	if bad != nil || err != nil {
		return state{}, bad, err
	}
	if math.IsInf(r.rate, 1) && n == r.total {
		return r.rush()
	}
	full, _, err := r.steady(n)
	if full.noTTFT = overloaded; err != nil || full.rate <= r.rate {
		return full, nil, err
	}
	// found is how many come while one of those that a request finds n of is there.
	found := func(n int) (state, float64, error) {
		x, _, err := r.steady(n)
		return x, r.rate * float64(n) / x.rate, err
	}
	low, high := r.replicas, n // the last number that too many are found with, the first that not
	for high-low > 1 {
		mid := (low + high) / 2
		_, others, err := found(mid)
		if err != nil {
			return state{}, nil, err
		}
		if others <= float64(mid-r.replicas) {
			high = mid
		} else {
			low = mid
		}
	}
	// Between the two on a line: of what a request finds less what it would find, the zero.
	a, first, err := found(low)
	if err != nil {
		return state{}, nil, err
	}
	b, second, err := found(high)
	if err != nil {
		return state{}, nil, err
	}
	share := 0.0
	if over, under := first-float64(low-r.replicas), float64(high-r.replicas)-second; over > 0 && over+under > 0 {
		share = min(1, over/(over+under))
	}
	x := state{tpot: a.tpot + share*(b.tpot-a.tpot), ttft: a.ttft + share*(b.ttft-a.ttft), rate: r.rate}
	if r.total > 0 { // the last ones are still served when none come any more
		x.rate = float64(r.total) / (float64(r.total)/r.rate + x.ttft + float64(r.output.Mid()-1)*x.tpot)
	}
	return x, nil, nil
}

// rush is a run whose requests come all at once and find room: all prompts are read, on
// average half of them before one's own, while those before decode; all are there until
// prompts are read and every token is decoded.
func (r *run) rush() (state, *failed, error) {
	all := *r
	all.requests = r.total
	x, bad, err := all.batch()
	if bad != nil || err != nil {
		return x, bad, err
	}
	x.tpot += x.ttft / 2 / float64(max(1, r.output.Mid()-1))
	x.ttft /= 2
	return x, nil, nil
}
