package formulation_test

import (
	"math"
	"slices"

	"partita/formulation/cost"
	"partita/inputs"
)

// priced prices the routes of one outer choice by (C1) to (C8), stage by stage.
type priced struct {
	o        *oracle
	r, n     int // replicas, sequences of one
	m0, m1   int
	load     cost.Load
	stages   map[step]stagePrice
	sends    map[sendKey][2]float64
	slower   map[step]bool
	sequence struct{ latency, decode, prompt cost.Step }
}

// stagePrice is a stage without its send.
type stagePrice struct {
	seconds [2]float64
	fits    bool
}

type sendKey struct {
	from, to int
	shape    cost.Shape
	local    bool
}

func (o *oracle) priced(r, m0, m1 int) *priced {
	w := &o.c.Workload
	p := &priced{o: o, r: r, n: (w.Batch + r - 1) / r, m0: m0, m1: m1, stages: map[step]stagePrice{}, sends: map[sendKey][2]float64{}, slower: map[step]bool{}}
	in, out := (w.Input.Min+w.Input.Max+1)/2, (w.Output.Min+w.Output.Max+1)/2
	p.load = cost.Load{Sequences: p.n, Tokens: w.Input.Max}
	if m0 > 0 && m1 > 0 {
		p.load.Budget = 8192
	}
	if m0 > 0 {
		b0 := (p.n + m0 - 1) / m0
		p.sequence.latency = p.prompts(b0, w.Input.Max)
		p.sequence.prompt = p.prompts(b0, in)
		p.load.Steps = append(p.load.Steps, cost.Step{Phase: inputs.Prefill, Sequences: b0, New: w.Input.Max})
	}
	if m1 > 0 {
		p.load.Tokens += w.Output.Max
		p.sequence.decode = cost.Step{Phase: inputs.Decode, Sequences: (p.n + m1 - 1) / m1, New: 1 + w.Speculative.DraftTokens, Cached: in + (out+1)/2}
		p.load.Steps = append(p.load.Steps, p.sequence.decode)
	}
	return p
}

// held is the load of a stage: of mixed serving as many prompts as one of its steps is
// priced with.
func (p *priced) held(sh cost.Shape) cost.Load {
	l := p.load
	if p.m0 > 0 && p.m1 > 0 && p.n > 1 {
		w := &p.o.c.Workload
		l.Steps = slices.Clone(l.Steps)
		most := sh.DPAttention * max(1, 8192/p.prompts(1, (w.Input.Min+w.Input.Max+1)/2).New)
		l.Steps[0].Sequences = max(l.Steps[0].Sequences, min(p.n, most, int(math.Ceil(p.come(1)))))
	}
	return l
}

// looked reports whether the search looks at so many micro-batches. Those of mixed serving
// say what memory is held alone: as many prompts as a step's budget, or as few as one is
// priced with.
func (p *priced) looked() bool {
	if p.m0 == 0 || p.m1 == 0 || p.o.mentions("micro_batches") {
		return true
	}
	w := &p.o.c.Workload
	least := p.held(cost.Shape{DPAttention: 1}).Steps[0].Sequences
	for m := p.n; m > p.m0; m-- { // fewer prompts are held with more micro-batches, down to the least
		least = min(least, max((p.n+m-1)/m, int(math.Ceil(p.come(1)))))
	}
	budget := max(1, 8192/w.Input.Max)
	b := (p.n + p.m0 - 1) / p.m0
	return b <= least || b <= budget && (p.m0 == 1 || (p.n+p.m0-2)/(p.m0-1) > budget)
}

// prompts are k of so many tokens, less those in the cache.
func (p *priced) prompts(k, tokens int) cost.Step {
	cached := int(float64(tokens) * p.o.c.Workload.PrefixCacheHit)
	if cached == tokens && cached > 0 {
		cached--
	}
	return cost.Step{Phase: inputs.Prefill, Sequences: k, New: tokens - cached, Cached: cached}
}

// come is how many prompts come while a step of one of m groups runs.
func (p *priced) come(m int) float64 {
	w := &p.o.c.Workload
	return p.yield() * float64(p.n-1) / float64((w.Output.Min+w.Output.Max+1)/2*m)
}

// yield is how many tokens of a sequence a step decodes.
func (p *priced) yield() float64 {
	s, tokens := p.o.c.Workload.Speculative, 0.0
	for k := range s.DraftTokens + 1 {
		tokens += math.Pow(s.Acceptance, float64(k))
	}
	return tokens
}

