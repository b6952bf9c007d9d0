package read

import (
	"fmt"

	"partita/inputs"
)

// resolveCluster builds the pools and the network, and notes where the pools' values
// are stated.
func (d *draft) resolveCluster(lib library, model inputs.Model, places inputs.Places) inputs.Cluster {
	var c inputs.Cluster
	n := max(d.pools, 1)
	d.checkClusterCount()
	var listed []int // by pool of c: the pool of the inputs that it is from
	for i := range n {
		if p, ok := d.pool(lib, model, i); ok {
			c.Pools = append(c.Pools, p...)
			for range p {
				listed = append(listed, i)
			}
		}
	}
	if d.inventory || d.allByHost() {
		var first []int
		c.Pools, first = mergeAlike(c.Pools)
		for k, i := range first {
			listed[k] = listed[i]
		}
	}
	for k := range c.Pools {
		d.keepPoolPlaces(places, k, listed[k])
	}
	d.namePools(c.Pools)
	d.placeGPUs(c.Pools)
	d.checkGPUNames(c.Pools)
	c.Network = d.network(c.Pools)
	return c
}

// keepPoolPlaces notes where the values of a pool are stated: by the first of the
// fields that imply them.
func (d *draft) keepPoolPlaces(places inputs.Places, pool, listed int) {
	for value, fields := range map[string][]string{
		inputs.PoolCount:  {"count", "nodes", "gpus_per_node", "hosts"},
		inputs.PoolMemory: {"free_memory", "memory", "accelerator"},
		inputs.PoolNode:   {"gpus_per_node", "nodes", "hosts", "count"},
	} {
		for _, field := range fields {
			if _, path, _ := poolFact[any](d, listed, field); d.has(path) {
				places[inputs.PoolKey(pool, value)] = d.place(path)
				break
			}
		}
	}
}

// checkClusterCount holds a number of GPUs of the whole cluster against the pools.
func (d *draft) checkClusterCount() {
	f, ok := d.facts["cluster.count"]
	if !ok || d.pools == 0 || d.pools == 1 && f.rank > fromFile {
		return
	}
	total := 0
	for i := range d.pools {
		count, stated := get[inputs.Count](d, poolPath(i, "count"))
		if !stated || !count.Stated() {
			total = -1
			break
		}
		total += count.Max
	}
	if want, _ := f.value.(inputs.Count); !want.Stated() || want.Max != total {
		d.problem(d.statements[f.statement].Place, fmt.Sprintf("number of GPUs %s beside a list of %d pools", showAny(f.value), d.pools),
			"the number of each pool", "state the count of a pool, such as cluster.pools.0.count")
	}
}

// pool builds one pool; GPUs with unlike free memory make several.
func (d *draft) pool(lib library, model inputs.Model, i int) ([]inputs.Pool, bool) {
	p := inputs.Pool{Utilization: defaultUtilization}
	p.Name, _, _ = poolFact[string](d, i, "name")
	label := p.Name
	if label == "" {
		label = fmt.Sprintf("pool %d", i)
		if d.pools < 2 {
			label = "the cluster"
		}
	}
	a, ok := d.accelerator(lib, model, i, label)
	if !ok {
		return nil, false
	}
	p.Accelerator = a
	p.MemoryBytes = a.MemoryBytes
	if v, _, stated := poolFact[float64](d, i, "memory_utilization"); stated {
		p.Utilization = v
	} else if i == 0 {
		because := "not stated: the usual default of serving engines"
		if yes, _ := d.trains(); yes {
			because = "not stated: the rest stays free for what nobody counts, fragments and other processes"
		}
		d.assume("share of the memory a plan may fill", inputs.FormatShare(p.Utilization), because)
	}
	if v, _, stated := poolFact[float64](d, i, "usd_per_hour"); stated {
		p.USDPerHour = v
	} else {
		p.USDPerHour = a.USDPerHour
	}
	d.intra(&p, i, label)
	if !d.count(&p, i, label) {
		return nil, false
	}
	return d.byFreeMemory(p, i)
}

