package formulation_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"partita/formulation"
	"partita/inputs"
	"partita/results"
)

// The explanation of every tiny condition: feasible as brute force says; a conflict is
// minimal, of each value that is named a plan exists, and of none closer to what is asked.
func TestExplainEveryPlan(t *testing.T) {
	seeds := uint64(60)
	if n, err := strconv.ParseUint(os.Getenv("PARTITA_ORACLE"), 10, 64); err == nil {
		seeds = n
	}
	seen := map[string]int{}
	for seed := range seeds {
		x := explained(t, seed)
		if seen[x.outcome]++; x.outcome == "infeasible" && !x.Minimal {
			seen["not proved"]++
		}
	}
	t.Logf("%v", seen)
	for _, outcome := range []string{"feasible", "infeasible"} {
		if seen[outcome] < int(seeds/6) {
			t.Errorf("%d cases are %s: the generator says too little (%v)", seen[outcome], outcome, seen)
		}
	}
	if undecided := seen["not proved"] + seen["out of time"]; undecided > int(seeds/4) { // none of 60 on two idle cores
		t.Errorf("%d of %d conflicts are not found or not proved minimal (%v)", undecided, seeds, seen)
	}
}

// explanation is one case of the test.
type explanation struct {
	*results.Explanation
	t       *testing.T
	c       *inputs.Condition
	seed    uint64
	outcome string
}

func (x *explanation) fail(format string, args ...any) {
	x.t.Helper()
	x.t.Errorf("seed %d: %s\n%s", x.seed, fmt.Sprintf(format, args...), describe(x.c))
}

// explained draws a condition with requirements, explains it, and holds the answer
// against brute force and solve.
func explained(t *testing.T, seed uint64) *explanation {
	t.Helper()
	d := newDraw(seed)
	x := &explanation{t: t, c: d.condition(), seed: seed, outcome: "on an edge"}
	c := x.c
	o, err := newOracle(c, 0)
	if err != nil {
		t.Fatal(err)
	}
	plans := o.enumerate()
	for range 2 { // more than elsewhere: what clashes is to be found among several
		if len(plans) > 0 {
			d.require(c, plans)
		}
	}
	seen := map[inputs.RequirementKind]bool{}
	c.Goal.Requirements = slices.DeleteFunc(c.Goal.Requirements, func(q inputs.Requirement) bool {
		again := seen[q.Kind]
		seen[q.Kind] = true
		return again
	})
	tight, eased := newJudge(c, plans, edge).decide(), newJudge(c, plans, -edge).decide()
	x.Explanation = &results.Explanation{}
	if tight.feasible != eased.feasible || tight.none != eased.none || tight.idle != eased.idle {
		return x
	}
	limit := formulation.Options{SAT: openSAT, TimeLimit: 10 * time.Second} // a few questions take minutes
	if x.Explanation, err = formulation.Explain(context.Background(), c, limit); err != nil {
		x.fail("%v", err)
		return x
	}
	if x.Unknown {
		x.outcome = "out of time" // how many are depends on the machine
		return x
	}
	if x.Feasible != tight.feasible {
		x.fail("feasible %t: brute force says %t", x.Feasible, tight.feasible)
		return x
	}
	x.outcome = "feasible"
	sets := []results.Conflict{{Conflict: x.Conflict, Nearest: x.Nearest}}
	if !x.Feasible {
		x.outcome = "infeasible"
		sets = append(sets, x.Further...)
		for _, set := range sets {
			x.checkConflict(set.Conflict)
		}
	}
	for _, set := range sets {
		for _, n := range set.Nearest {
			x.checkNearest(n)
		}
	}
	return x
}

// checkConflict re-solves without each member of a conflict, its others kept alone; and
// where all are kept there must be no plan.
func (x *explanation) checkConflict(conflict []results.Clash) {
	x.t.Helper()
	var outside, members []string
	for _, name := range formulation.DemandNames(x.c) {
		if slices.ContainsFunc(conflict, func(m results.Clash) bool { return m.Requirement == name }) {
			members = append(members, name)
		} else {
			outside = append(outside, name)
		}
	}
	if len(members) == 0 || len(members) != len(conflict) {
		x.fail("conflict %+v", conflict)
	}
	if !x.Minimal || !worksWithAll(x.t, x.c) {
		return // out of time; or as many GPUs as can be have to work, of which brute force knows nothing
	}
	for _, m := range members {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		met, ok, err := formulation.Meeting(ctx, x.c, append(slices.Clone(outside), m))
		cancel()
		if err != nil || !ok {
			x.fail("%v clash without %s too (%v)", members, m, err)
			continue
		}
		rep := solved(x.t, met)
		if what := verified(rep, met); !rep.Feasible && !onAnEdge(x.t, met) || what != "" {
			x.fail("%v without %s: a plan is claimed, solve says feasible %t, %s\n%s", members, m, rep.Feasible, what, describe(met))
		}
	}
	x.checkClash(outside, members)
}

// onAnEdge reports whether eased conditions have a plan: the longest prompt that will do
// may be rounded off it.
func onAnEdge(t *testing.T, c *inputs.Condition) bool {
	t.Helper()
	plans, ok := plansOf(t, c)
	return ok && newJudge(c, plans, -edge).decide().feasible
}

