package cost

import (
	"math"

	"partita/inputs"
)

// tabledGroup is the group that latencies and shares of a link stop changing at.
const tabledGroup = 8

// meshPeers: a mesh joins 8 devices where its pair rate is not stated (MI300X: 7 links
// of 64 GB/s).
const meshPeers = 7

// maxTabled is the largest group whose link rate is tabled; larger groups are
// priced as this size.
const maxTabled = 64

// unsummed is the largest group whose all-reduces the switch does not sum: NCCL does no better
// over four H200 or B200 with it than around a ring, and does over five to eight.
const unsummed = 4

// wire is a link with its efficiencies resolved by group size.
type wire struct {
	// secondsPerByte at index n: 1/(η W) for a ring, all-gather or all-to-all of n.
	secondsPerByte [maxTabled + 1]float64
	// oneShot at index n: 1/(η1 W); 0 where the link has no one-shot all-reduce.
	oneShot [maxTabled + 1]float64
	// ringLatency and oneShotLatency at index n, seconds.
	ringLatency    [maxTabled + 1]float64
	oneShotLatency [maxTabled + 1]float64
	// summed at index n: 1/(η3 W) of an all-reduce that the switch sums; 0: it does not.
	summed        [maxTabled + 1]float64
	summedLatency float64
	sendLatency   float64
	sendPerByte   float64
	hopLatency    float64 // of one step of a collective across nodes
}

// nodeWire resolves the link inside a node. Without latency (a stated utilisation
// leaves no floors) all latencies are 0.
func nodeWire(l inputs.Link, p *inputs.LinkConstants, latency bool) *wire {
	c := nodeLinkOf(l.Kind, p)
	w := &wire{sendLatency: c.SendLatency, sendPerByte: 1 / (c.SendShare * l.BytesPerSecond)}
	for n := 2; n <= maxTabled; n++ {
		used, rate := c, l.BytesPerSecond
		switch l.Kind {
		case inputs.LinkMesh:
			rate = math.Min(l.BytesPerSecond, meshPair(l)*float64(n-1))
		case inputs.LinkPair:
			if n == 2 && l.PairBytesPerSecond > 0 {
				used, rate = &p.NVLink, l.PairBytesPerSecond
			}
		}
		w.secondsPerByte[n] = 1 / (ringShare(used, n) * rate)
		if used.OneShotShare > 0 {
			w.oneShot[n] = 1 / (used.OneShotShare * rate)
		}
		if used.SwitchShare > 0 && n > unsummed {
			w.summed[n], w.summedLatency = 1/(used.SwitchShare*rate), used.SwitchLatency
		}
		w.ringLatency[n] = grow(used.RingLatency2, used.RingLatency8, n)
		w.oneShotLatency[n] = grow(used.OneShotLatency2, used.OneShotLatency8, n)
	}
	if l.Kind == inputs.LinkMesh {
		w.sendPerByte = 1 / (c.SendShare * meshPair(l))
	}
	if !latency {
		w.withoutLatency()
	}
	return w
}

// nodeLinkOf are the constants of a link inside a node. Devices that are bridged in pairs
// use PCIe beyond the pair, and neighbouring stages need not sit on one.
func nodeLinkOf(kind inputs.LinkKind, p *inputs.LinkConstants) *inputs.NodeLinkConstants {
	switch kind {
	case inputs.LinkMesh:
		return &p.Mesh
	case inputs.LinkPair, inputs.LinkPCIe:
		return &p.PCIe
	case inputs.LinkPCIePeer:
		// What two reach that need no peer, at any size, and no way through host memory: not
		// measured.
		c := p.PCIe
		c.RingShare4, c.RingShare8, c.SendLatency = c.RingShare2, c.RingShare2, p.NVLink.SendLatency
		return &c
	case inputs.LinkEthernet, inputs.LinkInfiniBand:
		// The only link is the network: its share and the latency of its sends; the steps
		// of a collective cost what they do on any link inside a node.
		n := p.InfiniBand
		return &inputs.NodeLinkConstants{
			RingLatency2: p.NVLink.RingLatency2, RingLatency8: p.NVLink.RingLatency8,
			RingShare2: n.Share, RingShare4: n.Share, RingShare8: n.Share,
			SendLatency: n.Latency, SendShare: n.Share,
		}
	}
	return &p.NVLink
}

// networkWire resolves the network between nodes.
func networkWire(l inputs.Link, p *inputs.LinkConstants, latency bool) *wire {
	c := &p.InfiniBand
	if l.Kind == inputs.LinkEthernet {
		c = &p.Ethernet
	}
	w := &wire{sendLatency: c.Latency, hopLatency: c.Latency, sendPerByte: 1 / (c.Share * l.BytesPerSecond)}
	for n := range w.secondsPerByte {
		w.secondsPerByte[n] = w.sendPerByte
	}
	if !latency {
		w.withoutLatency()
	}
	return w
}

func (w *wire) withoutLatency() {
	w.sendLatency, w.hopLatency = 0, 0
	w.ringLatency, w.oneShotLatency = [maxTabled + 1]float64{}, [maxTabled + 1]float64{}
	// Only its latency keeps the switch from small messages.
	w.summed = [maxTabled + 1]float64{}
}

// meshPair is the rate of one link of a mesh.
func meshPair(l inputs.Link) float64 {
	if l.PairBytesPerSecond > 0 {
		return l.PairBytesPerSecond
	}
	return l.BytesPerSecond / meshPeers
}

// ringShare interpolates the shares between 2, 4 and 8 devices, geometrically in their
// number, and holds the last figure beyond.
func ringShare(c *inputs.NodeLinkConstants, n int) float64 {
	shares := [3]float64{c.RingShare2, c.RingShare4, c.RingShare8}
	x := math.Log2(float64(n)) - 1 // 0 at 2 devices, 2 at 8
	if x <= 0 {
		return shares[0]
	}
	if x >= 2 {
		return shares[2]
	}
	i := int(x)
	return shares[i] * math.Pow(shares[i+1]/shares[i], x-float64(i))
}

// grow reads a range as a straight line from 2 devices to tabledGroup.
func grow(pair, full float64, n int) float64 {
	if n >= tabledGroup {
		return full
	}
	return pair + (full-pair)*float64(n-2)/(tabledGroup-2)
}
