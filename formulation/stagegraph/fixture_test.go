package stagegraph

import (
	"fmt"
	"math"

	"pgregory.net/rapid"

	"partita/formulation/cost"
	"partita/inputs"
)

// fixture is a condition with one pool for each list of node sizes. Pools share
// hosts where their nodes have the same number and shared is set.
func fixture(m inputs.Model, phase inputs.Phase, batch int, shared bool, pools ...[]int) *inputs.Condition {
	c := &inputs.Condition{
		Name: "fixture", Model: m,
		Cluster:  inputs.Cluster{Network: inputs.Link{Kind: inputs.LinkInfiniBand, BytesPerSecond: 25e9}},
		Workload: inputs.Workload{Phase: phase, Batch: batch, Input: inputs.Range{Min: 512, Max: 1500}, Output: inputs.Range{Min: 64, Max: 200}},
	}
	if phase == inputs.Prefill {
		c.Workload.Output = inputs.Range{}
	}
	for k, sizes := range pools {
		p := inputs.Pool{
			Name: fmt.Sprintf("pool-%d", k), MemoryBytes: 80 << 30, Utilization: 0.9,
			Accelerator: inputs.Accelerator{
				Name: fmt.Sprintf("gpu-%d", k), Generation: "hopper", MemoryBandwidth: 2e12 / float64(k+1),
				FLOPS: map[inputs.DType]float64{inputs.BF16: 500e12 / float64(k+1)},
			},
			Intra: inputs.Link{Kind: inputs.LinkNVLink, BytesPerSecond: 300e9 / float64(k+1)},
		}
		for i, n := range sizes {
			node := inputs.Node{Host: fmt.Sprintf("p%d-node-%d", k, i)}
			if shared {
				node.Host = fmt.Sprintf("node-%d", i)
			}
			for j := range n {
				node.GPUs = append(node.GPUs, fmt.Sprintf("p%d-node-%d/gpu-%d", k, i, j))
			}
			p.Nodes = append(p.Nodes, node)
			p.Count.Max += n
			p.GPUsPerNode = max(p.GPUsPerNode, n)
		}
		p.Count.Min = p.Count.Max
		c.Cluster.Pools = append(c.Cluster.Pools, p)
	}
	return c
}

func denseKind(heads, width int) inputs.LayerKind {
	return inputs.LayerKind{
		Name:      "dense",
		Attention: inputs.Attention{Kind: inputs.GQA, Heads: heads, KVHeads: heads, HeadDim: 128, VHeadDim: 128},
		FFN:       inputs.FFN{Intermediate: width, Gated: true},
	}
}

func expertKind(heads, width, experts int) inputs.LayerKind {
	k := denseKind(heads, width)
	k.Name, k.FFN.Experts, k.FFN.TopK = "experts", experts, 2
	return k
}

// modelOf is a model of these kinds with the given kind for each layer.
func modelOf(layers []int, kinds ...inputs.LayerKind) inputs.Model {
	return inputs.Model{
		Name: "model", Hidden: 2048, Vocab: 32000, Kinds: kinds, Layers: layers,
		Weights: inputs.BF16, Activation: inputs.BF16, KV: inputs.BF16, FFNScale: 1,
	}
}

// unlimited makes the number of GPUs of every pool ours to choose.
func unlimited(c *inputs.Condition, node int) *inputs.Condition {
	for k := range c.Cluster.Pools {
		p := &c.Cluster.Pools[k]
		p.Nodes, p.Count, p.GPUsPerNode = nil, inputs.Count{}, node
	}
	return c
}

