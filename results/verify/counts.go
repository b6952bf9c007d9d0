package verify

import (
	"fmt"

	"partita/results"
)

// checkCounts: parts, GPUs used and GPUs given, and the figures that state them.
func (a *audit) checkCounts() {
	a.list.add(ruleParts, a.parts == a.used && a.used > 0,
		fmt.Sprintf("%d GPUs", a.used), fmt.Sprintf("%d parts", a.parts))
	a.checkCountRanges()
	available, stated := a.available()
	a.checkUsed(available, stated)
	a.checkGPUFigures(available, stated)
}

// available is the number of GPUs given (the upper ends of the ranges), nil where
// a pool is unlimited; stated tells that every pool's number is given.
func (a *audit) available() (total *int, stated bool) {
	sum := 0
	stated = true
	for _, p := range a.cond.Cluster.Pools {
		if p.Count.Unlimited() {
			return nil, false
		}
		stated = stated && p.Count.Stated()
		sum += p.Count.Max
	}
	return &sum, stated
}

// checkCountRanges: each pool gives no more than it has, and no fewer than a range
// asks for.
func (a *audit) checkCountRanges() {
	t := tally{rule: ruleCount, want: "each pool within its count"}
	for k, p := range a.cond.Cluster.Pools {
		n := a.usedOf[k]
		if !p.Count.Unlimited() && n > p.Count.Max {
			t.fail(float64(n-p.Count.Max), "pool %q: %d used of %d", p.Name, n, p.Count.Max)
		}
		if !p.Count.Stated() && n < p.Count.Min {
			t.fail(float64(p.Count.Min-n), "pool %q: %d used, at least %d asked for", p.Name, n, p.Count.Min)
		}
	}
	a.waivable(&t, "every pool is")
}

// waivable reports a rule that a closest plan may miss.
func (a *audit) waivable(t *tally, got string) {
	t.report(a.list, got)
	if last := &a.list.checks[len(a.list.checks)-1]; a.opts.Closest {
		last.Waived = !last.OK
	}
}

// checkUsed: a stated number is used up, unless idle GPUs are allowed. Where no
// plan uses all of them the solver proves the largest number that can be used; the
// plan must then say so (Why, and no match) for the check to pass.
func (a *audit) checkUsed(available *int, stated bool) {
	t := tally{rule: ruleUsed, want: "any number"}
	got := fmt.Sprintf("%d GPUs", a.used)
	if available != nil && stated {
		t.want = fmt.Sprintf("%d GPUs", *available)
		g := &a.phase.GPUs
		switch {
		case a.used == *available:
		case a.lanes() && a.used < *available:
			t.want = fmt.Sprintf("at most %d GPUs: of lanes, those that would not help are idle", *available)
		case a.cond.Goal.AllowIdle && a.used < *available:
			t.want = fmt.Sprintf("at most %d GPUs: idle ones are allowed", *available)
		case a.used < *available && g.Why != "" && !g.Match:
			got = fmt.Sprintf("%d GPUs, said to be the most that a plan can use: %s", a.used, g.Why)
		default:
			t.fail(0, "%d GPUs", a.used)
		}
	}
	a.waivable(&t, got)
}

// checkGPUFigures: available, used, parts and match as the plan states them.
func (a *audit) checkGPUFigures(available *int, stated bool) {
	match := a.parts == a.used && (!stated || a.used == *available)
	want := results.GPUCount{Available: available, Used: a.used, Parts: a.parts, Match: match}
	a.list.compare(ruleAvailable, countText(want), countText(a.phase.GPUs))
}

func countText(g results.GPUCount) string {
	available := "unlimited"
	if g.Available != nil {
		available = fmt.Sprint(*g.Available)
	}
	return fmt.Sprintf("available %s, used %d, parts %d, match %t", available, g.Used, g.Parts, g.Match)
}
