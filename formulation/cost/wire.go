package cost

import (
	"math"

	"partita/inputs"
)

// Latencies and efficiencies of links. "H100" figures were fitted on all-reduce
// and point-to-point timings of H100 nodes (all-reduce median error 9-13 %).
const (
	// One-shot all-reduce on H100 NVLink: 2.7-4.7 µs, read as 2 to 8 GPUs; η .65.
	oneShotLatencyPair = 2.7 * microsecond
	oneShotLatencyFull = 4.7 * microsecond
	oneShotShare       = 0.65
	// Two-shot or ring all-reduce on H100 NVLink: 10-28 µs, read as 2 to 8 GPUs; η .75.
	// Published at 8 GPUs: 27 µs for 1 MiB, 124 µs for 16 MiB (NVIDIA
	// dgxc-benchmarking, nccl/README.md); this gives 33 and 115 µs.
	ringLatencyPair = 10 * microsecond
	ringLatencyFull = 28 * microsecond
	ringShare       = 0.75
	// Latencies stop growing at the 8 GPUs they were fitted on.
	fittedGroup = 8
	// Point to point inside an H100 node: 7.6 µs and 357 of 450 GB/s.
	nodeSendLatency = 7.6 * microsecond
	nodeSendShare   = 357.0 / 450
	// Point to point across H100 nodes: 19 µs and 36 of 50 GB/s (400 Gb/s InfiniBand).
	networkLatency = 19 * microsecond
	networkShare   = 36.0 / 50
	// No measurement of Ethernet without RDMA in the data: the kernel's TCP path adds
	// tens of microseconds to the same share of the rate.
	ethernetLatency = 50 * microsecond
	// Infinity Fabric mesh: bus bandwidth 47.7 of 64 GB/s at 2 GPUs (.745) and 312.9 of
	// 448 GB/s at 8 (.698), MI300X, github.com/stas00/ml-engineering network/README.md;
	// the mean.
	meshShare = 0.72
	// A mesh joins 8 devices where its pair rate is not stated (MI300X: 7 links of 64).
	meshPeers = 7
	// A device without peer-to-peer access copies through host memory; no measurement
	// of the latency: taken as that across nodes, which also passes host memory.
	pcieSendLatency = networkLatency
)

// pcieShares is the share of a PCIe 4.0 x16 link (31.5 GB/s) that an all-reduce
// reaches as bus bandwidth at 2, 4 and 8 GPUs without peer-to-peer: 20, 5 and 1 GB/s
// on L40S.
var pcieShares = [3]float64{20 / 31.5, 5 / 31.5, 1 / 31.5}

// maxTabled is the largest group whose link rate is tabled; larger groups are
// priced as this size.
const maxTabled = 64

// wire is a link with its efficiencies resolved by group size.
type wire struct {
	// secondsPerByte at index n: 1/(η W) for a ring, all-gather or all-to-all of n.
	secondsPerByte [maxTabled + 1]float64
	// oneShot at index n: 1/(η1 W); 0 where the link has no one-shot all-reduce.
	oneShot [maxTabled + 1]float64
	// ringLatency and oneShotLatency at index n, seconds.
	ringLatency    [maxTabled + 1]float64
	oneShotLatency [maxTabled + 1]float64
	sendLatency    float64
	sendPerByte    float64
	hopLatency     float64 // of one step of a collective across nodes
}

// nodeWire resolves the link inside a node. Without latency (a stated utilisation
// leaves no floors) all latencies are 0.
func nodeWire(l inputs.Link, latency bool) *wire {
	w := &wire{sendLatency: nodeSendLatency, sendPerByte: 1 / (nodeSendShare * l.BytesPerSecond)}
	for n := 2; n <= maxTabled; n++ {
		rate, share, direct := l.BytesPerSecond, ringShare, true
		switch l.Kind {
		case inputs.LinkMesh:
			share = meshShare
			rate = math.Min(l.BytesPerSecond, meshPair(l)*float64(n-1))
		case inputs.LinkPair:
			if n == 2 && l.PairBytesPerSecond > 0 {
				rate = l.PairBytesPerSecond
			} else {
				share, direct = pcieShare(n), false
			}
		case inputs.LinkPCIe:
			share, direct = pcieShare(n), false
		case inputs.LinkEthernet, inputs.LinkInfiniBand:
			share, direct = networkShare, false
		}
		w.secondsPerByte[n] = 1 / (share * rate)
		if direct {
			w.oneShot[n] = 1 / (oneShotShare * rate)
		}
		w.ringLatency[n] = grow(ringLatencyPair, ringLatencyFull, n)
		w.oneShotLatency[n] = grow(oneShotLatencyPair, oneShotLatencyFull, n)
	}
	switch l.Kind {
	case inputs.LinkMesh:
		w.sendPerByte = 1 / (meshShare * meshPair(l))
	case inputs.LinkPair, inputs.LinkPCIe:
		// Neighbouring stages need not sit on a bridged pair.
		w.sendLatency, w.sendPerByte = pcieSendLatency, 1/(pcieShares[0]*l.BytesPerSecond)
	case inputs.LinkEthernet, inputs.LinkInfiniBand:
		w.sendLatency, w.sendPerByte = networkLatency, 1/(networkShare*l.BytesPerSecond)
	}
	if !latency {
		w.withoutLatency()
	}
	return w
}

// networkWire resolves the network between nodes.
func networkWire(l inputs.Link, latency bool) *wire {
	w := &wire{sendLatency: networkLatency, hopLatency: networkLatency, sendPerByte: 1 / (networkShare * l.BytesPerSecond)}
	if l.Kind == inputs.LinkEthernet {
		w.sendLatency, w.hopLatency = ethernetLatency, ethernetLatency
	}
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
}

// meshPair is the rate of one link of a mesh.
func meshPair(l inputs.Link) float64 {
	if l.PairBytesPerSecond > 0 {
		return l.PairBytesPerSecond
	}
	return l.BytesPerSecond / meshPeers
}

// pcieShare interpolates pcieShares between 2, 4 and 8 GPUs, geometrically in the
// number of GPUs, and holds the last figure beyond.
func pcieShare(n int) float64 {
	x := math.Log2(float64(n)) - 1 // 0 at 2 GPUs, 2 at 8
	if x <= 0 {
		return pcieShares[0]
	}
	if x >= 2 {
		return pcieShares[2]
	}
	i := int(x)
	return pcieShares[i] * math.Pow(pcieShares[i+1]/pcieShares[i], x-float64(i))
}

// grow reads a range as a straight line from 2 GPUs to fittedGroup.
func grow(pair, full float64, n int) float64 {
	if n >= fittedGroup {
		return full
	}
	return pair + (full-pair)*float64(n-2)/(fittedGroup-2)
}
