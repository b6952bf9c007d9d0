package formulation

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"partita/formulation/cost"
	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/inputs/knowledge"
	"partita/results"
)

const gib = 1 << 30

// report makes the report of a search: the plan, what was proved, what binds.
func (r *run) report(ctx context.Context, sol *solution, took time.Duration) (*results.Report, error) {
	c := r.goal.c
	rep := results.NewReport(c)
	r.describe(rep, sol)
	best := sol.final.best
	if best == nil {
		if !sol.stopped || sol.refuted {
			rep.Status = results.StatusInfeasible
		}
		if !sol.stopped {
			rep.Reasons = append(rep.Reasons, "no placement of the model exists on these GPUs")
		}
		return rep, nil
	}
	phase, err := r.phasePlan(sol, took)
	if err != nil {
		return nil, err
	}
	plan := &results.Plan{
		FormatVersion: results.FormatVersion, Condition: c.Name, Phases: []results.PhasePlan{*phase},
		Statements: rep.Statements, Assumptions: rep.Assumptions, Warnings: rep.Warnings,
		Comparison: r.compare(ctx, sol), Deployment: results.DeploymentOf(r.asked),
	}
	rep.Plan = plan
	rep.Feasible, rep.Status = r.verdict(sol, phase)
	for _, q := range unmet(phase.Requirements) {
		rep.Reasons = append(rep.Reasons, missed(q))
	}
	rep.Binding = r.binding(phase, sol)
	if w := r.atTheCap(phase); w != "" {
		plan.Warnings = append(plan.Warnings, w)
		rep.Warnings = plan.Warnings
	}
	return rep, nil
}

// verdict says whether the plan of a search meets every hard condition, and what is
// proved of it.
func (r *run) verdict(sol *solution, phase *results.PhasePlan) (feasible bool, status results.Status) {
	feasible = sol.slack == 0 && !sol.unfit && len(unmet(phase.Requirements)) == 0
	switch {
	case !feasible && (sol.refuted || sol.final.proved && !sol.stopped):
		return feasible, results.StatusInfeasible
	case sol.final.proved && feasible:
		return feasible, results.StatusOptimal
	}
	return feasible, results.StatusFeasible
}

// describe adds to what was read what the search assumed.
func (r *run) describe(rep *results.Report, sol *solution) {
	c := r.goal.c
	if c.Goal.Balance == nil {
		rep.Assumptions = append(rep.Assumptions, results.Assumption{What: "balance", Value: fmt.Sprintf("fastest stage at least %g of the slowest (ε = %g)", 1-DefaultBalance, DefaultBalance), Because: "no balance is stated; ε is raised to the least that some plan meets where none meets this one"})
	}
	if c.Goal.Margin == nil {
		rep.Assumptions = append(rep.Assumptions, results.Assumption{What: "margin of requirements", Value: fmt.Sprintf("%g %%", 100*r.goal.margin), Because: "10 % where the efficiencies are ours, 0 where the condition states its own utilisation"})
	}
	switch c.Workload.Phase {
	case inputs.Mixed:
		rep.Assumptions = append(rep.Assumptions, results.Assumption{What: "prefill chunk of a mixed step", Value: fmt.Sprintf("%d tokens a rank", cost.ChunkTokens), Because: "the default budget of current serving engines on large GPUs"},
			results.Assumption{What: "arrival of requests", Value: fmt.Sprintf("one comes as another ends, %d in flight", c.Workload.Batch), Because: "TTFT is that of a request which comes while the others are in flight"})
	case inputs.Prefill:
		rep.Assumptions = append(rep.Assumptions, results.Assumption{What: "arrival of the batch", Value: fmt.Sprintf("all %d sequences at once", c.Workload.Batch), Because: "TTFT is the time until the last of them has its first token"})
	}
	rep.Warnings = append(rep.Warnings, r.space.Costs.Warnings()...)
	rep.Warnings = append(rep.Warnings, r.idlePools()...)
	for _, s := range sol.reasons {
		if w, ok := strings.CutPrefix(s, "warning: "); ok {
			rep.Warnings = append(rep.Warnings, w)
		} else {
			rep.Reasons = append(rep.Reasons, s)
		}
	}
}

