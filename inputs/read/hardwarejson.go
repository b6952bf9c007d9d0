package read

import (
	"fmt"
	"math"
	"strings"

	"partita/inputs"
)

// hardware reads an inventory in JSON: nodes with their GPUs. Its rates are named
// "…_gbps" whether they mean bits or bytes, one or both directions; the catalogue
// tells which where it knows the device.
type hardware struct {
	*draft
	lib    library
	file   string
	groups []*group
	total  int
	unit   float64 // bytes/s of one "gbps"; 0 while nothing told
	why    string
}

// group is the devices of one kind over all nodes; it becomes a pool.
type group struct {
	name         string
	memory       int64
	pcie, nvlink float64 // as written
	hosts        []hostShare
	count        int
	statement    int
	at           inputs.Place
}

// readHardware reads an inventory of nodes.
func readHardware(d *draft, lib library, file string, data []byte) {
	root, ok := d.yamlTree(file, data)
	if !ok {
		return
	}
	h := &hardware{draft: d, lib: lib, file: file}
	before := len(d.problems)
	h.object(root, "", map[string]func(*node, int){
		"nodes":   func(n *node, _ int) { h.list(n, "nodes", h.node) },
		"cluster": nil,
	})
	if len(d.problems) > before {
		return
	}
	if h.total == 0 {
		h.problem(root.valueAt, "no GPU is listed", `"nodes" with "gpu_devices"`, "")
		return
	}
	if c := root.child("cluster"); c != nil {
		h.cluster(c)
	}
	if !h.listPools(len(h.groups), file, true, root.at) {
		return
	}
	for i, g := range h.groups {
		h.pool(g, poolPath(h.pools-len(h.groups)+i, ""))
	}
	h.network(root)
}

// object checks the fields of an object against readers; nil reads later.
func (h *hardware) object(n *node, path string, fields map[string]func(*node, int)) {
	if n.kind != objectNode {
		h.problem(n.valueAt, fmt.Sprintf("%s is %s", pathOr(path, "the file"), n.describe()), "an object", "")
		return
	}
	var known []string
	for name := range fields {
		known = append(known, name)
	}
	for i, name := range n.names {
		read, ok := fields[strings.ToLower(name)]
		if !ok {
			hint := ""
			if best := nearest(strings.ToLower(name), sorted(known)); best != "" {
				hint = fmt.Sprintf("did you mean %q?", best)
			}
			h.problem(n.children[i].at, fmt.Sprintf("unknown key %q", join(path, name)), "one of "+strings.Join(sorted(known), ", "), hint)
			continue
		}
		if read != nil {
			read(n.children[i], i)
		}
	}
}

func pathOr(path, otherwise string) string {
	if path == "" {
		return otherwise
	}
	return path
}

// list reads every element of a list.
func (h *hardware) list(n *node, path string, read func(n *node, path string, i int)) {
	if n.kind != listNode {
		h.problem(n.valueAt, fmt.Sprintf("%s is %s", path, n.describe()), "a list", "")
		return
	}
	for i, c := range n.children {
		read(c, fmt.Sprintf("%s[%d]", path, i), i)
	}
}

// node reads one machine.
func (h *hardware) node(n *node, path string, _ int) {
	host := fmt.Sprintf("node-%d", h.hosts)
	h.hosts++
	unused := func(why string) func(*node, int) {
		return func(c *node, _ int) { h.used(h.say(c.at, fieldText(path, c, n)), "not used: "+why) }
	}
	h.object(n, path, map[string]func(*node, int){
		"node_id":            func(c *node, _ int) { h.used(h.say(c.at, fieldText(path, c, n)), "cluster: host "+host) },
		"gpu_devices":        func(c *node, _ int) { h.list(c, path+".gpu_devices", h.device(host)) },
		"node_memory_gb":     unused("host memory does not bound a plan"),
		"node_cpu_cores":     unused("host processors do not bound a plan"),
		"intra_node_bw_gbps": nil,
		"inter_node_bw_gbps": nil,
	})
}

// fieldText is a field as the report shows it.
func fieldText(path string, c, parent *node) string {
	for i, child := range parent.children {
		if child == c {
			return fmt.Sprintf("%s: %s", join(path, parent.names[i]), c.text)
		}
	}
	return c.text
}

