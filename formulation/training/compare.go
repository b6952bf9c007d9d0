package training

import (
	"fmt"

	"partita/results"
)

// compare holds the rules of thumb against the best layout, on its GPUs and on the same
// prices.
func (r *run) compare(a *answer) []results.Comparison {
	best := a.out.best
	gpus := make([]int, len(best.split.Ranks))
	for k, n := range best.split.Ranks {
		gpus[k] = n * best.split.RankGPUs()
	}
	out := []results.Comparison{}
	for _, p := range r.x.thumbs(gpus) {
		c := results.Comparison{Heuristic: p.name, WhyInfeasible: p.why}
		if p.layout != nil {
			c.Strategy = p.split.String() + ", recompute " + p.layout.Recomputes().Words()
			c.GPUs = p.split.GPUs()
		}
		if p.layout == nil || p.why != "" {
			out = append(out, c)
			continue
		}
		seconds := r.x.seconds(p.layout)
		ms, tokens := seconds*1e3, r.goal.tokens()/seconds
		c.LatencyMS, c.TokensPerS = &ms, &tokens
		if rule, broken := r.x.broken(p.layout); broken {
			c.WhyInfeasible = fmt.Sprintf("breaks rule %q", rule.Name)
		} else if missed := r.missed(&p.split, seconds, a.slack); missed != "" {
			c.WhyInfeasible = missed
		}
		if c.Feasible = c.WhyInfeasible == ""; c.Feasible {
			value := a.pass.aim.of(&p.split, seconds)
			gap := (value/best.value - 1) * 100
			c.Objective, c.GapPercent = &value, &gap
		}
		out = append(out, c)
	}
	return out
}

// missed says which requirement a step of so many seconds misses by more than the slack;
// empty: none.
func (r *run) missed(s *Split, seconds, slack float64) string {
	for _, q := range r.x.c.Goal.Requirements {
		slope, floor, _ := r.goal.ratio(q, s)
		if v := max(floor, slope*seconds); v > 1+slack+1e-9 {
			side, by := "short", 1-1/v // a rate is what is asked over v
			if q.Kind.Upper() {
				side, by = "over", v-1
			}
			return fmt.Sprintf("requirement %s: %.1f %% %s, margin included", q.Kind, by*100, side)
		}
	}
	return ""
}
