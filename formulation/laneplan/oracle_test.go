package laneplan

import (
	"math"
	"math/rand/v2"
	"testing"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/solver"
)

// tiny is a small model on a few unlike GPUs, with memory for few layers of each.
func tiny(r *rand.Rand) *inputs.Condition {
	c := &inputs.Condition{Name: "tiny"}
	kind := inputs.LayerKind{Name: "dense", Attention: inputs.Attention{Kind: inputs.GQA, Heads: 16, KVHeads: 8, HeadDim: 128},
		FFN: inputs.FFN{Intermediate: 8192, Gated: true}}
	c.Model = inputs.Model{Name: "tiny", Hidden: 2048, Vocab: []int{0, 500, 32000}[r.IntN(3)], Kinds: []inputs.LayerKind{kind}, Layers: make([]int, 2+r.IntN(2)),
		Weights: inputs.FP16, Activation: inputs.FP16, KV: inputs.FP16, FFNScale: 1}
	for k := range 2 {
		name := string(rune('a' + k))
		p := inputs.Pool{Name: name, Count: inputs.Count{Min: 1, Max: 1}, GPUsPerNode: 1, Utilization: 1, MemoryBytes: 2<<30 + int64((0.3+1.2*r.Float64())*float64(1<<30)),
			Accelerator: inputs.Accelerator{Name: name, MemoryBytes: 4 << 30, MemoryBandwidth: (50 + 500*r.Float64()) * 1e9,
				FLOPS:      map[inputs.DType]float64{inputs.FP16: (2 + 20*r.Float64()) * 1e12},
				Efficiency: &inputs.Efficiency{Compute: 0.6, Bandwidth: 0.8}}}
		if k == 0 && r.IntN(2) == 0 {
			p.Count = inputs.Count{Min: 2, Max: 2}
		}
		for i := range p.Count.Max {
			host := name + string(rune('0'+i))
			p.Nodes = append(p.Nodes, inputs.Node{Host: host, GPUs: []string{host + "/gpu-0"}})
		}
		c.Cluster.Pools = append(c.Cluster.Pools, p)
	}
	c.Cluster.Network = inputs.Link{Kind: inputs.LinkEthernet, BytesPerSecond: []float64{1e7, 1e9}[r.IntN(2)]}
	c.Workload = inputs.Workload{Phase: inputs.Decode, Batch: 1 + r.IntN(3), Input: inputs.Range{Min: 4096, Max: 16384}, Output: inputs.Range{Min: 64, Max: 64}}
	if r.IntN(2) == 0 {
		c.Workload.Phase = inputs.Mixed
	}
	c.Goal.Objective, c.Goal.Placement = inputs.Throughput, inputs.Lanes
	return c
}

// brute is the shortest round over all ranges of all machines, all ways of all sequences
// and all numbers of groups; +Inf where there is none.
func brute(c *inputs.Condition, costs *cost.Calculator) float64 {
	var machines []Machine
	for k, p := range c.Cluster.Pools {
		for range p.Count.Max {
			machines = append(machines, Machine{Pool: k})
		}
	}
	layers, best := len(c.Model.Layers), math.Inf(1)
	var all []*prices
	for g := 1; g <= min(len(machines), c.Workload.Batch); g++ {
		all = append(all, newPrices(c, costs, g, mostMicro(c)))
	}
	var ranges func(i int)
	ranges = func(i int) {
		if i == len(machines) {
			ways := waysThrough(machines, layers)
			used := make([][]int, c.Workload.Batch)
			var assign func(s, from int)
			assign = func(s, from int) {
				if s == len(used) {
					for _, p := range all {
						best = min(best, p.round(machines, used))
					}
					return
				}
				for w := from; w < len(ways); w++ { // sequences are alike
					used[s] = ways[w]
					assign(s+1, w)
				}
			}
			assign(0, 0)
			return
		}
		m := &machines[i]
		m.First, m.Last = 0, -1 // idle
		ranges(i + 1)
		for m.First = 0; m.First < layers; m.First++ {
			for m.Last = m.First; m.Last < layers; m.Last++ {
				ranges(i + 1)
			}
		}
	}
	ranges(0)
	return best
}

// waysThrough lists the ways from the first layer to the last, as machines by index.
func waysThrough(machines []Machine, layers int) [][]int {
	var out [][]int
	var way []int
	var from func(layer int)
	from = func(layer int) {
		if layer == layers {
			out = append(out, append([]int(nil), way...))
			return
		}
		for i, m := range machines {
			if m.First <= layer && layer <= m.Last {
				way = append(way, i)
				from(m.Last + 1)
				way = way[:len(way)-1]
			}
		}
	}
	from(0)
	return out
}

// round of sequences on their ways; +Inf where a machine's memory does not hold them.
func (p *prices) round(machines []Machine, used [][]int) float64 {
	held := make([]int, len(machines))
	for _, way := range used {
		for _, i := range way {
			held[i]++
		}
	}
	steps := make([]float64, len(machines))
	round := 0.0
	for i, n := range held {
		if n == 0 {
			continue
		}
		m := machines[i]
		if p.memory(m.Pool, m.layers(), n, m.First == 0, m.Last == len(p.c.Model.Layers)-1).Total() > p.costs.Capacity(m.Pool) {
			return math.Inf(1)
		}
		steps[i] = p.exactly(&m, n)
		round = max(round, float64(p.groups)*steps[i])
	}
	for _, way := range used {
		sum := 0.0
		for _, i := range way {
			sum += steps[i]
		}
		round = max(round, sum)
	}
	return round
}

