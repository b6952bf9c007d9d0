package graphplan

import (
	"fmt"
	"math"
	"slices"

	"partita/formulation/ideals"
	"partita/results"
)

const gib = 1 << 30

// place gives every stage of every replica its GPU. Replicas that lie in one host each fill
// host after host; else each pool is dealt out in the order of its nodes.
func (s *space) place(a *attempt) [][]string {
	out := make([][]string, 0, a.choice.replicas)
	deal := func(pools [][]string) {
		gpus := make([]string, len(a.stages))
		for i, st := range a.stages {
			gpus[i] = pools[st.Class][0]
			pools[st.Class] = pools[st.Class][1:]
		}
		out = append(out, gpus)
	}
	if a.choice.inside {
		for i := range s.hosts {
			h := &s.hosts[i]
			left := slices.Clone(h.gpus)
			for n := h.holds(a.choice.gpus); n > 0 && len(out) < a.choice.replicas; n-- {
				mine := make([][]string, len(left))
				for k, q := range a.choice.gpus {
					mine[k], left[k] = left[k][:q], left[k][q:]
				}
				deal(mine)
			}
		}
		return out
	}
	left := make([][]string, len(s.c.Cluster.Pools))
	for k := range left {
		for _, n := range s.c.Cluster.Pools[k].Nodes {
			left[k] = append(left[k], n.GPUs...)
		}
	}
	for range a.choice.replicas {
		mine := make([][]string, len(left))
		for k, q := range a.choice.gpus {
			mine[k], left[k] = left[k][:q], left[k][q:]
		}
		deal(mine)
	}
	return out
}

// stages are the stages of all replicas on their GPUs, with what each takes.
func (s *search) stages(a *attempt) []results.Stage {
	ordered := s.running(a)
	var out []results.Stage
	for r, gpus := range s.place(a) {
		first := 0
		for i, st := range a.stages {
			work, weights, activations := 0.0, int64(0), int64(0)
			var ids []int
			for _, v := range ordered[i] {
				n := &s.graph.Nodes[v]
				ids = append(ids, n.ID)
				activations += n.ActivationBytes
				weights += n.MemoryBytes - n.ActivationBytes
			}
			for _, v := range st.Nodes { // summed in the order of the file, as the load is
				work += a.problem.Classes[st.Class].Time[v]
			}
			x := results.Stage{
				Replica: r, Index: i, FirstLayer: first, LastLayer: first + len(ids) - 1, Nodes: ids,
				Pool: s.c.Cluster.Pools[st.Class].Name, GPUs: []string{gpus[i]}, TP: 1, EP: 1, ETP: 1, CP: 1, DPAttention: 1,
				TimeMS: a.loads[i], WorkMS: work, TransferMS: max(0, a.loads[i]-work),
				CapacityGiB: float64(s.costs.Capacity(st.Class)+s.costs.Reserve()) / gib,
				Memory: results.Memory{
					WeightsGiB: float64(weights) / gib, ActivationsGiB: float64(activations) / gib, ReserveGiB: float64(s.costs.Reserve()) / gib,
				},
			}
			x.MemoryGiB = float64(weights+activations+s.costs.Reserve()) / gib
			out = append(out, x)
			first += len(ids)
		}
	}
	return out
}

// running are the nodes of each stage in an order they can run in: that of the edges, then
// that of the file.
func (s *space) running(a *attempt) [][]int {
	at := make([]int, len(s.graph.Nodes))
	for i, v := range topological(a.problem) {
		at[v] = i
	}
	out := make([][]int, len(a.stages))
	for i, st := range a.stages {
		out[i] = slices.Clone(st.Nodes)
		slices.SortFunc(out[i], func(v, w int) int { return at[v] - at[w] })
	}
	return out
}

// topological is the order of all nodes by their edges, of those that are ready the first
// of the file.
func topological(p *ideals.Problem) []int {
	u := &units{p: p, nodes: make([][]int, len(p.Nodes)), next: make([][]int, len(p.Nodes))}
	for v := range p.Nodes {
		u.nodes[v] = []int{v}
	}
	for _, e := range p.Edges {
		u.next[e.From] = append(u.next[e.From], e.To)
	}
	return u.byFile()
}

// latency is the time of one sample through an idle replica, ms: a stage begins when all it
// takes is there and gives nothing before its end. NaN for a graph with a backward pass,
// whose stages are passed twice.
func (s *space) latency(a *attempt) float64 {
	if s.graph.Training() {
		return math.NaN()
	}
	stage := make([]int, len(s.graph.Nodes))
	for i, st := range a.stages {
		for _, v := range st.Nodes {
			stage[v] = i
		}
	}
	begin, last := make([]float64, len(a.stages)), 0.0
	before := make([][]int, len(a.stages))
	for _, e := range s.graph.Edges {
		if from, to := stage[e.From], stage[e.To]; from != to {
			before[to] = append(before[to], from)
		}
	}
	for i := range a.stages { // edges lead to later stages
		for _, j := range before[i] {
			begin[i] = max(begin[i], begin[j]+a.loads[j])
		}
		last = max(last, begin[i]+a.loads[i])
	}
	return last
}

// counted is a number with its noun: 1 GPU, 2 GPUs.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
