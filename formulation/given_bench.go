package formulation

import (
	"fmt"
	"slices"

	"partita/formulation/heuristic"
	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/inputs/knowledge"
)

// yardstick is the objective by which strategies of one evaluation are compared: the
// condition's, with ℓ* and c* of its optimum, whatever the conditions of the single
// changes are.
type yardstick struct {
	kind    inputs.ObjectiveKind
	weights [2]float64
	norms   [2]float64
}

// value is the objective under another condition.
func (y *yardstick) value(g *goal) func(*stagegraph.Layout) coefficients {
	throughput := func(l *stagegraph.Layout) coefficients { return g.throughput(l.Used() * l.Replicas) }
	switch y.kind {
	case inputs.Latency:
		return func(*stagegraph.Layout) coefficients { return g.latency() }
	case inputs.Throughput:
		return throughput
	}
	return func(l *stagegraph.Layout) coefficients {
		a, b := g.latency(), throughput(l)
		return coefficients{
			ttft:  y.weights[0]*a.ttft/y.norms[0] + y.weights[1]*b.ttft/y.norms[1],
			round: y.weights[0]*a.round/y.norms[0] + y.weights[1]*b.round/y.norms[1],
		}
	}
}

// bench prices and judges strategies under one condition.
type bench struct {
	c     *inputs.Condition
	space *stagegraph.Space
	goal  *goal
	x     *evaluator
	// layouts are those of the proof, by replicas; none under a changed condition.
	layouts map[int][]*stagegraph.Layout
}

// trial is a strategy under a bench, with the numbers of micro-batches and decode
// groups that suit it best.
type trial struct {
	bench  *bench
	sub    subject
	layout *stagegraph.Layout
	pipe   *stagegraph.Pipeline
	choice stagegraph.Choice
	pair   pairing
	value  float64
	full   bool // some GPU would hold more than it can
	broken []knowledge.Violation
}

// feasible: rules, memory, balance and requirements; the number of GPUs aside.
func (t *trial) feasible() bool { return !t.full && t.pair.Feasible() }

// newBench prices a condition; admit lists stages whose shapes the search may not offer.
func (e *evaluation) newBench(c *inputs.Condition, admit []stagegraph.Part) (*bench, error) {
	space, err := stagegraph.New(c)
	if err != nil {
		return nil, err
	}
	for _, pt := range admit {
		space.Admit(pt.Pool, pt.Shape)
	}
	b := &bench{c: c, space: space, goal: newGoal(space)}
	b.goal.perGPU = e.perGPU
	p := pass{purpose: "objective", value: e.yard.value(b.goal), num: e.floor[0], den: e.floor[1]}
	b.x = newEvaluator(&explorer{space: space, goal: b.goal}, p, e.unit, e.spare)
	return b, nil
}

// try judges a strategy. The error says that a stage cannot be priced.
func (b *bench) try(s subject) (*trial, error) {
	one := make([]int, b.space.Pools())
	for k, n := range s.counts(len(one)) {
		one[k] = n / s.replicas
	}
	var layouts []*stagegraph.Layout
	for _, l := range b.layouts[s.replicas] {
		if takes(l, one) && (s.ids == nil || l.SameHost == s.oneHost) {
			layouts = append(layouts, l)
		}
	}
	if len(layouts) == 0 {
		l, ok := b.space.Exact(s.replicas, one)
		if !ok {
			return nil, fmt.Errorf("%d replicas do not fit the nodes", s.replicas)
		}
		if s.ids != nil {
			l.SameHost = s.oneHost
		}
		layouts = append(layouts, l)
	}
	var best *trial
	for _, l := range layouts {
		t, err := b.on(l, s)
		if err != nil {
			return nil, err
		}
		if best == nil || t.pair.Better(best.pair.Verdict) {
			best = t
		}
	}
	return best, nil
}

