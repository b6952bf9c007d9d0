package formulation

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"

	"partita/formulation/heuristic"
	"partita/inputs"
	"partita/results"
)

// points makes a plan of every vertex, in seconds and dollars. Vertices that fall
// together, or of which one beats the other by less than a tick, are merged.
func (r *run) points(out *results.Frontier, x *prospect, g *ground) error {
	rep := &results.Report{}
	r.describe(rep, &solution{})
	rep.Warnings = out.Warnings
	complete := len(x.open) == 0
	var all []results.FrontierPoint
	for _, v := range x.front {
		proved := x.proved(v)
		complete = complete && proved
		p, err := r.point(rep, x, g, v, proved)
		if err != nil {
			return err
		}
		all = append(all, *p)
	}
	out.Points = merged(all, g.priced)
	out.Status = results.StatusFeasible
	if complete {
		out.Status = results.StatusOptimal
	}
	return nil
}

// point is one vertex with its plan.
func (r *run) point(rep *results.Report, x *prospect, g *ground, v *vertex, proved bool) (*results.FrontierPoint, error) {
	r.explorer.wide = g.wide
	defer func() { r.explorer.wide = false }()
	sol := &solution{
		final: outcome{best: v.found, bound: v.value, proved: proved, unit: x.unit},
		pass:  x.pass, counts: g.counts, num: g.num, den: g.den, balance: g.balance, stopped: !proved,
	}
	if !proved {
		sol.final.bound = math.Inf(-1) // a bound of the frontier is none of this plan
	}
	phase, err := r.phasePlan(sol, 0)
	if err != nil {
		return nil, err
	}
	phase.Solve.ObjectiveUnit = "seconds for a request"
	phase.Solve.Certificate.Objective = "a point of the trade-off of latency and throughput: the least latency ℓ of a request, in seconds, at its throughput"
	plan := &results.Plan{
		FormatVersion: results.FormatVersion, Condition: rep.Condition, Phases: []results.PhasePlan{*phase},
		Statements: rep.Statements, Assumptions: rep.Assumptions, Warnings: rep.Warnings, Comparison: []results.Comparison{},
		Deployment: results.DeploymentOf(r.asked),
	}
	plan.Condition = r.goal.c.Name
	p := &results.FrontierPoint{
		FrontierFigures: figuresOf(r.goal.c, phase), Strategy: phase.Strategy, Status: string(results.StatusFeasible), ChosenBy: []string{}, Plan: plan,
		Summary: oneLine(r.goal.c, heuristic.Proposal{Replicas: v.choice.Layout.Replicas, Parts: v.graph.Parts(v.stages)}),
	}
	if proved {
		p.Status = string(results.StatusOptimal)
	}
	return p, nil
}

// figuresOf are the figures of a plan on the axes.
func figuresOf(c *inputs.Condition, phase *results.PhasePlan) results.FrontierFigures {
	m := &phase.Metrics
	f := results.FrontierFigures{
		LatencyMS: *m.E2EMS, LatencyInterval: m.E2EInterval, TokensPerS: *m.TokensPerS, TokensInterval: m.TokensPerSInterval,
		DeploymentTokens: *m.TokensPerS, TokensPerSEachGPU: *m.TokensPerSPerGPU,
		TTFTMS: m.TTFTMS, USDPerHour: m.USDPerHour, GPUs: phase.GPUs.Used,
	}
	if c.Workload.Phase != inputs.Prefill {
		f.TPOTMS = m.TPOTMS
	}
	for i := range c.Cluster.Pools {
		if !c.Cluster.Pools[i].Count.Stated() {
			f.TokensPerS, f.TokensInterval = *m.TokensPerSPerGPU, perGPU(m.TokensPerSInterval, phase.GPUs.Used)
		}
	}
	return f
}

func perGPU(interval *[2]float64, gpus int) *[2]float64 {
	if interval == nil {
		return nil
	}
	return &[2]float64{interval[0] / float64(gpus), interval[1] / float64(gpus)}
}

// alike is the share by which two figures may differ and still be the same: rounding of
// sums of doubles.
const alike = 1e-9

// merged orders points by latency and keeps one of those with the same figures (the
// fewest GPUs, then the first in lexicographic order), and none that another beats:
// vertices differ in ticks, and what is less than a tick apart may fall together.
func merged(all []results.FrontierPoint, priced bool) []results.FrontierPoint {
	names := map[*results.Plan]string{}
	for i := range all {
		text, err := json.Marshal(all[i].Plan.Phases[0].Stages)
		if err != nil {
			text = nil // plain data: it cannot fail
		}
		names[all[i].Plan] = all[i].Summary + string(text)
	}
	slices.SortFunc(all, func(a, b results.FrontierPoint) int {
		return cmp.Or(cmp.Compare(a.GPUs, b.GPUs), cmp.Compare(names[a.Plan], names[b.Plan]))
	})
	out := []results.FrontierPoint{}
	for i := range all {
		p := &all[i].FrontierFigures
		covered := func(q results.FrontierPoint) bool { return noWorse(&q.FrontierFigures, p, priced) }
		if slices.ContainsFunc(out, covered) {
			continue
		}
		beaten := func(q results.FrontierPoint) bool { return covered(q) && !noWorse(p, &q.FrontierFigures, priced) }
		if !slices.ContainsFunc(all[i+1:], beaten) {
			out = append(out, all[i])
		}
	}
	slices.SortStableFunc(out, func(a, b results.FrontierPoint) int {
		return cmp.Or(cmp.Compare(a.LatencyMS, b.LatencyMS), cmp.Compare(b.TokensPerS, a.TokensPerS))
	})
	return out
}

// noWorse reports whether a is at least as good as b in every axis.
func noWorse(a, b *results.FrontierFigures, priced bool) bool {
	return a.LatencyMS <= b.LatencyMS*(1+alike) && a.TokensPerS*(1+alike) >= b.TokensPerS &&
		(!priced || *a.USDPerHour <= *b.USDPerHour*(1+alike))
}

// choose marks what each objective would take of the points: the best of its term, the
// other breaking ties; balanced, the least weighted sum of both against the best of each.
func (r *run) choose(out *results.Frontier) {
	points := out.Points
	if len(points) == 0 {
		return
	}
	fast, rich := &points[0], &points[0]
	for i := range points {
		p := &points[i]
		if p.LatencyMS < fast.LatencyMS || p.LatencyMS == fast.LatencyMS && p.TokensPerS > fast.TokensPerS {
			fast = p
		}
		if p.TokensPerS > rich.TokensPerS || p.TokensPerS == rich.TokensPerS && p.LatencyMS < rich.LatencyMS {
			rich = p
		}
	}
	wl, wc := r.goal.weights()
	worth := func(p *results.FrontierPoint) float64 {
		return wl*p.LatencyMS/fast.LatencyMS + wc*rich.TokensPerS/p.TokensPerS
	}
	best := &points[0]
	for i := range points {
		if worth(&points[i]) < worth(best) {
			best = &points[i]
		}
	}
	best.ChosenBy = append(best.ChosenBy, string(inputs.Balanced))
	fast.ChosenBy = append(fast.ChosenBy, string(inputs.Latency))
	rich.ChosenBy = append(rich.ChosenBy, string(inputs.Throughput))
}