// checkClash enumerates the plans of many workloads under the members of a conflict
// alone: none may meet them.
func (x *explanation) checkClash(outside, members []string) {
	x.t.Helper()
	batch, input := formulation.Workloads(x.c, outside)
	for b := batch.Min; b <= batch.Max; b++ {
		for _, in := range slices.Compact([]int{input.Min, (input.Min + input.Max) / 2, input.Max}) {
			value := map[string]float64{}
			for _, name := range outside {
				switch {
				case name == "batch":
					value[name] = float64(b)
				case name == "input" && in > 0:
					value[name] = float64(in)
				case strings.HasPrefix(name, "gpus"): // what is given is enough to look at
					value[name] = 0
				}
			}
			left := slices.DeleteFunc(slices.Clone(outside), func(name string) bool { _, ok := value[name]; return ok })
			point := formulation.Changed(x.c, left, value)
			plans, ok := plansOf(x.t, point)
			if !ok {
				continue
			}
			if slices.Contains(members, "all_gpus") { // where a plan cannot use them all, solve takes fewer
				plans = slices.DeleteFunc(plans, func(x candidate) bool { return !x.all })
			}
			if v := newJudge(point, plans, edge).decide(); v.feasible {
				x.fail("%v clash, but with %d sequences of %d tokens there is a plan: %s\n%s", members, b, in, v.describe(), describe(point))
				return
			}
		}
	}
}

// plansOf are all plans of a tiny condition, none where it cannot be enumerated.
func plansOf(t *testing.T, c *inputs.Condition) ([]candidate, bool) {
	t.Helper()
	gpus := 0
	for _, p := range c.Cluster.Pools {
		if gpus += p.Count.Max; p.Count.Unlimited() || gpus > 8 {
			return nil, false
		}
	}
	o, err := newOracle(c, 0)
	if err != nil {
		t.Fatal(err)
	}
	return o.enumerate(), true
}

// worksWithAll reports whether some plan can be placed on all GPUs that have to work,
// requirements aside.
func worksWithAll(t *testing.T, c *inputs.Condition) bool {
	t.Helper()
	if c.Goal.AllowIdle {
		return true
	}
	plans, ok := plansOf(t, c)
	return ok && slices.ContainsFunc(plans, func(x candidate) bool { return x.all })
}

// checkNearest solves the condition with the value that is named, which must have a plan,
// and with one closer to what is asked (further from it where a plan exists anyway),
// which must have none.
func (x *explanation) checkNearest(n results.Nearest) {
	x.t.Helper()
	if n.Strategy == "" || n.Sentence == "" {
		x.fail("%s: no strategy or sentence: %+v", n.Requirement, n)
	}
	worse, left, value, ok := x.neighbour(n)
	if !ok {
		return
	}
	met := formulation.Changed(x.c, left, value(*n.Nearest))
	rep := solved(x.t, met)
	if what := verified(rep, met); !rep.Feasible || what != "" {
		x.fail("%s %g: solve finds no plan (%s) %v\n%s", n.Requirement, *n.Nearest, what, rep.Reasons, describe(met))
	}
	if math.IsNaN(worse) || !n.Proved {
		return
	}
	unmet := formulation.Changed(x.c, left, value(worse))
	// Time enough to find a plan, not to say by how much the condition is missed.
	rep, err := formulation.Optimize(context.Background(), unmet, formulation.Options{Backend: "labels", TimeLimit: 200 * time.Millisecond})
	if err != nil {
		x.t.Fatal(err)
	}
	if rep.Feasible {
		x.fail("%s %g is named: solve finds a plan for %g too\n%s", n.Requirement, *n.Nearest, worse, describe(unmet))
	}
	if plans, ok := plansOf(x.t, unmet); ok && len(plans) < 200_000 {
		if v := newJudge(unmet, plans, edge).decide(); v.feasible {
			x.fail("%s %g is named: brute force finds a plan for %g too: %s\n%s", n.Requirement, *n.Nearest, worse, v.describe(), describe(unmet))
		}
	}
}

// neighbour is a value closer to what is asked than a nearest one, NaN where none is to be
// held against, with what else is left out for it and how a condition takes the value.
func (x *explanation) neighbour(n results.Nearest) (worse float64, left []string, value func(float64) map[string]float64, ok bool) {
	if n.Nearest == nil || slices.ContainsFunc(n.AlsoRelaxed, func(name string) bool { return name == "batch" || name == "input" || name == "heads" }) {
		return 0, nil, nil, false // no amount, or of some workload or padding that is not told
	}
	left, worse = slices.Clone(n.AlsoRelaxed), *n.Nearest
	value = func(v float64) map[string]float64 { return map[string]float64{n.Requirement: v} }
	kind, _, _ := strings.Cut(n.Requirement, " of ")
	switch kind {
	case "heads": // by the degree, see TestExplainHeads
		return 0, nil, nil, false
	case "all_gpus":
		left = append(left, n.Requirement)
		value = func(float64) map[string]float64 { return nil }
		worse = math.NaN()
	case "nodes":
		worse = math.NaN()
	case "gpus":
		if worse--; !x.Feasible && worse <= *n.Want {
			worse = math.NaN()
		}
	case "batch":
		worse++
	case "input": // a token or two are less than the ticks of a time
		worse = math.Ceil(worse*(1+1e-3)) + 1
	case "memory":
		worse -= 0.1
	case "balance":
		if worse -= 0.001; worse < 0.0005 {
			worse = math.NaN()
		}
	default:
		worse *= 1 - 1e-3
		if !inputs.RequirementKind(kind).Upper() {
			worse = *n.Nearest * (1 + 1e-3)
		}
	}
	if (kind == "batch" || kind == "input") && worse >= *n.Want {
		worse = math.NaN()
	}
	return worse, left, value, true
}
