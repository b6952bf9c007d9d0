package verify

import (
	"partita/inputs"
	"partita/results"
)

// enlargedNode is the least size of the nodes of a closest plan that needs more
// GPUs than there are: a condition of one card says nothing of the machine around
// it, and servers hold eight.
const enlargedNode = 8

// enlarged is the cluster that a closest plan on more GPUs than given stands for:
// the same kinds of GPU on as many whole nodes as it takes. The condition itself is
// returned where the plan names no GPU beyond those given.
func enlarged(p *results.Plan, c *inputs.Condition) *inputs.Condition {
	known := devices(c)
	beyond := false
	for i := range p.Phases {
		for j := range p.Phases[i].Stages {
			for _, id := range p.Phases[i].Stages[j].GPUs {
				_, given := known[id]
				beyond = beyond || !given
			}
		}
	}
	if !beyond {
		return c
	}
	more := *c
	more.Cluster.Pools = append([]inputs.Pool(nil), c.Cluster.Pools...)
	for k := range more.Cluster.Pools {
		pool := &more.Cluster.Pools[k]
		if len(pool.Nodes) == 0 {
			continue // its nodes are made as needed in any case
		}
		pool.GPUsPerNode = max(nodeSize(pool), enlargedNode)
		pool.Nodes = nil
	}
	return &more
}
