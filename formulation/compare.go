package formulation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"partita/formulation/heuristic"
	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/results"
)

// Compare is Optimize with the time each heuristic took in the comparison. Optimize
// leaves the times out, so that a plan depends on its input alone.
func Compare(ctx context.Context, c *inputs.Condition, opts Options) (*results.Report, error) {
	return optimize(ctx, stagegraph.New, c, opts, true)
}

// compare holds every heuristic against the plan, on the same costs and against
// the requirements as they were asked. One line each: its best proposal.
func (r *run) compare(ctx context.Context, sol *solution) []results.Comparison {
	x, vectors := r.contest(sol)
	if x == nil {
		return []results.Comparison{}
	}
	var out []results.Comparison
	loose := r.withoutAsking(sol)
	began := time.Now()
	x.contend(ctx, vectors, func(h heuristic.Heuristic, best *entry) {
		line := r.line(h.Name, best, sol)
		if !line.Feasible && !h.Improves {
			line.WhyInfeasible += r.fewest(ctx, h, sol, best.gpus)
		}
		if r.timed {
			line.TimeMS = float64(time.Since(began).Nanoseconds()) / 1e6
		}
		by := x
		if !line.Feasible {
			by = loose
		}
		if f := by.place(best.proposal); f != nil && !sol.unfit { // else it is for other GPUs
			line.LatencyMS, line.TokensPerS, line.GPUs = &f.LatencyMS, &f.DeploymentTokens, f.GPUs
		}
		out = append(out, line)
		began = time.Now()
	})
	return out
}

// contend asks every heuristic for its proposals on each number of GPUs and reports the
// best of each; those that improve on others begin from the best so far.
func (x *evaluator) contend(ctx context.Context, vectors [][]int, report func(heuristic.Heuristic, *entry)) {
	var lead *entry
	for _, h := range heuristic.All() {
		var best *entry
		if h.Improves {
			if lead != nil {
				best = x.enter(ctx, h, lead.gpus, &lead.proposal)
			} else {
				best = x.enter(ctx, h, vectors[0], nil)
			}
		} else {
			for _, gpus := range vectors {
				if e := x.enter(ctx, h, gpus, nil); best == nil || e.verdict.Better(best.verdict) {
					best = e
				}
			}
			if lead == nil || best.verdict.Better(lead.verdict) {
				lead = best
			}
		}
		report(h, best)
	}
}

// entry is the best proposal of a heuristic.
type entry struct {
	proposal heuristic.Proposal
	verdict  heuristic.Verdict
	gpus     []int
}

// enter asks a heuristic for proposals on so many GPUs of each pool and picks the
// best.
func (x *evaluator) enter(ctx context.Context, h heuristic.Heuristic, gpus []int, start *heuristic.Proposal) *entry {
	x.gpus = gpus
	list := h.Propose(ctx, heuristic.Env{Space: x.space, GPUs: gpus, Judge: x.judge, Start: start, Best: x.unbeatable})
	p, v, ok := heuristic.Best(x.judge, list)
	if !ok {
		v.Why = "no proposal"
	}
	return &entry{p, v, gpus}
}

// unbeatable reports that no proposal can be better: the optimum was proved, and where
// requirements must be missed, by how much at least (in steps of slackParts, which are
// fine enough for a rule of thumb).
func (x *evaluator) unbeatable(v heuristic.Verdict) bool {
	return v.Feasible() && v.Value <= x.proved || v.Rule == heuristic.RuleRequirement && v.Miss <= 1+x.slack
}

// contest makes the evaluator and lists the numbers of GPUs that heuristics are
// asked for.
func (r *run) contest(sol *solution) (*evaluator, [][]int) {
	best := sol.final.best
	if best == nil {
		return nil, nil
	}
	if sol.unfit {
		return r.unfitContest(sol)
	}
	x := newEvaluator(r.explorer, *sol.pass, sol.final.unit, best.graph.Scale)
	x.pass.num, x.pass.den = sol.num, sol.den
	if sol.final.proved && sol.slack == 0 {
		x.proved = best.value
	}
	if sol.final.proved {
		x.slack = sol.slack
	}
	used := make([]int, r.space.Pools())
	for _, pt := range best.graph.Parts(best.stages) {
		used[pt.Pool] += pt.Shape.GPUs() * best.choice.Layout.Replicas
	}
	switch {
	case sol.counts.decided && len(sol.counts.list) > 1, sol.idle:
		return x, [][]int{used} // the number comes first: heuristics get what the plan has
	case sol.counts.decided:
		return x, r.counts(used)
	case r.goal.c.Goal.AllowIdle:
		return x, distinct(r.goal.stated(), used)
	}
	x.all = true
	return x, [][]int{r.goal.stated()}
}

