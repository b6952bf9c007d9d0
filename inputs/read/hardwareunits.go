package read

import (
	"fmt"
	"math"

	"partita/inputs"
)

// pool records a group as a pool.
func (h *hardware) pool(g *group, prefix string) {
	h.set(g.statement, prefix+"accelerator", g.name, g.at, fromFile)
	h.facts[prefix+"hosts"] = fact{g.hosts, g.statement, fromFile}
	h.set(g.statement, prefix+"count", inputs.Count{Min: g.count, Max: g.count}, g.at, fromFile)
	if g.memory > 0 {
		h.set(g.statement, prefix+"memory", g.memory, g.at, fromFile)
	}
	known, ok := h.lib.Accelerator(g.name)
	if !ok {
		if g.nvlink+g.pcie > 0 {
			h.assume("unit of *_gbps of "+g.name, "Gb/s per direction", "the catalogue does not know the device; bits as the name says")
		}
		h.learn(1e9/8, "bits, as the name says: the catalogue does not know "+g.name)
		h.rate(g, prefix, "pcie", g.pcie/8*1e9)
		h.link(g, prefix, g.nvlink/8*1e9)
		return
	}
	if g.nvlink > 0 {
		rate, how, fits := resolveRate(g.nvlink, known.Link.BytesPerSecond)
		if fits {
			h.learn(rate.unit, fmt.Sprintf("nvlink_bw_gbps %v of %s is %s", g.nvlink, known.Name, how))
			h.assume("nvlink_bw_gbps "+fmt.Sprint(g.nvlink)+" of "+known.Name, inputs.FormatBandwidth(known.Link.BytesPerSecond)+" per GPU and direction",
				"by the catalogue the figure is "+how)
			h.link(g, prefix, known.Link.BytesPerSecond)
		} else {
			h.assume("nvlink_bw_gbps "+fmt.Sprint(g.nvlink)+" of "+known.Name, inputs.FormatBandwidth(g.nvlink*1e9)+" per GPU and direction",
				"the catalogue has no such rate; taken as GB/s")
			h.link(g, prefix, g.nvlink*1e9)
		}
	}
	if g.pcie > 0 {
		rate, how, fits := resolveRate(g.pcie, known.PCIe)
		if !fits {
			rate, how = reading{1e9, 1}, "taken as GB/s, the catalogue has another rate"
		}
		h.learn(rate.unit, fmt.Sprintf("pcie_bw_gbps %v of %s is %s", g.pcie, known.Name, how))
		h.assume("pcie_bw_gbps "+fmt.Sprint(g.pcie)+" of "+known.Name, inputs.FormatBandwidth(g.pcie*rate.unit/rate.directions)+" per direction", how)
		h.rate(g, prefix, "pcie", g.pcie*rate.unit/rate.directions)
	}
}

// learn keeps the first reading of the file's unit, for rates the catalogue cannot tell.
func (h *hardware) learn(unit float64, why string) {
	if h.unit == 0 {
		h.unit, h.why = unit, why
	}
}

func (h *hardware) rate(g *group, prefix, field string, v float64) {
	if v > 0 {
		h.set(g.statement, prefix+field, v, g.at, fromFile)
	}
}

func (h *hardware) link(g *group, prefix string, v float64) {
	if v > 0 {
		h.set(g.statement, prefix+"intra_link", wire{Link: inputs.Link{Kind: inputs.LinkNVLink, BytesPerSecond: v}}, g.at, fromFile)
	}
}

// reading is one way to understand a rate: bytes/s of a unit, directions it adds up.
type reading struct{ unit, directions float64 }

// resolveRate finds the reading of a figure under which it is the known rate, within
// an eighth: data sheets round 31.5 to 32 and 63 to 64.
func resolveRate(figure, known float64) (reading, string, bool) {
	for _, r := range []struct {
		reading
		how string
	}{
		{reading{1e9, 1}, "GB/s per direction"}, {reading{1e9, 2}, "GB/s of both directions together"},
		{reading{1e9 / 8, 1}, "Gb/s per direction"}, {reading{1e9 / 8, 2}, "Gb/s of both directions together"},
	} {
		if known > 0 && math.Abs(figure*r.unit/r.directions/known-1) < 0.125 {
			return r.reading, r.how, true
		}
	}
	return reading{}, "", false
}

// network reads the rates of nodes: they must agree, for one network joins them all.
func (h *hardware) network(root *node) {
	nodes := root.child("nodes")
	if nodes == nil || h.unit == 0 {
		h.unit, h.why = 1e9/8, "bits, as the name says"
	}
	if nodes == nil {
		return
	}
	for i, n := range nodes.children {
		path := fmt.Sprintf("nodes[%d]", i)
		if c := n.child("intra_node_bw_gbps"); c != nil {
			h.used(h.say(c.at, path+".intra_node_bw_gbps: "+c.text), "not used: the rates of each GPU decide")
		}
		c := n.child("inter_node_bw_gbps")
		if c == nil {
			continue
		}
		statement := h.say(c.at, path+".inter_node_bw_gbps: "+c.text)
		v, err := inputs.ParseReal(c.text)
		if err != nil || v <= 0 {
			h.problem(c.valueAt, fmt.Sprintf("inter_node_bw_gbps is %s", c.describe()), "a number above 0", "")
			return
		}
		if len(nodes.children) == 1 {
			h.used(statement, "not used: there is one node")
			continue
		}
		if h.set(statement, "cluster.network", wire{Link: inputs.Link{Kind: inputs.LinkUnknown, BytesPerSecond: v * h.unit}, PerNode: true}, c.valueAt, fromFile) && i == 0 {
			h.assume("unit of inter_node_bw_gbps", fmt.Sprintf("%s per node and direction", inputs.FormatBandwidth(v*h.unit)), h.why+": the file's other rates are read alike; GPUs of a node share it")
		}
	}
}
