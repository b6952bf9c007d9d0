package verify

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"partita/inputs"
	"partita/results"
)

// madeID is the id of a GPU of a node made as needed: "node-0/gpu-3", or with the
// pool before it. Leading zeros would give one GPU two names.
var madeID = regexp.MustCompile(`^(.*?)(node-(?:0|[1-9][0-9]{0,8}))/gpu-(0|[1-9][0-9]{0,8})$`)

// device is what the condition knows of a GPU id.
type device struct {
	pool int
	host string // unique among hosts; pools that share a machine share it
	node int    // GPUs that the pool has on that host
}

// devices lists the GPUs that the condition names.
func devices(c *inputs.Condition) map[string]device {
	known := map[string]device{}
	for k, pool := range c.Cluster.Pools {
		for _, n := range pool.Nodes {
			for _, id := range n.GPUs {
				known[id] = device{pool: k, host: n.Host, node: len(n.GPUs)}
			}
		}
	}
	return known
}

// made reads the id of a GPU that no input names, on a node made for pool k.
func made(id string, k int, pool *inputs.Pool) (device, error) {
	m := madeID.FindStringSubmatch(id)
	if m == nil || (m[1] != "" && m[1] != pool.Name+"/") {
		return device{}, fmt.Errorf("%q is neither a GPU of the cluster nor of the form node-<i>/gpu-<j>", id)
	}
	size := nodeSize(pool)
	if j, err := strconv.Atoi(m[3]); err != nil || j >= size {
		return device{}, fmt.Errorf("%q: a node of pool %q has %d GPUs, gpu-0 … gpu-%d", id, pool.Name, size, size-1)
	}
	return device{pool: k, host: m[1] + m[2], node: size}, nil
}

// nodeSize is the number of GPUs of a whole node of the pool.
func nodeSize(pool *inputs.Pool) int {
	size := pool.GPUsPerNode
	if size < 1 {
		for i := range pool.Nodes {
			size = max(size, len(pool.Nodes[i].GPUs))
		}
	}
	return max(size, 1)
}

// find resolves a GPU id of a stage of pool k.
func (a *audit) find(id string, k int) (device, error) {
	pool := &a.cond.Cluster.Pools[k]
	if d, ok := a.known[id]; ok {
		if d.pool != k {
			return d, fmt.Errorf("%q belongs to pool %q, not to %q", id, a.cond.Cluster.Pools[d.pool].Name, pool.Name)
		}
		return d, nil
	}
	if len(pool.Nodes) > 0 {
		return device{}, fmt.Errorf("%q is not a GPU of pool %q", id, pool.Name)
	}
	return made(id, k, pool)
}

// checkIDs: every GPU exists, in the pool that its stage names; a made node serves
// one pool. It also records whether replicas lie on one host each.
func (a *audit) checkIDs() {
	t := tally{rule: ruleIDs, want: "ids of the cluster's GPUs, each in the pool of its stage"}
	hostPool := map[string]int{}
	host := map[int]string{}
	a.oneHost = true
	for i := range a.phase.Stages {
		s := &a.phase.Stages[i]
		k, ok := a.pools[s.Pool]
		if !ok {
			t.fail(0, "%s: pool %q is unknown", where(s), s.Pool)
			continue
		}
		for _, id := range s.GPUs {
			d, err := a.find(id, k)
			if err != nil {
				t.fail(0, "%s: %v", where(s), err)
				continue
			}
			if _, named := a.known[id]; !named {
				if other, taken := hostPool[d.host]; taken && other != k {
					t.fail(0, "%s: host %q already serves pool %q", where(s), d.host, a.cond.Cluster.Pools[other].Name)
				}
				hostPool[d.host] = k
			}
			if first, seen := host[s.Replica]; seen && first != d.host {
				a.oneHost = false
			} else if !seen {
				host[s.Replica] = d.host
			}
		}
	}
	t.report(a.list, fmt.Sprintf("all ids of %d stages do", len(a.phase.Stages)))
}

// checkUnique counts different ids and shards: no GPU may serve two stages.
func (a *audit) checkUnique() {
	t := tally{rule: ruleUnique, want: "each GPU on one stage of one replica"}
	seen := map[string]*results.Stage{}
	for i := range a.phase.Stages {
		s := &a.phase.Stages[i]
		a.take(s, seen, &t)
	}
	a.used = len(seen)
	t.report(a.list, fmt.Sprintf("%d different GPUs", a.used))
}

// take counts the shards of a stage and its GPUs, none of which may be taken.
func (a *audit) take(s *results.Stage, seen map[string]*results.Stage, t *tally) {
	a.parts += shards(s)
	for _, id := range s.GPUs {
		if first, twice := seen[id]; twice {
			t.fail(0, "GPU %q is in %s and in %s", id, where(first), where(s))
			continue
		}
		seen[id] = s
		if k, ok := a.pools[s.Pool]; ok {
			a.usedOf[k]++
		}
	}
}

// shards is tp·cp·dp_attention, 0 where the degrees are not ones of this stage.
func shards(s *results.Stage) int {
	n := 1
	for _, d := range []int{s.TP, s.CP, s.DPAttention} {
		if d < 1 || d > len(s.GPUs) {
			return 0
		}
		n *= d
	}
	return n
}

// checkHosts: the GPUs of a stage that fits a node are on one host; those of a
// larger stage fill whole hosts, one after the other, because neighbouring ranks
// talk most.
func (a *audit) checkHosts() {
	t := tally{rule: ruleHosts, want: "at most a node's GPUs: one host; more: whole hosts, host by host"}
	for i := range a.phase.Stages {
		s := &a.phase.Stages[i]
		k, ok := a.pools[s.Pool]
		if !ok {
			continue
		}
		var hosts []string
		onHost, whole := map[string]int{}, map[string]int{}
		for _, id := range s.GPUs {
			d, err := a.find(id, k)
			if err != nil {
				continue
			}
			if len(hosts) == 0 || hosts[len(hosts)-1] != d.host {
				hosts = append(hosts, d.host)
			}
			onHost[d.host]++
			whole[d.host] = d.node
		}
		if len(hosts) != len(onHost) {
			t.fail(0, "%s lists its hosts interleaved: %s", where(s), strings.Join(clip(hosts, 6), ", "))
			continue
		}
		if len(hosts) == 1 {
			continue
		}
		if per := nodeSize(&a.cond.Cluster.Pools[k]); len(s.GPUs) <= per {
			t.fail(0, "%s: %d GPUs on %d hosts where a node has %d", where(s), len(s.GPUs), len(hosts), per)
			continue
		}
		for _, h := range hosts {
			if onHost[h] != whole[h] {
				t.fail(0, "%s spans %d hosts and takes %d of the %d GPUs of %s", where(s), len(hosts), onHost[h], whole[h], h)
			}
		}
	}
	t.report(a.list, "every stage does")
}

// clip shortens a list for a message.
func clip(list []string, n int) []string {
	if len(list) <= n {
		return list
	}
	return append(append([]string(nil), list[:n]...), "…")
}
