package launchtest

import (
	"fmt"

	"pgregory.net/rapid"

	"partita/inputs"
	"partita/results"
)

// Shape bounds what Plan draws. The zero value draws everything that an engine may meet.
type Shape struct {
	// Uniform stages all have the same degrees.
	Uniform bool
	// PlainNames keeps names to letters and digits.
	PlainNames bool
}

// Plan draws a plan that hangs together: one to three replicas of one to three stages on the
// hosts of one or two pools, each GPU in one place, its deployment with it. Names of the
// condition, the model, the pools and the hosts may be hostile. The figures (times, memory) are made up.
func Plan(t *rapid.T, shape Shape) *results.Plan {
	name := Name()
	if shape.PlainNames {
		name = rapid.StringMatching(`[a-z][a-z0-9]{0,8}`)
	}
	model := drawModel(t, name)
	pp := rapid.IntRange(1, min(3, len(model.Layers))).Draw(t, "pp")
	replicas := rapid.IntRange(1, 3).Draw(t, "replicas")
	degrees := make([]degrees, pp)
	for i := range degrees {
		if degrees[i] = drawDegrees(t, model); shape.Uniform {
			degrees[i] = degrees[0]
		}
	}
	layers := split(t, len(model.Layers), pp)
	pools := drawPools(t, name)
	sequences := rapid.IntRange(1, 64).Draw(t, "sequences")

	p := results.PhasePlan{
		Phase: rapid.SampledFrom([]inputs.Phase{inputs.Mixed, inputs.Prefill, inputs.Decode}).Draw(t, "phase"),
		Strategy: results.Strategy{Replicas: replicas, PP: pp, MicroBatches: 1, DecodeGroups: 1, SequencesPerReplica: sequences,
			MicroBatchSequences: rapid.IntRange(1, sequences).Draw(t, "micro"), GroupSequences: sequences, Layers: layers},
	}
	for _, d := range degrees {
		st := &p.Strategy
		st.TP, st.DPAttention, st.EP, st.ETP, st.CP = append(st.TP, d.tp), append(st.DPAttention, d.dp), append(st.EP, d.ep), append(st.ETP, d.tp*d.dp/d.ep), append(st.CP, 1)
	}
	for r := range replicas {
		first := 0
		for i, d := range degrees {
			k := min(i, len(pools)-1) // later stages on the second pool
			p.Stages = append(p.Stages, results.Stage{
				Replica: r, Index: i, FirstLayer: first, LastLayer: first + layers[i] - 1, Pool: pools[k].Name, GPUs: take(&pools[k], d.tp*d.dp),
				TP: d.tp, DPAttention: d.dp, EP: d.ep, ETP: d.tp * d.dp / d.ep, CP: 1, TimeMS: 1, PrefillMS: 1, MemoryGiB: 10, CapacityGiB: 20,
			})
			first += layers[i]
			p.GPUs.Used += d.tp * d.dp
		}
	}
	p.GPUs.Parts, p.GPUs.Match = p.GPUs.Used, true
	cluster := inputs.Cluster{Network: inputs.Link{Kind: inputs.LinkEthernet, BytesPerSecond: 1e10}}
	for _, pool := range pools {
		cluster.Pools = append(cluster.Pools, pool.Pool)
	}
	return &results.Plan{
		FormatVersion: results.FormatVersion, Condition: name.Draw(t, "condition"), Phases: []results.PhasePlan{p},
		Deployment: &results.Deployment{Model: *model, Cluster: cluster, Workload: inputs.Workload{
			Phase: p.Phase, Batch: sequences * replicas, Input: inputs.Range{Min: 16, Max: rapid.IntRange(16, 9000).Draw(t, "input")},
			Output: inputs.Range{Min: 1, Max: rapid.IntRange(1, 512).Draw(t, "output")}}},
	}
}

// degrees are the parallelism of one stage.
type degrees struct{ tp, dp, ep int }

