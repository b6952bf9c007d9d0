package formulation_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"partita/formulation"
	"partita/inputs"
	"partita/results"
	"partita/results/verify"
)

// Every tiny condition: the frontier is that of all plans there are. None is missing,
// none is beaten, each is verified.
func TestFrontierOfEveryPlan(t *testing.T) {
	seeds := uint64(250)
	if n, err := strconv.ParseUint(os.Getenv("PARTITA_ORACLE"), 10, 64); err == nil {
		seeds = n
	}
	seen := map[string]int{}
	for seed := range seeds {
		seen[frontierCase(t, 20_000+seed)]++
		if t.Failed() && testing.Short() {
			break
		}
	}
	t.Logf("%v", seen)
	for _, outcome := range []string{"none", "one point", "several points", "cost an axis"} {
		if seen[outcome] < int(seeds/40) {
			t.Errorf("%d cases end as %q: the generator says too little (%v)", seen[outcome], outcome, seen)
		}
	}
	if seen["on an edge"] > int(seeds/4) {
		t.Errorf("%d of %d cases are on an edge", seen["on an edge"], seeds)
	}
}

// Conditions whose frontier was once wrong: cost was no axis where fewer GPUs than stated
// can be used and pools have unlike prices.
func TestFrontierOfWhatWasWrong(t *testing.T) {
	for _, seed := range []uint64{21284, 22252, 23227, 23314} {
		frontierCase(t, seed)
	}
}

// axes of a plan, less is better in each.
type axes [3]float64

// tickError is how far whole ticks may move a figure.
const tickError = 5e-5

// beats reports whether a is no worse than b in any axis, and better by more than ticks
// can hide in one.
func (a axes) beats(b axes) bool {
	better := false
	for i := range a {
		if a[i] > b[i] {
			return false
		}
		better = better || a[i] < b[i]*(1-tickError)
	}
	return better
}

// near reports whether a is at most as large as b, ticks aside, in every axis.
func (a axes) near(b axes) bool {
	for i := range a {
		if a[i] > b[i]*(1+tickError) {
			return false
		}
	}
	return true
}

func frontierCase(t *testing.T, seed uint64) string {
	d := newDraw(seed)
	c := d.condition()
	o, err := newOracle(c, 0)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	plans := o.enumerate()
	if len(plans) > 0 {
		d.require(c, plans)
	}
	if seed%2 == 0 {
		c.Goal.Requirements = nil // they leave few plans to trade
	}
	priced := seed%3 != 0
	if !priced {
		withoutPrices(c, plans)
	}
	fail := func(format string, args ...any) string {
		t.Helper()
		t.Errorf("seed %d: %s\n%s", seed, fmt.Sprintf(format, args...), describe(c))
		return "wrong"
	}
	f, err := formulation.Pareto(context.Background(), c, formulation.Options{Backend: "labels"})
	if err != nil {
		return fail("%v", err)
	}
	if what := sound(f, c); what != "" {
		return fail("%s", what)
	}
	tight, terms := newJudge(c, plans, edge).admitted()
	eased, easedTerms := newJudge(c, plans, -edge).admitted()
	if (len(tight.plans) == 0) != (len(eased.plans) == 0) || terms != easedTerms {
		return "on an edge"
	}
	if len(tight.plans) == 0 {
		if len(f.Points) > 0 || f.Status != results.StatusInfeasible {
			return fail("%s with %d points: no plan meets everything", f.Status, len(f.Points))
		}
		return "none"
	}
	if f.Status != results.StatusOptimal {
		return fail("status %s: %d plans meet everything", f.Status, len(tight.plans))
	}
	if what := frontierDiffers(f, tight, eased, priced); what != "" {
		return fail("%s", what)
	}
	switch {
	case len(f.Points) == 1:
		return "one point"
	case priced && f.Points[0].GPUs != f.Points[len(f.Points)-1].GPUs:
		return "cost an axis"
	}
	return "several points"
}

// withoutPrices forgets all prices, and what asks for one.
func withoutPrices(c *inputs.Condition, plans []candidate) {
	for k := range c.Cluster.Pools {
		c.Cluster.Pools[k].USDPerHour = 0
	}
	for i := range plans {
		plans[i].price = 0
	}
	c.Goal.Requirements = slices.DeleteFunc(c.Goal.Requirements, func(q inputs.Requirement) bool { return q.Kind == inputs.CostUSDPerHour })
}

// terms are what gives way where no plan meets everything.
type terms struct {
	floor float64 // of the balance
	all   bool    // plans use all GPUs of the stated numbers
	idle  int     // GPUs used where not all can be
}

