package formulation_test

import (
	"slices"
	"testing"

	"partita/inputs"
	"partita/results"
)

// What the best plan reaches can be asked for to the last digit, its margin included: whole
// ticks, which round each stage up, are no reason to find nothing.
func TestRequirementMetExactly(t *testing.T) {
	asked := 0
	for seed := range uint64(60) {
		d := newDraw(seed + 1<<43)
		c := d.loaded()
		c.Goal.Objective = inputs.Latency
		margin := pick(d, 0, 0.1, 0.3)
		c.Goal.Margin = &margin
		rep := solved(t, c)
		if rep.Plan == nil || !rep.Feasible {
			continue
		}
		m := &rep.Plan.Phases[0].Metrics
		for kind, value := range map[inputs.RequirementKind]*float64{
			inputs.TTFT: m.TTFTMS, inputs.TPOT: m.TPOTMS, inputs.EndToEnd: m.E2EMS,
			inputs.TokensPerSecond: m.TokensPerS, inputs.TokensPerSGPU: m.TokensPerSPerGPU,
		} {
			if value == nil || kind == inputs.TPOT && c.Workload.Phase == inputs.Prefill {
				continue
			}
			want := *value * (1 - margin)
			if kind.Upper() {
				want = *value / 1e3 / (1 - margin)
			}
			c.Goal.Requirements = []inputs.Requirement{{Kind: kind, Value: want}}
			asked++
			again := solved(t, c)
			if !again.Feasible || again.Status != "optimal" {
				t.Errorf("seed %d: %s %v, which a plan has with a margin of %v: %s, feasible %t", seed, kind, want, margin, again.Status, again.Feasible)
				continue
			}
			if what := verified(again, c); what != "" {
				t.Errorf("seed %d, %s: %s", seed, kind, what)
			}
		}
	}
	if asked < 150 {
		t.Errorf("only %d requirements were asked for", asked)
	}
}

// Of a stated balance that only slower shapes meet, and a budget that no plan keeps, the
// closest plan is told.
func TestClosestPlanWithEveryShape(t *testing.T) {
	const seed = 697
	d := newDraw(seed + 1<<42)
	c := d.loaded()
	c.Goal.Requirements = []inputs.Requirement{{Kind: inputs.CostUSDPerHour, Value: 4.84}}
	rep := solved(t, c)
	if rep.Status != "infeasible" || rep.Plan == nil {
		t.Fatalf("status %s, plan %v, %v: want the closest plan", rep.Status, rep.Plan != nil, rep.Reasons)
	}
	if b := rep.Plan.Phases[0].Balance; b.TimeMinOverMax < b.Floor || b.Floor != 0.95 {
		t.Errorf("balance %+v: want the stated floor of 0.95 kept", b)
	}
}

// The nearest that can be asked for has a plan, and what is a thousandth more has none.
func TestNearestCanBeAskedFor(t *testing.T) {
	asked := 0
	for seed := range uint64(150) {
		d := newDraw(seed + 1<<44)
		c := d.loaded()
		o, err := newOracle(c, 0)
		if err != nil {
			t.Fatal(err)
		}
		plans := o.enumerate()
		if len(plans) == 0 {
			continue
		}
		d.require(c, plans)
		rep := solved(t, c)
		if rep.Plan == nil || rep.Feasible || len(c.Goal.Requirements) == 0 {
			continue
		}
		short := slices.DeleteFunc(slices.Clone(rep.Plan.Phases[0].Requirements), func(q results.RequirementResult) bool { return q.Met })
		if len(short) != 1 || short[0].Nearest == nil {
			continue // of several missed, what one could have is told with the others left out
		}
		kind := inputs.RequirementKind(short[0].Name)
		for _, more := range []float64{1, 1.001} {
			again := *c
			again.Goal.Requirements = slices.Clone(c.Goal.Requirements)
			for i := range again.Goal.Requirements {
				if q := &again.Goal.Requirements[i]; q.Kind == kind && kind.Upper() {
					q.Value = *short[0].Nearest / more
				} else if q.Kind == kind {
					q.Value = *short[0].Nearest * more
				}
			}
			asked++
			if got := solved(t, &again); got.Feasible != (more == 1) {
				t.Errorf("seed %d: %s %g is asked, %g is the nearest; %g times as much: feasible %t", seed, kind, short[0].Want, *short[0].Nearest, more, got.Feasible)
			}
		}
	}
	if asked < 20 {
		t.Errorf("only %d requirements were asked for", asked)
	}
}
