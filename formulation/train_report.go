package formulation

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"partita/formulation/cost"
	"partita/formulation/training"
	"partita/inputs"
	"partita/results"
)

// optimizeTraining is Optimize for a training step.
func optimizeTraining(ctx context.Context, c *inputs.Condition, opts Options) (*results.Report, error) {
	start := time.Now()
	if err := checkTrainingAsked(c); err != nil {
		return nil, err
	}
	found, err := training.Solve(ctx, c, trainingOptions(c, opts))
	if err != nil {
		return nil, err
	}
	costs, err := cost.New(found.Condition)
	if err != nil {
		return nil, err
	}
	r := trainingReport{c: c, costs: costs, found: found}
	return r.report(time.Since(start))
}

func trainingOptions(c *inputs.Condition, opts Options) training.Options {
	return training.Options{Backend: opts.Backend, TimeLimit: opts.TimeLimit, Confirm: opts.Confirm, Margin: Margin(c), ILP: opts.ILP, SAT: opts.SAT, Log: opts.Log}
}

// checkTrainingAsked returns what a condition asks of a training step that no plan of one can
// be judged by, as AskedErrors. A condition that was read from files has been asked for it
// with its places already.
func checkTrainingAsked(c *inputs.Condition) error {
	var all []error
	add := func(place inputs.Place, what, why, remedy string) {
		all = append(all, &AskedError{Place: place, What: what, Why: why, Remedy: remedy})
	}
	switch w := &c.Workload; {
	case w.Training == nil:
		add(inputs.Place{}, "workload", "the phase is training, and no training step is stated", "state workload.training")
	case w.Batch < 1 || w.Input.Max < 1:
		add(inputs.Place{}, "workload", fmt.Sprintf("a global batch of %d sequences of %d tokens", w.Batch, w.Input.Max), "state one sequence of one token at least")
	}
	for _, q := range c.Goal.Requirements {
		what := "requirement " + string(q.Kind)
		switch q.Kind {
		case inputs.StepTime, inputs.TokensPerSecond, inputs.TokensPerSGPU, inputs.CostUSDPerHour:
		default:
			add(q.Place, what, "a training step serves no requests", "ask for step_time, throughput, throughput_per_gpu or cost_per_hour")
			continue
		}
		switch {
		case !(q.Value > 0):
			add(q.Place, what, fmt.Sprintf("%g cannot be met or missed by a share", q.Value), "state a value above 0")
		case q.Kind == inputs.CostUSDPerHour && unpriced(c) != "":
			add(q.Place, what, fmt.Sprintf("the price of pool %q is not known", unpriced(c)), "state usd_per_hour")
		}
	}
	if pool := unpriced(c); c.Goal.Objective == inputs.Cost && pool != "" {
		add(c.Places["goal.objective"], "objective cost", fmt.Sprintf("the price of pool %q is not known", pool), "state usd_per_hour")
	}
	if c.Goal.Balance != nil {
		add(c.Places["goal.balance"], "balance", "a training step is as long as its slowest rank, which the search shortens", "leave it out; the balance that is reached is reported")
	}
	return errors.Join(all...)
}

// trainingReport makes the report of a search for a training step.
type trainingReport struct {
	c     *inputs.Condition // as asked
	costs *cost.Calculator  // of what the layout is for
	found *training.Solution
}

