package read

import (
	"testing"

	"partita/inputs"
)

// A PCIe link reaches from GPU to GPU where its words say so, and not where they deny it.
func TestPeerAccess(t *testing.T) {
	for text, want := range map[string]inputs.LinkKind{
		"PCIe P2P 32GB/s": inputs.LinkPCIePeer, "PCIe 4.0 x16 with P2P, 32 GB/s": inputs.LinkPCIePeer, "PCIe gen5 with peer-to-peer access": inputs.LinkPCIePeer,
		"pcie-peer 32GB/s": inputs.LinkPCIePeer, "PCIe peer access": inputs.LinkPCIePeer, "PCIe, with peer access": inputs.LinkPCIePeer,
		"PCIe 32GB/s": inputs.LinkPCIe, "PCIe 5": inputs.LinkPCIe, "PCIe without P2P 32GB/s": inputs.LinkPCIe, "PCIe 4.0 x16, no peer access": inputs.LinkPCIe,
	} {
		v, err := parseLink(text)
		if err != nil || v.(wire).Kind != want {
			t.Errorf("%q: %v, %v; want %s", text, v, err, want)
		}
	}
	for _, text := range []string{"intra_link: PCIe P2P", "intra_link: PCIe P2P 31.5GB/s"} {
		c, err := loadText(t, "c.yaml", "cluster: {accelerator: L40S, count: 8, "+text+"}\nmodel: Llama-3.1-8B\nworkload: {batch: 8, input: 100, output: 100}\n")
		if err != nil {
			t.Fatal(err)
		}
		if l := c.Cluster.Pools[0].Intra; l.Kind != inputs.LinkPCIePeer || l.BytesPerSecond != 31.5e9 {
			t.Errorf("%s: %+v", text, l)
		}
	}
}
