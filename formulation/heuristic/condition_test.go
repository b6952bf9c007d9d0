package heuristic

import (
	"fmt"
	"testing"

	"partita/formulation/stagegraph"
	"partita/inputs"
)

// card is a pool of equal GPUs for tests: nodes and GPUs in each.
type card struct {
	name        string
	nodes, gpus int
	memory      float64 // GiB
	tflops      float64
}

// pool has the links and bandwidth of an H100 node whatever the card: the rules
// under test read memory, FLOP/s and counts.
func (c card) pool() inputs.Pool {
	p := inputs.Pool{
		Name: c.name, GPUsPerNode: c.gpus, MemoryBytes: int64(c.memory * (1 << 30)), Utilization: 0.9,
		Count: inputs.Count{Min: c.nodes * c.gpus, Max: c.nodes * c.gpus},
		Intra: inputs.Link{Kind: inputs.LinkNVLink, BytesPerSecond: 450e9},
		Accelerator: inputs.Accelerator{
			Name: c.name, Generation: "hopper", MemoryBandwidth: 3.35e12,
			FLOPS: map[inputs.DType]float64{inputs.BF16: c.tflops * 1e12},
		},
	}
	for i := range c.nodes {
		n := inputs.Node{Host: fmt.Sprintf("%s-%d", c.name, i)}
		for j := range c.gpus {
			n.GPUs = append(n.GPUs, fmt.Sprintf("%s/gpu-%d", n.Host, j))
		}
		p.Nodes = append(p.Nodes, n)
	}
	return p
}

// dense is a Llama-like model of so many layers and heads of 128.
func dense(layers, heads int) inputs.Model {
	return inputs.Model{
		Name: "dense", Hidden: heads * 128, Vocab: 128256, FFNScale: 1,
		Weights: inputs.BF16, Activation: inputs.BF16, KV: inputs.BF16,
		Kinds: []inputs.LayerKind{{
			Name:      "layer",
			Attention: inputs.Attention{Kind: inputs.GQA, Heads: heads, KVHeads: 8, HeadDim: 128, VHeadDim: 128},
			FFN:       inputs.FFN{Intermediate: heads * 448, Gated: true},
		}},
		Layers: make([]int, layers),
	}
}

// sparse is dense with 64 experts of which 4 run.
func sparse(layers, heads int) inputs.Model {
	m := dense(layers, heads)
	m.Kinds[0].FFN = inputs.FFN{Intermediate: 2048, Gated: true, Experts: 64, TopK: 4}
	return m
}

func condition(m inputs.Model, batch int, cards ...card) *inputs.Condition {
	c := &inputs.Condition{Name: "test", Model: m}
	c.Cluster.Network = inputs.Link{Kind: inputs.LinkInfiniBand, BytesPerSecond: 50e9}
	for _, x := range cards {
		c.Cluster.Pools = append(c.Cluster.Pools, x.pool())
	}
	c.Workload = inputs.Workload{Phase: inputs.Mixed, Batch: batch, Input: inputs.Range{Min: 512, Max: 512}, Output: inputs.Range{Min: 128, Max: 128}}
	c.Goal.Objective = inputs.Balanced
	return c
}

// environment asks for all GPUs of a condition; memory alone is judged, with the
// smallest steps, and fewer stages are better.
func environment(t *testing.T, c *inputs.Condition) Env {
	t.Helper()
	s, err := stagegraph.New(c)
	if err != nil {
		t.Fatal(err)
	}
	env := Env{Space: s}
	for _, p := range c.Cluster.Pools {
		env.GPUs = append(env.GPUs, p.Count.Max)
	}
	env.Judge = func(p Proposal) Verdict {
		l := &stagegraph.Layout{Replicas: p.Replicas, Total: -1}
		pipe, err := s.Pipeline(l, p.Parts)
		if err != nil {
			return Verdict{Rule: RuleShape, Miss: 1}
		}
		n := s.Sequences(p.Replicas)
		if _, need, have := pipe.Fullest(n, n); need > have {
			return Verdict{Rule: RuleMemory, Miss: float64(need) / float64(have)}
		}
		return Verdict{Rule: RuleMet, Value: float64(len(p.Parts))}
	}
	return env
}
