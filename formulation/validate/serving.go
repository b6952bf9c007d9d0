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
// as many as come while it is there (Little's law). Where more come than are served the
// deployment is full, and the queue grows as long as they come.
func (r *run) open() (state, *failed, error) {
	limit := mostSequences * r.replicas
	if r.total > 0 {
		limit = min(limit, r.total)
	}
	full, bad, err := r.atMost(limit, overloaded)
	if bad != nil || err != nil || full.rate <= r.rate {
		return full, bad, err
	}
	low, high := 1, limit // requests in flight: the least that serve what comes
	for low < high {
		mid := (low + high) / 2
		x, _, err := r.steady(mid)
		if err != nil {
			return state{}, nil, err
		}
		if x.rate*(1-1/float64(mid)) >= r.rate { // the others, without the one that comes
			high = mid
		} else {
			low = mid + 1
		}
	}
	x, _, err := r.steady(low)
	x.rate = r.rate
	if r.total > 0 { // the last ones are still served when none come any more
		whole := x.ttft + float64(r.output.Mid()-1)*x.tpot
		x.rate = float64(r.total) / (float64(r.total)/r.rate + whole)
	}
	if math.IsNaN(x.rate) {
		x.rate = r.rate
	}
	return x, nil, err
}
