package verify

import (
	"fmt"

	"partita/inputs"
	"partita/inputs/knowledge"
)

// checkRulesOfTraining holds the rules of the condition against every stage. Rules see a
// pipeline rank as a stage of tp·cp·dp GPUs: dp and replicas are both its data parallelism,
// pp its ranks, and layers those of one of the rank's stages.
func (a *trainAudit) checkRulesOfTraining() {
	for i := range a.cond.Rules {
		x := a.cond.Rules[i]
		alone := *a.cond
		alone.Rules = []inputs.Rule{x}
		rules, err := knowledge.Compile(&alone)
		if err != nil {
			a.list.add(ruleKnowledge(x.Name), false, x.Expr, "cannot be told: "+err.Error())
			continue
		}
		t := tally{rule: ruleKnowledge(x.Name), want: x.Expr}
		for k, s := range a.replicas[0] {
			v := a.seenByRules(rules, k)
			if rules.Broken(&v) >= 0 {
				t.fail(0, "%s breaks it", where(s))
			}
		}
		t.report(a.list, fmt.Sprintf("kept by all %d stages of a replica", len(a.replicas[0])))
		if err := rules.Err(); err != nil {
			a.list.add(ruleKnowledge(x.Name), false, x.Expr, "cannot be told: "+err.Error())
		}
	}
}

// seenByRules is what rules see of stage k, counted from the plan.
func (a *trainAudit) seenByRules(rules *knowledge.Rules, k int) knowledge.Values {
	s, v := a.replicas[0][k], rules.Start()
	v.SetShape(a.pools[s.Pool], knowledge.Shape{TP: a.shape.TP, CP: a.shape.CP, DP: a.shape.DP, EP: a.shape.EP, ETP: a.shape.ETP})
	v.SetNodes(a.rankNodes[k%a.pp])
	v.SetReplicas(len(a.replicas))
	v.SetGPUs(a.shape.TP*a.shape.CP*a.pp, len(a.replicas))
	v.SetParts(a.m, 0)
	v.SetStages(a.pp)
	for t := range knowledge.Traits {
		v.SetSame(t, true)
	}
	pools, names, vendors := map[int]bool{}, map[string]bool{}, map[string]bool{}
	for _, pool := range a.rankPool {
		d := &a.cond.Cluster.Pools[pool].Accelerator
		pools[pool], names[d.Name], vendors[d.Vendor] = true, true, true
	}
	v.SetSame(knowledge.TraitPool, len(pools) == 1)
	v.SetSame(knowledge.TraitAccelerator, len(names) == 1)
	v.SetSame(knowledge.TraitVendor, len(vendors) == 1)
	v.SetLayers(a.kinds(s), s.FirstLayer == 0, s.LastLayer == len(a.cond.Model.Layers)-1)
	v.SetPlace(s.FirstLayer, s.LastLayer)
	return v
}
