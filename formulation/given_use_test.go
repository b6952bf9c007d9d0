package formulation

import (
	"math"
	"testing"

	"partita/inputs"
)

// TestUtilisationByHand: a model of two alike layers, one on each of two GPUs, decode of
// 4 sequences in 2 groups. Stated utilisation of 1 leaves no floors, and without a
// vocabulary the head is a norm alone.
func TestUtilisationByHand(t *testing.T) {
	const peak, bandwidth, link = 1e12, 1e11, 1e9
	pool := inputs.Pool{
		Name: "gpu", Count: inputs.Count{Min: 2, Max: 2}, GPUsPerNode: 2, MemoryBytes: 4 << 30, Utilization: 1,
		Nodes: []inputs.Node{{Host: "node-0", GPUs: []string{"node-0/gpu-0", "node-0/gpu-1"}}},
		Accelerator: inputs.Accelerator{Name: "gpu", MemoryBandwidth: bandwidth, FLOPS: map[inputs.DType]float64{inputs.BF16: peak},
			Efficiency: &inputs.Efficiency{Compute: 1, Bandwidth: 1}},
		Intra: inputs.Link{Kind: inputs.LinkNVLink, BytesPerSecond: link},
	}
	m := inputs.Model{
		Name: "two", Hidden: 256, Layers: []int{0, 0}, FFNScale: 1, Weights: inputs.BF16, Activation: inputs.BF16, KV: inputs.BF16,
		Kinds: []inputs.LayerKind{{Name: "layer", Attention: inputs.Attention{Kind: inputs.GQA, Heads: 2, KVHeads: 2, HeadDim: 128, VHeadDim: 128}, FFN: inputs.FFN{Intermediate: 1024}}},
	}
	c := testCondition(m, inputs.Decode, 4, pool)
	loose := 0.9
	c.Goal.Balance = &loose
	c.Workload.Input, c.Workload.Output = inputs.Range{Min: 99, Max: 99}, inputs.Range{Min: 56, Max: 56}
	v := mustEvaluate(t, c, Given{Strategy: &inputs.Strategy{PP: 2, DecodeGroups: 2}})
	if !v.Feasible {
		t.Fatalf("problems %+v", v.Problems)
	}
	// A step of 2 sequences, one token each, at context 99 + 28 + 1 = 128.
	type op struct{ flops, bytes float64 }
	layer := []op{
		{0, 4 * 2 * 256 * 2},                               // norm and residual
		{2 * 2 * 256 * 768, 2*256*768 + 2*2*(256+768)},     // queries, keys, values
		{0, 2 * (2*2*(2+2)*128 + 2*2*256)},                 // rotary and cache
		{2 * 2 * 2 * 256 * 128, 2*2*2*256 + 2*128*2*256*2}, // attention
		{2 * 2 * 256 * 256, 2*256*256 + 2*2*(256+256)},     // output
		{0, 4 * 2 * 256 * 2},                               // norm and residual
		{2 * 2 * 256 * 1024, 2*256*1024 + 2*2*(256+1024)},  // up
		{0, 2 * (1024 + 1024) * 2},                         // activation
		{2 * 2 * 1024 * 256, 2*1024*256 + 2*2*(1024+256)},  // down
	}
	var flops, bytes, seconds float64
	for _, o := range layer {
		flops, bytes = flops+o.flops, bytes+o.bytes
		seconds += math.Max(o.flops/peak, o.bytes/bandwidth)
	}
	send := 2 * 256 * 2 / (357.0 / 450 * link) // hidden states of two tokens over NVLink
	norm := 4 * 2 * 256 * 2 / bandwidth
	first, last := seconds+send, seconds+norm
	round := math.Max(first+last, 2*math.Max(first, last))
	near := func(name string, got *float64, want float64) {
		t.Helper()
		if math.Abs(*got-want) > 1e-9*want {
			t.Errorf("%s: %g, want %g", name, *got, want)
		}
	}
	near("TPOT", v.Metrics.TPOTMS, round*1e3)
	a, b := v.Stages[0].Utilisation, v.Stages[1].Utilisation
	near("compute of stage 0", a.Compute, 2*flops/peak/round)
	near("compute of stage 1", b.Compute, 2*flops/peak/round)
	near("bandwidth of stage 0", a.Bandwidth, 2*bytes/bandwidth/round)
	near("bandwidth of stage 1", b.Bandwidth, 2*(bytes/bandwidth+norm)/round)
	near("network of stage 0", a.Network, 2*send/round)
	if *b.Network != 0 {
		t.Errorf("the last stage sends nothing: %g", *b.Network)
	}
	near("busy of stage 0", a.Busy, 2*first/round)
	near("busy of stage 1", b.Busy, 2*last/round)
	near("memory of stage 0", a.Memory, v.Stages[0].MemoryGiB/4)
	near("mean of the network", v.Utilisation.Network, send/round)
}

// TestEndsOfUtilisation: in prefill alone micro-batches fill the round; of a strategy
// that does not fit, memory counts as full and no more.
func TestEndsOfUtilisation(t *testing.T) {
	c := denseOn(1, 2, 8, 8)
	c.Workload.Phase = inputs.Prefill
	v := mustEvaluate(t, c, Given{Strategy: &inputs.Strategy{PP: 2, MicroBatches: 4}})
	busiest := 0.0
	for _, s := range v.Stages {
		busiest = max(busiest, *s.Utilisation.Busy)
	}
	if math.Abs(busiest-1) > 1e-9 {
		t.Errorf("the slowest stage of a full pipeline is busy %g of the round", busiest)
	}
	c = denseOn(1, 1, 8, 8)
	c.Workload.Batch, c.Workload.Input = 512, inputs.Range{Min: 8192, Max: 8192}
	v = mustEvaluate(t, c, Given{Strategy: &inputs.Strategy{}})
	if v.Feasible || *v.Utilisation.Memory != 1 {
		t.Errorf("feasible %v, memory %v", v.Feasible, *v.Utilisation.Memory)
	}
}
