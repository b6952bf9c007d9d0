package cost

import (
	"math"
	"math/bits"
)

// group is a set of GPUs that communicate: size of them, at most perNode on one
// node. A group inside a node has perNode ≥ size.
type group struct{ size, perNode int }

// groupOf places a group whose members are stride ranks apart on nodes of the
// device's size; ranks of a stage are contiguous.
func (d *device) groupOf(size, stride int) group {
	perNode := max(1, d.gpusPerNode/stride)
	return group{size: size, perNode: min(perNode, size)}
}

// nodes is the number of nodes that the group touches.
func (g group) nodes() int { return (g.size + g.perNode - 1) / g.perNode }

func tabled(n int) int { return min(n, maxTabled) }

// hops is the number of steps of a tree over n nodes.
func hops(n int) float64 { return float64(bits.Len(uint(n - 1))) }

// allReduce prices the sum of a buffer of the given bytes on each GPU.
//
//	one node  min( α1 + (n-1) bytes/(η1 W),  α2 + 2 (n-1)/n · bytes/(η2 W),      (L1)
//	          α3 + bytes/(η3 W) where the switch sums )
//	k nodes   reduce-scatter and all-gather inside (g GPUs), and between them
//	          2⌈log2 k⌉ α + 2 (k-1)/k · (bytes/g)/(η W_net)                       (L2)
func (d *device) allReduce(bytes float64, g group) float64 {
	if g.size <= 1 {
		return 0
	}
	k := g.nodes()
	t := 0.0
	if g.perNode > 1 {
		n := tabled(g.perNode)
		m := float64(g.perNode)
		t = d.node.ringLatency[n] + 2*(m-1)/m*bytes*d.node.secondsPerByte[n]
		if k == 1 && d.node.oneShot[n] > 0 {
			t = math.Min(t, d.node.oneShotLatency[n]+(m-1)*bytes*d.node.oneShot[n])
		}
		if k == 1 && d.node.summed[n] > 0 {
			t = math.Min(t, d.node.summedLatency+bytes*d.node.summed[n])
		}
	}
	if k > 1 {
		q := float64(k)
		t += 2*hops(k)*d.network.hopLatency + 2*(q-1)/q*(bytes/float64(g.perNode))*d.network.secondsPerByte[tabled(k)]
	}
	return t
}

// allGather prices collecting a result of the given bytes (all parts together) on
// each GPU; a reduce-scatter of the same bytes costs the same.
//
//	one node  α2/2 + (n-1)/n · bytes/(η2 W)     an all-reduce is one of each       (L3)
//	k nodes   + ⌈log2 k⌉ α + (k-1)/k · (bytes/g)/(η W_net)
func (d *device) allGather(bytes float64, g group) float64 {
	if g.size <= 1 {
		return 0
	}
	k := g.nodes()
	t := 0.0
	if g.perNode > 1 {
		n := tabled(g.perNode)
		m := float64(g.perNode)
		t = d.node.ringLatency[n]/2 + (m-1)/m*bytes*d.node.secondsPerByte[n]
	}
	if k > 1 {
		q := float64(k)
		t += hops(k)*d.network.hopLatency + (q-1)/q*(bytes/float64(g.perNode))*d.network.secondsPerByte[tabled(k)]
	}
	return t
}

// allToAll prices each GPU sending the given bytes, spread evenly over the group.
//
//	one node  α2/2 + (n-1)/n · bytes/(η2 W)
//	k nodes   the share for GPUs of the own node inside, the rest over the network (L4)
func (d *device) allToAll(bytes float64, g group) float64 {
	if g.size <= 1 {
		return 0
	}
	size := float64(g.size)
	local := float64(g.perNode)
	t := 0.0
	if g.perNode > 1 {
		n := tabled(g.perNode)
		t = d.node.ringLatency[n]/2 + (local-1)/size*bytes*d.node.secondsPerByte[n]
	}
	if k := g.nodes(); k > 1 {
		t += d.network.hopLatency + (size-local)/size*bytes*d.network.secondsPerByte[tabled(k)]
	}
	return t
}
