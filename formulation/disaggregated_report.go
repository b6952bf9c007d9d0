package formulation

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"partita/formulation/cost"
	"partita/formulation/poolsplit"
	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/results"
)

// report makes the report of a search for two deployments.
func (d *disaggregation) report(ctx context.Context, found *apartSolution, start time.Time, timed bool) (*results.Report, error) {
	rep := results.NewReport(d.c)
	d.describe(rep)
	if found.open {
		rep.Warnings = append(rep.Warnings, "splits: tried are "+found.sizes+". Another one may do better")
	}
	best := found.result.Best
	if best == nil {
		if ctx.Err() == nil && found.result.Proved && !found.open {
			rep.Status = results.StatusInfeasible
			rep.Reasons = append(rep.Reasons, d.shortage())
		}
		return rep, nil
	}
	plan, err := d.plan(ctx, rep, found)
	if err != nil {
		return nil, err
	}
	rep.Plan = plan
	for _, w := range []string{d.atTheCap(found), d.togetherLate(plan, found)} {
		if w != "" {
			rep.Warnings = append(rep.Warnings, w)
		}
	}
	short := append(unmet(plan.Phases[0].Requirements), unmet(plan.Phases[1].Requirements)...)
	rep.Feasible, rep.Status = len(short) == 0, results.StatusFeasible
	switch {
	case !rep.Feasible && found.refuted:
		rep.Status = results.StatusInfeasible
	case rep.Feasible && found.result.Proved && !found.open:
		rep.Status = results.StatusOptimal
	}
	for _, q := range short {
		rep.Reasons = append(rep.Reasons, missed(q))
	}
	rep.Reasons = append(rep.Reasons, nearestNote(short)...)
	plan.Disaggregated.Solve = d.proof(ctx, found, time.Since(start))
	rep.Binding = d.binding(plan)
	if err := d.compare(ctx, rep, found, timed); err != nil {
		return nil, err
	}
	plan.Warnings, plan.Assumptions = rep.Warnings, rep.Assumptions
	return rep, nil
}

// atTheCap warns where an unlimited number of GPUs ended at the most that are tried.
func (d *disaggregation) atTheCap(found *apartSolution) string {
	split := found.level.splits[found.level.of[found.result.Best.Pair]]
	for k, p := range d.c.Cluster.Pools {
		if p.Count.Unlimited() && !found.open && split.prefill[k]+split.decode[k]+max(1, p.GPUsPerNode) > mostApart {
			return fmt.Sprintf("GPU count: the plan is the best on up to %d GPUs of %s, the most that are tried of an unlimited number, and is at that end; more may serve the objective better. State a requirement, a number or a range to decide it", mostApart, p.Name)
		}
	}
	return ""
}

// togetherLate warns where prompts that a step of a replica ends together wait for one
// another's transfer, which TTFT leaves out, for so long that it matters: by more than a
// tenth of TTFT, or past what is asked.
func (d *disaggregation) togetherLate(plan *results.Plan, found *apartSolution) string {
	best, u := found.result.Best, plan.Disaggregated
	n := plan.Phases[0].Strategy.MicroBatchSequences
	replicas := plan.Phases[1].Strategy.Replicas
	link := found.level.problem.Link(best.Pair)
	most := max(float64(n)*best.Prefill.Share, float64((n+replicas-1)/replicas)*best.Decode.Share)
	late := link.Longest * (most - max(best.Prefill.Share, best.Decode.Share))
	ttft := *u.Metrics.TTFTMS/1e3 + late
	missed := ""
	for _, q := range d.c.Goal.Requirements {
		if most := q.Value * (1 - d.margin); q.Kind == inputs.TTFT && ttft-late <= most && ttft > most {
			missed = ", past what is asked with its margin"
		}
	}
	if late <= 0.1*(ttft-late) && missed == "" {
		return ""
	}
	return fmt.Sprintf("transfer: %s of a replica end together, and their KV caches go over one link: the last of them has its first token %s later than is told, after %s%s", counted(n, "prompt"), amount(late, "s"), amount(ttft, "s"), missed)
}

