package ideals

import (
	"math"

	"partita/solver"
)

// Solution is what a search found and proved.
type Solution struct {
	// Status: Optimal where Bound is Value within Resolution; Infeasible where no
	// contiguous placement exists, by proof.
	Status solver.Status
	// Stages in the order of the chain, each on a device of its own; nil: none found.
	Stages []Stage
	// Value in ms: the largest of Loads, computed from Stages; +Inf: none found.
	Value float64
	// Bound in ms: no contiguous placement is below it.
	Bound float64
	// Explored counts the ideals whose continuations were walked.
	Explored int64
	// Because says in a few words what proves the bound.
	Because string
}

// Stage is the nodes of one device, by index in ascending order.
type Stage struct {
	Class int
	Nodes []int
}

// Loads are the loads of the stages in ms: work, and the transfers of the outputs that
// the stage sends (once a node) and receives (once a source), each summed by the order
// of nodes and edges of the problem.
func (p *Problem) Loads(stages []Stage) []float64 {
	stage := make([]int, len(p.Nodes))
	for s := range stages {
		for _, v := range stages[s].Nodes {
			stage[v] = s
		}
	}
	load := make([]float64, len(stages))
	for v := range p.Nodes {
		load[stage[v]] += p.Classes[stages[stage[v]].Class].Time[v]
	}
	sent := make([]bool, len(p.Nodes))
	received := make(map[[2]int]bool)
	for _, e := range p.Edges {
		from, to := stage[e.From], stage[e.To]
		if from == to {
			continue
		}
		if t := p.Classes[stages[from].Class].Transfer; t != nil && !sent[e.From] {
			sent[e.From] = true
			load[from] += t[e.From]
		}
		if t := p.Classes[stages[to].Class].Transfer; t != nil && !received[[2]int{e.From, to}] {
			received[[2]int{e.From, to}] = true
			load[to] += t[e.From]
		}
	}
	return load
}

// value is the largest load; +Inf without stages.
func (p *Problem) value(stages []Stage) float64 {
	if stages == nil {
		return math.Inf(1)
	}
	largest := 0.0
	for _, load := range p.Loads(stages) {
		largest = max(largest, load)
	}
	return largest
}
