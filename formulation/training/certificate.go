package training

import (
	"fmt"
	"math"

	"partita/inputs/knowledge"
	"partita/results"
)

// solution says what an answer comes to, and what was proved.
func (r *run) solution(a *answer) *Solution {
	sol := &Solution{
		Status: results.StatusUnknown, Condition: r.x.c, GPUs: a.counted,
		Nearest: a.nearest, Reasons: a.reasons, Warnings: a.warned,
	}
	if a.refuted || a.out == nil && !a.stopped && !a.cut {
		sol.Status = results.StatusInfeasible
	}
	if a.out == nil || a.out.best == nil {
		if sol.Status == results.StatusInfeasible {
			sol.Reasons = append(sol.Reasons, "no layout of the model fits these GPUs")
		}
		return sol
	}
	best := a.out.best
	sol.Layout, sol.Seconds = best.layout, best.seconds
	sol.Feasible = a.slack == 0 && !a.unfit
	sol.Solve = r.facts(a)
	sol.aim, sol.goal, sol.in, sol.ranked = a.pass.aim, r.goal, a.pass.purpose, a.ranked
	switch {
	case !sol.Feasible:
	case a.out.proved && !a.stopped && !a.cut:
		sol.Status = results.StatusOptimal
	default:
		sol.Status = results.StatusFeasible
	}
	sol.Comparison = r.compare(a)
	if w := r.atTheCap(best, sol.Feasible); w != "" && !a.unfit && !a.cut {
		sol.Warnings = append(sol.Warnings, w)
	}
	return sol
}

// atTheCap warns where a number of GPUs that is ours to choose ended at the most that the
// search looks at: the end is ours, not the problem's.
func (r *run) atTheCap(best *found, feasible bool) string {
	for k := range r.x.c.Cluster.Pools {
		p := &r.x.c.Cluster.Pools[k]
		used := best.split.Ranks[k] * best.split.RankGPUs()
		if p.Count.Unlimited() && (!feasible || used+max(1, p.GPUsPerNode) > mostUnlimited) {
			return fmt.Sprintf("GPU count: up to %d GPUs are searched where the number is unlimited, and more may do better; state a range of numbers to have more looked at", mostUnlimited)
		}
	}
	return ""
}

// facts say what was proved.
func (r *run) facts(a *answer) results.Solve {
	best := a.out.best
	s := results.Solve{
		Status: "time_limit", Objective: best.value, ObjectiveUnit: unitOf(a.pass), Backend: r.backend,
		AgreedBy: []string{}, Outer: a.out.record.outer,
	}
	bound := a.out.bound
	switch {
	case !a.out.proved || a.stopped:
	case a.cut:
		s.Status = string(results.StatusFeasible) // of what is tried it is the best
	default:
		s.Status, bound = string(results.StatusOptimal), best.value
		s.AgreedBy = append(s.AgreedBy, r.backend)
	}
	if !math.IsInf(bound, 0) && bound > 0 && !a.cut {
		bound = min(bound, best.value)
		gap := (best.value - bound) / best.value
		s.BestBound, s.Gap = &bound, &gap
	}
	s.Certificate = results.Certificate{
		Objective:    r.formula(a),
		Quantisation: map[string]float64{"step": r.tickOf(r.backend)},
		Balance:      "none asked: a stage that waits for a slower one costs step time, which is what is minimised",
		GPUCount:     a.counted,
		Rules:        r.account(),
		LeftOut:      r.leftOut(),
		Passes:       a.passes,
	}
	return s
}

// tickOf is the tick that a backend counts times in, seconds.
func (r *run) tickOf(backend string) float64 {
	if backend == backendLabels {
		return r.tick
	}
	return r.tick * coarser
}

func unitOf(p *pass) string {
	switch p.purpose {
	case gpuTime:
		return "GPU-seconds per step"
	case combined:
		return "weighted ratios"
	case missing:
		return missing
	}
	return "seconds per step"
}

// formula says what the objective is.
func (r *run) formula(a *answer) string {
	const step = "step time T = m·max τ + (Σ τ − max τ)/v + max σ + max υ over the pipeline's ranks, in seconds; tokens/s are the tokens of the global batch over it"
	switch a.pass.purpose {
	case gpuTime:
		return "GPUs times step time, which is the reciprocal of tokens/s of each GPU; " + step
	case combined:
		wl, wc := r.goal.weights()
		return fmt.Sprintf("%g·T/T* + %g·W/W*: the step against the shortest reachable alone, T* = %.4g s, and GPU-seconds of a step against the fewest, W* = %.4g; %s", wl, wc, a.norms[0], a.norms[1], step)
	case missing:
		return "the largest requirement over what is asked of it; " + step
	}
	return step
}

// account says of every rule what it took out.
func (r *run) account() []results.RuleAccount {
	var out []results.RuleAccount
	for i := range r.x.rules.Len() {
		q := r.x.rules.Rule(i)
		out = append(out, results.RuleAccount{Name: q.Name, Place: q.Place.String(), Expr: q.Expr, Because: q.Because, OuterChoices: r.refused[i]})
	}
	return out
}

// leftOut names what the proof does not range over.
func (r *run) leftOut() []string {
	out := []string{
		"ranks that differ in TP, CP, DP or experts; expert TP that does not divide TP; tensor groups across nodes",
		"differences below the quantisation: times of a rank are rounded up to a tick, for each of its micro-batches",
	}
	if r.x.unit > 0 && !r.x.rules.Uses(knowledge.OfPlace) {
		out = append(out, fmt.Sprintf("with virtual stages: stages of a rank that differ by more than %s, larger ones before smaller ones, or more recompute before less; the layers before number %d outside of the first round of stages", layersText(r.x.unit), r.x.repeats))
	} else {
		out = append(out, "virtual stages: kinds of layer do not repeat through the model, or a rule asks which layers a stage has")
	}
	out = append(out, "stages that hold the embedding or the head alone")
	if r.goal.perGPU || r.x.c.Goal.AllowIdle {
		out = append(out, fmt.Sprintf("numbers of GPUs of a node and a part of another; more than %d where the number is unlimited", mostUnlimited))
		if most, cut := r.goal.mostTogether(); cut {
			out = append(out, fmt.Sprintf("more than %d GPUs of all pools together, some of whose numbers are unlimited", most))
		}
	}
	return out
}

func layersText(n int) string {
	if n == 1 {
		return "a layer"
	}
	return fmt.Sprintf("%d layers, after which their kinds repeat,", n)
}