// phasePlan decodes the best path into stages on named GPUs and their figures.
func (r *run) phasePlan(sol *solution, took time.Duration) (*results.PhasePlan, error) {
	best := sol.final.best
	ch := best.choice
	parts := best.graph.Parts(best.stages)
	placed, err := r.space.Place(ch, parts)
	if err != nil {
		return nil, fmt.Errorf("placing the optimum: %w", err)
	}
	p, slowest := r.deployment(ch, parts, placed)
	r.count(p, sol)
	if sol.den > 0 {
		p.Balance.Floor = float64(sol.num) / float64(sol.den)
	}
	r.metricsOf(p, ch, parts, slowest)
	p.Solve = r.solveFacts(sol, took)
	p.Requirements = r.requirements(p, sol.nearest)
	return p, nil
}

// deployment is the strategy, the stages and the balance of parts on their GPUs, with
// the stage times of the slowest replica.
func (r *run) deployment(ch stagegraph.Choice, parts []stagegraph.Part, placed []stagegraph.Placed) (*results.PhasePlan, [][2]float64) {
	n := r.space.Sequences(ch.Layout.Replicas)
	p := &results.PhasePlan{Phase: r.goal.c.Workload.Phase, Requirements: []results.RequirementResult{}}
	p.Strategy = results.Strategy{Replicas: ch.Layout.Replicas, PP: len(parts), MicroBatches: ch.Micro, DecodeGroups: ch.Groups, SequencesPerReplica: n}
	if ch.Micro > 0 {
		p.Strategy.MicroBatchSequences = (n + ch.Micro - 1) / ch.Micro
	}
	if ch.Groups > 0 {
		p.Strategy.GroupSequences = (n + ch.Groups - 1) / ch.Groups
	}
	for _, pt := range parts {
		s := &p.Strategy
		s.TP, s.EP, s.CP = append(s.TP, pt.Shape.TP), append(s.EP, pt.Shape.EP), append(s.CP, pt.Shape.CP)
		s.DPAttention, s.ETP = append(s.DPAttention, pt.Shape.DPAttention), append(s.ETP, pt.Shape.ETP)
		s.Layers = append(s.Layers, pt.Last-pt.First+1)
	}
	var slowest [][2]float64
	var worst float64
	for i := 0; i < len(placed); i += len(parts) {
		var times [][2]float64
		for _, x := range placed[i : i+len(parts)] {
			times = append(times, x.Seconds)
			p.Stages = append(p.Stages, r.stage(&x))
			p.GPUs.Parts += len(x.GPUs)
		}
		ttft, round := r.goal.metrics(ch, times)
		if v := ttft + round; i == 0 || v > worst {
			worst, slowest = v, times
		}
	}
	p.Balance = results.BalanceOf(p.Stages)
	return p, slowest
}

func (r *run) stage(x *stagegraph.Placed) results.Stage {
	return results.Stage{
		Replica: x.Replica, Index: x.Index, FirstLayer: x.First, LastLayer: x.Last,
		Pool: r.goal.c.Cluster.Pools[x.Pool].Name, GPUs: x.GPUs,
		TP: x.Shape.TP, EP: x.Shape.EP, ETP: x.Shape.ETP, CP: x.Shape.CP, DPAttention: x.Shape.DPAttention,
		TimeMS: x.Seconds[1] * 1e3, PrefillMS: x.Seconds[0] * 1e3,
		MemoryGiB: float64(x.Memory.Total()) / gib, CapacityGiB: float64(r.space.Costs.Capacity(x.Pool)) / gib,
		Memory: results.Memory{
			WeightsGiB: float64(x.Memory.Weights) / gib, KVGiB: float64(x.Memory.KV) / gib,
			ActivationsGiB: float64(x.Memory.Activations) / gib, ReserveGiB: float64(x.Memory.Reserve) / gib,
		},
	}
}

// count fills in the GPUs used and those given; match tells that a stated number is
// used up.
func (r *run) count(p *results.PhasePlan, sol *solution) {
	p.GPUs.Used = p.GPUs.Parts
	p.GPUs.Why = sol.counts.counted
	if sol.slack > 0 && sol.counts.decided {
		p.GPUs.Why = "decided: the fewest GPUs whose plan misses the requirements by no more than it must"
	}
	if sol.unfit {
		p.GPUs.Why = "the fewest GPUs of the same kind that hold the model and its KV cache"
	}
	p.GPUs.Available, p.GPUs.Match = available(r.given, p.GPUs.Used)
}

// available is the number of GPUs that pools give, nil where some pool has no
// end, and whether as many as are used are all of a stated number.
func available(pools []inputs.Pool, used int) (total *int, match bool) {
	sum, bounded, stated := 0, true, true
	for _, p := range pools {
		sum += p.Count.Max
		bounded, stated = bounded && !p.Count.Unlimited(), stated && p.Count.Stated()
	}
	if bounded {
		total = &sum
	}
	return total, !stated || used == sum
}

