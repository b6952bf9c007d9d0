package cost

import (
	"errors"
	"fmt"
	"math"

	"partita/inputs"
	"partita/inputs/evidence"
)

// newDevice resolves one pool.
func newDevice(cluster *inputs.Cluster, pool *inputs.Pool, m *inputs.Model, engine string) (device, []string, error) {
	a := &pool.Accelerator
	if err := checkPool(pool); err != nil {
		return device{}, nil, err
	}
	p, warnings, err := resolvePrecision(pool, m)
	if err != nil {
		return device{}, nil, err
	}
	stated := a.Efficiency != nil
	constants := profileOf(a)
	d := device{
		name:        pool.Name,
		generation:  constants.Generation,
		constants:   constants,
		own:         a.Profile != nil,
		precision:   p,
		stated:      stated,
		complete:    a.Efficiency.Complete(),
		alike:       evidence.Tells(constants.Generation, a.MemoryBandwidth),
		gpusPerNode: gpusPerNode(pool),
		memory:      newEngineMemory(engine, pool, &constants.Memory),
		reserves:    newReserves(pool, &constants.Memory),
	}
	note := unknownGeneration(constants, a)
	if note != "" && !d.complete {
		warnings = append(warnings, fmt.Sprintf("pool %q: %s; state the utilisation to replace them", pool.Name, note))
	}
	o := &constants.Operators
	d.matmul = d.resolve("matmul of the weights", matmulOf(constants, kernelsOf(m.Weights, p.matmul)), p.matmulPeak, a, note)
	if p.dense != p.matmul {
		d.dense = d.resolve("matmul beside the experts", matmulOf(constants, p.dense), p.densePeak, a, note)
	} else {
		d.dense = d.matmul
	}
	d.experts = d.matmul
	if !stated {
		d.experts = d.matmul.sharing(o.Experts.Compute, o.Experts.Bandwidth)
		d.imbalance = o.Experts.Imbalance
	}
	d.projections = d.dense
	if m.Projections.Bytes() >= 2 && m.Projections != "" {
		d.projections = d.resolve("matmul of attention's matrices", matmulOf(constants, p.wide), p.widePeak, a, note)
	}
	d.wide = d.resolve("router and head", matmulOf(constants, inputs.BF16), p.widePeak, a, note)
	d.prefill = d.resolve("prefill attention", efficiencyOf(constants, "operators.prefill", o.Prefill), p.widePeak, a, note)
	d.decode = d.resolve("decode attention", efficiencyOf(constants, "operators.decode", o.Decode), p.widePeak, a, note)
	d.stream = d.resolve("norm, residual, rotary, activation", streamOf(constants), p.widePeak, a, note)
	d.train = d.trainRates()
	d.host = hostOf(constants, engine, stated)

	intra, more := nodeLink(pool, d.gpusPerNode)
	warnings = append(warnings, more...)
	network := cluster.Network
	if network.BytesPerSecond <= 0 {
		if n := pool.Count; n.Unlimited() || n.Max > d.gpusPerNode || len(cluster.Pools) > 1 {
			warnings = append(warnings, fmt.Sprintf("pool %q: no rate of the network between nodes is known; %g GB/s per GPU and direction assumed", pool.Name, defaultNetworkRate/1e9))
		}
		network = inputs.Link{Kind: inputs.LinkUnknown, BytesPerSecond: defaultNetworkRate}
	}
	d.node, d.network = nodeWire(intra, &constants.Links, !stated), networkWire(network, &constants.Links, !stated)
	return d, warnings, nil
}