// loaded is a tiny condition of serving under load: prompts go together, models and
// devices differ.
func loaded(r *rand.Rand) *inputs.Condition {
	c := tiny(r)
	w := &c.Workload
	w.Phase, w.Batch = inputs.Mixed, 2+r.IntN(5)
	in, out := []int{1, 30, 700, 9000}[r.IntN(4)], 1+r.IntN(4)
	w.Input, w.Output = inputs.Range{Min: in, Max: in + r.IntN(2)*500}, inputs.Range{Min: out, Max: out}
	if r.IntN(2) == 0 {
		w.PrefixCacheHit = 0.9
	}
	if r.IntN(3) == 0 {
		w.Speculative = inputs.Speculative{DraftTokens: 3, Acceptance: 0.8, DraftCost: 0.1}
	}
	k := &c.Model.Kinds[0]
	switch r.IntN(4) {
	case 0:
		k.FFN.Experts, k.FFN.TopK, k.FFN.Intermediate = 8, 2, 1024
	case 1:
		k.Attention.Window = 512
	case 2:
		k.Attention = inputs.Attention{Kind: inputs.MLA, Heads: 16, HeadDim: 192, VHeadDim: 128, KVLoraRank: 512, RopeDim: 64}
	}
	for i := range c.Cluster.Pools {
		p := &c.Cluster.Pools[i]
		p.MemoryBytes += int64(r.Float64() * float64(1<<30))
		if r.IntN(2) == 0 {
			p.Accelerator.Efficiency, p.Accelerator.Generation = nil, []string{"hopper", "ampere", "cdna3", "blackwell"}[r.IntN(4)]
		}
	}
	return c
}

// crowded has so many prompts of a token or few in a step that one with more sequences may
// take less, and room for all of them.
func crowded(r *rand.Rand) *inputs.Condition {
	c := loaded(r)
	n := []int{1, 1, 30}[r.IntN(3)]
	c.Workload.Batch, c.Workload.Input, c.Workload.Output = 4+r.IntN(3), inputs.Range{Min: n, Max: n}, inputs.Range{Min: 2, Max: 2}
	for i := range c.Cluster.Pools {
		p := &c.Cluster.Pools[i]
		p.MemoryBytes += 2 << 30
		p.Count, p.Nodes = inputs.Count{Min: 1, Max: 1}, p.Nodes[:1]
		p.Accelerator.FLOPS[inputs.FP16] *= 100
		p.Accelerator.MemoryBandwidth *= 10
		p.Accelerator.Efficiency, p.Accelerator.Generation = nil, []string{"hopper", "ampere", "cdna3", "blackwell"}[r.IntN(4)]
	}
	return c
}

func TestSolveAgainstBruteForce(t *testing.T)          { bruteForced(t, 600, tiny) }
func TestSolveUnderLoadAgainstBruteForce(t *testing.T) { bruteForced(t, 150, loaded) }
func TestSolveCrowdedAgainstBruteForce(t *testing.T)   { bruteForced(t, 150, crowded) }

func bruteForced(t *testing.T, seeds uint64, draw func(*rand.Rand) *inputs.Condition) {
	optimal, feasible, shared, missed := 0, 0, 0, 0
	for seed := range seeds {
		c := draw(rand.New(rand.NewPCG(seed, 3)))
		costs, err := cost.New(c)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Solve(t.Context(), c, costs)
		if err != nil {
			t.Fatal(err)
		}
		want := brute(c, costs)
		if r.Plan == nil {
			if !math.IsInf(want, 1) {
				// Ranges are searched as if the embedding weighed nothing, then as if every
				// machine held it. What lies between may be missed, and is said to be.
				if missed++; r.Status != solver.Unknown || r.Bound > want*(1+1e-6) {
					t.Errorf("seed %d: %v with bound %v, but a round of %v exists", seed, r.Status, r.Bound, want)
				}
			}
			continue
		}
		feasible++
		if r.Plan.Round < want*(1-1e-9) || r.Bound > want*(1+1e-6) {
			t.Errorf("seed %d: round %v, bound %v, the best is %v: %+v", seed, r.Plan.Round, r.Bound, want, r.Plan)
		}
		if r.Status == solver.Optimal {
			optimal++
			if r.Plan.Round > want*(1+1e-6) {
				t.Errorf("seed %d: optimal %v, the best is %v", seed, r.Plan.Round, want)
			}
		}
		held := 0
		for _, m := range r.Plan.Machines {
			held += m.layers()
		}
		if held > len(c.Model.Layers) {
			shared++
		}
	}
	if missed > feasible/20 {
		t.Errorf("%d of %d conditions that have a plan were left without one", missed, missed+feasible)
	}
	if feasible < 40 || optimal < 5 || shared < 3 {
		t.Fatalf("of %d, %d have a plan, %d proved, %d share layers: the generator says too little", seeds, feasible, optimal, shared)
	}
	t.Logf("of %d, %d have a plan, %d proved, %d share layers", seeds, feasible, optimal, shared)
}
