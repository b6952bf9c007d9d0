package formulation_test

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"partita/inputs"
)

// smallStep draws a condition of a training step with few enough layouts to look at all, and
// its rules as a function.
func smallStep(t *rapid.T) (*inputs.Condition, func(x *trial) bool) {
	two := rapid.Bool().Draw(t, "two pools")
	text := "cluster: {accelerator: A100-SXM-40GB, count: 2, gpus_per_node: 2, usd_per_hour: 2}\n"
	if two {
		text = "cluster:\n  network: 100Gbit/s\n  pools:\n    - {name: old, accelerator: A100-SXM-40GB, count: 2, gpus_per_node: 2, usd_per_hour: 2}\n    - {name: new, accelerator: H100-SXM-80GB, count: 2, gpus_per_node: 2, usd_per_hour: 3}\n"
	}
	c := trainingOf(t, text+"model: Llama-3.1-8B\nworkload: {phase: training, global_batch: 32, sequence: 4096}\n")
	c.Statements, c.Assumptions = nil, nil
	most := 6
	if two {
		most = 4
	}
	for k := range c.Cluster.Pools {
		p := &c.Cluster.Pools[k]
		n := rapid.IntRange(1, most).Draw(t, "GPUs")
		p.Nodes, p.Count = nil, inputs.Count{Min: n, Max: n}
		p.GPUsPerNode = rapid.IntRange(1, 4).Draw(t, "a node")
		if rapid.IntRange(0, 2).Draw(t, "a range") == 0 {
			p.Count.Min = rapid.IntRange(1, n).Draw(t, "at least")
		} else {
			for left, i := n, 0; left > 0; i++ {
				node := inputs.Node{Host: fmt.Sprintf("%s-%d", p.Name, i)}
				for g := range min(left, rapid.IntRange(1, p.GPUsPerNode).Draw(t, "of the node")) {
					node.GPUs = append(node.GPUs, fmt.Sprintf("%s/gpu-%d", node.Host, g))
				}
				left -= len(node.GPUs)
				p.Nodes = append(p.Nodes, node)
			}
		}
		p.MemoryBytes = int64(rapid.Float64Range(4, 20).Draw(t, "memory") * 1e9)
	}
	m := &c.Model
	m.Layers = make([]int, rapid.IntRange(1, 5).Draw(t, "layers"))
	if two {
		m.Layers = m.Layers[:min(4, len(m.Layers))]
	}
	m.Hidden, m.Vocab, m.Tied = 1024, 1000*rapid.IntRange(1, 100).Draw(t, "vocabulary"), rapid.Bool().Draw(t, "tied")
	k := &m.Kinds[0]
	k.Attention.Heads = rapid.SampledFrom([]int{8, 12, 24}).Draw(t, "heads")
	k.Attention.KVHeads = rapid.SampledFrom([]int{2, 4, k.Attention.Heads}).Draw(t, "KV heads")
	k.FFN.Intermediate = 768 * rapid.IntRange(1, 8).Draw(t, "width")
	if rapid.Bool().Draw(t, "experts") {
		moe := *k
		moe.Name, moe.FFN.Experts, moe.FFN.TopK = "experts", rapid.SampledFrom([]int{4, 6}).Draw(t, "number"), 2
		m.Kinds = append(m.Kinds, moe)
		pattern := rapid.SampledFrom([]string{"01111", "11111", "01010", "10101", "00111", "01101", "00011"}).Draw(t, "kinds")
		for i := range m.Layers {
			m.Layers[i] = int(pattern[i] - '0')
		}
	}
	w := &c.Workload
	w.Batch = rapid.IntRange(1, 8).Draw(t, "batch")
	s := 256 * rapid.IntRange(1, 8).Draw(t, "sequence")
	w.Input = inputs.Range{Min: s, Max: s}
	if rapid.IntRange(0, 4).Draw(t, "fixed") == 0 {
		zero := rapid.IntRange(0, 3).Draw(t, "zero")
		w.Training.ZeRO = &zero
	}
	if rapid.IntRange(0, 4).Draw(t, "recompute fixed") == 0 {
		w.Training.Recompute = []inputs.Recompute{rapid.SampledFrom([]inputs.Recompute{inputs.NoRecompute, inputs.FullRecompute}).Draw(t, "recompute")}
	}
	g := &c.Goal
	g.Objective = rapid.SampledFrom([]inputs.ObjectiveKind{inputs.Latency, inputs.Throughput, inputs.Balanced, inputs.GPUs, inputs.Cost}).Draw(t, "objective")
	g.LatencyWeight, g.ThroughputWeight = 1, float64(rapid.IntRange(1, 4).Draw(t, "weight"))
	g.AllowIdle = rapid.Bool().Draw(t, "idle")
	margin := rapid.SampledFrom([]float64{0, 0.1, 0.3}).Draw(t, "margin")
	g.Margin = &margin
	return c, smallRule(t, c)
}

// smallRule gives a condition a rule, or none.
func smallRule(t *rapid.T, c *inputs.Condition) func(x *trial) bool {
	n := rapid.IntRange(0, 4).Draw(t, "of the rule")
	firsts := func(x *trial, see func(first, last int) bool) bool {
		next := 0
		for c := range x.v {
			for i := range x.pp {
				if !see(next, next+x.layers[i][c]-1) {
					return false
				}
				next += x.layers[i][c]
			}
		}
		return true
	}
	rules := []struct {
		expr  string
		keeps func(x *trial) bool
	}{
		{"", nil}, {"", nil},
		{fmt.Sprintf("tp <= %d", n+1), func(x *trial) bool { return x.shape.TP <= n+1 }},
		{fmt.Sprintf("layers <= %d", n), func(x *trial) bool { return firsts(x, func(a, b int) bool { return b-a+1 <= n }) }},
		{fmt.Sprintf("first_layer != %d", n), func(x *trial) bool { return x.v == 1 && firsts(x, func(a, b int) bool { return a != n }) }},
		{fmt.Sprintf("!last_stage || layers <= %d", n), func(x *trial) bool {
			return x.layers[x.pp-1][x.v-1] <= n
		}},
		{"same_pool", func(x *trial) bool { return slices.Min(x.pools) == slices.Max(x.pools) }},
		{fmt.Sprintf("usd_per_hour > 2.5 || layers <= %d", n), func(x *trial) bool {
			for i, k := range x.pools {
				if c.Cluster.Pools[k].USDPerHour <= 2.5 && slices.Max(x.layers[i]) > n {
					return false
				}
			}
			return true
		}},
		{fmt.Sprintf("pp >= %d", n), func(x *trial) bool { return x.pp >= n }},
		{"stage_nodes == 1", func(x *trial) bool {
			return !slices.ContainsFunc(x.nodes, func(n []int) bool { return n[0] != n[len(n)-1] })
		}},
		{"stage_nodes >= 2 || layers <= 2", func(x *trial) bool {
			for i, n := range x.nodes {
				if n[0] == n[len(n)-1] && slices.Max(x.layers[i]) > 2 {
					return false
				}
			}
			return true
		}},
	}
	r := rules[rapid.IntRange(0, len(rules)-1).Draw(t, "rule")]
	if r.expr != "" {
		c.Rules = []inputs.Rule{{Name: "drawn", Expr: r.expr}}
	}
	return r.keeps
}
