package makespan

import (
	"errors"
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
	makespan, ok := newTimer(g).makespan(device)
	if !ok {
		return 0, errors.New("blocks wait for each other in a circle: an accelerator outputs only at its end")
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