// decode prices decoding b sequences, the draft included.
func (p *priced) decode(b int, time func(cost.Step) float64) float64 {
	w := &p.o.c.Workload
	cached := (w.Input.Min+w.Input.Max+1)/2 + ((w.Output.Min+w.Output.Max+1)/2+1)/2
	t := time(cost.Step{Phase: inputs.Decode, Sequences: b, New: 1 + w.Speculative.DraftTokens, Cached: cached})
	for range w.Speculative.DraftTokens {
		t += w.Speculative.DraftCost * time(cost.Step{Phase: inputs.Decode, Sequences: b, New: 1, Cached: cached})
	}
	return t
}

// both is a price in the latency and in the rate phase of a part of a stage, where time
// prices a step of that part.
func (p *priced) both(sh cost.Shape, time func(cost.Step) float64) [2]float64 {
	var t [2]float64
	switch {
	case p.m1 == 0:
		return [2]float64{time(p.sequence.latency), time(p.sequence.prompt)}
	case p.m0 == 0:
		t[1] = p.decode(p.sequence.decode.Sequences, time) / p.yield()
		return t
	}
	longest := p.prompts(1, p.o.c.Workload.Input.Max)
	if t[0] = time(longest); p.n > 1 {
		step, along, left := p.mixed(sh, 1, time)
		t[0] += p.own()*along + step + left
	}
	t[1], _, _ = p.mixed(sh, p.m1, time)
	t[1] /= p.yield()
	return t
}

// own is how many steps the longest prompt takes.
func (p *priced) own() float64 {
	return max(1, float64(p.prompts(1, p.o.c.Workload.Input.Max).New)/8192)
}

// mixed is the average step of one of m groups (C3c), what decoding adds to a step that
// takes a chunk along, and what is left of a step when a request comes.
func (p *priced) mixed(sh cost.Shape, m int, time func(cost.Step) float64) (step, along, left float64) {
	w := &p.o.c.Workload
	in := (w.Input.Min + w.Input.Max + 1) / 2
	read := p.prompts(1, in).New
	b := (p.n + m - 1) / m
	plain := func(tokens int) float64 { return time(cost.Step{Phase: inputs.Decode, Sequences: tokens, New: 1}) }
	decode := p.decode(b, time)
	if p.n == 1 {
		return decode, decode, 0
	}
	come := p.come(m) // prompts a step
	most := min(p.n, sh.DPAttention*max(1, 8192/read))
	size := 1
	var chunk float64
	switch {
	case come >= float64(most):
		size, chunk = most, time(p.prompts(most, in))*come/float64(most)
	case come <= 1:
		chunk = come * time(p.prompts(1, in))
	default:
		size = int(come)
		chunk = time(p.prompts(size, in))
		chunk += (come - float64(size)) * (time(p.prompts(size+1, in)) - chunk)
	}
	passes := max(1, float64(read)/8192)
	tokens, new := size*min(read, 8192), b*(1+w.Speculative.DraftTokens)
	along = decode - plain(new) + max(0, plain(tokens+new)-plain(tokens))
	chunks := come
	if come > 1 {
		chunks = max(1, come/float64(most))
	}
	step = decode + max(0, chunk+chunks*passes*(along-decode))
	if step == 0 {
		return 0, along, 0 // nothing to do here: no vocabulary, no next stage
	}
	share := min(1, chunks*passes)
	long := decode + (step-decode)/share
	return step, along, ((1-share)*decode*decode + share*long*long) / (2 * step)
}

func (p *priced) stage(s step) stagePrice {
	if x, ok := p.stages[s]; ok {
		return x
	}
	calc, layers := p.o.calc, p.o.c.Model.Layers
	first, last := s.from == 0, s.to == len(layers)
	counts := make([]int, len(p.o.c.Model.Kinds))
	for _, kind := range layers[s.from:s.to] {
		counts[kind]++
	}
	x := stagePrice{fits: calc.StageMemory(s.pool, counts, first, last, s.shape, p.held(s.shape)).Total() <= calc.Capacity(s.pool)}
	add := func(time func(cost.Step) float64) {
		t := p.both(s.shape, time)
		x.seconds[0] += t[0]
		x.seconds[1] += t[1]
	}
	for _, kind := range layers[s.from:s.to] {
		add(func(st cost.Step) float64 { return calc.Layer(s.pool, kind, s.shape, st) })
	}
	if first {
		add(func(st cost.Step) float64 { return calc.Embedding(s.pool, s.shape, st) })
	}
	if last {
		add(func(st cost.Step) float64 { return calc.Head(s.pool, s.shape, st) })
	}
	p.host(&x.seconds, s.pool, first)
	p.stages[s] = x
	return x
}

