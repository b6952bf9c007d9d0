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
	t := s.priceAll(func(cost.Shape) cost.Step { return st })
	s.tables.room(s)
	s.tables.steps[st] = t
	return t
}

// chunkTable prices the prefill chunk of a mixed step (C3c), whose size depends on
// the shape, divided by the sequences in it: seconds for one sequence.
func (s *Space) chunkTable(sequences int) [][]prices {
	key := chunk{sequences, s.Condition.Workload.Input.Mid()}
	if t, ok := s.tables.chunks[key]; ok {
		return t
	}
	t := s.priceAll(func(sh cost.Shape) cost.Step { return s.chunkStep(sequences, sh) })
	for k := range t {
		for i := range t[k] {
			p, n := &t[k][i], float64(s.chunkStep(sequences, s.pools[k].shapes[i]).Sequences)
			for j := range p.layer {
				p.layer[j] /= n
			}
			p.embed, p.head, p.network = p.embed/n, p.head/n, p.network/n
			for j := range p.local {
				p.local[j] /= n
			}
		}
	}
	s.tables.room(s)
	s.tables.chunks[key] = t
	return t
}

func (s *Space) priceAll(step func(cost.Shape) cost.Step) [][]prices {
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
		for i, sh := range s.pools[k].shapes {
			st := step(sh)
			p := &out[k][i]
			p.layer, values = values[:kinds:kinds], values[kinds:]
			p.local, values = values[:pools:pools], values[pools:]
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

// chunkTokens is the number of prompt tokens a rank takes into one mixed step:
// the default budget of current serving engines on large GPUs (C3c).
const chunkTokens = 8192

func (s *Space) chunkStep(sequences int, sh cost.Shape) cost.Step {
	in := s.Condition.Workload.Input.Mid()
	k := min(sequences, sh.DPAttention*max(1, chunkTokens/max(1, in)))
	return cost.Step{Phase: inputs.Prefill, Sequences: k, New: in}
}

// latencyStep is (C2), for micro-batches of b sequences.
func (s *Space) latencyStep(b int) cost.Step {
	return cost.Step{Phase: inputs.Prefill, Sequences: b, New: s.Condition.Workload.Input.Max}
}

// decodeStep is the step of (C3b) for groups of b sequences.
func (s *Space) decodeStep(b int) cost.Step {
	w := &s.Condition.Workload
	return cost.Step{Phase: inputs.Decode, Sequences: b, New: 1, Cached: w.Input.Mid() + ceilDiv(w.Output.Mid(), 2)}
}

// promptStep is (C3a).
func (s *Space) promptStep(b int) cost.Step {
	return cost.Step{Phase: inputs.Prefill, Sequences: b, New: s.Condition.Workload.Input.Mid()}
}

// pricing prices both phases of an outer choice.
type pricing struct {
	latency [][]prices // nil where the phase has no latency part
	rate    [][]prices
	chunk   [][]prices // added to rate with weight share; nil where nothing is mixed in
	share   float64
}

func (s *Space) pricing(replicas, micro, groups int) pricing {
	n := s.Sequences(replicas)
	var p pricing
	if micro > 0 {
		p.latency = s.table(s.latencyStep(ceilDiv(n, micro)))
	}
	switch s.Condition.Workload.Phase {
	case inputs.Prefill:
		p.rate = s.table(s.promptStep(ceilDiv(n, max(1, micro))))
	case inputs.Decode:
		p.rate = s.table(s.decodeStep(ceilDiv(n, max(1, groups))))
	default:
		p.rate = s.table(s.decodeStep(ceilDiv(n, max(1, groups))))
		if n > 1 {
			p.chunk = s.chunkTable(n)
			p.share = float64(n-1) / float64(s.Condition.Workload.Output.Mid()) / float64(max(1, groups))
		}
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
	if p.chunk != nil {
		t[1] += p.share * p.chunk[pool][shape].stage(c)
	}
	return t
}

// sends are the seconds of its send in both phases.
func (p *pricing) sends(pool, shape, next int, sameHost bool) [2]float64 {
	var t [2]float64
	if p.latency != nil {
		t[0] = p.latency[pool][shape].send(next, sameHost)
	}
	t[1] = p.rate[pool][shape].send(next, sameHost)
	if p.chunk != nil {
		t[1] += p.share * p.chunk[pool][shape].send(next, sameHost)
	}
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
	t := of(&p.rate[pool][shape])
	if p.chunk != nil {
		t += p.share * of(&p.chunk[pool][shape])
	}
	return t
}