// resolve makes the roofline of one kind of operator and notes where it is from.
// A stated utilisation replaces the efficiencies of every operator and leaves no
// launch floor; a bandwidth share that is not stated stays the generation's.
func (d *device) resolve(operator string, e efficiency, peak float64, a *inputs.Accelerator, inherited string) roofline {
	if inherited != "" {
		e.source += "; " + inherited
	}
	if s := a.Efficiency; s != nil {
		const stated = "stated by the input"
		e.Floor = 0
		switch {
		case s.Compute > 0 && s.Bandwidth > 0:
			e.Compute, e.Bandwidth, e.source = s.Compute, s.Bandwidth, stated
		case s.Compute > 0:
			e.Compute, e.source = s.Compute, "compute "+stated+"; bandwidth: "+e.source
		case s.Bandwidth > 0:
			e.Bandwidth, e.source = s.Bandwidth, "bandwidth "+stated+"; compute: "+e.source
		}
	}
	d.notes = append(d.notes, OperatorEfficiency{Operator: operator, FloorSeconds: e.Floor, Compute: e.Compute, Bandwidth: e.Bandwidth, Source: e.source})
	return roofline{
		floor:          e.Floor,
		secondsPerFLOP: 1 / (e.Compute * peak),
		secondsPerByte: 1 / (e.Bandwidth * a.MemoryBandwidth),
		compute:        e.Compute,
		bandwidth:      e.Bandwidth,
	}
}

func checkPool(pool *inputs.Pool) error {
	a := &pool.Accelerator
	var problems []error
	add := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("pool %q: "+format, append([]any{pool.Name}, args...)...))
	}
	if !(a.MemoryBandwidth > 0) || math.IsInf(a.MemoryBandwidth, 0) {
		add("memory bandwidth of %q is %g bytes/s; state it", a.Name, a.MemoryBandwidth)
	}
	if pool.MemoryBytes <= 0 {
		add("memory of each GPU is %d bytes; state it", pool.MemoryBytes)
	}
	if !(pool.Utilization > 0 && pool.Utilization <= 1) {
		add("utilization of the memory is %g; it must be above 0 and at most 1", pool.Utilization)
	}
	if e := a.Efficiency; e != nil {
		if !(e.Compute >= 0 && e.Compute <= 1) || !(e.Bandwidth >= 0 && e.Bandwidth <= 1) {
			add("stated utilisation of compute %g and bandwidth %g; each must be between 0 and 1", e.Compute, e.Bandwidth)
		}
	}
	return errors.Join(problems...)
}

// gpusPerNode is the size of the pool's nodes; the largest where they differ.
func gpusPerNode(pool *inputs.Pool) int {
	if pool.GPUsPerNode > 0 {
		return pool.GPUsPerNode
	}
	n := 0
	for i := range pool.Nodes {
		n = max(n, len(pool.Nodes[i].GPUs))
	}
	if n > 0 {
		return n
	}
	return defaultGPUsPerNode
}

// nodeLink is the link inside a node, PCIe where the pool states none.
func nodeLink(pool *inputs.Pool, perNode int) (inputs.Link, []string) {
	l := pool.Intra
	if l.BytesPerSecond > 0 {
		return l, nil
	}
	if pcie := pool.Accelerator.PCIe; pcie > 0 {
		kind := inputs.LinkPCIe
		if l.Kind == inputs.LinkPair && l.PairBytesPerSecond > 0 {
			kind = inputs.LinkPair
		}
		return inputs.Link{Kind: kind, BytesPerSecond: pcie, PairBytesPerSecond: l.PairBytesPerSecond}, nil
	}
	l = inputs.Link{Kind: inputs.LinkUnknown, BytesPerSecond: defaultNodeRate}
	if perNode == 1 || pool.Count.Max == 1 {
		return l, nil
	}
	return l, []string{fmt.Sprintf("pool %q: no link inside a node is known; %g GB/s per GPU and direction assumed", pool.Name, defaultNodeRate/1e9)}
}

// sendLink is a link as a send between two stages sees it.
type sendLink struct{ latency, perByte float64 }

// hostLinks are the links inside a shared host for each ordered pair of pools, at
// from*pools+to: the slower of the two.
func hostLinks(devices []device) []sendLink {
	n := len(devices)
	links := make([]sendLink, 0, n*n)
	for i := range devices {
		for j := range devices {
			a, b := devices[i].node, devices[j].node
			links = append(links, sendLink{
				latency: math.Max(a.sendLatency, b.sendLatency),
				perByte: math.Max(a.sendPerByte, b.sendPerByte),
			})
		}
	}
	return links
}
