package formulation

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"partita/formulation/cost"
	"partita/formulation/laneplan"
	"partita/inputs"
	"partita/results"
	"partita/solver"
)

// optimizeLanes is Optimize for a condition that places machines side by side; timed adds
// the time of the pipeline to the comparison.
func optimizeLanes(ctx context.Context, c *inputs.Condition, opts Options, timed bool) (*results.Report, error) {
	start := time.Now()
	if opts.Backend != "" && opts.Backend != "auto" && opts.Backend != backendLabels {
		return nil, &AskedError{What: "backend " + opts.Backend, Why: "lanes are placed by prices and labels alone", Remedy: "leave --backend out"}
	}
	if err := errors.Join(checkAsked(c), checkLanesAsked(c)); err != nil {
		return nil, err
	}
	if opts.TimeLimit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, opts.TimeLimit)
		defer cancel()
	}
	costs, err := cost.New(c)
	if err != nil {
		return nil, err
	}
	opts.log("machines side by side")
	found, err := laneplan.Solve(ctx, c, costs)
	if err != nil {
		return nil, err
	}
	rep := results.NewReport(c)
	rep.Warnings = append(rep.Warnings, costs.Warnings()...)
	if found.Plan == nil {
		switch found.Status {
		case solver.Infeasible:
			rep.Status = results.StatusInfeasible
			rep.Reasons = append(rep.Reasons, fmt.Sprintf("no ranges of layers hold the model and the KV cache of %d sequences, one GPU a machine", c.Workload.Batch))
		case solver.Unknown:
			rep.Reasons = append(rep.Reasons, "no lanes were found, and it was not refuted that there are any: the search for them is not exhaustive where embedding and head fill a GPU")
		}
		return rep, nil
	}
	l := lanesReport{c: c, costs: costs, found: found}
	rep.Plan = l.plan(rep)
	ph := &rep.Plan.Phases[0]
	ph.Solve = l.solve(ctx, time.Since(start))
	missed := unmet(ph.Requirements)
	rep.Feasible, rep.Status = len(missed) == 0, results.StatusFeasible
	switch {
	case !rep.Feasible && l.refutes(missed):
		rep.Status = results.StatusInfeasible
	case rep.Feasible && found.Status == solver.Optimal:
		rep.Status = results.StatusOptimal
	}
	for _, q := range missed {
		rep.Reasons = append(rep.Reasons, l.missed(q))
	}
	rep.Binding = l.binding(ph)
	if err := l.pipeline(ctx, rep, opts, timed); err != nil {
		return nil, err
	}
	rep.Plan.Warnings = rep.Warnings
	return rep, nil
}

// checkLanesAsked returns what a condition asks that lanes cannot be judged by.
func checkLanesAsked(c *inputs.Condition) error {
	var all []error
	add := func(place inputs.Place, what, why, remedy string) {
		if place == (inputs.Place{}) {
			place = c.Places["goal.placement"]
		}
		all = append(all, &AskedError{Place: place, What: what, Why: why, Remedy: remedy})
	}
	if c.Goal.Objective != inputs.Throughput {
		add(c.Places["goal.objective"], "objective "+string(c.Goal.Objective), "lanes are placed for throughput", "state the objective throughput, or the placement pipeline")
	}
	if c.Workload.Phase == inputs.Prefill {
		add(c.Places["workload.phase"], "placement lanes", "the phase prefill generates no tokens that keep to a way", "state the phase decode or mixed, or the placement pipeline")
	}
	switch {
	case c.Model.Graph != nil:
		add(inputs.Place{}, "placement lanes", "the model is an operator graph", "state the placement pipeline")
	case len(c.Model.Kinds) != 1:
		add(inputs.Place{}, "placement lanes", fmt.Sprintf("model %s has %d kinds of layers, lanes take layers that are all alike", c.Model.Name, len(c.Model.Kinds)), "state the placement pipeline")
	}
	for _, p := range c.Cluster.Pools {
		if !p.Count.Stated() {
			add(inputs.Place{}, "placement lanes", fmt.Sprintf("the number of GPUs of pool %q is not stated", p.Name), "state a number")
		}
	}
	if c.Goal.Balance != nil {
		add(c.Places["goal.balance"], "balance", "unlike machines carry what each can", "leave it out, or state the placement pipeline")
	}
	for _, q := range c.Goal.Requirements {
		switch {
		case q.Kind == inputs.TTFT, q.Kind == inputs.EndToEnd && c.Workload.Phase == inputs.Mixed:
			add(q.Place, "requirement "+string(q.Kind), "lanes are placed for throughput, the time to the first token is only reported", "leave it out, or state the placement pipeline")
		case q.Kind == inputs.CostUSDPerHour, q.Kind == inputs.TokensPerSGPU, q.Kind == inputs.OutputPerSGPU:
			add(q.Place, "requirement "+string(q.Kind), "lanes are placed for the throughput of all GPUs together", "leave it out, or state the placement pipeline")
		}
	}
	for i := range c.Rules {
		r := &c.Rules[i]
		add(r.Place, fmt.Sprintf("rule %q", r.Name), "rules speak of pipelines, and no engine runs lanes", "leave engine and knowledge with rules out, or state the placement pipeline")
	}
	return errors.Join(all...)
}

