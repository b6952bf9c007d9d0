package formulation

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"partita/formulation/poolsplit"
	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/results"
)

// A side is what is known of one side of a disaggregated deployment on so many GPUs: all
// its searches share the prices of stages.
type side struct {
	of    *disaggregation
	key   string
	phase inputs.Phase
	gpus  []int // by pool of the condition
	pools []inputs.Pool
	// index of each of them among the pools of the condition
	index []int
	known stagegraph.Cache
}

// sideChoice is an outer choice of a side.
type sideChoice struct {
	*side
	replicas int
	flight   int // prompts that a prefilling replica has in flight at most
}

// sequences in flight over all replicas.
func (s *sideChoice) batch() int {
	if s.phase == inputs.Decode {
		return s.of.c.Workload.Batch
	}
	return s.replicas * s.flight
}

// sidePlan is a plan of a side, with all that its part of a report is made of.
type sidePlan struct {
	run *run
	sol *solution
}

// condition is the condition of a side alone: its phase, its GPUs and what is in flight
// there. Requirements are of both sides together. That its placement is called
// disaggregated closes its pipelines (goal.closed).
func (s *side) condition(batch int) *inputs.Condition {
	c := *s.of.c
	c.Workload.Phase, c.Workload.Batch = s.phase, batch
	c.Cluster.Pools = s.pools
	c.Goal.Requirements, c.Goal.AllowIdle = nil, false
	c.Rules = append(slices.Clone(c.Rules), handoverRules(c.Engine, s.phase)...)
	c.Goal.Objective = inputs.Balanced
	if s.phase == inputs.Decode {
		c.Goal.Objective = inputs.Throughput
	}
	return &c
}

// handoverRules are the limits of engines to whom a server may hand a KV cache, beyond those
// of their rule packs, which are about one deployment (results/launch has the sources).
func handoverRules(engine string, phase inputs.Phase) []inputs.Rule {
	rule := func(name, expr, because, source string) inputs.Rule {
		return inputs.Rule{Name: name, Expr: expr, Because: because, Source: source}
	}
	switch {
	case engine == "vllm":
		return []inputs.Rule{
			rule("vLLM: no pipeline hands a KV cache on", "pp == 1", "NixlConnector does not support pipelines", "github.com/vllm-project/vllm issues 40674 and 52913"),
			rule("vLLM: a server that hands a KV cache on is on one host", "stage_nodes == 1", "NixlConnector is documented for servers of one host", "github.com/vllm-project/vllm docs/features/nixl_connector_usage.md"),
		}
	case engine == "sglang" && phase == inputs.Decode:
		return []inputs.Rule{rule("SGLang: no pipeline takes a KV cache over", "pp == 1", "a decode server has one stage, or as many as prefill, which is not searched", "github.com/sgl-project/sglang pull request 14265")}
	}
	return nil
}

// newSide takes GPUs of each pool. Those that no node of the condition names are on nodes
// of their own, which gpuSplit.actual puts side by side: such a side depends on its own
// number alone.
func (d *disaggregation) newSide(phase inputs.Phase, gpus []int, nodes []taking) *side {
	s := &side{of: d, phase: phase, gpus: slices.Clone(gpus)}
	for k, n := range gpus {
		if n == 0 {
			continue
		}
		p := d.c.Cluster.Pools[k]
		p.Count = inputs.Count{Min: n, Max: n}
		if len(p.Nodes) > 0 {
			p.Nodes = nodesOf(p.Nodes, nodes[k], phase == inputs.Decode)
		} else {
			p.Nodes = d.made(k, 0, 0, n)
		}
		p.GPUsPerNode = 0
		for _, node := range p.Nodes {
			p.GPUsPerNode = max(p.GPUsPerNode, len(node.GPUs))
		}
		s.pools, s.index = append(s.pools, p), append(s.index, k)
	}
	return s
}

// made are nodes of a pool for so many GPUs, from a node and a GPU of it on.
func (d *disaggregation) made(pool, node, gpu, gpus int) []inputs.Node {
	p := &d.c.Cluster.Pools[pool]
	prefix := ""
	if len(d.c.Cluster.Pools) > 1 {
		prefix = p.Name + "/"
	}
	var out []inputs.Node
	for ; gpus > 0; node, gpu = node+1, 0 {
		n := inputs.Node{Host: fmt.Sprintf("%snode-%d", prefix, node)}
		for j := range min(gpus, max(1, p.GPUsPerNode)) {
			n.GPUs = append(n.GPUs, fmt.Sprintf("%s/gpu-%d", n.Host, gpu+j))
		}
		out = append(out, n)
		gpus -= len(n.GPUs)
	}
	return out
}

