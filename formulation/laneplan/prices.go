package laneplan

import (
	"partita/formulation/cost"
	"partita/inputs"
)

// single is the shape of a machine of one GPU.
var single = cost.Shape{TP: 1, CP: 1, DPAttention: 1, EP: 1, ETP: 1}

// prices of the stages of one GPU, for a number of decode groups and of prefill
// micro-batches. Sequences are those that a machine holds the KV cache of.
type prices struct {
	c             *inputs.Condition
	costs         *cost.Calculator
	groups, micro int

	steps  map[stepKey]*parts
	rates  map[held]*parts
	holds  map[held][roles]int // layers by role
	floors [][]parts           // by pool: see least
	shares map[stretch][]float64
}

// stretch is a range of layers on a machine of a pool, as far as prices tell it apart.
type stretch struct {
	pool, layers int
	first, last  bool
}

type stepKey struct {
	pool int
	step cost.Step
}

// held is a pool with the sequences of a machine.
type held struct{ pool, sequences int }

// parts of a stage's time, in seconds.
type parts struct{ layer, embedding, head, send float64 }

func newPrices(c *inputs.Condition, costs *cost.Calculator, groups, micro int) *prices {
	return &prices{c: c, costs: costs, groups: groups, micro: micro,
		steps: map[stepKey]*parts{}, rates: map[held]*parts{}, holds: map[held][roles]int{},
		floors: make([][]parts, len(c.Cluster.Pools)), shares: map[stretch][]float64{}}
}

func ceil(n, d int) int { return (n + d - 1) / d }

func (p *prices) mixed() bool { return p.c.Workload.Phase == inputs.Mixed }

// serving is the work of a machine with so many sequences, in so many groups.
func (p *prices) serving(sequences, groups int) *cost.Serving {
	return &cost.Serving{Sequences: sequences, Groups: groups, Workload: &p.c.Workload}
}

func (p *prices) step(pool int, st cost.Step) *parts {
	key := stepKey{pool, st}
	x, ok := p.steps[key]
	if !ok {
		x = &parts{
			layer: p.costs.Layer(pool, p.c.Model.Layers[0], single, st), embedding: p.costs.Embedding(pool, single, st),
			head: p.costs.Head(pool, single, st), send: p.costs.Send(pool, pool, single, st, false),
		}
		p.steps[key] = x
	}
	return x
}

// rate is the time of a step of one group, its share of prefill included (C3).
func (p *prices) rate(pool, sequences int) *parts {
	key := held{pool, sequences}
	if x, ok := p.rates[key]; ok {
		return x
	}
	w := p.serving(sequences, p.groups)
	x := p.combined(pool, w, (*cost.Mixed[*parts]).Token)
	x.hosted(p.costs.HostToken(pool, w))
	p.rates[key] = &x
	return &x
}

// first is the way of a request to its first token (C2m).
func (p *prices) first(pool, sequences int) *parts {
	w := p.serving(sequences, 1)
	x := p.combined(pool, w, (*cost.Mixed[*parts]).First)
	every, entry := p.costs.HostFirst(pool, w)
	x.hosted(every)
	x.embedding += entry
	return &x
}

// combined makes the price of each part of those of the steps of a mix.
func (p *prices) combined(pool int, w *cost.Serving, price func(*cost.Mixed[*parts], func(*parts) float64) float64) parts {
	steps := cost.MixedOf(w, 1, func(st cost.Step) *parts { return p.step(pool, st) })
	return parts{
		layer: price(steps, func(x *parts) float64 { return x.layer }), embedding: price(steps, func(x *parts) float64 { return x.embedding }),
		head: price(steps, func(x *parts) float64 { return x.head }), send: price(steps, func(x *parts) float64 { return x.send }),
	}
}

// hosted adds what the host takes for a step: a machine either sends or has the head.
func (x *parts) hosted(seconds float64) {
	x.head += seconds
	x.send += seconds
}

// role of a machine in the chain.
type role int

const (
	inner   role = iota // neither end
	atHead              // holds the last layer, and with it the head
	whole               // holds all layers
	atStart             // holds the first layer, and with it the embedding
	roles
)

// of is the time of a stage of so many layers, at least. An inner one may as well hold
// the first layer, whose embedding exact counts; no role is faster than it.
func (x *parts) of(layers int, r role) float64 {
	t := float64(layers) * x.layer
	switch r {
	case inner:
		return t + min(x.send, x.head)
	case atHead:
		return t + x.head
	case atStart:
		return t + x.send + x.embedding
	}
	return t + x.head + x.embedding // it sends nothing
}