// unfitContest judges on the GPUs as they were stated: the plan is for more of them,
// and what keeps each heuristic from fitting is the answer.
func (r *run) unfitContest(sol *solution) (*evaluator, [][]int) {
	asked := *r.goal.c
	asked.Cluster.Pools = r.given
	space, err := r.price(&asked)
	if err != nil {
		return nil, nil // it was priced before the search; there is nothing to compare without
	}
	g := newGoal(space)
	counts := g.layoutsOf()
	p := pass{purpose: "any plan", anyPlan: true, layouts: counts.all()}
	p.num, p.den, _ = r.balanceFloor()
	x := newEvaluator(&explorer{space: space, goal: g}, p, 1, sol.final.best.graph.Scale)
	x.all = !g.perGPU && !asked.Goal.AllowIdle
	gpus := g.stated()
	for k, n := range gpus {
		if n == 0 {
			gpus[k] = mostUnlimited
		}
	}
	return x, [][]int{gpus}
}

// counts are the numbers of GPUs to try where only the objective decides them: those
// of the plan, and of a single pool the powers of two, as people provision.
func (r *run) counts(used []int) [][]int {
	out := [][]int{used}
	if len(used) > 1 {
		return out
	}
	count := r.goal.c.Cluster.Pools[0].Count
	most := count.Max
	if count.Unlimited() {
		most = mostUnlimited
	}
	for n := 1; n <= most; n *= 2 {
		if n >= count.Min {
			out = append(out, []int{n})
		}
	}
	return distinct(out...)
}

func distinct(list ...[]int) [][]int {
	var out [][]int
	for _, x := range list {
		if !slices.ContainsFunc(out, func(y []int) bool { return slices.Equal(x, y) }) {
			out = append(out, x)
		}
	}
	return out
}

// mostTimes bounds the numbers of GPUs that fewest tries, in multiples of the plan's:
// a heuristic that needs more is out of the question.
const mostTimes = 4

// fewest finds the least number of GPUs on which a heuristic meets everything, where
// the number is decided first and the plan's is too few for it.
func (r *run) fewest(ctx context.Context, h heuristic.Heuristic, sol *solution, gpus []int) string {
	if sol.unfit || sol.slack > 0 || !sol.counts.decided || len(sol.counts.list) < 2 || len(gpus) > 1 {
		return ""
	}
	most := mostTimes * gpus[0]
	if n := r.goal.c.Cluster.Pools[0].Count.Max; n > 0 {
		most = min(most, n)
	}
	for n := gpus[0] + 1; n <= most && ctx.Err() == nil; n++ {
		p := *sol.pass
		p.layouts, p.num, p.den = r.goal.exactLayouts([]int{n}), sol.num, sol.den
		x := newEvaluator(r.explorer, p, sol.final.unit, sol.final.best.graph.Scale)
		if e := x.enter(ctx, h, []int{n}, nil); e.verdict.Feasible() {
			return fmt.Sprintf("; the fewest GPUs on which it meets everything are %d: %s", n, oneLine(r.goal.c, e.proposal))
		}
	}
	return ""
}

// line is the account of one heuristic. Against a closest plan there is no gap: its
// requirements are not those that were asked.
func (r *run) line(name string, e *entry, sol *solution) results.Comparison {
	out := results.Comparison{Heuristic: name, Strategy: oneLine(r.goal.c, e.proposal), Feasible: e.verdict.Feasible()}
	if !out.Feasible {
		out.WhyInfeasible = e.verdict.Why
		return out
	}
	v, best := e.verdict.Value, sol.final.best.value
	out.Objective = &v
	if sol.slack == 0 && best > 0 {
		gap := 100 * (v - best) / best
		out.GapPercent = &gap
	}
	return out
}
