package read

import (
	"strings"
	"testing"

	"partita/inputs"
)

// TestGuides: every key tells what it is and has an example that it reads, and reads
// again as it is written; no guide is for a key that is gone.
func TestGuides(t *testing.T) {
	table := keyTable()
	for path, k := range table {
		if strings.HasPrefix(path, "cluster.flops.") {
			continue // one for each number format
		}
		g, ok := guides()[path]
		if !ok || g.about == "" {
			t.Errorf("%s has no guide", path)
			continue
		}
		v, err := k.parse(g.example)
		if err != nil {
			t.Errorf("%s: the example %q: %v", path, g.example, err)
			continue
		}
		if k.check != nil && k.check(v) != "" {
			t.Errorf("%s: the example %q is out of bounds", path, g.example)
		}
		if again, err := k.parse(k.text(v)); err != nil || !agree(v, again) {
			t.Errorf("%s: %q is written %q and read as %v (%v)", path, g.example, k.text(v), again, err)
		}
	}
	for path := range guides() {
		if _, ok := table[path]; !ok {
			t.Errorf("a guide for %s, which is no key", path)
		}
	}
}

// TestTextsReadBack: what a key writes it reads, for values that have more than one form.
func TestTextsReadBack(t *testing.T) {
	table := keyTable()
	for _, row := range []struct{ path, text, want string }{
		{"cluster.count", "unlimited", "unlimited"},
		{"cluster.count", "at least 4", "at least 4"},
		{"cluster.count", "up to 16", "1-16"},
		{"cluster.network", "100Gb/s per node", "12.5 GB/s per node"},
		{"cluster.network", "400 Gb/s InfiniBand", "infiniband 50 GB/s"},
		{"cluster.intra_link", "900 GB/s bidirectional NVLink", "nvlink 900 GB/s bidirectional"},
		{"cluster.intra_link", "PCIe", "pcie"},
		{"cluster.free_memory", "[30GB, 47684 MiB]", "[30 GB, 47684 MiB]"},
		{"cluster.hosts", "[a/0..2, a/7, b-1/3, b-1/2]", "[a/0..2, a/7, b-1/3, b-1/2]"},
		{"goal.requirements.ttft", "≤ 500 ms", "500 ms"},
		{"goal.requirements.tpot", "at least 20 tokens/s per user", "50 ms"},
		{"goal.requirements.cost_per_hour", "$98.5/h", "98.5 USD/h"},
		{"goal.requirements.e2e", "None", "none"},
		{"model.parameters", "0.42 billion", "420M"},
		{"goal.weights.latency", "0.1", "0.1"},
	} {
		k := table[row.path]
		v, err := k.parse(row.text)
		if err != nil {
			t.Errorf("%s: %v", row.text, err)
			continue
		}
		text := k.text(v)
		if again, err := k.parse(text); text != row.want || err != nil || !agree(v, again) {
			t.Errorf("%s %q is written %q, want %q, and read as %v (%v), want %v", row.path, row.text, text, row.want, again, err, v)
		}
	}
}