// pipelinesAlone is the refusal of what takes pipelines alone; nil for a condition of such.
func pipelinesAlone(c *inputs.Condition, command string) error {
	remedy := ""
	switch {
	case c == nil:
		return nil
	case c.Goal.Placement == inputs.Lanes:
		remedy = "`partita solve` places lanes; or state the placement pipeline"
	case c.Goal.Placement == inputs.Disaggregated:
		remedy = "`partita solve` keeps prefill and decode apart; or state the placement pipeline"
	default:
		return nil
	}
	return &AskedError{Place: c.Places["goal.placement"], What: "placement " + string(c.Goal.Placement), Why: fmt.Sprintf("partita %s takes pipelines alone", command), Remedy: remedy}
}

// lanesReport makes the plan of a search for lanes.
type lanesReport struct {
	c     *inputs.Condition
	costs *cost.Calculator
	found *laneplan.Result
}

// plan is the plan with all but what was proved.
func (l *lanesReport) plan(rep *results.Report) *results.Plan {
	c := l.c
	ph := results.PhasePlan{Phase: c.Workload.Phase, Requirements: []results.RequirementResult{}, Lanes: &results.Lanes{}}
	p := l.found.Plan
	s := &ph.Strategy
	*s = results.Strategy{Replicas: 1, PP: len(p.Machines), DecodeGroups: p.Groups, SequencesPerReplica: c.Workload.Batch,
		GroupSequences: (c.Workload.Batch + p.Groups - 1) / p.Groups}
	if c.Workload.Phase == inputs.Mixed {
		s.MicroBatches = p.Micro
		s.MicroBatchSequences = (c.Workload.Batch + p.Micro - 1) / p.Micro
	}
	used := make([]int, len(c.Cluster.Pools))
	ids := make([][]string, len(c.Cluster.Pools))
	for k, pool := range c.Cluster.Pools {
		for _, n := range pool.Nodes {
			ids[k] = append(ids[k], n.GPUs...)
		}
	}
	for i := range p.Machines {
		m := &p.Machines[i]
		f := laneplan.FiguresOf(c, l.costs, p, m)
		for _, d := range []*results.PerStage{&s.TP, &s.EP, &s.ETP, &s.CP, &s.DPAttention} {
			*d = append(*d, 1)
		}
		s.Layers = append(s.Layers, m.Last-m.First+1)
		ph.Stages = append(ph.Stages, results.Stage{
			Index: i, FirstLayer: m.First, LastLayer: m.Last, Pool: c.Cluster.Pools[m.Pool].Name,
			GPUs: []string{ids[m.Pool][used[m.Pool]]}, TP: 1, EP: 1, ETP: 1, CP: 1, DPAttention: 1,
			TimeMS: f.Step * 1e3, PrefillMS: f.Prefill * 1e3, Sequences: m.Sequences,
			MemoryGiB: float64(f.Memory.Total()) / gib, CapacityGiB: float64(l.costs.Capacity(m.Pool)) / gib,
			Memory: results.Memory{WeightsGiB: float64(f.Memory.Weights) / gib, KVGiB: float64(f.Memory.KV) / gib,
				ActivationsGiB: float64(f.Memory.Activations) / gib, ReserveGiB: float64(f.Memory.Reserve) / gib},
		})
		used[m.Pool]++
	}
	for _, r := range p.Routes {
		ph.Lanes.Routes = append(ph.Lanes.Routes, results.LaneRoute{From: r.From, To: r.To, Sequences: r.Sequences})
	}
	ph.Balance = results.BalanceOf(ph.Stages)
	ph.GPUs.Parts, ph.GPUs.Used = len(ph.Stages), len(ph.Stages)
	ph.GPUs.Available, ph.GPUs.Match = available(c.Cluster.Pools, ph.GPUs.Used)
	if !ph.GPUs.Match {
		ph.GPUs.Why = "the search for the shortest round left the others idle"
	}
	l.metrics(&ph)
	ph.Requirements = requirementsOf(l.costs, c, &ph, nil)
	return &results.Plan{
		FormatVersion: results.FormatVersion, Condition: c.Name, Phases: []results.PhasePlan{ph},
		Statements: rep.Statements, Assumptions: rep.Assumptions, Warnings: rep.Warnings,
		Comparison: []results.Comparison{}, Deployment: results.DeploymentOf(c),
	}
}