// actual are the nodes that a side of a split is on, pool by pool: those of the side, or
// where they are made, beside those of the other side on one node that holds both, else
// after them.
func (s *side) actual(split gpuSplit) [][]inputs.Node {
	var out [][]inputs.Node
	for i, p := range s.pools {
		k := s.index[i]
		nodes, before := p.Nodes, split.prefill[k]
		if len(s.of.c.Cluster.Pools[k].Nodes) == 0 && s.phase == inputs.Decode {
			size := max(1, s.of.c.Cluster.Pools[k].GPUsPerNode)
			if before+split.decode[k] <= size {
				nodes = s.of.made(k, 0, before, split.decode[k])
			} else {
				nodes = s.of.made(k, (before+size-1)/size, 0, split.decode[k])
			}
		}
		out = append(out, nodes)
	}
	return out
}

// rename gives the GPUs of a side's stages the names that they have in a split.
func (s *side) rename(stages []results.Stage, split gpuSplit) {
	names := map[string]string{}
	for i, nodes := range s.actual(split) {
		for j, n := range nodes {
			for g, id := range n.GPUs {
				names[s.pools[i].Nodes[j].GPUs[g]] = id
			}
		}
	}
	for i := range stages {
		for j, id := range stages[i].GPUs {
			stages[i].GPUs[j] = names[id]
		}
	}
}

// run is a search of a side for plans whose share of a prompt is below a bound.
func (s *sideChoice) run(below float64) (*run, error) {
	c := s.condition(s.batch())
	if !math.IsInf(below, 1) {
		c.Rules = append(slices.Clone(c.Rules), inputs.Rule{
			Name: shareRule, Because: "the KV cache of a prompt leaves or arrives earlier where each GPU holds less of it",
			// A KV head of a layer is the unit; different shares are further apart than its millionth.
			Expr: fmt.Sprintf("layers * ((kv_heads + tp - 1) / tp) * 1000000 < %d * cp", int64(math.Floor(below*1e6))),
		})
	}
	r, err := newRunIn(s.known.Space, c, s.of.opts)
	if err == nil && c.Goal.Balance == nil {
		floor := s.of.floor
		r.floor = &floor
	}
	return r, err
}

// shareRule names the rule that bounds what a GPU holds of a prompt.
const shareRule = "share of the KV cache of a prompt"

// layouts are those with the replicas of the choice.
func (s *sideChoice) layouts(l levels) levels {
	for i := range l.list {
		l.list[i].layouts = slices.DeleteFunc(slices.Clone(l.list[i].layouts), func(x *stagegraph.Layout) bool { return x.Replicas != s.replicas })
	}
	return l
}

// floor bounds the figures of all plans of the choice; +Inf where none fits.
func (s *sideChoice) floor() (poolsplit.Point, error) {
	none := poolsplit.Point{TTFT: math.Inf(1), Round: math.Inf(1), Period: math.Inf(1)}
	r, err := s.run(math.Inf(1))
	if err != nil {
		return none, err
	}
	counts := s.layouts(r.goal.layoutsOf())
	p := &pass{purpose: forLatency, value: r.goal.valueOf(forLatency, [2]float64{}), layouts: counts.all()}
	x := &exploration{explorer: r.explorer, pass: p, record: newRecorder(p.purpose, true), unproved: math.Inf(1)}
	low := [2]float64{math.Inf(1), math.Inf(1)}
	for i := range p.layouts {
		_, l := x.rangeFloor(&node{layout: i, last: i})
		low[0], low[1] = min(low[0], l[0]), min(low[1], l[1])
	}
	if err := r.space.Rules().Err(); err != nil {
		return none, err
	}
	total := 0
	for _, n := range s.gpus {
		total += n
	}
	out := s.point(low[0], low[1])
	out.Share = float64(len(s.of.c.Model.Layers)*s.of.costs.KVHeads()) / float64(total/s.replicas)
	return out, nil
}