// TestHosts: GPUs by host are the GPUs of the plan, and must agree with what else is said.
func TestHosts(t *testing.T) {
	const model = "model: Llama-3.1-8B\n"
	for _, row := range []struct{ text, want string }{
		{"cluster: {gpu: T4, hosts: [rack/a/0..1, b/3]}", "T4 3×15 GiB: rack/a/gpu-0 rack/a/gpu-1 b/gpu-3"},
		{"cluster: {gpu: T4, count: 3, nodes: 2, hosts: [a/1, a/0, b/3]}", "T4 3×15 GiB: a/gpu-1 a/gpu-0 b/gpu-3"},
		// Unnamed machines that are alike make one pool, as those of inventories; names part them.
		{"cluster: {gpu: T4, pools: [{hosts: [a/0]}, {hosts: [b/0]}]}", "T4 2×15 GiB: a/gpu-0 b/gpu-0"},
		{"cluster: {gpu: T4, pools: [{name: x, hosts: [a/0]}, {name: y, hosts: [b/0]}]}", "T4 1×15 GiB: a/gpu-0\nT4 1×15 GiB: b/gpu-0"},
		{"cluster: {gpu: T4, pools: [{hosts: [a/0]}, {gpu: L40S}]}", "unknown key"},
		{"cluster: {gpu: T4, pools: [{hosts: [a/0..2]}, {accelerator: L40S, hosts: [a/2]}]}", `GPU a/gpu-2 is in pool "t4" and in pool "l40s"`},
		{"cluster: {gpu: T4, count: 4, hosts: [a/0..2]}", "number of GPUs 4 beside an inventory of 3"},
		{"cluster: {gpu: T4, nodes: 2, hosts: [a/0..2]}", "2 nodes beside an inventory of 1"},
		{"cluster: {gpu: T4, gpus_per_node: 2, hosts: [a/0..2]}", "2 GPUs a node beside an inventory with 3"},
		{"cluster: {gpu: T4, host: b, hosts: [a/0..2]}", "beside a list of hosts"},
		{"cluster: {gpu: T4, hosts: [a/0, a/0]}", "each GPU of a once"},
		{"cluster: {gpu: T4, hosts: [a/3..1]}", "GPUs by host such as"},
		{"cluster: {gpu: T4, hosts: [a/0..999999]}", "GPUs by host such as"},
		{"cluster: {gpu: T4, hosts: [a]}", "GPUs by host such as"},
	} {
		c, err := Load(Options{Texts: []Text{{Name: "c.yaml", Data: []byte(row.text + "\n" + model)}}})
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = pools(c)
		}
		if got != row.want && (err == nil || !strings.Contains(got, row.want)) {
			t.Errorf("%s:\n%s\nwant %s", row.text, got, row.want)
		}
	}
}

// TestTitlesAreNoStatements: an object without fields says nothing, a key without a
// value is accounted for.
func TestTitlesAreNoStatements(t *testing.T) {
	text := "cluster: {gpu: T4, count: 1, memory: }\nmodel: Llama-3.1-8B\ngoal:\n  requirements:\n  weights:\nstrategy:\n"
	c, err := Load(Options{Texts: []Text{{Name: "c.yaml", Data: []byte(text)}}})
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, s := range c.Statements {
		texts = append(texts, s.Text)
	}
	if got, want := strings.Join(texts, "; "), "cluster.gpu: T4; cluster.count: 1; cluster.memory: (empty); model: Llama-3.1-8B"; got != want && !strings.Contains(got, "cluster.memory: (empty)") || len(texts) != 4 {
		t.Errorf("statements %s, want %s", got, want)
	}
}

// TestDifferenceSees: what conditions differ in is named, and words about them are not compared.
func TestDifferenceSees(t *testing.T) {
	load := func(text string) *inputs.Condition {
		c, err := Load(Options{Texts: []Text{{Name: "c.yaml", Data: []byte(text)}}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	base := "name: x\ncluster: {gpu: T4, count: 2}\nmodel: Llama-3.1-8B\n"
	for _, row := range []struct{ more, want string }{
		{"workload: {batch: 64}\n", ""},
		{"goal: {requirements: {ttft: none}}\n", ""},
		{"workload: {batch: 65}\n", "Workload.Batch: 64 and 65"},
		{"goal: {requirements: {ttft: 2s}}\n", "Goal.Requirements"},
		{"goal: {margin: 0}\n", "Goal.Margin"},
		{"strategy: {tp: 2}\n", "Strategy"},
	} {
		got := Difference(load(base), load(base+row.more))
		if row.want == "" && got != "" || !strings.HasPrefix(got, row.want) {
			t.Errorf("%s: %q, want %q", row.more, got, row.want)
		}
	}
}
