package formulation

import (
	"context"
	"fmt"
	"time"

	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/results"
)

// mixedWork bounds the search for a mixed deployment to compare with: some three seconds.
const mixedWork = 50_000_000

// mixed holds the best deployment that serves both phases on the same GPUs against the
// plan, under the same condition and by the same objective, and says which is better.
func (d *disaggregation) mixed(ctx context.Context, rep *results.Report, found *apartSolution, timed bool) error {
	c := *d.c
	c.Goal.Placement = ""
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d.opts.log("the best mixed deployment, to compare with")
	effort := &effort{left: mixedWork, end: cancel}
	began := time.Now()
	other, err := optimize(ctx, stagegraph.New, &c, Options{Backend: backendLabels, effort: effort}, false)
	if err != nil {
		return fmt.Errorf("the mixed deployment to compare with: %w", err)
	}
	line := results.Comparison{Heuristic: "mixed", WhyInfeasible: "no mixed deployment was found"}
	if len(other.Reasons) > 0 {
		line.WhyInfeasible = other.Reasons[0]
	}
	if other.Plan != nil && len(other.Plan.Phases) == 1 {
		ph := &other.Plan.Phases[0]
		line.Strategy = fmt.Sprintf("mixed: %s, %s, %s", counted(ph.Strategy.Replicas, "replica"), counted(ph.Strategy.PP, "stage"), counted(ph.GPUs.Used, "GPU"))
		line.LatencyMS, line.TokensPerS, line.GPUs = ph.Metrics.E2EMS, ph.Metrics.TokensPerS, ph.GPUs.Used
		if other.Feasible {
			line.Feasible, line.WhyInfeasible = true, ""
			value, mine := d.valueOf(found, &ph.Metrics, ph.GPUs.Used), rep.Plan.Disaggregated.Solve.Objective
			gap := 100 * (value - mine) / mine
			line.Objective, line.GapPercent = &value, &gap
		}
	}
	if timed {
		line.TimeMS = float64(time.Since(began).Microseconds()) / 1e3
	}
	rep.Plan.Comparison = append(rep.Plan.Comparison, line)
	if s := d.against(rep, &line, other); s != "" {
		rep.Warnings = append(rep.Warnings, s)
	}
	return nil
}

// valueOf is the objective of the search at the metrics of another deployment.
func (d *disaggregation) valueOf(found *apartSolution, m *results.Metrics, gpus int) float64 {
	x := apartFigures{e2e: *m.E2EMS / 1e3, tokens: *m.TokensPerS}
	c := d.perToken(&x, gpus)
	switch found.aim.purpose {
	case forLatency:
		return x.e2e
	case forThroughput:
		return c
	}
	wl, wc := weightsOf(d.c)
	return wl*x.e2e/found.aim.norms[0] + wc*c/found.aim.norms[1]
}

// against warns where a mixed deployment does what was asked better, or does it at all.
func (d *disaggregation) against(rep *results.Report, line *results.Comparison, other *results.Report) string {
	const remedy = "state the placement pipeline"
	switch {
	case !line.Feasible:
		return ""
	case !rep.Feasible:
		return "placement: a mixed deployment meets the requirements that no disaggregated one meets: " + remedy
	case *line.GapPercent < 0 && !fewer(d.c):
		return fmt.Sprintf("placement: a mixed deployment is better here by %.3g %%: %.4g tokens/s against %.4g, %s for a request against %s: %s",
			-*line.GapPercent, *line.TokensPerS, *rep.Plan.Disaggregated.Metrics.TokensPerS,
			amount(*line.LatencyMS/1e3, "s"), amount(*rep.Plan.Disaggregated.Metrics.E2EMS/1e3, "s"), remedy)
	case line.GPUs < rep.Plan.Disaggregated.GPUs.Used && fewer(d.c):
		return fmt.Sprintf("placement: a mixed deployment meets the requirements on %s, a disaggregated one needs %d: %s", counted(line.GPUs, "GPU"), rep.Plan.Disaggregated.GPUs.Used, remedy)
	}
	return ""
}

// fewer reports whether the number of GPUs is decided before the objective.
func fewer(c *inputs.Condition) bool {
	return c.Goal.Objective == inputs.GPUs || c.Goal.Objective == inputs.Cost || !allStated(c) && len(c.Goal.Requirements) > 0
}
