package verify

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"partita/inputs"
	"partita/results"
)

// handCase is a plan that holds, with the prices it was worked out with.
type handCase struct {
	name string
	make func() (*results.Plan, *inputs.Condition, handPrices)
}

var handCases = []handCase{{"mixed", mixedPlan}, {"prefill", prefillPlan}, {"decode", decodePlan}}

func failedRules(v *results.Verification) []string {
	var rules []string
	for _, c := range Violations(v) {
		rules = append(rules, c.Rule)
	}
	return rules
}

func describe(v *results.Verification) string {
	var b strings.Builder
	for _, c := range v.Checks {
		if !c.OK {
			fmt.Fprintf(&b, "  %s: want %s, got %s\n", c.Rule, c.Want, c.Got)
		}
	}
	return b.String()
}

// A plan worked out on paper passes every check, in every phase.
func TestHandPlansHold(t *testing.T) {
	for _, hc := range handCases {
		t.Run(hc.name, func(t *testing.T) {
			p, c, prices := hc.make()
			v := check(p, c, prices, Options{})
			if !v.OK {
				t.Fatalf("want every check to hold:\n%s", describe(v))
			}
			if v.Parts != 8 || v.GPUs != 8 {
				t.Errorf("parts %d, GPUs %d: want 8, 8", v.Parts, v.GPUs)
			}
			for _, c := range v.Checks {
				if c.Want == "" || c.Got == "" {
					t.Errorf("rule %q: want %q, got %q: a person must be able to read both", c.Rule, c.Want, c.Got)
				}
			}
		})
	}
}

// mutation changes one thing of a plan that holds and names the rule that must
// see it.
type mutation struct {
	name string
	rule string
	do   func(p *results.Plan, ph *results.PhasePlan, c *inputs.Condition)
}