func drawDegrees(t *rapid.T, m *inputs.Model) degrees {
	d := degrees{tp: rapid.SampledFrom([]int{1, 2, 4}).Draw(t, "tp"), dp: rapid.SampledFrom([]int{1, 1, 2, 4}).Draw(t, "dp"), ep: 1}
	if m.Kinds[0].FFN.Experts > 0 && rapid.Bool().Draw(t, "experts apart") {
		d.ep = d.tp * d.dp
	}
	return d
}

func drawModel(t *rapid.T, name *rapid.Generator[string]) *inputs.Model {
	m := &inputs.Model{Name: name.Draw(t, "model"), Hidden: 1024, Vocab: 32000, Weights: inputs.BF16, Activation: inputs.BF16, KV: inputs.BF16,
		Layers: make([]int, rapid.IntRange(1, 9).Draw(t, "layers")), FFNScale: 1,
		Kinds: []inputs.LayerKind{{Name: "layer", Attention: inputs.Attention{Kind: inputs.GQA, Heads: 16, KVHeads: 8, HeadDim: 64, VHeadDim: 64}, FFN: inputs.FFN{Intermediate: 4096, Gated: true}}}}
	if rapid.Bool().Draw(t, "moe") {
		m.Kinds[0].FFN.Experts, m.Kinds[0].FFN.TopK = 16, 2
	}
	if rapid.Bool().Draw(t, "fp8") {
		m.Weights, m.KV = inputs.FP8, inputs.FP8
	}
	return m
}

// split draws how many of n layers each of k stages has: at least one.
func split(t *rapid.T, n, k int) []int {
	out := make([]int, k)
	for i := range out {
		out[i] = rapid.IntRange(1, n-(k-1-i)).Draw(t, "layers of a stage")
		if i == k-1 {
			out[i] = n
		}
		n -= out[i]
	}
	return out
}

// pool is a pool of which GPUs are taken, host after host.
type pool struct {
	inputs.Pool
	left []string
	host func(i int) string
}

func drawPools(t *rapid.T, name *rapid.Generator[string]) []pool {
	devices := []inputs.Accelerator{
		{Name: "H100-SXM-80GB", Vendor: "NVIDIA", Generation: "hopper", MemoryBytes: 80 << 30, FLOPS: map[inputs.DType]float64{inputs.BF16: 1e15}},
		{Name: "L40S", Vendor: "NVIDIA", Generation: "ada", MemoryBytes: 48 << 30, FLOPS: map[inputs.DType]float64{inputs.BF16: 3e14}},
	}
	out := make([]pool, rapid.IntRange(1, 2).Draw(t, "pools"))
	for k := range out {
		hosts := name.Draw(t, "hosts")
		out[k] = pool{Pool: inputs.Pool{
			Name: fmt.Sprintf("%s-%d", name.Draw(t, "pool"), k), Accelerator: devices[k], GPUsPerNode: rapid.SampledFrom([]int{1, 2, 4, 8}).Draw(t, "GPUs of a host"),
			MemoryBytes: devices[k].MemoryBytes, Utilization: rapid.SampledFrom([]float64{0.9, 0.85, 1}).Draw(t, "utilisation"),
		}, host: func(i int) string { return fmt.Sprintf("%s-%d-%d", hosts, k, i) }}
	}
	return out
}

// take takes the next GPUs of a pool, on new hosts as they are needed.
func take(p *pool, n int) []string {
	for len(p.left) < n {
		host := p.host(len(p.Nodes))
		node := inputs.Node{Host: host}
		for j := range p.GPUsPerNode {
			node.GPUs = append(node.GPUs, fmt.Sprintf("%s/gpu-%d", host, j))
		}
		p.Nodes = append(p.Nodes, node)
		p.left = append(p.left, node.GPUs...)
	}
	out := p.left[:n:n]
	p.left = p.left[n:]
	p.Count = inputs.Count{Min: len(p.Nodes) * p.GPUsPerNode, Max: len(p.Nodes) * p.GPUsPerNode}
	return out
}
