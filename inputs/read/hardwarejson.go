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
			if best := inputs.Nearest(strings.ToLower(name), sorted(known)); best != "" {
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
					h.problem(c.valueAt, fmt.Sprintf("gpu_type is %q, a GPU is %q (%s)", c.text, g.name, g.at.String()), "types that agree", "leave gpu_type out for mixed GPUs")
					return
				}
			}
			h.used(statement, "checked: every GPU is of this type")
		},
	})
}
