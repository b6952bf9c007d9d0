package formulation

import (
	"context"

	"partita/formulation/heuristic"
	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/results"
)

// rules places every heuristic on the axes of a frontier, its micro-batches and decode
// groups chosen for the balanced objective. One that breaks the balance or a requirement
// is placed by what it would come to; one that cannot be placed on the GPUs has no figures.
func (r *run) rules(ctx context.Context, out *results.Frontier, x *prospect, g *ground) []results.FrontierHeuristic {
	sol := r.balancedOf(out, x, g)
	strict, vectors := r.contest(sol)
	loose := r.withoutAsking(sol)
	lines := []results.FrontierHeuristic{}
	strict.contend(ctx, vectors, func(h heuristic.Heuristic, e *entry) {
		line := results.FrontierHeuristic{Heuristic: h.Name, Strategy: oneLine(r.goal.c, e.proposal), Feasible: e.verdict.Feasible(), Why: e.verdict.Why}
		by := strict
		if !line.Feasible {
			by = loose
		}
		line.Figures = by.place(e.proposal)
		lines = append(lines, line)
	})
	return lines
}

// balancedOf is the balanced point of a frontier as a solution, with the objective that
// it is the best by.
func (r *run) balancedOf(out *results.Frontier, x *prospect, g *ground) *solution {
	fast, rich := out.Points[0].LatencyMS, 0.0
	for i := range out.Points {
		fast, rich = min(fast, out.Points[i].LatencyMS), max(rich, out.Points[i].TokensPerS)
	}
	wl, wc := r.goal.weights()
	value := func(l *stagegraph.Layout) coefficients {
		a, b := r.goal.latency(), r.goal.throughput(l.Used()*l.Replicas)
		a.ttft, a.round = wl*a.ttft/(fast/1e3), wl*a.round/(fast/1e3)
		return coefficients{a.ttft, a.round + wc*b.round*rich}
	}
	p := *x.pass
	p.value = value
	best := x.front[0]
	worth := func(v *vertex) float64 {
		ttft, round := r.goal.metrics(v.choice, r.secondsOf(v.found))
		return value(v.choice.Layout).of(ttft, round)
	}
	for _, v := range x.front {
		if worth(v) < worth(best) {
			best = v
		}
	}
	final := *best.found
	final.value = worth(best)
	counts := g.counts
	counts.list = []level{{layouts: g.layouts}} // one level: no number is decided first
	return &solution{
		final: outcome{best: &final, unit: final.value / objectiveTicks}, pass: &p, counts: counts, num: g.num, den: g.den, idle: g.idle,
	}
}

// withoutAsking judges by the same costs, balance and requirements aside.
func (r *run) withoutAsking(sol *solution) *evaluator {
	c := *r.goal.c
	c.Goal.Requirements = nil
	plain := *r.goal
	plain.c = &c
	x := newEvaluator(&explorer{space: r.space, goal: &plain}, *sol.pass, sol.final.unit, sol.final.best.graph.Scale)
	x.pass.num, x.pass.den = 0, 1
	return x
}

// place is what a proposal comes to under the layout that suits it best; nil where it
// does not fit the GPUs.
func (x *evaluator) place(p heuristic.Proposal) *results.FrontierFigures {
	if len(p.Parts) == 0 {
		return nil
	}
	var best pairing
	var at *stagegraph.Layout
	var used []int
	for _, l := range x.layouts[p.Replicas] {
		pipe, err := x.space.Pipeline(l, p.Parts)
		if err != nil || !takes(l, pipe.GPUs()) {
			continue
		}
		t := x.termsOf(l)
		if !fits(pipe, t.micros[len(t.micros)-1], t.groups[len(t.groups)-1]) || !pipe.Packs() {
			continue
		}
		if v := x.best(l, t, pipe); at == nil || v.Better(best.Verdict) {
			best, at, used = v, l, pipe.GPUs()
		}
	}
	if at == nil || !best.Feasible() {
		return nil
	}
	ch := stagegraph.Choice{Layout: at, Micro: best.a.parts, Groups: best.b.parts}
	if !x.space.Decodes() {
		ch.Groups = 0
	}
	ttft, round := x.goal.metrics(ch, x.space.Seconds(ch, p.Parts))
	tokens := x.goal.tokensPerRound() / round
	f := &results.FrontierFigures{LatencyMS: 1e3 * x.goal.latency().of(ttft, round), TokensPerS: tokens, DeploymentTokens: tokens}
	f.GPUs = gpusOf(used, p.Replicas)
	f.TokensPerSEachGPU = tokens / float64(f.GPUs)
	if x.goal.perGPU {
		f.TokensPerS = f.TokensPerSEachGPU
	}
	if x.goal.c.Workload.Phase != inputs.Decode {
		f.TTFTMS = ms(ttft)
	}
	if x.space.Decodes() {
		f.TPOTMS = ms(round)
	}
	if unpriced(x.goal.c) == "" {
		usd := 0.0
		for k, n := range used {
			usd += x.goal.c.Cluster.Pools[k].USDPerHour * float64(n*p.Replicas)
		}
		f.USDPerHour = &usd
	}
	return f
}