// describe adds to what was read what the search assumed.
func (d *disaggregation) describe(rep *results.Report) {
	c := d.c
	add := func(what, value, because string) {
		rep.Assumptions = append(rep.Assumptions, results.Assumption{What: what, Value: value, Because: because})
	}
	if c.Goal.Balance == nil {
		add("balance", fmt.Sprintf("fastest stage of a side at least %g of its slowest (ε = %g)", 1-DefaultBalance, DefaultBalance), "no balance is stated; ε is raised to the least that some plan meets on both sides where none meets this one")
	}
	if c.Goal.Margin == nil {
		add("margin of requirements", fmt.Sprintf("%g %%", 100*d.margin), "10 % where the efficiencies are ours, 0 where the condition states its own utilisation")
	}
	add("arrival of prompts", "as fast as they are served, those of a replica's batch at once", "no arrivals are stated; time in a queue before that is not in the time to the first token")
	add("sequences in flight", fmt.Sprintf("%s on the decode side, for as many rounds as they have tokens", counted(c.Workload.Batch, "sequence")), "the batch is what decodes at once; how many prompts are in flight is decided")
	rep.Warnings = append(rep.Warnings, d.costs.Warnings()...)
	if c.Goal.Balance == nil && d.floor < defaultFloor(DefaultBalance) {
		rep.Warnings = append(rep.Warnings, "balance: "+loweredTo(d.floor))
	}
}

// plan is the plan with all but the proof of the split.
func (d *disaggregation) plan(ctx context.Context, rep *results.Report, found *apartSolution) (*results.Plan, error) {
	best := found.result.Best
	split := found.level.splits[found.level.of[best.Pair]]
	plan := &results.Plan{
		FormatVersion: results.FormatVersion, Condition: d.c.Name, Statements: rep.Statements, Assumptions: rep.Assumptions,
		Comparison: []results.Comparison{}, Deployment: results.DeploymentOf(d.c),
	}
	var parts [2][]stagegraph.Part
	var chosen [2]*sideChoice
	for i, p := range []poolsplit.Point{best.Prefill, best.Decode} {
		x := d.plans[p.ID]
		chosen[i], parts[i] = x.choice, x.plan.parts()
		if x.choice.phase == inputs.Decode && ctx.Err() == nil && x.plan.sol.final.proved {
			if err := x.plan.run.confirm(ctx, x.plan.sol); err != nil {
				return nil, err
			}
		}
		ph, err := x.choice.phasePlan(x.plan)
		if err != nil {
			return nil, err
		}
		x.choice.rename(ph.Stages, split)
		for _, s := range x.plan.sol.reasons {
			if w, ok := strings.CutPrefix(s, "warning: "); ok {
				rep.Warnings = append(rep.Warnings, fmt.Sprintf("%s: %s", ph.Phase, w))
			}
		}
		if x.choice.phase == inputs.Prefill {
			ph.Solve.ObjectiveUnit = "seconds for a prompt"
			ph.Solve.Certificate.Objective = "a point of the trade-off of the prefill side: the least time of a prompt at its rate"
			ph.Metrics.TPOTMS, ph.Metrics.TPOTInterval = nil, nil // nothing is decoded there
			ph.Metrics.Evidence = rests(d.costs, inputs.Prefill, &ph.Metrics)
		}
		ph.GPUs.Why = fmt.Sprintf("decided: %d of the GPUs %s", ph.GPUs.Used, map[inputs.Phase]string{inputs.Prefill: "prefill", inputs.Decode: "decode"}[ph.Phase])
		plan.Phases = append(plan.Phases, *ph)
	}
	d.whole(plan, found, chosen, split)
	if err := d.requirements(ctx, plan, found); err != nil {
		return nil, err
	}
	return plan, nil
}

func (p *sidePlan) parts() []stagegraph.Part {
	return p.sol.final.best.graph.Parts(p.sol.final.best.stages)
}

