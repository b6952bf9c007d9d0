package verify

import (
	"fmt"

	"partita/inputs/knowledge"
	"partita/results"
)

// checkRules: every rule of the condition holds on every stage, evaluated on what is
// counted from the plan.
func (a *audit) checkRules() {
	if len(a.cond.Rules) == 0 {
		return
	}
	rules, err := knowledge.Compile(a.cond)
	if err != nil {
		a.list.add(ruleKnowledge("set"), false, "rules that can be evaluated", err.Error())
		return
	}
	broken, err := rules.Check(results.FactsOf(a.phase, a.cond))
	found := map[string]knowledge.Violation{}
	for _, v := range broken {
		found[v.Rule.Name] = v
	}
	for i := range rules.Len() {
		x := rules.Rule(i)
		got, ok := fmt.Sprintf("kept by all %d stages", len(a.phase.Stages)), true
		if v, bad := found[x.Name]; bad {
			got, ok = fmt.Sprintf("%s: %s", v.Where, v.Values), false
			if v.Stages > 1 {
				got = fmt.Sprintf("%d stages break it; the first: %s", v.Stages, got)
			}
		}
		if err != nil {
			got, ok = "cannot be told: "+err.Error(), false
		}
		a.list.add(ruleKnowledge(x.Name), ok, x.Expr, got)
	}
}
