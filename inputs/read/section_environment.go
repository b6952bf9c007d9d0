package read

import (
	"fmt"
	"regexp"
	"strings"

	"partita/inputs"
)

// environmentReaders read the section Environment Condition.
func environmentReaders() []reader {
	s := sectionEnvironment
	return []reader{
		{section: s, title: "GPUs", names: []string{"gpu", "number gpu", "gpu number", "gpu count", "gpu resource", "total gpu", "total number gpu", "available gpu", "gpu cluster",
			"hardware", "gpu pool", "pool", "gpu group", "cluster", "resource", "cluster size"}, read: readGPUs},
		{section: s, title: "GPU type", names: []string{"gpu type", "gpu model", "gpu name", "hardware type", "type gpu", "model gpu", "gpu kind"}, read: readGPUType},
		{section: s, title: "Nodes", names: []string{"node", "number node", "node number", "node count"}, read: readGPUs2("nodes")},
		{section: s, title: "GPUs per node", names: []string{"gpu per node", "number gpu per node", "gpu node", "node size"}, read: readGPUs2("gpus_per_node")},
		{section: s, title: "Single-card computing power", names: []string{"gpu computing power", "computing power", "compute power", "gpu compute power", "gpu compute", "compute",
			"peak compute", "peak flop", "flop", "tflop", "gpu flop", "gpu tflop", "peak performance", "computing performance", "gpu computing performance",
			"gpu performance", "peak computing power", "computing power per gpu", "compute per gpu", "peak tflop"}, read: readFLOPS},
		single(s, "MFU utilization", "cluster.mfu", "mfu", "mfu utilization", "model flop utilization", "compute utilization", "computing utilization", "flop utilization", "compute efficiency"),
		single(s, "VRAM Bandwidth", "cluster.memory_bandwidth", "memory bandwidth", "gpu memory bandwidth", "bandwidth", "gpu bandwidth", "memory bandwidth per gpu"),
		single(s, "Bandwidth utilization", "cluster.bandwidth_utilization", "bandwidth utilization", "memory bandwidth utilization", "mbu", "bandwidth efficiency", "memory bandwidth efficiency"),
		single(s, "Single-card video memory capacity", "cluster.memory", "memory", "gpu memory", "gpu memory capacity", "memory capacity", "memory size", "gpu memory size", "memory per gpu", "gpu capacity"),
		entire(s, "Free memory", "cluster.free_memory", "free memory", "gpu free memory", "free gpu memory", "available memory", "available gpu memory", "memory free"),
		single(s, "Memory utilization", "cluster.memory_utilization", "memory utilization", "gpu memory utilization", "usable memory", "memory fraction", "memory usage limit"),
		{section: s, title: "Intra-node link", read: readLink("cluster.intra_link"), names: []string{"nvlink", "nvswitch", "hccs", "hccs bandwidth", "xgmi", "infinity fabric", "nvlink bandwidth", "interconnect", "intra node bandwidth", "intra node", "intra node interconnect", "intra node link",
			"interconnect bandwidth", "gpu interconnect", "gpu interconnect bandwidth", "intra node network", "intra node communication bandwidth", "gpu link", "link", "link bandwidth"}},
		{section: s, title: "Network", read: readLink("cluster.network"), names: []string{"rdma", "rdma bandwidth", "network", "network bandwidth", "inter node bandwidth", "inter node", "inter node interconnect", "inter node network", "inter node link",
			"cross node bandwidth", "inter node communication bandwidth", "infiniband", "ethernet", "roce", "nic", "node interconnect", "network between node"}},
		single(s, "PCIe", "cluster.pcie", "pcie", "pcie bandwidth"),
		single(s, "Price", "cluster.usd_per_hour", "price", "gpu price", "price per gpu", "cost", "gpu cost", "gpu hour price", "price per gpu hour", "cost per gpu hour", "hourly price"),
		entire(s, "Serving engine", "engine", "serving engine", "inference engine", "engine", "target engine"),
		{section: s, title: "Knowledge", read: readKnowledge, names: []string{"knowledge", "knowledge pack", "rule pack"}},
		{section: s, title: "Host", read: readHost, names: []string{"cpu", "cpu core", "ram", "host memory", "system memory", "cpu memory", "node memory", "disk", "storage", "ssd",
			"operating system", "os", "driver", "driver version", "cuda", "cuda version", "cann", "cann version", "rocm", "rocm version", "python", "software", "framework"}},
	}
}

