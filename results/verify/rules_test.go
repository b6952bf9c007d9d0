package verify

import (
	"slices"
	"strings"
	"testing"

	"partita/inputs"
	"partita/results"
)

// Rules of a condition are checks of their own: kept ones pass, and each is broken by the
// change of the plan that it speaks of, which is counted from the stages.
func TestRulesAreChecked(t *testing.T) {
	rules := []inputs.Rule{
		{Name: "tensor", Expr: `tp <= 2 && (pool == "big" || tp == 1)`},
		{Name: "stages", Expr: "pp == 2 && replicas == 2"},
		{Name: "inside", Expr: "stage_nodes == 1"},
		{Name: "layers", Expr: "layers == 2 && (moe_layers == 0 || last_stage)"},
		{Name: "parts", Expr: "micro_batches <= 2 && decode_groups <= 2"},
		{Name: "GPUs", Expr: "gpus == 8 && replica_gpus == 4 && same_stage_gpus"},
		{Name: "experts", Expr: "ep == 1 || moe_layers > 0"},
	}
	for _, m := range []struct {
		breaks string
		do     func(ph *results.PhasePlan)
	}{
		{"", func(*results.PhasePlan) {}},
		{"tensor", func(ph *results.PhasePlan) { ph.Stages[3].TP = 2 }},
		{"stages", func(ph *results.PhasePlan) { ph.Stages = ph.Stages[:2] }},
		{"inside", func(ph *results.PhasePlan) { ph.Stages[2].GPUs[1] = "node-1/gpu-0" }},
		{"layers", func(ph *results.PhasePlan) { ph.Stages[0].LastLayer, ph.Stages[1].FirstLayer = 0, 1 }},
		{"parts", func(ph *results.PhasePlan) { ph.Strategy.MicroBatches = 3 }},
		{"GPUs", func(ph *results.PhasePlan) { ph.Stages[1].GPUs = ph.Stages[1].GPUs[:1] }},
		{"experts", func(ph *results.PhasePlan) { ph.Stages[0].EP = 2 }},
	} {
		p, c, prices := mixedPlan()
		c.Rules = rules
		m.do(&p.Phases[0])
		v := check(p, c, prices, Options{})
		var failed []string
		for _, x := range v.Checks {
			if name, ours := strings.CutPrefix(x.Rule, "rule "); ours && !x.OK {
				failed = append(failed, name)
			}
		}
		if m.breaks == "" && (!v.OK || len(v.Checks) < len(rules)) || m.breaks != "" && !slices.Contains(failed, m.breaks) {
			t.Errorf("%q: rules %v fail\n%s", m.breaks, failed, describe(v))
		}
	}
}

// A rule that has no value, or no meaning, fails; so do all where the plan is on no pool
// of the condition. A rule for another phase is not checked.
func TestRulesThatCannotBeTold(t *testing.T) {
	for _, row := range []struct {
		rule inputs.Rule
		do   func(ph *results.PhasePlan)
		got  string
	}{
		{inputs.Rule{Name: "x", Expr: "batch % (cp - 1) == 0"}, nil, "cannot be told"},
		{inputs.Rule{Name: "x", Expr: "tpp == 1"}, nil, `"tpp" is not known`},
		{inputs.Rule{Name: "x", Expr: "tp <= 2"}, func(ph *results.PhasePlan) { ph.Stages[0].Pool = "none" }, "cannot be told"},
		{inputs.Rule{Name: "x", Expr: "tp <= 2"}, func(ph *results.PhasePlan) { ph.Stages[0].LastLayer = 99 }, "cannot be told"},
	} {
		p, c, prices := mixedPlan()
		c.Rules = []inputs.Rule{row.rule}
		if row.do != nil {
			row.do(&p.Phases[0])
		}
		if text := describe(check(p, c, prices, Options{})); !strings.Contains(text, row.got) {
			t.Errorf("%s: %s\nwant %q", row.rule.Expr, text, row.got)
		}
	}
	p, c, prices := prefillPlan()
	c.Rules = []inputs.Rule{{Name: "x", Expr: "tp == 99", Phase: inputs.Decode}}
	if v := check(p, c, prices, Options{}); !v.OK {
		t.Errorf("a rule for decode binds prefill:\n%s", describe(v))
	}
}