// metrics are (C4) to (C7) with the longest way for the sum over the stages.
func (l *lanesReport) metrics(ph *results.PhasePlan) {
	w := &l.c.Workload
	p, m := l.found.Plan, &ph.Metrics
	in, out, batch := float64(w.Input.Mid()), float64(w.Output.Mid()), float64(w.Batch)
	output := batch / p.Round
	tokens := output
	e2e := out * p.Round
	if w.Phase == inputs.Mixed {
		tokens *= (in + out) / out
		e2e = p.TTFT + (out-1)*p.Round
		m.TTFTMS, m.TTFTInterval = ms(p.TTFT), intervalOf(l.costs, cost.MetricTTFT, p.TTFT, 1e3)
	}
	perGPU := tokens / float64(ph.GPUs.Used)
	m.TPOTMS, m.E2EMS, m.OutputTokensPerS, m.TokensPerS, m.TokensPerSPerGPU = ms(p.Round), ms(e2e), &output, &tokens, &perGPU
	m.TPOTInterval = intervalOf(l.costs, cost.MetricTPOT, p.Round, 1e3)
	m.E2EInterval = intervalOf(l.costs, requestMetric(w.Phase), e2e, 1e3)
	m.TokensPerSInterval = intervalOf(l.costs, cost.MetricDecodeRate, tokens, 1)
	m.Evidence = rests(l.costs, w.Phase, m)
	if usd := usdPerHourOf(l.c, ph); usd > 0 {
		million := usd / 3600 / tokens * 1e6
		m.USDPerHour, m.USDPerMillion = &usd, &million
	}
}

// perToken is the objective of a round: seconds per token of the deployment.
func (l *lanesReport) perToken(round float64) float64 {
	w := &l.c.Workload
	tokens := float64(w.Batch)
	if w.Phase == inputs.Mixed {
		tokens *= float64(w.Input.Mid()+w.Output.Mid()) / float64(w.Output.Mid())
	}
	return round / tokens
}

// solve says what was proved.
func (l *lanesReport) solve(ctx context.Context, took time.Duration) results.Solve {
	value, bound := l.perToken(l.found.Plan.Round), l.perToken(l.found.Bound)
	gap := (value - bound) / value
	s := results.Solve{Status: "feasible", Objective: value, ObjectiveUnit: "seconds per token",
		Backend: backendLabels, TimeMS: math.Ceil(took.Seconds()) * 1e3, AgreedBy: []string{}}
	if bound > 0 { // else time ran out before there was one
		s.BestBound, s.Gap = &bound, &gap
	}
	switch {
	case l.found.Status == solver.Optimal:
		s.Status, bound, gap = "optimal", value, 0
		s.AgreedBy = []string{backendLabels}
	case errors.Is(ctx.Err(), context.Canceled):
		s.Status = "interrupted"
	case ctx.Err() != nil:
		s.Status = "time_limit"
	}
	pass := results.CertificatePass{Purpose: forThroughput, Best: &value, Choices: []results.OuterChoice{}}
	for _, x := range l.found.Choices {
		o := results.OuterChoice{Replicas: 1, DecodeGroups: x.Groups, Choices: 1}
		if x.Bound > 0 && !math.IsInf(x.Bound, 1) {
			b := l.perToken(x.Bound)
			o.Bound = &b
		}
		switch {
		case math.IsInf(x.Bound, 1):
			o.Outcome, o.Why = "infeasible", "no ranges hold all sequences"
			pass.Outer.Infeasible++
		case x.Bound >= l.found.Plan.Round*(1-laneplan.Closed):
			o.Outcome, o.Why = "pruned", "prices of the machines: no step is short enough to beat the plan"
			pass.Outer.Pruned++
		default:
			o.Outcome, o.Why = "open", "between its bound and the plan nothing was found, and nothing refuted"
			pass.Outer.Open++
		}
		if x.Round > 0 {
			v := l.perToken(x.Round)
			o.Value = &v
		}
		if x.Groups == l.found.Plan.Groups && s.Status == "optimal" {
			o.Outcome, o.Why = "solved", ""
			pass.Outer.Pruned--
			pass.Outer.Solved++
		}
		pass.Choices = append(pass.Choices, o)
	}
	s.Outer = pass.Outer
	s.Certificate = results.Certificate{
		Objective:    "throughput: a second of a token of the deployment",
		Quantisation: map[string]float64{}, Balance: "not asked of unlike machines", GPUCount: "as the shortest round that was found needs them; the rest are idle",
		LeftOut: []string{"several replicas", "machines of several GPUs", "more decode groups than GPUs", "a way that skips layers of a machine is priced as if it did not",
			"sends inside a host: all are priced as the network"},
		Passes: []results.CertificatePass{pass},
	}
	return s
}
