// Package assignment holds what the searches over operator graphs have in common: the
// assignment of nodes to devices that they return, with its bound.
package assignment

import (
	"partita/inputs/opgraph"
	"partita/solver"
)

// Result is the answer of a search that minimises a time.
type Result struct {
	// Status: Optimal only where Bound proves it within the search's own resolution.
	Status solver.Status
	// Device of every node, by its index: accelerators from 0, then cores; nil: none found.
	Device []int
	// Value in ms, computed from Device by the definition of the objective; +Inf: none.
	Value float64
	// Bound in ms: no assignment is below it; -Inf: none known.
	Bound float64
	// Explored counts the nodes of the search (labels, ideals, branches).
	Explored int64
	// Because says in a few words what proves the bound.
	Because string
}

// Loads are the loads of the devices under the throughput objective, in ms: work, and
// for an accelerator what it receives (once a source) and sends (once a node).
func Loads(g *opgraph.Graph, device []int) []float64 {
	load := make([]float64, g.Devices())
	for v := range g.Nodes {
		if d := device[v]; g.IsCPU(d) {
			load[d] += g.Nodes[v].CPUTime
		} else {
			load[d] += g.Nodes[v].AcceleratorTime
		}
	}
	received := make([]map[int]bool, g.Devices())
	sent := make([]bool, len(g.Nodes))
	for _, e := range g.Edges {
		from, to := device[e.From], device[e.To]
		if from == to {
			continue
		}
		if !g.IsCPU(from) && !sent[e.From] {
			sent[e.From] = true
			load[from] += g.Nodes[e.From].Send
		}
		if !g.IsCPU(to) && !received[to][e.From] {
			if received[to] == nil {
				received[to] = map[int]bool{}
			}
			received[to][e.From] = true
			load[to] += g.Nodes[e.From].Send
		}
	}
	return load
}