func mustSpace(t interface{ Fatal(...any) }, c *inputs.Condition) *Space {
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// drawCondition is a small condition with any phase, one or two pools and kinds.
func drawCondition(t *rapid.T) *inputs.Condition {
	heads := rapid.SampledFrom([]int{4, 8, 12}).Draw(t, "heads")
	kinds := []inputs.LayerKind{denseKind(heads, 4096)}
	if rapid.Bool().Draw(t, "experts") {
		kinds = append(kinds, expertKind(heads, rapid.SampledFrom([]int{512, 768}).Draw(t, "width"), 8))
	}
	n := rapid.IntRange(1, 6).Draw(t, "layers")
	layers := make([]int, n)
	for l := range layers {
		layers[l] = rapid.IntRange(0, len(kinds)-1).Draw(t, "kind")
	}
	sizes := rapid.SampledFrom([][]int{{1}, {2}, {4}, {2, 2}, {3}, {3, 2}, {8}})
	pools := [][]int{sizes.Draw(t, "nodes")}
	if rapid.Bool().Draw(t, "two pools") {
		pools = append(pools, sizes.Draw(t, "nodes"))
	}
	phase := rapid.SampledFrom([]inputs.Phase{inputs.Prefill, inputs.Decode, inputs.Mixed}).Draw(t, "phase")
	c := fixture(modelOf(layers, kinds...), phase, rapid.IntRange(1, 9).Draw(t, "batch"), rapid.Bool().Draw(t, "shared"), pools...)
	for k := range c.Cluster.Pools {
		c.Cluster.Pools[k].MemoryBytes = int64(rapid.IntRange(2600, 4000).Draw(t, "MiB")) << 20
	}
	c.Workload.PrefixCacheHit = rapid.SampledFrom([]float64{0, 0, 0.3, 0.9}).Draw(t, "cached")
	if rapid.IntRange(0, 3).Draw(t, "speculative") == 0 {
		c.Workload.Speculative = inputs.Speculative{DraftTokens: rapid.IntRange(1, 5).Draw(t, "draft"), Acceptance: 0.7, DraftCost: 0.1}
	}
	return c
}

// drawChoice is any outer choice of a space; false where replicas get no GPU.
func drawChoice(t *rapid.T, s *Space) (Choice, bool) {
	var all []*Layout
	r := rapid.IntRange(1, s.Condition.Workload.Batch).Draw(t, "replicas")
	gpus := make([]int, s.Pools())
	for k := range gpus {
		gpus[k] = s.Condition.Cluster.Pools[k].Count.Max / r
	}
	if l, ok := s.Exact(r, gpus); ok && sumOf(gpus) > 0 {
		all = append(all, l)
	}
	all = append(all, s.UpTo(r)...)
	if len(all) == 0 {
		return Choice{}, false
	}
	ch := Choice{Layout: rapid.SampledFrom(all).Draw(t, "layout")}
	n := s.Sequences(r)
	if s.Prefills() {
		ch.Micro = rapid.IntRange(1, n).Draw(t, "micro-batches")
	}
	if s.Decodes() {
		ch.Groups = rapid.IntRange(1, n).Draw(t, "groups")
	}
	return ch, true
}

func sumOf(list []int) int {
	n := 0
	for _, v := range list {
		n += v
	}
	return n
}

// direct prices a stage by (C1) to (C3) from single layers, in seconds.
func direct(s *Space, ch Choice, pt Part, next int, sameHost bool) [2]float64 {
	w := &s.Condition.Workload
	n := ceilDiv(w.Batch, ch.Layout.Replicas)
	in, out := w.Input.Mid(), w.Output.Mid()
	// of sums what f makes of the price of each part.
	of := func(f func(price func(cost.Step) float64) float64) float64 {
		t := 0.0
		for _, kind := range s.Condition.Model.Layers[pt.First : pt.Last+1] {
			t += f(func(st cost.Step) float64 { return s.Costs.Layer(pt.Pool, kind, pt.Shape, st) })
		}
		if pt.First == 0 {
			t += f(func(st cost.Step) float64 { return s.Costs.Embedding(pt.Pool, pt.Shape, st) })
		}
		if pt.Last == s.Layers()-1 {
			t += f(func(st cost.Step) float64 { return s.Costs.Head(pt.Pool, pt.Shape, st) })
		} else if next >= 0 {
			t += f(func(st cost.Step) float64 { return s.Costs.Send(pt.Pool, next, pt.Shape, st, sameHost) })
		}
		return t
	}
	// The host's part of a step goes with the send, or with the head.
	host := func(sequences int) float64 {
		if next < 0 && pt.Last < s.Layers()-1 {
			return 0
		}
		return s.Costs.HostStep(pt.Pool, sequences)
	}
	time := func(st cost.Step) float64 {
		return host(st.Sequences) + of(func(price func(cost.Step) float64) float64 { return price(st) })
	}
	prompts := func(k, tokens int) cost.Step {
		cached := min(tokens-1, int(math.Floor(w.PrefixCacheHit*float64(tokens))))
		return cost.Step{Phase: inputs.Prefill, Sequences: k, New: tokens - cached, Cached: cached}
	}
	draft, yield := w.Speculative, 1.0 // tokens of a step: the own, and those of the draft while they are taken
	for k := range draft.DraftTokens {
		yield += math.Pow(draft.Acceptance, float64(k+1))
	}
	decode := func(b int, price func(cost.Step) float64) float64 {
		one := cost.Step{Phase: inputs.Decode, Sequences: b, New: 1, Cached: in + ceilDiv(out, 2)}
		all := one
		all.New += draft.DraftTokens
		return price(all) + float64(draft.DraftTokens)*draft.DraftCost*price(one)
	}
	if w.Phase != inputs.Mixed {
		var t [2]float64
		if ch.Micro > 0 {
			t[0] = time(prompts(ceilDiv(n, ch.Micro), w.Input.Max))
			t[1] = time(prompts(ceilDiv(n, ch.Micro), in))
			return t
		}
		b := ceilDiv(n, ch.Groups)
		t[1] = (host(b) + of(func(price func(cost.Step) float64) float64 { return decode(b, price) })) / yield
		return t
	}
	// mixed is the average step of m groups, what decoding adds to a chunk, and what is
	// left of a step on average (short prompts only: one pass each).
	mixed := func(m int, price func(cost.Step) float64) (step, along, left float64) {
		b := ceilDiv(n, m)
		plain := func(tokens int) float64 { return price(cost.Step{Phase: inputs.Decode, Sequences: tokens, New: 1}) }
		d := decode(b, price)
		if n == 1 {
			return d, d, 0
		}
		per := yield * float64(n-1) / float64(out) / float64(m)
		read := prompts(1, in).New
		size := math.Min(math.Max(1, per), float64(min(n, pt.Shape.DPAttention*max(1, 8192/read))))
		k := int(size)
		chunk := price(prompts(k, in))
		if size > float64(k) {
			chunk += (size - float64(k)) * (price(prompts(k+1, in)) - chunk)
		}
		new := b * (1 + draft.DraftTokens)
		along = d - plain(new) + plain(k*read+new) - plain(k*read)
		long, share := chunk+along, math.Min(1, per/size)
		step = d + per/size*math.Max(0, long-d)
		long = d + (step-d)/share
		return step, along, ((1-share)*d*d + share*long*long) / 2 / step
	}
	var t [2]float64
	if ch.Micro > 0 {
		meets := 1.0 // steps with the host's part in each
		if n > 1 {
			meets = 2.5
		}
		t[0] = meets*host(n) + of(func(price func(cost.Step) float64) float64 {
			p := price(prompts(1, w.Input.Max))
			if n == 1 {
				return p
			}
			step, along, left := mixed(1, price)
			return p + along + step + left
		})
		if pt.First == 0 {
			t[0] += s.Costs.HostRequest(pt.Pool, w.Input.Max)
		}
	}
	t[1] = (host(ceilDiv(n, ch.Groups)) + of(func(price func(cost.Step) float64) float64 {
		step, _, _ := mixed(ch.Groups, price)
		return step
	})) / yield
	return t
}
