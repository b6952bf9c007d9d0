package read

import (
	"fmt"
	"math"
	"strings"

	"partita/inputs"
)

// resolveCluster builds the pools and the network.
func (d *draft) resolveCluster(lib library, model inputs.Model) inputs.Cluster {
	var c inputs.Cluster
	n := max(d.pools, 1)
	d.checkClusterCount()
	for i := range n {
		if p, ok := d.pool(lib, model, i); ok {
			c.Pools = append(c.Pools, p...)
		}
	}
	if d.inventory {
		c.Pools = mergeAlike(c.Pools)
	}
	d.namePools(c.Pools)
	d.placeGPUs(c.Pools)
	c.Network = d.network(c.Pools)
	return c
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
		d.assume("share of the memory a plan may fill", inputs.FormatShare(p.Utilization), "not stated: the usual default of serving engines")
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

// accelerator is the device of a pool: of the catalogue with stated facts in front,
// or described by its facts alone.
func (d *draft) accelerator(lib library, model inputs.Model, i int, label string) (inputs.Accelerator, bool) {
	name, path, named := poolFact[string](d, i, "accelerator")
	a := inputs.Accelerator{Name: "custom", Provenance: statedProvenance, FLOPS: map[inputs.DType]float64{}, Link: inputs.Link{Kind: inputs.LinkUnknown}}
	if named {
		found, known := lib.Accelerator(name)
		_, _, hasPeak := poolFact[float64](d, i, "flops")
		_, _, hasBandwidth := poolFact[float64](d, i, "memory_bandwidth")
		if !known && hasPeak && hasBandwidth {
			a.Name, found, known, named = name, a, true, false // described by its facts, the name is only a label
			found.Name = name
		}
		if !known {
			d.problem(d.place(path), fmt.Sprintf("accelerator %q is not in the catalogue", name), "a known accelerator, or its flops, memory_bandwidth and memory", suggestion(lib, name))
			return a, false
		}
		d.variants(lib, name, found.Name)
		a = found
		peaks := map[inputs.DType]float64{}
		for k, v := range a.FLOPS {
			peaks[k] = v
		}
		a.FLOPS = peaks
	}
	if v, memoryPath, ok := poolFact[int64](d, i, "memory"); ok {
		a.MemoryBytes = d.statedMemory(v, a, named, memoryPath, label)
	}
	if v, bandwidthPath, ok := poolFact[float64](d, i, "memory_bandwidth"); ok {
		d.warnFact(named, bandwidthPath, v, a.MemoryBandwidth, inputs.FormatBandwidth)
		a.MemoryBandwidth = v
	}
	if v, _, ok := poolFact[float64](d, i, "pcie"); ok {
		a.PCIe = v
		if a.Link.Kind == inputs.LinkPCIe {
			a.Link.BytesPerSecond = v
		}
	}
	d.peaks(&a, model, i)
	d.efficiency(&a, i, label)
	return a, d.complete(a, label)
}

// statedMemory is the capacity that counts. People write 80GB for a device whose
// driver reports 81559 MiB: where the stated number, in GB or in GiB, is the
// catalogue's figure, the same memory is meant and the catalogue's is exact.
func (d *draft) statedMemory(v int64, a inputs.Accelerator, named bool, path, label string) int64 {
	if !named || a.MemoryBytes == 0 || v == a.MemoryBytes {
		return v
	}
	known, binary := float64(a.MemoryBytes), float64(v)/1e9*(1<<30)
	if d.facts[path].rank == fromFile && (math.Abs(float64(v)/known-1) < sameMemory || math.Abs(binary/known-1) < sameMemory) {
		d.assume("memory of "+label, inputs.FormatBytes(a.MemoryBytes), fmt.Sprintf("the catalogue's figure for %s; %s is stated, which leaves GB or GiB open", a.Name, inputs.FormatBytes(v)))
		return a.MemoryBytes
	}
	d.warnFact(named, path, float64(v), float64(a.MemoryBytes), func(f float64) string { return inputs.FormatBytes(int64(f)) })
	return v
}

// variants lists the choice that a short name leaves open: "H100" may be the SXM or
// the PCIe part.
func (d *draft) variants(lib library, name, chosen string) {
	v, ok := lib.(interface{ Variants(name string) []string })
	if !ok {
		return
	}
	others := v.Variants(name)
	if len(others) == 0 || phrase(name) == phrase(chosen) {
		return
	}
	for _, a := range d.assumptions {
		if a.What == "accelerator "+name {
			return
		}
	}
	d.assume("accelerator "+name, chosen, "the catalogue's default for the name; it could also be "+strings.Join(others, ", "))
}

// sameMemory is how far a driver's figure may lie below the nominal one: 81559 of
// 81920 MiB on an H100, 24564 of 24576 on a 4090, 15360 of 16384 on a T4 is already another.
const sameMemory = 0.02

// warnFact warns where a stated fact is a tenth or more off the catalogue's.
func (d *draft) warnFact(named bool, path string, stated, known float64, show func(float64) string) {
	if named && known > 0 && math.Abs(stated/known-1) >= 0.1 {
		k, _ := d.keyOf(path)
		d.warn("%s: %s is stated (%s), the catalogue says %s: the stated figure is used", k.noun(), show(stated), d.origin(d.facts[path]), show(known))
	}
}

// peaks sets the stated peak compute. A figure without a number format counts for
// the formats the model computes in.
func (d *draft) peaks(a *inputs.Accelerator, model inputs.Model, i int) {
	if v, path, ok := poolFact[float64](d, i, "flops"); ok {
		formats := map[inputs.DType]bool{model.Weights: true, model.Activation: true}
		for _, f := range dtypes() {
			if formats[f] {
				a.FLOPS[f] = v
			}
		}
		if model.Weights != "" {
			d.used(d.facts[path].statement, "taken for "+string(model.Weights)+", the number format of the model")
			if model.Weights != model.Activation && i == 0 {
				d.assume("peak compute in "+string(model.Activation), inputs.FormatFLOPS(v), "the stated figure has no number format: taken for weights and activations alike")
			}
		}
	}
	for _, f := range dtypes() {
		if v, _, ok := poolFact[float64](d, i, "flops."+string(f)); ok {
			a.FLOPS[f] = v
		}
	}
	// BF16 and FP16 share one peak: who states one of them for a device of their own means both.
	for f, twin := range map[inputs.DType]inputs.DType{inputs.BF16: inputs.FP16, inputs.FP16: inputs.BF16} {
		if v, ok := a.FLOPS[f]; ok && a.FLOPS[twin] == 0 && a.Provenance == statedProvenance {
			a.FLOPS[twin] = v
		}
	}
}

// statedProvenance marks a device that the inputs describe.
const statedProvenance = "stated"

// assumedMFU is taken where only the bandwidth utilisation is stated: what large
// BF16 products reach on an H100 (docs/cost-model.md).
const assumedMFU = 0.81

// efficiency sets stated utilisations.
func (d *draft) efficiency(a *inputs.Accelerator, i int, label string) {
	mfu, _, hasMFU := poolFact[float64](d, i, "mfu")
	bandwidth, _, hasBandwidth := poolFact[float64](d, i, "bandwidth_utilization")
	if !hasMFU && !hasBandwidth {
		return
	}
	if !hasMFU {
		mfu = assumedMFU
		d.assume("share of the peak compute of "+label, inputs.FormatShare(mfu), "only the bandwidth utilisation is stated")
	}
	a.Efficiency = &inputs.Efficiency{Compute: mfu, Bandwidth: bandwidth}
}

// complete reports what is missing of a device.
func (d *draft) complete(a inputs.Accelerator, label string) bool {
	var missing []string
	if len(a.FLOPS) == 0 {
		missing = append(missing, "peak compute (such as 400TFLOPS)")
	}
	if a.MemoryBandwidth <= 0 {
		missing = append(missing, "memory bandwidth (such as 1.8TB/s)")
	}
	if a.MemoryBytes <= 0 {
		missing = append(missing, "memory (such as 64GB)")
	}
	if len(missing) > 0 {
		d.missing("of "+label+": "+strings.Join(missing, ", "), "an accelerator of the catalogue or all three facts", "name the GPU, such as 8 x H100; `partita catalog gpus` lists the known ones")
		return false
	}
	return true
}

// intra sets the link inside a node: stated, of the device, its PCIe, or assumed.
func (d *draft) intra(p *inputs.Pool, i int, label string) {
	own := p.Accelerator.Link
	if own.BytesPerSecond == 0 && p.Accelerator.PCIe > 0 {
		own = inputs.Link{Kind: inputs.LinkPCIe, BytesPerSecond: p.Accelerator.PCIe, PairBytesPerSecond: own.PairBytesPerSecond}
	}
	w, path, stated := poolFact[wire](d, i, "intra_link")
	switch {
	case stated && w.BytesPerSecond == 0 && own.BytesPerSecond > 0:
		p.Intra = own // only the kind is named: the device's own rate
		if w.Kind == inputs.LinkPCIe && p.Accelerator.PCIe > 0 {
			p.Intra = inputs.Link{Kind: inputs.LinkPCIe, BytesPerSecond: p.Accelerator.PCIe}
		}
	case stated && w.BytesPerSecond == 0:
		d.problem(d.place(path), "the link inside a node has no rate", "a rate such as NVLink 450GB/s", "")
	case stated:
		p.Intra = d.perDirection(w, own, path, label)
	case own.BytesPerSecond > 0:
		p.Intra = own
	default:
		p.Intra = inputs.Link{Kind: inputs.LinkUnknown, BytesPerSecond: defaultIntra}
		d.assume("link inside a node of "+label, inputs.FormatBandwidth(defaultIntra)+" per GPU and direction", "no link is stated")
	}
}

// perDirection resolves a stated rate: data sheets give NVLink as the sum of both
// directions, twice what counts here.
func (d *draft) perDirection(w wire, own inputs.Link, path, label string) inputs.Link {
	link := w.Link
	if link.Kind == inputs.LinkUnknown && own.Kind != "" {
		link.Kind = own.Kind
	}
	if own.BytesPerSecond == 0 || w.Bidirectional {
		return link
	}
	if ratio := link.BytesPerSecond / own.BytesPerSecond; math.Abs(ratio-2) < 0.1 {
		d.assume("link inside a node of "+label, inputs.FormatBandwidth(own.BytesPerSecond)+" per GPU and direction",
			fmt.Sprintf("%s is stated (%s), twice the device's rate by the catalogue: both directions together", inputs.FormatBandwidth(link.BytesPerSecond), d.origin(d.facts[path])))
		d.used(d.facts[path].statement, "read as both directions together: "+inputs.FormatBandwidth(own.BytesPerSecond)+" each")
		return own
	}
	return link
}

// count sets how many GPUs a pool has and how they lie in nodes.
func (d *draft) count(p *inputs.Pool, i int, label string) bool {
	count, countPath, hasCount := poolFact[inputs.Count](d, i, "count")
	if hosts, ok := get[[]hostShare](d, poolPath(i, "hosts")); ok {
		p.Count = inputs.Count{}
		for _, h := range hosts {
			p.Count.Max += len(h.GPUs)
			p.GPUsPerNode = max(p.GPUsPerNode, len(h.GPUs))
		}
		p.Count.Min = p.Count.Max
		if count != p.Count {
			d.problem(d.place(countPath), fmt.Sprintf("number of GPUs %s beside an inventory of %d", showAny(count), p.Count.Max), "the GPUs of the inventory", "leave GPUs out of the inventory instead")
			return false
		}
		return true
	}
	nodes, nodesPath, hasNodes := poolFact[int](d, i, "nodes")
	per, _, hasPer := poolFact[int](d, i, "gpus_per_node")
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

// network joins nodes. It is an assumption worth listing only where GPUs can be in
// different nodes.
func (d *draft) network(pools []inputs.Pool) inputs.Link {
	per, several := defaultNode, len(pools) > 1
	for _, p := range pools {
		per = max(p.GPUsPerNode, 1)
		several = several || len(p.Nodes) != 1
	}
	w, ok := get[wire](d, "cluster.network")
	if !ok {
		if several && d.severalHosts(pools) {
			d.assume("network between nodes", inputs.FormatBandwidth(defaultNetwork)+" per GPU and direction", "no network is stated")
		}
		return inputs.Link{Kind: inputs.LinkUnknown, BytesPerSecond: defaultNetwork}
	}
	if w.BytesPerSecond == 0 {
		d.problem(d.place("cluster.network"), "the network has no rate", "a rate such as 100Gb/s", "")
		return w.Link
	}
	link := w.Link
	if w.PerNode {
		link.BytesPerSecond /= float64(per)
		d.used(d.facts["cluster.network"].statement, "shared by the GPUs of a node: "+inputs.FormatBandwidth(link.BytesPerSecond)+" each")
	} else if !perGPU.MatchString(d.statements[d.facts["cluster.network"].statement].Text) && d.severalHosts(pools) {
		d.assume("network between nodes", inputs.FormatBandwidth(link.BytesPerSecond)+" per GPU and direction", "the stated rate is taken for each GPU; say `per node` where the GPUs of a node share it")
	}
	return link
}

// severalHosts reports whether GPUs can be in different nodes.
func (d *draft) severalHosts(pools []inputs.Pool) bool {
	names := map[string]bool{}
	for _, p := range pools {
		if len(p.Nodes) == 0 || len(p.Nodes) > 1 && p.Nodes[0].Host != p.Nodes[1].Host {
			return true
		}
		for _, n := range p.Nodes {
			names[n.Host] = true
		}
	}
	return len(names) > 1
}