// whole fills in what both sides come to, by the figures that the plan states of each.
func (d *disaggregation) whole(plan *results.Plan, found *apartSolution, chosen [2]*sideChoice, split gpuSplit) {
	w := &d.c.Workload
	in, out := float64(w.Input.Mid()), float64(w.Output.Mid())
	a, b := &plan.Phases[0].Metrics, &plan.Phases[1].Metrics
	best := found.result.Best
	prefill, decode := best.Prefill, best.Decode
	prefill.TTFT, prefill.Period = *a.TTFTMS/1e3, in / *a.TokensPerS
	decode.Round, decode.Period = *b.TPOTMS/1e3, out / *b.OutputTokensPerS
	f := found.level.problem.Of(best.Pair, prefill, decode)
	x := d.figures(&f)
	unit := float64(len(d.c.Model.Layers) * d.costs.KVHeads())
	u := &results.Disaggregated{
		PrefillBatch: chosen[0].batch(), RequestsPerS: 1 / f.Period(),
		PrefillRequestsPerS: 1 / f.Prefill, DecodeRequestsPerS: 1 / f.Decode, TransferRequestsPerS: 1 / f.Handover, LimitedBy: "decode",
		Transfer: results.KVTransfer{
			Link: "network", PromptGiB: d.prompt[0] / gib, GPUGiB: d.prompt[0] / unit * max(prefill.Share, decode.Share) / gib,
			TimeMS: f.Transfer * 1e3, Utilisation: f.Handover / f.Period(),
		},
	}
	switch f.Period() {
	case f.Decode:
	case f.Prefill:
		u.LimitedBy = "prefill"
	default:
		u.LimitedBy = "transfer"
	}
	if d.sameHost(split) {
		u.Transfer.Link = "node"
	}
	g := &u.GPUs
	g.Used, g.Parts = split.used(), plan.Phases[0].GPUs.Parts+plan.Phases[1].GPUs.Parts
	g.Available, g.Match = available(d.c.Cluster.Pools, g.Used)
	g.Why = found.counted
	m := &u.Metrics
	perGPU := x.tokens / float64(g.Used)
	m.TTFTMS, m.TPOTMS, m.E2EMS = ms(x.ttft), ms(x.tpot), ms(x.e2e)
	m.TokensPerS, m.OutputTokensPerS, m.TokensPerSPerGPU = &x.tokens, &x.output, &perGPU
	m.TPOTInterval = b.TPOTInterval
	if i := a.TTFTInterval; i != nil {
		// Rounded sums must not put the figure outside.
		m.TTFTInterval = &[2]float64{min(i[0]+u.Transfer.TimeMS, *m.TTFTMS), max(i[1]+u.Transfer.TimeMS, *m.TTFTMS)}
	}
	if i := d.rateInterval(&f); i != nil {
		m.TokensPerSInterval = &[2]float64{min(i[0], x.tokens), max(i[1], x.tokens)}
	}
	m.E2EInterval = intervalOf(d.costs, cost.MetricEndToEnd, x.e2e, 1e3)
	m.Evidence = rests(d.costs, inputs.Mixed, m)
	if usd := usdPerHourOf(d.c, &results.PhasePlan{Stages: slices.Concat(plan.Phases[0].Stages, plan.Phases[1].Stages)}); usd > 0 {
		million := usd / 3600 / x.tokens * 1e6
		m.USDPerHour, m.USDPerMillion = &usd, &million
	}
	plan.Disaggregated = u
}

// rateInterval is the range of tokens/s: of each end the lower of both sides. None where
// the link sets the rate, of which nothing is measured.
func (d *disaggregation) rateInterval(f *poolsplit.Figures) *[2]float64 {
	if f.Handover >= max(f.Prefill, f.Decode) {
		return nil
	}
	w := &d.c.Workload
	in, out := float64(w.Input.Mid()), float64(w.Output.Mid())
	prompt, ok := d.interval(cost.MetricPromptRate, in/f.Prefill, 1/in)
	decode, also := d.interval(cost.MetricDecodeRate, out/f.Decode, 1/out)
	if !ok || !also {
		return nil
	}
	both := &[2]float64{}
	for i := range both {
		both[i] = min(prompt[i], decode[i], 1/f.Handover) * (in + out)
	}
	return both
}

func (d *disaggregation) interval(m cost.Metric, value, unit float64) ([2]float64, bool) {
	i := intervalOf(d.costs, m, value, unit)
	if i == nil {
		return [2]float64{}, false
	}
	return *i, true
}

