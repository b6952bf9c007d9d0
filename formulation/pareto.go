package formulation

import (
	"context"
	"errors"
	"fmt"

	"partita/inputs"
	"partita/results"
)

// Pareto finds the whole trade-off of a condition: every plan that no other plan beats
// in latency, throughput or, where all GPUs have a price, cost per hour, without losing in
// another. It is exact to the ticks that the certificate states, and does not depend
// on the condition's objective, but for its weights, which say what is marked as
// balanced. Requirements bind; a condition without them has a wider frontier.
//
// A frontier without points is an answer: Status says whether that is proved. Each
// point carries its plan, which the caller verifies.
func Pareto(ctx context.Context, c *inputs.Condition, opts Options) (*results.Frontier, error) {
	if err := noGraph(c, "pareto", "`partita solve` reports the throughput and the latency of a sample"); err != nil {
		return nil, err
	}
	if err := noTraining(c, "pareto", "in training the shortest step is the highest throughput: `partita solve` finds it"); err != nil {
		return nil, err
	}
	if err := pipelinesAlone(c, "pareto"); err != nil {
		return nil, err
	}
	if opts.TimeLimit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, opts.TimeLimit)
		defer cancel()
	}
	plain := *c
	plain.Goal.Objective = inputs.Balanced
	r, err := newRun(&plain, opts)
	if err != nil {
		return nil, err
	}
	r.asked = c
	r.opts.log("the trade-off of latency and throughput")
	x, g, err := r.surveyed(ctx)
	if err != nil {
		return nil, err
	}
	out := r.frontier(x, g)
	if x == nil || len(x.front) == 0 {
		return out, r.nothing(ctx, out, x)
	}
	if err := x.fewest(ctx); err != nil {
		return nil, err
	}
	if err := r.points(out, x, g); err != nil {
		return nil, err
	}
	r.choose(out)
	r.opts.log("the heuristics on the same axes")
	out.Heuristics = r.rules(ctx, out, x, g)
	return out, nil
}

// frontier is the answer without its points.
func (r *run) frontier(x *prospect, g *ground) *results.Frontier {
	out := &results.Frontier{
		FormatVersion: results.FrontierFormat, Condition: r.goal.c.Name, Status: results.StatusUnknown,
		Axes: []string{"latency_ms", "tokens_per_s"}, ThroughputOf: "deployment", Requirements: "none",
		Points: []results.FrontierPoint{}, Heuristics: []results.FrontierHeuristic{},
		Reasons: []string{}, Warnings: append([]string{}, r.goal.c.Warnings...),
	}
	out.Warnings = append(append(out.Warnings, r.space.Costs.Warnings()...), g.warnings...)
	if g.priced {
		out.Axes = append(out.Axes, "usd_per_hour")
	}
	if r.goal.perGPU {
		out.ThroughputOf = "gpu"
	}
	if len(r.goal.c.Goal.Requirements) > 0 {
		out.Requirements = "hold"
	}
	out.Certificate = results.FrontierCertificate{
		Quantisation: map[string]float64{}, Balance: g.balance, GPUCount: g.counts.counted,
		LeftOut: r.leftOut(), Backend: r.backend, Choices: []results.FrontierChoice{},
	}
	if x == nil {
		return out
	}
	k := &out.Certificate
	k.Dominance = fmt.Sprintf("a plan is left out where another has at most its latency and at least its %s%s; latencies are told apart to %.2g s, rounds to %.2g s",
		map[bool]string{false: "throughput", true: "throughput by GPU"}[r.goal.perGPU], map[bool]string{true: " and costs no more"}[g.priced], x.unit, x.scale[1])
	if r.space.Prefills() {
		k.Quantisation["latency"] = x.scale[0]
	}
	k.Quantisation["rate"] = x.scale[1]
	k.Outer, k.Choices = x.ledger.outer, x.ledger.list(x)
	return out
}

// nothing says why a frontier has no point.
func (r *run) nothing(ctx context.Context, out *results.Frontier, x *prospect) error {
	if ctx.Err() != nil || r.unsettled || x != nil && len(x.open) > 0 {
		out.Reasons = append(out.Reasons, "no plan and no proof within the time given")
		if errors.Is(ctx.Err(), context.Canceled) {
			out.Reasons = []string{"interrupted before a first plan"}
		}
		return nil
	}
	out.Status = results.StatusInfeasible
	fits, err := r.placeable(ctx, r.goal.frontierGround().counts)
	switch {
	case err != nil:
		return err
	case len(r.goal.c.Rules) > 0:
		out.Reasons = append(out.Reasons, "no plan keeps the rules, the balance, the GPU count and the requirements together")
	case !fits && ctx.Err() == nil:
		out.Reasons = append(out.Reasons, r.shortage()...)
	case len(r.goal.c.Goal.Requirements) > 0:
		out.Reasons = append(out.Reasons, "no plan meets all requirements")
	default:
		out.Reasons = append(out.Reasons, "no plan meets the stated balance and GPU count")
	}
	return nil
}