// exact is the time of a stage as the verification has it.
func (x *parts) exact(layers int, first, last bool) float64 {
	t := float64(layers) * x.layer
	if first {
		t += x.embedding
	}
	if last {
		return t + x.head
	}
	return t + x.send
}

// load is (C8) for a machine.
func (p *prices) load(sequences int) cost.Load {
	w := &p.c.Workload
	l := cost.Load{Sequences: sequences, Tokens: w.Input.Max + w.Output.Max}
	if p.mixed() {
		l.Steps, l.Budget = append(l.Steps, p.serving(sequences, 1).HeldStep(p.micro, 1)), cost.ChunkTokens
	}
	l.Steps = append(l.Steps, p.serving(sequences, p.groups).DecodeStep())
	return l
}

// fits is how many layers a machine holds with its sequences in memory, by role.
func (p *prices) fits(pool, sequences int) [roles]int {
	key := held{pool, sequences}
	n, ok := p.holds[key]
	if !ok {
		m := p.costs.Memories(pool, single, p.load(sequences))
		capacity := p.costs.Capacity(pool)
		n = [roles]int{m.MostLayers(false, false, capacity), m.MostLayers(false, true, capacity), m.MostLayers(true, true, capacity), m.MostLayers(true, false, capacity)}
		p.holds[key] = n
	}
	return n
}

func (p *prices) memory(pool, layers, sequences int, first, last bool) cost.Memory {
	counts := make([]int, len(p.c.Model.Kinds))
	counts[p.c.Model.Layers[0]] = layers
	return p.costs.StageMemory(pool, counts, first, last, single, p.load(sequences))
}

// carries is the most sequences that a machine may hold so many layers for, with a step
// of at most limit seconds; 0: none.
func (p *prices) carries(pool, layers int, r role, limit float64) int {
	floors := p.least(pool)
	return largest(len(floors)-1, func(n int) bool {
		return p.holdsAs(pool, n, layers, r) && floors[n].of(layers, r) <= limit
	})
}

// least are, by n, the least parts of a step with n or more sequences that a machine can
// hold a layer for. More sequences may take less: prompts that go together fill a step
// better. What is least grows with n, so that halving finds its end.
func (p *prices) least(pool int) []parts {
	if p.floors[pool] == nil {
		most := largest(p.c.Workload.Batch, func(n int) bool { return p.fits(pool, n) != [roles]int{} })
		out := make([]parts, most+1)
		for n := most; n > 0; n-- {
			out[n] = *p.rate(pool, n)
			if n < most {
				x, y := &out[n], &out[n+1]
				x.layer, x.embedding = min(x.layer, y.layer), min(x.embedding, y.embedding)
				x.head, x.send = min(x.head, y.head), min(x.send, y.send)
			}
		}
		p.floors[pool] = out
	}
	return p.floors[pool]
}

// shortest are, by n, the least steps of a machine with n or more of the sequences that it
// can hold.
func (p *prices) shortest(m *Machine) []float64 {
	key := stretch{m.Pool, m.layers(), m.First == 0, m.Last == len(p.c.Model.Layers)-1}
	out, ok := p.shares[key]
	if !ok {
		out = make([]float64, p.most(m)+1)
		for n := len(out) - 1; n > 0; n-- {
			out[n] = p.exactly(m, n)
			if n+1 < len(out) {
				out[n] = min(out[n], out[n+1])
			}
		}
		p.shares[key] = out
	}
	return out
}

// largest is the most of 0 to most for which ok holds, where it holds up to there.
func largest(most int, ok func(n int) bool) int {
	low, high := 0, most
	for low < high {
		if n := (low + high + 1) / 2; ok(n) {
			low = n
		} else {
			high = n - 1
		}
	}
	return low
}

// longest is how many layers a machine of the pool holds at most.
func (p *prices) longest(pool int) int {
	layers := len(p.c.Model.Layers)
	for layers > 0 && !p.holdsAs(pool, 1, layers, inner) {
		layers--
	}
	return layers
}

// holdsAs reports whether a machine holds so many layers with its sequences in a role. inner
// stands for any: the last stage keeps no room for what it would send, and one with all
// layers has no neighbour, whom others keep room for.
func (p *prices) holdsAs(pool, sequences, layers int, r role) bool {
	f := p.fits(pool, sequences)
	switch {
	case layers == len(p.c.Model.Layers):
		return f[whole] >= layers
	case r == inner:
		return max(f[inner], f[atHead], f[atStart]) >= layers
	}
	return f[r] >= layers
}
