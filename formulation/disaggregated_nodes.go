package formulation

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"partita/inputs"
)

// taking is how many GPUs of each node of a pool a side has.
type taking []int

// mostOrders is how many orders of the nodes of a pool are tried; of more, three.
const mostOrders = 24

// takings lists how a GPUs of a pool that prefill and b that decode may lie on its nodes:
// for each order of its unlike nodes the first ones and the last ones, and, where others
// stay idle, side by side if that is on one host. GPUs of nodes that are made have no choice.
func (d *disaggregation) takings(pool, a, b int, orders [][]int) [][2]taking {
	p := &d.c.Cluster.Pools[pool]
	if len(p.Nodes) == 0 {
		return [][2]taking{{}}
	}
	var out [][2]taking
	seen := map[string]bool{}
	add := func(x, y taking) {
		if key := fmt.Sprint(x, y); !seen[key] {
			seen[key] = true
			out = append(out, [2]taking{x, y})
		}
	}
	total := 0
	for _, n := range p.Nodes {
		total += len(n.GPUs)
	}
	for _, order := range orders {
		back := slices.Clone(order)
		slices.Reverse(back)
		x := fill(p.Nodes, order, a, nil)
		add(x, fill(p.Nodes, back, b, nil))
		if a+b < total && (a+b <= len(p.Nodes[order[0]].GPUs) || d.sharesHosts(pool)) {
			add(x, fill(p.Nodes, order, b, x))
		}
	}
	return out
}

// fill takes n GPUs from nodes in an order, beside those that are taken.
func fill(nodes []inputs.Node, order []int, n int, taken taking) taking {
	out := make(taking, len(nodes))
	for _, i := range order {
		room := len(nodes[i].GPUs)
		if taken != nil {
			room -= taken[i]
		}
		out[i] = min(n, room)
		n -= out[i]
	}
	return out
}

// sharesHosts reports whether a host of a pool has GPUs of another one, too.
func (d *disaggregation) sharesHosts(pool int) bool {
	for _, n := range d.c.Cluster.Pools[pool].Nodes {
		for k, p := range d.c.Cluster.Pools {
			if k != pool && slices.ContainsFunc(p.Nodes, func(m inputs.Node) bool { return m.Host == n.Host }) {
				return true
			}
		}
	}
	return false
}

// orders lists the orders of a pool's nodes that are not the same to a search: nodes are
// alike with as many GPUs, and as many of other pools on their host. Of more orders than
// most there are three: as stated, the smallest first and the largest first.
func (d *disaggregation) orders(pool, most int) [][]int {
	nodes := d.c.Cluster.Pools[pool].Nodes
	kinds := make([]string, len(nodes))
	stated := make([]int, len(nodes))
	for i, n := range nodes {
		stated[i] = i
		kinds[i] = fmt.Sprint(len(n.GPUs))
		for k, p := range d.c.Cluster.Pools {
			for _, m := range p.Nodes {
				if k != pool && m.Host == n.Host {
					kinds[i] += fmt.Sprintf("+%d of %d", len(m.GPUs), k)
				}
			}
		}
	}
	var out [][]int
	at, used := make([]int, 0, len(nodes)), make([]bool, len(nodes))
	var walk func() bool
	walk = func() bool {
		if len(at) == len(nodes) {
			out = append(out, slices.Clone(at))
			return len(out) <= most
		}
		tried := map[string]bool{}
		for i := range nodes {
			if used[i] || tried[kinds[i]] {
				continue
			}
			tried[kinds[i]], used[i] = true, true
			at = append(at, i)
			ok := walk()
			at, used[i] = at[:len(at)-1], false
			if !ok {
				return false
			}
		}
		return true
	}
	if walk() {
		return out
	}
	small := slices.Clone(stated)
	slices.SortStableFunc(small, func(i, j int) int { return cmp.Compare(len(nodes[i].GPUs), len(nodes[j].GPUs)) })
	large := slices.Clone(small)
	slices.Reverse(large)
	return [][]int{stated, small, large}
}

// nodesOf are the nodes of a pool with the GPUs that a side has of them: the first ones of
// each node prefill, the last ones decode.
func nodesOf(nodes []inputs.Node, of taking, last bool) []inputs.Node {
	var out []inputs.Node
	for i, n := range of {
		if n == 0 {
			continue
		}
		part := inputs.Node{Host: nodes[i].Host, GPUs: nodes[i].GPUs[:n]}
		if last {
			part.GPUs = nodes[i].GPUs[len(nodes[i].GPUs)-n:]
		}
		out = append(out, part)
	}
	return out
}

// whereText says on which hosts GPUs of a pool are: " on node-0 and node-1".
func (d *disaggregation) whereText(pool int, of taking) string {
	var hosts []string
	for i, n := range of {
		if n > 0 {
			hosts = append(hosts, d.c.Cluster.Pools[pool].Nodes[i].Host)
		}
	}
	if len(hosts) == 0 {
		return ""
	}
	return " on " + strings.Join(hosts, " and ")
}
