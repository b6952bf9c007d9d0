package stagegraph

import (
	"slices"

	"partita/formulation/cost"
	"partita/inputs"
)

// prices are the parts of a stage's time on one shape for one step, in seconds.
type prices struct {
	layer       []float64 // of each kind
	embed, head float64
	network     float64   // send across hosts
	local       []float64 // send inside a host, by the pool of the next stage
}

// stage is (C1) without the send.
func (p *prices) stage(c *class) float64 {
	t := 0.0
	for k, n := range c.counts {
		if n > 0 {
			t += float64(n) * p.layer[k]
		}
	}
	if c.first {
		t += p.embed
	}
	if c.last {
		t += p.head
	}
	return t
}

// send is the time of handing over to a stage of pool next.
func (p *prices) send(next int, sameHost bool) float64 {
	if sameHost {
		return p.local[next]
	}
	return p.network
}

// table prices a step on every shape of every pool.
func (s *Space) table(st cost.Step) [][]prices {
	if t, ok := s.tables.steps[st]; ok {
		return t
	}
	t := s.priceAll(st)
	s.tables.room(s)
	s.tables.steps[st] = t
	return t
}

func (s *Space) priceAll(st cost.Step) [][]prices {
	out := s.newTable()
	for k := range out {
		for i, sh := range s.pools[k].shapes {
			p := &out[k][i]
			for kind := range p.layer {
				p.layer[kind] = s.Costs.Layer(k, kind, sh, st)
			}
			p.embed, p.head = s.Costs.Embedding(k, sh, st), s.Costs.Head(k, sh, st)
			p.network = s.Costs.Send(k, k, sh, st, false)
			for next := range p.local {
				p.local[next] = s.Costs.Send(k, next, sh, st, true)
			}
		}
	}
	return out
}

// newTable has room for the prices on every shape of every pool.
func (s *Space) newTable() [][]prices {
	kinds, pools := len(s.prefix), len(s.pools)
	shapes := 0
	for k := range s.pools {
		shapes += len(s.pools[k].shapes)
	}
	all := make([]prices, shapes)
	values := make([]float64, shapes*(kinds+pools))
	out := make([][]prices, pools)
	for k := range s.pools {
		n := len(s.pools[k].shapes)
		out[k], all = all[:n:n], all[n:]
		for i := range out[k] {
			p := &out[k][i]
			p.layer, values = values[:kinds:kinds], values[kinds:]
			p.local, values = values[:pools:pools], values[pools:]
		}
	}
	return out
}

// latencyStep is (C2), for micro-batches of b sequences.
func (s *Space) latencyStep(b int) cost.Step {
	n := s.Condition.Workload.Input.Max
	cached := s.Condition.Workload.Cached(n)
	return cost.Step{Phase: inputs.Prefill, Sequences: b, New: n - cached, Cached: cached}
}

// decodeStep is the step of (C3b) for groups of b sequences.
func (s *Space) decodeStep(b int) cost.Step {
	w := s.serving(b, 1)
	return w.DecodeStep()
}

// promptStep is (C3a).
func (s *Space) promptStep(b int) cost.Step {
	n := s.Condition.Workload.Input.Mid()
	cached := s.Condition.Workload.Cached(n)
	return cost.Step{Phase: inputs.Prefill, Sequences: b, New: n - cached, Cached: cached}
}

// pricing prices both phases of an outer choice.
type pricing struct {
	latency [][]prices // nil where the phase has no latency part
	rate    [][]prices
}

func (s *Space) pricing(replicas, micro, groups int) pricing {
	n := s.Sequences(replicas)
	var p pricing
	switch s.Condition.Workload.Phase {
	case inputs.Prefill:
		if micro > 0 {
			p.latency = s.steps(s.latencyStep(ceilDiv(n, micro)))
		}
		p.rate = s.steps(s.promptStep(ceilDiv(n, max(1, micro))))
	case inputs.Decode:
		p.rate = s.mixes(n, max(1, groups))
	default:
		if micro > 0 {
			p.latency = s.firsts(n)
		}
		p.rate = s.mixes(n, max(1, groups))
	}
	return p
}

// times are the seconds of a stage in both phases, without its send.
func (p *pricing) times(pool, shape int, c *class) [2]float64 {
	var t [2]float64
	if p.latency != nil {
		t[0] = p.latency[pool][shape].stage(c)
	}
	t[1] = p.rate[pool][shape].stage(c)
	return t
}

// sends are the seconds of its send in both phases.
func (p *pricing) sends(pool, shape, next int, sameHost bool) [2]float64 {
	var t [2]float64
	if p.latency != nil {
		t[0] = p.latency[pool][shape].send(next, sameHost)
	}
	t[1] = p.rate[pool][shape].send(next, sameHost)
	return t
}

// part is the time of one layer of a kind in phase ph, in seconds; past the kinds
// come the embedding, the head, a send across hosts and the fastest inside one.
func (p *pricing) part(pool, shape, part, kinds, ph int) float64 {
	of := func(x *prices) float64 {
		switch part - kinds {
		case 0:
			return x.embed
		case 1:
			return x.head
		case 2:
			return x.network
		case 3:
			return slices.Min(x.local)
		}
		return x.layer[part]
	}
	if ph == 0 {
		return of(&p.latency[pool][shape])
	}
	return of(&p.rate[pool][shape])
}