// readLink reads a link; its kind may stand in the name of the statement
// ("**NVLink**: 450GB/s").
func readLink(path string) func(m *markdown, s *stated) {
	return func(m *markdown, s *stated) {
		text := strings.Trim(strings.TrimSpace(s.value), ".。;")
		w, err := parseLink(text)
		if l, ok := w.(wire); ok && err == nil && l.Kind == inputs.LinkUnknown {
			for _, known := range linkWords {
				if known.word.MatchString(s.key) {
					l.Kind = known.kind
					break
				}
			}
			if m.set(s.number, path, l, s.at(0), fromFile) {
				s.mask(0, len(s.left))
			}
			return
		}
		m.whole(s, path)
	}
}

// readHost takes what is known of machines besides their GPUs.
func readHost(m *markdown, s *stated) {
	m.used(s.number, "not used: host and software do not bound a plan")
	s.mask(0, len(s.left))
}

// readGPUs reads a description of GPUs that is one pool: "Ample GPU resources, no
// limits", "16", "2 nodes of 8×H100-80GB".
func readGPUs(m *markdown, s *stated) { m.gpuFacts(s, "cluster.") }

// readGPUs2 reads a count that may come with its GPUs: "Nodes: 2 nodes of 8 H100".
func readGPUs2(field string) func(m *markdown, s *stated) {
	return func(m *markdown, s *stated) {
		if n, err := inputs.ParseCount(strings.TrimSpace(s.value)); err == nil {
			if m.set(s.number, "cluster."+field, n, s.at(0), fromFile) {
				s.mask(0, len(s.left))
			}
			return
		}
		m.gpuFacts(s, "cluster.")
	}
}

// gpuFacts records a description of GPUs under a prefix of the cluster or a pool.
func (m *markdown) gpuFacts(s *stated, prefix string) {
	g := readGPUText(m.catalog, s.prose)
	if rest, offset, ok := s.leftover(); !ok {
		m.unknownGPU(s, rest, offset)
		return
	}
	at := s.at(0)
	if g.box {
		m.problem(at, fmt.Sprintf("a DGX or HGX is a machine, its number of GPUs is open in %q", s.text), "nodes and GPUs such as 2 nodes of 8×H100", "")
		return
	}
	if g.accelerator != "" {
		m.set(s.number, prefix+"accelerator", g.accelerator, at, fromFile)
	}
	if g.memory != "" {
		m.setText(s.number, prefix+"memory", g.memory, at, fromFile)
	}
	switch {
	case g.nodes > 0 && g.perNode > 0 && g.count == nil:
		n := g.nodes * g.perNode
		g.count = &inputs.Count{Min: n, Max: n}
	case g.count == nil && g.nodes == 0 && g.perNode == 0 && g.accelerator == "" && g.memory == "":
		m.problem(at, fmt.Sprintf("no number of GPUs found in %q", s.text), "a number such as 8, 2 nodes x 8, or no limits", "")
		return
	}
	if g.count != nil {
		m.set(s.number, prefix+"count", *g.count, at, fromFile)
	}
	if g.nodes > 0 {
		m.set(s.number, prefix+"nodes", g.nodes, at, fromFile)
	}
	if g.perNode > 0 {
		m.set(s.number, prefix+"gpus_per_node", g.perNode, at, fromFile)
	}
}

// unknownGPU reports what is not understood in a description of GPUs: most likely
// the name of an accelerator.
func (m *markdown) unknownGPU(s *stated, rest string, offset int) {
	m.problem(s.at(offset), fmt.Sprintf("%q is not understood in %q", rest, s.text), "a number of GPUs and an accelerator of the catalogue", suggestedGPU(m.catalog, rest))
}

// suggestedGPU and suggestedModel are hints with the catalogue's nearest names.
func suggestedGPU(lib library, name string) string {
	return suggestion(lib, name, "gpus", func(n string) bool { _, ok := lib.Accelerator(n); return ok })
}

func suggestedModel(lib library, name string) string {
	return suggestion(lib, name, "models", func(n string) bool { _, ok := lib.Model(n); return ok })
}