// atTheCap warns where a number of GPUs that is ours to choose ended at the most that
// the search looks at: the end is ours, not the problem's.
func (r *run) atTheCap(p *results.PhasePlan) string {
	for _, pool := range r.goal.c.Cluster.Pools {
		if pool.Count.Unlimited() && p.GPUs.Used+max(1, pool.GPUsPerNode)*p.Strategy.Replicas > mostUnlimited {
			return fmt.Sprintf("GPU count: the plan is the best on up to %d GPUs, the most that is searched for an unlimited number, and is at that end; more GPUs may serve the objective better. State a requirement, a number or a range to decide it", mostUnlimited)
		}
	}
	return ""
}

// solveFacts says what was proved.
func (r *run) solveFacts(sol *solution, took time.Duration) results.Solve {
	f := sol.final
	s := results.Solve{
		Status: "feasible", Objective: f.best.value, ObjectiveUnit: r.unitOf(sol.pass), Backend: r.backend,
		TimeMS: math.Ceil(took.Seconds()) * 1e3, AgreedBy: []string{}, OutOfTime: f.late,
	}
	bound := f.bound
	switch {
	case f.proved:
		s.Status, bound = "optimal", f.best.value
		s.AgreedBy = append([]string{r.backend}, f.agreed...)
	case sol.interrupted:
		s.Status = "interrupted"
	case sol.stopped:
		s.Status = "time_limit"
	}
	if !math.IsInf(bound, 0) && bound > 0 {
		bound = min(bound, f.best.value)
		gap := (f.best.value - bound) / f.best.value
		s.BestBound, s.Gap = &bound, &gap
	}
	s.Outer = f.report.Outer // of the pass that the status speaks of, not of a tie-break
	u := f.best.graph.Scale
	s.Certificate = results.Certificate{
		Objective:    r.formula(sol),
		Quantisation: map[string]float64{"rate": u[1]}, Balance: sol.balance, GPUCount: sol.counts.counted,
		Rules: r.account(sol), LeftOut: r.leftOut(), Passes: sol.passes,
	}
	if r.space.Prefills() {
		s.Certificate.Quantisation["latency"] = u[0]
	}
	return s
}

func (r *run) unitOf(p *pass) string {
	switch p.purpose {
	case "latency alone":
		return "seconds for a request"
	case "throughput alone":
		if r.goal.perGPU {
			return "GPU-seconds per token"
		}
		return "seconds per token"
	}
	return "weighted ratios"
}

// formula says what the objective is, with the figures it is scaled by.
func (r *run) formula(sol *solution) string {
	tokens := "a second of a token of the deployment"
	if r.goal.perGPU {
		tokens = "a GPU-second of a token"
	}
	switch sol.pass.purpose {
	case "latency alone":
		return "latency: TTFT + (output − 1)·TPOT of a request, in seconds; ties go to the higher throughput"
	case "throughput alone":
		return "throughput: " + tokens + "; ties go to the lower TTFT"
	}
	wl, wc := r.goal.weights()
	return fmt.Sprintf("%g·ℓ/ℓ* + %g·c/c*: latency ℓ of a request against the best reachable alone, ℓ* = %.4g s; c, %s, against the best reachable alone, c* = %.4g; so %g would be the best of both at once",
		wl, wc, sol.norms[0], tokens, sol.norms[1], wl+wc)
}

// leftOut names what the proof does not range over.
func (r *run) leftOut() []string {
	out := []string{
		"replicas that differ from each other",
		"shapes that another shape of the same pool and GPU count beats in both phases",
		"tensor parallelism over more than two nodes; experts over more than 64 GPUs; where there are several nodes, groups that do not divide theirs, but by TP alone",
	}
	if r.goal.counted(knowledge.OfParts) {
		out = append(out, "more decode groups than stages could be")
	} else {
		out = append(out, "numbers of micro-batches and decode groups that leave the largest of them the same size; more groups than stages could be")
	}
	if len(r.goal.c.Cluster.Pools) > 1 || !r.goal.perGPU {
		out = append(out, "sends inside a host within a replica that spans hosts: all are priced as the network")
	}
	if r.goal.perGPU {
		most, _ := r.goal.mostGPUs()
		out = append(out, fmt.Sprintf("more than %d GPUs where the number is unlimited; without requirements, replicas of a node and a part of another", most))
	}
	return out
}
