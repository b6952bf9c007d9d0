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
// returned where the plan stays with the GPUs given.
func enlarged(p *results.Plan, c *inputs.Condition) *inputs.Condition {
	if !beyond(p, c) {
		return c
	}
	more := *c
	more.Cluster.Pools = append([]inputs.Pool(nil), c.Cluster.Pools...)
	for k := range more.Cluster.Pools {
		pool := &more.Cluster.Pools[k]
		pool.GPUsPerNode = max(nodeSize(pool), enlargedNode)
		pool.Nodes = nil
	}
	return &more
}

// beyond reports whether a plan names a GPU that a pool does not list, one past the
// end of the nodes that a pool is made of, or more GPUs of a pool than its number allows.
func beyond(p *results.Plan, c *inputs.Condition) bool {
	known := devices(c)
	pools, used := map[string]*inputs.Pool{}, map[string]map[string]bool{}
	for k := range c.Cluster.Pools {
		name := c.Cluster.Pools[k].Name
		pools[name], used[name] = &c.Cluster.Pools[k], map[string]bool{}
	}
	for i := range p.Phases {
		for j := range p.Phases[i].Stages {
			s := &p.Phases[i].Stages[j]
			pool, ok := pools[s.Pool]
			if !ok {
				continue // a rule of its own
			}
			for _, id := range s.GPUs {
				used[s.Pool][id] = true // once, however many stages of a rank are on it
				if !pool.Count.Unlimited() && len(used[s.Pool]) > pool.Count.Max {
					return true
				}
				if _, listed := known[id]; listed {
					continue
				}
				if _, err := made(id, 0, pool); len(pool.Nodes) > 0 || err != nil {
					return true
				}
			}
		}
	}
	return false
}
