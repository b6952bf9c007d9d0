package results

import (
	"strings"

	"partita/inputs"
	"partita/inputs/knowledge"
)

// FactsOf is what rules see of a phase plan, counted from its stages: GPUs and nodes by
// the ids of the GPUs, nothing from what the plan says of itself. A pool that the
// condition does not have counts as pool -1, against which no rule can be held.
func FactsOf(p *PhasePlan, c *inputs.Condition) knowledge.Plan {
	pools, hosts := map[string]int{}, map[string]string{}
	for k := range c.Cluster.Pools {
		pool := &c.Cluster.Pools[k]
		pools[pool.Name] = k
		for _, n := range pool.Nodes {
			for _, id := range n.GPUs {
				hosts[id] = n.Host
			}
		}
	}
	out := knowledge.Plan{MicroBatches: p.Strategy.MicroBatches, DecodeGroups: p.Strategy.DecodeGroups}
	for i := range p.Stages {
		s := &p.Stages[i]
		k, known := pools[s.Pool]
		if !known {
			k = -1
		}
		nodes := map[string]bool{}
		for _, id := range s.GPUs {
			host, named := hosts[id]
			if !named { // made as needed: node-0/gpu-3
				host = id[:max(0, strings.LastIndexByte(id, '/'))]
			}
			nodes[host] = true
		}
		out.Stages = append(out.Stages, knowledge.Stage{
			Replica: s.Replica, Index: s.Index, Pool: k, GPUs: len(s.GPUs), Nodes: len(nodes), First: s.FirstLayer, Last: s.LastLayer,
			Shape: knowledge.Shape{TP: s.TP, CP: s.CP, DP: s.DPAttention, EP: s.EP, ETP: s.ETP},
		})
	}
	return out
}
