package read

import (
	"fmt"
	"math"

	"partita/inputs"
)

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
		if (w.Kind == inputs.LinkPCIe || w.Kind == inputs.LinkPCIePeer) && p.Accelerator.PCIe > 0 {
			p.Intra = inputs.Link{Kind: w.Kind, BytesPerSecond: p.Accelerator.PCIe}
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