// admitted are the plans that a frontier is made of, and the terms they keep.
func (j *judge) admitted() (*judge, terms) {
	all, t := j, terms{floor: 0.75}
	if !j.c.Goal.AllowIdle {
		full := j.where(func(x *candidate) bool { return x.all })
		switch {
		case len(full.plans) > 0:
			all, t.all = full, true
		case !j.ours():
			for i := range j.plans {
				t.idle = max(t.idle, j.plans[i].gpus)
			}
			all = j.where(func(x *candidate) bool { return x.gpus == t.idle })
		}
	}
	stated := j.c.Goal.Balance != nil
	if stated {
		t.floor = 1 - *j.c.Goal.Balance
	}
	met := all.where(func(x *candidate) bool { return j.meets(x, 0) })
	even := met.where(func(x *candidate) bool { return j.balanced(x, t.floor) })
	if stated || len(even.plans) > 0 || len(met.plans) == 0 {
		return even, t
	}
	t.floor = met.evenest()
	step := 0.0
	if j.slip < 0 { // the search uses it a step lower, found in steps of a tenth of a percent
		step = 0.0021
	}
	return met.where(func(x *candidate) bool { return j.balanced(x, t.floor-step) }), t
}

func (j *judge) axes(x *candidate) axes { return axes{j.latency(x), j.seconds(x), x.price} }

// frontierDiffers holds a frontier against all plans; what differs is named.
func frontierDiffers(f *results.Frontier, tight, eased *judge, priced bool) string {
	of := func(p *results.FrontierPoint) axes {
		a := axes{p.LatencyMS / 1e3, 1 / p.TokensPerS, 0}
		if priced {
			a[2] = *p.USDPerHour
		}
		return a
	}
	for i := range tight.plans {
		x := &tight.plans[i]
		a := tight.axes(x)
		if !slices.ContainsFunc(f.Points, func(p results.FrontierPoint) bool { return of(&p).near(a) }) {
			return fmt.Sprintf("missing: a plan of %v, %+v", a, *x)
		}
	}
	for i := range f.Points {
		p := &f.Points[i]
		a := of(p)
		real := false
		for k := range eased.plans {
			b := eased.axes(&eased.plans[k])
			real = real || math.Abs(a[0]/b[0]-1) < 1e-6 && math.Abs(a[1]/b[1]-1) < 1e-6 && a[2] == b[2] && p.GPUs == eased.plans[k].gpus
		}
		if !real {
			return fmt.Sprintf("point %d, %v on %d GPUs, is no plan", i, a, p.GPUs)
		}
		for k := range tight.plans {
			x := &tight.plans[k]
			b := tight.axes(x)
			switch {
			case b.beats(a):
				return fmt.Sprintf("point %d, %v, is beaten by %v, %+v", i, a, b, *x)
			case tight.c.Goal.AllowIdle && b == a && x.gpus < p.GPUs:
				return fmt.Sprintf("point %d, %v, needs %d GPUs of its %d", i, a, x.gpus, p.GPUs)
			}
		}
	}
	return ""
}

// sound reports what is wrong with a frontier by itself: its order, its dominance, its
// plans, its account.
func sound(f *results.Frontier, c *inputs.Condition) string {
	priced := slices.Contains(f.Axes, "usd_per_hour")
	for i := range f.Points {
		p := &f.Points[i]
		if a, b := p.LatencyInterval, p.Plan.Phases[0].Metrics.E2EInterval; (a == nil) != (b == nil) || a != nil && *a != *b {
			return fmt.Sprintf("point %d: the latency lies in %v, by its plan in %v", i, a, b)
		}
		v, err := verify.Check(p.Plan, c)
		if err != nil {
			return err.Error()
		}
		for _, x := range verify.Violations(v) {
			return fmt.Sprintf("point %d: %s: want %s, got %s", i, x.Rule, x.Want, x.Got)
		}
		for j := range f.Points {
			q := &f.Points[j]
			cheap := !priced || *q.USDPerHour <= *p.USDPerHour
			if i != j && q.LatencyMS <= p.LatencyMS && q.TokensPerS >= p.TokensPerS && cheap {
				return fmt.Sprintf("point %d is beaten by point %d", i, j)
			}
			if j > i && q.LatencyMS < p.LatencyMS {
				return fmt.Sprintf("point %d comes before point %d", i, j)
			}
		}
	}
	sum := results.Outer{}
	for _, line := range f.Certificate.Choices {
		switch line.Outcome {
		case "solved":
			sum.Solved += line.Choices
		case "infeasible":
			sum.Infeasible += line.Choices
		case "pruned":
			sum.Pruned += line.Choices
		default:
			sum.Open += line.Choices
		}
	}
	if sum != f.Certificate.Outer {
		return fmt.Sprintf("the lines of the certificate count %+v, it says %+v", sum, f.Certificate.Outer)
	}
	if f.Status == results.StatusOptimal && sum.Open > 0 {
		return fmt.Sprintf("optimal with %d choices open", sum.Open)
	}
	return ""
}
