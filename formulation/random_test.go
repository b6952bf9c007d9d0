package formulation_test

import (
	"fmt"
	"math/rand/v2"

	"partita/inputs"
)

// draw makes tiny conditions: few layers, few GPUs, any phase and goal. Weights of
// generators are in the switch statements; the seed decides everything.
type draw struct{ *rand.Rand }

func newDraw(seed uint64) draw { return draw{rand.New(rand.NewPCG(seed, 7))} }

func pick[T any](d draw, list ...T) T { return list[d.IntN(len(list))] }

func (d draw) chance(percent int) bool { return d.IntN(100) < percent }

// condition draws one without requirements: these are set from what plans reach.
func (d draw) condition() *inputs.Condition {
	c := &inputs.Condition{Name: "tiny", Model: d.model(), Workload: d.workload()}
	c.Cluster = d.cluster(&c.Model, &c.Workload)
	c.Goal.Objective = pick(d, inputs.Balanced, inputs.Balanced, inputs.Latency, inputs.Throughput, inputs.GPUs, inputs.Cost)
	if d.chance(40) {
		c.Goal.LatencyWeight, c.Goal.ThroughputWeight = pick(d, 0.0, 0.3, 1.0, 2.0), pick(d, 0.5, 1.0)
	}
	if d.chance(60) {
		c.Goal.Balance = ptr(pick(d, 0.05, 0.2, 0.25, 0.5, 1, 1))
	}
	c.Goal.AllowIdle = d.chance(35)
	if d.chance(50) {
		c.Goal.Margin = ptr(pick(d, 0, 0.05, 0.2))
	}
	return c
}

func ptr[T any](v T) *T { return &v }

func (d draw) model() inputs.Model {
	m := inputs.Model{
		Name: "tiny", Hidden: pick(d, 1024, 2048, 4096), Vocab: pick(d, 0, 32000, 128256), Tied: d.chance(30),
		Weights: pick(d, inputs.BF16, inputs.FP8), Activation: inputs.BF16, KV: inputs.BF16, FFNScale: 1,
	}
	heads := pick(d, 4, 8, 12)
	attention := inputs.Attention{Kind: inputs.GQA, Heads: heads, KVHeads: pick(d, 1, 2, heads), HeadDim: 128, VHeadDim: 128}
	dense := inputs.LayerKind{Name: "dense", Attention: attention, FFN: inputs.FFN{Intermediate: pick(d, 8192, 6144), Gated: true}}
	experts := inputs.LayerKind{Name: "experts", Attention: attention, FFN: inputs.FFN{Intermediate: pick(d, 1024, 4096, 768), Gated: true, Experts: pick(d, 4, 8, 6), TopK: 2, Shared: pick(d, 0, 1024)}}
	layers := 1 + d.IntN(5)
	switch d.IntN(5) {
	case 0:
		m.Kinds = []inputs.LayerKind{experts}
		layers = min(layers, 4)
	case 1:
		m.Kinds = []inputs.LayerKind{dense, experts}
		layers = min(layers, 4)
	case 2:
		narrow := dense
		narrow.Name, narrow.Attention.Window = "window", 256
		m.Kinds = []inputs.LayerKind{dense, narrow}
	default:
		m.Kinds = []inputs.LayerKind{dense}
	}
	first := d.IntN(2) // dense layers at the front, then the others; or alternating
	for l := range layers {
		kind := 0
		if len(m.Kinds) > 1 && (first == 0 && l > 0 || first == 1 && l%2 == 1) {
			kind = 1
		}
		m.Layers = append(m.Layers, kind)
	}
	return m
}

func (d draw) workload() inputs.Workload {
	w := inputs.Workload{Phase: pick(d, inputs.Prefill, inputs.Decode, inputs.Mixed, inputs.Mixed), Batch: 1 + d.IntN(6)}
	w.Input = inputs.Range{Min: 1 + d.IntN(4000)}
	w.Input.Max = w.Input.Min + pick(d, 0, 1000, 6000)
	if w.Phase != inputs.Prefill {
		w.Output = inputs.Range{Min: 1 + d.IntN(300)}
		w.Output.Max = w.Output.Min + pick(d, 0, 200)
	}
	return w
}

// nodes are the node sizes of a pool; the last ones do not divide evenly.
var nodes = [][]int{{1}, {2}, {3}, {4}, {1, 1}, {2, 2}, {1, 1, 1, 1}, {2, 1}, {3, 1}, {5, 3}}