var mutations = []mutation{
	{"another format", ruleFormat, func(p *results.Plan, _ *results.PhasePlan, _ *inputs.Condition) { p.FormatVersion++ }},
	{"another condition", ruleCondition, func(p *results.Plan, _ *results.PhasePlan, _ *inputs.Condition) { p.Condition = "other" }},
	{"no phase", rulePhase, func(p *results.Plan, _ *results.PhasePlan, _ *inputs.Condition) { p.Phases = nil }},
	{"another phase", rulePhase, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Phase = inputs.Decode }},
	{"two phases", rulePhase, func(p *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { p.Phases = append(p.Phases, *ph) }},

	{"no stages", ruleOrder, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Stages = nil }},
	{"a stage twice", ruleOrder, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Stages[3].Index = 0 }},
	{"replica skipped", ruleOrder, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) {
		ph.Stages[2].Replica, ph.Stages[3].Replica = 2, 2
	}},
	{"negative replica", ruleOrder, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Stages[0].Replica = -1 }},
	{"huge index", ruleOrder, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Stages[0].Index = 1 << 40 }},

	{"layer dropped", ruleLayers, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Stages[1].FirstLayer = 3 }},
	{"layer twice", ruleLayers, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Stages[0].LastLayer = 2 }},
	{"last layer missing", ruleLayers, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Stages[3].LastLayer = 2 }},
	{"layer past the model", ruleLayers, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Stages[3].LastLayer = 1 << 40 }},
	{"layers in another order", ruleLayers, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) {
		ph.Stages[0].FirstLayer, ph.Stages[0].LastLayer, ph.Stages[1].FirstLayer, ph.Stages[1].LastLayer = 2, 3, 0, 1
	}},

	{"unknown pool", rulePools, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Stages[0].Pool = "huge" }},
	{"the other pool", ruleIDs, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Stages[0].Pool = "small" }},

	{"wrong tp", ruleShapes, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Stages[0].TP = 1 }},
	{"wrong etp", ruleShapes, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Stages[1].ETP = 2 }},
	{"tp 0", ruleShapes, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Stages[0].TP = 0 }},
	{"a GPU too few", ruleShapes, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) {
		ph.Stages[0].GPUs = ph.Stages[0].GPUs[:1]
	}},
	{"no GPUs", ruleShapes, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Stages[0].GPUs = nil }},
	{"tp that does not divide", ruleDegrees, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) {
		s := &ph.Stages[0]
		s.TP, s.ETP, s.GPUs = 3, 3, append(s.GPUs, "node-0/gpu-9")
	}},
	{"cp where tokens are decoded", ruleDegrees, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) {
		if ph.Phase != inputs.Prefill {
			ph.Stages[0].TP, ph.Stages[0].CP = 1, 2
		}
	}},
	{"experts without a home", ruleExperts, func(_ *results.Plan, _ *results.PhasePlan, c *inputs.Condition) { c.Model.Kinds[1].FFN.Experts = 5 }},

	{"GPU that is not there", ruleIDs, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) {
		ph.Stages[0].GPUs = []string{"node-0/gpu-0", "node-0/gpu-7"}
	}},
	{"GPU of another name", ruleIDs, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Stages[0].GPUs[0] = "gpu zero" }},
	{"GPU twice in a stage", ruleUnique, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) {
		ph.Stages[0].GPUs[1] = ph.Stages[0].GPUs[0]
	}},
	{"GPU in two replicas", ruleUnique, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) {
		ph.Stages[2].GPUs[0] = ph.Stages[0].GPUs[0]
	}},
	{"a stage over two half hosts", ruleHosts, func(_ *results.Plan, _ *results.PhasePlan, c *inputs.Condition) {
		c.Cluster.Pools[0].Nodes = []inputs.Node{{Host: "a", GPUs: []string{"node-0/gpu-0"}}, {Host: "b", GPUs: []string{"node-0/gpu-1", "node-0/gpu-2", "node-0/gpu-3"}}}
	}},

	{"replicas misstated", ruleStrategy, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Strategy.Replicas = 3 }},
	{"pp misstated", ruleStrategy, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Strategy.PP = 1 }},
	{"tp of a stage misstated", ruleStrategy, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) {
		ph.Strategy.TP = results.PerStage{2}
	}},
	{"ep listed for too few stages", ruleStrategy, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) {
		ph.Strategy.EP = results.PerStage{}
	}},
	{"layers misstated", ruleStrategy, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Strategy.Layers = []int{1, 3} }},
	{"micro-batches 0 or groups 0", ruleSequences, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) {
		ph.Strategy.MicroBatches, ph.Strategy.DecodeGroups = 0, 0
	}},
	{"more micro-batches and groups than sequences", ruleSequences, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) {
		ph.Strategy.MicroBatches, ph.Strategy.DecodeGroups = 4, 4
	}},
	{"sequences misstated", ruleSequences, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Strategy.SequencesPerReplica = 4 }},

	{"parts misstated", ruleAvailable, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.GPUs.Parts = 7 }},
	{"match misstated", ruleAvailable, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.GPUs.Match = false }},
	{"available misstated", ruleAvailable, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.GPUs.Available = nil }},
	{"a GPU left over", ruleUsed, func(_ *results.Plan, _ *results.PhasePlan, c *inputs.Condition) {
		c.Cluster.Pools[0].Count = inputs.Count{Min: 5, Max: 5}
	}},
	{"fewer GPUs than the range asks for", ruleCount, func(_ *results.Plan, _ *results.PhasePlan, c *inputs.Condition) {
		c.Cluster.Pools[0].Count = inputs.Count{Min: 5, Max: 9}
	}},
	{"more GPUs than there are", ruleCount, func(_ *results.Plan, _ *results.PhasePlan, c *inputs.Condition) {
		c.Cluster.Pools[1].Count = inputs.Count{Min: 3, Max: 3}
	}},

	{"time off by two millionths", ruleTimes, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Stages[2].TimeMS *= 1 + 2e-6 }},
	{"prefill time of another step", ruleTimes, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Stages[3].PrefillMS += 0.01 }},
	{"over memory", ruleMemory, func(_ *results.Plan, _ *results.PhasePlan, c *inputs.Condition) { c.Workload.Input.Max = 1 << 20 }},
	{"memory misstated", ruleMemoryParts, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Stages[0].MemoryGiB *= 0.9 }},
	{"KV misstated", ruleMemoryParts, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Stages[1].Memory.KVGiB = 0 }},
	{"capacity misstated", ruleMemoryParts, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Stages[1].CapacityGiB++ }},
	{"time balance misstated", ruleBalance, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Balance.TimeMaxOverMean = 1 }},
	{"memory balance misstated", ruleBalance, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Balance.MemoryMaxOverMean++ }},
	{"floor not reached", ruleFloor, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Balance.Floor = 0.9 }},
	{"floor below the stated one", ruleFloor, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Balance.Floor = 0.4 }},
	{"default floor lowered in silence", ruleFloor, func(_ *results.Plan, _ *results.PhasePlan, c *inputs.Condition) { c.Goal.Balance = nil }},

	{"tpot misstated", ruleMetric("tpot_ms"), func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { *ph.Metrics.TPOTMS *= 0.99 }},
	{"tokens/s absent", ruleMetric("tokens_per_s"), func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Metrics.TokensPerS = nil }},
	{"tokens/s a GPU misstated", ruleMetric("tokens_per_s_per_gpu"), func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) {
		*ph.Metrics.TokensPerSPerGPU *= 8
	}},
	{"cost misstated", ruleMetric("usd_per_hour"), func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Metrics.USDPerHour = ptr(1.0) }},
	{"cost without a price", ruleMetric("usd_per_hour"), func(_ *results.Plan, ph *results.PhasePlan, c *inputs.Condition) {
		ph.Metrics.USDPerHour, c.Cluster.Pools[1].USDPerHour = ptr(12.0), 0
	}},
	{"value outside its interval", ruleMetric("tpot_ms"), func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) {
		ph.Metrics.TPOTInterval = &[2]float64{0, 1e-3}
	}},

	{"KV capacity misstated", ruleMetric("kv_capacity_tokens"), func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) {
		ph.Metrics.KVTokens = ptr(int64(3000))
	}},

	{"requirement left out", ruleRequirement("tpot"), func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) {
		ph.Requirements = ph.Requirements[1:]
	}},
	{"requirement made up", ruleRequirement("ttft"), func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) {
		ph.Requirements = append(ph.Requirements, results.RequirementResult{Name: "ttft"})
	}},
	{"requirement missed", ruleRequirement("tpot"), func(_ *results.Plan, ph *results.PhasePlan, c *inputs.Condition) {
		c.Goal.Requirements[0].Value = 1e-3
	}},
	{"requirement met without its margin", ruleRequirement("throughput"), func(_ *results.Plan, _ *results.PhasePlan, c *inputs.Condition) { c.Goal.Margin = ptr(0.9999) }},
	{"met misstated", ruleRequirement("throughput"), func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Requirements[1].Met = false }},
	{"got misstated", ruleRequirement("tpot"), func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Requirements[0].Got /= 2 }},
	{"want misstated", ruleRequirement("tpot"), func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Requirements[0].Want *= 2 }},
	{"margin misstated", ruleRequirement("tpot"), func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Requirements[0].MarginPercent++ }},
	{"asked margin misstated", ruleRequirement("tpot"), func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) {
		ph.Requirements[0].AskedMarginPercent = ptr(20.0)
	}},
	{"unit of another kind", ruleRequirement("throughput"), func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Requirements[1].Unit = "USD/h" }},
	{"requirement that nothing can judge", ruleRequirement("cost_per_hour"), func(_ *results.Plan, _ *results.PhasePlan, c *inputs.Condition) {
		c.Goal.Requirements = append(c.Goal.Requirements, inputs.Requirement{Kind: inputs.CostUSDPerHour, Value: 100})
		c.Cluster.Pools[0].USDPerHour = 0
	}},

	{"over the price asked for", ruleRequirement("cost_per_hour"), func(_ *results.Plan, ph *results.PhasePlan, c *inputs.Condition) {
		c.Goal.Requirements = append(c.Goal.Requirements, inputs.Requirement{Kind: inputs.CostUSDPerHour, Value: 11})
		ph.Requirements = append(ph.Requirements, results.RequirementResult{Name: "cost_per_hour", Unit: "USD/h", Want: 11, Got: 12, Met: true, MarginPercent: 100 * (1 - 12.0/11)})
	}},

	{"bound above the objective", ruleSolve, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { *ph.Solve.BestBound = 11 }},
	{"optimal with a gap", ruleSolve, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) {
		ph.Solve.BestBound, ph.Solve.Gap = ptr(9.0), ptr(0.1)
	}},
	{"gap misstated", ruleSolve, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { *ph.Solve.Gap = 0.2 }},
	{"optimal with open choices", ruleSolve, func(_ *results.Plan, ph *results.PhasePlan, _ *inputs.Condition) { ph.Solve.Outer.Open = 1 }},
}