// point is a plan of the choice by its metrics.
func (s *sideChoice) point(ttft, round float64) poolsplit.Point {
	if s.phase == inputs.Prefill {
		return poolsplit.Point{TTFT: ttft, Period: round / float64(s.batch())}
	}
	return poolsplit.Point{Round: round, Period: round * float64(s.of.c.Workload.Output.Mid()) / float64(s.of.c.Workload.Batch)}
}

// share is what the heaviest rank holds of a prompt, in KV heads of a layer.
func (d *disaggregation) share(parts []stagegraph.Part) float64 {
	most, heads := 0.0, d.costs.KVHeads()
	for _, pt := range parts {
		most = max(most, float64((pt.Last-pt.First+1)*((heads+pt.Shape.TP-1)/pt.Shape.TP))/float64(pt.Shape.CP))
	}
	return most
}

// errAstray makes a search say the GPUs of each pool exactly.
var errAstray = errors.New("a layout leaves open which pools it is on")

// frontier lists the plans of a prefilling choice that no other beats in both TTFT and rate.
func (s *sideChoice) frontier(ctx context.Context, below float64) (plans []*sidePlan, proved bool, err error) {
	r, err := s.run(below)
	if err != nil {
		return nil, false, err
	}
	plans, proved, err = s.frontierOf(ctx, r)
	if errors.Is(err, errAstray) {
		r.goal.vectors, r.explorer.against = true, nil
		plans, proved, err = s.frontierOf(ctx, r)
	}
	return plans, proved, err
}

func (s *sideChoice) frontierOf(ctx context.Context, r *run) ([]*sidePlan, bool, error) {
	g := r.goal.frontierGround()
	g.counts = s.layouts(g.counts)
	g.layouts = g.counts.all()
	if len(g.layouts) == 0 {
		return nil, true, nil
	}
	x, err := r.settle(ctx, g)
	if err != nil {
		return nil, false, err
	}
	var plans []*sidePlan
	for _, v := range x.front {
		if !r.goal.vectors && r.space.Astray(v.choice, v.graph.Parts(v.stages)) {
			return nil, false, errAstray
		}
		sol := &solution{
			final: outcome{best: v.found, bound: v.value, proved: x.proved(v), unit: x.unit},
			pass:  x.pass, counts: g.counts, num: g.num, den: g.den, balance: g.balance, wide: g.wide,
		}
		for _, w := range g.warnings {
			sol.reasons = append(sol.reasons, "warning: "+w)
		}
		plans = append(plans, &sidePlan{r, sol})
	}
	return plans, len(x.open) == 0 && !r.unsettled && ctx.Err() == nil, nil
}

// shortest is the plan of a decoding choice with the shortest round; nil: there is none.
func (s *sideChoice) shortest(ctx context.Context, below float64) (plan *sidePlan, proved bool, err error) {
	r, err := s.run(below)
	if err != nil {
		return nil, false, err
	}
	for {
		counts := s.layouts(r.goal.layoutsOf())
		if len(counts.all()) == 0 {
			return nil, true, nil
		}
		sol, err := r.search(ctx, counts, 0)
		switch {
		case err != nil:
			return nil, false, err
		case sol == nil || sol.final.best == nil:
			return nil, ctx.Err() == nil && !r.unsettled && (sol == nil || sol.final.proved), nil
		case !r.goal.vectors && r.space.Pools() > 1 && r.space.Astray(sol.final.best.choice, sol.final.best.graph.Parts(sol.final.best.stages)):
			r.goal.vectors, r.explorer.against = true, nil
			continue
		}
		return &sidePlan{r, sol}, sol.final.proved && ctx.Err() == nil, nil
	}
}

// point is the plan as the split sees it.
func (s *sideChoice) pointOf(p *sidePlan) poolsplit.Point {
	best := p.sol.final.best
	ttft, round := p.run.goal.metrics(best.choice, p.run.secondsOf(best))
	out := s.point(ttft, round)
	out.Share = s.of.share(best.graph.Parts(best.stages))
	return out
}

// phase is the part of the plan file.
func (s *sideChoice) phasePlan(p *sidePlan) (*results.PhasePlan, error) {
	p.run.explorer.wide = p.sol.wide
	defer func() { p.run.explorer.wide = false }()
	return p.run.phasePlan(p.sol, 0)
}
