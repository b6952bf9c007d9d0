package formulation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/results"
)

// refutes reports whether even a round at the bound misses one of the requirements.
func (l *lanesReport) refutes(missed []results.RequirementResult) bool {
	ratio := l.found.Bound / l.found.Plan.Round
	keep := 1 - Margin(l.c)
	return slices.ContainsFunc(missed, func(q results.RequirementResult) bool {
		if inputs.RequirementKind(q.Name).Upper() {
			return q.Got*ratio > q.Want*keep*(1+1e-6)
		}
		return q.Got/ratio*keep*(1+1e-6) < q.Want
	})
}

// missed says what is short, and what the bound leaves open.
func (l *lanesReport) missed(q results.RequirementResult) string {
	text := missed(q)
	if ratio := l.found.Bound / l.found.Plan.Round; ratio > 0 && ratio < 1 {
		best := q.Got * ratio
		if !inputs.RequirementKind(q.Name).Upper() {
			best = q.Got / ratio
		}
		text += fmt.Sprintf("; no lanes reach more than %s", amount(best, q.Unit))
		if inputs.RequirementKind(q.Name).Upper() {
			text = fmt.Sprintf("%s; no lanes take less than %s", missed(q), amount(best, q.Unit))
		}
	}
	return text
}

// binding says what holds the round back.
func (l *lanesReport) binding(ph *results.PhasePlan) []string {
	s, f := extremes(ph.Stages)
	steps := float64(ph.Strategy.DecodeGroups) * s.TimeMS / 1e3
	pace := fmt.Sprintf("pace: %s (%s) takes %.4g ms a step, %s make the round", s.GPUs[0], s.Pool, s.TimeMS, counted(ph.Strategy.DecodeGroups, "group"))
	if steps < l.found.Plan.Round*(1-1e-6) {
		pace = fmt.Sprintf("pace: the longest way of a sequence through the machines makes the round, %.4g ms; the slowest step is that of %s (%s), %.4g ms", l.found.Plan.Round*1e3, s.GPUs[0], s.Pool, s.TimeMS)
	}
	return []string{pace, fmt.Sprintf("memory: %s (%s) holds %.1f of %.1f GiB, %s", f.GPUs[0], f.Pool, f.MemoryGiB, f.CapacityGiB, counted(f.Sequences, "sequence"))}
}

// pipelineWork bounds the search for a pipeline to compare with: some three seconds.
const pipelineWork = 50_000_000

// pipeline holds the best series pipeline of the same condition against the lanes, idle
// GPUs allowed: where it is better the report says so.
func (l *lanesReport) pipeline(ctx context.Context, rep *results.Report, opts Options, timed bool) error {
	c := *l.c
	c.Goal.Placement, c.Goal.AllowIdle, c.Goal.Requirements = "", true, nil
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	opts.log("the best pipeline, to compare with")
	effort := &effort{left: pipelineWork, end: cancel}
	began := time.Now()
	other, err := optimize(ctx, stagegraph.New, &c, Options{Backend: backendLabels, effort: effort}, false)
	if err != nil {
		return fmt.Errorf("the pipeline to compare with: %w", err)
	}
	line := results.Comparison{Heuristic: "pipeline", WhyInfeasible: "no pipeline was found"}
	if other.Plan != nil && other.Feasible {
		ph := &other.Plan.Phases[0]
		value, mine := 1 / *ph.Metrics.TokensPerS, rep.Plan.Phases[0].Solve.Objective
		gap := 100 * (value - mine) / mine
		line = results.Comparison{Heuristic: "pipeline", Feasible: true, Objective: &value, GapPercent: &gap,
			Strategy:  fmt.Sprintf("%s, %s, %s", counted(ph.Strategy.Replicas, "replica"), counted(ph.Strategy.PP, "stage"), counted(ph.GPUs.Used, "GPU")),
			LatencyMS: ph.Metrics.E2EMS, TokensPerS: ph.Metrics.TokensPerS, GPUs: ph.GPUs.Used}
		if gap < 0 {
			rep.Warnings = append(rep.Warnings, fmt.Sprintf("placement: a pipeline is better here, %.4g tokens/s against %.4g: state the placement pipeline, with idle GPUs allowed", *ph.Metrics.TokensPerS, *rep.Plan.Phases[0].Metrics.TokensPerS))
		}
	} else if len(other.Reasons) > 0 {
		line.WhyInfeasible = other.Reasons[0]
	}
	if timed {
		line.TimeMS = float64(time.Since(began).Nanoseconds()) / 1e6
	}
	rep.Plan.Comparison = append(rep.Plan.Comparison, line)
	return nil
}
