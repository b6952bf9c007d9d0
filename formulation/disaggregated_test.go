package formulation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"

	"partita/formulation"
	"partita/formulation/cost"
	"partita/inputs"
	"partita/inputs/read"
	"partita/results"
	"partita/results/verify"
)

// Every tiny condition: the split and the plans of both sides are the best of all, the
// closest plan misses by least, no plan means that there is none, and each plan verifies.
func TestDisaggregatedOptimumOfEveryPlan(t *testing.T) {
	seen := map[string]int{}
	for seed := uint64(0); seen["met"] < 60; seed++ {
		seen[apartCase(t, seed)]++
		if t.Failed() {
			return
		}
	}
	t.Logf("%v", seen)
	if seen["closest"] < 10 || seen["none"] < 3 || seen["wide"] > 40 {
		t.Errorf("the generator says too little: %v", seen)
	}
}

// apartCondition draws one that keeps prefill and decode apart; false where it is none.
func apartCondition(d draw) (*inputs.Condition, bool) {
	c := d.condition()
	w := &c.Workload
	if w.Phase != inputs.Mixed || len(c.Model.Layers) > 3 {
		return nil, false
	}
	total := 0
	for _, p := range c.Cluster.Pools {
		total += p.Count.Max
	}
	if total < 2 || total > 5 {
		return nil, false
	}
	c.Goal.Placement = inputs.Disaggregated
	if c.Goal.Balance = nil; d.chance(75) {
		c.Goal.Balance = ptr(pick(d, 0.5, 1, 1))
	}
	c.Goal.Objective = pick(d, inputs.Balanced, inputs.Balanced, inputs.Latency, inputs.Throughput)
	if c.Goal.AllowIdle && d.chance(40) {
		c.Goal.Objective = pick(d, inputs.GPUs, inputs.Cost)
	}
	if d.chance(30) { // a link that is worth arranging plans for
		c.Cluster.Network.BytesPerSecond = 1e8
	}
	return c, true
}

func apartCase(t *testing.T, seed uint64) string {
	d := newDraw(seed)
	c, ok := apartCondition(d)
	if !ok {
		return "not drawn"
	}
	calc, err := cost.New(c)
	if err != nil {
		t.Fatal(err)
	}
	all := (&apartOracle{c: c, calc: calc, known: map[string][]sidePlan{}}).pairs(t)
	if len(all) > 0 { // requirements near what some plan reaches
		x := all[d.IntN(len(all))]
		ask := func(kind inputs.RequirementKind, value float64) {
			if d.chance(45) {
				c.Goal.Requirements = append(c.Goal.Requirements, inputs.Requirement{Kind: kind, Value: value})
			}
		}
		ease := pick(d, 0.3, 0.9, 1.3, 2)
		ask(inputs.TTFT, x.ttft*ease)
		ask(inputs.TPOT, x.tpot*ease)
		ask(inputs.TokensPerSecond, x.tokens/ease)
		ask(inputs.EndToEnd, x.e2e*ease)
		ask(inputs.OutputPerSGPU, x.output/float64(x.gpus)/ease)
		ask(inputs.CostUSDPerHour, x.price*ease)
	}
	rep, err := formulation.Optimize(context.Background(), c, formulation.Options{Backend: "labels"})
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	fail := func(format string, args ...any) string {
		t.Helper()
		t.Errorf("seed %d: %s\n%s", seed, fmt.Sprintf(format, args...), describe(c))
		return "wrong"
	}
	if rep.Plan == nil {
		if best(c, all, math.Inf(1), false, func(*pairOf) float64 { return 0 }) == 0 && (c.Goal.AllowIdle || len(all) > 0) {
			return fail("no plan, and there is one")
		}
		if rep.Status != results.StatusInfeasible {
			return fail("status %s", rep.Status)
		}
		return "none"
	}
	v, err := verify.CheckWith(rep.Plan, c, verify.Options{Closest: !rep.Feasible})
	if err != nil || !v.OK {
		return fail("not verified: %v %+v", err, verify.Violations(v))
	}
	if math.IsInf(best(c, all, math.Inf(1), false, func(*pairOf) float64 { return 0 }), 1) {
		return "idle" // no split of all GPUs holds the model on both sides
	}
	if rep.Status == results.StatusFeasible {
		return fail("not proved")
	}
	even := 1 - formulation.DefaultBalance
	if c.Goal.Balance != nil {
		return apartAgrees(c, all, rep, fail)
	}
	// The default balance gives way where no plan that meets everything keeps it, or none at
	// all, and no more than it must.
	missed := 0.0
	if !rep.Feasible {
		missed = math.Inf(1)
	}
	if most := -best(c, all, missed, false, func(x *pairOf) float64 { return -x.ratio }); most < even {
		even = most - 0.003
	}
	for i := range rep.Plan.Phases {
		if r := rep.Plan.Phases[i].Balance.TimeMinOverMax; r < even {
			return fail("%s has stages of %g, and %g is met", rep.Plan.Phases[i].Phase, r, even)
		}
	}
	got := apartAgrees(c, slices.DeleteFunc(all, func(x pairOf) bool { return x.ratio < even }), rep, fail)
	if even < 1-formulation.DefaultBalance && got != "wrong" {
		return "lowered"
	}
	return got
}

