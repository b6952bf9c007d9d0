package formulation_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"partita/formulation"
	"partita/inputs"
	"partita/results"
)

// hard is a condition that takes seconds to prove: three unlike pools whose GPUs must
// all be used.
func hard() *inputs.Condition {
	c := small()
	c.Name = "hard"
	d := newDraw(9)
	c.Model.Layers = make([]int, 40)
	c.Workload.Batch = 24
	c.Cluster.Pools = nil
	for i, node := range [][]int{{8, 8}, {8}, {4, 4, 4}} {
		p := d.pool(fmt.Sprintf("pool-%d", i), node, &c.Model, &c.Workload)
		p.MemoryBytes = 24 << 30
		p.Accelerator.MemoryBandwidth = []float64{2e12, 0.9e12, 0.35e12}[i]
		c.Cluster.Pools = append(c.Cluster.Pools, p)
	}
	c.Goal.Balance = nil
	return c
}

// A context that ended before the start gives a report that says nothing was found.
func TestCancelledBeforeTheStart(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []*inputs.Condition{small(), hard()} {
		rep, err := formulation.Optimize(ctx, c, formulation.Options{SAT: openSAT})
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		if rep.Status != results.StatusUnknown || rep.Plan != nil || rep.Feasible || len(rep.Reasons) > 0 {
			t.Errorf("%s: %s, feasible %t, plan %t, reasons %q: want unknown and nothing else", c.Name, rep.Status, rep.Feasible, rep.Plan != nil, rep.Reasons)
		}
	}
}

// Whenever the time runs out there is a report: of nothing, or of a plan that
// verifies with a bound below it, and called optimal only where no choice is open.
func TestTimeLimit(t *testing.T) {
	c := hard()
	for _, limit := range []time.Duration{1, 5 * time.Millisecond, 20 * time.Millisecond, 60 * time.Millisecond, 200 * time.Millisecond} {
		for _, kind := range []inputs.ObjectiveKind{inputs.Balanced, inputs.Latency, inputs.Throughput, inputs.GPUs} {
			c.Goal.Objective = kind
			rep, err := formulation.Optimize(context.Background(), c, formulation.Options{TimeLimit: limit, SAT: openSAT})
			if err != nil {
				t.Fatalf("%v, %s: %v", limit, kind, err)
			}
			checkStopped(t, fmt.Sprintf("%v, %s", limit, kind), rep, c)
		}
	}
}

// A cancelled search returns as one out of time does.
func TestCancelledInTheMiddle(t *testing.T) {
	c := hard()
	for _, after := range []string{"latency alone", "throughput alone", "objective"} {
		ctx, cancel := context.WithCancel(context.Background())
		log := func(part string) {
			if part == after {
				cancel()
			}
		}
		rep, err := formulation.Optimize(ctx, c, formulation.Options{Log: log, SAT: openSAT})
		cancel()
		if err != nil {
			t.Fatalf("%s: %v", after, err)
		}
		if rep.Status == results.StatusInfeasible {
			t.Errorf("cancelled at %q: called infeasible", after)
		}
		checkStopped(t, after, rep, c)
		if rep.Plan == nil {
			continue
		}
		s := &rep.Plan.Phases[0].Solve
		if after == "throughput alone" && math.Abs(s.Objective-2) > 1e-3 {
			t.Errorf("%s: objective %g of the only plan, which is its own yardstick twice: want 2", after, s.Objective)
		}
		if rep.Status == results.StatusOptimal {
			t.Errorf("cancelled at %q: called optimal", after)
		}
	}
}

func checkStopped(t *testing.T, name string, rep *results.Report, c *inputs.Condition) {
	t.Helper()
	if rep.Plan == nil {
		if rep.Status != results.StatusUnknown || len(rep.Reasons) > 0 {
			t.Errorf("%s: %s without a plan (%q): want unknown", name, rep.Status, rep.Reasons)
		}
		return
	}
	if what := verified(rep, c); what != "" {
		t.Errorf("%s: %s", name, what)
	}
	s := &rep.Plan.Phases[0].Solve
	switch rep.Status {
	case results.StatusOptimal:
		if s.Status != "optimal" || s.Outer.Open > 0 {
			t.Errorf("%s: optimal, but the solve says %s with %d choices open", name, s.Status, s.Outer.Open)
		}
	case results.StatusFeasible:
		if s.Status == "optimal" || len(s.AgreedBy) > 0 {
			t.Errorf("%s: feasible, but the solve says %s, agreed by %v", name, s.Status, s.AgreedBy)
		}
	default:
		t.Errorf("%s: %s with a plan", name, rep.Status)
	}
	if s.BestBound != nil && *s.BestBound > s.Objective*(1+1e-9) {
		t.Errorf("%s: bound %g above the objective %g", name, *s.BestBound, s.Objective)
	}
}

// A condition that states one share of two leaves constants of ours in use, and the margin.
func TestMarginOfAShare(t *testing.T) {
	c := small()
	for _, x := range []struct {
		stated *inputs.Efficiency
		want   float64
	}{{nil, 0.1}, {&inputs.Efficiency{Compute: 0.5}, 0.1}, {&inputs.Efficiency{Compute: 0.5, Bandwidth: 0.8}, 0}} {
		for i := range c.Cluster.Pools {
			c.Cluster.Pools[i].Accelerator.Efficiency = x.stated
		}
		if got := formulation.Margin(c); got != x.want {
			t.Errorf("%+v: margin %g, want %g", x.stated, got, x.want)
		}
	}
}