func (r *trainingReport) report(took time.Duration) (*results.Report, error) {
	f := r.found
	rep := results.NewReport(r.c)
	rep.Status, rep.Feasible = f.Status, f.Feasible
	rep.Warnings = append(rep.Warnings, r.costs.Warnings()...)
	if r.c.Goal.Margin == nil && len(r.c.Goal.Requirements) > 0 {
		rep.Assumptions = append(rep.Assumptions, results.Assumption{What: "margin of requirements", Value: fmt.Sprintf("%g %%", 100*Margin(r.c)), Because: "10 % where the efficiencies are ours, 0 where the condition states its own utilisation"})
	}
	rep.Warnings = append(rep.Warnings, f.Warnings...)
	rep.Reasons = append(rep.Reasons, f.Reasons...)
	if f.Layout == nil {
		return rep, nil
	}
	p, err := newTrainingPlan(f.Condition, r.costs, f.Layout)
	if err != nil {
		return nil, fmt.Errorf("the best layout cannot be priced: %w", err)
	}
	ph, err := p.phase()
	if err != nil {
		return nil, fmt.Errorf("placing the optimum: %w", err)
	}
	// What was given is what was asked for, whatever the closest plan takes.
	ph.GPUs.Available, ph.GPUs.Match = available(r.c.Cluster.Pools, ph.GPUs.Used)
	if f.GPUs != "" && (!ph.GPUs.Match || !stated(r.c)) {
		ph.GPUs.Why = f.GPUs
	}
	ph.Solve = f.Solve
	ph.Solve.TimeMS = math.Ceil(took.Seconds()) * 1e3
	ph.Requirements = requirementsOf(r.costs, r.c, ph, f.Nearest)
	for _, q := range unmet(ph.Requirements) {
		rep.Reasons = append(rep.Reasons, missed(q))
		rep.Feasible = false
	}
	rep.Reasons = append(rep.Reasons, nearestNote(unmet(ph.Requirements))...)
	if !rep.Feasible && rep.Status == results.StatusOptimal {
		return nil, fmt.Errorf("the search calls a layout optimal that does not keep every requirement: %v", rep.Reasons)
	}
	rep.Plan = &results.Plan{
		FormatVersion: results.FormatVersion, Condition: r.c.Name, Phases: []results.PhasePlan{*ph},
		Statements: rep.Statements, Assumptions: rep.Assumptions, Warnings: rep.Warnings,
		Comparison: r.comparison(), Deployment: results.DeploymentOf(r.c),
	}
	rep.Binding = p.binding(ph)
	return rep, nil
}

// stated reports whether the number of GPUs of every pool is given.
func stated(c *inputs.Condition) bool {
	for i := range c.Cluster.Pools {
		if !c.Cluster.Pools[i].Count.Stated() {
			return false
		}
	}
	return true
}

// binding says what holds a step back: the rank that sets the pace, waiting, exchange, the
// fullest memory, the requirement with the least margin.
func (p *trainingPlan) binding(ph *results.PhasePlan) []string {
	x, m := p.step, float64(p.l.MicroBatches(p.c.Workload.Batch))
	slow := 0
	for i := range x.Ranks {
		if x.Ranks[i].MicroBatch > x.Ranks[slow].MicroBatch {
			slow = i
		}
	}
	share := func(seconds float64) float64 { return 100 * seconds / x.Seconds }
	work := m * x.Ranks[slow].MicroBatch
	var out []string
	if p.l.PP() > 1 {
		out = append(out, fmt.Sprintf("time: rank %d sets the pace with %.4g ms a micro-batch, %.0f of them are %.0f %% of the step; filling and draining the pipeline takes %.1f %%", slow, x.Ranks[slow].MicroBatch*1e3, m, share(work), share(x.Bubble)))
	} else {
		out = append(out, fmt.Sprintf("time: %.0f micro-batches of %.4g ms are %.0f %% of the step", m, x.Ranks[slow].MicroBatch*1e3, share(work)))
	}
	if x.Sync > 0.01*x.Seconds {
		out = append(out, fmt.Sprintf("exchange: %.1f %% of the step go to gradients and weights that nothing hides", share(x.Sync)))
	}
	const tight = 0.9
	if _, full := extremes(ph.Stages); full.MemoryGiB > tight*full.CapacityGiB {
		out = append(out, fmt.Sprintf("memory: rank %d fills %.3g of %.3g GiB a GPU (%.0f %%)", *full.Rank, full.MemoryGiB, full.CapacityGiB, 100*full.MemoryGiB/full.CapacityGiB))
	}
	return append(out, tightest(ph.Requirements)...)
}

// comparison is what rules of thumb come to; an empty list where there are none.
func (r *trainingReport) comparison() []results.Comparison {
	return append([]results.Comparison{}, r.found.Comparison...)
}
