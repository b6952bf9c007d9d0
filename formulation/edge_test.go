package formulation_test

import (
	"testing"

	"partita/inputs"
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