// count sets how many GPUs a pool has and how they lie in nodes.
func (d *draft) count(p *inputs.Pool, i int, label string) bool {
	count, countPath, hasCount := poolFact[inputs.Count](d, i, "count")
	nodes, nodesPath, hasNodes := poolFact[int](d, i, "nodes")
	per, perPath, hasPer := poolFact[int](d, i, "gpus_per_node")
	if hosts, _, ok := poolFact[[]hostShare](d, i, "hosts"); ok {
		p.Count = inputs.Count{}
		for _, h := range hosts {
			p.Count.Max += len(h.GPUs)
			p.GPUsPerNode = max(p.GPUsPerNode, len(h.GPUs))
		}
		p.Count.Min = p.Count.Max
		for _, said := range []struct {
			stated, agrees bool
			path, text     string
		}{
			{hasCount, count == p.Count, countPath, fmt.Sprintf("number of GPUs %s beside an inventory of %d", showAny(count), p.Count.Max)},
			{hasNodes, nodes == len(hosts), nodesPath, fmt.Sprintf("%d nodes beside an inventory of %d", nodes, len(hosts))},
			{hasPer, per == p.GPUsPerNode, perPath, fmt.Sprintf("%d GPUs a node beside an inventory with %d", per, p.GPUsPerNode)},
		} {
			if said.stated && !said.agrees {
				d.problem(d.place(said.path), said.text, "the GPUs of the inventory", "leave GPUs out of the inventory instead")
				return false
			}
		}
		return true
	}
	if hasCount && hasNodes && d.facts[countPath].rank > d.facts[nodesPath].rank {
		// A number that replaces the file's is of as many nodes as it takes.
		d.used(d.facts[nodesPath].statement, "number of nodes replaced by "+d.origin(d.facts[countPath]))
		hasNodes = false
	}
	switch {
	case !hasCount && hasNodes:
		if !hasPer {
			per, hasPer = defaultNode, true
			d.assume("GPUs of a node of "+label, fmt.Sprint(per), "only the number of nodes is stated")
		}
		if nodes > maxGPUs/per {
			d.problem(d.place(nodesPath), fmt.Sprintf("%d nodes of %d GPUs", nodes, per), fmt.Sprintf("at most %d GPUs", maxGPUs), "")
			return false
		}
		count = inputs.Count{Min: nodes * per, Max: nodes * per}
	case !hasCount && hasPer:
		count, nodes, hasNodes = inputs.Count{Min: per, Max: per}, 1, true
		d.assume("nodes of "+label, "1", "only the GPUs of a node are stated")
	case !hasCount:
		count = inputs.Count{Min: 1}
		d.assume("number of GPUs of "+label, "unlimited, decided by the search", "no number is stated")
	}
	if count.Max > maxGPUs {
		d.problem(d.place(countPath), fmt.Sprintf("%d GPUs", count.Max), fmt.Sprintf("at most %d", maxGPUs), "")
		return false
	}
	p.Count = count
	if hasNodes && !count.Stated() {
		d.problem(d.place(nodesPath), fmt.Sprintf("%d nodes, but the number of GPUs is not one number", nodes), "a number of GPUs, or GPUs per node alone", "")
		return false
	}
	if hasNodes && (nodes > count.Max || hasPer && nodes*per != count.Max || count.Max%nodes != 0) {
		d.problem(d.place(nodesPath), fmt.Sprintf("%d GPUs do not make %s", count.Max, nodeText(nodes, per, hasPer)), "numbers that agree", "")
		return false
	}
	switch {
	case hasPer:
	case hasNodes:
		per = count.Max / nodes
	case count.Stated() && count.Max <= defaultNode:
		per = count.Max
		if count.Max > 1 {
			d.assume("nodes of "+label, "1", fmt.Sprintf("%d GPUs, no number of nodes is stated", count.Max))
		}
	default:
		per = defaultNode
		d.assume("GPUs of a node of "+label, fmt.Sprint(per), "not stated")
	}
	p.GPUsPerNode = per
	return true
}

// maxGPUs bounds a stated number: every GPU gets a name. The largest clusters in use
// have about 100,000.
const maxGPUs = 1 << 17

func nodeText(nodes, per int, hasPer bool) string {
	if hasPer {
		return fmt.Sprintf("%d nodes of %d", nodes, per)
	}
	return fmt.Sprintf("%d equal nodes", nodes)
}