func (d draw) cluster(m *inputs.Model, w *inputs.Workload) inputs.Cluster {
	cl := inputs.Cluster{Network: inputs.Link{Kind: inputs.LinkInfiniBand, BytesPerSecond: pick(d, 3e9, 12.5e9, 25e9)}}
	count := 1
	if d.chance(35) {
		count = 2
	}
	for k := range count {
		list := nodes
		if count == 2 || len(m.Layers) > 4 || len(m.Kinds) > 1 {
			list = nodes[:len(nodes)-1]
		}
		cl.Pools = append(cl.Pools, d.pool(fmt.Sprintf("pool-%c", 'a'+k), pick(d, list...), m, w))
	}
	if count == 2 && d.chance(50) { // the pools share their first hosts
		for i := range cl.Pools[1].Nodes {
			if i < len(cl.Pools[0].Nodes) {
				cl.Pools[1].Nodes[i].Host = cl.Pools[0].Nodes[i].Host
			}
		}
	}
	if d.chance(30) {
		p := &cl.Pools[d.IntN(count)]
		p.Count.Min = d.IntN(p.Count.Max)
		p.Nodes = nil
	}
	return cl
}

func (d draw) pool(name string, sizes []int, m *inputs.Model, w *inputs.Workload) inputs.Pool {
	speed := pick(d, 50e12, 200e12, 800e12)
	p := inputs.Pool{
		Name: name, Utilization: pick(d, 0.9, 1), USDPerHour: pick(d, 0.5, 1, 2.5),
		Accelerator: inputs.Accelerator{
			Name: name, Generation: "hopper", MemoryBandwidth: pick(d, 0.6e12, 2e12, 3.3e12),
			FLOPS: map[inputs.DType]float64{inputs.BF16: speed, inputs.FP8: 2 * speed},
		},
		Intra: inputs.Link{Kind: inputs.LinkNVLink, BytesPerSecond: pick(d, 200e9, 450e9)},
	}
	if d.chance(40) {
		p.Accelerator.Efficiency = &inputs.Efficiency{Compute: 0.6, Bandwidth: 0.8}
	}
	serial := 0
	for i, n := range sizes {
		node := inputs.Node{Host: fmt.Sprintf("%s-node-%d", name, i)}
		for range n {
			node.GPUs = append(node.GPUs, fmt.Sprintf("%s/gpu-%d", node.Host, serial))
			serial++
		}
		p.Nodes = append(p.Nodes, node)
		p.GPUsPerNode = max(p.GPUsPerNode, n)
	}
	p.Count = inputs.Count{Min: serial, Max: serial}
	// From too little for a single layer to plenty for the whole model.
	whole := wholeModel(m, w)
	p.MemoryBytes = int64(2.1*(1<<30) + whole*pick(d, 0.15, 0.3, 0.4, 0.6, 0.8, 1.2, 3))
	return p
}

// wholeModel is roughly the memory of the weights and the cache, bytes.
func wholeModel(m *inputs.Model, w *inputs.Workload) float64 {
	h := float64(m.Hidden)
	sum := 2 * float64(m.Vocab) * h * 2
	for _, kind := range m.Layers {
		k := &m.Kinds[kind]
		ffn := float64(k.FFN.Intermediate*max(1, k.FFN.Experts)+k.FFN.Shared) * 3
		sum += (h*ffn + 2*h*float64(k.Attention.Heads+k.Attention.KVHeads)*128) * m.Weights.Bytes()
		sum += 4 * 128 * float64(k.Attention.KVHeads) * float64(w.Batch*(w.Input.Max+w.Output.Max))
	}
	return sum * 1.2
}

// require adds requirements that a plan drawn at random meets or misses by a little.
func (d draw) require(c *inputs.Condition, plans []candidate) {
	j := &judge{c: c}
	kinds := []inputs.RequirementKind{inputs.TokensPerSecond, inputs.TokensPerSGPU, inputs.CostUSDPerHour, inputs.EndToEnd}
	if c.Workload.Phase != inputs.Decode {
		kinds = append(kinds, inputs.TTFT, inputs.TTFT)
	}
	if c.Workload.Phase != inputs.Prefill {
		kinds = append(kinds, inputs.TPOT, inputs.TPOT, inputs.OutputPerSecond, inputs.OutputPerSGPU)
	}
	for range pick(d, 0, 0, 1, 1, 2, 3) {
		q := inputs.Requirement{Kind: pick(d, kinds...)}
		x := &plans[d.IntN(len(plans))]
		all, output := j.tokens(x)
		switch q.Kind {
		case inputs.TTFT:
			q.Value = x.ttft
		case inputs.TPOT:
			q.Value = x.round
		case inputs.EndToEnd:
			q.Value = j.latency(x)
		case inputs.TokensPerSecond:
			q.Value = all
		case inputs.TokensPerSGPU:
			q.Value = all / float64(x.gpus)
		case inputs.OutputPerSecond:
			q.Value = output
		case inputs.OutputPerSGPU:
			q.Value = output / float64(x.gpus)
		case inputs.CostUSDPerHour:
			q.Value = x.price
		}
		q.Value *= pick(d, 0.5, 0.83, 1.003, 1.21, 2)
		c.Goal.Requirements = append(c.Goal.Requirements, q)
	}
}