// shortage says why no split of the GPUs has a plan of both sides.
func (d *disaggregation) shortage() string {
	m := &d.c.Model
	counts := make([]int, len(m.Kinds))
	for _, kind := range m.Layers {
		counts[kind]++
	}
	var room float64
	for k, p := range d.c.Cluster.Pools {
		room += float64(d.costs.Capacity(k)) * float64(max(p.Count.Min, p.Count.Max)) / gib
	}
	whole := d.costs.StageMemory(0, counts, true, true, cost.Shape{TP: 1, CP: 1, DPAttention: 1, EP: 1, ETP: 1}, cost.Load{Sequences: 1, Tokens: 1})
	text := "no split of the GPUs has a plan for either side that holds the model and its KV cache"
	if len(d.c.Rules) > 0 || d.c.Engine != "" {
		text += " and keeps the rules"
	}
	if !allStated(d.c) {
		return text
	}
	return fmt.Sprintf("%s: the weights take %.1f GiB on each side, and the GPUs given may fill %.1f GiB together; cluster.count: unlimited finds how many it takes", text, float64(whole.Weights)/gib, room)
}

// requirements holds the whole against what was asked; each is told with the phase that it
// speaks of: the first token of prefill, everything else of decode, which sets the rate
// with it.
func (d *disaggregation) requirements(ctx context.Context, plan *results.Plan, found *apartSolution) error {
	whole := results.PhasePlan{Metrics: plan.Disaggregated.Metrics, GPUs: plan.Disaggregated.GPUs}
	nearest, err := d.nearest(ctx, found, unmet(requirementsOf(d.costs, d.c, &whole, nil)))
	if err != nil {
		return err
	}
	for _, q := range requirementsOf(d.costs, d.c, &whole, nearest) {
		at := 1
		if q.Name == string(inputs.TTFT) {
			at = 0
		}
		plan.Phases[at].Requirements = append(plan.Phases[at].Requirements, q)
	}
	return nil
}

// nearest finds, for requirements that are missed, the value that a plan meets with the
// other requirements kept, else with the other missed ones left out; none where even so there
// is no plan, or no proof.
func (d *disaggregation) nearest(ctx context.Context, found *apartSolution, missed []results.RequirementResult) (map[inputs.RequirementKind]float64, error) {
	out := map[inputs.RequirementKind]float64{}
	l := found.level
	if found.open {
		missed = nil // numbers that are not tried may reach more
	}
	if d.c.Goal.Balance == nil { // the default gives way to a requirement
		defer func(own int64) { d.floor = own }(d.floor)
		d.floor = 0
	}
	kinds := make([]inputs.RequirementKind, len(missed))
	for i, q := range missed {
		kinds[i] = inputs.RequirementKind(q.Name)
	}
	for i := range 2 * len(kinds) {
		kind, without := kinds[i/2], kinds[i/2:i/2+1]
		if i%2 > 0 {
			without = kinds
		}
		if _, known := out[kind]; known || i%2 > 0 && len(kinds) < 2 {
			continue
		}
		others := *d
		c := *d.c
		c.Goal.Requirements = slices.DeleteFunc(slices.Clone(c.Goal.Requirements), func(r inputs.Requirement) bool { return slices.Contains(without, r.Kind) })
		others.c = &c
		l.problem.Value = func(pair int, f poolsplit.Figures) poolsplit.Value {
			split := l.splits[l.of[pair]]
			x := d.figures(&f)
			if others.miss(&x, split.used(), d.hourly(split)) > 1e-9 {
				return poolsplit.Worst
			}
			// By how much the requirement is missed, as a ratio: it grows with the figures.
			return poolsplit.Value{0, d.ratio(inputs.Requirement{Kind: kind, Value: 1}, &x, split.used(), d.hourly(split)), 0}
		}
		r, err := poolsplit.Search(ctx, &l.problem, l, nil)
		if err != nil {
			return nil, err
		}
		if r.Best == nil || !r.Proved {
			continue
		}
		if out[kind] = r.Best.Value[1]; !kind.Upper() {
			out[kind] = 1 / r.Best.Value[1]
		}
	}
	return out, nil
}

