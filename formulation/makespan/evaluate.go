package makespan

import (
	"fmt"

	"partita/inputs/opgraph"
)

// Evaluate is the makespan in ms of an assignment of nodes to devices by the definition
// of the package; every device that is a core stands for the pool of all cores. The
// error says which condition an assignment breaks.
func Evaluate(g *opgraph.Graph, device []int) (float64, error) {
	if err := admissible(g, device); err != nil {
		return 0, err
	}
	// Steps: the accelerators, then every node of the CPU on its own.
	step := func(v int) int {
		if g.IsCPU(device[v]) {
			return g.Accelerators + v
		}
		return device[v]
	}
	next := make([][]opgraph.Edge, g.Accelerators+len(g.Nodes))
	waits := make([]int, len(next))
	length := make([]float64, len(next))
	for v := range g.Nodes {
		if g.IsCPU(device[v]) {
			length[step(v)] = g.Nodes[v].CPUTime
		} else {
			length[step(v)] += g.Nodes[v].AcceleratorTime
		}
	}
	sent := make([]bool, len(g.Nodes))
	received := map[[2]int]bool{}
	for _, e := range g.Edges {
		from, to := step(e.From), step(e.To)
		if from == to {
			continue
		}
		next[from] = append(next[from], e)
		waits[to]++
		if from < g.Accelerators && !sent[e.From] {
			sent[e.From] = true
			length[from] += g.Nodes[e.From].Send
		}
		if key := [2]int{e.From, to}; to < g.Accelerators && !received[key] {
			received[key] = true
			length[to] += g.Nodes[e.From].Send
		}
	}
	var ready []int
	for s := range next {
		if waits[s] == 0 {
			ready = append(ready, s)
		}
	}
	start := make([]float64, len(next))
	makespan, done := 0.0, 0
	for ; len(ready) > 0; done++ {
		s := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		finish := start[s] + length[s]
		makespan = max(makespan, finish)
		for _, e := range next[s] {
			to := step(e.To)
			start[to] = max(start[to], finish)
			if waits[to]--; waits[to] == 0 {
				ready = append(ready, to)
			}
		}
	}
	if done < len(next) {
		return 0, fmt.Errorf("blocks wait for each other in a circle: an accelerator outputs only at its end")
	}
	return makespan, nil
}

// admissible checks what does not depend on time: devices, memory, colour classes.
func admissible(g *opgraph.Graph, device []int) error {
	if len(device) != len(g.Nodes) {
		return fmt.Errorf("%d devices for %d nodes", len(device), len(g.Nodes))
	}
	used := make([]int64, g.Accelerators)
	home := map[int]int{}
	for v, d := range device {
		n := &g.Nodes[v]
		switch {
		case d < 0 || d >= g.Devices():
			return fmt.Errorf("node %d: no device %d", n.ID, d)
		case g.IsCPU(d):
			d = g.Accelerators
		case !n.OnAccelerator:
			return fmt.Errorf("node %d: not made for an accelerator", n.ID)
		default:
			if used[d] += n.Bytes; used[d] > g.AcceleratorBytes {
				return fmt.Errorf("accelerator %d: over its %d bytes at node %d", d, g.AcceleratorBytes, n.ID)
			}
		}
		if n.Colour == opgraph.NoColour {
			continue
		}
		if other, there := home[n.Colour]; there && other != d {
			return fmt.Errorf("node %d: colour class %d is on two devices", n.ID, n.Colour)
		}
		home[n.Colour] = d
	}
	return nil
}
