package cost

import (
	"math"
	"testing"

	"partita/inputs"
)

func graphCondition(nodes []inputs.GraphNode, edges []inputs.GraphEdge, pools ...inputs.Pool) *inputs.Condition {
	return &inputs.Condition{
		Model:   inputs.Model{Graph: &inputs.Graph{Nodes: nodes, Edges: edges}, Weights: inputs.BF16, Activation: inputs.BF16, KV: inputs.BF16},
		Cluster: inputs.Cluster{Pools: pools, Network: inputs.Link{Kind: inputs.LinkInfiniBand, BytesPerSecond: 50e9}},
	}
}

func graphPool(name string, flops, bandwidth float64) inputs.Pool {
	return inputs.Pool{Name: name, Count: inputs.Count{Min: 2, Max: 2}, GPUsPerNode: 2, MemoryBytes: 80e9, Utilization: 0.9,
		Accelerator: inputs.Accelerator{Name: name, MemoryBandwidth: bandwidth, FLOPS: map[inputs.DType]float64{inputs.BF16: flops},
			Efficiency: &inputs.Efficiency{Compute: 0.5, Bandwidth: 0.8}},
		Intra: inputs.Link{Kind: inputs.LinkNVLink, BytesPerSecond: 450e9}}
}

func pointer(v float64) *float64 { return &v }

// The time of a node comes from its measurement on the accelerator, else from its work,
// else from the one time of the file; sending from bytes on the slowest link, else as stated.
func TestGraphPrices(t *testing.T) {
	nodes := []inputs.GraphNode{
		{ID: 0, FLOPs: pointer(1e12), Kernels: 1, WeightBytes: 1e9, OutputBytes: pointer(36e6)},
		{ID: 1, FLOPs: pointer(1e9), Kernels: 1, WeightBytes: 8e9, TimesMS: map[string]float64{"fast": 3}},
		{ID: 2, TimeMS: pointer(7), SendMS: 0.25},
		{ID: 3, FLOPs: pointer(0), TrafficBytes: pointer(0), OutputBytes: pointer(0)},
	}
	edges := []inputs.GraphEdge{{From: 0, To: 1}, {From: 0, To: 1}, {From: 1, To: 2}}
	g, err := NewGraph(graphCondition(nodes, edges, graphPool("fast", 1e15, 4e12), graphPool("slow", 1e14, 1e12)))
	if err != nil {
		t.Fatal(err)
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-9*want {
			t.Errorf("%s: %g, want %g", what, got, want)
		}
	}
	near("work on the fast pool", g.NodeMS(0, 0), 1e3*1e12/(0.5*1e15))
	near("work on the slow pool", g.NodeMS(1, 0), 1e3*1e12/(0.5*1e14))
	near("measured", g.NodeMS(0, 1), 3)
	near("memory-bound, weights and the input once", g.NodeMS(1, 1), 1e3*(8e9+36e6)/(0.8*1e12))
	near("one time for all", g.NodeMS(1, 2), 7)
	near("nothing", g.NodeMS(0, 3), 0)
	near("across nodes", g.SendMS(0, false), 1e3*36e6/36e9)
	near("inside a host", g.SendMS(0, true), 1e3*36e6/357e9)
	near("stated", g.SendMS(2, false), 0.25)
	near("no bytes", g.SendMS(3, false), 0)
	if got, want := g.Capacity(0), int64(72e9)-2<<30; got != want {
		t.Errorf("capacity %d, want %d", got, want)
	}
	if g.OwnConstants() {
		t.Error("stated utilisations leave no constant of ours")
	}
}

func TestGraphWithoutAModelOrGPUs(t *testing.T) {
	if _, err := NewGraph(&inputs.Condition{}); err == nil {
		t.Error("no graph was priced")
	}
	if _, err := NewGraph(graphCondition([]inputs.GraphNode{{}}, nil)); err == nil {
		t.Error("no pool was priced")
	}
	g, err := NewGraph(graphCondition([]inputs.GraphNode{{ID: 1, TimesMS: map[string]float64{"a": 1}}}, nil, graphPool("b", 1e15, 1e12)))
	if err != nil || !math.IsNaN(g.NodeMS(0, 0)) {
		t.Errorf("a time that nobody stated: %v, %v", g, err)
	}
}
