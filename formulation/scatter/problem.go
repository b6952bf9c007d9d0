package scatter

import (
	"fmt"
	"math"
	"slices"

	"partita/inputs/opgraph"
)

// problem is a graph made ready for the searches: nodes that share a device by demand
// are one cluster, outputs are nets, and every time is a whole number of ticks, so that
// loads changed a million times over do not drift.
type problem struct {
	g        *opgraph.Graph
	clusters []cluster
	nets     []net
	asSource [][]int32 // nets whose source lies in a cluster
	asSink   [][]int32 // nets that have a sink in a cluster

	// Devices that the searches use, no more than there are clusters, and those that the
	// bounds count. They differ only where tables of nets and devices would grow too large.
	accelerators, cores           int
	boundAccelerators, boundCores int

	perMS  float64 // ticks in a millisecond, a power of two
	memory bool    // whether the memory of an accelerator can bind at all
}

// cluster is a set of nodes on one device.
type cluster struct {
	nodes           []int
	work, cpu       int64 // ticks on an accelerator and on a core
	bytes           int64
	onAccel, onCore bool
}

// net is what one cluster sends to others: its cost falls due once at the sender and
// once at every other accelerator that has a sink.
type net struct {
	source int32
	sinks  []int32 // clusters without the source, each once, ascending
	cost   int64
}

// tickBits: the sum of all times stays under 2^tickBits ticks, which leaves room to add
// loads up in an int64 and in a float64.
const tickBits = 50

const (
	tableSize  = 1 << 26 // entries of a table of nets and devices
	idleRounds = 20      // chains of idle clusters shrink by half or more in each
)

// newProblem contracts a graph. A class with a node that no accelerator runs is for
// cores only.
func newProblem(g *opgraph.Graph) *problem {
	p := &problem{g: g, perMS: ticksPerMS(g)}
	of := p.cluster()
	p.net(of)
	for round := 0; round < idleRounds && p.joinIdle(of); round++ {
	}
	p.incidence()
	p.boundAccelerators, p.boundCores = min(g.Accelerators, len(p.clusters)), min(g.CPUs, len(p.clusters))
	most := tableSize / max(len(p.nets), len(p.clusters))
	p.cores = min(p.boundCores, max(1, most/2))
	p.accelerators = min(p.boundAccelerators, max(1, most-p.cores))
	var bytes int64
	for i := range p.clusters {
		bytes += p.clusters[i].bytes
	}
	p.memory = bytes > g.AcceleratorBytes
	return p
}

// ticksPerMS is the largest power of two that keeps every sum under 2^tickBits.
func ticksPerMS(g *opgraph.Graph) float64 {
	sum := 0.0
	for i := range g.Nodes {
		n := &g.Nodes[i]
		for _, t := range []float64{n.AcceleratorTime, n.CPUTime} {
			if !math.IsInf(t, 0) {
				sum += t
			}
		}
		sum += n.Send * float64(1+g.Accelerators)
	}
	if sum == 0 {
		return 1
	}
	return math.Ldexp(1, min(tickBits-math.Ilogb(sum)-1, 900))
}

func (p *problem) ticks(ms float64) int64 { return int64(math.Round(ms * p.perMS)) }

// ms gives the milliseconds of a number of ticks.
func (p *problem) ms(ticks int64) float64 { return float64(ticks) / p.perMS }

// cluster fills the clusters with colour classes and free nodes and returns the cluster
// of every node.
func (p *problem) cluster() []int {
	of := make([]int, len(p.g.Nodes))
	colour := map[int]int{}
	for v := range p.g.Nodes {
		n := &p.g.Nodes[v]
		i, seen := colour[n.Colour]
		if !seen || n.Colour == opgraph.NoColour {
			i = len(p.clusters)
			p.clusters = append(p.clusters, cluster{onAccel: p.g.Accelerators > 0, onCore: p.g.CPUs > 0})
			if n.Colour != opgraph.NoColour {
				colour[n.Colour] = i
			}
		}
		of[v] = i
		c := &p.clusters[i]
		c.nodes = append(c.nodes, v)
		c.bytes += n.Bytes
		if c.onAccel = c.onAccel && n.OnAccelerator && !math.IsInf(n.AcceleratorTime, 0); c.onAccel {
			c.work += p.ticks(n.AcceleratorTime)
		}
		if c.onCore = c.onCore && !math.IsInf(n.CPUTime, 0); c.onCore {
			c.cpu += p.ticks(n.CPUTime)
		}
	}
	for i := range p.clusters {
		c := &p.clusters[i]
		c.onAccel = c.onAccel && c.bytes <= p.g.AcceleratorBytes
	}
	return of
}

