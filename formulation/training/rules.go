package training

import (
	"partita/inputs"
	"partita/inputs/knowledge"
)

// Rules see a training layout like this: a pipeline rank is a stage of tp·cp·dp GPUs, dp
// and replicas are both its data parallelism, pp its pipeline ranks.

// valuesOf sets what a split alone says of a stage on a pool; which nodes its rank lies on
// depends on the ranks before it.
func (x *space) valuesOf(s *Split, pool int) knowledge.Values {
	v := x.rules.Start()
	v.SetShape(pool, knowledge.Shape{TP: s.TP, CP: s.CP, DP: s.DP, EP: s.EP, ETP: s.ETP})
	v.Forget(knowledge.OfNodes)
	v.SetReplicas(s.DP)
	v.SetGPUs(s.TP*s.CP*s.PP(), s.DP)
	v.SetParts(s.MicroBatches(x.global), 0)
	v.SetStages(s.PP())
	for _, t := range []knowledge.Trait{knowledge.TraitTP, knowledge.TraitEP, knowledge.TraitCP, knowledge.TraitDP, knowledge.TraitGPUs} {
		v.SetSame(t, true)
	}
	pools, names, vendors := map[int]bool{}, map[string]bool{}, map[string]bool{}
	for k, n := range s.Ranks {
		if n > 0 {
			a := &x.c.Cluster.Pools[k].Accelerator
			pools[k], names[a.Name], vendors[a.Vendor] = true, true, true
		}
	}
	v.SetSame(knowledge.TraitPool, len(pools) == 1)
	v.SetSame(knowledge.TraitAccelerator, len(names) == 1)
	v.SetSame(knowledge.TraitVendor, len(vendors) == 1)
	return v
}

// breaks is the first rule that every layout of a split breaks, -1 where there is none.
func (x *space) breaks(s *Split) int {
	if x.rules.Empty() {
		return -1
	}
	for k, n := range s.Ranks {
		if n == 0 {
			continue
		}
		v := x.valuesOf(s, k)
		if rule := x.rules.Broken(&v); rule >= 0 {
			return rule
		}
	}
	return -1
}

// breaksStage reports whether rules about layers or nodes rule out a stage from a layer on.
func (x *space) breaksStage(v *knowledge.Values, counts []int, first, last bool, from int) bool {
	v.SetLayers(counts, first, last)
	v.SetPlace(from, from+sum(counts)-1)
	return x.rules.BrokenBy(stageLevels, v) >= 0
}

// broken is the first rule that a layout breaks; false where it keeps all.
func (x *space) broken(l *Layout) (inputs.Rule, bool) {
	s := SplitOf(l, len(x.c.Cluster.Pools))
	if rule := x.breaks(&s); rule >= 0 {
		return x.rules.Rule(rule), true
	}
	if x.rules.Empty() {
		return inputs.Rule{}, false
	}
	at := hostsOf(x.c, l)
	for k, st := range l.Stages {
		v := x.valuesOf(&s, st.Pool)
		v.SetNodes(at.berths[st.Pool][at.position[l.Rank(k)]].nodes)
		v.SetLayers(x.counts(st.First, st.Last+1), st.First == 0, st.Last == x.layers()-1)
		v.SetPlace(st.First, st.Last)
		if rule := x.rules.Broken(&v); rule >= 0 {
			return x.rules.Rule(rule), true
		}
	}
	return inputs.Rule{}, false
}

// counts are the layers of each kind in [a, b).
func (x *space) counts(a, b int) []int {
	out := make([]int, len(x.before))
	for kind := range out {
		out[kind] = x.before[kind][b] - x.before[kind][a]
	}
	return out
}