// on judges a strategy under a layout.
func (b *bench) on(l *stagegraph.Layout, s subject) (*trial, error) {
	pipe, err := b.space.Pipeline(l, s.parts)
	if err != nil {
		return nil, err
	}
	terms := *b.x.termsOf(l)
	if s.micro > 0 && b.space.Prefills() {
		terms.micros = []int{s.micro}
	}
	if s.groups > 0 && b.space.Decodes() {
		terms.groups = []int{s.groups}
	}
	t := &trial{bench: b, sub: s, layout: l, pipe: pipe}
	least := terms
	least.micros, least.groups = terms.micros[len(terms.micros)-1:], terms.groups[len(terms.groups)-1:]
	if t.full = !fits(pipe, least.micros[0], least.groups[0]); t.full {
		first, second := b.x.figures(l, &least, pipe)
		t.pair = b.x.pairOf(&least, first[0], second[0])
		t.pair.Rule, t.pair.Miss = heuristic.RuleMemory, memoryMiss(pipe, least.micros[0], least.groups[0])
	} else {
		t.pair = b.x.best(l, &terms, pipe)
		if t.pair.Rule == heuristic.RuleBalance {
			// No pair keeps the balance: the figures are those of the best that does not.
			t.pair = b.x.unbalanced(l, &terms, pipe)
		}
		b.x.quicken(l, &terms, pipe, &t.pair, s.micro > 0)
	}
	if !terms.affordable && t.pair.Feasible() {
		t.pair.Verdict = b.x.unaffordable(&terms)
	}
	t.choice = stagegraph.Choice{Layout: l, Micro: t.pair.a.parts}
	if b.space.Decodes() {
		t.choice.Groups = t.pair.b.parts
	}
	if t.broken, err = b.space.Rules().Check(pipe.Facts(t.choice.Micro, t.choice.Groups)); err != nil {
		return nil, err
	}
	if len(t.broken) > 0 {
		t.pair.Verdict = forbidden(t.broken)
	}
	t.value = float64(terms.weight[0]*t.pair.a.metric+terms.weight[1]*t.pair.b.metric) * b.x.unit
	return t, nil
}

func memoryMiss(pipe *stagegraph.Pipeline, micro, groups int) float64 {
	_, need, capacity := pipe.Fullest(micro, groups)
	return float64(need) / float64(max(1, capacity))
}

// unbalanced is the best pair with the balance left aside; the verdict is that it is
// missed.
func (x *evaluator) unbalanced(l *stagegraph.Layout, t *terms, pipe *stagegraph.Pipeline) pairing {
	own := x.pass.num
	x.pass.num = 0
	p := x.best(l, t, pipe)
	x.pass.num = own
	p.Verdict = x.pair(t, p.a, p.b)
	return p
}

// pairOf judges a pair and keeps its figures.
func (x *evaluator) pairOf(t *terms, a, b figures) pairing { return pairing{x.pair(t, a, b), a, b} }

// quicken takes the number of micro-batches with the least TTFT where neither the value
// nor a limit asks for one: as the search breaks ties.
func (x *evaluator) quicken(l *stagegraph.Layout, t *terms, pipe *stagegraph.Pipeline, p *pairing, fixed bool) {
	if fixed || !x.space.Decodes() || !x.space.Prefills() || x.microMatters(l) {
		return
	}
	all := *t
	all.micros, all.groups = x.goal.micros(l), []int{p.b.parts}
	first, _ := x.figures(l, &all, pipe)
	for _, a := range first {
		if fits(pipe, a.parts, p.b.parts) {
			p.a = a
			return
		}
	}
}

// withGPUs is the condition with exactly so many GPUs of each pool: the first of its
// nodes where fewer are asked for, more of the same kind where more. A pool of which
// none are asked for stays as it is.
func withGPUs(c *inputs.Condition, gpus []int) *inputs.Condition {
	out := *c
	out.Cluster.Pools = slices.Clone(c.Cluster.Pools)
	for k := range out.Cluster.Pools {
		p := &out.Cluster.Pools[k]
		if gpus[k] == 0 || p.Count.Stated() && p.Count.Max == gpus[k] {
			continue
		}
		for _, n := range p.Nodes {
			p.GPUsPerNode = max(p.GPUsPerNode, len(n.GPUs))
		}
		p.Count = inputs.Count{Min: gpus[k], Max: gpus[k]}
		p.Nodes = firstGPUs(p.Nodes, gpus[k])
	}
	return &out
}

// firstGPUs are the first n GPUs of nodes; nil where there are not as many.
func firstGPUs(nodes []inputs.Node, n int) []inputs.Node {
	var out []inputs.Node
	for _, x := range nodes {
		if n == 0 {
			break
		}
		q := min(n, len(x.GPUs))
		out = append(out, inputs.Node{Host: x.Host, GPUs: x.GPUs[:q]})
		n -= q
	}
	if n > 0 {
		return nil
	}
	return out
}