// Each single change of a plan that holds is seen by the rule that is there for it,
// in every phase that it changes anything in.
func TestMutationsAreSeen(t *testing.T) {
	for _, m := range mutations {
		tried := 0
		for _, hc := range handCases {
			p, c, prices := hc.make()
			before := render(p, c)
			m.do(p, &p.Phases[0], c)
			if render(p, c) == before {
				continue
			}
			tried++
			v := check(p, c, prices, Options{})
			if v.OK {
				t.Errorf("%s, %s: no rule saw it", m.name, hc.name)
			} else if !slices.Contains(failedRules(v), m.rule) {
				t.Errorf("%s, %s: want rule %q to fail, got:\n%s", m.name, hc.name, m.rule, describe(v))
			}
		}
		if tried == 0 {
			t.Errorf("%s changes nothing in any phase", m.name)
		}
	}
}

func render(p *results.Plan, c *inputs.Condition) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%+v %+v", p, c)
	for _, ph := range p.Phases {
		m := ph.Metrics
		for _, v := range []*float64{m.TTFTMS, m.TPOTMS, m.TokensPerS, m.TokensPerSPerGPU, m.OutputTokensPerS, m.E2EMS, ph.Solve.BestBound, ph.Solve.Gap, c.Goal.Margin, c.Goal.Balance} {
			if v != nil {
				fmt.Fprint(&b, *v, " ")
			}
		}
	}
	return b.String()
}

// Requirements are beaten by a tenth where a share of the utilisation is not the condition's.
func TestMarginIsDroppedWhereBothSharesAreStated(t *testing.T) {
	for _, x := range []struct {
		stated *inputs.Efficiency
		want   float64
	}{{nil, 0.1}, {&inputs.Efficiency{Compute: 0.5}, 0.1}, {&inputs.Efficiency{Bandwidth: 0.8}, 0.1}, {&inputs.Efficiency{Compute: 0.5, Bandwidth: 0.8}, 0}} {
		c := handCondition(inputs.Mixed)
		c.Goal.Margin = nil
		for i := range c.Cluster.Pools {
			c.Cluster.Pools[i].Accelerator.Efficiency = x.stated
		}
		a := &audit{cond: c}
		if got := a.margin(); got != x.want {
			t.Errorf("%+v: margin %g", x.stated, got)
		}
	}
}