// host adds the host's part of a step, and of a request where it comes in.
func (p *priced) host(t *[2]float64, pool int, first bool) {
	calc := p.o.calc
	switch {
	case p.m1 == 0:
		t[0] += calc.HostStep(pool, p.sequence.latency.Sequences)
		t[1] += calc.HostStep(pool, p.sequence.prompt.Sequences)
		return
	case p.m0 > 0:
		steps := p.own()
		if p.n > 1 {
			steps += 1.5 // half of the one in progress, and the next
		}
		t[0] += steps * calc.HostStep(pool, p.n)
		if first {
			t[0] += calc.HostRequest(pool, p.o.c.Workload.Input.Max)
		}
	}
	t[1] += calc.HostStep(pool, p.sequence.decode.Sequences) / p.yield()
}

func (p *priced) send(k sendKey) [2]float64 {
	if t, ok := p.sends[k]; ok {
		return t
	}
	t := p.both(k.shape, func(st cost.Step) float64 { return p.o.calc.Send(k.from, k.to, k.shape, st, k.local) })
	p.sends[k] = t
	return t
}

// beaten reports whether another shape of as many GPUs, that fits and is legal, runs
// the stage as fast in both phases: the search may then leave this one out.
func (p *priced) beaten(s step, legal func(cost.Shape) bool) bool {
	if b, ok := p.slower[s]; ok && len(p.o.laws) == 0 {
		return b
	}
	const near = 1 + 1e-5
	// What it hands over may count with the stage.
	with := func(s step) [][2]float64 {
		t := p.stage(s).seconds
		out := [][2]float64{t}
		for _, local := range []bool{false, true} {
			if send := p.send(sendKey{s.pool, s.pool, s.shape, local}); s.to < len(p.o.c.Model.Layers) {
				out = append(out, [2]float64{t[0] + send[0], t[1] + send[1]})
			}
		}
		return out
	}
	mine := with(s)
	before, found := true, false
	for _, x := range p.o.shapes[s.pool] {
		if x.shape == s.shape {
			before = false
			continue
		}
		other := s
		other.shape = x.shape
		if x.wide || x.shape.GPUs() != s.shape.GPUs() || !p.o.validOn(s.from, s.to, x.shape) || !p.stage(other).fits || !legal(x.shape) {
			continue
		}
		for i, t := range with(other) {
			if t[0] <= mine[i][0]*near && t[1] <= mine[i][1]*near && (before || t[0]*near < mine[i][0] || t[1]*near < mine[i][1]) {
				found = true
			}
		}
	}
	p.slower[s] = found
	return found
}

// add appends the candidates of a route, if it fits: on one host each where that
// can be, and across hosts.
func (p *priced) add(list []candidate, x *route) []candidate {
	wide := x.wide || p.m1 > sum(x.used) || !p.looked()
	for _, s := range x.steps {
		if !p.stage(s).fits {
			return list
		}
	}
	c := candidate{replicas: p.r, micro: p.m0, groups: p.m1, path: x.steps, gpus: p.r * sum(x.used), all: x.all}
	if !p.o.keeps(&c) {
		return list
	}
	for i, s := range x.steps {
		wide = wide || p.beaten(s, func(sh cost.Shape) bool {
			if len(p.o.laws) == 0 {
				return true
			}
			y := c
			y.path = slices.Clone(c.path)
			y.path[i].shape = sh
			return p.o.keeps(&y)
		})
	}
	for k, n := range x.used {
		c.price += float64(n*p.r) * p.o.c.Cluster.Pools[k].USDPerHour
	}
	for _, local := range []bool{true, false} {
		if local && !x.local {
			continue
		}
		y := c
		y.wide = wide || !local && x.local
		p.measure(&y, local)
		list = append(list, y)
	}
	return list
}

// measure fills in the metrics (C4) to (C6).
func (p *priced) measure(c *candidate, local bool) {
	var total, longest [2]float64
	shortest := 0.0
	for i, s := range c.path {
		t := p.stage(s).seconds
		if i+1 < len(c.path) {
			send := p.send(sendKey{s.pool, c.path[i+1].pool, s.shape, local})
			t[0] += send[0]
			t[1] += send[1]
		}
		if i == 0 || t[1] < shortest {
			shortest = t[1]
		}
		for ph := range t {
			total[ph] += t[ph]
			longest[ph] = max(longest[ph], t[ph])
		}
	}
	c.ratio = shortest / longest[1]
	if p.m0 > 0 {
		c.ttft = total[0] // mixed: requests come as others end
		if p.m1 == 0 {
			c.ttft += float64(p.m0-1) * longest[0]
		}
	}
	if p.m1 > 0 {
		c.round = max(total[1], float64(p.m1)*longest[1])
	} else {
		c.round = float64(p.m0) * longest[1]
		if p.o.c.Goal.Placement == inputs.Disaggregated { // prompts in flight are all there are
			c.round = max(c.round, total[1])
		}
	}
}
