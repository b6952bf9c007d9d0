package cost

import (
	"testing"

	"partita/inputs"
	"partita/inputs/profile"
)

func deviceWith(intra, network inputs.Link, perNode int) *device {
	links := &profile.Of("hopper").Links
	return &device{gpusPerNode: perNode, node: nodeWire(intra, links, true), network: networkWire(network, links, true)}
}

func nvlink() *device {
	return deviceWith(
		inputs.Link{Kind: inputs.LinkNVLink, BytesPerSecond: 450e9},
		inputs.Link{Kind: inputs.LinkInfiniBand, BytesPerSecond: 50e9}, 8)
}

// The published all-reduce times of one DGX H100 node (NVIDIA dgxc-benchmarking,
// nccl/README.md). Above 64 MiB the switch reduces in the network, which the model
// leaves out; small ones run one-shot in serving engines and are faster than NCCL.
func TestAllReduceAgainstPublished(t *testing.T) {
	d := nvlink()
	for _, row := range []struct{ mib, published float64 }{
		{1, 27.37e-6}, {2, 42.21e-6}, {4, 54.19e-6}, {8, 83.04e-6}, {16, 123.8e-6}, {32, 199.3e-6}, {64, 324.7e-6},
	} {
		got := d.allReduce(row.mib*(1<<20), d.groupOf(8, 1))
		near(t, "all-reduce", got, row.published, 0.20)
	}
}

func TestCollectivesByHand(t *testing.T) {
	d := nvlink()
	const mb = 1e6
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"one GPU", d.allReduce(mb, d.groupOf(1, 1)), 0},
		// min(2.7 µs + 1 MB/292.5 GB/s, 10 µs + 1 MB/337.5 GB/s)
		{"one-shot pair", d.allReduce(mb, d.groupOf(2, 1)), 2.7e-6 + mb/(0.65*450e9)},
		// 28 µs + 2·7/8·10 MB/337.5 GB/s
		{"two-shot eight", d.allReduce(10*mb, d.groupOf(8, 1)), 28e-6 + 1.75*10*mb/(0.75*450e9)},
		// 80 µs + 100 MB/270 GB/s
		{"summed by the switch", d.allReduce(100*mb, d.groupOf(8, 1)), 80e-6 + 100*mb/(0.60*450e9)},
		// inside as above, then 2·1·19 µs + 2·1/2·(100 MB/8)/36 GB/s
		{"two nodes", d.allReduce(100*mb, d.groupOf(16, 1)), 28e-6 + 1.75*100*mb/(0.75*450e9) + 38e-6 + 12.5*mb/36e9},
		{"gather eight", d.allGather(100*mb, d.groupOf(8, 1)), 14e-6 + 0.875*100*mb/(0.75*450e9)},
		// 7/16 inside, 8/16 over the network
		{"all-to-all over two nodes", d.allToAll(16*mb, d.groupOf(16, 1)), 14e-6 + 7*mb/(0.75*450e9) + 19e-6 + 8*mb/36e9},
		// Ranks 8 apart on nodes of 8 have the network alone.
		{"strided over nodes", d.allGather(2*mb, d.groupOf(2, 8)), 19e-6 + mb/36e9},
		// Ranks 4 apart on a node of 8: two of them on it.
		{"strided in a node", d.allGather(2*mb, d.groupOf(2, 4)), 5e-6 + mb/(0.75*450e9)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.want == 0 {
				if c.got != 0 {
					t.Errorf("got %g, want 0", c.got)
				}
				return
			}
			near(t, c.name, c.got, c.want, 1e-12)
		})
	}
}