// net fills the nets; outputs of one cluster to the same clusters are one net.
func (p *problem) net(of []int) {
	p.nets = nil
	index := map[string]int{}
	for u, out := range p.g.Successors() {
		var sinks []int32
		for _, v := range out {
			if of[v] != of[u] {
				sinks = append(sinks, int32(of[v]))
			}
		}
		cost := p.ticks(p.g.Nodes[u].Send)
		if len(sinks) == 0 || cost == 0 {
			continue
		}
		slices.Sort(sinks)
		sinks = slices.Compact(sinks)
		key := fmt.Sprint(of[u], sinks)
		i, seen := index[key]
		if !seen {
			i = len(p.nets)
			index[key] = i
			p.nets = append(p.nets, net{source: int32(of[u]), sinks: sinks})
		}
		p.nets[i].cost += cost
	}
}

// joinIdle merges clusters without time and bytes into the one cluster that they talk
// to: on its device they cost nothing, so some optimum has them there. It reports
// whether anything was merged.
func (p *problem) joinIdle(of []int) bool {
	partner := make([]int, len(p.clusters)) // the only neighbour, −1 none yet, −2 several
	for i := range partner {
		partner[i] = -1
	}
	meet := func(a, b int) {
		if partner[a] == -1 || partner[a] == b {
			partner[a] = b
		} else {
			partner[a] = -2
		}
	}
	for _, n := range p.nets {
		for _, s := range n.sinks {
			meet(int(s), int(n.source))
			meet(int(n.source), int(s))
		}
	}
	into := make([]int, len(p.clusters))
	merged := false
	for i := range into {
		into[i] = i
	}
	for i := range p.clusters {
		c := &p.clusters[i]
		j := partner[i]
		if c.work > 0 || c.cpu > 0 || c.bytes > 0 || j < 0 || into[j] != j || into[i] != i {
			continue
		}
		if to := &p.clusters[j]; (to.onAccel && !c.onAccel) || (to.onCore && !c.onCore) {
			continue
		}
		into[i], partner[j] = j, -2 // a target of this round joins nothing itself
		merged = true
	}
	if !merged {
		return false
	}
	p.renumber(of, into)
	return true
}

// renumber closes the gaps that merged clusters leave and rebuilds the nets.
func (p *problem) renumber(of, into []int) {
	place := make([]int, len(p.clusters))
	var kept []cluster
	for i := range p.clusters {
		if into[i] == i {
			place[i] = len(kept)
			kept = append(kept, p.clusters[i])
		}
	}
	for i := range p.clusters {
		if j := into[i]; j != i {
			c := &kept[place[j]]
			c.nodes = append(c.nodes, p.clusters[i].nodes...)
		}
	}
	for v := range of {
		of[v] = place[into[of[v]]]
	}
	p.clusters = kept
	p.net(of)
}

func (p *problem) incidence() {
	p.asSource = make([][]int32, len(p.clusters))
	p.asSink = make([][]int32, len(p.clusters))
	for i, n := range p.nets {
		p.asSource[n.source] = append(p.asSource[n.source], int32(i))
		for _, s := range n.sinks {
			p.asSink[s] = append(p.asSink[s], int32(i))
		}
	}
}

// devices is the number of devices of the searches: accelerators, then cores.
func (p *problem) devices() int { return p.accelerators + p.cores }

func (p *problem) isCore(d int) bool { return d >= p.accelerators }

// allowed reports whether a cluster may run on a device, memory of others aside.
func (p *problem) allowed(c, d int) bool {
	if p.isCore(d) {
		return p.clusters[c].onCore
	}
	return p.clusters[c].onAccel
}

// time is what a cluster takes on a device.
func (p *problem) time(c, d int) int64 {
	if p.isCore(d) {
		return p.clusters[c].cpu
	}
	return p.clusters[c].work
}

// expand gives every node of the graph the device of its cluster, in the numbering of
// the graph.
func (p *problem) expand(device []int32) []int {
	out := make([]int, len(p.g.Nodes))
	for i, d := range device {
		if p.isCore(int(d)) {
			d += int32(p.g.Accelerators - p.accelerators)
		}
		for _, v := range p.clusters[i].nodes {
			out[v] = int(d)
		}
	}
	return out
}