func suggestion(lib library, name, list string, fits func(string) bool) string {
	if lib == nil {
		return ""
	}
	var near []string
	for _, n := range lib.Suggest(name) {
		if fits(n) {
			near = append(near, n)
		}
	}
	if len(near) == 0 {
		return "`partita catalog " + list + "` lists the known names"
	}
	return "did you mean " + strings.Join(near[:min(3, len(near))], ", ") + "?"
}

// readGPUType reads the name of the accelerator.
func readGPUType(m *markdown, s *stated) {
	name := takeAccelerator(m.catalog, s.prose)
	if name == "" {
		m.problem(s.at(0), fmt.Sprintf("accelerator %q is not in the catalogue", strings.TrimSpace(s.value)), "a known accelerator, or its compute, bandwidth and memory", suggestedGPU(m.catalog, strings.TrimSpace(s.value)))
		return
	}
	if text, _, ok := s.capturePattern(cardSize); ok {
		m.setText(s.number, "cluster.memory", text, s.at(0), fromFile)
	}
	for s.take(described) {
	}
	m.set(s.number, "cluster.accelerator", name, s.at(0), fromFile)
}

// formatWord names a number format in prose.
var formatWord = regexp.MustCompile(`(?i)\b(fp32|float32|bf16|bfloat16|fp16|float16|fp8|int8|fp4|int4)\b`)

// readFLOPS reads one compute rate, or one for each number format: "400TFlops",
// "989 TFLOPS (BF16), 1979 TFLOPS (FP8)".
func readFLOPS(m *markdown, s *stated) {
	rates := findAll(s.prose, inputs.ParseFLOPS)
	formats := formatWord.FindAllString(s.value, -1)
	if len(formats) == 0 || len(rates) != len(formats) {
		m.one(s, "cluster.flops")
		return
	}
	for i, r := range rates {
		dtype, err := inputs.ParseDType(formats[i])
		if err != nil {
			return
		}
		s.mask(r.start, r.end)
		m.set(s.number, "cluster.flops."+string(dtype), r.value, s.at(r.start), fromFile)
	}
	for s.take(formatWord) {
	}
}

// poolSplit separates pools in one text.
var poolSplit = regexp.MustCompile(`\s\+\s|;\s*|,\s+|\band\b`)

// poolItems finds pools that are listed one by one, as bullets or joined by "+",
// and records them. It returns the items that it used up.
func (m *markdown) poolItems(items []item) map[int]bool {
	type part struct{ item, from, to int }
	var parts []part
	for i, it := range items {
		r, ok := m.reader(it)
		if !ok || r.title != "GPUs" || it.section != sectionEnvironment || strings.TrimSpace(it.value) == "" {
			continue
		}
		at := 0
		var own []part
		for _, sep := range append(poolSplit.FindAllStringIndex(it.value, -1), []int{len(it.value), len(it.value)}) {
			p := newProse(it.value[at:sep[0]])
			p.partCounts()
			if takeAccelerator(m.catalog, p) != "" {
				own = append(own, part{i, at, sep[0]})
				at = sep[1]
			}
		}
		// What follows the last accelerator ("…, 2 nodes") belongs to it.
		if n := len(own); n > 0 && at <= len(it.value) && strings.TrimSpace(it.value[min(at, len(it.value)):]) != "" {
			own[n-1].to = len(it.value)
		}
		parts = append(parts, own...)
	}
	usedUp := map[int]bool{}
	if len(parts) < 2 {
		return usedUp
	}
	if !m.listPools(len(parts), m.file, false, items[parts[0].item].keyAt) {
		return usedUp
	}
	numbers := map[int]int{}
	for i, p := range parts {
		it := items[p.item]
		if _, ok := numbers[p.item]; !ok {
			numbers[p.item] = m.say(it.keyAt, it.text)
		}
		usedUp[p.item] = true
		part := it.part(p.from, p.to)
		s := &stated{item: part, prose: newProse(part.value), number: numbers[p.item]}
		m.gpuFacts(s, poolPath(m.pools-len(parts)+i, ""))
	}
	return usedUp
}

// listPools makes room for pools that a file lists. Inventories add up; two files
// that each list the cluster contradict each other.
func (d *draft) listPools(n int, file string, inventory bool, at inputs.Place) bool {
	if d.pools > 0 && d.poolSource != file && !(inventory && d.inventory) {
		d.problem(at, "pools of GPUs are listed here and in "+d.poolSource, "one list of pools", "keep one of them")
		return false
	}
	d.pools += n
	d.poolSource, d.inventory = file, inventory
	return true
}
