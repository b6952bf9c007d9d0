package read

import (
	"fmt"
	"sort"
	"strings"

	"partita/inputs"
)

// alike is how far the free memory of two GPUs may differ in one pool: the smaller
// counts for both, and a hundredth is less than what an allocator rounds away.
const alike = 0.01

// byFreeMemory splits a pool by the stated free memory of its GPUs, the most free
// first. GPUs of one host stay on that host.
func (d *draft) byFreeMemory(p inputs.Pool, i int) ([]inputs.Pool, bool) {
	shares, _, byHost := poolFact[[]hostShare](d, i, "hosts")
	for _, s := range shares {
		p.Nodes = append(p.Nodes, inputs.Node(s))
	}
	if host, path, ok := poolFact[string](d, i, "host"); ok {
		if byHost {
			d.problem(d.place(path), fmt.Sprintf("host %q beside a list of hosts", host), "host or hosts", "hosts says it already")
			return nil, false
		}
		if !p.Count.Stated() || p.Count.Max > p.GPUsPerNode {
			d.problem(d.place(path), fmt.Sprintf("host %q for %s GPUs in nodes of %d", host, showAny(p.Count), p.GPUsPerNode), "GPUs of one node", "")
			return nil, false
		}
		p.Nodes = []inputs.Node{{Host: host, GPUs: make([]string, p.Count.Max)}}
	}
	free, path, ok := poolFact[[]int64](d, i, "free_memory")
	if !ok {
		return []inputs.Pool{p}, true
	}
	for _, f := range free {
		if f > p.Accelerator.MemoryBytes+p.Accelerator.MemoryBytes/10 {
			d.problem(d.place(path), fmt.Sprintf("%s free of %s", inputs.FormatBytes(f), inputs.FormatBytes(p.Accelerator.MemoryBytes)), "at most the memory of the GPU", "")
			return nil, false
		}
	}
	if len(free) == 1 {
		p.MemoryBytes = free[0]
		return []inputs.Pool{p}, true
	}
	if !p.Count.Stated() && !d.has(poolPath(i, "count")) && !d.has("cluster.count") {
		p.Count = inputs.Count{Min: len(free), Max: len(free)}
		p.GPUsPerNode = len(free)
	}
	if p.Count.Max != len(free) || p.Count.Max > p.GPUsPerNode || len(p.Nodes) > 1 {
		d.problem(d.place(path), fmt.Sprintf("free memory of %d GPUs for %s GPUs in nodes of %d", len(free), showAny(p.Count), p.GPUsPerNode),
			"one figure for each GPU of one node", "list each node as a pool of its own")
		return nil, false
	}
	return splitByFree(p, free, fmt.Sprintf("#%d", i)), true
}

// splitByFree makes one pool of each group of GPUs with like free memory, on one host.
// An unnamed host is a placeholder that placeGPUs replaces.
func splitByFree(p inputs.Pool, free []int64, placeholder string) []inputs.Pool {
	host := placeholder
	if len(p.Nodes) == 1 {
		host = p.Nodes[0].Host
	}
	order := make([]int, len(free))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return free[order[a]] > free[order[b]] })
	var pools []inputs.Pool
	var top int64
	for _, gpu := range order {
		if n := len(pools); n == 0 || float64(free[gpu]) < float64(top)*(1-alike) {
			part := p
			part.Count, part.Nodes = inputs.Count{}, []inputs.Node{{Host: host}}
			pools = append(pools, part)
			top = free[gpu]
		}
		last := &pools[len(pools)-1]
		last.Count = inputs.Count{Min: last.Count.Min + 1, Max: last.Count.Max + 1}
		last.MemoryBytes = free[gpu] // the smallest of the group
		last.GPUsPerNode = last.Count.Max
		index := fmt.Sprint(gpu)
		if len(p.Nodes) == 1 && gpu < len(p.Nodes[0].GPUs) && p.Nodes[0].GPUs[gpu] != "" {
			index = p.Nodes[0].GPUs[gpu]
		}
		last.Nodes[0].GPUs = append(last.Nodes[0].GPUs, index)
	}
	return pools
}

// mergeAlike joins pools of inventories that hold the same: one device, one usable
// memory (the smaller counts), one link, one name if any. Machines that are alike
// make one pool; first is the index of the first of them.
func mergeAlike(pools []inputs.Pool) (out []inputs.Pool, first []int) {
next:
	for at, p := range pools {
		for i := range out {
			q := &out[i]
			low, high := min(p.MemoryBytes, q.MemoryBytes), max(p.MemoryBytes, q.MemoryBytes)
			if p.Name != q.Name || p.Accelerator.Name != q.Accelerator.Name || p.Intra != q.Intra || p.Utilization != q.Utilization || float64(low) < float64(high)*(1-alike) {
				continue
			}
			q.MemoryBytes = low
			q.Count.Min, q.Count.Max = q.Count.Min+p.Count.Min, q.Count.Max+p.Count.Max
			q.GPUsPerNode = max(q.GPUsPerNode, p.GPUsPerNode)
			q.Nodes = append(append([]inputs.Node(nil), q.Nodes...), p.Nodes...)
			continue next
		}
		out, first = append(out, p), append(first, at)
	}
	return out, first
}

// namePools gives every pool a name of its own: the stated one, else that of the
// device, with the memory or a number where names would repeat.
func (d *draft) namePools(pools []inputs.Pool) {
	seen := map[string]int{}
	base := make([]string, len(pools))
	for i, p := range pools {
		if base[i] = p.Name; base[i] == "" {
			base[i] = strings.ToLower(p.Accelerator.Name)
		}
		seen[base[i]]++
	}
	taken := map[string]bool{}
	for i := range pools {
		name := base[i]
		if seen[name] > 1 {
			name = fmt.Sprintf("%s-%dgb", base[i], pools[i].MemoryBytes/1e9)
		}
		for n := 2; taken[name]; n++ {
			name = fmt.Sprintf("%s-%d", base[i], n)
		}
		taken[name] = true
		pools[i].Name = name
	}
}

// placeGPUs gives every GPU of a stated number its host and its name,
// "node-0/gpu-3". Hosts that an input names keep their name; pools that share a
// host continue its count.
func (d *draft) placeGPUs(pools []inputs.Pool) {
	used := map[string]bool{}
	for _, p := range pools {
		for _, n := range p.Nodes {
			used[n.Host] = true
		}
	}
	next := 0
	fresh := func() string {
		for {
			name := fmt.Sprintf("node-%d", next)
			next++
			if !used[name] {
				used[name] = true
				return name
			}
		}
	}
	renamed, gpus := map[string]string{}, map[string]int{}
	for i := range pools {
		p := &pools[i]
		if len(p.Nodes) == 0 && p.Count.Stated() {
			for left := p.Count.Max; left > 0; left -= p.GPUsPerNode {
				p.Nodes = append(p.Nodes, inputs.Node{Host: fresh(), GPUs: make([]string, min(left, p.GPUsPerNode))})
			}
		}
		for j := range p.Nodes {
			n := &p.Nodes[j]
			if strings.HasPrefix(n.Host, "#") { // a host of split pools that nothing names
				if renamed[n.Host] == "" {
					renamed[n.Host] = fresh()
				}
				n.Host = renamed[n.Host]
			}
			ids := make([]string, len(n.GPUs))
			for g, index := range n.GPUs {
				if index == "" { // numbered here; an inventory brings the device's own index
					index = fmt.Sprint(gpus[n.Host])
					gpus[n.Host]++
				}
				ids[g] = n.Host + "/gpu-" + index
			}
			n.GPUs = ids
		}
	}
}