func TestLinkRateDependsOnGroup(t *testing.T) {
	rate := func(l inputs.Link, n int) float64 {
		return 1e-9 / nodeWire(l, &profile.Of("hopper").Links, true).secondsPerByte[n]
	}
	pcie := inputs.Link{Kind: inputs.LinkPCIe, BytesPerSecond: 31.5e9}
	mesh := inputs.Link{Kind: inputs.LinkMesh, BytesPerSecond: 448e9, PairBytesPerSecond: 64e9}
	peer := inputs.Link{Kind: inputs.LinkPCIePeer, BytesPerSecond: 31.5e9}
	pair := inputs.Link{Kind: inputs.LinkPair, BytesPerSecond: 31.5e9, PairBytesPerSecond: 300e9}
	for _, c := range []struct {
		name      string
		link      inputs.Link
		n         int
		want, tol float64 // GB/s of bus bandwidth
	}{
		{"L40S pair", pcie, 2, 20, 1e-9},
		{"L40S four", pcie, 4, 5, 1e-9},
		{"L40S eight", pcie, 8, 1, 1e-9},
		{"peer access two", peer, 2, 20, 1e-9},
		{"peer access eight", peer, 8, 20, 1e-9},
		{"PCIe three between two and four", pcie, 3, 8.9, 0.01},
		{"PCIe beyond eight", pcie, 16, 1, 1e-9},
		{"MI300X pair", mesh, 2, 47.671, 0.05},
		{"MI300X eight", mesh, 8, 312.912, 0.05},
		{"bridged pair", pair, 2, 225, 1e-9},
		{"four of bridged pairs", pair, 4, 5, 1e-9},
	} {
		t.Run(c.name, func(t *testing.T) { near(t, "GB/s", rate(c.link, c.n), c.want, c.tol) })
	}
	unstated := inputs.Link{Kind: inputs.LinkMesh, BytesPerSecond: 448e9}
	near(t, "mesh pair from the whole", rate(unstated, 2), rate(mesh, 2), 1e-12)
}

// The switch sums from Hopper on, for more than four GPUs: published bus bandwidth of 8 GiB is
// 363 GB/s over four H200 and 473 over eight. What has no such switch goes around the ring.
func TestSwitchSums(t *testing.T) {
	const bytes = 1 << 33
	nvlink := inputs.Link{Kind: inputs.LinkNVLink, BytesPerSecond: 450e9}
	for _, c := range []struct {
		generation string
		n          int
		want, tol  float64 // GB/s of bus bandwidth
	}{
		{"hopper", 4, 363.3, 0.08}, {"hopper", 8, 473.1, 0.01}, {"blackwell", 4, 337.5, 0.01},
		{"ampere", 8, 337.5, 0.01}, {"volta", 8, 337.5, 0.01}, {"ascend", 8, 337.5, 0.01}, {"abacus", 8, 337.5, 0.01}, {"tpu", 8, 337.5, 0.01}, {"cdna2", 8, 337.5, 0.01},
	} {
		d := device{node: nodeWire(nvlink, &profile.Of(c.generation).Links, true)}
		n := float64(c.n)
		busy := 2 * (n - 1) / n * bytes / d.allReduce(bytes, group{c.n, c.n}) / 1e9
		near(t, c.generation, busy, c.want, c.tol)
	}
}

func TestSend(t *testing.T) {
	fast, slow := poolOf(h100(), 8), poolOf(t4(), 8)
	slow.Intra = inputs.Link{}
	calc := mustNew(t, conditionOf(llama8B(inputs.FP16), fast, slow))
	// 4 sequences of 1000 tokens of 4096 × 2 bytes over attention DP 2: 2 sequences.
	s := Shape{TP: 2, CP: 1, DPAttention: 2, EP: 1, ETP: 4}
	st := Step{Phase: inputs.Prefill, Sequences: 4, New: 1000}
	const bytes = 2 * 1000 * 4096 * 2
	near(t, "inside a host", calc.Send(0, 0, s, st, true), 7.6e-6+bytes/357e9, 1e-9)
	near(t, "across hosts", calc.Send(0, 0, s, st, false), 19e-6+bytes/36e9, 1e-9)
	// T4 has PCIe 3 alone: 20/31.5 of 15.75 GB/s; the slower link counts both ways.
	near(t, "to a slower pool", calc.Send(0, 1, s, st, true), 19e-6+bytes/10e9, 1e-9)
	near(t, "from a slower pool", calc.Send(1, 0, s, st, true), 19e-6+bytes/10e9, 1e-9)
	if got := calc.Send(0, 1, s, Step{Phase: inputs.Decode, New: 1}, true); got != 0 {
		t.Errorf("no sequence costs %g", got)
	}
}