// device reads one GPU into its group.
func (h *hardware) device(host string) func(n *node, path string, i int) {
	return func(n *node, path string, i int) {
		g := group{at: n.valueAt}
		index := fmt.Sprint(i)
		number := func(into *float64) func(*node, int) {
			return func(c *node, _ int) {
				v, err := inputs.ParseReal(c.text)
				if err != nil || v < 0 || c.kind != scalarNode {
					h.problem(c.valueAt, fmt.Sprintf("%s is %s", fieldText(path, c, n), c.describe()), "a number of 0 or more", "")
					return
				}
				*into = v
			}
		}
		var memory float64
		h.object(n, path, map[string]func(*node, int){
			"device_id": func(c *node, _ int) {
				if id, err := inputs.ParseCount(c.text); err == nil && id >= 0 {
					index = fmt.Sprint(id)
				} else {
					h.problem(c.valueAt, fmt.Sprintf("device_id %s", c.describe()), "a whole number", "")
				}
			},
			"gpu_name":       func(c *node, _ int) { g.name = c.text },
			"gpu_memory_gb":  number(&memory),
			"pcie_bw_gbps":   number(&g.pcie),
			"nvlink_bw_gbps": number(&g.nvlink),
		})
		if n.kind != objectNode {
			return
		}
		if g.name == "" {
			h.problem(n.valueAt, path+" has no gpu_name", `such as "NVIDIA_H100"`, "")
			return
		}
		if memory*1e9 > math.MaxInt64/2 {
			h.problem(n.valueAt, fmt.Sprintf("%s: gpu_memory_gb %v", path, memory), "a size from 1MB to 1PB", "")
			return
		}
		g.memory = int64(memory * 1e9)
		statement := h.say(n.at, deviceText(path, n))
		h.used(statement, "cluster: GPU "+host+"/gpu-"+index)
		h.add(g, host, index, statement, n.valueAt)
	}
}

// deviceText is a device on one line.
func deviceText(path string, n *node) string {
	parts := make([]string, len(n.names))
	for i, name := range n.names {
		parts[i] = name + " " + n.children[i].text
	}
	return path + ": " + strings.Join(parts, ", ")
}

// add puts a device into its group.
func (h *hardware) add(g group, host, index string, statement int, at inputs.Place) {
	h.total++
	var into *group
	for _, known := range h.groups {
		if known.name == g.name && known.memory == g.memory && known.nvlink == g.nvlink && known.pcie == g.pcie {
			into = known
		}
	}
	if into == nil {
		g.statement = statement
		into = &g
		h.groups = append(h.groups, into)
	}
	into.count++
	if n := len(into.hosts); n == 0 || into.hosts[n-1].Host != host {
		into.hosts = append(into.hosts, hostShare{Host: host})
	}
	last := &into.hosts[len(into.hosts)-1]
	if contains(last.GPUs, index) {
		h.problem(at, fmt.Sprintf("device_id %s appears twice on %s", index, host), "one number for each GPU", "")
		return
	}
	last.GPUs = append(last.GPUs, index)
}

// cluster checks what the summary says against the nodes.
func (h *hardware) cluster(n *node) {
	h.object(n, "cluster", map[string]func(*node, int){
		"name": func(c *node, _ int) { h.used(h.say(c.at, "cluster.name: "+c.text), "cluster: its name") },
		"total_gpus": func(c *node, _ int) {
			statement := h.say(c.at, "cluster.total_gpus: "+c.text)
			if total, err := inputs.ParseCount(c.text); err != nil || total != h.total {
				h.problem(c.valueAt, fmt.Sprintf("total_gpus is %s, %d GPUs are listed", c.text, h.total), "numbers that agree", "")
				return
			}
			h.used(statement, "checked: as many GPUs are listed")
		},
		"gpu_type": func(c *node, _ int) {
			statement := h.say(c.at, "cluster.gpu_type: "+c.text)
			for _, g := range h.groups {
				if g.name != c.text {
					h.problem(c.valueAt, fmt.Sprintf("gpu_type is %q, a GPU is %q (%s)", c.text, g.name, placeText(g.at)), "types that agree", "leave gpu_type out for mixed GPUs")
					return
				}
			}
			h.used(statement, "checked: every GPU is of this type")
		},
	})
}

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
