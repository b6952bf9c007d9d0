package placement

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"partita/inputs/opgraph"
	"partita/results"
)

// loadsOf are the loads of the devices in ms: the work of their nodes, and on accelerators
// the outputs that come in, once a source, and that go out, once a node.
func loadsOf(g *opgraph.Graph, device []int) map[int]float64 {
	load := map[int]float64{}
	next, before := g.Successors(), g.Predecessors()
	arrives := map[[2]int]bool{}
	for v, n := range g.Nodes {
		d := device[v]
		if d <= cpu {
			load[d] += n.CPUTime
			continue
		}
		load[d] += n.AcceleratorTime
		if slices.ContainsFunc(next[v], func(w int) bool { return device[w] != d }) {
			load[d] += n.Send
		}
		for _, u := range before[v] {
			if key := [2]int{u, d}; device[u] != d && !arrives[key] {
				arrives[key] = true
				load[d] += g.Nodes[u].Send
			}
		}
	}
	return load
}

// Noncontiguous is the largest load of a device in ms; nodes may lie anywhere. The error
// lists every rule that the solution breaks, the loads that it states included.
func Noncontiguous(g *opgraph.Graph, s *results.PlacedSolution) (float64, error) {
	device, err := nodesOf(g, s, false)
	if err != nil {
		return 0, err
	}
	var broken []error
	load := loadsOf(g, device)
	for _, d := range s.Devices {
		number, onCPU, err := deviceNumber(g, d.Device)
		if onCPU {
			number = cpu - number
		}
		if err == nil && !equal(d.LoadMS, load[number]) {
			broken = append(broken, fmt.Errorf("%s: a load of %v ms is said, it is %v", d.Device, d.LoadMS, load[number]))
		}
	}
	most := 0.0
	for _, x := range load {
		most = max(most, x)
	}
	return most, errors.Join(broken...)
}

// Contiguous is the largest load of a device in ms, where the devices follow each other:
// each holds what lies between two ideals of the forward graph, so that no forward edge
// leads back. Of a class without forward nodes its backward edges count, turned round.
func Contiguous(g *opgraph.Graph, s *results.PlacedSolution) (float64, error) {
	value, err := Noncontiguous(g, s)
	if err != nil {
		return value, err
	}
	device, err := nodesOf(g, s, false)
	if err != nil {
		return value, err
	}
	forward := map[int]bool{} // of each class: some node is forward
	for v, n := range g.Nodes {
		forward[class(g, v)] = forward[class(g, v)] || !n.Backward
	}
	after := map[int]map[int]bool{}
	order := func(from, to int) {
		if from != to {
			if after[from] == nil {
				after[from] = map[int]bool{}
			}
			after[from][to] = true
		}
	}
	for _, e := range g.Edges {
		from, to := device[e.From], device[e.To]
		switch a, b := g.Nodes[e.From].Backward, g.Nodes[e.To].Backward; {
		case !a && !b:
			order(from, to)
		case a && b && !(forward[class(g, e.From)] && forward[class(g, e.To)]):
			order(to, from)
		}
	}
	if ring := cycle(after); ring != nil {
		names := make([]string, len(ring))
		for i, d := range ring {
			names[i] = fmt.Sprintf("accelerator-%d", d)
			if d <= cpu {
				names[i] = fmt.Sprintf("cpu-%d", cpu-d)
			}
		}
		return value, fmt.Errorf("no chain of ideals: the forward pass goes round %s", strings.Join(names, " → "))
	}
	return value, nil
}

// class tells the nodes apart that must share a device: by colour, else by themselves.
func class(g *opgraph.Graph, v int) int {
	if c := g.Nodes[v].Colour; c != opgraph.NoColour {
		return c
	}
	return -1 - v
}

// cycle is a ring of a relation, nil where there is none.
func cycle(after map[int]map[int]bool) []int {
	const open, done = 1, 2
	state := map[int]int{}
	var path []int
	var visit func(at int) []int
	visit = func(at int) []int {
		state[at] = open
		path = append(path, at)
		for _, next := range sorted(after[at]) {
			switch state[next] {
			case open:
				return append(slices.Clone(path[slices.Index(path, next):]), next)
			case 0:
				if ring := visit(next); ring != nil {
					return ring
				}
			}
		}
		state[at] = done
		path = path[:len(path)-1]
		return nil
	}
	starts := map[int]bool{}
	for at := range after {
		starts[at] = true
	}
	for _, at := range sorted(starts) {
		if state[at] == 0 {
			if ring := visit(at); ring != nil {
				return ring
			}
		}
	}
	return nil
}

func sorted(set map[int]bool) []int {
	out := make([]int, 0, len(set))
	for x := range set {
		out = append(out, x)
	}
	slices.Sort(out)
	return out
}
