package formulation_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"partita/formulation"
	"partita/inputs"
	"partita/inputs/read"
	"partita/results"
)

// frontierOf is the frontier by labels, sound by itself.
func frontierOf(t *testing.T, c *inputs.Condition) *results.Frontier {
	t.Helper()
	f, err := formulation.Pareto(context.Background(), c, formulation.Options{Backend: "labels"})
	if err != nil {
		t.Fatalf("%v\n%s", err, describe(c))
	}
	if what := sound(f, c); what != "" {
		t.Fatalf("%s\n%s", what, describe(c))
	}
	return f
}

// example reads one of the examples, with overrides.
func example(t *testing.T, name string, set ...read.Override) *inputs.Condition {
	t.Helper()
	c, err := read.Load(read.Options{Paths: []string{"../examples/" + name}, Overrides: set})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The optimum of each objective is a point of the frontier, marked as chosen by it.
func TestFrontierHoldsEveryObjective(t *testing.T) {
	held := 0
	check := func(c *inputs.Condition, kinds ...inputs.ObjectiveKind) {
		f := frontierOf(t, c)
		if f.Status != results.StatusOptimal {
			return
		}
		for _, kind := range kinds {
			if l, r := c.Goal.LatencyWeight, c.Goal.ThroughputWeight; kind == inputs.Balanced && (l > 0) != (r > 0) {
				continue // a term without weight breaks no ties: another plan may beat the optimum in it
			}
			own := *c
			own.Goal.Objective = kind
			rep := solved(t, &own)
			if !rep.Feasible || rep.Status != results.StatusOptimal {
				t.Errorf("%s, %s: the frontier is complete, the search ends as %s\n%s", c.Name, kind, rep.Status, describe(c))
				continue
			}
			m := &rep.Plan.Phases[0].Metrics
			rate := *m.TokensPerS
			if f.ThroughputOf == "gpu" {
				rate = *m.TokensPerSPerGPU
			}
			near := func(p results.FrontierPoint) bool {
				return math.Abs(p.LatencyMS / *m.E2EMS - 1) < tickError && math.Abs(p.TokensPerS/rate-1) < tickError
			}
			at := slices.IndexFunc(f.Points, near)
			chosen := slices.IndexFunc(f.Points, func(p results.FrontierPoint) bool { return slices.Contains(p.ChosenBy, string(kind)) })
			if at < 0 || chosen < 0 {
				t.Errorf("%s, %s: the optimum at %g ms, %g tokens/s is no point\n%s", c.Name, kind, *m.E2EMS, rate, describe(c))
				continue
			}
			// Points a tick apart may be worth the same: the chosen one must be no worse.
			if worth(c, f, kind, &f.Points[chosen]) > worth(c, f, kind, &f.Points[at])*(1+tickError) {
				t.Errorf("%s, %s: point %d is chosen, the optimum is point %d\n%s", c.Name, kind, chosen, at, describe(c))
			}
			held++
		}
	}
	all := []inputs.ObjectiveKind{inputs.Balanced, inputs.Latency, inputs.Throughput}
	for _, name := range []string{"three-pools-llama-70b-fp16.yaml", "llama-3.1-70b-2x8-h100.yaml", "gpus-5.yaml"} {
		check(example(t, name), all...)
	}
	check(example(t, "deepseek-v3-fp8-4x8-h200.yaml"), inputs.Balanced, inputs.Latency)
	check(example(t, "llama-3.1-70b-2x8-h100.yaml", read.Override{Key: "cluster.count", Value: "unlimited"}), inputs.Balanced, inputs.Latency)
	check(example(t, "three-pools-llama-70b-fp16.yaml", read.Override{Key: "workload.phase", Value: "prefill"}), all...)
	for seed := range uint64(60) {
		d := newDraw(seed + 1<<22)
		c := d.condition()
		c.Name = fmt.Sprintf("seed %d", seed)
		if o, err := newOracle(c, 0); err == nil {
			if plans := o.enumerate(); len(plans) > 0 && seed%2 == 0 {
				d.require(c, plans)
			}
		}
		for _, p := range c.Cluster.Pools {
			if !p.Count.Stated() {
				c.Goal.Requirements = nil // else a search for one plan decides the number first
			}
		}
		check(c, all...)
	}
	if held < 100 {
		t.Errorf("%d optima were held against a frontier: the generator says too little", held)
	}
}

// worth is the objective of a point, less is better.
func worth(c *inputs.Condition, f *results.Frontier, kind inputs.ObjectiveKind, p *results.FrontierPoint) float64 {
	fast, rich := math.Inf(1), 0.0
	for i := range f.Points {
		fast, rich = min(fast, f.Points[i].LatencyMS), max(rich, f.Points[i].TokensPerS)
	}
	switch kind {
	case inputs.Latency:
		return p.LatencyMS
	case inputs.Throughput:
		return 1 / p.TokensPerS
	}
	a, b := c.Goal.LatencyWeight, c.Goal.ThroughputWeight
	if a <= 0 && b <= 0 {
		a, b = 1, 1
	}
	return a*p.LatencyMS/fast + b*rich/p.TokensPerS
}

// One kind of GPU more, or a price, leaves a frontier of which no point beats another;
// with idle GPUs allowed the larger cluster beats or has every point of the smaller one.
func TestFrontierOfALargerCluster(t *testing.T) {
	grown, priced := 0, 0
	for seed := range uint64(60) {
		d := newDraw(seed + 1<<23)
		c := d.condition()
		c.Cluster.Pools = c.Cluster.Pools[:1]
		c.Cluster.Pools[0].USDPerHour = 0
		c.Goal.AllowIdle, c.Goal.Balance = true, ptr(pick(d, 0.3, 1, 1))
		if !c.Cluster.Pools[0].Count.Stated() {
			continue
		}
		before := frontierOf(t, c)
		more := *c
		more.Cluster.Pools = append(slices.Clone(c.Cluster.Pools), d.pool("pool-z", pick(d, nodes[:8]...), &c.Model, &c.Workload))
		more.Cluster.Pools[1].USDPerHour = 0
		after := frontierOf(t, &more)
		for i := range before.Points {
			p := &before.Points[i]
			if !slices.ContainsFunc(after.Points, func(q results.FrontierPoint) bool {
				return q.LatencyMS <= p.LatencyMS*(1+tickError) && q.TokensPerS*(1+tickError) >= p.TokensPerS
			}) {
				t.Errorf("seed %d: with more GPUs nothing reaches %g ms, %g tokens/s\n%s", seed, p.LatencyMS, p.TokensPerS, describe(&more))
			}
			grown++
		}
		// With prices the points of two axes stay, and cheaper ones come in.
		dear := more
		dear.Cluster.Pools = slices.Clone(more.Cluster.Pools)
		for k := range dear.Cluster.Pools {
			dear.Cluster.Pools[k].USDPerHour = pick(d, 0.5, 1, 3)
		}
		withCost := frontierOf(t, &dear)
		if len(withCost.Axes) != 3 || len(withCost.Points) < len(after.Points) {
			t.Errorf("seed %d: axes %v, %d points with prices, %d without\n%s", seed, withCost.Axes, len(withCost.Points), len(after.Points), describe(&dear))
		}
		for i := range after.Points {
			p := &after.Points[i]
			if !slices.ContainsFunc(withCost.Points, func(q results.FrontierPoint) bool {
				return math.Abs(q.LatencyMS/p.LatencyMS-1) < tickError && math.Abs(q.TokensPerS/p.TokensPerS-1) < tickError
			}) {
				t.Errorf("seed %d: with prices %g ms, %g tokens/s is gone\n%s", seed, p.LatencyMS, p.TokensPerS, describe(&dear))
			}
			priced++
		}
	}
	if grown < 20 || priced < 20 {
		t.Errorf("%d points grown, %d priced: the generator says too little", grown, priced)
	}
}

// Every backend gives the same points.
func TestFrontierOfEveryBackend(t *testing.T) {
	list := backends(t)
	for seed := range uint64(25) {
		d := newDraw(seed + 1<<24)
		c := d.condition()
		c.Cluster.Pools = c.Cluster.Pools[:1]
		c.Model.Layers = c.Model.Layers[:min(3, len(c.Model.Layers))]
		c.Workload.Batch = min(3, c.Workload.Batch)
		var first *results.Frontier
		for _, opts := range list {
			f, err := formulation.Pareto(context.Background(), c, opts)
			if err != nil {
				t.Fatalf("seed %d, %s: %v\n%s", seed, opts.Backend, err, describe(c))
			}
			if what := sound(f, c); what != "" {
				t.Errorf("seed %d, %s: %s\n%s", seed, opts.Backend, what, describe(c))
			}
			if first == nil {
				first = f
			}
			if f.Status != first.Status || len(f.Points) != len(first.Points) {
				t.Fatalf("seed %d: %s finds %s with %d points, %s %s with %d\n%s", seed, list[0].Backend, first.Status, len(first.Points), opts.Backend, f.Status, len(f.Points), describe(c))
			}
			for i := range f.Points {
				if f.Points[i].LatencyMS != first.Points[i].LatencyMS && math.Abs(f.Points[i].LatencyMS/first.Points[i].LatencyMS-1) > tickError {
					t.Errorf("seed %d: point %d of %s is at %g ms, of %s at %g ms", seed, i, opts.Backend, f.Points[i].LatencyMS, list[0].Backend, first.Points[i].LatencyMS)
				}
			}
		}
	}
}

// The objective does not matter to a frontier, nor does asking twice.
func TestFrontierIsAlwaysTheSame(t *testing.T) {
	c := example(t, "three-pools-llama-70b-fp16.yaml")
	want := asJSON(t, frontierOf(t, c))
	for _, kind := range []inputs.ObjectiveKind{inputs.Balanced, inputs.Latency, inputs.GPUs, inputs.Cost} {
		own := *c
		own.Goal.Objective = kind
		if got := asJSON(t, frontierOf(t, &own)); got != want {
			t.Errorf("objective %s: %s\nwant %s", kind, got, want)
		}
	}
}

// Whenever the time runs out what is there is sound, and called proved only where
// nothing that is open could beat it.
func TestFrontierOutOfTime(t *testing.T) {
	c := hard()
	for _, limit := range []time.Duration{1, 20 * time.Millisecond, 100 * time.Millisecond, 400 * time.Millisecond, 1500 * time.Millisecond} {
		f, err := formulation.Pareto(context.Background(), c, formulation.Options{Backend: "labels", TimeLimit: limit})
		if err != nil {
			t.Fatalf("%v: %v", limit, err)
		}
		if what := sound(f, c); what != "" {
			t.Errorf("%v: %s", limit, what)
		}
		switch {
		case len(f.Points) == 0 && f.Status != results.StatusUnknown:
			t.Errorf("%v: %s without a point", limit, f.Status)
		case f.Status == results.StatusFeasible && f.Certificate.Outer.Open == 0:
			t.Errorf("%v: not complete, and no choice is open", limit)
		}
		for i := range f.Points {
			if f.Points[i].Status != "optimal" && f.Status == results.StatusOptimal {
				t.Errorf("%v: complete, and point %d is not proved", limit, i)
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	f, err := formulation.Pareto(ctx, c, formulation.Options{Backend: "labels"})
	if err != nil || f.Status != results.StatusUnknown || len(f.Points) > 0 {
		t.Errorf("cancelled before the start: %+v, %v", f, err)
	}
}

// Where there is nothing to trade the frontier says why.
func TestFrontierOfNothing(t *testing.T) {
	for _, row := range []struct {
		c    *inputs.Condition
		want string
	}{
		{example(t, "llama-70b-one-24gb-infeasible.yaml"), "GiB short"},
		{example(t, "llama-3.1-8b-one-24gb.yaml", read.Override{Key: "goal.requirements.tpot", Value: "1ms"}), "no plan meets all requirements"},
	} {
		f := frontierOf(t, row.c)
		if f.Status != results.StatusInfeasible || len(f.Points) > 0 || len(f.Reasons) == 0 {
			t.Errorf("%s: %s, %d points, %q", row.c.Name, f.Status, len(f.Points), f.Reasons)
			continue
		}
		if !slices.ContainsFunc(f.Reasons, func(s string) bool { return strings.Contains(s, row.want) }) {
			t.Errorf("%s: %q, want %q", row.c.Name, f.Reasons, row.want)
		}
	}
}

// Rules bind every point, and the certificate says what they refused.
func TestFrontierKeepsRules(t *testing.T) {
	c := example(t, "gpus-6.yaml", read.Override{Key: "workload.phase", Value: "prefill"})
	free := frontierOf(t, c)
	own := *c
	own.Rules = []inputs.Rule{{Name: "no split heads", Expr: "tp == 1 && cp == 1"}, {Name: "two replicas", Expr: "replicas <= 2"}}
	f := frontierOf(t, &own)
	if f.Status != results.StatusOptimal || len(f.Points) == 0 {
		t.Fatalf("%s with %d points: %q", f.Status, len(f.Points), f.Reasons)
	}
	for i := range f.Points {
		s := &f.Points[i].Strategy
		if tp, _ := s.TP.Uniform(); tp != 1 || s.Replicas > 2 {
			t.Errorf("point %d breaks a rule: %+v", i, s)
		}
	}
	for i := range f.Points {
		a := axes{f.Points[i].LatencyMS, 1 / f.Points[i].TokensPerS, 0}
		if !slices.ContainsFunc(free.Points, func(p results.FrontierPoint) bool { return axes{p.LatencyMS, 1 / p.TokensPerS, 0}.near(a) }) {
			t.Errorf("point %d is better than all without rules", i)
		}
	}
}