// proof says what was proved of the split.
func (d *disaggregation) proof(ctx context.Context, found *apartSolution, took time.Duration) results.Solve {
	best, r := found.result.Best, &found.result
	s := results.Solve{Status: "feasible", Objective: best.Value[1], ObjectiveUnit: d.unitOf(found.aim.purpose), Backend: d.backend(found),
		TimeMS: math.Ceil(took.Seconds()) * 1e3, AgreedBy: []string{}}
	bound := r.Bound[1]
	switch {
	case r.Proved && found.open: // of what is tried it is the best
	case r.Proved:
		s.Status, bound = "optimal", s.Objective
		s.AgreedBy = []string{s.Backend}
	case errors.Is(ctx.Err(), context.Canceled):
		s.Status = "interrupted"
	case ctx.Err() != nil:
		s.Status = "time_limit"
	}
	if !math.IsInf(bound, 0) && bound > 0 && !found.open && (r.Proved || r.Bound[0] == best.Value[0]) {
		bound = min(bound, s.Objective)
		gap := (s.Objective - bound) / s.Objective
		s.BestBound, s.Gap = &bound, &gap
	}
	last := found.passes[len(found.passes)-1]
	s.Outer = last.Outer
	s.Certificate = results.Certificate{
		Objective: d.formula(found), Quantisation: map[string]float64{}, Balance: "of each side by itself", GPUCount: found.counted,
		LeftOut: []string{
			"replicas of a side that differ from each other",
			"numbers of prompts in flight of a prefill replica other than powers of two",
			"GPUs of a side that are not the first, or the last, of their pool in an order of its nodes: " + found.sizes,
			"layers of unlike KV caches are counted as alike when a prompt's cache is sent",
			"what the searches of the sides leave out",
		},
		Passes: append(slices.Clone(found.empty), found.passes...),
	}
	return s
}

func (d *disaggregation) backend(found *apartSolution) string {
	return d.plans[found.result.Best.Decode.ID].plan.run.backend
}

func (d *disaggregation) unitOf(purpose string) string {
	switch {
	case purpose == forLatency:
		return "seconds for a request"
	case purpose == forBoth:
		return "weighted ratios"
	case d.perGPU:
		return "GPU-seconds per token"
	}
	return "seconds per token"
}

// formula says what the objective is, with the figures it is scaled by.
func (d *disaggregation) formula(found *apartSolution) string {
	tokens := "a second of a token of the deployment"
	if d.perGPU {
		tokens = "a GPU-second of a token"
	}
	a := found.aim
	switch a.purpose {
	case forLatency:
		return "latency: TTFT with the transfer + (output − 1)·TPOT of a request, in seconds; ties go to the higher throughput"
	case forThroughput:
		return "throughput: " + tokens + ", the lower of both rates; ties go to the lower latency"
	}
	wl, wc := weightsOf(d.c)
	return fmt.Sprintf("%g·ℓ/ℓ* + %g·c/c*: latency ℓ of a request against the best reachable alone, ℓ* = %.4g s; c, %s, against the best reachable alone, c* = %.4g; so %g would be the best of both at once", wl, wc, a.norms[0], tokens, a.norms[1], wl+wc)
}

// binding says what holds the optimum back.
func (d *disaggregation) binding(plan *results.Plan) []string {
	u := plan.Disaggregated
	name := map[string]string{"prefill": "the prefill side", "decode": "the decode side", "transfer": "the transfer of the KV cache"}[u.LimitedBy]
	out := []string{fmt.Sprintf("rate: %s sets it, %.4g requests/s; prefill could take %.4g, decode %.4g, the link %.4g", name, u.RequestsPerS, u.PrefillRequestsPerS, u.DecodeRequestsPerS, u.TransferRequestsPerS)}
	for i := range plan.Phases {
		ph := &plan.Phases[i]
		_, full := extremes(ph.Stages)
		if full.MemoryGiB > 0.9*full.CapacityGiB {
			out = append(out, fmt.Sprintf("memory: stage %d of %s fills %.3g of %.3g GiB a GPU", full.Index, ph.Phase, full.MemoryGiB, full.CapacityGiB))
		}
	}
	return out
}