// apartAgrees holds a proved plan against all pairs. Plans that the search does not promise
// to look at may be found and need not be.
func apartAgrees(c *inputs.Condition, all []pairOf, rep *results.Report, fail func(string, ...any) string) string {
	const near = 1e-5 // whole ticks
	inf := math.Inf(1)
	m := &rep.Plan.Disaggregated.Metrics
	mine := pairOf{ttft: *m.TTFTMS / 1e3, tpot: *m.TPOTMS / 1e3, e2e: *m.E2EMS / 1e3, tokens: *m.TokensPerS, output: *m.OutputTokensPerS, gpus: rep.Plan.Disaggregated.GPUs.Used}
	if m.USDPerHour != nil {
		mine.price = *m.USDPerHour
	}
	miss := func(x *pairOf) float64 { return x.miss(c) }
	promised, possible := best(c, all, inf, false, miss), best(c, all, inf, true, miss)
	got := mine.miss(c)
	if got > promised*(1+near)+near || got < possible*(1-near)-near {
		return fail("misses by %g, the least is %g", got, promised)
	}
	if rep.Feasible != (got <= 1e-9) || promised < possible {
		if promised == possible {
			return fail("feasible %t at a miss of %g", rep.Feasible, got)
		}
		return "wide"
	}
	left := slices.DeleteFunc(slices.Clone(all), func(x pairOf) bool { return x.miss(c) > got*(1+1e-9)+1e-9 })
	open := slices.ContainsFunc(c.Cluster.Pools, func(p inputs.Pool) bool { return !p.Count.Stated() })
	rank := func(x *pairOf) float64 { return 0 }
	switch {
	case c.Goal.Objective == inputs.Cost:
		rank = func(x *pairOf) float64 { return x.price }
	case c.Goal.Objective == inputs.GPUs, open && len(c.Goal.Requirements) > 0:
		rank = func(x *pairOf) float64 { return float64(x.gpus) }
	}
	if rep.Feasible {
		first := best(c, left, inf, false, rank)
		if best(c, left, inf, true, rank) < first {
			return "wide"
		}
		if math.Abs(rank(&mine)-first) > near*first {
			return fail("%g GPUs or USD an hour, %g are enough", rank(&mine), first)
		}
		left = slices.DeleteFunc(left, func(x pairOf) bool { return rank(&x) > first*(1+near) })
	}
	latency := func(x *pairOf) float64 { return x.e2e }
	perToken := func(x *pairOf) float64 {
		if open {
			return float64(x.gpus) / x.tokens
		}
		return 1 / x.tokens
	}
	value := latency
	switch c.Goal.Objective {
	case inputs.Latency:
	case inputs.Throughput:
		value = perToken
	default:
		l, k := best(c, left, inf, false, latency), best(c, left, inf, false, perToken)
		if best(c, left, inf, true, latency) < l*(1-near) || best(c, left, inf, true, perToken) < k*(1-near) {
			return "wide"
		}
		a, b := c.Goal.LatencyWeight, c.Goal.ThroughputWeight
		if a <= 0 && b <= 0 {
			a, b = 1, 1
		}
		value = func(x *pairOf) float64 { return a*x.e2e/l + b*perToken(x)/k }
	}
	promised, possible = best(c, left, inf, false, value), best(c, left, inf, true, value)
	if x := value(&mine); x > promised*(1+near) || x < possible*(1-near) {
		return fail("objective %g of the plan, the best of all is %g (%g beyond what is promised)", x, promised, possible)
	}
	if x := rep.Plan.Disaggregated.Solve.Objective; math.Abs(x-value(&mine)) > near*x {
		return fail("objective %g stated, %g by its metrics", x, value(&mine))
	}
	if rep.Feasible {
		return "met"
	}
	return "closest"
}

// TestDisaggregatedTwice: the same condition gives the same bytes.
func TestDisaggregatedTwice(t *testing.T) {
	c, err := read.Load(read.Options{Paths: []string{"../examples/disaggregated/llama-3.1-70b-fp8-2x8-h100.yaml"}})
	if err != nil {
		t.Fatal(err)
	}
	var text [2]string
	for i := range text {
		rep, err := formulation.Optimize(t.Context(), c, formulation.Options{Backend: "labels"})
		if err != nil {
			t.Fatal(err)
		}
		if rep.Status != results.StatusOptimal || !rep.Feasible {
			t.Fatalf("%s: %v", rep.Status, rep.Reasons)
		}
		rep.Plan.Disaggregated.Solve.TimeMS = 0
		for j := range rep.Plan.Phases {
			rep.Plan.Phases[j].Solve.TimeMS = 0
		}
		data, err := json.Marshal(rep.Plan)
		if err != nil {
			t.Fatal(err)
		}
		text[i] = string(data)
	}
	if text[0] != text[1] {
		t.Error("two runs differ")
	}
}
