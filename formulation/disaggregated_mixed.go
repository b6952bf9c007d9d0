package formulation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"partita/formulation/poolsplit"
	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/results"
)

// mixedWork bounds the search for a mixed deployment to compare with: some three seconds.
const mixedWork = 50_000_000

// compare holds what else could be done against the plan: half of the GPUs on either side,
// and the best deployment that serves both phases on the same GPUs.
func (d *disaggregation) compare(ctx context.Context, rep *results.Report, found *apartSolution, timed bool) error {
	if err := d.halves(ctx, rep, found, timed); err != nil {
		return err
	}
	line, err := d.mixed(ctx, rep, found, timed)
	if err != nil {
		return err
	}
	if w := d.against(rep, line); w != "" {
		rep.Warnings = append(rep.Warnings, w)
	}
	return nil
}

// mixed adds the best mixed deployment of the condition to the comparison.
func (d *disaggregation) mixed(ctx context.Context, rep *results.Report, found *apartSolution, timed bool) (*results.Comparison, error) {
	c := *d.c
	c.Goal.Placement = ""
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d.opts.log("the best mixed deployment, to compare with")
	effort := &effort{left: mixedWork, end: cancel}
	began := time.Now()
	other, err := optimize(ctx, stagegraph.New, &c, Options{Backend: backendLabels, effort: effort}, false)
	if err != nil {
		return nil, fmt.Errorf("the mixed deployment to compare with: %w", err)
	}
	line := results.Comparison{Heuristic: "mixed", WhyInfeasible: "no mixed deployment was found"}
	if len(other.Reasons) > 0 {
		line.WhyInfeasible = other.Reasons[0]
	}
	if other.Plan != nil {
		ph := &other.Plan.Phases[0]
		line.Strategy = fmt.Sprintf("%s, %s, %s", counted(ph.Strategy.Replicas, "replica"), counted(ph.Strategy.PP, "stage"), counted(ph.GPUs.Used, "GPU"))
		line.LatencyMS, line.TokensPerS, line.GPUs = ph.Metrics.E2EMS, ph.Metrics.TokensPerS, ph.GPUs.Used
		if other.Feasible {
			line.WhyInfeasible = ""
			d.score(rep, found, &line)
		}
	}
	d.add(rep, &line, began, timed)
	return &line, nil
}

// score gives a deployment that meets everything its objective and how it compares.
func (d *disaggregation) score(rep *results.Report, found *apartSolution, line *results.Comparison) {
	x := apartFigures{e2e: *line.LatencyMS / 1e3, tokens: *line.TokensPerS}
	c := d.perToken(&x, line.GPUs)
	value := c
	switch found.aim.purpose {
	case forLatency:
		value = x.e2e
	case forBoth:
		wl, wc := weightsOf(d.c)
		value = wl*x.e2e/found.aim.norms[0] + wc*c/found.aim.norms[1]
	}
	mine := rep.Plan.Disaggregated.Solve.Objective
	gap := 100 * (value - mine) / mine
	line.Feasible, line.Objective, line.GapPercent = true, &value, &gap
}

func (d *disaggregation) add(rep *results.Report, line *results.Comparison, began time.Time, timed bool) {
	if timed {
		line.TimeMS = float64(time.Since(began).Microseconds()) / 1e3
	}
	rep.Plan.Comparison = append(rep.Plan.Comparison, *line)
}

// halves adds the rule of thumb that gives either side half of the GPUs, with the best
// plans of both sides on them.
func (d *disaggregation) halves(ctx context.Context, rep *results.Report, found *apartSolution, timed bool) error {
	began := time.Now()
	line := results.Comparison{Heuristic: "half-and-half", WhyInfeasible: "no plan of both sides on half of the GPUs of each pool meets the requirements"}
	l, half := found.level, *found.level
	half.problem.Pairs, half.of = nil, nil
	for pair, at := range l.problem.Pairs {
		if s := l.splits[l.of[pair]]; slices.Equal(s.prefill, s.decode) && s.used() == rep.Plan.Disaggregated.GPUs.Used {
			half.problem.Pairs, half.of = append(half.problem.Pairs, at), append(half.of, l.of[pair])
		}
	}
	if len(half.of) == 0 {
		line.WhyInfeasible = "the GPUs of a pool cannot be halved"
		d.add(rep, &line, began, timed)
		return nil
	}
	half.problem.Link = func(pair int) poolsplit.Link { return l.links[half.of[pair]] }
	half.problem.Value = half.value(found.aim)
	r, err := poolsplit.Search(ctx, &half.problem, &half, nil)
	if err != nil {
		return err
	}
	if r.Best == nil && !r.Proved {
		line.WhyInfeasible = "no plan of both sides on half of the GPUs was found in time"
	}
	if r.Best != nil {
		x := d.figures(&r.Best.Figures)
		latency := x.e2e * 1e3
		a, b := d.plans[r.Best.Prefill.ID].choice, d.plans[r.Best.Decode.ID].choice
		line.Strategy = fmt.Sprintf("%s prefill, %s decode, %s each", counted(a.replicas, "replica"), counted(b.replicas, "replica"), counted(sum(a.gpus), "GPU"))
		line.LatencyMS, line.TokensPerS, line.GPUs = &latency, &x.tokens, 2*sum(a.gpus)
		if r.Best.Value[0] == 0 {
			line.WhyInfeasible = ""
			d.score(rep, found, &line)
		}
	}
	d.add(rep, &line, began, timed)
	return nil
}

// against warns where a mixed deployment does what was asked better, or does it at all.
func (d *disaggregation) against(rep *results.Report, line *results.Comparison) string {
	const remedy = "state the placement pipeline"
	u := rep.Plan.Disaggregated
	switch {
	case !line.Feasible:
		return ""
	case !rep.Feasible:
		return "placement: a mixed deployment meets the requirements that no disaggregated one meets: " + remedy
	case fewer(d.c) && line.GPUs < u.GPUs.Used:
		return fmt.Sprintf("placement: a mixed deployment meets the requirements on %s, a disaggregated one needs %d: %s", counted(line.GPUs, "GPU"), u.GPUs.Used, remedy)
	case !fewer(d.c) && *line.GapPercent < 0:
		return fmt.Sprintf("placement: a mixed deployment is better here by %.3g %%: %.4g tokens/s against %.4g, %s for a request against %s: %s",
			-*line.GapPercent, *line.TokensPerS, *u.Metrics.TokensPerS, amount(*line.LatencyMS/1e3, "s"), amount(*u.Metrics.E2EMS/1e3, "s"), remedy)
	}
	return ""
}

// fewer reports whether the number of GPUs is decided before the objective.
func fewer(c *inputs.Condition) bool {
	return c.Goal.Objective == inputs.GPUs || c.Goal.Objective == inputs.Cost || !allStated(c) && len(c.Goal.Requirements) > 0
}
